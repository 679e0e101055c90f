/** Messages by hand: the words of templates that were sent, when their state is asked for again, why they wait, what a preview means, and the ground of a conversation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askedAt } from "../app/screens/messages/asked.ts";
import { fateOf } from "../app/screens/messages/outlook.ts";
import { nextLook, wordsOf } from "../app/screens/messages/sent.ts";
import { waitOf, waitsForEnd } from "../app/screens/messages/waits.ts";

const NOW = Date.parse("2026-11-30T12:00:00Z");
const ago = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();
const DAY = 1440;

test("sent_template_reads_as_the_customer_read_it", () => {
  const template = { name: "hello", language: "en", variables: ["1", "name"], updated_at: ago(60), content: { header: { text: "From {{1}}" }, body: "Hi {{1}}, {{ name }} {{3}}", footer: "Reply STOP" } };
  const filled = { name: "hello", language: "en", header: "Saffron", values: ["$& Layla", "we called"] };
  const read = "From Saffron\n\nHi $& Layla, we called {{3}}\n\nReply STOP";
  assert.equal(wordsOf(filled, ago(5), [template, { ...template, language: "ar" }]), read);
  assert.equal(wordsOf(filled, ago(5), [template, { ...template }]), read);
  for (const others of [[], [{ ...template, updated_at: ago(1) }], [template, { ...template, content: { body: "Another" } }], [{ ...template, variables: ["1", "2", "3"] }], [{ ...template, content: {} }]]) {
    assert.equal(wordsOf(filled, ago(5), others), null);
  }
});

test("messages_are_asked_for_until_their_state_is_final", () => {
  assert.equal(nextLook([{ state: "delivered", at: ago(1) }, { state: null, at: ago(1) }], NOW), false);
  assert.equal(nextLook([{ state: "read", at: ago(1) }, { state: "sent", at: ago(0.1) }], NOW), 3_000);
  assert.equal(nextLook([{ state: "accepted", at: ago(10) }], NOW), 30_000);
  assert.equal(nextLook([{ state: "scheduled", at: ago(30), send_at: ago(-600) }], NOW), 60_000);
  assert.equal(nextLook([{ state: "unknown", at: ago(2 * DAY) }], NOW), false);
});

test("conversation_of_the_last_days_is_a_ground", () => {
  const silent = { waiting_since: null, window_closes_at: null, last: null };
  assert.equal(askedAt([], NOW), null);
  assert.equal(askedAt([silent, { ...silent, waiting_since: ago(90) }, { ...silent, waiting_since: ago(200) }], NOW), ago(90));
  assert.equal(askedAt([{ ...silent, window_closes_at: ago(30 - DAY) }], NOW), ago(30));
  assert.equal(askedAt([{ ...silent, last: { at: ago(5), call: { direction: "inbound" } } }], NOW), ago(5));
  assert.equal(askedAt([{ ...silent, last: { at: ago(5), message: { direction: "outbound" } } }], NOW), null);
  assert.equal(askedAt([{ ...silent, waiting_since: ago(3 * DAY) }], NOW), null);
});

const scheduled = { state: "scheduled", at: ago(60), send_at: ago(-120), valid_until: ago(-600), channel: "whatsapp", attempts: [], remarks: [] };
const refused = { state: "refused", began_at: ago(5), code: "provider_refused", facts: { provider_code: 20_003 }, reason: "Authenticate" } as const;

test("message_that_is_not_sent_yet_says_why", () => {
  const wait = (changed: object, quiet: object | null = null) => {
    const found = waitOf({ ...scheduled, ...changed } as unknown as Parameters<typeof waitOf>[0], quiet, NOW);
    return found && [found.kind, found.at, found.reason?.code ?? null];
  };
  const remark = (code: string, minutes: number) => ({ remarks: [{ at: ago(minutes), code, facts: {}, text: "x" }] });
  assert.deepEqual(wait({}), ["later", ago(-120), null]);
  assert.deepEqual(wait({}, {}), ["later", ago(-120), "quiet_hours"]);
  assert.deepEqual(wait(remark("quiet_hours", 3)), ["later", ago(-120), "quiet_hours"]);
  assert.deepEqual(wait({ attempts: [refused] }), ["again", ago(-600), "provider_refused"]);
  assert.deepEqual(wait({ attempts: [refused], ...remark("connection_broken", 3) }), ["again", ago(-600), "connection_broken"]);
  assert.deepEqual(wait({ attempts: [refused], ...remark("connection_broken", 9) }), ["again", ago(-600), "provider_refused"]);
  assert.deepEqual(wait(remark("asked", 3)), ["later", ago(-120), null]);
  assert.equal(wait({ send_at: ago(1) }), null);
  for (const state of ["sending", "delivered", "failed"]) assert.equal(wait({ state, attempts: [refused] }, {}), null);
});

test("quiet_hours_of_the_business_hold_back_what_was_made_in_them", () => {
  const night = { from: "21:00", to: "08:00", action: "defer" } as const;
  const made = (at: string, send_at: string, changed = {}) => waitsForEnd({ at, send_at }, { ...night, ...changed }, "Asia/Dubai");
  assert.ok(made("2026-11-30T18:00:00Z", "2026-12-01T04:00:00Z"));
  assert.ok(made("2026-11-30T02:00:00Z", "2026-11-30T04:00:00Z"));
  assert.ok(made("2026-11-30T06:30:00Z", "2026-11-30T08:00:00Z", { from: "10:00", to: "12:00" }));
  assert.ok(!made("2026-11-30T12:00:00Z", "2026-12-01T04:00:00Z"), "made by day for that time");
  assert.ok(!made("2026-11-30T18:00:00Z", "2026-12-01T04:30:00Z"), "for a later time");
  assert.ok(!made("2026-11-30T18:00:00Z", "2026-12-01T04:00:00Z", { action: "send" }));
});

test("preview_says_what_would_really_happen", () => {
  const facts = { channel: "whatsapp", next_channel: "sms", fallback_after_seconds: 120 };
  const decided = { sent: true, code: "planned", facts, decision: "x" };
  const leg = (channel: string, changed = {}) => ({ channel, connection_id: "conn", passed: true, code: null, facts: {}, reason: null, waits_until: null, ...changed });
  const broken = { passed: false, code: "connection_broken", facts: { connection: "Twilio" }, reason: "broken" };
  const fate = (...channels: object[]) => {
    const { kind, reason } = fateOf({ ...decided, channels } as Parameters<typeof fateOf>[0]);
    return [kind, reason.code, reason.facts];
  };
  const left = leg("whatsapp", { connection_id: null, passed: false, code: "no_connection" });
  assert.deepEqual(fate(leg("whatsapp"), leg("sms", broken)), ["sent", "planned", facts]);
  assert.deepEqual(fate(left, leg("sms")), ["sent", "planned", facts]);
  assert.deepEqual(fate(left, leg("sms", { ...broken, waits_until: ago(-1) })), ["waits", "connection_broken", broken.facts]);
  assert.deepEqual(fate(leg("whatsapp", broken), leg("sms", { ...broken, waits_until: ago(-1) })), ["waits", "connection_broken", broken.facts]);
  assert.deepEqual(fate(leg("whatsapp", broken), leg("sms", broken)), ["never", "connection_broken", broken.facts]);
  assert.deepEqual(fate(leg("whatsapp", broken), leg("sms")), ["sent", "planned", { channel: "sms", whatsapp_problem: "connection_broken", whatsapp_connection: "Twilio" }]);
  assert.equal(fateOf({ ...decided, sent: false, code: "opted_out", channels: [] }).kind, "never");
});
