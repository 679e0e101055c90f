/** Times until which a conversation is put off, by the clock of the business. */

export const SNOOZES = ["hours", "tomorrow", "monday"] as const;
export type Snooze = (typeof SNOOZES)[number];

const HOUR = 3_600_000;
const MORNING = "09:00";
/** Characters of a date and time, in the first thousand years, too. */
const WRITTEN = "2026-11-20T09:00".length;
/** The API puts nothing off for longer. */
export const MOST_DAYS = 90;

/** When that is. */
export function timeOf(snooze: Snooze, now: number, zone: string): string {
  if (snooze === "hours") return new Date(now + 3 * HOUR).toISOString();
  const today = localOf(now, zone).slice(0, 10);
  const weekday = new Date(`${today}T00:00Z`).getUTCDay();
  return instantOf(`${dayAfter(today, snooze === "tomorrow" ? 1 : ((8 - weekday) % 7) || 7)}T${MORNING}`, zone);
}

/** The date and time that the clocks of a zone show, as fields of forms have it. */
export function localOf(instant: number, zone: string): string {
  return new Date(instant).toLocaleString("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "short" }).replace(" ", "T").padStart(WRITTEN, "0");
}

/** When the clocks of a zone show this; an hour later if they skip it. */
export function instantOf(local: string, zone: string): string {
  const wanted = Date.parse(`${local}Z`);
  let instant = wanted;
  // The second look is for an offset that changes in between.
  for (let look = 0; look < 2; look += 1) instant += wanted - Date.parse(`${localOf(instant, zone)}Z`);
  return new Date(instant).toISOString();
}

function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(`${date}T00:00Z`) + days * 24 * HOUR).toISOString().slice(0, 10);
}
