/** A contact as its form has it, beside another one, and the code that a camera reads. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { pathOf, proven } from "../app/screens/account/factor.ts";
import { readContact, writtenOf } from "../app/screens/contacts/contact.ts";
import { rowsOf } from "../app/screens/contacts/merge.ts";
import { contact } from "../tests/samples.ts";

const NOBODY = { name: "", phones: "", emails: "", language: "", stage: "", owner: "", source: "", value: ["", ""], tags: [], fields: {} };

test("contact_is_sent_as_its_form_has_it", () => {
  const fields = [{ key: "level", type: "choice" }, { key: "orders", type: "number" }, { key: "vip", type: "yes_no" }] as const;
  const written = writtenOf({ name: null, language: "ar", phones: ["+97142345678", "+971501234567"], fields: { orders: 3, vip: false, gone: "x" } }, fields);
  assert.deepEqual(written, { ...NOBODY, phones: "+97142345678, +971501234567", language: "ar", fields: { level: "", orders: "3", vip: "false" } });
  assert.deepEqual(readContact({ name: " Layla ", language: "", fields: { level: "", orders: "12", vip: "true" } }, fields), { name: "Layla", language: null, fields: { level: null, orders: 12, vip: true } });
  assert.deepEqual(readContact({ tags: ["tag_1"], emails: " noor@example.com،  omar@example.com ;", phones: "", stage: "" }, fields), { tags: ["tag_1"], emails: ["noor@example.com", "omar@example.com"], phones: [], stage: null });
  assert.deepEqual(writtenOf({ value: { amount: 12_050, currency: "KWD" } }, []).value, ["12.050", "KWD"]);
  assert.deepEqual(readContact({ value: ["1,250.5", ""] }, [], "AED"), { value: { amount: 125_050, currency: "AED" } });
  assert.deepEqual(readContact({ value: [" ", "AED"] }, []), { value: null });
  assert.throws(() => readContact({ value: ["a lot", "AED"] }, []), ({ errors }) => errors[0].field === "value.amount");
});

test("merge_shows_each_field_that_one_of_them_has", () => {
  const [one, other] = [{ ...contact, name: "Layla", emails: [], tags: [], fields: { vip: true } }, { ...contact, name: "L. Haddad", emails: ["l@example.com"], tags: [], source: null, fields: {} }];
  const rows = rowsOf(one, other, { contact: { ...one, emails: other.emails }, conflicts: [{ field: "name", decision: "survivor" }, { field: "consent", decision: "stricter" }] });
  assert.deepEqual(rows.map(({ field }) => field), ["name", "phones", "emails", "language", "source", "fields.vip"]);
  assert.deepEqual(rows[0], { field: "name", one: ["Layla"], other: ["L. Haddad"], both: ["Layla"], decision: "survivor" });
  assert.deepEqual(rows[2], { field: "emails", one: [], other: ["l@example.com"], both: ["l@example.com"] });
});

test("second_factor_is_sent_as_it_was_typed", () => {
  assert.deepEqual(proven({ password: "a b", code: "492 039", recovery: false }), { password: "a b", code: "492039" });
  assert.deepEqual(proven({ password: "a b", code: " abcd-efgh ", recovery: true }), { password: "a b", recovery_code: "abcd-efgh" });
  assert.equal(pathOf([[true, false], [false, true]]), "M0 0h1v1h-1zM1 1h1v1h-1z");
});
