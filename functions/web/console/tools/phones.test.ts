/** Telephone numbers: what is read in the browser, and what the API is asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { wholePhone } from "../app/phones/phones.ts";
import { conditionOf } from "../app/screens/contacts/search.ts";

const WHOLE: [string, string | null][] = [
  ["+971501234567", "+971501234567"], ["+971 50 123 4567", "+971501234567"], ["+971.50.123.4567", "+971501234567"], ["+971-50-123-4567", "+971501234567"],
  ["(+971) 50 123 4567", "+971501234567"], ["+971 (50) 123 4567", "+971501234567"], ["tel:+971501234567", "+971501234567"], ["TEL: +971-50-123-4567", "+971501234567"],
  ["whatsapp:+971501234567", "+971501234567"], ["\u202a+971 50 123 4567\u202c", "+971501234567"], ["\ufeff+971501234567", "+971501234567"],
  ["\u200e+٩٧١٥٠١٢٣٤٥٦٧", "+971501234567"], ["+971\u00a050\u00a0123\u20114567", "+971501234567"], ["+1 (201) 555-0123", "+12015550123"],
  // A zero behind the code may be only for calls within the country.
  ["+971 (0)50 123 4567", null], ["+44 020 7946 0000", null], ["+39 06 698 12345", null],
  // These need the plan of a country.
  ["050 123 4567", null], ["00971501234567", null], ["971501234567", null], ["+971", null], ["+1234567890123456", null], ["+0501234567", null], ["+97150123x", null], ["", null],
];

const SOUGHT: [string, ReturnType<typeof conditionOf>][] = [
  ["+971.50.123.4567", { phone: "+971501234567" }], ["tel:+971501234567", { phone: "+971501234567" }], ["\u202a+971 50 123 4567\u202c", { phone: "+971501234567" }],
  ["050 123 4567", { digits: "050 123 4567" }], ["\u200f٠٥٠١٢٣٤٥٦٧", { digits: "0501234567" }], ["00971501234567", { digits: "00971501234567" }],
  ["+971 (0)50 123 4567", { digits: "+971 (0)50 123 4567" }], ["050/1234567", { digits: "050/1234567" }], ["4567", { digits: "4567" }],
  ["12", { name: "12" }], ["\u200fليلى ", { name: "ليلى" }], ["Room 1234", { name: "Room 1234" }], [" noor@example.com", { email: "noor@example.com" }], [" \u200e ", {}],
];

test("numbers_with_a_plus_are_read_in_the_browser", () => {
  assert.deepEqual(WHOLE.map(([text]) => [text, wholePhone(text)]), WHOLE);
});

test("contacts_are_sought_by_numbers_in_any_spelling", () => {
  assert.deepEqual(SOUGHT.map(([text]) => [text, conditionOf(text)]), SOUGHT);
});
