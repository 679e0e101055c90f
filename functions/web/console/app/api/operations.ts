/** Work that goes on behind a request, which only its state tells of. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "./client.ts";
import type { components } from "./contract.d.ts";
import { here } from "./here.svelte.ts";
import { take } from "./problem.ts";
import { nextAsk } from "./queries.ts";

type Work = components["schemas"]["OperationOut"];

/** Whether an operation goes on. */
export function runs({ state }: Pick<Work, "state">): boolean {
  return state === "queued" || state === "running" || state === "cancelling";
}

/** An operation, which is asked for until it has ended. */
export function operationOf(id: () => string | null): CreateQueryResult<Work> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "operation", id()],
    queryFn: () => take(api.GET("/api/v1/operations/{operation_id}", { params: { path: { operation_id: id() ?? "" } } })),
    enabled: id() !== null,
    refetchInterval: ({ state }) => nextAsk(state, state.data && runs(state.data) ? 2_000 : false),
  }));
}
