/** What software may do with a key, by what it is about. */
import { roles, type Role } from "../../api/permissions.ts";
import { t } from "../../words/words.svelte.ts";

export type Scope = (typeof roles)[Role][number];

/** Those that a role has, by what they are about. */
export function scopesOf(role: Role): { label: string; scopes: Scope[] }[] {
  const all: readonly Scope[] = roles[role];
  const subjects = [...new Set(all.map(subjectOf))];
  return subjects.map((subject) => ({ label: t("key-subject", { subject }), scopes: all.filter((scope) => subjectOf(scope) === subject) }));
}

/** What a scope allows, beside what it is about. */
export function rightOf(scope: string): string {
  return t("key-right", { right: scope.split(":")[1] ?? "" });
}

function subjectOf(scope: string): string {
  return scope.split(":")[0] ?? "";
}
