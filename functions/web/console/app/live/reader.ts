/** Reads again what events are about. */
import type { Query } from "@tanstack/svelte-query";
import type { Following } from "../api/live.svelte.ts";
import { queries } from "../api/queries.ts";

/** Lists, and figures that are counted from the same changes, can lag behind an event: they are read once more after it. */
const LAG = 4000;
/** Events of one moment are read for together. */
const SOON = 200;

/** The readings of a query. */
class Reading {
  private last = -Infinity;
  private at = Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private done: PromiseWithResolvers<void> | null = null;
  private readonly query: Query;
  private readonly every: number;

  constructor(query: Query, every: number) {
    this.query = query;
    this.every = every;
  }

  /** Reads it soon, and says when that is done. */
  ask(): Promise<void> {
    this.done ??= Promise.withResolvers();
    this.plan(Math.max(performance.now() + SOON, this.last + this.every), true);
    return this.done.promise;
  }

  private plan(at: number, again: boolean): void {
    if (this.at <= at) return;
    clearTimeout(this.timer);
    this.at = at;
    this.timer = setTimeout(() => void this.read(again), at - performance.now());
  }

  private async read(again: boolean): Promise<void> {
    const { done } = this;
    [this.at, this.done] = [Infinity, null];
    // What is under way may have begun before the change. To break it off each time would never end in a slow network.
    await this.query.promise?.catch(() => undefined);
    this.last = performance.now();
    await queries.invalidateQueries({ queryKey: this.query.queryKey, exact: true });
    // Until it is drawn, too.
    await new Promise((resume) => setTimeout(resume));
    done?.resolve();
    if (again) this.plan(performance.now() + LAG, false);
  }
}

const readings = new WeakMap<Query, Reading>();

/** Reads again what is shown of a tenant and concerned. What is not shown is read when it is opened. */
export async function readAgain(tenant: string, isConcerned: (of: Following["concerns"]) => boolean): Promise<void> {
  const asked: Promise<void>[] = [];
  for (const query of queries.getQueryCache().findAll({ queryKey: [tenant] })) {
    const following = query.meta?.follows as Following | undefined;
    if (!following || !isConcerned(following.concerns)) continue;
    if (!query.isActive()) {
      query.invalidate();
      continue;
    }
    let reading = readings.get(query);
    if (!reading) readings.set(query, (reading = new Reading(query, following.every)));
    asked.push(reading.ask());
  }
  await Promise.all(asked);
}
