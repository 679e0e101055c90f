import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { queries } from "../../api/queries.ts";
import { t } from "../../words/words.svelte.ts";

export type Conversation = components["schemas"]["Conversation"];

/** Milliseconds after which the inbox is read again while somebody sees it. */
export const POLL = 10_000;

/** Who the customer is, as far as the conversation tells. */
export function nameOf({ contact, last }: Conversation): string {
  return contact.name ?? (last?.message ?? last?.call)?.customer?.formatted ?? t("inbox-unnamed");
}

interface List {
  data?: { items?: Conversation[] };
  dataUpdatedAt: number;
}

/** The lists of this page that have the conversation, the latest one first. */
function listsWith(id: string): { items: Conversation[]; at: number }[] {
  const lists = queries.getQueryCache().findAll({ queryKey: [here.place?.id, "inbox"] }).map(({ state }) => state as List);
  return lists.map(({ data, dataUpdatedAt }) => ({ items: data?.items ?? [], at: dataUpdatedAt })).filter(({ items }) => items.some((one) => one.id === id)).toSorted((one, other) => other.at - one.at);
}

/** Lists it as it is now, wherever it is listed. */
export function relist(tenant: string | undefined, one: Conversation): void {
  queries.setQueriesData<List["data"]>({ queryKey: [tenant, "inbox"] }, (list) => list?.items && { ...list, items: list.items.map((other) => (other.id === one.id ? one : other)) });
}

/** The conversation as the latest list of this page has it, so that it need not be read once more. */
export function listed(id: string): { initialData?: Conversation; initialDataUpdatedAt?: number } {
  const [latest] = listsWith(id);
  return latest ? { initialData: latest.items.find((one) => one.id === id), initialDataUpdatedAt: latest.at } : {};
}

/** The one so many rows further down in the latest list that has it. */
export function neighbourOf(id: string, step: number): string | undefined {
  const items = listsWith(id)[0]?.items ?? [];
  return items[items.findIndex((one) => one.id === id) + step]?.id;
}
