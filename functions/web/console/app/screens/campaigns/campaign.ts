/** Broadcasts as their screens see them. */
import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { HELD } from "../../api/held.ts";
import { here } from "../../api/here.svelte.ts";
import { takeTagged, type Tagged } from "../../api/problem.ts";
import type { Tone } from "../../ui/Badge.svelte";
import { router } from "../../ui/router.svelte.ts";
import { t, words } from "../../words/words.svelte.ts";

export { operationOf, runs } from "../../operations/operations.ts";

type Schemas = components["schemas"];
export type Campaign = Schemas["CampaignOut"];
export type Variant = Schemas["CampaignVariant"];
export const PATH = "/api/v1/campaigns/{campaign_id}";
export const STEPS = ["audience", "message", "when", "check"] as const;
export const TONES: Record<Campaign["state"], Tone> = { draft: "none", scheduled: "plan", running: "info", paused: "warn", finishing: "info", completed: "ok", cancelled: "none" };

/** What the steps of the builder change. */
export interface Fields {
  name: string;
  audience: Schemas["CampaignAudience"];
  message: Schemas["CampaignMessage"];
  variants: Variant[];
  hold_percent: number | null;
  starts_at: string | null;
  starts_at_local: string | null;
  send_window: Schemas["SendWindow"] | null;
  per_minute: number | null;
}

export function fieldsOf({ name, audience, message, variants = [], hold_percent = null, starts_at = null, starts_at_local = null, send_window = null, per_minute = null }: Campaign): Fields {
  return { name, audience, message, variants, hold_percent, starts_at, starts_at_local, send_window, per_minute };
}

/** The id of the campaign in the address. */
export function campaignId(): string {
  return router.found?.params.campaign ?? "";
}

export function readCampaign(campaign_id: string): Promise<Tagged<Campaign>> {
  return takeTagged(api.GET(PATH, { params: { path: { campaign_id } } }));
}

export function campaignKey(id: string): unknown[] {
  return [here.place?.id, "campaign", id];
}

/** The campaign of the address, as a form begins with it. Each step reads it anew, since the one before has changed it. */
export function heldCampaign(step: (typeof STEPS)[number]): CreateQueryResult<Tagged<Campaign>> {
  const id = campaignId();
  return createQuery(() => ({ queryKey: [...campaignKey(id), step], queryFn: () => readCampaign(id), ...HELD }));
}

/** Label of a field that two people have changed. */
export function labelOf([name = "", inner = ""]: string[]): string {
  if (name === "name") return t("column-name");
  const id = `campaign-${name === "audience" || name === "message" ? inner : name}`;
  return words.has(id) ? t(id) : [name, inner].filter(Boolean).join(".");
}

/** Name of a field of the API, such as `message.sms_text.en`. */
export function fieldName(path: string): string {
  return labelOf(path.split(/[.[]/));
}

/** Name of a variant by its number, of which 0 is the message itself. */
export function variantName(variants: Pick<Variant, "name">[], number: number): string {
  return variants[number - 1]?.name ?? t("campaign-variant-first");
}
