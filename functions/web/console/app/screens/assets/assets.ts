/** Files of the business, and what they may be. */
import type { components } from "../../api/contract.d.ts";
import type { Tone } from "../../ui/Badge.svelte";

type Schemas = components["schemas"];
export type Asset = Schemas["Asset"];
export type Kind = Schemas["MediaKind"];
export const PATH = "/api/v1/assets/{asset_id}";
export const TONES: Record<Asset["state"], Tone> = { ready: "ok", scanning: "plan", awaiting_upload: "warn", refused: "bad" };

const MB = 1024 * 1024;
const OFFICE = "application/vnd.openxmlformats-officedocument.";
/** The types and sizes that WhatsApp takes. */
export const LIMITS: Record<Kind, { most: number; types: string[] }> = {
  image: { most: 5 * MB, types: ["image/jpeg", "image/png"] },
  video: { most: 16 * MB, types: ["video/mp4", "video/3gpp"] },
  audio: { most: 16 * MB, types: ["audio/aac", "audio/amr", "audio/mpeg", "audio/mp4", "audio/ogg"] },
  document: {
    most: 100 * MB,
    types: [
      "application/pdf", "text/plain", "application/msword", "application/vnd.ms-excel", "application/vnd.ms-powerpoint",
      `${OFFICE}wordprocessingml.document`, `${OFFICE}spreadsheetml.sheet`, `${OFFICE}presentationml.presentation`,
    ],
  },
  sticker: { most: 500 * 1024, types: ["image/webp"] },
};
export const KINDS = Object.keys(LIMITS) as Kind[];

/** Why a file is not even tried. */
export function refusalOf({ type, size }: Pick<File, "type" | "size">, kinds: Kind[]): { why: "type" | "empty" | "size"; kind?: Kind; most?: number } | null {
  const kind = kinds.find((one) => LIMITS[one].types.includes(type));
  if (!kind) return { why: "type" };
  if (size === 0) return { why: "empty" };
  const { most } = LIMITS[kind];
  return size > most ? { why: "size", kind, most } : null;
}
