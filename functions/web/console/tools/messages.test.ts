/** Messages by hand: the words of templates that were sent, when their state is asked for again, and the ground of a conversation. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { askedAt } from "../app/screens/messages/asked.ts";
import { nextLook, wordsOf } from "../app/screens/messages/sent.ts";

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
