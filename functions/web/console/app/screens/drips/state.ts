import { t } from "../../words/words.svelte.ts";
import type { Campaign } from "../campaigns/campaign.ts";

/** State of a broadcast or a drip: a drip goes on until it is cancelled. */
export function stateName({ type, state }: Pick<Campaign, "type" | "state">): string {
  return type === "drip" && state === "running" ? t("drip-running") : t(`campaign-state-${state}`);
}
