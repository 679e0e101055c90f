/** What notifications say and open, and what becomes of a device. Part of `npm run check`. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { nextOf } from "../app/push/next.ts";
import { shownOf, type Pushed } from "../app/push/notification.ts";

const named = { tenant_id: "tnt_1", name: "Layla", text: null };
const message: Pushed = { ...named, type: "message.received", conversation_id: "conv_1" };
const mention: Pushed = { ...named, type: "note.mentioned", contact_id: "ctc_1", note_id: "note_1" };
const call: Pushed = { ...named, type: "call.missed", call_id: "call_1", conversation_id: "conv_1" };
const later = { ...named, type: "later.type" } as unknown as Pushed;
const notice = (notice: string, subject_id: string | null = null): Pushed => ({ tenant_id: "tnt_1", type: "attention", notice, subject_id, name: null });

test("each_subject_has_one_notification_that_opens_it", () => {
  for (const [pushed, tag, path] of [
    [message, "conv_1", "inbox/conv_1"],
    [mention, "note_1", "inbox?contact=ctc_1"],
    [call, "conv_1 call", "calls/call_1"],
    [{ ...call, conversation_id: null }, "call_1", "calls/call_1"],
    [notice("connection_refused", "conn_1"), "connection_refused conn_1 ", "settings/connections/conn_1"],
    [notice("customers_wait"), "customers_wait  ", "inbox?unread=true"],
    [notice("orders_late", "ord_1"), "orders_late ord_1 ", "orders/ord_1"],
    [notice("later_kind"), "later_kind  ", ""],
    [later, "later.type", ""],
  ] as const) {
    const shown = shownOf(pushed, "en");
    assert.deepEqual([shown.tag, shown.path], [tag, `/app/tnt_1${path && `/${path}`}`]);
  }
});

test("text_is_shown_only_if_it_was_sent", () => {
  const said = (pushed: Pushed) => { const shown = shownOf(pushed, "en"); return `${shown.title}: ${shown.body}`; };
  assert.equal(said(message), "Layla: New message");
  assert.equal(said({ ...message, name: null, text: "Open on Friday?" }), "A customer: Open on Friday?");
  assert.equal(said({ ...mention, text: "Call her" }), "Layla: A note mentions you: Call her");
});

test("every_type_has_words_in_both_languages", () => {
  for (const language of ["en", "ar"] as const) {
    const mails = [...readFileSync(`app/words/${language}/account.ftl`, "utf8").matchAll(/^mail-(\w+) = (.+)$/gm)];
    assert.ok(mails.length > 5);
    for (const [, kind = "", words] of mails) assert.equal(shownOf(notice(kind), language).title, words);
    for (const pushed of [message, mention, call, notice("later_kind"), later].map((pushed): Pushed => ({ ...pushed, name: null }))) {
      const shown = shownOf(pushed, language);
      assert.equal(/\p{Script=Arabic}/u.test(`${shown.title}${shown.body}`), language === "ar");
      assert.ok(shown.title && (shown.body || shown.tag.startsWith("later")));
    }
  }
});

test("device_is_forgotten_only_if_its_own_session_lost_it", () => {
  const known = { user: "usr_1", session: "ses_1", id: "psh_1", endpoint: "https://push.example/1" };
  const listed = { id: "psh_1", service: "push.example", created_at: "2026-11-01T00:00:00Z", expires_at: "2026-12-01T00:00:00Z", current: true };
  const found = { user: "usr_1", session: "ses_1", endpoint: known.endpoint, listed, now: Date.parse("2026-11-01T12:00:00Z") };
  const removed = { ...found, listed: undefined };
  for (const [case_, next] of [
    [found, "keep"],
    [{ ...found, now: Date.parse("2026-11-03T00:00:00Z") }, "send"],
    [{ ...found, session: "ses_2", listed: { ...listed, current: false } }, "send"],
    [{ ...found, endpoint: "https://push.example/2" }, "send"],
    [removed, "forget"],
    [{ ...removed, session: "ses_2" }, "send"],
    [{ ...removed, session: "ses_2", user: "usr_2" }, "forget"],
    [{ ...removed, endpoint: "https://push.example/2" }, "send"],
    [{ ...found, user: "usr_2" }, "forget"],
    [{ ...removed, session: "ses_2", endpoint: undefined }, "forget"],
  ] as const) assert.equal(nextOf(known, case_), next, JSON.stringify(case_));
});
