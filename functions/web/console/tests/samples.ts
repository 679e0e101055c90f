/** Calls, messages and contacts as the API gives them, with names and texts that mean no good. */
import type { components } from "../app/api/contract.d.ts";
import type { Visitor } from "./support.ts";

type Schemas = components["schemas"];

/** Markup, a direction override, and more characters than fit. */
export const HOSTILE = {
  markup: `<img src=x onerror=alert(1)><script>alert(2)</script>`,
  override: "Moon \u202egnp.exe\u202c",
  long: "ابجد".repeat(1000),
};

const at = new Date(Date.now() - 3_600_000).toISOString();
const customer = { formatted: "+971 50 555 3913", number: "+971505553913" };
const line = { id: "line_sample", name: "Shop" };
const contactName = { id: "con_sample", name: HOSTILE.markup };

export const callEntry: Schemas["CallEntry"] = {
  at, code: "follow_up", contact: contactName, customer, decided_at: at, decision: "WhatsApp at once: missed call, rule \"Missed calls\"", direction: "inbound",
  facts: { rule: HOSTILE.override, outcome: "missed", called_number: "+97145550100", channel: "whatsapp", next_channel: "sms", fallback_after_seconds: 120 },
  id: "call_sample", line, message: { channel: "whatsapp", code: null, decision: null, facts: {}, id: "msg_sample", state: "read" },
  message_id: "msg_sample", outcome: "missed", recordings: [], remarks: [], started_at: at, talk_seconds: null, voicemail_seconds: null,
};
const silent: Schemas["CallEntry"] = {
  ...callEntry, id: "call_silent", contact: { id: "con_silent", name: null }, code: "no_channel", outcome: "voicemail", voicemail_seconds: 9,
  facts: { whatsapp_problem: "not_reached", sms_problem: "landline" }, message: null, message_id: null,
};
export const call: Schemas["CallDetails"] = {
  ...callEntry, connection_id: "conn_sample", correlation_id: "sample", provider: "twilio", provider_call_id: "CA0",
  grounds: {
    config_version: 1, cooldown_seconds: 86_400, last_answered_at: null, last_by_phone_at: null, last_follow_up_at: at, last_inbound_at: null, line_id: null,
    marketing_opted_out: false, new_caller: true, open: true, opted_in: false, opted_out: false, rule_id: null, rule_version: null,
  },
  recordings: [{ available: true, duration_seconds: 9, id: "rec_sample", state: "completed", voicemail: true }],
  remarks: [{ at, code: "recording", facts: { seconds: 9 }, text: "The caller left a recording of 9 s." }],
  reported: {
    answered_at: null, call_seconds: 18, caller_name: null, closed: null, dial: null, ended_at: null, from: null, handling: null,
    ring_seconds: 18, stated: null, status: null, to: null,
  },
};

const leg: Schemas["MessageLeg"] = {
  accepted_at: at, channel: "sms", code: null, delivered_at: null, facts: {}, provider_code: null, read_at: null, reason: null, state: "failed", template: null,
  content: { contacts: [], interactive: null, kind: "text", location: null, media: null, reaction: null, reply_to: null }, text: HOSTILE.markup,
};
export const sent: Schemas["MessageEntry"] = {
  answer: null, at, call_id: "call_sample", category: "utility", channel: "sms", clicked_at: null, code: "provider_refused", contact: contactName, contacts: [], content: null,
  customer, cut: false, decision: "refused", direction: "outbound", facts: { provider_code: 30_006 }, id: "msg_sample", in_reply_to: null, legs: [leg], line,
  location: null, media: [], purpose: "follow_up", reaction: null, remarks: [], send_at: at, state: "failed", text: HOSTILE.long, whatsapp_id: null,
};
export const received: Schemas["MessageEntry"] = {
  ...sent, id: "msg_received", call_id: null, category: null, code: null, decision: null, direction: "inbound", facts: {}, legs: [], purpose: null, send_at: null,
  state: null, text: HOSTILE.markup,
};
const message: Schemas["MessageDetails"] = {
  ...sent, basis: null, correlation_id: "sample", reported: null, requested_by: null, retried_as: null, retries: null, valid_until: at,
  attempts: [{
    accepted_at: at, began_at: at, channel: "sms", code: "provider_refused", connection_id: null, delivered_at: null, facts: { provider_code: 30_006 },
    cost: { amount: "0.0345", billable: true, category: "sms", currency: "USD", kind: null, units: 1 },
    number: 1, provider_code: 30_006, provider_ref: null, read_at: null, reason: "Landline or unreachable carrier", state: "failed", unknown_at: null,
  }],
};

