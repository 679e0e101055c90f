/** When a query is read again. */
import type { Query } from "@tanstack/svelte-query";
import { Refused } from "../api/problem.ts";

/** Lists, and figures that are counted from the same changes, can lag behind an event: they are read once more after it. */
const LAG = 4000;
const [SHORTEST, LONGEST] = [2000, 30_000];

type Shown = Pick<Query, "promise" | "isActive"> & { readonly state: Pick<Query["state"], "status" | "error"> };

/** The readings of a query: at once after an event, one of them sooner than its turn, and on average as often as it may be read. */
export class Reading {
  /** Until when the readings so far use up what it may be read. */
  private used = -Infinity;
  private at = Infinity;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private done: PromiseWithResolvers<void> | null = null;
  private failures = 0;
  /** Whether it is read once more after the next reading. */
  private again = false;
  /** Whether it waits for a reading that began before. */
  private waits = false;
  private readonly query: Shown;
  private readonly every: number;
  private readonly reread: () => Promise<void>;

  constructor(query: Shown, every: number, reread: () => Promise<void>) {
    this.query = query;
    this.every = every;
    this.reread = reread;
  }

  /** Reads it as soon as it may be, and says when that is done, or that it failed. */
  ask(): Promise<void> {
    this.done ??= Promise.withResolvers();
    this.plan(Math.max(performance.now(), this.used - this.every), true);
    return this.done.promise;
  }

  private plan(at: number, again: boolean): void {
    this.again ||= again;
    if (this.waits || this.at <= at) return;
    clearTimeout(this.timer);
    this.at = at;
    this.timer = setTimeout(() => void this.read(), at - performance.now());
  }

  private async read(): Promise<void> {
    // What is under way may have begun before the change. To break it off each time would never end in a slow network.
    this.waits = true;
    await this.query.promise?.catch(() => undefined);
    const { done, again } = this;
    [this.at, this.done, this.again, this.waits] = [Infinity, null, false, false];
    // One for what lags keeps nobody waiting who is told of something else.
    if (again) this.used = Math.max(this.used, performance.now()) + this.every;
    await this.reread();
    // Until it is drawn, too.
    await new Promise((resume) => setTimeout(resume, 0));
    const { state } = this.query;
    if (this.query.isActive() && state.status === "error" && !isAnswer(state.error)) {
      this.failures += 1;
      this.plan(performance.now() + Math.min(SHORTEST * 2 ** this.failures, LONGEST), again);
      done?.reject(state.error);
      return;
    }
    this.failures = 0;
    done?.resolve();
    if (again) this.plan(performance.now() + Math.max(LAG, this.every), false);
  }
}

/** Whether it is refused for good, such as what is deleted. */
function isAnswer(problem: unknown): boolean {
  return problem instanceof Refused && problem.status >= 400 && problem.status < 500 && problem.status !== 429;
}
