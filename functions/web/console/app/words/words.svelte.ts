/** The words of the console: those that all pages say, and those of an area from when a screen of it is opened. */
import { untrack } from "svelte";
import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { settings } from "../ui/settings.svelte.ts";
import type { Area } from "./areas.ts";
import { functions } from "./grammar.ts";
import { variablesOf } from "./variables.ts";

export type Values = Record<string, FluentVariable>;

/** Stands in place of a fact that is not known, so that a sentence can select on it. */
const MISSING = "none";

const FILES = import.meta.glob<string>("./*/*.ftl", { query: "?raw", import: "default" });

class Words {
  private bundle = $state.raw(new FluentBundle("en"));
  /** Files whose messages the bundle has. */
  private filled = new Set<FluentResource>();
  /** Variables of each message. */
  private variables = new Map<string, Set<string>>();
  private readonly areas = new Set<Area | "common">(["common"]);
  /** Areas whose words came, or will not. */
  private settled = $state.raw<readonly Area[]>([]);
  /** Areas that were asked for by what says them. */
  private readonly asked = new Set<Area>();
  private readonly files = new Map<string, Promise<FluentResource>>();
  /** Country of the tenant, on which the digits of Arabic depend. */
  country = $state<string | null>();

  /** Loads what is needed in the person's language, now with these areas, too. */
  async load(...areas: Area[]): Promise<void> {
    for (const area of areas) this.areas.add(area);
    // Whoever loads a screen does not begin anew when the language changes.
    const language = untrack(() => settings.language);
    const files = await Promise.all([...this.areas].map((area) => this.read(`./${language}/${area}.ftl`)));
    // Somebody who switches meanwhile gets the second choice, whichever file comes last.
    if (language !== settings.language) return this.load(...areas);
    const locale = this.locale();
    // The page is drawn again for other words only, and not for those of a screen that is not there yet.
    const isOther = this.bundle.locales[0] !== locale;
    const bundle = isOther ? new FluentBundle(locale, { functions }) : this.bundle;
    if (isOther) this.filled = new Set();
    for (const file of files.filter((file) => !this.filled.has(file))) {
      this.filled.add(file);
      bundle.addResource(file);
      for (const [id, names] of variablesOf(file)) this.variables.set(id, names);
    }
    this.bundle = bundle;
    this.settle(...areas);
  }

  /** Whether the words of an area are still to come. No screen names what it seldom says: that comes when it is said first, and is then drawn. */
  awaits(area: Area): boolean {
    if (this.settled.includes(area)) return false;
    if (!this.asked.has(area)) {
      this.asked.add(area);
      // Without them, there is the English of the API.
      this.load(area).catch(() => this.settle(area));
    }
    return true;
  }

  private settle(...areas: Area[]): void {
    const others = areas.filter((area) => !untrack(() => this.settled).includes(area));
    if (others.length > 0) this.settled = [...untrack(() => this.settled), ...others];
  }

  /** A file. To parse the largest takes a slow phone half a tenth of a second. */
  private read(path: string): Promise<FluentResource> {
    const known = this.files.get(path);
    if (known) return known;
    const file = Promise.resolve(FILES[path]?.() ?? "").then((text) => new FluentResource(text));
    this.files.set(path, file);
    // What does not come is asked for again.
    file.catch(() => this.files.delete(path));
    return file;
  }

  /** Locale of texts: in Arabic, digits are those of the person's choice, or of the region. */
  locale(): string {
    if (settings.language === "en") return "en-GB";
    const region = this.country ? `ar-${this.country}` : "ar";
    const digits = { auto: this.country ? "" : "-u-nu-latn", latin: "-u-nu-latn", arabic: "-u-nu-arab" };
    return region + digits[settings.numerals];
  }

  has(id: string): boolean {
    return this.bundle.hasMessage(id);
  }

  say(id: string, values: Values = {}): string {
    const pattern = this.bundle.getMessage(id)?.value;
    if (!pattern) return id;
    const known: Values = { ...values };
    for (const name of this.variables.get(id) ?? []) known[name] ??= MISSING;
    return this.bundle.formatPattern(pattern, known, []);
  }
}

export const words = new Words();

/** A text by its id, such as `t("calls-empty")`. */
export function t(id: string, values?: Values): string {
  return words.say(id, values);
}
