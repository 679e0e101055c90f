/** Tags by their names. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";

export function tagsOf(needed = () => true): CreateQueryResult<components["schemas"]["Listed_Tag"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "tags", "all"],
    queryFn: () => take(api.GET("/api/v1/tags", { params: { query: { limit: 100 } } })),
    staleTime: 300_000,
    enabled: here.may("list_tags") && needed(),
  }));
}

/** The names of the tags with these ids, which are read where there are any. */
export function tagNames(ids: () => string[]): () => string[] {
  const tags = tagsOf(() => ids().length > 0);
  return () => ids().flatMap((one) => tags.data?.items.find(({ id }) => id === one)?.name ?? []);
}
