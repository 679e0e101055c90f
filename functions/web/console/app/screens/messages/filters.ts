import type { operations } from "../../api/contract.d.ts";

type Filters = NonNullable<operations["list_messages"]["parameters"]["query"]>;

export const STATES = ["scheduled", "sending", "unknown", "accepted", "sent", "delivered", "read", "failed", "cancelled", "blocked"] as const;
export const PURPOSES = ["follow_up", "reply", "auto_reply", "api", "stop_confirmation"] as const;

const NAMES = ["from", "to", "direction", "channel", "state", "purpose", "cursor"] as const;

/** The filters that the address names. */
export function filtersOf(sent: URLSearchParams): Filters {
  return Object.fromEntries(NAMES.flatMap((name) => (sent.get(name) ? [[name, sent.get(name)]] : [])));
}
