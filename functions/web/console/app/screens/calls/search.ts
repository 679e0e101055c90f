/** Calls of the people whom a search finds, of all days. */
import { apiHere } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { take } from "../../api/problem.ts";
import { conditionOf } from "../contacts/search.ts";
import { timeOf } from "./decision.ts";

const MOST_PEOPLE = 8;
/** Entries of a person, of which messages tell what became of the calls. */
const MOST_ENTRIES = 50;

interface Found {
  items: components["schemas"]["CallEntry"][];
  next_cursor: null;
  /** Whether there are more people or calls than these. */
  more: boolean;
}

export async function callsOf(sought: string): Promise<Found> {
  const condition = conditionOf(sought);
  if (Object.keys(condition).length === 0) return { items: [], next_cursor: null, more: false };
  const api = apiHere();
  const people = await take(api.GET("/api/v1/contacts", { params: { query: { ...condition, limit: MOST_PEOPLE } } }));
  const pages = await Promise.all(people.items.map(({ id: contact_id }) =>
    take(api.GET("/api/v1/contacts/{contact_id}/timeline", { params: { path: { contact_id }, query: { limit: MOST_ENTRIES } } })),
  ));
  const items = people.items.flatMap(({ id, name }, index) => {
    const entries = pages[index]?.items ?? [];
    const messages = entries.flatMap(({ message }) => (message?.state ? [{ ...message, state: message.state }] : []));
    return entries.flatMap(({ call }) => (call ? [{ ...call, at: timeOf(call), contact: { id, name }, message: messages.find(({ call_id }) => call_id === call.id) ?? null }] : []));
  });
  items.sort((one, other) => Date.parse(other.at) - Date.parse(one.at));
  return { items, next_cursor: null, more: [people, ...pages].some(({ next_cursor }) => next_cursor !== null) };
}
