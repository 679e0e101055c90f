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

/** Those whom a note still names, of all who were put into it. */
export function mentionsIn(note: string, people: readonly { id: string; name: string }[]): string[] {
  return [...new Set(people.filter(({ name }) => note.includes(`@${name}`)).map(({ id }) => id))].slice(0, 10);
}
