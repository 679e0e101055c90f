/** Who else reads a conversation, or writes in it: told once, and forgotten after a time. */
import type { Other } from "../api/live.svelte.ts";

/** What a socket is told of somebody. */
export interface Met {
  type?: string;
  conversation_id?: string;
  user_id?: string;
  reading?: boolean;
}

/** Milliseconds for which somebody is shown without another word. */
const READS = 15 * 60_000;
const WRITES = 5_000;

/** Those who are there after this. Whoever goes writes no more either. */
export function meet(others: readonly Other[], { type, conversation_id = "", user_id = "", reading }: Met, now: number): Other[] {
  const isOf = (other: Other) => other.conversation_id === conversation_id && other.user_id === user_id;
  const rest = others.filter((other) => !isOf(other));
  if (type === "reading" && !reading) return rest;
  const before = others.find(isOf) ?? { conversation_id, user_id, reads: 0, writes: 0 };
  return [...rest, type === "typing" ? { ...before, writes: now + WRITES } : { ...before, reads: now + READS }];
}
