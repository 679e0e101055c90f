/** Opening hours of a week. The text of a day without hours is empty. */
import type { components } from "../../api/contract.d.ts";
import { refusalOf } from "../../api/problem.ts";
import { readSpans, written, type Span } from "./spans.ts";

type Hours = components["schemas"]["BusinessHours"];

export const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export type Day = (typeof DAYS)[number];

export function isDay(name: string | undefined): name is Day {
  return DAYS.some((day) => day === name);
}

/** The days in the order of the region's week. */
export function daysFrom(locale: string): Day[] {
  const first = ((new Intl.Locale(locale) as Intl.Locale & { getWeekInfo?: () => { firstDay: number } }).getWeekInfo?.().firstDay ?? 1) - 1;
  return [...DAYS.slice(first), ...DAYS.slice(0, first)];
}

/** Name of a day: 2024-01-01 was a Monday. */
export function nameOf(day: Day, locale: string): string {
  const date = new Date(Date.UTC(2024, 0, 1 + DAYS.indexOf(day), 12));
  return new Intl.DateTimeFormat(locale, { weekday: "long", timeZone: "UTC" }).format(date);
}

export function textOf(hours: Hours | null, day: Day): string {
  return written(hours?.[day] ?? []);
}

/** The hours of a day, or nothing if the text is none. */
export function spansOf(text: string): Span[] | null {
  const reading = readSpans(text);
  return "spans" in reading ? reading.spans : null;
}

/** What is typed for each day. */
export type Texts = Record<Day, string>;

export function textsOf(hours: Hours | null | undefined): Texts {
  return Object.fromEntries(DAYS.map((day) => [day, textOf(hours ?? null, day)])) as Texts;
}

/** Every day from midnight to midnight: an answer, where no hours at all are none. */
export const ALWAYS = Object.fromEntries(DAYS.map((day) => [day, "00:00-00:00"])) as Texts;

export function isAlways(texts: Texts): boolean {
  return DAYS.every((day) => written(spansOf(texts[day]) ?? []) === ALWAYS[day]);
}

/** The hours that were typed, `null` without any, or the faults of days that are none. */
export function hoursOf(texts: Texts): Hours | null {
  const readings = DAYS.map((day) => [day, readSpans(texts[day])] as const);
  const wrong = readings.flatMap(([day, found]) => ("fault" in found ? [{ ...found.fault, field: `business_hours.${day}` }] : []));
  if (wrong.length > 0) throw refusalOf(wrong);
  const spans = readings.map(([day, found]) => [day, "spans" in found ? found.spans : []] as const);
  return spans.every(([, found]) => found.length === 0) ? null : (Object.fromEntries(spans) as Hours);
}
