/** Numbers and amounts are read as people write them, or refused with what to write instead. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { unitDigits } from "../app/ui/digits.ts";
import { readAmount, readHundredths, readWhole, type Reading } from "../app/numbers/numbers.ts";

function told(reading: Reading): number | string {
  if ("value" in reading) return reading.value;
  const { code, facts } = reading.fault;
  return [code, ...Object.values(facts)].join(" ");
}

const COUNTS: [string, number | string][] = [
  ["1500", 1500], ["0", 0], ["007", 7], [" 1500 ", 1500],
  // Digits of other keyboards, and marks that pasted numbers bring along.
  ["١٥٠٠", 1500], ["۱۵۰۰", 1500], ["\u200f١٥٠٠\u200e", 1500], ["\ufeff1500", 1500],
  // Groups.
  ["1,500", 1500], ["1.500", 1500], ["1 500", 1500], ["1\u00a0500", 1500], ["1\u202f500", 1500], ["1\u2009500", 1500], ["1'500", 1500], ["1’500", 1500],
  ["1٬500", 1500], ["١٬٥٠٠", 1500], ["١،٥٠٠", 1500], ["1,500,000", 1_500_000], ["1.500.000", 1_500_000], ["1,50,000", 150_000], ["12,34,567", 1_234_567],
  // Nothing after the point.
  ["1500.00", 1500], ["1,500.00", 1500], ["1.500,0", 1500], ["1500٫0", 1500],
  // There is no half message, and nothing else is guessed.
  ["1.5", "not_whole 1500"], ["1,5", "not_whole 1500"], ["1٫500", "not_whole 1500"], ["1,500.50", "not_whole 1500"], ["0.500", "not_whole 1500"],
  ["15,00,0", "number 1500"], ["1,5,00", "number 1500"], ["1500,000", "number 1500"], ["1, 500", "number 1500"], ["1..500", "number 1500"], ["0,500,000", "number 1500"],
  ["1.500,000 000", "number 1500"], ["1e3", "number 1500"], ["0x10", "number 1500"], ["1.5k", "number 1500"], ["1500 messages", "number 1500"], ["$1500", "number 1500"],
  ["many", "number 1500"], ["1500%", "number 1500"], ["½", "number 1500"], ["+5", "number 1500"], ["NaN", "number 1500"], ["Infinity", "number 1500"],
  ["", "required"], ["  \u200e ", "required"], ["-5", "negative"], ["−5", "negative"], ["(5)", "negative"], ["5-", "negative"],
  ["1000000000", 1_000_000_000], ["1,000,000,001", "at_most 1000000000"], ["9".repeat(400), "at_most 1000000000"],
];

const AMOUNTS: [string, string, number | string][] = [
  ["USD", "1500", 150_000], ["USD", "1500.5", 150_050], ["USD", "1500,50", 150_050], ["USD", "1500٫50", 150_050], ["USD", "١٥٠٠٫٥", 150_050], ["USD", "۱۵۰۰٫۵۰", 150_050],
  ["USD", "1,500.00", 150_000], ["USD", "1.500,00", 150_000], ["USD", "1 500,00", 150_000], ["USD", "1\u00a0500,00", 150_000], ["USD", "1'500.00", 150_000],
  ["USD", "1’500.5", 150_050], ["USD", "١٬٥٠٠٫٠٠", 150_000], ["USD", "1,500,000", 150_000_000], ["USD", "1.500.000,5", 150_000_050], ["INR", "1,50,000.00", 15_000_000],
  ["USD", "0.29", 29], ["USD", "1.15", 115], ["USD", ".5", 50], ["USD", "٫5", 50], ["USD", "20.-", 2000], ["USD", "20,–", 2000], ["INR", "1,500/-", 150_000], ["EUR", "1.500,- €", 150_000],
  // What can mean two things.
  ["USD", "1,500", "ambiguous 1500 1.50"], ["USD", "1.500", "ambiguous 1500 1.50"], ["USD", "١،٥٠٠", "ambiguous 1500 1.50"], ["EUR", "12.345 €", "ambiguous 12345 12.34"],
  ["KWD", "1,500", "ambiguous 1500 1.500"], ["AED", "AED 1,500", "ambiguous 1500 1.50"],
  // Currencies of three digits after the point, and of none.
  ["KWD", "1.500", 1500], ["KWD", "1.5", 1500], ["BHD", "1,500.250", 1_500_250], ["OMR", "1.500,250", 1_500_250], ["TND", "1٫250", 1250], ["JOD", "1500.000", 1_500_000],
  ["KWD", "1500,000", "number 1500.500"], ["JPY", "1,500", 1500], ["JPY", "¥1.500", 1500], ["JPY", "1500.5", "not_whole 1500"], ["JPY", "1500.00", 1500],
  // Signs and codes, before and after.
  ["USD", "$1,500.00", 150_000], ["USD", "US$ 1500", 150_000], ["USD", "1500 USD", 150_000], ["USD", "usd 1500", 150_000], ["USD", "$.50", 50], ["USD", "1500$", 150_000],
  ["EUR", "1 500,00 €", 150_000], ["GBP", "£1500", 150_000], ["INR", "₹ 1,50,000", 15_000_000], ["INR", "Rs.50", 5000], ["AED", "1500 د.إ.‏", 150_000], ["AED", "د.إ.50", 5000],
  ["AED", "Dhs 1500", 150_000], ["AED", "١٥٠٠ درهم", 150_000], ["AED", "\u200fد.إ.\u200f\u00a01,500.00", 150_000], ["KWD", "KD 1.250", 1250], ["AUD", "$5", 500], ["USD", "$1,500.00 USD", 150_000],
  ["USD", "$20", 2000], ["USD", "20 dollars", 2000], ["USD", "20 US dollars", 2000], ["USD", "٢٠ دولار", 2000], ["AED", "20 dollars", "number 1500.50"],
  ["USD", "1500 EUR", "other_currency USD 1500.50"], ["USD", "€1500", "other_currency USD 1500.50"], ["EUR", "$5", "other_currency EUR 1500.50"],
  ["USD", "$1500 EUR", "other_currency USD 1500.50"], ["USD", "USD.50", "number 1500.50"], ["USD", "1500 a month", "number 1500.50"], ["USD", "$", "number 1500.50"],
  ["USD", "1.505", "ambiguous 1505 1.50"], ["USD", "1500.505", "number 1500.50"], ["USD", "0.505", "fraction 1500.50"], ["USD", "1,500.505", "fraction 1500.50"], ["USD", "1٫500", "fraction 1500.50"],
  ["USD", "1,500.000", "fraction 1500.50"], ["USD", "1e3", "number 1500.50"], ["USD", "$-5", "negative"], ["USD", "-$5", "negative"], ["USD", "", "required"],
  ["USD", "10,000,000.00", 1_000_000_000], ["USD", "10,000,000.01", "at_most 10000000"], ["KWD", "1000001", "at_most 1000000"],
];

const HUNDREDTHS: [string, number | string][] = [["1.5", 150], ["1,5", 150], ["١٫٥", 150], ["90", 9000], ["0.25", 25], ["1,500", "ambiguous 1500 1.50"], ["1 h", "number 1500.50"]];

test("numbers_are_read_as_they_are_meant_or_refused", () => {
  assert.deepEqual(COUNTS.map(([text]) => [text, told(readWhole(text))]), COUNTS);
  assert.deepEqual(AMOUNTS.map(([currency, text]) => [currency, text, told(readAmount(text, currency))]), AMOUNTS);
  assert.deepEqual(HUNDREDTHS.map(([text]) => [text, told(readHundredths(text))]), HUNDREDTHS);
});

test("units_of_currencies_are_those_of_the_api", () => {
  const places = readFileSync(new URL("../../../../shared/domain/src/money/product.rs", import.meta.url), "utf8").split("fn decimal_places")[1] ?? "";
  const arms = [...places.split("_ => 2")[0]?.matchAll(/((?:"[A-Z]{3}"[\s|]*)+)=> (\d)/g) ?? []];
  const known = arms.flatMap(([, codes = "", digits]) => [...codes.matchAll(/[A-Z]{3}/g)].map(([code]) => [code, Number(digits)]));
  assert.equal(known.length, 23);
  assert.deepEqual(known.map(([code]) => [code, unitDigits(String(code))]), known);
  // Browsers show none of these.
  assert.deepEqual(["LBP", "PKR", "HUF", "USD"].map(unitDigits), [2, 2, 2, 2]);
});
