import type { operations } from "../../api/contract.d.ts";
import { filtersOf } from "../../ui/filters.ts";

export type Filters = NonNullable<operations["list_conversations"]["parameters"]["query"]>;

export const VIEWS = ["mine", "unassigned", "all", "mentions"] as const;
export type View = (typeof VIEWS)[number];
/** States beside `open`, which is listed without a choice. */
export const STATES = ["pending", "snoozed", "closed"] as const;

export function viewOf(sent: URLSearchParams): View {
  return VIEWS.find((view) => view === sent.get("view")) ?? "all";
}

/** Whether those who wait can be listed by how long they do: the API does it for one person, or for nobody, and nobody waits in what is put aside. */
export function canSortByWait(sent: URLSearchParams): boolean {
  return ["mine", "unassigned"].includes(viewOf(sent)) && !sent.has("contact") && !["snoozed", "closed"].includes(sent.get("state") ?? "");
}

/** What the API is asked for. */
export function queryOf(sent: URLSearchParams, me: string): Filters {
  const { waiting, ...query } = filtersOf<Filters>(sent, ["state", "waiting", "team", "unread", "contact", "cursor"]);
  const assignee = { mine: me, unassigned: "none" }[viewOf(sent) as string];
  return { ...query, ...(assignee ? { assignee } : {}), ...(waiting && canSortByWait(sent) ? { waiting } : {}) };
}
