/** Letters that are written from right to left. */
const RIGHT = /(?=\p{L})[\p{Script=Arabic}\p{Script=Hebrew}]/gu;

/** Direction of a text to customers: that of most of its letters, so that a value or a name at its beginning does not turn it. Without letters it
 *  is that of its language. */
export function directionOf(text: string, language = ""): "rtl" | "ltr" | "auto" {
  const own = text.replace(/\{\{[^}]*\}\}/g, "");
  const count = (letters: RegExp) => own.match(letters)?.length ?? 0;
  const right = count(RIGHT);
  const left = count(/\p{L}/gu) - right;
  if (right !== left) return right > left ? "rtl" : "ltr";
  return /^(?:ar|fa|he|ur)\b/.test(language) ? "rtl" : "auto";
}

/** A telephone number from left to right where an element cannot say so, as in the choices of a select. */
export function leftToRight(number: string): string {
  return `\u2066${number}\u2069`;
}

/** Whether a text has digits and no letters, as a telephone number has, which is written from left to right in all digits. */
export function isNumeric(text: string): boolean {
  return /\p{Nd}/u.test(text) && !/\p{L}/u.test(text);
}
