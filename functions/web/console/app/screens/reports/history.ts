/** What people and software have done, as lists say it. */
import { shifted } from "../../ui/filters.ts";
import { t } from "../../words/words.svelte.ts";
import { instantOf } from "../inbox/snooze.ts";
import { personOf, type Member } from "../inbox/team.ts";

/** Who did it. Of keys only the id is known to everybody who may see this. */
export function actorOf(id: string, members: Member[] = []): string {
  if (id === "operator" || id.startsWith("platform:")) return t("audit-operator");
  return id.startsWith("key_") ? t("labelled", { label: personOf(id), text: id }) : personOf(id, members);
}

/** From the beginning of a day to the end of another, by the clocks of a zone. */
export function periodOf(from: string, to: string, zone: string): { from?: string; to?: string } {
  const after = to && shifted(to, 1);
  return { ...(from && shifted(from, 0) ? { from: instantOf(`${from}T00:00`, zone) } : {}), ...(after ? { to: instantOf(`${after}T00:00`, zone) } : {}) };
}

/** The page of the console that tells more of an operation. */
export function pageOf({ kind, params }: { kind: string; params: unknown }): string | null {
  if (kind === "apply_retention") return "settings/retention";
  if (kind === "backfill_conversations") return "settings/inbox";
  const { campaign, contact } = (params ?? {}) as Record<string, unknown>;
  if (typeof campaign === "string") return `campaigns/${campaign}`;
  // Whoever is erased has no page.
  return typeof contact === "string" && kind !== "erase_contact" ? `contacts/${contact}` : null;
}
