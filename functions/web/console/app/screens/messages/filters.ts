import type { operations } from "../../api/contract.d.ts";

export type Filters = NonNullable<operations["list_messages"]["parameters"]["query"]>;

export const STATES = ["scheduled", "sending", "unknown", "accepted", "sent", "delivered", "read", "failed", "cancelled", "blocked"] as const;
export const PURPOSES = ["follow_up", "reply", "auto_reply", "api", "stop_confirmation"] as const;

export const FILTERS: readonly (keyof Filters)[] = ["from", "to", "direction", "channel", "state", "purpose", "cursor"];
