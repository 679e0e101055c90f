import type { operations } from "../../api/contract.d.ts";
import { filtersOf } from "../../ui/filters.ts";

export type Filters = NonNullable<operations["list_conversations"]["parameters"]["query"]>;

export const VIEWS = ["mine", "unassigned", "all", "mentions"] as const;
export type View = (typeof VIEWS)[number];
/** States beside `open`, which is listed without a choice. */
export const STATES = ["pending", "snoozed", "closed"] as const;
/** What the conversations of people who were searched for can be, too. */
export const OF_FOUND = ["state", "team", "line", "tag", "unread"] as const;

export function viewOf(sent: URLSearchParams): View {
  return VIEWS.find((view) => view === sent.get("view")) ?? "all";
}

/** Whether those who wait can be listed by how long they do: the API does it for one person, or for nobody, and nobody waits in what is put aside. */
export function canSortByWait(sent: URLSearchParams): boolean {
  return ["mine", "unassigned"].includes(viewOf(sent)) && !sent.has("contact") && !["snoozed", "closed"].includes(sent.get("state") ?? "");
}

/** What the API is asked for. */
export function queryOf(sent: URLSearchParams, me: string): Filters {
  const { waiting, ...query } = filtersOf<Filters>(sent, [...OF_FOUND, "waiting", "contact", "cursor"]);
  const assignee = { mine: me, unassigned: "none" }[viewOf(sent) as string];
  return { ...query, ...(assignee ? { assignee } : {}), ...(waiting && canSortByWait(sent) ? { waiting } : {}) };
}

/** Why a list is empty, as the end of a word of `inbox-none-`. */
export function emptinessOf(sent: URLSearchParams): "found" | "contact" | "filtered" | "mine" | "unassigned" | "all" {
  const view = viewOf(sent);
  if (sent.get("q")) return "found";
  if ([...OF_FOUND, "waiting", "cursor"].some((name) => sent.get(name))) return "filtered";
  if (sent.get("contact")) return "contact";
  return view === "mentions" ? "all" : view;
}
