/** Versions of an automation: long texts are shown where they begin to differ. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { excerpts } from "../app/screens/automations/excerpts.ts";

test("long_texts_are_shown_where_they_begin_to_differ", () => {
  assert.deepEqual(excerpts("Missed call", "Missed call, mine"), ["Missed call", "Missed call, mine"]);
  const long = "ابجد 🌙 ".repeat(100);
  for (const [one, other] of [[`${long}before`, `${long}after`], [`x${long}`, long], [long, ""], [long, long]] as const) {
    const shown = excerpts(one, other);
    assert.ok(shown.every((text) => [...text].length <= 202 && !/\p{Cs}/u.test(text)));
    assert.equal(shown[0] === shown[1], one === other);
  }
  const [was, is] = excerpts(`${long}before`, `${long}after`);
  assert.ok(was.startsWith("…") && was.endsWith("before") && is.endsWith("after"));
  assert.deepEqual(excerpts(`a${long}`, `b${long}`).map((text) => [text[0], text.at(-1)]), [["a", "…"], ["b", "…"]]);
});
