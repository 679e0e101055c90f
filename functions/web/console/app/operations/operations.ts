/** Operations: long work that goes on without the page. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import type { Tone } from "../ui/Badge.svelte";
import { api } from "../api/client.ts";
import type { components } from "../api/contract.d.ts";
import { here } from "../api/here.svelte.ts";
import { take } from "../api/problem.ts";
import { nextAsk } from "../api/queries.ts";

export type Operation = components["schemas"]["OperationOut"];

export const STATES: Record<Operation["state"], Tone> = { queued: "plan", running: "info", cancelling: "warn", done: "ok", failed: "bad", cancelled: "none" };

/** Whether an operation goes on. */
export function runs({ state }: Pick<Operation, "state">): boolean {
  return state === "queued" || state === "running" || state === "cancelling";
}

/** An operation, which is asked for until it has ended. */
export function operationOf(id: () => string | null): CreateQueryResult<Operation> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "operation", id()],
    queryFn: () => take(api.GET("/api/v1/operations/{operation_id}", { params: { path: { operation_id: id() ?? "" } } })),
    enabled: id() !== null,
    refetchInterval: ({ state }) => nextAsk(state, state.data && runs(state.data) ? 2_000 : false),
  }));
}
