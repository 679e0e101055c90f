/** Imports and segments: what forms make of choices. Part of `npm run check`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceOf, mapped, previewed, settingsOf, type Column, type Import } from "../app/screens/imports/import.ts";
import { changeOf, kindsIn, usesOf, withKind } from "../app/screens/segments/segment.ts";

test("another_meaning_of_a_column_keeps_the_order", () => {
  const columns: Column[] = [{ column: 3, target: "phone" }, { column: 1, target: "phone" }];
  const shown = (column: number, choice: string) => mapped(columns, column, choice).map((one) => `${one.column} ${choiceOf(one.target)}`);
  assert.deepEqual(shown(3, "email"), ["3 email", "1 phone"]);
  assert.deepEqual(shown(1, ":level"), ["3 phone", "1 :level"]);
  assert.deepEqual(shown(0, "name"), ["3 phone", "1 phone", "0 name"]);
  assert.deepEqual(shown(3, ""), ["1 phone"]);
});

test("settings_of_a_check_are_those_of_the_import_after_it", () => {
  const params = { import: "imp_1", etag: "x", dry_run: true, mapping: { columns: [] }, mode: "update", region: "AE", table: { header: false } };
  const settings = settingsOf({ operation: { params } } as unknown as Import);
  assert.deepEqual(settings, { table: { header: false }, mapping: { columns: [] }, mode: "update", region: "AE", tags: [], create_tags: false, consent: null });
  const consent = { of: "all_rows", evidence: "" } as const;
  assert.equal(previewed({ ...settings, consent }).consent, null);
  assert.equal(previewed({ ...settings, consent: { ...consent, evidence: "till" } }).consent?.evidence, "till");
});

test("conditions_come_and_go_with_their_values", () => {
  const filter = { tag: "tag_1", field: "visits", from: 3, to: null };
  assert.deepEqual(kindsIn(filter), ["tag", "field"]);
  assert.deepEqual(withKind(filter, "field", "level"), { tag: "tag_1", field: "level", value: null, from: null, to: null, day: null });
  assert.deepEqual(kindsIn(withKind(filter, "tag", null)), ["field"]);
  assert.deepEqual(kindsIn(withKind(filter, "owner", "")), ["tag", "field", "owner"]);
});

test("changes_of_many_are_what_the_api_takes", () => {
  const of = (what: Parameters<typeof changeOf>[0]["what"], value: string | number | boolean | null, field = "") => changeOf({ what, value, field });
  assert.deepEqual(of("add_tags", "tag_1"), { add_tags: ["tag_1"] });
  assert.deepEqual(of("remove_tags", ""), { remove_tags: [] });
  assert.deepEqual(of("stage", ""), { stage: null });
  assert.deepEqual(of("field", false, "vip"), { fields: { vip: false } });
  assert.deepEqual(of("delete", "tag_1"), { delete: true });
});

test("segments_are_used_by_what_is_not_over", () => {
  const campaign = (state: string, audience: object) => ({ state, audience }) as Parameters<typeof usesOf>[0][number];
  const all = [campaign("draft", { segment: "seg_1" }), campaign("paused", { excluded_segments: ["seg_1"] }), campaign("completed", { segment: "seg_1" }), campaign("draft", { segment: "seg_2" })];
  assert.deepEqual(usesOf(all, "seg_1"), all.slice(0, 2));
});
