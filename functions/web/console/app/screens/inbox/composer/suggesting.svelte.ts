/** What can be put in where somebody writes a sign: canned replies behind `/`, colleagues behind `@`. */
import { askedBy } from "./canned.ts";

export interface Suggested {
  id: string;
  name: string;
  detail?: string;
  /** The digit that puts it in with Alt. */
  digit?: number;
}

/** Most that are shown at once. */
const MOST = 9;

export class Suggesting {
  asked = $state.raw<{ from: number; word: string } | null>(null);
  all = $state.raw<Suggested[]>([]);
  private place = $state(0);
  /** Where the person has closed the list. */
  private closed = -1;
  readonly items = $derived(this.asked ? this.all.filter(({ name }) => name.toLowerCase().includes(this.asked?.word ?? "")).slice(0, MOST) : []);
  readonly active = $derived(this.items[Math.min(this.place, this.items.length - 1)]);

  look(sign: "/" | "@", text: string, cursor: number): void {
    const asked = askedBy(sign, text, cursor);
    if (asked?.word !== this.asked?.word) this.place = 0;
    if (asked?.from !== this.closed) this.closed = -1;
    this.asked = asked && asked.from !== this.closed ? asked : null;
  }

  close(): void {
    this.closed = this.asked?.from ?? -1;
    this.asked = null;
  }

  /** Takes a key while something is suggested: what it chooses, whether it was for the list. */
  press(key: string): Suggested | boolean {
    if (!this.active) return false;
    if (key === "Enter" || key === "Tab") return this.active;
    if (key === "Escape") this.close();
    else if (key === "ArrowDown" || key === "ArrowUp") this.place = (this.items.indexOf(this.active) + (key === "ArrowDown" ? 1 : this.items.length - 1)) % this.items.length;
    else return false;
    return true;
  }
}
