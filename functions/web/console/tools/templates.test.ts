/** What a template's form sends, how often it is examined, and which files are tried. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LIMITS, KINDS, refusalOf } from "../app/screens/assets/assets.ts";
import { blank, nextVariable, tidied, variablesIn } from "../app/screens/templates/content.ts";
import { Pace } from "../app/screens/templates/pace.ts";

test("samples_follow_the_variables_of_the_text", () => {
  const content = tidied({ category: "utility", body: "Hello {{1}}, your {{ 2 }} for {{1}}.", samples: { 1: "Maya", 3: "gone" }, header: { text: "Plain", sample: "x" }, footer: "" });
  assert.deepEqual(variablesIn(content.body), ["1", "2"]);
  assert.deepEqual([content.samples, content.header?.sample, content.footer], [{ 1: "Maya" }, null, null]);
  assert.equal(nextVariable(content.body ?? ""), "{{3}}");
  assert.equal(nextVariable("Hello {{name}}"), "{{1}}");
});

test("variables_with_names_make_a_template_of_names", () => {
  const format = (body: string, header?: string) => tidied({ category: "utility", body, ...(header ? { header: { text: header } } : {}) }).parameter_format;
  assert.deepEqual([format("Hello"), format("Hello {{1}} there"), format("Hello {{name}} there"), format("Hello there", "For {{name}}")], ["positional", "positional", "named", "named"]);
});

test("templates_for_codes_have_nothing_but_their_options", () => {
  const { body, header, buttons, samples, code } = tidied({ ...blank(), body: "Your code {{1}}.", samples: { 1: "1" }, header: { text: "x" }, buttons: [{ kind: "quick_reply", text: "x" }], category: "authentication" });
  assert.deepEqual([body, header, buttons, samples, code?.button], [null, null, [], {}, ""]);
});

test("drafts_are_examined_at_most_once_a_second", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout", "Date"] });
  const began: number[] = [];
  let [wait, release] = [0, () => undefined as void];
  const pace = new Pace(() => new Promise<number>((resolve) => {
    began.push(Date.now());
    release = () => resolve(wait);
  }), 1000);
  const pass = async (milliseconds: number) => {
    context.mock.timers.tick(milliseconds);
    for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
  };
  for (let key = 0; key < 3; key += 1) pace.ask();
  await pass(0);
  // Asked for amid an examination: the next one waits for its end, and for the rest of the second.
  pace.ask();
  await pass(400);
  wait = 5000;
  release();
  await pass(0);
  await pass(5599);
  assert.deepEqual(began, [0]);
  await pass(1);
  release();
  await pass(0);
  pace.stop();
  await pass(60_000);
  assert.deepEqual(began, [0, 6000]);
});

test("files_are_tried_if_their_type_and_size_are_taken", () => {
  const contract = JSON.parse(readFileSync("../../../docs/openapi.json", "utf8")) as { components: { schemas: { NewAsset: { properties: { content_type: { enum: string[] }; bytes: { maximum: number } } } } } };
  const { content_type, bytes } = contract.components.schemas.NewAsset.properties;
  assert.deepEqual(KINDS.flatMap((kind) => LIMITS[kind].types).toSorted(), content_type.enum.toSorted());
  assert.equal(Math.max(...KINDS.map((kind) => LIMITS[kind].most)), bytes.maximum);
  const why = (type: string, size: number, kinds = KINDS) => refusalOf({ type, size }, kinds)?.why;
  assert.deepEqual([why("image/png", 1), why("image/png", 6e6), why("image/png", 0), why("image/svg+xml", 1), why("image/png", 1, ["document"])], [undefined, "size", "empty", "type", "type"]);
});
