import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { queries } from "../../api/queries.ts";

export type Conversation = components["schemas"]["Conversation"];

/** Milliseconds after which the inbox is read again while somebody sees it. */
export const POLL = 10_000;

/** The conversation as the latest list of this page has it, so that it need not be read once more. */
export function listed(id: string): { initialData?: Conversation; initialDataUpdatedAt?: number } {
  const lists = queries.getQueryCache().findAll({ queryKey: [here.place?.id, "inbox"] }).map(({ state }) => state as { data?: { items?: Conversation[] }; dataUpdatedAt: number });
  const found = lists.flatMap(({ data, dataUpdatedAt }) => (data?.items ?? []).filter((one) => one.id === id).map((one) => ({ initialData: one, initialDataUpdatedAt: dataUpdatedAt })));
  return found.toSorted((one, other) => other.initialDataUpdatedAt - one.initialDataUpdatedAt)[0] ?? {};
}
