import assert from "node:assert/strict";
import { test } from "node:test";
import { Refused } from "../app/api/problem.ts";
import { changeEach, changeOf } from "../app/screens/inbox/bulk.ts";
import { fieldsOf, type Shown } from "../app/screens/inbox/clash.ts";
import { emptinessOf, queryOf } from "../app/screens/inbox/filters.ts";
import { actionOf, NAMES, OF_LIST, OF_THREAD } from "../app/screens/inbox/keys.ts";
import { instantOf, localOf, timeOf } from "../app/screens/inbox/snooze.ts";
import { DRAWN, drawnOf, idOf, isShown, joined, lastFrom, lastWriter, latelyOf, PAGE, readThread, type Read } from "../app/screens/inbox/thread.ts";
import { endOf, lastDayOf } from "../app/screens/team/expiry.ts";

/** The API refuses to list by the wait what nobody waits in, and means those of nobody where no person is named. */
test("address_of_the_inbox_becomes_what_the_api_lists", () => {
  const cases = {
    "": {}, "view=elsewhere": {}, "view=all&waiting=true": {}, "state=closed&unread=true&team=team_1&cursor=x": { state: "closed", unread: "true", team: "team_1", cursor: "x" },
    "view=mine": { assignee: "usr_me" }, "view=mine&waiting=true": { assignee: "usr_me", waiting: "true" }, "view=mine&state=snoozed&waiting=true": { assignee: "usr_me", state: "snoozed" },
    "view=unassigned&state=pending&waiting=false": { assignee: "none", state: "pending", waiting: "false" }, "view=mine&contact=ctc_1&waiting=true": { assignee: "usr_me", contact: "ctc_1" },
    "q=Layla&line=line_1&tag=tag_1": { line: "line_1", tag: "tag_1" },
  };
  for (const [address, query] of Object.entries(cases)) assert.deepEqual(queryOf(new URLSearchParams(address), "usr_me"), query, address);
});

/** What arrived after the thread was read is not called read. */
test("conversation_is_read_once_its_last_happening_is_shown", () => {
  const [message, call] = [{ message: { id: "msg_1" } }, { call: { id: "call_1" }, message: null }];
  assert.deepEqual([isShown(null, []), isShown(message, [call]), isShown(message, [call, message]), isShown(call, [call])], [true, false, true, true]);
});

test("reply_reaches_who_wrote_last_and_not_who_reacted", () => {
  const said = (direction: "inbound" | "outbound", content: string | null, number: string) => ({ message: { direction, content, customer: { number, formatted: number }, whatsapp_id: null } });
  const entries = [said("inbound", "text", "+1"), said("inbound", "edit", "+2"), said("inbound", "reaction", "+3"), said("outbound", null, "+4"), { message: null }];
  assert.equal(lastWriter(entries)?.customer?.number, "+2");
  assert.equal(lastWriter(entries.slice(2)), null);
});

/** A timeline of so many messages, and how often a page of it was asked for. */
function timelineOf(count: number) {
  const all = Array.from({ length: count }, (_, n) => ({ message: { id: `msg_${n}` }, state: "sent" }));
  const asked: number[] = [];
  const page = async (limit: number, cursor: string | null) => {
    const end = cursor === null ? all.length : Number(cursor);
    asked.push(limit);
    const begin = Math.max(0, end - limit);
    return { items: all.slice(begin, end).toReversed(), next_cursor: begin > 0 ? String(begin) : null };
  };
  return { all, asked, page };
}

/** Whoever has opened ten thousand messages is told of another one by two requests. */
test("long_thread_is_read_again_as_far_as_it_can_have_changed", async () => {
  const { all, asked, page } = timelineOf(10_000);
  type One = (typeof all)[number];
  let known: Read<One> | undefined;
  const read = async () => { known = await readThread(page, () => known); };
  await read();
  assert.deepEqual(asked.splice(0), [PAGE]);
  while (known?.next_cursor) known = joined(known, await page(PAGE, known.next_cursor));
  asked.length = 0;
  for (let n = 0; n < 3; n += 1) {
    all.push({ message: { id: `msg_new_${n}` }, state: "sent" });
    all.splice(-4, 1, { message: { id: idOf(all.at(-4) ?? {}) ?? "" }, state: "read" });
    await read();
    assert.deepEqual(asked.splice(0), [100, 100]);
    assert.deepEqual(known?.items.toReversed(), all);
  }
  // After hours without a network, of which nothing is left out.
  for (let n = 0; n < 500; n += 1) all.push({ message: { id: `msg_later_${n}` }, state: "sent" });
  await read();
  assert.deepEqual(known?.items.toReversed(), all);
  // What nobody has read for as long is not kept for the next time.
  known = known && latelyOf(known);
  assert.deepEqual(known?.items.toReversed(), all.slice(-(known?.items.length ?? 0)));
  assert.equal(known?.next_cursor, String(all.length - (known?.items.length ?? 0)));
  assert.ok((known?.items.length ?? 0) < 1000);
  // More came than anybody would wait for: the thread begins anew.
  for (let n = 0; n < 2000; n += 1) all.push({ message: { id: `msg_last_${n}` }, state: "sent" });
  await read();
  assert.deepEqual([known?.items.length, known?.items.toReversed()[0]], [1000, all.at(-1000)]);
});

