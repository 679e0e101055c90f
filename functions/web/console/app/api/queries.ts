/** What the API answered, for all screens. */
import { QueryClient } from "@tanstack/svelte-query";
import { pauseOf } from "../ui/loading.ts";
import { askOf } from "./client.ts";
import { live } from "./live.svelte.ts";
import { isOffline, Refused } from "./problem.ts";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A limit tells how long to wait; anything else is for the person to try again.
      retry: (count, problem) => problem instanceof Refused && problem.status === 429 && count < 5,
      retryDelay: (_, problem) => Math.max(problem instanceof Refused ? problem.after : 0, 1) * 1000,
      // It calls what asks, so a repetition stays with the tenant of the first time.
      persister: (ask, context) => askOf(context.queryKey[0], () => ask(context)),
      networkMode: "always",
      // What could not be asked is asked again: when the device has a network, and until then with longer and longer pauses.
      refetchOnReconnect: true,
      refetchInterval: ({ state }) => nextAsk(state),
    },
    mutations: { networkMode: "always" },
  },
});

/** Milliseconds until what can change is asked for where changes are told: some that happened may not have been. */
const REST = 60_000;

/** Milliseconds until it is asked for again: what nobody answered after a pause, anything else when the screen says; rarely if it follows
 * what changes, and is told of it. */
export function nextAsk({ error, errorUpdateCount }: { error: unknown; errorUpdateCount: number }, otherwise: number | false = false, follows = false): number | false {
  if (isOffline(error)) return pauseOf(errorUpdateCount);
  return otherwise && follows && live.state === "live" ? Math.max(otherwise, REST) : otherwise;
}
