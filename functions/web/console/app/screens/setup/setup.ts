import { createQuery, type CreateQueryResult, type QueryClient } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";
import { settings } from "../../ui/settings.svelte.ts";
import { sourcesOf } from "../../ui/texts.ts";

/** The steps of the set-up, and whether they are done. */
export function createSetup(): CreateQueryResult<components["schemas"]["SetupOut"]> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "setup"],
    queryFn: () => take(api.GET("/api/v1/tenant/setup")),
  }));
}

/** Languages of the customers, which the frame has read. */
export function languagesOf(queries: QueryClient): string[] {
  const { languages = [] } = tenantOf(queries) ?? {};
  return languages.length > 0 ? languages : [settings.language];
}

/** Values that the texts of a call's message can have. */
export function valuesOf(queries: QueryClient): string[] {
  return sourcesOf(tenantOf(queries)?.variables ?? {}, { ofCall: true });
}

/** How customers refuse further SMS in the country of the business: an answer, where nothing is known. */
export function optOutOf(queries: QueryClient): { way: string; number: string } {
  const { by = "reply", number } = queries.getQueryData<components["schemas"]["SetupOut"]>([here.place?.id, "setup"])?.sms_opt_out ?? {};
  return { way: by, number: number ?? "" };
}

function tenantOf(queries: QueryClient): components["schemas"]["TenantOut"] | undefined {
  return queries.getQueryData<components["schemas"]["TenantOut"]>([here.place?.id, "tenant"]);
}
