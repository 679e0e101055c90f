/** Caps by their names, such as `day.tenant.follow_up` or `month.IN.any.USD`. */
import type { components } from "../../api/contract.d.ts";
import { unitDigits } from "../../ui/digits.ts";
import { Refused, type Fault } from "../../api/problem.ts";
import { readAmount, readWhole, type Reading } from "../../numbers/numbers.ts";
import { country, digits, minor } from "../../words/formats.ts";
import { t } from "../../words/words.svelte.ts";

export type Cap = components["schemas"]["Cap"];

export const PERIODS = ["hour", "day", "month"] as const;
export const PURPOSES = ["any", "follow_up", "api", "reply", "auto_reply", "one_time_code"] as const;

export interface Typed {
  period: string;
  /** Where it applies: `tenant`, `abroad`, `country` or the id of a line. */
  place: string;
  country: string;
  purpose: string;
  /** Empty for a number of messages. */
  currency: string;
  maximum: string;
}

export function nameOf({ period, place, country: code, purpose, currency }: Typed): string {
  return [period, place === "country" ? code.trim().toUpperCase() : place, purpose, ...(currency ? [currency.trim().toUpperCase()] : [])].join(".");
}

export function typedOf(cap: Cap): Typed {
  const { period, country: code, line_id, scope, purpose, currency, maximum } = cap;
  const unit = currency ? unitDigits(currency) : 0;
  const amount = (maximum / 10 ** unit).toFixed(unit).replace(/\.0+$/, "");
  return { period, place: code ? "country" : (line_id ?? scope), country: code ?? "", purpose: purpose ?? "any", currency: currency ?? "", maximum: amount };
}

/** The maximum as it is sent, in the smallest unit of a currency. */
export function maximumOf({ currency, maximum }: Typed): Reading {
  return currency ? readAmount(maximum, currency.trim().toUpperCase()) : readWhole(maximum);
}

/** The refusal with faults of the form's fields in place of those of the name, which nobody has typed. */
export function atFields(refused: Refused, wanted: Typed): Refused {
  const errors = refused.errors.map((fault) => (fault.field === "cap" ? { ...fault, ...placeOfFault(fault, wanted) } : fault));
  return new Refused(refused.status, { ...refused.problem, errors });
}

function placeOfFault({ code, facts }: Fault, { currency, place }: Typed): Pick<Fault, "field" | "code" | "facts"> {
  if (code === "not_found" && facts.id === currency) return { field: "currency", code: "no_prices", facts: {} };
  return { field: place === "country" ? "country" : "place", code: code === "format" ? "not_one_of" : code, facts: {} };
}

/** A number of messages or an amount of money. */
export function amountOf(cap: Cap, amount: number): string {
  return cap.currency ? minor(amount, cap.currency) : digits(amount);
}

export function titleOf(cap: Cap): string {
  return t("cap-title", { purpose: t(`cap-purpose-${cap.purpose ?? "any"}`), currency: cap.currency ?? "none", period: cap.period });
}

export function placeOf(cap: Cap, lineName: (id: string) => string): string {
  if (cap.line_id) return lineName(cap.line_id);
  return cap.country ? country(cap.country) : t(`cap-scope-${cap.scope}`);
}
