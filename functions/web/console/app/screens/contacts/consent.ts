/** Wishes of a contact, and their record, in words. */
import type { components } from "../../api/contract.d.ts";
import { t, words } from "../../words/words.svelte.ts";
import { zone } from "../../words/zone.svelte.ts";

type Entry = components["schemas"]["ConsentEntryOut"];

/** What was agreed to or refused. */
export function saidOf({ choice, channel, category }: Pick<Entry, "choice" | "channel" | "category">): string {
  return t("consent-said", { choice, channel: channel ?? "all", category: category ?? "all" });
}

/** A moment in a document, which is read in other years and places, too. */
export function stampOf(iso: string): string {
  const locale = new Intl.Locale(words.locale(), { numberingSystem: "latn", calendar: "gregory" });
  return new Intl.DateTimeFormat(locale, { dateStyle: "long", timeStyle: "long", timeZone: zone.name }).format(new Date(iso));
}
