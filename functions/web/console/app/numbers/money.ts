/** Amounts of money as people type them, and as the API has them. */
import type { components } from "../api/contract.d.ts";
import { refusalOf, type Fault } from "../api/problem.ts";
import { unitDigits } from "../ui/digits.ts";
import { readAmount } from "./numbers.ts";

type Price = components["schemas"]["Price"];

/** Currencies of countries whose shops are likely to choose one first. */
const OF_COUNTRY: Record<string, string> = { AE: "AED", BH: "BHD", EG: "EGP", GB: "GBP", IN: "INR", JO: "JOD", KW: "KWD", LB: "LBP", MA: "MAD", OM: "OMR", QA: "QAR", SA: "SAR" };

/** The currency in which a business of this country is likely to count. */
export function currencyOf(country: string | null | undefined): string {
  return OF_COUNTRY[country ?? ""] ?? "USD";
}

/** The amount that was typed, in the smallest unit of its currency. It is `null` if nothing was, or if it cannot be read, which is a fault then. */
export function readPrice(field: string, typed: string, currency: string, faults: Fault[]): Price | null {
  if (typed.trim() === "") return null;
  const reading = readAmount(typed, currency);
  if ("value" in reading) return { amount: reading.value, currency };
  faults.push({ ...reading.fault, field });
  return null;
}

/** The only amount of a form, which is refused if it cannot be read. */
export function priceIn(field: string, typed: string, currency: string): Price | null {
  const faults: Fault[] = [];
  const price = readPrice(`${field}.amount`, typed, currency, faults);
  if (faults.length > 0) throw refusalOf(faults);
  return price;
}

/** The amount as it is typed. */
export function amountOf(price: Price | null | undefined): string {
  if (!price) return "";
  const digits = unitDigits(price.currency);
  return (price.amount / 10 ** digits).toFixed(digits);
}