export const contact: Schemas["Contact"] = {
  calls: 6, created_at: at, deleted_at: null, emails: ["layla@example.com"], fields: {}, formatted_phones: [customer.formatted], id: "con_sample",
  language: "ar", language_detected: true, last_call_at: at, last_message_at: at, marketing_opted_out: null, name: HOSTILE.long, opted_in_at: null,
  opted_out: { at, source: "asked for no more messages" }, owner: null, phones: [customer.number], source: HOSTILE.override, stage: null, stage_since: null,
  tags: [HOSTILE.markup], updated_at: at, value: null, whatsapp_ids: [],
};
const wish = { at, category: "marketing", channel: "whatsapp", choice: "granted", method: "api", party: "customer" } as const;
const ledger: Schemas["ConsentEntryOut"] = {
  ...wish, actor: "usr_sample", evidence: HOSTILE.markup, id: "entry_sample", recorded_at: at, source: HOSTILE.override, wording: { text: HOSTILE.long.slice(0, 1000), version: HOSTILE.markup },
};
const proof: Schemas["ConsentProofOut"] = {
  complete: false, contact_id: contact.id, emails: contact.emails, entries: [ledger], generated_at: at, phones: contact.phones, tenant_id: "tnt_sample", tenant_name: HOSTILE.override,
  whatsapp_user_ids: ["AE.1234567890"], wishes: [{ ...wish, source: null }],
};
const timeline: Schemas["TimelineEntryOut"][] = [
  { at, kind: "message", message: received }, { at, kind: "message", message: sent }, { at, kind: "call", call: callEntry },
  { at, kind: "note", note: { author: "usr_sample", created_at: at, id: "note_sample", text: HOSTILE.override, updated_at: at } },
  { at, kind: "consent", consent: { changed_at: at, code: "stop", source: "asked for no more messages by SMS" } },
];

