/** Languages: their names, also in the language itself. */
import { find, named, type Named } from "./names.ts";

/** Those that customers of a business often speak, first. */
export const USUAL = ["en", "ar", "hi", "ur", "fr", "es", "fil", "ru"];

const ALSO: Record<string, string[]> = { fa: ["Farsi"], fil: ["Tagalog", "Pilipino"], zh: ["Mandarin"], he: ["Hebrew"] };

/** Languages of two letters, and those of three that people ask for. */
function codes(): string[] {
  const known = new Intl.DisplayNames("en", { type: "language", fallback: "none" });
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const two = letters.flatMap((one) => letters.map((other) => one + other));
  return [...two.filter((code) => known.of(code) !== undefined && Intl.getCanonicalLocales(code)[0] === code), "fil"].filter((code) => code !== "tl");
}

export function languages(locale: string): Named[] {
  return named(codes(), "language", [locale, "en", "ar"], ALSO).map(({ code, names }) => ({ code, names: [...names, new Intl.DisplayNames(code, { type: "language" }).of(code) ?? code] }));
}

/** The languages that a text names, as in "English, Arabic", or nothing if it names others as well. */
export function languagesOf(text: string, known: Named[]): string[] | null {
  const words = text.split(/[,،;/&]|\s+(?:and\s+|و\s+|و(?=ال))/u).map((word) => word.trim()).filter(Boolean);
  const found = words.map((word) => find(known, word)?.code ?? (/^[a-z]{2,3}(?:[-_][A-Z][A-Za-z]{1,3})?$/.test(word) && word.length > 3 ? word : undefined));
  return found.includes(undefined) || found.length === 0 ? null : [...new Set(found.filter((code) => code !== undefined))];
}
