import { latinDigits } from "../../ui/digits.ts";

/** What is sought: a number, the last digits of one, or words of a name. */
export function conditionOf(sought: string): { phone?: string; digits?: string; name?: string } {
  const plain = latinDigits(sought).trim();
  const digits = plain.replace(/[\s().-]/g, "");
  if (/^\+\d{7,}$/.test(digits)) return { phone: digits };
  if (/^\d{4,}$/.test(digits)) return { digits };
  return plain ? { name: plain } : {};
}
