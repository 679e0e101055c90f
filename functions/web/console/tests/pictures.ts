/** What the pictures of the guide show: a day of a bakery. */
import type { components } from "../app/api/contract.d.ts";
import type { Operation } from "../app/api/permissions.ts";
import { campaign, contact, conversation, offers, preflight, received, sent } from "./samples.ts";
import { logInOf, type Look, type Visitor } from "./support.ts";

type Schemas = components["schemas"];

const HOUR = 3_600_000;
const ago = (hours: number) => new Date(Date.now() - hours * HOUR).toISOString();
const line = { id: "line_shop", name: "Shop" };
const marina = { id: "line_marina", name: "Marina" };
const rule = "Missed calls";

function customer(number: string): Schemas["PhoneOut"] {
  return { formatted: number, number: number.replaceAll(" ", "") };
}

const base: Schemas["CallEntry"] = {
  at: ago(0.2), code: "follow_up", contact: { id: "con_1", name: "Layla Haddad" }, customer: customer("+971 50 555 3913"), decided_at: ago(0.2), decision: "", direction: "inbound",
  facts: { rule, outcome: "missed", called_number: "+97145550100", channel: "whatsapp", next_channel: "sms", fallback_after_seconds: 120 },
  id: "call_1", line, message: { channel: "whatsapp", code: null, decision: null, facts: {}, id: "msg_1", state: "read" },
  message_id: "msg_1", outcome: "missed", recordings: [], remarks: [], started_at: ago(0.2), talk_seconds: null, voicemail_seconds: null,
};
const silent = { message: null, message_id: null };
const calls: Schemas["CallEntry"][] = [
  base,
  { ...base, id: "call_2", at: ago(0.6), contact: { id: "con_2", name: null }, customer: customer("+971 4 332 1180"), outcome: "busy", code: "no_channel", facts: { whatsapp_problem: "not_reached", sms_problem: "landline" }, ...silent },
  { ...base, id: "call_3", at: ago(0.9), contact: { id: "con_3", name: "عمر الفارسي" }, customer: customer("+971 55 200 1177"), line: marina, outcome: "voicemail", voicemail_seconds: 9, code: "cooldown", facts: { last_at: ago(3), cooldown_seconds: 86_400 }, ...silent },
  { ...base, id: "call_4", at: ago(1.4), contact: { id: "con_4", name: "Sara Khan" }, customer: customer("+91 98765 43210"), outcome: "answered", talk_seconds: 74, code: "no_rule", facts: {}, ...silent },
  { ...base, id: "call_5", at: ago(2.1), contact: { id: "con_5", name: "نور الحسن" }, customer: customer("+971 50 217 4408"), line: marina, outcome: "after_hours", facts: { ...base.facts, outcome: "after_hours", channel: "sms", next_channel: "none" }, message: { channel: "sms", code: null, decision: null, facts: {}, id: "msg_5", state: "delivered" } },
  { ...base, id: "call_6", at: ago(2.6), contact: { id: "con_6", name: null }, customer: customer("+971 52 661 0925"), facts: { ...base.facts, outcome: "abandoned" }, outcome: "abandoned", message: { channel: "whatsapp", code: null, decision: null, facts: {}, id: "msg_6", state: "sent" } },
];
const call: Schemas["CallDetails"] = {
  ...base, connection_id: "conn_1", correlation_id: "picture", provider: "twilio", provider_call_id: "CA0",
  grounds: {
    config_version: 1, cooldown_seconds: 86_400, last_answered_at: null, last_by_phone_at: null, last_follow_up_at: ago(220), last_inbound_at: null, line_id: null,
    marketing_opted_out: false, new_caller: false, open: true, opted_in: false, opted_out: false, rule_id: null, rule_version: null,
  },
  reported: { answered_at: null, call_seconds: 18, caller_name: null, closed: null, dial: null, ended_at: null, from: null, handling: null, ring_seconds: 18, stated: null, status: null, to: null },
};

const automation: Schemas["AutomationOut"] = {
  archived_at: null, changed_by: null, created_at: ago(900), enabled: true, enroll: null, id: "rule_1", lines: [], name: rule, priority: 10, problems: [], templates: [],
  then: {
    channels: ["whatsapp", "sms"], category: "utility", cooldown_seconds: 86_400, delay_seconds: 0,
    sms_text: { en: "Sorry we missed you, {{contact.first_name|there}}. {{tenant.name}}, {{tenant.phone}}", ar: "نعتذر عن عدم الرد. {{tenant.name}}، {{tenant.phone}}" },
    template: { name: "missed_call", language: "en_GB", by_contact_language: true, variables: { 1: { from: "contact.first_name", default: "there" }, 2: { from: "tenant.name" } } },
  },
  updated_at: ago(90), version: 7, when: { outcomes: ["missed", "busy", "abandoned", "voicemail"], hours: "any", caller: "any" }, warnings: [],
};
const closed: Schemas["AutomationOut"] = {
  ...automation, id: "rule_2", name: "Evenings", when: { outcomes: ["missed", "after_hours"], hours: "closed" }, then: { ...automation.then, channels: ["sms"], delay_seconds: 60 },
  warnings: [{ code: "value_unknown", field: "then.sms_text", facts: { source: "tenant.address" }, detail: "" }],
};
const template: Schemas["TemplateModel"] = {
  category: "utility", connection_id: "conn_1", content: { category: "utility", body: "Hello {{1}}, sorry we missed your call to {{2}}. How can we help?", buttons: [] }, content_sid: null,
  created_at: null, doubted_at: null, draft: null, editable_at: null, edition: 0, id: "tpl_1", language: "en_GB", name: "missed_call", provider_id: null, quality: null,
  rejected_reason: null, sendable: true, status: "APPROVED", status_at: null, submitting: false, updated_at: null, variables: ["1", "2"],
};

