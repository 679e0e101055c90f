import type { operations } from "../../api/contract.d.ts";

type Filters = NonNullable<operations["list_calls"]["parameters"]["query"]>;

export const OUTCOMES = ["missed", "busy", "abandoned", "voicemail", "after_hours", "answered", "failed", "unknown"] as const;

const NAMES = ["from", "to", "outcome", "line", "followed_up", "code", "direction", "rule", "cursor"] as const;

/** The filters that the address names. */
export function filtersOf(sent: URLSearchParams): Filters {
  return Object.fromEntries(NAMES.flatMap((name) => (sent.get(name) ? [[name, sent.get(name)]] : [])));
}
