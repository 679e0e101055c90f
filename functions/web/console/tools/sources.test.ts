/** Rules of the sources that types do not hold. Part of `npm run check`. */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { join, normalize } from "node:path";
import { test } from "node:test";
import { FluentBundle, FluentResource } from "@fluent/bundle";
import { routes, type Route } from "../app/routes.ts";
import { AREAS } from "../app/words/areas.ts";
import { WRITTEN } from "../app/words/faults.ts";
import { functions } from "../app/words/grammar.ts";
import { variablesOf } from "../app/words/variables.ts";

interface Contract {
  components: { schemas: { SmsRule: { enum: string[] } } };
  "x-codes": { faults: Code[]; reasons: Code[] };
}
interface Code {
  code: string;
  facts: string[];
}

const sources = globSync("app/**/*.{svelte,ts,css}", { exclude: ["app/api/contract.d.ts", "app/api/permissions.ts", "app/api/usual.ts"] }).map((path) => ({
  path,
  text: readFileSync(path, "utf8"),
}));
const words = { en: resource("en"), ar: resource("ar") };
const contract = JSON.parse(readFileSync("../../../docs/openapi.json", "utf8")) as Contract;
const problems = [...readFileSync("../../../docs/problems.md", "utf8").matchAll(/^\| \d{3} \| `(\w+)` \|/gm)].map(([, word]) => word ?? "");

/** The text of these files of words. */
function textOf(language: string, files: readonly string[] = ["common", ...AREAS]): string {
  return files.map((file) => readFileSync(`app/words/${language}/${file}.ftl`, "utf8")).join("\n");
}

