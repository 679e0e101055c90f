/** The last day of a key, by the clock of the business. */
import { instantOf, localOf } from "../inbox/snooze.ts";

/** The last day that a key can have. */
export const LAST = "2999-12-31";

/** When the day ends. A later one than the last stays as it is typed, and the API refuses it: without it, the key would have no end. */
export function endOf(day: string, zone: string): string | null {
  if (!day) return null;
  return day.length === LAST.length && day <= LAST ? instantOf(`${day}T23:59`, zone) : day;
}

export function lastDayOf(expires_at: string | null, zone: string): string {
  if (!expires_at?.includes("T")) return expires_at ?? "";
  return localOf(Date.parse(expires_at), zone).slice(0, LAST.length);
}
