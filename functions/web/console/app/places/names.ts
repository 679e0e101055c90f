/** Names of countries and languages as people write them, in the languages of the console, and by their codes. */
import { withoutMarks } from "../ui/digits.ts";

/** A choice and its names: the first one is shown. */
export interface Named {
  code: string;
  names: string[];
}

/** A name as it is compared: without case, accents, points and articles, and with one form of Arabic letters. */
export function folded(text: string): string {
  const letters = withoutMarks(text).normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().replace(/[أإآٱ]/g, "ا").replace(/ى/g, "ي").replace(/ة/g, "ه").replace(/ـ/g, "");
  return letters.replace(/[^\p{L}\p{N}]+/gu, " ").trim().replace(/(?<=^| )(?:ال|the )(?=\p{L})/gu, "");
}

/** The choice that a text names: by its code, a whole name, or words with which only its names begin. */
export function find(choices: Named[], text: string): Named | undefined {
  const sought = folded(text);
  if (sought === "") return undefined;
  const known = choices.map((choice) => ({ choice, names: choice.names.map(folded) }));
  const exact = known.find(({ choice }) => choice.code.toLowerCase() === text.trim().toLowerCase()) ?? known.find(({ names }) => names.includes(sought));
  if (exact || sought.length < 3) return exact?.choice;
  const begins = (name: string) => sought.split(" ").every((word) => name.split(" ").some((part) => part.startsWith(word)));
  const found = known.filter(({ names }) => names.some(begins));
  return found.length === 1 ? found[0]?.choice : undefined;
}

/** The choices with names in these languages, in the order of the first one's alphabet. */
export function named(codes: string[], type: "region" | "language", locales: string[], also: Record<string, string[]>): Named[] {
  const [shown = "en"] = locales;
  const sources = locales.flatMap((locale) => (["long", "short"] as const).map((style) => new Intl.DisplayNames(locale, { type, style })));
  const choices = codes.map((code) => ({ code, names: [...new Set([...sources.map((source) => source.of(code) ?? code), ...(also[code] ?? [])])] }));
  const { compare } = new Intl.Collator(shown);
  return choices.sort((one, other) => compare(one.names[0] ?? "", other.names[0] ?? ""));
}
