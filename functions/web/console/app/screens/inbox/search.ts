/** Conversations of the people whom a search finds. */
import { apiHere } from "../../api/client.ts";
import { take } from "../../api/problem.ts";
import { conditionOf } from "../contacts/search.ts";
import type { Conversation } from "./conversation.ts";
import type { Filters } from "./filters.ts";

const MOST_PEOPLE = 8;

interface Found {
  items: Conversation[];
  next_cursor: null;
  /** Whether there are more people or conversations than these. */
  more: boolean;
}

export async function conversationsOf(sought: string, filters: Filters): Promise<Found> {
  const condition = conditionOf(sought);
  if (Object.keys(condition).length === 0) return { items: [], next_cursor: null, more: false };
  const api = apiHere();
  const people = await take(api.GET("/api/v1/contacts", { params: { query: { ...condition, limit: MOST_PEOPLE } } }));
  const pages = await Promise.all(people.items.map(({ id: contact }) => take(api.GET("/api/v1/conversations", { params: { query: { ...filters, contact } } }))));
  const items = pages.flatMap((page) => page.items).toSorted((one, other) => Date.parse(other.active_at) - Date.parse(one.active_at));
  return { items, next_cursor: null, more: [people, ...pages].some(({ next_cursor }) => next_cursor !== null) };
}
