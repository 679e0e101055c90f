import type { QueryKey } from "@tanstack/svelte-query";
import type { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { follows, type LiveEvent } from "../../api/live.svelte.ts";
import { take } from "../../api/problem.ts";
import { queries } from "../../api/queries.ts";
import { t } from "../../words/words.svelte.ts";

export type Conversation = components["schemas"]["Conversation"];
/** As a list has it, or with what is shown beside it once it was read by itself. */
export type Opened = Conversation & Partial<components["schemas"]["OpenedConversation"]>;

/** Milliseconds after which the inbox is read again while somebody sees it. */
export const POLL = 10_000;

/** Who the customer is, as far as the conversation tells. */
export function nameOf({ contact, last }: Conversation): string {
  return contact.name ?? (last?.message ?? last?.call)?.customer?.formatted ?? t("inbox-unnamed");
}

export interface Opening {
  queryKey: QueryKey;
  queryFn: () => Promise<Opened>;
  staleTime: number;
  meta: ReturnType<typeof follows>;
}

/** Whether an event is about a conversation, or of one of these types and about its contact. */
export function isOf({ type, conversation_id, data }: LiveEvent, queryKey: QueryKey, ...ofContact: LiveEvent["type"][]): boolean {
  return conversation_id === queryKey.at(-1) || (ofContact.includes(type) && data.contact_id === queries.getQueryData<Opened>(queryKey)?.contact.id);
}

/** Reads a conversation with the person's draft and the contact, which needs no request of its own. It stays up to date for nobody: whoever opens
 * it, or saves a draft, wants it as it is now. */
export function opening(client: typeof api, tenant: string | undefined, id: string): Opening {
  const queryKey = [tenant, "conversations", id];
  const queryFn = async () => {
    const opened = await take(client.GET("/api/v1/conversations/{conversation_id}", { params: { path: { conversation_id: id } } }));
    if (opened.profile) queries.setQueryData([tenant, "contacts", opened.contact.id], opened.profile);
    return opened;
  };
  return { queryKey, queryFn, staleTime: 0, meta: follows((event) => isOf(event, queryKey, "contact.changed")) };
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
