/** Templates as their screens see them. */
import { api } from "../../api/client.ts";
import type { components } from "../../api/contract.d.ts";
import { here } from "../../api/here.svelte.ts";
import { takeTagged, type Tagged } from "../../api/problem.ts";
import type { Tone } from "../../ui/Badge.svelte";
import { t, words } from "../../words/words.svelte.ts";
import { tidied, written, type Content } from "./content.ts";

type Schemas = components["schemas"];
export type Template = Schemas["TemplateModel"];
export const PATH = "/api/v1/templates/{template_id}";
/** States that the list can be narrowed to. */
export const STATES = ["APPROVED", "PENDING", "REJECTED", "DRAFT", "PAUSED", "DISABLED"];

const TONES: Record<string, Tone> = { APPROVED: "ok", REINSTATED: "ok", PENDING: "plan", IN_APPEAL: "plan", PAUSED: "warn", REJECTED: "bad", DISABLED: "bad" };

export function toneOf({ status }: Pick<Template, "status">): Tone {
  return TONES[status] ?? "none";
}

export function keyOf(id: string): unknown[] {
  return [here.place?.id, "template", id];
}

export function readTemplate(template_id: string): Promise<Tagged<Template>> {
  return takeTagged(api.GET(PATH, { params: { path: { template_id } } }));
}

/** The content that its form shows: what is written and not submitted, or what the provider has. */
export function stored({ value, tag }: Tagged<Template>): Tagged<Content> {
  return { value: tidied(value.draft ?? value.content), tag };
}

/** Label of a field of the content, such as `buttons[0].text`. */
export function labelOf(path: string[]): string {
  const [name = "", inner = ""] = path.join(".").replace(/^content\./, "").split(/[.[\]]+/);
  if (name === "samples") return t("template-sample", { name: written(inner) });
  if (name === "buttons" && inner) return t("template-button-numbered", { place: Number(inner) + 1 });
  return words.has(`template-field-${name}`) ? t(`template-field-${name}`) : path.join(".");
}

/** Whether no change of it can be submitted, ever. */
export function isFixed({ content_sid, status }: Template): boolean {
  return content_sid !== null && status !== "DRAFT";
}
