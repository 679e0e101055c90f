import assert from "node:assert/strict";
import { test } from "node:test";
import { directionOf, isNumeric } from "../app/ui/direction.ts";

test("texts_run_as_most_of_their_letters_do", () => {
  const directions = [
    ["نعتذر عن عدم الرد", "ar", "rtl"], ["{{tenant.name}}: نعتذر", "ar", "rtl"], ["Saffron Bakery: نعتذر عن عدم الرد على مكالمتك", "en", "rtl"],
    ["{{contact.first_name|عميلنا}}, sorry", "ar", "ltr"], ["Sorry we missed you, ليلى", undefined, "ltr"], ["{{tenant.name}} 24", "ar", "rtl"], ["", "ar-AE", "rtl"], ["", "en", "auto"], ["", "arn", "auto"],
    ["", undefined, "auto"],
  ] as const;
  for (const [text, language, direction] of directions) assert.equal(directionOf(text, language), direction, text);
});

test("numbers_in_any_digits_are_numeric", () => {
  for (const number of ["٠٥٠ ٥٥٥ ٣٩١٣", "+971 50 555 3913", "۰۵۰-۱۲۳"]) assert.ok(isNumeric(number), number);
  for (const other of ["", "+ -", "ليلى", "Layla 2", "ليلى ٢"]) assert.ok(!isNumeric(other), other);
});
