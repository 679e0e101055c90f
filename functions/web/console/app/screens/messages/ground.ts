/** Whether a customer has just asked: then a message about it needs no other ground. */
import { apiHere } from "../../api/client.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";
import { wholePhone } from "../../phones/phones.ts";
import { askedAt } from "./asked.ts";

/** Time at which the customer with this number last asked for something, if that was lately. */
export async function groundOf(phone: string): Promise<string | null> {
  const whole = wholePhone(phone);
  if (!whole || !here.may("list_contacts") || !here.may("list_conversations")) return null;
  const api = apiHere();
  const contacts = await take(api.GET("/api/v1/contacts", { params: { query: { phone: whole, limit: 1 } } }));
  const contact = contacts.items[0]?.id;
  if (!contact) return null;
  const { items } = await take(api.GET("/api/v1/conversations", { params: { query: { contact, limit: 10 } } }));
  return askedAt(items);
}
