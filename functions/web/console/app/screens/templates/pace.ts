/** Asks again and again while something changes: one at a time, and at most once in so many milliseconds. */
export class Pace {
  private timer: ReturnType<typeof setTimeout> | undefined;
  private due = 0;
  private busy = false;
  private changed = false;
  private readonly run: () => Promise<number>;
  private readonly every: number;

  /** `run` tells how many milliseconds the next one has to wait beyond that. */
  constructor(run: () => Promise<number>, every: number) {
    this.run = run;
    this.every = every;
  }

  ask(): void {
    if (this.busy) this.changed = true;
    else this.timer ??= setTimeout(() => void this.begin(), Math.max(0, this.due - Date.now()));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.changed = false;
  }

  private async begin(): Promise<void> {
    const began = Date.now();
    [this.timer, this.busy, this.changed] = [undefined, true, false];
    this.due = began + this.every + (await this.run());
    this.busy = false;
    if (this.changed) this.ask();
  }
}
