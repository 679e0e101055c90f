/** The people and teams that attend to conversations. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";
import { session } from "../../api/session.svelte.ts";
import { t } from "../../words/words.svelte.ts";

/** They seldom change. */
const KEPT = 300_000;
type Schemas = components["schemas"];

export function teamsOf(needed = () => true): CreateQueryResult<Schemas["Listed_Team"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "teams", "all"],
    queryFn: () => take(api.GET("/api/v1/teams", { params: { query: { limit: 100 } } })),
    staleTime: KEPT,
    enabled: here.may("list_teams") && needed(),
  }));
}

/** Everybody of the business, also those who have left, and whether they take conversations now. */
export type Member = Schemas["UserAvailability"];

export function membersOf(needed = () => true): CreateQueryResult<Schemas["Listed_UserAvailability"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "users", "availability"],
    queryFn: () => take(api.GET("/api/v1/users/availability", { params: { query: { limit: 100 } } })),
    staleTime: KEPT,
    enabled: here.may("list_user_availability") && needed(),
  }));
}

/** Who it is. */
export function personOf(id: string | null, members: Member[] = []): string {
  if (id === null) return t("inbox-nobody");
  if (id === session.current?.user.id) return t("inbox-you");
  if (id.startsWith("key_")) return t("inbox-software");
  return members.find((member) => member.user_id === id)?.name ?? t("inbox-colleague");
}

/** Those who may answer. Whoever attends to it already stays one of them. */
export function answerersOf(members: Member[] = [], present: string | null = null): Member[] {
  return members.filter(({ user_id, attends }) => user_id === present || attends);
}

/** Who it is among those to choose from, and that conversations go to somebody else at present. */
export function choiceOf({ user_id, attends, available }: Member, members: Member[]): string {
  const name = personOf(user_id, members);
  return attends && !available ? t("inbox-person-away", { name }) : name;
}