function dryRun(language: string): Schemas["DryRun"] {
  const text = language === "ar" ? "مرحبًا ليلى، نعتذر عن عدم الرد على مكالمتك إلى Saffron Bakery. كيف نساعدك؟" : "Hello Layla, sorry we missed your call to Saffron Bakery. How can we help?";
  const tried = { draft: false, decides: false, passed: true, reason: null, code: null, facts: {} };
  const channel = { connection_id: null, content: null, facts: {}, code: null, passed: true, reason: null, sender: null, letters: null, template: null, waits_until: null, checks: [], country_rules: [] };
  const checks = (["account", "destination", "consent", "need", "cooldown", "frequency", "room", "quiet_hours", "validity"] as const).map((check) => ({ check, passed: true, code: null, facts: {}, reason: null }));
  return {
    sent: true, code: "follow_up", facts: base.facts, decided_at: ago(0), decision: "", contact: base.contact, customer: base.customer, draft: { problems: [], warnings: [] },
    automations: [
      { ...tried, id: "rule_1", name: rule, priority: 10, draft: true, decides: true },
      { ...tried, id: "rule_2", name: "Evenings", priority: 20, passed: false, code: "other_hours" },
    ],
    message: { line_id: null, send_at: ago(0), valid_until: ago(-72), checks, channels: [{ ...channel, channel: "whatsapp", text }] },
  };
}

const now = new Date();
const ENDS = {
  hour: new Date(Math.ceil(now.getTime() / HOUR) * HOUR).toISOString(),
  day: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate() + 1)).toISOString(),
  month: new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1)).toISOString(),
};
const caps: Schemas["Cap"][] = ([
  ["day.tenant.follow_up", "day", "follow_up", 61, 1000, null], ["hour.tenant.follow_up", "hour", "follow_up", 9, 200, null],
  ["month.tenant.any.USD", "month", null, 1842, 2500, "USD"], ["day.abroad.any", "day", null, 12, 50, null],
] as const).map(([name, period, purpose, counted, maximum, currency]) => ({
  cap: name, counted, country: null, currency, line_id: null, maximum, of_plan: false, period, purpose, resets_at: ENDS[period], scope: name.includes("abroad") ? "abroad" : "tenant",
}));

/** Figures that grow and fall like those of a week with a quiet Friday. */
function overview(real: Schemas["OverviewOut"]): Schemas["OverviewOut"] {
  const unanswered = [14, 19, 23, 9, 6, 17, 21, 15, 18, 26, 11, 7, 20, 22];
  const figures = (count: number): Schemas["FiguresOut"] => ({
    ...real.today, recovered: Math.round(count * 0.45), calls: { ...real.today.calls, all: count * 3, unanswered: count, followed_up: Math.round(count * 0.9) },
    follow_ups: { ...real.today.follow_ups, planned: Math.round(count * 0.9), delivered: Math.round(count * 0.85), replied: Math.round(count * 0.4) },
  });
  const currencies = [{ currency: "USD", amount: "0.84", reported: "0.61", estimated: "0.23", channels: [] }];
  return {
    ...real, today: figures(22), week_ago: figures(17), cost_today: { free: 0, unknown: 0, currencies }, outdated_prices: [],
    days: real.days.map(({ day }, place) => ({ day, figures: figures(unanswered[place] ?? 12) })),
  };
}

