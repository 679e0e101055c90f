/** WhatsApp's service window, by the server's clock. */

const MINUTE = 60_000;

/** Milliseconds until free text is no longer taken. 0: it is not, or never was. */
export function leftUntil(closes: string | null, now: number): number {
  return closes ? Math.max(Date.parse(closes) - now, 0) : 0;
}

/** Whole hours and minutes, of which the last one counts until its end. */
export function inMinutes(left: number): { hours: number; minutes: number } {
  const minutes = Math.ceil(left / MINUTE);
  return { hours: Math.floor(minutes / 60), minutes: minutes % 60 };
}

/** Milliseconds until something else is to be shown. */
export function untilChange(left: number): number {
  return left % MINUTE || Math.min(left, MINUTE);
}
