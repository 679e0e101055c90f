import type { operations } from "../../api/contract.d.ts";

export type Filters = NonNullable<operations["list_calls"]["parameters"]["query"]>;

export const OUTCOMES = ["missed", "busy", "abandoned", "voicemail", "after_hours", "answered", "failed", "unknown"] as const;

export const FILTERS: readonly (keyof Filters)[] = ["from", "to", "outcome", "line", "followed_up", "stopped", "unanswered", "code", "direction", "rule", "cursor"];