const picture: Schemas["MessageMedium"] = { animated: false, bytes: 1, content_type: "image/png", index: 0, kind: "image", name: HOSTILE.override, reason: null, state: "ready", voice: false };
const said: Schemas["TimelineEntryOut"][] = [
  { at, kind: "message", message: { ...received, media: [picture, { ...picture, index: 1, reason: "too_large", state: "refused" }], remarks: [{ at, code: "stored_shortened", facts: {}, text: "x" }] } },
  { at, kind: "message", message: { ...received, id: "msg_reaction", content: "reaction", text: null, reaction: { emoji: "👍", to: "wamid" } } },
  { at, kind: "message", message: { ...received, id: "msg_edit", content: "edit" } }, { at, kind: "message", message: { ...received, id: "msg_revoke", content: "revoke", text: null } },
  { at, kind: "message", message: { ...sent, id: "msg_phone", text: HOSTILE.markup, remarks: [{ at, code: "sent_by_phone", facts: {}, text: "x" }] } },
  { at, kind: "call", call: { ...callEntry, recordings: call.recordings } },
  ...timeline.slice(1, 2), ...timeline.slice(3, 4),
];
export const conversation: Schemas["Conversation"] = {
  active_at: at, assignee_id: null, contact: contactName, continued_in: null, created_at: at, etag: "\"7\"", first_response_seconds: null, id: "conv_sample", last: said[0] ?? null, line,
  priority: "high", read_seq: 5, replied_at: null, seq: 7, snoozed_until: null, state: "open", tags: [HOSTILE.markup], team_id: "team_sample", unread: 2, waiting_since: at,
  window_closes_at: new Date(Date.now() + 80_000_000).toISOString(),
  answered_elsewhere: { since: at, seen_at: at, until: at },
};
const others: Schemas["Conversation"][] = [
  { ...conversation, assignee_id: "usr_sample", contact: { id: "con_silent", name: null }, id: "conv_other", last: { at, kind: "call", call: callEntry }, unread: 0, window_closes_at: null },
  { ...conversation, continued_in: "conv_sample", id: "conv_merged", last: null, state: "closed", unread: 0, waiting_since: null, window_closes_at: at },
];
export const offers: Schemas["ConversationOffers"] = {
  at, line, starts: false, window_closes_at: conversation.window_closes_at, text: { code: "planned", reason: null, facts: {} }, sms_text: { code: "planned", reason: null, facts: {} },
  templates: [{ template: { name: "missed_call", language: "en_GB" }, text: HOSTILE.markup, missing: ["variables.1"] }],
};
const team: Schemas["Team"] = { created_at: at, id: "team_sample", languages: [], lines: [], max_open: null, members: [], mode: "by_hand", name: HOSTILE.override, tags: [], updated_at: at };
const canned: Schemas["CannedReply"] = { created_at: at, id: "can_sample", name: HOSTILE.override, text: { en: HOSTILE.markup, ar: HOSTILE.long.slice(0, 300) }, updated_at: at };
const hook: Schemas["WebhookEndpointOut"] = {
  callback: { api_key_id: "key_sample", from: ["203.0.113.0/24"] },
  content: true, created_at: at, disabled: null, events: ["call.decided", "message.received"], header: { name: "x-token" },
  health: { dropping_since: at, failing_since: at, last_success_at: at, next_attempt_at: at, state: "down", waiting: 4312 }, id: "whe_sample", name: HOSTILE.markup,
  secrets: [{ valid_until: null }], updated_at: at, url: `https://n8n.example.com/webhook-test/${"x".repeat(80)}`, warnings: ["n8n_test_url"],
};
const deliveries: Schemas["WebhookDelivery"][] = [
  {
    attempts: [{ answer: HOSTILE.markup, at, hint: "n8n_starting_up", ms: 84, outcome: "refused", status: 200 }], next_at: at, state: "waiting",
    event: { at, conversation_id: null, data: { contact_id: "con_sample" }, id: "evt_sample", seq: null, type: "call.decided" },
  },
];
const key: Schemas["ApiKeyOut"] = {
  created_at: at, created_by: "usr_sample", expires_at: at, id: "key_sample", last_network: "203.0.113.0/24", last_used_on: at.slice(0, 10), name: HOSTILE.markup, role: "admin",
  scopes: ["contacts:read"], secrets: [{ hint: "rbk_Xk2pQ9aL", valid_until: null }, { hint: "rbk_0Zr3sT5u", valid_until: at }], status: "expired",
};
const backfill: Schemas["OperationOut"] = {
  created_at: at, created_by: "usr_sample", finished_at: at, id: "op_sample", kind: "backfill_conversations", params: {}, progress: { done: 4312, errors: 0, total: null }, reason: null, result: {},
  started_at: at, state: "done", updated_at: at,
};
const tag: Schemas["Tag"] = { color: null, created_at: at, description: null, id: HOSTILE.markup, name: HOSTILE.markup, updated_at: at };
const stage: Schemas["Stage"] = { created_at: at, id: "stg_sample", kind: "open", name: HOSTILE.override, position: 10, updated_at: at };
const field: Schemas["Field"] = { created_at: at, id: "fld_sample", key: "loyalty_level", name: HOSTILE.markup, options: ["Silver", HOSTILE.override], searchable: true, type: "choice", updated_at: at };
const product: Schemas["Product"] = {
  availability: "preorder", created_at: at, fields: { weight: HOSTILE.markup }, id: "prd_sample", image: null, name: HOSTILE.markup, price: { amount: 12_050, currency: "AED" }, sku: "cake-1",
  updated_at: at, url: null, variants: [{ availability: "in_stock", options: { size: "L" }, price: { amount: 14_000, currency: "AED" } }],
};
const suppression: Schemas["SuppressionOut"] = {
  address: customer.number, id: "sup_sample",
  refusals: [{ actor: "usr_sample", at, category: null, channel: "sms", evidence: HOSTILE.markup, method: "api", party: "business", recorded_at: at, source: "x" }],
};

