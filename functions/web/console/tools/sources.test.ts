/** Rules of the sources that types do not hold. Part of `npm run check`. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { FluentBundle, FluentResource } from "@fluent/bundle";
import { functions } from "../app/words/grammar.ts";
import { variablesOf } from "../app/words/variables.ts";

interface Contract {
  "x-codes": { faults: Code[]; reasons: Code[] };
}
interface Code {
  code: string;
  facts: string[];
}

const sources = globSync("app/**/*.{svelte,ts,css}", { exclude: ["app/api/contract.d.ts", "app/api/permissions.ts"] }).map((path) => ({
  path,
  text: readFileSync(path, "utf8"),
}));
const words = { en: resource("en"), ar: resource("ar") };
const contract = JSON.parse(readFileSync("../../../docs/openapi.json", "utf8")) as Contract;
const problems = [...readFileSync("../../../docs/problems.md", "utf8").matchAll(/^\| \d{3} \| `(\w+)` \|/gm)].map(([, word]) => word ?? "");

function resource(language: string): FluentResource {
  return new FluentResource(readFileSync(`app/words/${language}.ftl`, "utf8"));
}

function offences(pattern: RegExp): string[] {
  return sources.flatMap(({ path, text }) => [...text.matchAll(pattern)].map(([found]) => `${path}: ${found}`));
}

