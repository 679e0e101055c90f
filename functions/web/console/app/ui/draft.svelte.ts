/** What a form changes of a resource. Only what the person has changed is sent, so changes of others to the rest stay. */
import { Refused, type Tagged } from "../api/problem.ts";

type Fields = Record<string, unknown>;

/** What two people have made of the same. */
export interface Clash {
  before: object;
  mine: object;
  theirs: object;
}

export class Draft<T extends object> {
  /** What the form shows. */
  value: T;
  /** What somebody else has saved meanwhile, beside what the person had. */
  clash = $state.raw<{ before: T; mine: T; theirs: T } | null>(null);
  private base: T;
  private tag: string;

  constructor({ value, tag }: Tagged<T>) {
    this.base = $state.raw(value);
    this.value = $state(structuredClone(value));
    this.tag = tag;
  }

  /** The changes as a merge patch (RFC 7396). */
  get changes(): object {
    return difference(this.base, $state.snapshot(this.value) as T);
  }

  /** What was read or saved last. */
  get stored(): T {
    return this.base;
  }

  /** Goes on after a change that was made beside the form. */
  follow(tag: string): void {
    this.tag = tag;
  }

  /** Takes a reading that came by itself. What the person has changed stays, and a save is then refused if the fields are others. */
  hear({ value, tag }: Tagged<T>): void {
    if (Object.keys(difference(this.base, value)).length > 0) {
      if (this.dirty) return;
      this.base = value;
      this.value = structuredClone(value);
    }
    this.tag = tag;
  }

  get dirty(): boolean {
    return Object.keys(this.changes).length > 0;
  }

  /** Sends the changes. If somebody else was faster, the form has their changes and the person's on top of them, which the next try saves. */
  async save(send: (changes: object, tag: string) => Promise<Tagged<T>>, read: () => Promise<Tagged<T>>): Promise<void> {
    try {
      const { value, tag } = await send(this.changes, this.tag);
      this.base = value;
      this.value = structuredClone(value);
      this.clash = null;
      this.tag = tag;
    } catch (problem) {
      if (problem instanceof Refused && problem.status === 412) {
        const { value, tag } = await read();
        const mine = $state.snapshot(this.value) as T;
        this.clash = { before: this.base, mine, theirs: value };
        this.value = merged(this.clash);
        this.base = value;
        this.tag = tag;
      }
      throw problem;
    }
  }
}

/** The merge patch that makes one object of the other. */
export function difference(from: object, to: object): object {
  const [before, after] = [from as Fields, to as Fields];
  const changes: Fields = {};
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [old, next] = [before[name] ?? null, after[name] ?? null];
    if (isObject(old) && isObject(next)) {
      const inner = difference(old, next);
      if (Object.keys(inner).length > 0) changes[name] = inner;
    } else if (JSON.stringify(old) !== JSON.stringify(next)) {
      changes[name] = next;
    }
  }
  return changes;
}

/** Values of one template fit no other, so a template is one value. */
export const WHOLE = "template";

/** Their version with the person's changes. */
export function merged<T extends object>({ before, mine, theirs }: { before: T; mine: T; theirs: T }, inner = false): T {
  const result = structuredClone({ ...theirs }) as Fields;
  for (const name of Object.keys(difference(before, mine))) {
    const [old, own, other] = [before, mine, theirs].map((version) => (version as Fields)[name] ?? null);
    if (name !== WHOLE && isObject(old) && isObject(own) && isObject(other)) result[name] = merged({ before: old, mine: own, theirs: other }, true);
    // A field has no value any more, while an entry is gone.
    else if (own === null && inner) delete result[name];
    else result[name] = structuredClone(own);
  }
  return result as T;
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