export const connection: Schemas["ConnectionOut"] = {
  account: { account_sid: "AC0" }, created_at: at, health: { reason: "Twilio refuses the credentials.", since: at, state: "unhealthy" }, id: "conn_sample",
  kind: "twilio", last_test: { at, message: "Twilio answered 401.", result: "failed" }, limits: { customers_per_day: null, messages_per_second: null },
  name: HOSTILE.override, numbers: [customer.number], paused_until: null, quality: null, marketing_terms: null, awaits_secret: false, last_report_at: null, rotating_since: null, verified_name: null,
};
const shop: Schemas["Line"] = {
  business_hours: { monday: [{ from: "09:00", to: "18:00" }] }, created_at: at, id: "line_sample", name: HOSTILE.override, number: customer.number,
  sms: { connection: "conn_sample", number: customer.number }, updated_at: at, whatsapp: null,
};
const webhooks: Schemas["WebhookAddress"][] = [
  { method: "POST", url: `https://ringback.example/webhooks/twilio/${"x".repeat(80)}/voice`, what: "A call comes in" },
];

const unknown_numbers: Schemas["UnknownNumber"][] = [
  { at, connection_id: connection.id, connection_name: HOSTILE.override, line_id: null, number: "+97145550198" },
  { at, connection_id: connection.id, connection_name: HOSTILE.long.slice(0, 100), line_id: "line_sample", number: "+97145550199" },
];

const automation: Schemas["AutomationOut"] = {
  archived_at: null, changed_by: "usr_sample", created_at: at, enabled: true, enroll: null, id: "rule_sample", lines: [{ id: line.id, name: HOSTILE.markup }], name: HOSTILE.override, priority: 10,
  problems: [{ field: "then.template.name", code: "not_found", detail: "x", facts: { id: "missed_call" } }], templates: [],
  then: {
    channels: ["whatsapp", "sms"], category: "utility", cooldown_seconds: 86_400, delay_seconds: 90, quiet_hours: { from: "21:00", to: "08:00" },
    sms_text: { en: `{{tenant.name}}: ${HOSTILE.markup}`, ar: HOSTILE.long.slice(0, 300) },
    template: { name: "missed_call", language: "en_GB", variables: { 1: { from: "contact.first_name", default: "there" } } },
  },
  updated_at: at, version: 7, when: { outcomes: ["missed", "busy", "voicemail"], hours: "closed", caller: "new", lines: [line.id], min_ring_seconds: 4 },
  warnings: [{ code: "value_unknown", field: "then.sms_text", facts: { source: "tenant.address" }, detail: "x" }],
};
export const template: Schemas["TemplateModel"] = {
  category: "utility", connection_id: "conn_sample", content: { category: "utility", body: "Hello {{1}}, sorry we missed your call to {{2}}.", buttons: [] }, content_sid: null,
  created_at: at, doubted_at: null, draft: null, editable_at: null, edition: 0, id: "tpl_sample", language: "en_GB", name: "missed_call", provider_id: null, quality: null,
  rejected_reason: null, sendable: true, status: "APPROVED", status_at: at, submitting: false, updated_at: at, variables: ["1", "2"],
};

const drafted: Schemas["TemplateModel"] = {
  ...template, doubted_at: at, draft: { category: "utility", body: HOSTILE.markup, buttons: [{ kind: "url", text: HOSTILE.markup, url: "https://example.com/{{1}}" }] }, editable_at: new Date(Date.now() + 80_000_000).toISOString(),
  rejected_reason: HOSTILE.markup, status: "REJECTED", sendable: false,
};
const shown: Schemas["ShownTemplate"] = {
  body: HOSTILE.markup, buttons: [{ kind: "url", text: HOSTILE.override, value: `https://example.com/${"x".repeat(80)}` }], direction: "ltr", footer: HOSTILE.override, header: null, header_media: "image", text_by_whatsapp: false,
};
const lint: Schemas["TemplateLintOut"] = {
  problems: [{ code: "invalid", detail: "A variable cannot stand at the beginning or the end.", facts: {}, field: "content.body" }, { code: "required", detail: "x", facts: {}, field: "content.samples.1" }],
  shown, warnings: [{ code: "looks_like_marketing", detail: "x", facts: { word: HOSTILE.markup }, field: "content.body" }],
};
const library: Schemas["LibraryTemplate"] = { category: "utility", languages: [{ content: template.content, language: "ar", shown: { ...shown, direction: "rtl" } }], name: "missed_call_followup", topic: "missed_call" };
const asset: Schemas["Asset"] = {
  bytes: 61_901, content_type: "application/pdf", created_at: at, download: null, id: "ast_sample", kind: "document", name: HOSTILE.override, reason: "wrong_type", sha256: null, state: "refused", updated_at: at, upload: null,
};

