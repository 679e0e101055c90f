/** What the API answered, for all screens. */
import { QueryClient } from "@tanstack/svelte-query";
import { Refused } from "./problem.ts";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // A limit tells how long to wait; anything else is for the person to try again.
      retry: (count, problem) => problem instanceof Refused && problem.status === 429 && count < 5,
      retryDelay: (_, problem) => Math.max(problem instanceof Refused ? problem.after : 0, 1) * 1000,
      networkMode: "always",
    },
    mutations: { networkMode: "always" },
  },
});