function resource(language: string): FluentResource {
  return new FluentResource(textOf(language));
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

/** Svelte drops the space at the edge of a block, so it is written as an expression. */
test("no_space_is_lost_at_the_edge_of_a_block", () => {
  assert.deepEqual(offences(/\{[#:](?:if|else|each)[^{}]*\}[ ]+(?:[^\s<{]|\{[^#:/@"])[^\n]*|[^\s>}][ ]+\{\/(?:if|each)\}/g), []);
});

test("words_parse_and_have_equal_keys_and_variables", () => {
  for (const [language, of] of Object.entries(words)) {
    assert.deepEqual(globSync(`app/words/${language}/*`).toSorted(), ["common", ...AREAS].map((file) => `app/words/${language}/${file}.ftl`).toSorted());
    const text = textOf(language);
    const keys = [...text.matchAll(/^([a-zA-Z][\w-]*) =/gm)].map(([, key]) => key);
    assert.deepEqual(of.body.map(({ id }) => id), keys, `${language}: a message does not parse`);
    assert.equal(new Set(keys).size, keys.length, `${language}: a key occurs twice`);
    assert.deepEqual(new FluentBundle(language).addResource(of), []);
  }
  const [english, arabic] = [variablesOf(words.en), variablesOf(words.ar)];
  assert.deepEqual([...arabic.keys()], [...english.keys()]);
  for (const [id, names] of english) assert.deepEqual([...(arabic.get(id) ?? [])].toSorted(), [...names].toSorted(), id);
});

/** Nobody knows the direction of a variant that has its words in quotes, since they are isolated as values are. */
test("words_of_messages_are_not_quoted", () => {
  for (const language of ["en", "ar"]) assert.equal(textOf(language).match(/\{"[^"{}]*\p{L}[^"]*"\}/gu), null);
});

/** What these files say: an id, or its beginning before a variable part. */
function saidIn(paths: string[]): { path: string; id: string; open: boolean }[] {
  const read = sources.filter(({ path }) => paths.includes(path));
  return read.flatMap(({ path, text }) => [...text.matchAll(/\bt\((?:[^()"`]* \? )?(["`])([\w-]+)(\$\{)?[^"`]*\1/g)].map(([, , id = "", open]) => ({ path, id, open: open !== undefined })));
}

/** Every word of a screen exists. Ids with a variable part are checked by what they begin with. */
test("words_that_screens_say_exist", () => {
  const ids = words.en.body.map(({ id }) => id);
  const wrong = saidIn(sources.map(({ path }) => path)).filter(({ id, open }) => !(open ? ids.some((known) => known.startsWith(id)) : ids.includes(id)));
  assert.deepEqual(wrong, []);
});

/** A screen's words are those of all pages and of the areas that its route names, in which both languages have the same. */
test("words_come_with_the_screens_that_say_them", () => {
  const idsOf = (language: string, files: readonly string[]) => new FluentResource(textOf(language, files)).body.map(({ id }) => id);
  for (const area of AREAS) assert.deepEqual(idsOf("ar", [area]), idsOf("en", [area]));
  const wrong = routes.flatMap(({ name, load, words: areas }) => {
    const loaded = idsOf("en", ["common", ...areas]);
    const rest = idsOf("en", AREAS.filter((area) => !areas.includes(area)));
    const files = importedBy(entryOf(load));
    assert.ok(files.size > 5, name);
    // Sentences of codes ask for their area themselves.
    files.delete("app/words/codes.ts");
    return [...saidIn([...files])].flatMap(({ path, id, open }) =>
      (open ? rest.some((other) => other.startsWith(id)) && !path.startsWith("app/conflicts/") : !loaded.includes(id)) ? [`${name}: ${path} says ${id}`] : []);
  });
  assert.deepEqual(wrong, []);
});

/** So the walk of the tests tries them once for each kind of screen. */
test("screens_show_what_is_missing_by_one_part", () => {
  const wrong = routes.filter(({ load, states }) => states.error && !importedBy(entryOf(load)).has("app/ui/Loaded.svelte"));
  assert.deepEqual(wrong.map(({ name }) => name), []);
});

/** The file of a screen. */
function entryOf(load: Route["load"]): string {
  const [, entry = ""] = /import\("\.\/([^"]+)"\)/.exec(String(load)) ?? [];
  return join("app", entry);
}

/** A file of the sources and all that it imports. */
function importedBy(path: string, found = new Set<string>()): Set<string> {
  const source = sources.find((source) => source.path === path);
  if (found.has(path) || !source) return found;
  found.add(path);
  for (const [, , name = ""] of source.text.matchAll(/^\s*import (?!type)([^;]*? from )?"(\.[^"]+)"/gm)) importedBy(normalize(join(path, "..", name)), found);
  return found;
}

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

/** Rights of keys are said by what they are about, and by what they allow there. */
test("every_permission_has_words", () => {
  const { Permission } = (contract as unknown as { components: { schemas: Record<string, { enum?: string[] }> } }).components.schemas;
  const needed = (Permission?.enum ?? []).map((permission) => permission.split(":"));
  assert.ok(needed.length > 50);
  for (const { body } of Object.values(words)) {
    const known = (id: string) => selectors(body.find((word) => word.id === id)?.value).flat();
    assert.deepEqual(needed.filter(([subject = "", right = ""]) => !known("key-subject").includes(subject) || !known("key-right").includes(right)), []);
  }
});

/** Words of the trade, which nobody in a shop understood. */
const FOREIGN = {
  en: [/\bgrounds?\b/i, /requested messages?/i, /\bown (?:call )?flow/i, /\bcooldown/i, /words and values/i, /unknown outcome|outcome unknown/i, /outcome of (?:a|the) call is not known/i, /fixed by the plan/i, /than expected/i, /\bopt-in/i],
  ar: [/الأساس|لا أساس/, /الرسائل المطلوبة/, /مسارك الخاص/, /التهدئة/, /الكلمات والقيم/, /نتيجتها غير معروفة|نتيجة المكالمة غير معروفة/, /تحدده الباقة/, /غير المتوقع/],
};

test("words_are_those_of_a_shop", () => {
  for (const [language, foreign] of Object.entries(FOREIGN)) {
    const said = words[language as keyof typeof words].body.flatMap(({ id, value }) => textsIn(value).map((text) => ({ id, text })));
    assert.ok(said.length > 1000);
    assert.deepEqual(said.filter(({ text }) => foreign.some((word) => word.test(text))), [], language);
  }
});

/** What a message says, without the names of its variables. */
function textsIn(part: unknown): string[] {
  if (typeof part === "string") return [part];
  if (Array.isArray(part)) return part.flatMap(textsIn);
  if (typeof part !== "object" || part === null) return [];
  if ("variants" in part) return textsIn(part.variants);
  return "value" in part ? textsIn(part.value) : [];
}

/** Faults that another text would not mend: they are about what there is, and say what it is. */
const OF_STATE = ["unknown", "given_twice", "too_large", "reserved", "taken", "not_found", "not_connected", "not_applicable", "rings_itself", "fixed", "excludes", "requires", "wrong_order", "overlaps", "in_past", "in_future", "not_permitted", "wrong_secret", "shortened", "extension", "unknown_range", "is_contact", "erased", "deleted", "several", "damaged", "more_cells", "no_person", "workbook"];
/** Fields whose text nobody can invent: what a person keeps to themselves, times and days that are picked, and accounts, of whose ids the API names an example. */
const WITHOUT = [/^(?:current_)?password$|^(?:recovery_)?code$/, /^(?:at|from|to|on|maximum|starts_at|starts_at_local|send_window)$/, /^(?:account_sid|phone_number_id|waba_id|auth_id|api_key|messaging_service_sid|application_id)$/];

test("every_refusal_of_a_field_names_an_example", () => {
  const ids = words.en.body.map(({ id }) => id);
  const faults = contract["x-codes"].faults.map(({ code }) => code);
  assert.deepEqual([...WRITTEN, ...OF_STATE].filter((code) => !faults.includes(code)), []);
  // The others have one among their facts, or bounds.
  const bare = words.en.body.filter(({ id, value }) => id.startsWith("fault-") && id !== "fault-example" && !/"(?:example|one|other|whole|minimum|maximum)"/.test(JSON.stringify(value)));
  const told = ["negative", "weak_password", "no_prices", "day"];
  assert.deepEqual(bare.map(({ id }) => id.replace("fault-", "")).filter((code) => ![...WRITTEN, ...OF_STATE, ...told].includes(code)), []);
  const kinds = [...readFileSync("app/screens/settings/kinds.ts", "utf8").matchAll(/\{ name: "([\w.]+)"(?!.*choices)/g)].map(([, name = ""]) => name);
  const written = sources.flatMap(({ text }) => [...text.matchAll(/<(?:Field|TextField|Texts)\s(?:[^>]|=>)*?\bnames?=(?:"([^"]+)"|\{\["([^"]+)")/g)].map(([, one, other]) => one ?? other ?? ""));
  const fields = [...written, ...kinds, "stop_words", "start_words"].map((name) => name.split(/[.[]/).filter((part) => !part.startsWith("{")));
  assert.ok(fields.length > 30);
  const silent = fields.filter((names) => names.length > 0 && !names.some((name) => ids.includes(`example-${name}`) || WITHOUT.some((known) => known.test(name)) || /number|_sender$|^phone$/.test(name)));
  assert.deepEqual(silent, []);
});

/** An example of a secret passes the check of its own field. */
test("examples_of_credentials_are_accepted", () => {
  const { schemas } = (contract as unknown as { components: { schemas: Record<string, { properties?: Record<string, { pattern?: string; minLength?: number }> }> } }).components;
  const of = (id: string, language: "en" | "ar") => textsIn(words[language].body.find((word) => word.id === id)?.value).join("");
  const names = [...readFileSync("app/screens/settings/kinds.ts", "utf8").matchAll(/name: "credentials\.([\w.]+)"/g)].map(([, name = ""]) => name.split(".").at(-1) ?? "");
  const checks = Object.entries(schemas).filter(([name]) => /Credentials$|ApiKey$/.test(name)).flatMap(([, { properties = {} }]) => names.flatMap((name) => (properties[name] ? [{ name, ...properties[name] }] : [])));
  assert.ok(checks.some(({ pattern }) => pattern) && checks.length > 10);
  for (const { name, pattern = "", minLength = 0 } of checks) {
    for (const language of ["en", "ar"] as const) {
      const example = of(`example-${name}`, language) || of("example-credentials", language);
      assert.ok(new RegExp(pattern).test(example) && example.length >= minLength, `${language}: ${name}`);
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
  const facts = { send_at: "none", channel: "واتساب", next_channel: "رسالة قصيرة", outcome: "مكالمة فائتة", rule: "x", whatsapp_problem: "none", sms_problem: "none" };
  const [two, five] = [2, 5].map((n) => say("duration-minute", { n })) as [string, string];
  assert.equal(say("reason-follow_up", { ...facts, delay_seconds: five, fallback_after_seconds: two }), "واتساب بعد 5 دقائق، ثم رسالة قصيرة إن لم تصل خلال دقيقتين: مكالمة فائتة، القاعدة «x»");
  for (const unit of ["second", "minute", "hour", "day"]) assert.match(say("set-up-try-took", { time: say(`duration-${unit}`, { n: 2 }) }), /ين$/);
  const text = textOf("ar");
  assert.deepEqual(text.match(/(?:بعد|خلال|بـ|قبل|منذ|نحو) ?\{ \$(?:\w*seconds|delay|cooldown|time) \}/g), null);
});

/** Only quiet hours make a decision name a time. */
test("decisions_name_the_quiet_hours_that_they_wait_for", () => {
  for (const [language, quiet] of [["en", "at 23:00 (quiet hours)"], ["ar", "في 23:00 (ساعات الهدوء)"]] as const) {
    const bundle = new FluentBundle(language, { functions, useIsolating: false });
    bundle.addResource(words[language]);
    const none = Object.fromEntries(["delay_seconds", "next_channel", "fallback_after_seconds", "whatsapp_problem", "sms_problem"].map((name) => [name, "none"]));
    for (const id of ["reason-follow_up", "reason-planned"]) {
      const said = bundle.formatPattern(bundle.getMessage(id)?.value ?? "", { ...none, channel: "SMS", send_at: "23:00", outcome: "x", rule: "y" });
      assert.ok(said.startsWith(`SMS ${quiet}`), said);
    }
  }
});

/** Hours of promotion are told as quiet hours, with their country. */
test("each_rule_of_countries_for_sms_has_words_of_its_own", () => {
  const rules = contract.components.schemas.SmsRule.enum;
  for (const [language, { body }] of Object.entries(words)) {
    const keys = (name: string) => selectors(body.find(({ id }) => id === name)?.value)[0]?.toSorted();
    assert.deepEqual(keys("rules-confirmed-rule"), [...rules, "other"].toSorted(), language);
    assert.deepEqual(keys("reason-country_rule"), [...rules.filter((rule) => rule !== "promotion_hours"), "other"].toSorted(), language);
    assert.deepEqual(keys("reason-quiet_hours"), ["none", "other"], language);
  }
});

function selectors(part: unknown): string[][] {
  if (typeof part !== "object" || part === null) return [];
  const own = "type" in part && part.type === "select" && "variants" in part && Array.isArray(part.variants)
    ? [part.variants.map(({ key }: { key: { value: unknown } }) => String(key.value))]
    : [];
  return [...own, ...Object.values(part).flatMap(selectors)];
}
