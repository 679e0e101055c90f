/** Texts to customers: in one language for all, or in several, with values that are filled in. */
import { t, words } from "../words/words.svelte.ts";

export type Text = string | Record<string, string> | null | undefined;

/** Texts by language. One text for all is that of the first language. */
export function textsOf(text: Text, first: string): Record<string, string> {
  return typeof text === "string" ? { [first]: text } : { ...(text ?? {}) };
}

/** The texts as they are sent: one for all if there is only that of the first language. */
export function textOf(texts: Record<string, string>, first: string): Text {
  const written = Object.entries(texts).filter(([, text]) => text.trim() !== "");
  if (written.length === 0) return null;
  return written.length === 1 && written[0]?.[0] === first ? written[0][1] : Object.fromEntries(written);
}

const CONTACT = ["contact.first_name", "contact.name", "contact.phone", "tenant.name"];
const CALL = ["call.number", "call.time", "call.date", "call.outcome"];
const LINK = "preferences.link";

/** Values that texts can have, with those of the business. Only what follows a call can speak of it. */
export function sourcesOf(variables: Record<string, string>, { ofCall }: { ofCall: boolean }): string[] {
  return [...CONTACT, ...(ofCall ? CALL : []), LINK, ...Object.keys(variables).map((name) => `tenant.${name}`)];
}

/** Whether it is a name of the customer, which nobody may know yet. */
export function isName(source: string): boolean {
  return source === "contact.first_name" || source === "contact.name";
}

/** What customers without a name are called, in a language that there is such a word for. */
export function unnamed(language: string): string {
  return t("text-unnamed", { language: language.split(/[-_]/)[0] ?? language });
}

export function sourceName(source: string): string {
  const id = `source-${source.replace(".", "-")}`;
  if (words.has(id)) return t(id);
  return source.startsWith("tenant.") ? t("source-tenant", { name: source.slice("tenant.".length) }) : source;
}
