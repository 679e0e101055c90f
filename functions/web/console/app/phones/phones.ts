/** Telephone numbers as people write them. What begins with a plus is read here; what needs the plan of a country, the API reads. */
import { latinDigits, withoutMarks } from "../ui/digits.ts";

/** The text as it is seen, without the beginning of a link, and with its plus before a bracket. */
export function seenPhone(text: string): string {
  const seen = withoutMarks(latinDigits(text)).replace(/[\u2010-\u2015−]/g, "-").trim();
  return seen.replace(/^(?:tel|callto|sms|whatsapp):\s*/i, "").replace(/^\(\+(\d+)\)/, "+$1 ");
}

/** The number as all operations take it, if it has its plus and country code. A zero behind the code may be only for calls within the country. */
export function wholePhone(text: string): string | null {
  const seen = seenPhone(text);
  const digits = seen.replace(/[\s().-]/g, "");
  const mayHaveTrunk = /^\+\d{1,3}[\s().-]*0/.test(seen) && seen !== digits;
  return /^\+[1-9]\d{6,14}$/.test(digits) && !mayHaveTrunk ? digits : null;
}

/** Whether the text has only digits and what people write between them. */
export function isLikePhone(text: string): boolean {
  return /^\+?[\d\s().~/-]+$/.test(seenPhone(text));
}
