/** SMS as customers read them: values with what they become, and parts as the API counts them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { filled, meant, unknownIn } from "../app/ui/filled.ts";
import { REPLACED, segments } from "../app/ui/sms.ts";

test("parts_of_an_sms_are_those_that_the_api_counts", () => {
  assert.equal(REPLACED, readFileSync("../../../shared/domain/src/messages/smart_encoding.txt", "utf8"));
  const cases: [string, number][] = [
    ["", 1], ["x".repeat(160), 1], ["x".repeat(161), 2], ["x".repeat(306), 2], ["x".repeat(307), 3], ["€".repeat(80), 1], ["€".repeat(81), 2], ["€".repeat(153), 3],
    ["ش".repeat(70), 1], ["ش".repeat(71), 2], ["🙂".repeat(35), 1], ["🙂".repeat(36), 2], [`${"x".repeat(150)}’`, 1], [`${"ش".repeat(69)}…`, 2],
    [`${"x".repeat(159)}\u00a0`, 2], [`${"x".repeat(160)}\u200b`, 1], [`${"x".repeat(158)}½`, 2], ["👨\u200d👩\u200d👧\u200d👦".repeat(25), 5], ["🙂".repeat(67), 3],
    ["🇦🇪".repeat(33), 3], [`${"ش".repeat(131)}🇦🇪`, 3], ["كَ".repeat(34), 1], ["كَ".repeat(67), 3], ["\r\n".repeat(80), 1],
  ];
  for (const [text, expected] of cases) assert.equal(segments(text), expected, text);
});

test("values_are_shown_as_what_they_become", () => {
  const values: Record<string, string> = { "contact.first_name": "Layla", "tenant.name": "" };
  const becomes = (source: string) => values[source];
  const pieces = filled("{{contact.first_name|there}}, {{ tenant.name | us }}: {{tenant.hours}} {{x", becomes);
  assert.deepEqual(pieces, [
    { text: "Layla", source: "contact.first_name" }, { text: ", " }, { text: " us ", source: "tenant.name" }, { text: ": " },
    { text: "{{tenant.hours}}", source: "tenant.hours" }, { text: " {{x" },
  ]);
});

test("unknown_values_are_found_with_the_ones_that_were_meant", () => {
  const names: Record<string, string> = { "contact.first_name": "First name", "contact.name": "Name", "tenant.name": "Name of the business", "tenant.address": "address (of the business)" };
  const known = Object.keys(names);
  const text = "{{contact.name}} {{ tenant.address }} {{name}} {{name|x}} {{tenant.hours}} {{tenant.phone|none}} {{contact.field.size}} {{link:https://a.example}} {{}} {{x";
  assert.deepEqual(unknownIn(text, known), ["name", "tenant.hours", ""]);
  const wanted = { name: "contact.name", "First name": "contact.first_name", firstname: "contact.first_name", "contact.first_nam": "contact.first_name", fist_name: "contact.first_name", Address: "tenant.address", tenantname: "tenant.name" };
  for (const [written, right] of Object.entries(wanted)) assert.equal(meant(written, known, (source) => names[source] ?? ""), right, written);
  for (const strange of ["", "xyz", "price", "x".repeat(4000)]) assert.equal(meant(strange, known, (source) => names[source] ?? ""), undefined, strange);
});
