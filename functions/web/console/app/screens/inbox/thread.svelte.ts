/** The thread of a conversation: what was read of it, and what of that is drawn. */
import { createQuery, replaceEqualDeep } from "@tanstack/svelte-query";
import type { QueryKey } from "@tanstack/svelte-query";
import type { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { follows } from "../../api/live.svelte.ts";
import { take } from "../../api/problem.ts";
import { nextAsk, queries } from "../../api/queries.ts";
import { nextLook } from "../messages/sent.ts";
import { isOf, POLL } from "./conversation.ts";
import { DRAWN, drawnOf, idOf, joined, lastFrom, latelyOf, PAGE, readThread, type Read } from "./thread.ts";

type Entry = components["schemas"]["TimelineEntryOut"];

export class Thread {
  /** Whether older entries are being read. */
  busy = $state(false);
  problem = $state.raw<unknown>(null);
  readonly query;
  /** All that were read, the latest at the end. */
  readonly entries = $derived.by((): Entry[] => this.query.data ?? []);
  private last = $state.raw<string | null>(null);
  private readonly place = $derived.by(() => drawnOf(this.entries, this.last));
  readonly drawn = $derived.by(() => this.entries.slice(this.place.from, this.place.to));
  /** Whether there are later ones than those that are drawn. */
  readonly hasNewer = $derived.by(() => this.place.to < this.entries.length);
  private readonly key: QueryKey;
  private readonly read: (limit: number, cursor: string | null) => Promise<Read<Entry>>;

  /** `queryKey`: of the conversation. */
  constructor(client: typeof api, conversation_id: string, queryKey: QueryKey) {
    this.key = [...queryKey, "timeline"];
    this.read = (limit, cursor) => take(client.GET("/api/v1/conversations/{conversation_id}/timeline", { params: { path: { conversation_id }, query: { limit, ...(cursor ? { cursor } : {}) } } }));
    queries.setQueryData<Read<Entry>>(this.key, (read) => read && latelyOf(read), { updatedAt: queries.getQueryState(this.key)?.dataUpdatedAt });
    this.query = createQuery(() => ({
      queryKey: this.key,
      queryFn: async () => this.share(await readThread(this.read, this.known)),
      // By place, each entry would be compared with the one before it as soon as another one comes.
      structuralSharing: false,
      select: ({ items }: Read<Entry>) => items.toReversed(),
      refetchInterval: ({ state }) => {
        const sent = state.data?.items.slice(0, PAGE).flatMap(({ at, message }) => (message ? [{ ...message, at }] : [])) ?? [];
        return nextAsk(state, Math.min(nextLook(sent) || POLL, POLL), true);
      },
      // A change of the conversation comes after the message that made it, and would keep the next one waiting. One of the contact may be a merge,
      // which brings what the other one has said.
      meta: follows((event) => event.type !== "conversation.changed" && isOf(event, queryKey, "note.created", "contact.changed")),
    }));
  }

  /** Whether there are older ones than those that are drawn. */
  get hasOlder(): boolean {
    return this.place.from > 0 || (this.query.data !== undefined && this.known()?.next_cursor !== null);
  }

  /** Reads older entries than those that are drawn, if none are known, and says whether there are some now. */
  async reach(): Promise<boolean> {
    if (this.busy) return false;
    if (this.place.from > 0) return true;
    [this.busy, this.problem] = [true, null];
    try {
      for (;;) {
        const cursor = this.known()?.next_cursor ?? null;
        const found = await this.read(PAGE, cursor);
        // Otherwise it was read again meanwhile, and ends elsewhere.
        if (this.known()?.next_cursor !== cursor) continue;
        queries.setQueryData<Read<Entry>>(this.key, (read) => read && joined(read, found));
        return true;
      }
    } catch (problem) {
      this.problem = problem;
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** Draws a page of older entries, which was reached, and no longer the latest if these are too many. */
  older(): void {
    const first = idOf(this.drawn[0] ?? {});
    // What was read is drawn a moment later.
    const entries = this.known()?.items.toReversed() ?? [];
    const from = entries.findIndex((entry) => idOf(entry) === first);
    this.last = lastFrom(entries, Math.max(0, from - PAGE));
  }

  /** Draws a page of later entries. */
  newer(): void {
    this.last = lastFrom(this.entries, Math.min(this.place.from + PAGE, this.entries.length - DRAWN));
  }

  newest(): void {
    this.last = null;
  }

  /** Shows what has become of a note, however long ago it was written. `null`: it is deleted. */
  readonly put = (id: string, note: Entry["note"]): void => {
    const changed = (items: Entry[]) => items.flatMap((entry) => (entry.note?.id !== id ? [entry] : note ? [{ ...entry, note }] : []));
    queries.setQueryData<Read<Entry>>(this.key, (read) => read && { ...read, items: changed(read.items) });
  };

  /** Keeps the entries that are as they were, of which nothing is drawn again. */
  private share(read: Read<Entry>): Read<Entry> {
    const before = new Map(this.known()?.items.map((entry) => [idOf(entry), entry]));
    return { ...read, items: read.items.map((entry) => replaceEqualDeep(before.get(idOf(entry)), entry)) };
  }

  private readonly known = (): Read<Entry> | undefined => queries.getQueryData<Read<Entry>>(this.key);
}