test("short_thread_is_read_again_as_a_whole", async () => {
  const { all, asked, page } = timelineOf(120);
  let known: Read<(typeof all)[number]> | undefined = await readThread(page, () => undefined);
  known = joined(known, await page(PAGE, known.next_cursor));
  asked.length = 0;
  known = await readThread(page, () => known);
  assert.deepEqual([asked, known.items.length, known.next_cursor], [[100], 100, "20"]);
  all.push({ message: { id: "msg_new" }, state: "sent" });
  // A page is opened while it is read.
  known = await readThread(async (limit, cursor) => {
    const found = await page(limit, cursor);
    if (cursor === null && known) known = joined(known, { items: all.slice(0, 20).toReversed(), next_cursor: null });
    return found;
  }, () => known);
  assert.deepEqual(known.items.toReversed(), all);
});

test("long_thread_draws_what_is_looked_at", () => {
  const entries = Array.from({ length: 1000 }, (_, n) => ({ note: { id: `note_${n}` } }));
  assert.deepEqual(drawnOf(entries, null), { from: 1000 - DRAWN, to: 1000 });
  assert.deepEqual(drawnOf(entries.slice(0, 3), null), { from: 0, to: 3 });
  const last = lastFrom(entries, 750);
  assert.deepEqual(drawnOf(entries, last), { from: 750, to: 750 + DRAWN });
  // More at the end moves nothing, and an entry that is gone leads there.
  assert.deepEqual(drawnOf([...entries, { note: { id: "note_new" } }], last), { from: 750, to: 750 + DRAWN });
  assert.deepEqual(drawnOf(entries, "note_gone"), { from: 1000 - DRAWN, to: 1000 });
  assert.equal(lastFrom(entries, 1000 - DRAWN), null);
});

test("empty_lists_say_what_they_lack", () => {
  const cases = { "": "all", "view=mine": "mine", "view=unassigned": "unassigned", "view=mine&unread=true": "filtered", "contact=ctc_1": "contact", "q=x&state=closed": "found", "view=mentions": "all" };
  for (const [address, why] of Object.entries(cases)) assert.equal(emptinessOf(new URLSearchParams(address)), why, address);
});

/** On the clocks of the business, also on the day on which they change. */
test("snoozes_end_in_the_morning_of_the_business", () => {
  const friday = Date.parse("2026-11-20T22:30:00Z");
  assert.equal(timeOf("tomorrow", friday, "UTC"), "2026-11-21T09:00:00.000Z");
  assert.equal(timeOf("tomorrow", friday, "Asia/Dubai"), "2026-11-22T05:00:00.000Z");
  assert.equal(timeOf("monday", friday, "Asia/Dubai"), "2026-11-23T05:00:00.000Z");
  assert.equal(timeOf("monday", Date.parse("2026-11-23T06:00:00Z"), "Asia/Dubai"), "2026-11-30T05:00:00.000Z");
  assert.equal(timeOf("tomorrow", Date.parse("2026-03-28T12:00:00Z"), "Europe/Berlin"), "2026-03-29T07:00:00.000Z");
  assert.equal(timeOf("hours", friday, "UTC"), "2026-11-21T01:30:00.000Z");
  assert.equal(instantOf("2026-11-20T09:00", "America/New_York"), "2026-11-20T14:00:00.000Z");
  assert.equal(localOf(friday, "Asia/Dubai"), "2026-11-21T02:30");
});

