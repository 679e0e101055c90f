import { Refused } from "../../../api/problem.ts";

/** The draft of a person in a conversation, which other tabs and devices may write, too. */

/** Milliseconds without a key after which it is saved. */
export const PAUSE = 2000;

interface Place {
  /** `again`: as it is now, and not with what the page reads anyway. */
  read: (again: boolean) => Promise<string>;
  /** An empty text deletes it. */
  write: (text: string, leaving: boolean) => Promise<void>;
  /** Tells other tabs what is saved now. */
  tell: (text: string) => void;
  /** Shows what another tab has saved in place of what is unchanged here. */
  adopt: (text: string) => void;
  say: (state: DraftState) => void;
}

/** `theirs`: another page has saved another text meanwhile, and nothing is saved until the person has chosen. */
export interface DraftState {
  saved: boolean | null;
  theirs: string | null;
}

export class DraftKeeper {
  /** What is saved, as far as this page knows. */
  private known = "";
  private text = "";
  private theirs: string | null = null;
  /** What this page was saving when it heard of theirs, and has put over it. */
  private over: string | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private saving = Promise.resolve();
  private closed = false;
  private readonly place: Place;

  constructor(place: Place) {
    this.place = place;
  }

  /** Takes the draft of before, unless something is written already. */
  async open(): Promise<void> {
    const found = await this.place.read(false);
    if (this.text === "") this.take(found);
    else if (found !== "" && found !== this.text) this.clash(found);
  }

  type(text: string): void {
    if (text === this.text) return;
    this.text = text;
    this.stop();
    if (this.theirs !== null) return;
    this.place.say({ saved: null, theirs: null });
    this.later(PAUSE);
  }

  /** Saves what is not saved yet, unless another page has saved something else. */
  save(leaving = false): Promise<void> {
    this.stop();
    this.saving = this.saving.then(() => this.write(leaving));
    return this.saving;
  }

  /** Another tab has saved this. */
  hear(text: string): void {
    if (text === this.known) return;
    if (this.text === this.known || this.text === text) this.take(text);
    else this.clash(text);
  }

  /** Goes on with what the other page has saved, or with what is written here. */
  choose(whose: "theirs" | "mine"): void {
    const { theirs } = this;
    if (theirs === null) return;
    this.theirs = null;
    const { over } = this;
    this.over = null;
    if (whose === "theirs") {
      this.take(theirs);
      if (over === null) return;
      this.known = over;
      void this.save();
      return;
    }
    this.known = theirs;
    this.place.say({ saved: null, theirs: null });
    void this.save();
  }

  /** What was written is sent, or thrown away. */
  clear(): Promise<void> {
    [this.text, this.theirs, this.over] = ["", null, null];
    this.place.say({ saved: null, theirs: null });
    return this.save();
  }

  /** Its page is left: nothing is tried again, and nobody is told. */
  close(): void {
    this.closed = true;
    this.stop();
  }

  private later(milliseconds: number): void {
    this.stop();
    this.timer = setTimeout(() => void this.save(), milliseconds);
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  private take(text: string): void {
    this.stop();
    [this.known, this.text, this.theirs] = [text, text, null];
    this.place.adopt(text);
    this.place.say({ saved: text === "" ? null : true, theirs: null });
  }

  private clash(theirs: string): void {
    this.stop();
    this.theirs = theirs;
    this.place.say({ saved: false, theirs });
  }

  private async write(leaving: boolean): Promise<void> {
    const text = this.text;
    if (text === this.known || this.theirs !== null) return;
    try {
      // A page that is left has no time to look.
      const found = leaving ? this.known : await this.place.read(true);
      // Another tab has saved something meanwhile, and the person chooses, or has chosen; or goes on writing, which is saved later.
      if (this.theirs !== null || this.text !== text) return;
      if (found !== this.known && found !== text) return this.clash(found);
      if (found !== text) await this.place.write(text, leaving);
      this.known = text;
      if (this.closed) return;
      // Heard of meanwhile: the person chooses all the same.
      if (this.theirs !== null) {
        this.over = text;
        return;
      }
      // Something else is written by now, or was taken from another tab, which has to be saved again.
      if (this.text !== text) {
        if (this.timer === undefined) void this.save();
        return;
      }
      this.place.tell(text);
      this.place.say({ saved: text === "" ? null : true, theirs: null });
    } catch (problem) {
      if (this.closed) return;
      this.place.say({ saved: false, theirs: this.theirs });
      if (this.theirs === null && mayPass(problem)) this.later(5 * PAUSE);
    }
  }
}

/** Whether a later try can succeed. */
function mayPass(problem: unknown): boolean {
  return !(problem instanceof Refused) || problem.status === 0 || problem.status === 429 || problem.status >= 500;
}