const cap: Schemas["Cap"] = {
  cap: "day.tenant.follow_up", counted: 812, country: null, currency: null, line_id: null, maximum: 1000, of_plan: false, period: "day", purpose: "follow_up", resets_at: at, scope: "tenant",
};
export const caps: Schemas["Cap"][] = [
  cap, { ...cap, cap: "month.tenant.any.USD", currency: "USD", purpose: null, period: "month", counted: 1234, maximum: 2500 },
  { ...cap, cap: "hour.line_sample.any", line_id: "line_sample", scope: "line", purpose: null, period: "hour", counted: 0, maximum: 0 },
  { ...cap, of_plan: true, maximum: 1_000_000, counted: 99_000 },
];

const done: Schemas["OperationOut"] = { ...backfill, id: "op_check", kind: "preflight_campaign", progress: { done: 1200, errors: 57, total: 1200 } };
export const task: Schemas["OperationOut"] = {
  ...done, id: "op_task", kind: "export_data", state: "failed", progress: { done: 120, errors: 3, total: 4312 }, reason: HOSTILE.markup, result: { deleted: { calls: 2, name: HOSTILE.override } },
};
const changed: Schemas["AuditEntryOut"] = {
  action: "changed", actor: "key_sample", at, correlation_id: "sample", id: "aud_sample", kind: "member", object: "usr_sample",
  changes: [{ field: "name", before: HOSTILE.markup, after: HOSTILE.long.slice(0, 300), hidden: false }, { field: "password", before: null, after: null, hidden: true }],
};
const read: Schemas["AuditEntryOut"] = { ...changed, action: "read", actor: "platform:usr_sample", id: "aud_read", kind: HOSTILE.override, changes: [] };
export const campaign: Schemas["CampaignOut"] = {
  audience: { segment: "seg_sample", excluded_segments: [], excluded_tags: [] }, began_at: null, created_at: at, ended_at: null, hold_percent: 20, id: "cmp_sample", limited_until: null,
  message: { channels: ["whatsapp", "sms"], category: "marketing", sms_text: { en: HOSTILE.markup, ar: HOSTILE.long.slice(0, 300) }, template: { name: "missed_call", language: "en_GB", variables: {} } },
  name: HOSTILE.override, operation_id: null, per_minute: 600, problems: [], recipients: null, send_window: { from: "10:00", to: "20:00" }, started_at: null, starts_at: null,
  starts_at_local: null, state: "draft", stopped: null, type: "broadcast", updated_at: at, variants: [{ name: HOSTILE.markup, percent: 50, sms_text: HOSTILE.markup }], winner: null,
  warnings: [{ code: "value_unknown", field: "message.sms_text", facts: { source: "tenant.address" }, detail: "x" }],
};
const running: Schemas["CampaignOut"] = {
  ...campaign, id: "cmp_other", name: HOSTILE.long.slice(0, 100), began_at: at, started_at: at, operation_id: "op_check", recipients: 1200, state: "paused",
  stopped: { code: "cap_reached", facts: { cap: "day.tenant.any" }, detail: HOSTILE.markup },
};
export const preflight: Schemas["CampaignPreflight"] = {
  campaign_id: campaign.id, file: { expires_at: at, url: `${at}.csv` }, id: "op_check", operation: { ...done, finished_at: new Date().toISOString() }, outdated: false,
  result: {
    caps: [{ cap: "day.tenant.any", maximum: 1000, counted: 12, needed: 1143 }], channel_problems: { sms: { landline: 5 } }, channels: { sms: 1143 }, chosen: 1200, deferred: 3, last_at: at, messages: 1143,
    costs: [
      { country: "AE", channel: "sms", category: "sms", units: 1000, currency: "USD", amount: "34.5015" },
      { country: null, channel: "whatsapp", category: "marketing", units: 143, currency: null, amount: null },
    ],
    country_rules: [{ country: "US", rule: "registration", refused: true, contacts: 143, detail: "x" }], daily_shares: [{ connection_id: "conn_sample", customers: 1143, customers_per_day: 1000 }],
    held_back: { no_consent: 52, no_channel: 5 }, outdated_prices: [{ service: "twilio_sms", checked_on: at.slice(0, 10) }], samples: ["con_sample"],
    stopped: { code: "template_not_approved", facts: { template: "missed_call", language: "en_GB", status: "PAUSED" }, detail: HOSTILE.markup },
  },
  samples: [{
    channels: [{ channel: "sms", checks: [], code: null, connection_id: null, content: null, country_rules: [], facts: {}, letters: null, passed: true, reason: null, sender: null, template: null, text: HOSTILE.markup, waits_until: null }],
    checks: [], code: "planned", contact: contactName, customer, decision: "x", facts: {}, line_id: null, send_at: at, valid_until: at, variant: 1,
  }],
};
const drip: Schemas["CampaignOut"] = {
  ...campaign, id: "cmp_drip", type: "drip", name: HOSTILE.long.slice(0, 100), steps_version: 2, variants: [], hold_percent: null, exits: { on_reply: true }, reentry: true, triggers: { new_contact: true, tags: [] }, warnings: [],
  problems: [{ field: "steps[2].does.tag", code: "not_found", detail: "x", facts: {} }],
};
const steps: Schemas["DripStepsVersion"] = {
  campaign_id: drip.id, version: 2, warnings: [{ code: "value_unknown", field: "steps[0].does.message.sms_text", facts: { source: "tenant.address" }, detail: "x" }], written_at: at, written_by: "usr_sample",
  steps: [
    { name: HOSTILE.markup, does: { type: "message", message: campaign.message } }, { name: HOSTILE.override, does: { type: "wait", wait: { until: "weekday", day: "friday", at: "10:00" } } },
    { name: HOSTILE.long.slice(0, 60), does: { type: "branch", when: { type: "tag", tag: tag.id }, then: "end" } }, { name: "end", does: { type: "exit" } },
  ],
};
const enrolment: Schemas["Enrollment"] = {
  campaign_id: drip.id, code: null, contact_id: "con_sample", current_step: HOSTILE.markup, detail: null, entered_at: at, exited_at: null, facts: {}, last_message_id: "msg_sample", last_step_at: at, messages_sent: 1,
  next_step_scheduled_at: `${at.slice(0, 13)}:59:59.500Z`, status: "active", steps_version: 1,
  history: [{ step: HOSTILE.markup, at, message_id: "msg_sample" }, { step: HOSTILE.override, at, fulfilled: true }, { step: "offer", at, skipped: HOSTILE.markup }],
};
const recipient: Schemas["RecipientOut"] = { clicked: false, code: "no_consent", contact_id: "con_sample", detail: "no opt-in", message_id: null, opted_out: false, replied: false, state: "left_out", variant: 0 };
const segment: Schemas["Segment"] = { created_at: at, description: HOSTILE.override, filter: { tag: HOSTILE.markup, source: HOSTILE.markup }, id: "seg_sample", name: HOSTILE.markup, updated_at: at };
const checkedRows = { rows: 1000, created: 900, updated: 50, skipped: 7, refused: 40, erased: 3, remarked: 12, opted_in: 4, opted_out: 2, said_no: 1, dry_run: true, left_out: true };
const imported: Schemas["Import"] = {
  created_at: at, created_by: "usr_sample", errors_file: { expires_at: at, url: `${at}.csv` }, id: "imp_sample", name: HOSTILE.markup, size: 48_213, upload: null,
  operation: { ...backfill, kind: "import_contacts", result: checkedRows },
};
const preview: Schemas["ImportPreview"] = {
  consents_left_out: [HOSTILE.override], mapping: { columns: [{ column: 0, target: "name" }, { column: 1, target: "phone" }] }, new_tags: [HOSTILE.override], numbers_left_out: [HOSTILE.markup], problems: [], region: "AE",
  rows: [
    { becomes: "refused", cells: [HOSTILE.markup, "9.71501E+11"], contact: null, errors: [{ code: "shortened", column: HOSTILE.markup, detail: "x", facts: {} }], row: 2, values: null },
    { becomes: "created", cells: [HOSTILE.long.slice(0, 100), "12"], contact: null, errors: [], row: 3, values: { name: HOSTILE.markup, remarks: [{ code: "format", column: "Mobile", detail: "x", facts: { expected: "phone", example: "+971501234567" }, row: 3 }] } },
  ],
  table: { columns: [HOSTILE.markup, HOSTILE.override], encoding: "UTF-8", format: "csv", header: true, separator: "comma" },
};
const exported: Schemas["Export"] = { campaign_id: null, file: null, format: "csv", from: at, id: "op_sample", operation: { ...backfill, kind: "export_data" }, to: at, what: "calls" };

