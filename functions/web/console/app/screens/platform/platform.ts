/** Businesses as those see them who operate the platform. */
import type { components } from "../../api/contract.d.ts";
import type { Tone } from "../../ui/Badge.svelte";

export type Tenant = components["schemas"]["PlatformTenantOut"];
export type Limits = components["schemas"]["LimitsModel"];

/** The path of one in the API. */
export const TENANT = "/api/v1/platform/tenants/{tenant_id}";

/** The list of all, in the console. */
export const LIST = "/app/platform/tenants";

/** What was read of all, and of one. */
export const ALL = ["platform", "tenants"];
export const keyOf = (id: string): string[] => ["platform", "tenant", id];

export const TONES: Record<Tenant["status"], Tone> = { active: "ok", suspended: "bad", leaving: "warn" };

/** Limits, each with what holds where a plan has no other. */
export const LIMITS: [keyof Limits, number][] = [
  ["principal_per_minute", 100], ["requests_per_minute", 1000], ["messages_per_day", 100_000], ["messages_per_month", 1_000_000],
  ["contacts", 1_000_000], ["asset_megabytes", 10_000], ["imports_per_day", 200], ["sockets", 200],
];

/** Limits as a form has them: those that are not set are empty. */
export function limitsOf(limits: Limits = {}): Required<Limits> {
  return Object.fromEntries(LIMITS.map(([name]) => [name, limits[name] ?? null])) as Required<Limits>;
}

/** The first days of the months that the platform's log reaches back, the latest first. */
export function monthsUntil(now: Date): string[] {
  return Array.from({ length: 13 }, (_, back) => new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - back, 1)).toISOString().slice(0, 10));
}
