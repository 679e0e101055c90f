/** What the thread of a conversation shows. */
import type { components } from "../../api/contract.d.ts";

interface Entry {
  message?: { id: string } | null;
  call?: { id: string } | null;
  note?: { id: string } | null;
}

export function idOf({ message, call, note }: Entry): string | undefined {
  return (message ?? call ?? note)?.id;
}

/** Whether what happened last is among what is shown: then nothing is called read that nobody has seen. */
export function isShown(last: Entry | null, entries: readonly Entry[]): boolean {
  return last === null || entries.some((entry) => idOf(entry) === idOf(last));
}

type Said = Pick<components["schemas"]["Message"], "direction" | "content" | "customer" | "whatsapp_id">;

/** Kinds of what customers do that is not written to anybody. */
const SILENT = ["reaction", "revoke", "pin", "keep_in_chat", "request_welcome"];

/** Who wrote last, whom a reply reaches. `null` if nobody has written in these entries, of which the latest comes last. */
export function lastWriter(entries: readonly { message?: Said | null }[]): Said | null {
  return entries.findLast(({ message }) => message?.direction === "inbound" && !SILENT.includes(message.content ?? ""))?.message ?? null;
}

/** Entries of a page. */
export const PAGE = 50;
/** The latest entries, which are read again whenever something happens. What is older stays as it was read. */
const AGAIN = 150;
/** Most entries that a page draws at a time. */
export const DRAWN = 200;
/** Most pages that are read in search of what is known already. */
const SEARCHED = 10;

/** What was read of a timeline, the newest first, and where older entries begin. */
export interface Read<T> {
  items: T[];
  next_cursor: string | null;
  /** The oldest entry that was read lately, and where those behind it begin. */
  lately?: { oldest: string | undefined; next_cursor: string | null };
}

/** Reads a timeline from its end as far back as it was read before. `page`: reads the entries behind a cursor. `known`: what was read before, which may be
 * more after each page. */
export async function readThread<T extends Entry>(page: (limit: number, cursor: string | null) => Promise<Read<T>>, known: () => Read<T> | undefined): Promise<Read<T>> {
  const found: T[] = [];
  let next_cursor: string | null = null;
  for (let pages = 1; ; pages += 1) {
    const count = known()?.items.length ?? 0;
    const read = await page(count > PAGE ? 2 * PAGE : PAGE, next_cursor);
    found.push(...read.items);
    ({ next_cursor } = read);
    const before = known() ?? { items: [], next_cursor: null };
    if (next_cursor === null || (found.length >= before.items.length && before.items.length <= AGAIN)) break;
    const oldest = idOf(found.at(-1) ?? {});
    const place = found.length < AGAIN || !oldest ? -1 : before.items.findIndex((entry) => idOf(entry) === oldest);
    if (place >= 0) return { items: [...found, ...before.items.slice(place + 1)], next_cursor: before.next_cursor, lately: { oldest, next_cursor } };
    if (pages === SEARCHED) break;
  }
  return { items: found, next_cursor };
}

/** Without what was not read lately, which somebody who opens the conversation wants as it is now. */
export function latelyOf<T extends Entry>(read: Read<T>): Read<T> {
  const { items, lately } = read;
  const place = lately ? items.findIndex((entry) => idOf(entry) === lately.oldest) : -1;
  return lately && place >= 0 ? { items: items.slice(0, place + 1), next_cursor: lately.next_cursor } : read;
}

/** With a page behind it. */
export function joined<T extends Entry>(read: Read<T>, page: Read<T>): Read<T> {
  const lately = read.lately ?? { oldest: idOf(read.items.at(-1) ?? {}), next_cursor: read.next_cursor };
  return { items: [...read.items, ...page.items], next_cursor: page.next_cursor, lately };
}

/** Entries from here to there, of which the last one stays where it is while more come. `null`: the latest. */
export interface Drawn {
  from: number;
  to: number;
}

/** The entries that are drawn, the last of which has this id. */
export function drawnOf(entries: readonly Entry[], last: string | null): Drawn {
  const place = last === null ? -1 : entries.findLastIndex((entry) => idOf(entry) === last);
  const to = place < 0 ? entries.length : place + 1;
  return { from: Math.max(0, to - DRAWN), to };
}

/** The id of the last entry that is drawn once the first one is this. */
export function lastFrom(entries: readonly Entry[], from: number): string | null {
  const to = from + DRAWN;
  return to >= entries.length ? null : (idOf(entries[to - 1] ?? {}) ?? null);
}
