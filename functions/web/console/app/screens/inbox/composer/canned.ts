/** Canned replies, and other texts that are put in while somebody writes. */

type Texts = string | Record<string, string>;

/** A value in a text, with what stands there if it is not known. */
const VALUE = /\{\{\s*([^|}]*?)\s*(?:\|(.*?))?\}\}/gs;

/** The text in the first of these languages that it has: exactly, or by its primary part. */
export function inLanguage(texts: Texts, languages: readonly (string | null | undefined)[]): string {
  if (typeof texts === "string") return texts;
  const primary = (tag: string) => tag.split(/[-_]/)[0]?.toLowerCase();
  for (const wanted of languages) {
    if (!wanted) continue;
    const found = texts[wanted] ?? Object.entries(texts).find(([tag]) => primary(tag) === primary(wanted))?.[1];
    if (found !== undefined) return found;
  }
  return Object.values(texts)[0] ?? "";
}

/** The text with these values. Others stay as they are written, for the API. */
export function fill(text: string, values: Readonly<Record<string, string | null | undefined>>): string {
  return text.replace(VALUE, (whole, name: string) => {
    const value = values[name];
    // What looks like a value would become one.
    return value && !value.includes("{{") ? value : whole;
  });
}

/** Values of which nothing is known, and for which the text has no other word. */
export function missingIn(text: string): string[] {
  return [...new Set([...text.matchAll(VALUE)].filter(({ 2: otherwise }) => !otherwise).map(([whole]) => whole))];
}

/** What is written behind a sign before the cursor, such as the name of a canned reply behind `/`. */
export function askedBy(sign: "/" | "@", text: string, cursor: number): { from: number; word: string } | null {
  const found = new RegExp(`(?:^|\\s)${sign}([^\\s${sign}]{0,40})$`, "u").exec(text.slice(0, cursor));
  return found ? { from: cursor - (found[1]?.length ?? 0) - 1, word: (found[1] ?? "").toLowerCase() } : null;
}

/** Its first missing value, which is marked so that typing replaces it. */
function markIn(text: string): [from: number, to: number] | null {
  const from = text.search(/\{\{[^|}]*\}\}/);
  return from < 0 ? null : [from, text.indexOf("}}", from) + 2];
}

/** A text in which something is put in, and what is marked of it then. */
export function putIn(text: string, what: string, from: number, to: number): { text: string; mark: [from: number, to: number] } {
  const whole = text.slice(0, from) + what + text.slice(to);
  return { text: whole, mark: markIn(whole) ?? [from + what.length, from + what.length] };
}

/** The same in place of what was put in before, if it still stands there. Whoever writes on keeps the cursor where it is. */
export function refineIn(text: string, before: string, after: string, [start, end]: readonly [start: number, end: number]): ReturnType<typeof putIn> | null {
  const from = text.indexOf(before);
  if (before === after || from < 0) return null;
  const to = from + before.length;
  const put = putIn(text, after, from, to);
  if (start >= from && end <= to) return put;
  const moved = (at: number) => (at >= to ? at + after.length - before.length : Math.min(at, from + after.length));
  return { ...put, mark: [moved(start), moved(end)] };
}

/** The digit of a canned reply that this key puts in with Alt. `writes`: it is pressed in a text, where Alt may write another letter. */
export function digitOf({ altKey, code, ctrlKey, key, metaKey, repeat }: Pick<KeyboardEvent, "altKey" | "code" | "ctrlKey" | "key" | "metaKey" | "repeat">, writes: boolean): number | null {
  const digit = /^Digit([1-9])$/.exec(code)?.[1];
  if (!digit || !altKey || ctrlKey || metaKey || repeat) return null;
  return writes && key !== digit ? null : Number(digit);
}

/** Most people whom a note mentions. */
const MOST = 10;

interface Person {
  id: string;
  name: string;
}

/** How often a note names each of them. `@Sara Ali` names no Sara, and neither does `@Sarah`. */
function namesIn(note: string, people: readonly Person[]): Map<string, number> {
  const names = [...new Set(people.map(({ name }) => name))].filter(Boolean).sort((one, other) => other.length - one.length);
  const counts = new Map<string, number>();
  for (const { index } of note.matchAll(/@/g)) {
    const rest = note.slice(index + 1);
    const name = names.find((name) => rest.startsWith(name) && !/^[\p{L}\p{M}\p{N}]/u.test(rest.slice(name.length)));
    if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}

/** Those whom a note still names, of all who were put into it. */
export function mentionsIn(note: string, people: readonly Person[]): string[] {
  const names = namesIn(note, people);
  return [...new Set(people.filter(({ name }) => names.has(name)).map(({ id }) => id))].slice(0, MOST);
}

/** Whom a changed note mentions: whoever it did, unless their name is taken out, and those who are named anew, if only one person has the name. */
export function mentionsAfter(note: string, before: { text: string; mentions?: readonly string[] }, people: readonly (Person & { attends: boolean })[]): string[] {
  const { mentions = [] } = before;
  const [old, now] = [namesIn(before.text, people), namesIn(note, people)];
  const gone = new Set(people.filter(({ name }) => old.has(name) && !now.has(name)).map(({ id }) => id));
  const added = people.filter(({ attends, name }) => attends && (now.get(name) ?? 0) > (old.get(name) ?? 0));
  const alone = added.filter(({ id, name }) => !added.some((other) => other.id !== id && other.name === name));
  return [...new Set([...mentions.filter((id) => !gone.has(id)), ...alone.map(({ id }) => id)])].slice(0, MOST);
}