/** Customers' texts become text nodes only, and the policy refuses styles in markup. */
test("no_markup_from_text_and_no_inline_style", () => {
  assert.deepEqual(offences(/\{@html|innerHTML|outerHTML|insertAdjacentHTML|\sstyle="|srcdoc/g), []);
});

/** One layout serves both directions. */
test("only_logical_properties", () => {
  const physical = /(?<=[\s;{])(?:(?:margin|padding|border)-(?:left|right|top|bottom)|(?:left|right|top|bottom|width|height|(?:max|min)-(?:width|height))\s*:(?=[^)]*;)|(?:text-align|float|clear):\s*(?:left|right))/g;
  const styles = sources.map(({ path, text }) => ({ path, text: path.endsWith(".css") ? text : (/<style>.*<\/style>/s.exec(text)?.[0] ?? "") }));
  const found = styles.flatMap(({ path, text }) => [...text.matchAll(physical)].map(([property]) => `${path}: ${property}`));
  assert.deepEqual(found, []);
});

test("components_have_at_most_250_lines", () => {
  const long = sources.filter(({ path, text }) => path.endsWith(".svelte") && text.split("\n").length > 250);
  assert.deepEqual(long.map(({ path }) => path), []);
});

/** Words stand in `words` only: markup has no letters of its own but for the product's name and the languages'. */
test("no_text_in_components", () => {
  const found = sources.filter(({ path }) => path.endsWith(".svelte")).flatMap(({ path, text }) => {
    const markup = text.replace(/<(script|style)[^>]*>.*?<\/\1>|<!--.*?-->/gs, "");
    const bare = markup.replace(/\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}/gs, "").replace(/<(?:[^<>"]|"[^"]*")*>/gs, "\n");
    return [...bare.matchAll(/\p{L}{2,}/gu)].map(([word]) => `${path}: ${word}`).filter((found) => !found.endsWith(" Ringback"));
  });
  assert.deepEqual(found, []);
});

test("words_parse_and_have_equal_keys_and_variables", () => {
  for (const [language, of] of Object.entries(words)) {
    const text = readFileSync(`app/words/${language}.ftl`, "utf8");
    const keys = [...text.matchAll(/^([a-zA-Z][\w-]*) =/gm)].map(([, key]) => key);
    assert.deepEqual(of.body.map(({ id }) => id), keys, `${language}: a message does not parse`);
    assert.equal(new Set(keys).size, keys.length, `${language}: a key occurs twice`);
    assert.deepEqual(new FluentBundle(language).addResource(of), []);
  }
  const [english, arabic] = [variablesOf(words.en), variablesOf(words.ar)];
  assert.deepEqual([...arabic.keys()], [...english.keys()]);
  for (const [id, names] of english) assert.deepEqual([...(arabic.get(id) ?? [])].toSorted(), [...names].toSorted(), id);
});

/** Every word of a screen exists. Ids with a variable part are checked by what they begin with. */
test("words_that_screens_say_exist", () => {
  const ids = words.en.body.map(({ id }) => id);
  const said = sources.flatMap(({ path, text }) => [...text.matchAll(/\bt\((["`])([\w-]+)(\$\{)?[^"`]*\1/g)].map(([, , id = "", open]) => ({ path, id, open })));
  const wrong = said.filter(({ id, open }) => !(open ? ids.some((known) => known.startsWith(id)) : ids.includes(id)));
  assert.deepEqual(wrong, []);
});

test("every_code_of_the_contract_has_a_sentence", () => {
  const { faults, reasons } = contract["x-codes"];
  const needed = [...problems.map((word) => `problem-${word}`), ...faults.map(({ code }) => `fault-${code}`), ...reasons.map(({ code }) => `reason-${code}`)];
  assert.ok(problems.length > 50 && faults.length > 20 && reasons.length > 90);
  const variables = variablesOf(words.en);
  assert.deepEqual(needed.filter((id) => !variables.has(id)), []);
  for (const [kind, codes] of [["fault", faults], ["reason", reasons]] as const) {
    for (const { code, facts } of codes) {
      const unknown = [...(variables.get(`${kind}-${code}`) ?? [])].filter((name) => !facts.includes(name));
      assert.deepEqual(unknown, [], `${kind}-${code} uses facts that it never has`);
    }
  }
});

/** Arabic has six plural forms. */
test("arabic_plurals_have_six_forms", () => {
  for (const { id, value } of words.ar.body) {
    for (const keys of selectors(value)) {
      if (keys.some((key) => ["zero", "one", "two", "few", "many"].includes(key))) {
        assert.deepEqual(keys.toSorted(), ["few", "many", "one", "other", "two", "zero"], id);
      }
    }
  }
});

/** Two of anything has another form after a preposition: "بعد دقيقتين". */
test("arabic_lengths_of_time_follow_prepositions", () => {
  const bundle = new FluentBundle("ar", { functions, useIsolating: false });
  bundle.addResource(words.ar);
  const say = (id: string, facts: Record<string, string | number>) => bundle.formatPattern(bundle.getMessage(id)?.value ?? "", facts);
  const facts = { channel: "واتساب", next_channel: "رسالة قصيرة", outcome: "مكالمة فائتة", rule: "x", whatsapp_problem: "none", sms_problem: "none" };
  const [two, five] = [2, 5].map((n) => say("duration-minute", { n })) as [string, string];
  assert.equal(say("reason-follow_up", { ...facts, delay_seconds: five, fallback_after_seconds: two }), "واتساب بعد 5 دقائق، ثم رسالة قصيرة إن لم تصل خلال دقيقتين: مكالمة فائتة، القاعدة «x»");
  for (const unit of ["second", "minute", "hour", "day"]) assert.match(say("set-up-try-took", { time: say(`duration-${unit}`, { n: 2 }) }), /ين$/);
  const text = readFileSync("app/words/ar.ftl", "utf8");
  assert.deepEqual(text.match(/(?:بعد|خلال|بـ|قبل|منذ|نحو) ?\{ \$(?:\w*seconds|delay|cooldown|time) \}/g), null);
});

function selectors(part: unknown): string[][] {
  if (typeof part !== "object" || part === null) return [];
  const own = "type" in part && part.type === "select" && "variants" in part && Array.isArray(part.variants)
    ? [part.variants.map(({ key }: { key: { value: unknown } }) => String(key.value))]
    : [];
  return [...own, ...Object.values(part).flatMap(selectors)];
}
