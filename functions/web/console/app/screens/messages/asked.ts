import type { components } from "../../api/contract.d.ts";

type Known = Pick<components["schemas"]["Conversation"], "waiting_since" | "window_closes_at"> & { last: { at: string; call?: { direction: string } | null; message?: { direction: string } | null } | null };

const DAY = 86_400_000;
const LATELY = 3 * DAY;

/** The latest time in the last three days at which a customer called, wrote, or began to wait, as conversations know it. */
export function askedAt(conversations: readonly Known[], now = Date.now()): string | null {
  const times = conversations.flatMap(({ waiting_since, window_closes_at, last }) => [
    ...(waiting_since ? [Date.parse(waiting_since)] : []),
    // WhatsApp's window is open for a day after what the customer wrote.
    ...(window_closes_at ? [Date.parse(window_closes_at) - DAY] : []),
    ...(last && (last.call ?? last.message)?.direction === "inbound" ? [Date.parse(last.at)] : []),
  ]);
  const latest = Math.max(...times.filter((time) => time <= now));
  return latest > now - LATELY ? new Date(latest).toISOString() : null;
}
