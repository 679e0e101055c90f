/** How many conversations there are in which a customer waits. */
import { api } from "./client.ts";
import { here } from "./here.svelte.ts";
import { take } from "./problem.ts";

export const countsOf = () => ({
  queryKey: [here.place?.id, "inbox", "counts"],
  queryFn: () => take(api.GET("/api/v1/conversations/counts")),
});
