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

export function teamsOf(): CreateQueryResult<Schemas["Listed_Team"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "teams", "all"],
    queryFn: () => take(api.GET("/api/v1/teams", { params: { query: { limit: 100 } } })),
    staleTime: KEPT,
    enabled: here.may("list_teams"),
  }));
}

export function membersOf(needed = () => true): CreateQueryResult<Schemas["Listed_MemberOut"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "users", "all"],
    queryFn: () => take(api.GET("/api/v1/users", { params: { query: { limit: 100 } } })),
    staleTime: KEPT,
    enabled: here.may("list_users") && needed(),
  }));
}

/** Who it is. Only some roles know the names of their colleagues. */
export function personOf(id: string | null, members: Schemas["MemberOut"][] = []): string {
  if (id === null) return t("inbox-nobody");
  if (id === session.current?.user.id) return t("inbox-you");
  if (id.startsWith("key_")) return t("inbox-software");
  return members.find((member) => member.id === id)?.name ?? t("inbox-colleague");
}

/** Those who may answer. Whoever attends to it already stays one of them. */
export function answerersOf(members: Schemas["MemberOut"][] = [], attends: string | null = null): Schemas["MemberOut"][] {
  return members.filter(({ id, role, status }) => id === attends || (status === "active" && role !== "viewer"));
}
