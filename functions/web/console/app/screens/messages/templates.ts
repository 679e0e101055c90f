/** The templates of the business, whose texts messages name by their values only. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";

export function templatesIf(enabled: () => boolean): CreateQueryResult<components["schemas"]["Listed_TemplateModel"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "templates"],
    queryFn: () => take(api.GET("/api/v1/templates", { params: { query: { limit: 100 } } })),
    staleTime: 60_000,
    enabled: here.may("list_templates") && enabled(),
  }));
}
