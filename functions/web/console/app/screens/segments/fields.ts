/** Fields of contacts that a business has defined. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";

export function fieldsOf(needed = () => true): CreateQueryResult<components["schemas"]["Listed_Field"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "fields", "all"],
    queryFn: () => take(api.GET("/api/v1/fields", { params: { query: { limit: 100 } } })),
    enabled: here.may("list_fields") && needed(),
  }));
}
