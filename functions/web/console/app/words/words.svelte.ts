/** The words of the console: one bundle of `en.ftl` or `ar.ftl`, loaded when a language is chosen. */
import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { settings, type Language } from "../ui/settings.svelte.ts";
import { functions } from "./grammar.ts";
import { variablesOf } from "./variables.ts";

export type Values = Record<string, FluentVariable>;

/** Stands in place of a fact that is not known, so that a sentence can select on it. */
const MISSING = "none";

const FILES = { en: () => import("./en.ftl?raw"), ar: () => import("./ar.ftl?raw") };

interface File {
  resource: FluentResource;
  /** Variables of each message. */
  variables: Map<string, Set<string>>;
}

function parsed(text: string): File {
  const resource = new FluentResource(text);
  return { resource, variables: variablesOf(resource) };
}

class Words {
  private bundle = $state.raw(new FluentBundle("en"));
  private variables: File["variables"] = new Map();
  private readonly files: Partial<Record<Language, File>> = {};
  /** Country of the tenant, on which the digits of Arabic depend. */
  country = $state<string | null>();

  async load(language: Language): Promise<void> {
    const { resource, variables } = await this.read(language);
    // Somebody who switches twice gets the second choice, whichever file comes last.
    if (language !== settings.language) return;
    const locale = this.locale(language);
    // The page would be drawn again for the same words.
    if (this.bundle.locales[0] === locale) return;
    const bundle = new FluentBundle(locale, { functions });
    bundle.addResource(resource);
    this.variables = variables;
    this.bundle = bundle;
  }

  /** The file of a language. To parse it takes a slow phone a tenth of a second. */
  private async read(language: Language): Promise<File> {
    const { default: text } = await FILES[language]();
    return (this.files[language] ??= parsed(text));
  }

  /** Locale of texts: in Arabic, digits are those of the person's choice, or of the region. */
  locale(language: Language = settings.language): string {
    if (language === "en") return "en-GB";
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
