/** Times, numbers and names for people. Tables, times and phones always have the digits 0 to 9. */
import { unitDigits } from "../ui/digits.ts";
import { settings } from "../ui/settings.svelte.ts";
import { t, words } from "./words.svelte.ts";
import { zone } from "./zone.svelte.ts";

type Part = "time" | "day" | "full";

const PARTS: Record<Part, Intl.DateTimeFormatOptions> = {
  time: { hour: "2-digit", minute: "2-digit" },
  day: { weekday: "short", day: "numeric", month: "short" },
  full: { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", second: "2-digit" },
};

const cache = new Map<string, Intl.DateTimeFormat>();

function formatter(part: Part, timeZone: string, year: boolean): Intl.DateTimeFormat {
  const key = [part, timeZone, words.locale(), settings.clock, year].join(" ");
  let found = cache.get(key);
  if (!found) {
    const hours = { auto: {}, "12h": { hour12: true }, "24h": { hour12: false } }[settings.clock];
    const locale = new Intl.Locale(words.locale(), { numberingSystem: "latn", calendar: "gregory" });
    const options = { ...PARTS[part], ...(part === "day" ? {} : hours), ...(year ? { year: "numeric" as const } : {}), timeZone };
    found = new Intl.DateTimeFormat(locale, options);
    cache.set(key, found);
  }
  return found;
}

/** A moment in the tenant's time zone. */
export function moment(iso: string, part: Part): string {
  return formatter(part, zone.name, part !== "time" && isOtherYear(iso)).format(new Date(iso));
}

/** A day that is a date already, such as 2026-11-20. */
export function day(date: string): string {
  return formatter("day", "UTC", isOtherYear(date)).format(new Date(`${date}T12:00:00Z`));
}

/** A date of another year says so. */
function isOtherYear(iso: string): boolean {
  return new Date(iso).getFullYear() !== new Date().getFullYear();
}

/** Day and time, or only the time if it is today. */
export function shortly(iso: string): string {
  const today = moment(new Date().toISOString(), "day");
  const then = moment(iso, "day");
  return then === today ? moment(iso, "time") : `${then} ${moment(iso, "time")}`;
}

export function number(value: number): string {
  return new Intl.NumberFormat(words.locale()).format(value);
}

/** A number of a table. */
export function digits(value: number): string {
  return new Intl.NumberFormat(latin()).format(value);
}

export function percent(part: number, whole: number): string {
  return new Intl.NumberFormat(words.locale(), { style: "percent" }).format(whole === 0 ? 0 : part / whole);
}

/** A size of a file. */
export function size(bytes: number): string {
  const [value, unit] = bytes < 1_048_576 ? [Math.max(1, Math.round(bytes / 1024)), "kilobyte"] : [Math.round(bytes / 104_857.6) / 10, "megabyte"];
  return new Intl.NumberFormat(words.locale(), { style: "unit", unit }).format(value);
}

/** An amount of money, with as many digits as it has: parts of a cent count. */
export function money(amount: string, currency: string): string {
  const minimumFractionDigits = Math.min(Math.max(amount.split(".")[1]?.length ?? 0, unitDigits(currency)), 6);
  const options = { style: "currency", currency, currencyDisplay: "narrowSymbol", minimumFractionDigits, maximumFractionDigits: minimumFractionDigits } as const;
  const parts = new Intl.NumberFormat(latin(), options).formatToParts(Number(amount));
  // Between Arabic words, the letters of "US$" would be torn from its sign.
  const isolated = (symbol: string) => (/[A-Z]/.test(symbol) ? `\u2066${symbol}\u2069` : symbol);
  return parts.map(({ type, value }) => (type === "currency" ? isolated(value) : value)).join("");
}

/** An amount in the smallest unit of its currency. */
export function minor(amount: number, currency: string): string {
  const digits = unitDigits(currency);
  return money((amount / 10 ** digits).toFixed(digits), currency);
}

function latin(): Intl.Locale {
  return new Intl.Locale(words.locale(), { numberingSystem: "latn" });
}

/** A length of time in its largest whole unit, such as "2 min" or "24 h". */
export function duration(seconds: number): string {
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]] as const) {
    if (seconds >= size && seconds % size === 0 && !(unit === "day" && seconds < 2 * size)) {
      return t(`duration-${unit}`, { n: seconds / size });
    }
  }
  return seconds > 120 ? t("duration-minute", { n: Math.round(seconds / 60) }) : t("duration-second", { n: seconds });
}

export function list(items: string[], type: "conjunction" | "disjunction" = "conjunction"): string {
  return new Intl.ListFormat(words.locale(), { type }).format(items);
}

export function country(code: string): string {
  return new Intl.DisplayNames(words.locale(), { type: "region" }).of(code) ?? code;
}

/** A currency by its code and name. */
export function currencyName(code: string): string {
  return `${code} – ${new Intl.DisplayNames(words.locale(), { type: "currency" }).of(code) ?? code}`;
}

export function language(tag: string): string {
  try {
    return new Intl.DisplayNames(words.locale(), { type: "language" }).of(tag) ?? tag;
  } catch {
    return tag;
  }
}
