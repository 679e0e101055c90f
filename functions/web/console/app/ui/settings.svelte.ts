/** Language, theme and forms of a person. They live in the document, and in a cookie from which the server draws the first frame. */
import type { components } from "../api/contract.d.ts";

export type Language = "en" | "ar";
/** The languages of pages and mails, by their own names. */
export const LANGUAGES: Record<Language, string> = { en: "English", ar: "العربية" };
export type Theme = components["schemas"]["Theme"];
export type Preferences = components["schemas"]["InterfacePreferences"];

const COOKIE = /(?:^|; )rb_ui=(en|ar)\.(light|dark|system)(?:;|$)/;

class Settings {
  language = $state<Language>("en");
  theme = $state<Theme>("system");
  numerals = $state<NonNullable<Preferences["numerals"]>>("auto");
  clock = $state<NonNullable<Preferences["clock"]>>("auto");
  sendKey = $state<NonNullable<Preferences["send_key"]>>("enter");

  constructor() {
    const root = document.documentElement;
    const [, language, theme] = COOKIE.exec(document.cookie) ?? [];
    this.language = languageOf(language ?? root.lang);
    this.theme = (theme ?? root.dataset.theme ?? "system") as Theme;
    this.apply();
  }

  /** Takes what the person has set on any device. */
  adopt(account: { language: string; preferences: Preferences }): void {
    const { language, theme, numerals, clock, density, send_key } = account.preferences;
    this.language = languageOf(language ?? account.language);
    this.theme = theme ?? "system";
    this.numerals = numerals ?? "auto";
    this.clock = clock ?? "auto";
    this.sendKey = send_key ?? "enter";
    document.documentElement.dataset.density = density ?? "regular";
    this.apply();
  }

  set(change: { language?: Language; theme?: Theme }): void {
    this.language = change.language ?? this.language;
    this.theme = change.theme ?? this.theme;
    this.apply();
  }

  private apply(): void {
    const root = document.documentElement;
    root.lang = this.language;
    root.dir = this.language === "ar" ? "rtl" : "ltr";
    root.dataset.theme = this.theme;
    document.cookie = `rb_ui=${this.language}.${this.theme}; path=/; max-age=31536000; samesite=lax`;
  }
}

export function languageOf(tag: string): Language {
  return tag.toLowerCase().startsWith("ar") ? "ar" : "en";
}

export const settings = new Settings();