const business: Schemas["PlatformTenantOut"] = {
  created_at: at, id: "tnt_sample", leaves_at: at, limits: { messages_per_day: 1_000_000_000 }, name: HOSTILE.long.slice(0, 100), plan: HOSTILE.markup.slice(0, 50), slug: "a-name-in-addresses-as-long-as-they-may-be", status: "leaving",
};
const businesses: Schemas["PlatformTenantOut"][] = [business, { ...business, id: "tnt_other", leaves_at: null, name: HOSTILE.markup, status: "active" }, { ...business, id: "tnt_third", name: HOSTILE.override, plan: null, slug: null, status: "suspended" }];
const days: Schemas["DayUsageOut"][] = Array.from({ length: 14 }, (_, back) => ({ day: new Date(Date.now() - back * 86_400_000).toISOString().slice(0, 10), counts: { calls: 104_312, accepted_whatsapp: 98_765, received_sms: 3 } })).toReversed();
const priceBook: Schemas["PlatformPricesOut"] = {
  replaced: true,
  prices: {
    version: HOSTILE.override,
    lists: (["whatsapp", "twilio_sms"] as const).map((service) => ({
      service, from: "2026-10-01", checked_on: null, certainty: "third_party", source: HOSTILE.markup, markets: [{ name: HOSTILE.override, countries: ["AE"], currency: "USD", prices: { every: "0.0604" } }],
    })),
  },
};
const act: Schemas["PlatformActOut"] = { action: "tenant_suspended", actor: `platform:usr_${"0".repeat(26)}`, at, correlation_id: "sample", detail: { reason: HOSTILE.long.slice(0, 200) }, tenant: `tnt_${"0".repeat(26)}` };
const acts: Schemas["PlatformActOut"][] = [act, { ...act, action: "tenant_changed", detail: { before: { plan: HOSTILE.markup }, after: { plan: null } } }, { ...act, action: HOSTILE.markup, actor: "operator", detail: {}, tenant: null }];

