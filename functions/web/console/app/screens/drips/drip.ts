/** Drips as their screens see them: their steps, and where people are in them. */
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { take } from "../../api/problem.ts";
import { queries } from "../../api/queries.ts";
import type { Tone } from "../../ui/Badge.svelte";
import type { Campaign } from "../campaigns/campaign.ts";
import type { Step } from "./steps.ts";

type Schemas = components["schemas"];
export type Enrolment = Schemas["Enrollment"];
export const STATUSES = ["active", "completed", "exited"] as const;
export const TONES: Record<Enrolment["status"], Tone> = { active: "info", completed: "ok", exited: "none" };
export const ENROLMENT = "/api/v1/contacts/{contact_id}/campaigns/{campaign_id}";
const PATH = "/api/v1/campaigns/{campaign_id}/steps";

/** The steps of a drip as a form begins with them. A drip without steps has no version. */
export interface Written {
  campaign: Campaign;
  steps: Step[];
  written_at: string | null;
  warnings: Schemas["CampaignWarning"][];
}

export async function readSteps(campaign_id: string): Promise<Written> {
  const path = { campaign_id };
  const campaign = await take(api.GET("/api/v1/campaigns/{campaign_id}", { params: { path } }));
  const written = campaign.steps_version ? await take(api.GET(PATH, { params: { path } })) : { steps: [], written_at: null, warnings: [] };
  return { ...written, campaign };
}

export function writeSteps(campaign_id: string, steps: Step[]): Promise<Schemas["DripStepsVersion"]> {
  return take(api.POST(PATH, { params: { path: { campaign_id }, header: { "Idempotency-Key": crypto.randomUUID() } }, body: { steps } }));
}

/** Whether people can enter it. */
export function isOpen({ state }: Campaign): boolean {
  return state === "running" || state === "paused";
}

export async function enrol(contact_id: string, campaign_id: string): Promise<void> {
  await take(api.POST(`${ENROLMENT}/enroll`, { params: { path: { contact_id, campaign_id }, header: { "Idempotency-Key": crypto.randomUUID() } } }));
  await readEnrolmentsAgain();
}

export async function stop({ contact_id, campaign_id }: Enrolment): Promise<void> {
  await take(api.POST(`${ENROLMENT}/stop`, { params: { path: { contact_id, campaign_id }, header: { "Idempotency-Key": crypto.randomUUID() } } }));
  await readEnrolmentsAgain();
}

async function readEnrolmentsAgain(): Promise<void> {
  await queries.invalidateQueries({ queryKey: [here.place?.id, "enrolments"] });
}
