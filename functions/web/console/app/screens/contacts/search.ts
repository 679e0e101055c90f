import { isLikePhone, seenPhone, wholePhone } from "../../phones/phones.ts";
import { withoutMarks } from "../../ui/digits.ts";

/** What is sought: a number in any spelling, the last digits of one, an e-mail address, or words of a name. */
export function conditionOf(sought: string): { phone?: string; digits?: string; email?: string; name?: string } {
  const phone = wholePhone(sought);
  if (phone) return { phone };
  const number = seenPhone(sought);
  if (isLikePhone(sought) && number.replace(/\D/g, "").length >= 4) return { digits: number.slice(0, 40) };
  const name = withoutMarks(sought).trim();
  if (/^\S+@\S+\.\S+$/.test(name)) return { email: name };
  return name ? { name } : {};
}