const order: Schemas["OrderEntry"] = {
  contact: contactName, contents: {
    currency: "AED", items: [{ name: HOSTILE.markup, price: 12_050, quantity: 2, sku: "cake-1", variant: HOSTILE.override }, { name: HOSTILE.long.slice(0, 200), quantity: 1 }], more_items: 3, placed_at: at,
    totals: { total: 25_305, items: 24_100, discount: 0, shipping: 1205, tax: 1205 },
  },
  contents_at: at, created_at: at, created_by: "usr_sample", fulfilment: "unfulfilled", id: "ord_sample", number: "1042", payment: "paid", products: { "cake-1": "prd_sample" },
  news: [
    { at, event: "order.created", message: "msg_sample", state: "told" }, { at, event: "order.packed", state: "untold", reason: "refused", refusal: "opted_out" },
    { at, event: "order.shipped", state: "untold", reason: "disabled" }, { at, event: "order.delivered", state: "waiting" },
  ],
  shipments: [{ reference: "1042.1", state: "in_transit", carrier: HOSTILE.override, tracking_number: "31042790521", tracking_url: "https://track.example.com/31042790521" }], updated_at: at,
};

const told: Schemas["EventMessage"] = {
  created_at: at, delay_seconds: 300, enabled: true, event: "order.shipped", id: "evm_sample", updated_at: at,
  message: { channels: ["whatsapp", "sms"], category: "utility", sms_text: { en: HOSTILE.markup, ar: HOSTILE.long.slice(0, 300) }, template: { name: "missed_call", language: "en_GB", variables: { 1: { from: "order.number" } } } },
};

