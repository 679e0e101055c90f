/** Digits of Arabic and Persian keyboards as 0 to 9. */
function latin(text: string): string {
  return text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 15));
}

/** What is sought: a number, the last digits of one, or words of a name. */
export function conditionOf(sought: string): { phone?: string; digits?: string; name?: string } {
  const plain = latin(sought).trim();
  const digits = plain.replace(/[\s().-]/g, "");
  if (/^\+\d{7,}$/.test(digits)) return { phone: digits };
  if (/^\d{4,}$/.test(digits)) return { digits };
  return plain ? { name: plain } : {};
}
