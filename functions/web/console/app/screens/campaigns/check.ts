/** What a pre-flight says before the start, and what a report says afterwards. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
export type Preflight = Schemas["CampaignPreflight"];
export type Result = Schemas["CampaignPreflightResult"];

export const STATES = ["draft", "scheduled", "running", "paused", "finishing", "completed", "cancelled"] as const;

/** Milliseconds for which a pre-flight is good enough to start by. */
const FRESH = 15 * 60_000;

/** Whether a campaign can be started by what this one has counted. */
export function isFresh({ operation, outdated, result }: Preflight, now: number): boolean {
  return result !== null && !outdated && operation.finished_at !== null && now - Date.parse(operation.finished_at) <= FRESH;
}

export interface Sum {
  currency: string;
  amount: string;
}

export interface Expected {
  sums: Sum[];
  /** Some of it has no price, so that the sums are the least. */
  atLeast: boolean;
}

/** What all messages cost together, in each currency. */
export function expectedCost(costs: Result["costs"]): Expected {
  const sums = new Map<string, string>();
  for (const { amount, currency } of costs) {
    if (amount !== null && currency !== null) sums.set(currency, added(sums.get(currency) ?? "0", amount));
  }
  return { sums: [...sums].map(([currency, amount]) => ({ currency, amount })), atLeast: costs.some(({ amount, units }) => amount === null && units > 0) };
}

/** Amounts have more digits than numbers keep. */
function added(one: string, other: string): string {
  const digits = Math.max(...[one, other].map((amount) => amount.split(".")[1]?.length ?? 0));
  const whole = (amount: string): bigint => {
    const [units = "0", part = ""] = amount.split(".");
    return BigInt(units + part.padEnd(digits, "0"));
  };
  const sum = (whole(one) + whole(other)).toString().padStart(digits + 1, "0");
  return digits === 0 ? sum : `${sum.slice(0, -digits)}.${sum.slice(-digits)}`;
}

/** An amount as it stands on a button: with no parts of a cent, and never less than it is. */
export function rounded(amount: string, unit: number): string {
  const [whole = "0", part = ""] = amount.split(".");
  const kept = BigInt(whole + part.slice(0, unit).padEnd(unit, "0")) + (/[1-9]/.test(part.slice(unit)) ? 1n : 0n);
  const text = kept.toString().padStart(unit + 1, "0");
  return unit === 0 ? text : `${text.slice(0, -unit)}.${text.slice(-unit)}`;
}

/** Who gets no message, the most frequent reason first. */
export function heldBack(result: Result): { code: string; people: number }[] {
  return Object.entries(result.held_back).map(([code, people]) => ({ code, people })).toSorted((one, other) => other.people - one.people);
}

/** Numbers of a report, of all recipients or of those of a variant. */
export interface Numbers {
  recipients: number;
  states: Record<string, number>;
  reasons: Record<string, number>;
  replied: number;
  clicked: number;
  opted_out: number;
  cost: { currency: string; reported: string; estimated: string }[];
  unpriced: number;
}

export interface Report extends Numbers {
  variants?: (Numbers & { number: number; name: string | null })[];
}

/** How many were delivered: whoever has read a message has got it. */
export function delivered({ states }: Numbers): number {
  return (states.delivered ?? 0) + (states.read ?? 0);
}

/** Whether it ends without anybody's doing. */
export function isFinal(state: string): boolean {
  return state === "completed" || state === "cancelled";
}

/** Where a remedy for what paused a campaign is found, among the pages of the business. */
export function remedyOf(code: string): string | undefined {
  if (code === "cap_reached") return "settings/caps";
  if (["no_connection", "connection_broken", "route_refused", "low_quality", "no_marketing"].includes(code)) return "settings/connections";
  return undefined;
}
