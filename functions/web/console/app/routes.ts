/** Every screen. A new one is a folder in `screens` and an entry here: menu, refusal and the walk of the tests follow from it. */
import type { Component } from "svelte";
import type { View } from "./api/live.svelte.ts";
import type { Operation } from "./api/permissions.ts";
import type { Icon } from "./ui/icons.ts";
import type { Area } from "./words/areas.ts";

export interface Loaded {
  default: Component;
  /** Asks for what the screen shows. A first page calls it while the frame is still being drawn. */
  begin?: () => void;
}

export interface Route {
  /** Name of the screen. `title-NAME` is its title. */
  name: string;
  /** Paths as of `URLPattern`. Links are made with the first. */
  paths: [string, ...string[]];
  /** Who may open it: anybody, who is logged in, or who may do these operations, of which the first fills the page. */
  needs: "nobody" | "person" | [Operation, ...Operation[]];
  load: () => Promise<Loaded>;
  /** What it shows that changes by itself. */
  follows?: View[];
  /** Areas whose words it says, beside those that all pages share. */
  words: Area[];
  /** Acts for the whole deployment, and not for a business: in another colour, and with a menu of its own. */
  platform?: true;
  /** Its place in the menu. On phones, only those of the `bar` are always seen. */
  menu?: { icon: Icon; page: string; bar?: true };
  /** Its page among the settings, which the screen of settings lists. */
  setting?: string;
  /** What it shows instead of content: `empty` is the text where there is nothing. */
  states: { empty?: string; error: boolean };
}

/** States of a page that reads nothing. */
const STILL = { error: false };

