/** Steps of a drip: their order and names, what others have made of them, and what waits for a cap. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { blankAction, clashOf, figuresOf, freeName, KINDS, moveItem, renameTargets, waitsForCap, type Step } from "../app/screens/drips/steps.ts";

const named = (...names: string[]): Step[] => names.map((name) => ({ name, does: blankAction("exit") }));

test("steps_move_by_a_place_and_get_names_of_their_own", () => {
  assert.deepEqual(moveItem(["a", "b", "c"], 2, -1), ["a", "c", "b"]);
  assert.deepEqual(moveItem(["a", "b", "c"], 0, 1), ["b", "a", "c"]);
  assert.equal(freeName([], "Wait"), "Wait");
  assert.equal(freeName(named("Wait", "Wait 3"), "Wait"), "Wait 2");
  assert.deepEqual(KINDS.map((kind) => blankAction(kind).type), [...KINDS]);
});

test("branches_follow_the_name_of_a_step_and_forget_a_removed_one", () => {
  const does = { type: "branch" as const, when: { type: "clicked" as const }, then: "offer", otherwise: "end" };
  const steps: Step[] = [{ name: "clicked?", does }, ...named("offer", "end")];
  renameTargets(steps, "offer", "cake");
  renameTargets(steps, "end", null);
  assert.deepEqual([does.then, does.otherwise], ["cake", null]);
});

test("steps_of_two_people_are_compared_by_their_places", () => {
  const clash = clashOf({ 1: "welcome", 2: "wait" }, { 1: "welcome", 2: "offer", 3: "end" });
  assert.deepEqual(clash, { before: { 2: null, 3: null }, mine: { 2: "wait", 3: "" }, theirs: { 2: "offer", 3: "end" } });
});

/** The last second before an hour of UTC, as the API puts off what a cap has no room for. */
test("only_what_was_put_off_until_an_hour_waits_for_a_cap", () => {
  const one = { status: "active" as const, entered_at: "2026-11-20T09:12:00Z", last_step_at: null, next_step_scheduled_at: "2026-11-20T10:59:59.2Z" };
  assert.ok(waitsForCap(one));
  for (const other of [{ status: "exited" as const }, { next_step_scheduled_at: null }, { next_step_scheduled_at: "2026-11-20T11:00:00Z" }, { next_step_scheduled_at: "2026-11-20T10:59:58.9Z" }, { last_step_at: one.next_step_scheduled_at }]) {
    assert.ok(!waitsForCap({ ...one, ...other }), JSON.stringify(other));
  }
});

test("whoever_read_a_message_has_got_it", () => {
  const step = { taken: 5, skipped: 0, states: { delivered: 1, read: 3 }, replied: 2, clicked: 0, opted_out: 0 };
  assert.deepEqual(figuresOf(step), [["campaign-people", 5], ["campaign-report-delivered", 4], ["campaign-report-read", 3], ["campaign-report-replied", 2]]);
});