/** Gives a visitor the samples wherever the stack would have to have calls. */
export async function giveSamples(visitor: Visitor): Promise<void> {
  const answers = {
    list_calls: { items: [callEntry, silent], next_cursor: "next" }, get_call: call,
    list_messages: { items: [sent, received], next_cursor: null }, get_message: message,
    list_contacts: { items: [contact], next_cursor: null }, get_contact: contact, get_timeline: { items: timeline, next_cursor: null },
    get_consent: { entries: [ledger], next_cursor: null, wishes: proof.wishes }, get_consent_proof: proof,
    get_duplicates: { items: [{ contact: { ...contact, id: "con_twice" }, reasons: ["phone", "name_and_digits"] }] },
    list_conversations: { items: [conversation, ...others], next_cursor: "next" }, get_conversation: { ...conversation, profile: contact, draft: { text: HOSTILE.markup } },
    get_conversation_offers: offers, set_conversation_draft: { text: HOSTILE.markup },
    get_conversation_timeline: { items: said, next_cursor: "next" }, mark_conversation_read: { ...conversation, read_seq: 7, unread: 0 },
    // Its path is like that of a conversation.
    get_conversation_counts: { open: 100, unassigned_waiting: 12, mine_waiting: 0 },
    list_teams: { items: [team], next_cursor: null }, get_team: team,
    list_canned_replies: { items: [canned], next_cursor: null }, get_canned_reply: canned,
    list_webhook_endpoints: { items: [hook], next_cursor: null }, get_webhook_endpoint: hook, list_webhook_deliveries: { items: deliveries, next_cursor: null },
    list_tags: { items: [tag], next_cursor: null }, get_tag: tag, list_stages: { items: [stage], next_cursor: null }, get_stage: stage,
    list_fields: { items: [field], next_cursor: null }, get_field: field, list_products: { items: [product], next_cursor: null }, get_product: product,
    list_event_messages: { items: [{ ...told, event: "order.created", id: "evm_other", message: null }, told], next_cursor: null }, get_event_message: told,
    list_orders: { items: [order], next_cursor: "next" }, get_order: order,
    list_suppressions: { items: [suppression], next_cursor: null },
    list_api_keys: { items: [key], next_cursor: null }, get_api_key: key, list_operations: { items: [backfill, task], next_cursor: null }, list_audit: { items: [changed, read], next_cursor: "next" },
    list_automations: { items: [automation, { ...automation, id: "rule_other", name: HOSTILE.long.slice(0, 100), enabled: false }], next_cursor: null }, get_automation: automation,
    list_campaigns: { items: [campaign, running], next_cursor: null }, get_campaign: campaign, preflight_campaign: done, get_campaign_preflight: preflight,
    get_campaign_steps: steps, list_campaign_enrollments: { items: [enrolment], next_cursor: null }, list_campaign_recipients: { items: [recipient], next_cursor: null }, list_segments: { items: [segment], next_cursor: null }, get_segment: segment,
    list_imports: { items: [imported], next_cursor: null }, get_import: imported, preview_import: preview, list_exports: { items: [exported], next_cursor: null },
    list_caps: { items: caps, next_cursor: null },
    list_templates: { items: [template, { ...drafted, id: "tpl_other" }], next_cursor: null }, get_template: drafted, lint_template: lint,
    get_template_uses: { automations: [{ by_contact_language: false, enabled: true, id: "rule_sample", name: HOSTILE.markup }] },
    list_assets: { items: [asset], next_cursor: null }, get_asset: asset,
    // Its path is like that of a template.
    list_library_templates: { items: [library], next_cursor: null },
    list_connections: { items: [connection], next_cursor: null }, get_connection: connection, list_connection_webhooks: { webhooks, refused: [{ at, reason: "other_secret" }] },
    list_lines: { items: [shop], next_cursor: null }, get_line: shop,
    list_platform_tenants: { items: businesses, next_cursor: "next" }, get_platform_tenant: business, get_platform_tenant_usage: { days }, get_platform_prices: priceBook, list_platform_log: { items: acts, next_cursor: null },
  } as const;
  for (const [operation, json] of Object.entries(answers)) {
    await visitor.intercept(operation as keyof typeof answers, (route) => route.fulfill({ json }));
  }
  await visitor.intercept("get_campaign", (route) => (route.request().url().endsWith(drip.id) ? route.fulfill({ json: drip }) : route.fallback()));
  await visitor.intercept("get_tenant_setup", async (route) => {
    const answer = await route.fetch({ maxRetries: 2 });
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as Schemas["SetupOut"]), unknown_numbers } });
  });
}
