/** Imports: what forms make of choices. Part of `npm run check`. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceOf, mapped, previewed, settingsOf, type Column, type Import } from "../app/screens/imports/import.ts";

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