const layla = { id: "con_1", name: "Layla Haddad" };
const order: Schemas["Conversation"] = {
  ...conversation, active_at: ago(0.1), answered_elsewhere: null, contact: layla, id: "conv_1", last: null, line, priority: "normal", replied_at: ago(0.15), tags: [], team_id: null, unread: 1, waiting_since: ago(0.1),
};
function said(id: string, hours: number, text: string, own?: Partial<Schemas["MessageEntry"]>): Schemas["TimelineEntryOut"] {
  const message = { ...(own ? sent : received), id, at: ago(hours), channel: "whatsapp", code: null, contact: layla, customer: customer("+971 50 555 3913"), decision: null, facts: {}, line, text, ...own } as const;
  return { at: ago(hours), kind: "message", message: { ...message, legs: own ? [{ ...sent.legs[0]!, channel: "whatsapp", state: "read", text, read_at: ago(hours), delivered_at: ago(hours) }] : [] } };
}
const thread: Schemas["TimelineEntryOut"][] = [
  said("msg_5", 0.1, "Yes please, at five. Can it say “Noor, 7”?"),
  said("msg_4", 0.15, "One is left for today. Shall we keep it for you?", { state: "read", purpose: "reply" }),
  said("msg_3", 0.17, "Do you have a chocolate cake for ten people today?"),
  said("msg_1", 0.19, "Hello Layla, sorry we missed your call to Saffron Bakery. How can we help?", { state: "read" }),
  { at: ago(0.2), kind: "call", call: base },
];
const others: Schemas["Conversation"][] = [
  { ...order, contact: { id: "con_5", name: "نور الحسن" }, id: "conv_2", last: said("msg_6", 0.4, "متى تفتحون غدًا؟"), unread: 2 },
  { ...order, contact: { id: "con_4", name: "Sara Khan" }, id: "conv_3", last: said("msg_7", 1.3, "Thank you, see you on Friday!"), unread: 0, waiting_since: null },
];
const broadcast: Schemas["CampaignOut"] = {
  ...campaign, id: "cmp_1", name: "Ramadan boxes", audience: { tag: "tag_1" }, variants: [], warnings: [], hold_percent: null,
  message: { channels: ["whatsapp", "sms"], category: "marketing", template: { name: "ramadan_boxes", language: "en_GB", variables: {} } },
};
const check: Schemas["CampaignPreflight"] = {
  ...preflight, campaign_id: broadcast.id, samples: [],
  result: {
    ...preflight.result!, caps: [], channel_problems: { sms: { landline: 38 } }, channels: { whatsapp: 3906, sms: 406 }, chosen: 4630, costs: [
      { country: "AE", channel: "whatsapp", category: "marketing", units: 3906, currency: "USD", amount: "224.99" }, { country: "AE", channel: "sms", category: "sms", units: 406, currency: "USD", amount: "40.60" },
    ], country_rules: [], daily_shares: [], deferred: 0, held_back: { no_consent: 212, opted_out: 68, no_channel: 38 }, last_at: ago(-0.3), messages: 4312, outdated_prices: [], samples: [], stopped: null,
  },
};

/** Gives a visitor the day of the bakery. */
export async function giveDay(visitor: Visitor, { language, theme }: Look): Promise<void> {
  const gap = { code: "rule_obstacle", facts: { rule: "Evenings", sms_problem: "value_unknown" }, detail: "" };
  const answers: { [operation in Operation]?: object } = {
    list_calls: { items: calls, next_cursor: "next" }, get_call: call, list_lines: { items: [line, marina], next_cursor: null },
    list_automations: { items: [automation, closed], next_cursor: null }, get_automation: automation, list_templates: { items: [template], next_cursor: null },
    dry_run_automations: dryRun(language), list_caps: { items: caps, next_cursor: null },
    list_conversations: { items: [{ ...order, last: thread[0] ?? null }, ...others], next_cursor: null }, get_conversation_timeline: { items: thread, next_cursor: null }, get_conversation_offers: { ...offers, line, templates: [] },
    get_conversation: { ...order, last: thread[0] ?? null, profile: { ...contact, id: "con_1", name: layla.name, opted_out: null, source: null, tags: [] }, draft: null }, mark_conversation_read: order,
    get_conversation_counts: { open: 14, unassigned_waiting: 3, mine_waiting: 2 }, list_tags: { items: [], next_cursor: null }, list_teams: { items: [], next_cursor: null }, list_canned_replies: { items: [], next_cursor: null },
    get_campaign: broadcast, preflight_campaign: check.operation, get_campaign_preflight: check,
    get_tenant_setup: { ready: true, steps: [{ id: "rule", title: "", state: "attention", optional: false, missing: [], gaps: [gap], operation: { method: "GET", path: "" } }], unknown_numbers: [] },
  };
  for (const [operation, json] of Object.entries(answers)) await visitor.intercept(operation as Operation, (route) => route.fulfill({ json }));
  const changes: { [operation in Operation]?: (json: never) => object } = {
    get_overview: overview,
    refresh_session: (session: Schemas["LoggedInOut"]) => ({ ...session, tenants: session.tenants.map((place) => ({ ...place, name: "Saffron Bakery" })) }),
    get_me: (me: Schemas["MeOut"]) => ({ ...me, name: "Maya", preferences: { language, theme } }),
    get_tenant: (tenant: Schemas["TenantOut"]) => ({ ...tenant, name: "Saffron Bakery", variables: { phone: "+971 4 555 0100" } }),
  };
  for (const [operation, change] of Object.entries(changes)) {
    await visitor.intercept(operation as Operation, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: change((await answer.json()) as never) });
    });
  }
}

/** The pages of which there are pictures. */
export const PICTURES = { home: "", calls: "calls", call: "calls/call_1", conversation: "inbox/conv_1", check: "campaigns/cmp_1/check", automations: "automations", automation: "automations/rule_1", caps: "settings/caps" } as const;

export function pageOf(name: keyof typeof PICTURES): string {
  return `/app/${logInOf("admin").tenant}/${PICTURES[name]}`.replace(/\/$/, "");
}