/** Whoever types a year passes through the first ones. */
test("last_day_of_a_key_stays_as_it_is_typed", () => {
  for (const zone of ["Asia/Dubai", "America/New_York", "UTC"]) {
    for (const day of ["0001-01-01", "0002-11-20", "0020-11-20", "0202-11-20", "2027-11-20", "2999-12-31", "9999-12-31", "20266-01-01", ""]) assert.equal(lastDayOf(endOf(day, zone), zone), day, `${day} ${zone}`);
  }
  assert.deepEqual([endOf("2027-11-20", "Asia/Dubai"), endOf("20266-01-01", "UTC"), endOf("", "UTC")], ["2027-11-20T19:59:00.000Z", "20266-01-01", null]);
});

test("choices_become_changes_of_each_conversation", () => {
  const change = (choice: string, tags: string[] = []) => changeOf(choice, { tags }, 0, "UTC");
  assert.deepEqual([change("assign usr_1"), change("assign "), change("state closed")], [{ assignee_id: "usr_1" }, { assignee_id: null }, { state: "closed" }]);
  assert.deepEqual([change("tag tag_2", ["tag_1"]), change("tag tag_1", ["tag_1"])], [{ tags: ["tag_1", "tag_2"] }, null]);
  assert.deepEqual(change("snooze hours"), { state: "snoozed", snoozed_until: "1970-01-01T03:00:00.000Z" });
  assert.deepEqual(change("snooze 1970-01-02T10:00:00.000Z"), { state: "snoozed", snoozed_until: "1970-01-02T10:00:00.000Z" });
});

test("what_changed_meanwhile_keeps_no_other_from_being_changed", async () => {
  const all = ["1", "2", "3", "4"].map((id) => ({ id }));
  const refusing = (statuses: Record<string, number[]>) => {
    const [paused, told, sent]: number[][] = [[], [], []];
    const send = ({ id }: { id: string }) => {
      sent?.push(Number(id));
      const status = statuses[id]?.shift();
      return status === undefined ? Promise.resolve() : Promise.reject(new Refused(status, {}, new Headers({ "retry-after": "7" })));
    };
    return changeEach(all, send, (tried) => told?.push(tried), (seconds) => Promise.resolve(paused?.push(seconds))).then((outcome) => ({ ...outcome, problem: (outcome.problem as Refused | null)?.status ?? null, paused, told, sent }));
  };
  assert.deepEqual(await refusing({ 2: [412], 3: [429, 429] }), { done: ["1", "3", "4"], changed: ["2"], problem: null, paused: [7, 7], told: [1, 2, 3, 4], sent: [1, 2, 3, 3, 3, 4] });
  assert.deepEqual(await refusing({ 1: [422], 2: [404] }), { done: ["3", "4"], changed: ["2"], problem: 422, paused: [], told: [1, 2, 3, 4], sent: [1, 2, 3, 4] });
  assert.deepEqual(await refusing({ 2: [0] }), { done: ["1"], changed: [], problem: 0, paused: [], told: [1], sent: [1, 2] });
});

test("letters_of_other_layouts_are_known_by_their_place", () => {
  const press = (key: string, code: string, held: object = {}) => actionOf({ key, code, altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, isComposing: false, ...held });
  assert.deepEqual([press("j", "KeyJ"), press("ت", "KeyJ"), press("ث", "KeyE"), press("j", "KeyC"), press("J", "KeyJ"), press("م", "KeyL"), press("u", "KeyU")], ["next", "next", "close", "next", "next", "tag", "unread"]);
  assert.deepEqual([press("N", "KeyN", { shiftKey: true }), press("n", "KeyN"), press("؟", "Slash", { shiftKey: true }), press("?", "Minus", { shiftKey: true }), press("ظ", "Slash")], ["note", undefined, "help", "help", "search"]);
  assert.deepEqual([press("j", "KeyJ", { ctrlKey: true }), press("M", "KeyM", { shiftKey: true }), press("j", "KeyJ", { isComposing: true }), press("Tab", "Tab"), press("Escape", "Escape")], [undefined, undefined, undefined, undefined, "back"]);
  for (const action of [...OF_LIST, ...OF_THREAD]) assert.ok(NAMES[action], action);
});

test("clash_has_what_was_wanted_and_what_was_changed", () => {
  const before: Shown = { state: "open", snoozed_until: null, assignee_id: null, team_id: null, priority: "normal", tags: [] };
  assert.deepEqual(fieldsOf(before, { state: "closed" }, before), [{ name: "state", changed: false }]);
  assert.deepEqual(fieldsOf(before, { assignee_id: "usr_1" }, { ...before, assignee_id: "usr_2", tags: ["tag_1"] }), [{ name: "assignee_id", changed: true }, { name: "tags", changed: true }]);
});