export const routes: Route[] = [
  { name: "log-in", paths: ["/app/log-in", "/log-in"], needs: "nobody", states: STILL, words: ["entrance"], load: () => import("./screens/entrance/LogIn.svelte") },
  { name: "sign-up", paths: ["/app/sign-up"], needs: "nobody", states: STILL, words: ["entrance"], load: () => import("./screens/entrance/SignUp.svelte") },
  { name: "verify-email", paths: ["/verify-email", "/app/verify-email"], needs: "nobody", states: STILL, words: ["entrance"], load: () => import("./screens/entrance/VerifyEmail.svelte") },
  { name: "forgot-password", paths: ["/app/forgot-password"], needs: "nobody", states: STILL, words: ["entrance"], load: () => import("./screens/entrance/ForgotPassword.svelte") },
  { name: "reset-password", paths: ["/reset-password", "/app/reset-password"], needs: "nobody", states: STILL, words: ["entrance"], load: () => import("./screens/entrance/ResetPassword.svelte") },
  { name: "accept-invitation", paths: ["/accept-invitation", "/app/accept-invitation"], needs: "nobody", states: STILL, words: ["entrance"], load: () => import("./screens/entrance/AcceptInvitation.svelte") },
  { name: "account", paths: ["/app/account"], needs: "person", states: { error: true }, words: ["account"], load: () => import("./screens/account/Account.svelte") },
  { name: "second-factor", paths: ["/app/account/second-factor"], needs: "person", states: { error: true }, words: ["account"], load: () => import("./screens/account/SecondFactor.svelte") },
  { name: "notifications", paths: ["/app/account/notifications", "/account/notifications"], needs: "person", states: { error: true }, words: ["account"], load: () => import("./screens/account/Notifications.svelte") },
  { name: "platform-tenants", paths: ["/app/platform/tenants", "/app/platform"], needs: ["list_platform_tenants"], platform: true, states: { empty: "platform-tenants-empty", error: true }, words: ["platform"], load: () => import("./screens/platform/Tenants.svelte") },
  { name: "platform-new", paths: ["/app/platform/tenants/new"], needs: ["create_platform_tenant"], platform: true, states: STILL, words: ["platform"], load: () => import("./screens/platform/NewTenant.svelte") },
  { name: "platform-tenant", paths: ["/app/platform/tenants/:record"], needs: ["get_platform_tenant"], platform: true, states: { error: true }, words: ["platform"], load: () => import("./screens/platform/Tenant.svelte") },
  { name: "platform-prices", paths: ["/app/platform/prices"], needs: ["get_platform_prices"], platform: true, states: { error: true }, words: ["platform"], load: () => import("./screens/platform/Prices.svelte") },
  { name: "platform-requests", paths: ["/app/platform/requests"], needs: ["find_tracked_link", "release_whatsapp_number"], platform: true, states: STILL, words: ["platform"], load: () => import("./screens/platform/Requests.svelte") },
  { name: "platform-log", paths: ["/app/platform/log"], needs: ["list_platform_log"], platform: true, states: { empty: "platform-log-empty", error: true }, words: ["platform"], load: () => import("./screens/platform/Log.svelte") },
  { name: "home", paths: ["/app/:tenant"], needs: ["get_overview", "get_tenant_setup"], menu: { icon: "home", page: "", bar: true }, states: { error: true }, follows: ["calls", "messages", "connections", "templates"], words: ["reasons"], load: () => import("./screens/home/Home.svelte") },
  { name: "inbox", paths: ["/app/:tenant/inbox"], needs: ["list_conversations"], menu: { icon: "inbox", page: "inbox", bar: true }, states: { empty: "inbox-empty", error: true }, follows: ["inbox:all", "contacts"], words: ["customers", "inbox"], load: () => import("./screens/inbox/Inbox.svelte") },
  { name: "conversation", paths: ["/app/:tenant/inbox/:conversation"], needs: ["get_conversation", "get_conversation_timeline"], states: { error: true }, words: ["customers", "inbox", "reasons"], load: () => import("./screens/inbox/Conversation.svelte") },
  { name: "calls", paths: ["/app/:tenant/calls"], needs: ["list_calls"], menu: { icon: "calls", page: "calls", bar: true }, states: { empty: "calls-empty", error: true }, follows: ["calls", "messages", "contacts"], words: ["customers", "reasons"], load: () => import("./screens/calls/Calls.svelte") },
  { name: "call", paths: ["/app/:tenant/calls/:call"], needs: ["get_call"], states: { error: true }, follows: ["calls", "messages", "contacts"], words: ["customers", "reasons"], load: () => import("./screens/calls/Call.svelte") },
  { name: "messages", paths: ["/app/:tenant/messages"], needs: ["list_messages"], menu: { icon: "messages", page: "messages" }, states: { empty: "messages-empty", error: true }, follows: ["messages", "contacts"], words: ["customers", "reasons"], load: () => import("./screens/messages/Messages.svelte") },
  { name: "new-message", paths: ["/app/:tenant/messages/new"], needs: ["send_message"], states: STILL, words: ["automations", "customers", "reasons"], load: () => import("./screens/messages/NewMessage.svelte") },
  { name: "message", paths: ["/app/:tenant/messages/:message"], needs: ["get_message"], states: { error: true }, follows: ["messages", "contacts"], words: ["customers", "reasons"], load: () => import("./screens/messages/Message.svelte") },
  { name: "contacts", paths: ["/app/:tenant/contacts"], needs: ["list_contacts"], menu: { icon: "contacts", page: "contacts" }, states: { empty: "contacts-empty", error: true }, words: ["contacts", "customers", "reasons"], load: () => import("./screens/contacts/Contacts.svelte") },
  { name: "new-contact", paths: ["/app/:tenant/contacts/new"], needs: ["create_contact"], states: STILL, words: ["contacts", "customers"], load: () => import("./screens/contacts/ChangeContact.svelte") },
  { name: "contact", paths: ["/app/:tenant/contacts/:contact"], needs: ["get_contact", "get_timeline"], states: { error: true }, words: ["contacts", "customers", "drips", "reasons"], load: () => import("./screens/contacts/Contact.svelte") },
  { name: "contact-change", paths: ["/app/:tenant/contacts/:contact/change"], needs: ["get_contact", "update_contact"], states: { error: true }, words: ["contacts", "customers"], load: () => import("./screens/contacts/ChangeContact.svelte") },
  { name: "contact-consent", paths: ["/app/:tenant/contacts/:contact/consent"], needs: ["get_consent", "get_contact"], states: { error: true }, words: ["contacts", "customers"], load: () => import("./screens/contacts/Consent.svelte") },
  { name: "contact-proof", paths: ["/app/:tenant/contacts/:contact/consent/proof"], needs: ["get_consent_proof"], states: { error: true }, words: ["contacts", "customers"], load: () => import("./screens/contacts/Proof.svelte") },
  { name: "contact-merge", paths: ["/app/:tenant/contacts/:contact/merge"], needs: ["get_duplicates", "merge_contact"], states: { error: true }, words: ["contacts", "customers"], load: () => import("./screens/contacts/Merge.svelte") },
  { name: "imports", paths: ["/app/:tenant/imports"], needs: ["list_imports"], states: { empty: "imports-empty", error: true }, words: ["imports", "operations"], load: () => import("./screens/imports/Imports.svelte") },
  { name: "new-import", paths: ["/app/:tenant/imports/new"], needs: ["create_import"], states: STILL, words: ["imports", "operations"], load: () => import("./screens/imports/NewImport.svelte") },
  { name: "import", paths: ["/app/:tenant/imports/:record"], needs: ["get_import"], states: { error: true }, words: ["imports", "operations"], load: () => import("./screens/imports/Import.svelte") },
  { name: "exports", paths: ["/app/:tenant/exports"], needs: ["list_exports"], states: { empty: "exports-empty", error: true }, words: ["imports", "operations"], load: () => import("./screens/exports/Exports.svelte") },
  { name: "set-up", paths: ["/app/:tenant/set-up"], needs: ["get_tenant_setup", "update_tenant"], setting: "set-up", states: { error: true }, words: ["settings"], load: () => import("./screens/setup/SetUp.svelte") },
  { name: "set-up-business", paths: ["/app/:tenant/set-up/business"], needs: ["get_tenant_setup", "update_tenant"], states: { error: true }, words: ["settings"], load: () => import("./screens/setup/Business.svelte") },
  { name: "set-up-telephone", paths: ["/app/:tenant/set-up/telephone"], needs: ["get_tenant_setup", "list_connections", "create_connection"], states: { error: true }, words: ["settings"], load: () => import("./screens/setup/Telephone.svelte") },
  { name: "set-up-messages", paths: ["/app/:tenant/set-up/messages"], needs: ["get_tenant_setup", "list_connections", "create_connection"], states: { error: true }, words: ["settings"], load: () => import("./screens/setup/Messages.svelte") },
  { name: "set-up-text", paths: ["/app/:tenant/set-up/text"], needs: ["get_tenant_setup", "list_automations", "update_automation"], states: { error: true }, words: ["automations", "reasons", "settings"], load: () => import("./screens/setup/Text.svelte") },
  { name: "set-up-try", paths: ["/app/:tenant/set-up/try"], needs: ["get_tenant_setup", "list_lines", "list_calls"], states: { error: true }, follows: ["calls", "messages"], words: ["customers", "reasons", "settings"], load: () => import("./screens/setup/Try.svelte") },
  { name: "orders", paths: ["/app/:tenant/orders"], needs: ["list_orders"], menu: { icon: "orders", page: "orders" }, states: { empty: "orders-empty", error: true }, follows: ["orders"], words: ["orders"], load: () => import("./screens/orders/Orders.svelte") },
  { name: "order", paths: ["/app/:tenant/orders/:order"], needs: ["get_order"], states: { error: true }, follows: ["orders"], words: ["orders"], load: () => import("./screens/orders/Order.svelte") },
  { name: "automations", paths: ["/app/:tenant/automations"], needs: ["list_automations"], menu: { icon: "automations", page: "automations" }, states: { empty: "automations-empty", error: true }, words: ["automations", "reasons"], load: () => import("./screens/automations/Automations.svelte") },
  { name: "new-automation", paths: ["/app/:tenant/automations/new"], needs: ["create_automation", "list_templates"], states: STILL, words: ["automations", "customers", "reasons", "settings"], load: () => import("./screens/automations/NewAutomation.svelte") },
  { name: "try-automations", paths: ["/app/:tenant/automations/try"], needs: ["dry_run_automations", "list_calls"], states: STILL, words: ["automations", "reasons"], load: () => import("./screens/automations/TryAutomations.svelte") },
  { name: "automation", paths: ["/app/:tenant/automations/:automation"], needs: ["get_automation"], states: { error: true }, words: ["automations", "customers", "reasons", "settings"], load: () => import("./screens/automations/Automation.svelte") },
  { name: "campaigns", paths: ["/app/:tenant/campaigns"], needs: ["list_campaigns"], menu: { icon: "campaigns", page: "campaigns" }, states: { empty: "campaigns-empty", error: true }, words: ["campaigns", "drips", "reasons"], load: () => import("./screens/campaigns/Campaigns.svelte") },
  { name: "new-campaign", paths: ["/app/:tenant/campaigns/new"], needs: ["create_campaign"], states: STILL, words: ["campaigns", "drips"], load: () => import("./screens/campaigns/NewCampaign.svelte") },
  { name: "campaign", paths: ["/app/:tenant/campaigns/:campaign"], needs: ["get_campaign"], states: { error: true }, words: ["automations", "campaigns", "reasons"], load: () => import("./screens/campaigns/Campaign.svelte") },
  { name: "campaign-audience", paths: ["/app/:tenant/campaigns/:campaign/audience"], needs: ["get_campaign", "update_campaign"], states: { error: true }, words: ["automations", "campaigns"], load: () => import("./screens/campaigns/Audience.svelte") },
  { name: "campaign-message", paths: ["/app/:tenant/campaigns/:campaign/message"], needs: ["get_campaign", "update_campaign"], states: { error: true }, words: ["automations", "campaigns", "reasons"], load: () => import("./screens/campaigns/Message.svelte") },
  { name: "campaign-when", paths: ["/app/:tenant/campaigns/:campaign/when"], needs: ["get_campaign", "update_campaign"], states: { error: true }, words: ["automations", "campaigns"], load: () => import("./screens/campaigns/When.svelte") },
  { name: "campaign-check", paths: ["/app/:tenant/campaigns/:campaign/check"], needs: ["get_campaign", "update_campaign"], states: { error: true }, words: ["automations", "campaigns", "customers", "reasons"], load: () => import("./screens/campaigns/Check.svelte") },
  { name: "campaign-recipients", paths: ["/app/:tenant/campaigns/:campaign/recipients"], needs: ["list_campaign_recipients"], states: { empty: "campaign-recipients-empty", error: true }, words: ["campaigns", "customers", "reasons"], load: () => import("./screens/campaigns/Recipients.svelte") },
  { name: "reports", paths: ["/app/:tenant/reports"], needs: ["get_metrics"], menu: { icon: "reports", page: "reports" }, states: { error: true }, words: ["reasons", "reports"], load: () => import("./screens/reports/Reports.svelte") },
  { name: "costs", paths: ["/app/:tenant/reports/costs"], needs: ["get_usage"], states: { error: true }, words: ["reports"], load: () => import("./screens/reports/Costs.svelte") },
  { name: "drip", paths: ["/app/:tenant/campaigns/:drip/drip"], needs: ["get_campaign"], states: { error: true }, words: ["automations", "campaigns", "drips", "reasons"], load: () => import("./screens/drips/Drip.svelte") },
  { name: "drip-entry", paths: ["/app/:tenant/campaigns/:drip/entry"], needs: ["get_campaign", "update_campaign"], states: { error: true }, words: ["campaigns", "drips"], load: () => import("./screens/drips/Entry.svelte") },
  { name: "drip-steps", paths: ["/app/:tenant/campaigns/:drip/steps"], needs: ["get_campaign", "write_campaign_steps"], states: { error: true }, words: ["automations", "campaigns", "drips", "reasons"], load: () => import("./screens/drips/Steps.svelte") },
  { name: "drip-people", paths: ["/app/:tenant/campaigns/:drip/people"], needs: ["list_campaign_enrollments", "get_contact"], states: { empty: "drip-people-empty", error: true }, words: ["campaigns", "customers", "drips", "reasons"], load: () => import("./screens/drips/People.svelte") },
  { name: "settings", paths: ["/app/:tenant/settings"], needs: "person", menu: { icon: "settings", page: "settings" }, states: STILL, words: ["settings"], load: () => import("./screens/settings/Settings.svelte") },
  { name: "business", paths: ["/app/:tenant/settings/business"], needs: ["get_tenant", "update_tenant"], setting: "settings/business", states: { error: true }, words: ["settings"], load: () => import("./screens/settings/Business.svelte") },
  { name: "closures", paths: ["/app/:tenant/settings/closures"], needs: ["get_tenant", "update_tenant"], setting: "settings/closures", states: { error: true }, words: ["settings"], load: () => import("./screens/settings/Closures.svelte") },
  { name: "words", paths: ["/app/:tenant/settings/words"], needs: ["get_tenant", "update_tenant"], setting: "settings/words", states: { error: true }, words: ["settings"], load: () => import("./screens/settings/Words.svelte") },
  { name: "answers", paths: ["/app/:tenant/settings/answers"], needs: ["get_tenant", "update_tenant"], setting: "settings/answers", states: { error: true }, words: ["settings"], load: () => import("./screens/settings/Answers.svelte") },
  { name: "order-messages", paths: ["/app/:tenant/settings/order-messages"], needs: ["list_event_messages"], setting: "settings/order-messages", states: { empty: "order-messages-none", error: true }, words: ["automations", "orders"], load: () => import("./screens/orders/OrderMessages.svelte") },
  { name: "order-settings", paths: ["/app/:tenant/settings/orders"], needs: ["get_tenant", "update_tenant"], setting: "settings/orders", states: { error: true }, words: ["orders", "settings"], load: () => import("./screens/orders/OrderSettings.svelte") },
  { name: "order-message", paths: ["/app/:tenant/settings/order-messages/:event"], needs: ["get_event_message", "list_event_messages"], states: { error: true }, words: ["automations", "orders"], load: () => import("./screens/orders/OrderMessage.svelte") },
  { name: "caps", paths: ["/app/:tenant/settings/caps"], needs: ["list_caps"], setting: "settings/caps", states: { empty: "caps-empty", error: true }, words: ["settings"], load: () => import("./screens/settings/Caps.svelte") },
  { name: "connections", paths: ["/app/:tenant/settings/connections"], needs: ["list_connections"], setting: "settings/connections", states: { empty: "connections-empty", error: true }, words: ["settings"], load: () => import("./screens/settings/Connections.svelte") },
  { name: "new-connection", paths: ["/app/:tenant/settings/connections/new"], needs: ["create_connection"], states: STILL, words: ["settings"], load: () => import("./screens/settings/NewConnection.svelte") },
  { name: "connection", paths: ["/app/:tenant/settings/connections/:connection"], needs: ["get_connection", "list_connection_webhooks"], states: { error: true }, words: ["settings"], load: () => import("./screens/settings/Connection.svelte") },
  { name: "lines", paths: ["/app/:tenant/settings/lines"], needs: ["list_lines"], setting: "settings/lines", states: { empty: "lines-empty", error: true }, words: ["settings"], load: () => import("./screens/settings/Lines.svelte") },
  { name: "new-line", paths: ["/app/:tenant/settings/lines/new"], needs: ["create_line", "list_connections"], states: STILL, words: ["settings"], load: () => import("./screens/settings/NewLine.svelte") },
  { name: "line", paths: ["/app/:tenant/settings/lines/:line"], needs: ["get_line", "update_line", "list_connections"], states: { error: true }, words: ["settings"], load: () => import("./screens/settings/Line.svelte") },
  { name: "templates", paths: ["/app/:tenant/settings/templates"], needs: ["list_templates"], setting: "settings/templates", states: { empty: "templates-empty", error: true }, follows: ["templates"], words: ["templates"], load: () => import("./screens/templates/Templates.svelte") },
  { name: "template-library", paths: ["/app/:tenant/settings/templates/library"], needs: ["list_library_templates"], states: { empty: "template-library-empty", error: true }, words: ["automations", "templates"], load: () => import("./screens/templates/Library.svelte") },
  { name: "new-template", paths: ["/app/:tenant/settings/templates/new"], needs: ["create_template"], states: STILL, words: ["automations", "templates"], load: () => import("./screens/templates/NewTemplate.svelte") },
  { name: "template", paths: ["/app/:tenant/settings/templates/:record"], needs: ["get_template"], states: { error: true }, follows: ["templates"], words: ["automations", "templates"], load: () => import("./screens/templates/Template.svelte") },
  { name: "assets", paths: ["/app/:tenant/settings/assets"], needs: ["list_assets"], setting: "settings/assets", states: { empty: "assets-empty", error: true }, words: ["templates"], load: () => import("./screens/assets/Assets.svelte") },
  { name: "asset", paths: ["/app/:tenant/settings/assets/:record"], needs: ["get_asset", "update_asset"], states: { error: true }, words: ["team", "templates"], load: () => import("./screens/assets/Asset.svelte") },
  { name: "segments", paths: ["/app/:tenant/settings/segments"], needs: ["list_segments"], setting: "settings/segments", states: { empty: "segments-empty", error: true }, words: ["segments", "team"], load: () => import("./screens/segments/Segments.svelte") },
  { name: "segment", paths: ["/app/:tenant/settings/segments/:record"], needs: ["get_segment", "update_segment"], states: { error: true }, words: ["campaigns", "imports", "operations", "segments", "team"], load: () => import("./screens/segments/Segment.svelte") },
  { name: "canned-replies", paths: ["/app/:tenant/settings/canned-replies"], needs: ["list_canned_replies"], setting: "settings/canned-replies", states: { empty: "canned-replies-empty", error: true }, words: ["team"], load: () => import("./screens/team/CannedReplies.svelte") },
  { name: "canned-reply", paths: ["/app/:tenant/settings/canned-replies/:record"], needs: ["get_canned_reply", "update_canned_reply"], states: { error: true }, words: ["team"], load: () => import("./screens/team/CannedReply.svelte") },
  { name: "teams", paths: ["/app/:tenant/settings/teams"], needs: ["list_teams"], setting: "settings/teams", states: { empty: "teams-empty", error: true }, words: ["team"], load: () => import("./screens/team/Teams.svelte") },
  { name: "team", paths: ["/app/:tenant/settings/teams/:record"], needs: ["get_team", "update_team", "list_users"], states: { error: true }, words: ["team"], load: () => import("./screens/team/Team.svelte") },
  { name: "inbox-settings", paths: ["/app/:tenant/settings/inbox"], needs: ["get_tenant", "update_tenant"], setting: "settings/inbox", states: { error: true }, words: ["settings", "team"], load: () => import("./screens/team/InboxSettings.svelte") },
  { name: "tags", paths: ["/app/:tenant/settings/tags"], needs: ["list_tags"], setting: "settings/tags", states: { empty: "tags-empty", error: true }, words: ["records", "team"], load: () => import("./screens/records/Tags.svelte") },
  { name: "tag", paths: ["/app/:tenant/settings/tags/:record"], needs: ["get_tag", "update_tag"], states: { error: true }, words: ["records", "team"], load: () => import("./screens/records/Tag.svelte") },
  { name: "stages", paths: ["/app/:tenant/settings/stages"], needs: ["list_stages"], setting: "settings/stages", states: { empty: "stages-empty", error: true }, words: ["records", "team"], load: () => import("./screens/records/Stages.svelte") },
  { name: "stage", paths: ["/app/:tenant/settings/stages/:record"], needs: ["get_stage", "update_stage"], states: { error: true }, words: ["records", "team"], load: () => import("./screens/records/Stage.svelte") },
  { name: "fields", paths: ["/app/:tenant/settings/fields"], needs: ["list_fields"], setting: "settings/fields", states: { empty: "fields-empty", error: true }, words: ["records", "team"], load: () => import("./screens/records/ContactFields.svelte") },
  { name: "field", paths: ["/app/:tenant/settings/fields/:record"], needs: ["get_field", "update_field"], states: { error: true }, words: ["records", "team"], load: () => import("./screens/records/ContactField.svelte") },
  { name: "products", paths: ["/app/:tenant/settings/products"], needs: ["list_products"], setting: "settings/products", states: { empty: "products-empty", error: true }, words: ["records", "team"], load: () => import("./screens/records/Products.svelte") },
  { name: "product", paths: ["/app/:tenant/settings/products/:record"], needs: ["get_product", "update_product"], states: { error: true }, words: ["records", "settings", "team"], load: () => import("./screens/records/Product.svelte") },
  { name: "suppressions", paths: ["/app/:tenant/settings/suppressions"], needs: ["list_suppressions"], setting: "settings/suppressions", states: { empty: "suppressions-empty", error: true }, words: ["records", "settings"], load: () => import("./screens/records/Suppressions.svelte") },
  { name: "people", paths: ["/app/:tenant/settings/people"], needs: ["list_users", "list_invitations"], setting: "settings/people", states: { empty: "people-empty", error: true }, words: ["settings"], load: () => import("./screens/settings/People.svelte") },
  { name: "api-keys", paths: ["/app/:tenant/settings/api-keys"], needs: ["list_api_keys"], setting: "settings/api-keys", states: { empty: "api-keys-empty", error: true }, words: ["team"], load: () => import("./screens/team/ApiKeys.svelte") },
  { name: "api-key", paths: ["/app/:tenant/settings/api-keys/:record"], needs: ["get_api_key", "update_api_key"], states: { error: true }, words: ["team"], load: () => import("./screens/team/ApiKey.svelte") },
  { name: "webhooks", paths: ["/app/:tenant/settings/webhooks"], needs: ["list_webhook_endpoints"], setting: "settings/webhooks", states: { empty: "webhooks-empty", error: true }, words: ["team", "webhooks"], load: () => import("./screens/webhooks/Webhooks.svelte") },
  { name: "webhook", paths: ["/app/:tenant/settings/webhooks/:record"], needs: ["get_webhook_endpoint", "update_webhook_endpoint"], states: { error: true }, words: ["team", "webhooks"], load: () => import("./screens/webhooks/Webhook.svelte") },
  { name: "operations", paths: ["/app/:tenant/settings/operations"], needs: ["list_operations"], setting: "settings/operations", states: { empty: "operations-empty", error: true }, words: ["customers", "operations", "reports"], load: () => import("./screens/reports/Operations.svelte") },
  { name: "audit", paths: ["/app/:tenant/settings/audit"], needs: ["list_audit"], setting: "settings/audit", states: { empty: "audit-empty", error: true }, words: ["customers", "reports"], load: () => import("./screens/reports/Audit.svelte") },
  { name: "retention", paths: ["/app/:tenant/settings/retention"], needs: ["get_retention", "update_tenant"], setting: "settings/retention", states: { error: true }, words: ["operations", "reports", "settings"], load: () => import("./screens/settings/Retention.svelte") },
];
