/** Opening hours of a day as people write them: `09:00-13:00, 16:00-21:00`. Empty is closed. */
import type { components } from "../../api/contract.d.ts";
import { Refused } from "../../api/problem.ts";

type Hours = components["schemas"]["BusinessHours"];

export const DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] as const;
export type Day = (typeof DAYS)[number];

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
  return (hours?.[day] ?? []).map(({ from, to }) => `${from}-${to}`).join(", ");
}

/** The hours of a day, or nothing if the text is none. */
export function spansOf(text: string): { from: string; to: string }[] | null {
  const spans = text.split(/[,،]/).map((span) => span.trim()).filter(Boolean).map((span) => /^(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})$/.exec(span));
  if (spans.includes(null)) return null;
  return spans.map((span) => ({ from: (span?.[1] ?? "").padStart(5, "0"), to: (span?.[2] ?? "").padStart(5, "0") }));
}

/** What is typed for each day. */
export type Texts = Record<Day, string>;

export function textsOf(hours: Hours | null | undefined): Texts {
  return Object.fromEntries(DAYS.map((day) => [day, textOf(hours ?? null, day)])) as Texts;
}

/** The hours that were typed, `null` without any, or the faults of days that are none. */
export function hoursOf(texts: Texts): Hours | null {
  const spans = DAYS.map((day) => [day, spansOf(texts[day])] as const);
  const wrong = spans.flatMap(([day, found]) => (found ? [] : [{ field: `business_hours.${day}`, code: "format", detail: "", facts: { example: "09:00-18:00" } }]));
  if (wrong.length > 0) throw new Refused(422, { type: "urn:ringback:problem:invalid", errors: wrong });
  return spans.every(([, found]) => found?.length === 0) ? null : (Object.fromEntries(spans) as Hours);
}
