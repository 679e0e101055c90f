/** Sentences for what the API says in codes: problems, faults of fields, reasons. Their facts become words of the language. */
import type { Facts, Fault, Refused } from "../api/problem.ts";
import { country, duration, language, list, shortly } from "./formats.ts";
import { sourceName } from "../ui/texts.ts";
import { settings } from "../ui/settings.svelte.ts";
import type { Area } from "./areas.ts";
import { WRITTEN } from "./faults.ts";
import { t, words, type Values } from "./words.svelte.ts";

export interface Reason {
  code: string | null;
  facts: Facts;
  /** The English sentence of the API, for codes that are newer than the console. */
  sentence?: string | null;
}

/** The reason as a sentence of its own. */
export function reasonOf(reason: Reason): string {
  return capital(phraseOf(reason));
}

/** The reason as a part of a sentence. */
export function phraseOf({ code, facts, sentence }: Reason): string {
  const id = `reason-${code}`;
  if (awaits(id, "reasons", facts)) return "";
  return words.has(id) && code !== "other" ? part(t(id, values(facts))) : (sentence ?? t("reason-other"));
}

/** Whether the words of a code, and of the problem that it names, are still to come. */
function awaits(id: string, area: Area, facts: Facts): boolean {
  return (!words.has(id) && words.awaits(area)) || (typeof facts.problem === "string" && words.awaits("faults"));
}

/** A phrase of ours inside another one. It may begin with a name, which must not decide its direction. */
function part(phrase: string): string {
  return settings.language === "ar" ? `\u200f${phrase}` : phrase;
}

/** A fault of a field. */
export function faultOf({ field, code, facts, detail }: Fault): string {
  const id = `fault-${code}`;
  if (awaits(id, "faults", facts)) return "";
  const said = words.has(id) && code !== "invalid" ? t(id, values(facts)) : detail;
  const example = WRITTEN.includes(code) && facts.example === undefined ? exampleOf(field) : undefined;
  return example ? t("fault-example", { said, example }) : said;
}

/** What is written in a field, such as `then.sms_text.en`. */
function exampleOf(field: string): string | undefined {
  const id = field.split(/[.[]/).map((name) => `example-${name}`).findLast((id) => words.has(id));
  return id && t(id);
}

/** A problem, with the reason that it names. */
export function sentenceOf({ kind, problem }: Refused): string {
  if (problem.code) return reasonOf({ code: problem.code, facts: problem.facts ?? {}, sentence: problem.detail });
  const id = `problem-${kind}`;
  if (awaits(id, "faults", problem.facts ?? {})) return "";
  return words.has(id) ? t(id, values(problem.facts ?? {})) : (problem.detail ?? t("problem-internal"));
}

function values(facts: Facts): Values {
  const known: Values = {};
  for (const [name, value] of Object.entries(facts)) known[name] = word(name, value);
  for (const channel of ["whatsapp", "sms"]) {
    const code = facts[`${channel}_problem`];
    if (typeof code === "string") known[`${channel}_problem`] = part(t(`reason-${code}`, values(inner(facts, `${channel}_`))));
  }
  if (typeof facts.problem === "string") known.problem = t(`fault-${facts.problem}`, {});
  return known;
}

/** Facts of a reason inside another one. */
function inner(facts: Facts, prefix: string): Facts {
  const own = Object.entries(facts).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}

function word(name: string, value: Facts[string]): string | number {
  if (Array.isArray(value)) return list(value.map((item) => String(word(name, item))));
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (name === "provider_code") return String(value);
  if (typeof value === "number") return name.endsWith("seconds") ? duration(value) : value;
  if (name.endsWith("_at")) return shortly(value);
  if (name === "country") return country(value);
  if (name === "language") return language(value);
  if (name === "source") return sourceName(value);
  // Between Arabic words, its plus would stand behind a number.
  if (/^\+\d/.test(value)) return `\u2066${value}\u2069`;
  const id = `fact-${name.replace("next_", "")}-${value}`;
  return words.has(id) ? t(id) : value;
}

export function capital(text: string): string {
  return text.replace(/^\P{L}*\p{Ll}/u, (begin) => begin.toUpperCase());
}
