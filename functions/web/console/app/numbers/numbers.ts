/** Numbers and amounts as people write them, in either language. What can mean two things is refused, with both as an example. */
import type { Fault } from "../api/problem.ts";
import { latinDigits, unitDigits, withoutMarks } from "../ui/digits.ts";

/** A number in its smallest unit, such as cents; or what is wrong with the text, which lacks only the name of the field. */
export type Reading = { value: number } | { fault: Omit<Fault, "field"> };

/** Maximum of the smallest units. */
const LARGEST = 1_000_000_000;

/** What people write for a currency, beside its code and the signs that browsers know. */
const SIGNS: Record<string, string[]> = {
  AED: ["dh", "dhs", "dirham", "dirhams", "درهم"], BHD: ["bd"], EGP: ["le"], INR: ["rs"], JOD: ["jd"], KWD: ["kd"], OMR: ["ro"], QAR: ["qr"], SAR: ["sr", "ريال"], TND: ["dt"],
  USD: ["dollar", "dollars", "usdollar", "usdollars", "دولار"],
};

/** Separators that stand only between groups of digits. `٫` only begins a fraction; comma and point do either. */
const GROUPING = ["'", " ", "٬"];

/** A number without a fraction. */
export function readWhole(text: string): Reading {
  return read(text, 0);
}

/** A number with at most two digits after the point, in hundredths. */
export function readHundredths(text: string): Reading {
  return read(text, 2);
}

/** An amount in the smallest unit of its currency, whose sign or code may stand before or after it. */
export function readAmount(text: string, currency: string): Reading {
  return read(text, unitDigits(currency), currency);
}

function read(text: string, digits: number, currency?: string): Reading {
  const written = plain(text);
  if (written === "") return fault("required", {});
  const example = digits === 0 ? "1500" : `1500.${"5".padEnd(digits, "0")}`;
  // A fraction may have nothing before its point, which is none of an abbreviation, and may be left out: 20.-
  const found = /^(\D*?)((?:(?<!\p{L})[.,٫])?\d(?:.*\d)?)([.,/]-)?(\D*)$/u.exec(written);
  if (!found) return fault("number", { example });
  const [, before = "", core = "", ended, after = ""] = found;
  if (/[-(]/.test(before) || after.startsWith("-")) return fault("negative", {});
  const signs = [before, after].map(signOf).filter((sign) => sign !== "");
  const known = currency ? signsOf(currency) : [];
  if (currency && signs.some((sign) => !known.includes(sign) && /^(\p{Sc}|[a-z]{3})$/u.test(sign))) return fault("other_currency", { currency, example });
  if (!signs.every((sign) => known.includes(sign))) return fault("number", { example });

  const parts = partsOf(core, ended ? 0 : digits);
  if (parts === "ambiguous") return fault("ambiguous", bothOf(core, digits));
  if (!parts) return fault("number", { example });
  const fraction = parts.fraction.replace(/0+$/, "");
  // Cents of nothing are often written, but three zeros are rather thousands.
  if (fraction.length > digits || parts.fraction.length > Math.max(digits, 2)) return fault(digits === 0 ? "not_whole" : "fraction", { example });
  const value = Number(parts.whole + fraction.padEnd(digits, "0"));
  return value > LARGEST ? fault("at_most", { maximum: LARGEST / 10 ** digits }) : { value };
}

/** The text with one form of each digit, space, comma, apostrophe and dash. */
function plain(text: string): string {
  const seen = withoutMarks(latinDigits(text)).replace(/[،，]/g, ",").replace(/[’‘`´]/g, "'").replace(/[\u2010-\u2015−]/g, "-");
  return seen.replace(/\s+/g, " ").trim();
}

/** The sign or code of a currency as it is compared. A code with a point is none: it may begin a fraction. */
function signOf(text: string): string {
  const sign = text.trim().toLowerCase();
  return /^[a-z]{3}\.$/.test(sign) ? sign : sign.replace(/[. ]/g, "");
}

function signsOf(currency: string): string[] {
  const signs = [currency, ...(SIGNS[currency] ?? [])];
  for (const locale of ["en", "ar"]) {
    for (const currencyDisplay of ["symbol", "narrowSymbol"] as const) {
      try {
        const parts = new Intl.NumberFormat(locale, { style: "currency", currency, currencyDisplay }).formatToParts(0);
        signs.push(...parts.filter(({ type }) => type === "currency").map(({ value }) => plain(value)));
      } catch {
        // The API says that there is no such currency.
      }
    }
  }
  return signs.map(signOf);
}

interface Parts {
  whole: string;
  fraction: string;
}

function partsOf(number: string, digits: number): Parts | "ambiguous" | null {
  if (!/^[.,٫]?\d+(?:[.,' ٬٫]\d+)*$/.test(number)) return null;
  const separators = number.replace(/\d/g, "");
  const last = separators.at(-1);
  if (last === undefined) return { whole: number, fraction: "" };
  const [before, after] = [number.slice(0, number.lastIndexOf(last)), number.slice(number.lastIndexOf(last) + 1)];
  const split = { whole: before || "0", fraction: after };

  if (separators.length === 1 && last === "٫") return split;
  if (separators.length === 1 && !GROUPING.includes(last)) {
    if (after.length !== 3 || /^0?$/.test(before) || (digits === 3 && last === ".")) return split;
    const group = grouped(number, last);
    return group && digits > 0 ? "ambiguous" : group;
  }
  const first = separators.charAt(0);
  if (new Set(separators).size === 1) return first === "٫" ? null : grouped(number, first);
  // Groups, and a fraction after another separator: 1,500.50 and 1.500,50.
  const groups = separators.slice(0, -1);
  if (GROUPING.includes(last) || first === "٫" || groups !== first.repeat(groups.length) || first === last) return null;
  const whole = grouped(before, first)?.whole;
  return whole ? { whole, fraction: after } : null;
}

/** Groups of three digits or, as in India, of two before the last one. */
function grouped(number: string, separator: string): Parts | null {
  const [first = "", ...rest] = number.split(separator);
  const threes = /^[1-9]\d{0,2}$/.test(first) && rest.every(({ length }) => length === 3);
  const twos = separator === "," && /^[1-9]\d?$/.test(first) && rest.every(({ length }, place) => length === (place === rest.length - 1 ? 3 : 2));
  return threes || twos ? { whole: first + rest.join(""), fraction: "" } : null;
}

/** What a number with three digits after its only separator can mean. */
function bothOf(number: string, digits: number): { whole: string; fraction: string } {
  const [first = "", last = ""] = number.split(/\D/);
  return { whole: first + last, fraction: `${first}.${last.slice(0, digits)}` };
}

function fault(code: string, facts: Fault["facts"]): Reading {
  return { fault: { code, detail: "", facts } };
}
