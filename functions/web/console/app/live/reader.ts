/** Reads again what events are about. */
import type { Query } from "@tanstack/svelte-query";
import type { Following } from "../api/live.svelte.ts";
import { queries } from "../api/queries.ts";
import { Reading } from "./reading.ts";

const readings = new WeakMap<Query, Reading>();

/** Reads again what is shown of a tenant and concerned. What is not shown is read when it is opened. */
export async function readAgain(tenant: string, isConcerned: (of: Following["concerns"], data: unknown) => boolean): Promise<void> {
  const asked: Promise<void>[] = [];
  for (const query of queries.getQueryCache().findAll({ queryKey: [tenant] })) {
    const following = query.meta?.follows as Following | undefined;
    if (!following || !isConcerned(following.concerns, query.state.data)) continue;
    if (!query.isActive()) {
      query.invalidate();
      continue;
    }
    let reading = readings.get(query);
    if (!reading) readings.set(query, (reading = new Reading(query, following.every, () => queries.invalidateQueries({ queryKey: query.queryKey, exact: true }))));
    asked.push(reading.ask());
  }
  await Promise.all(asked);
}
