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
