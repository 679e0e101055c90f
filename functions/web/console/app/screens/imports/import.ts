/** Imports as their screens see them. */
import type { components } from "../../api/contract.d.ts";
import { Refused } from "../../api/problem.ts";
import type { Tone } from "../../ui/Badge.svelte";

type Schemas = components["schemas"];
export type Import = Schemas["Import"];
export type Preview = Schemas["ImportPreview"];
export type Settings = Schemas["ImportSettingsIn"];
export type Column = Schemas["MappedColumn"];
export const PATH = "/api/v1/imports/{import_id}";
/** What the operation counts, in the order in which it is told. */
export const COUNTS = ["created", "updated", "skipped", "refused", "erased", "remarked", "opted_in", "opted_out", "said_no"] as const;
export type Result = Record<(typeof COUNTS)[number] | "rows", number> & { dry_run: boolean; left_out: boolean };
export const TONES: Record<Preview["rows"][number]["becomes"], Tone> = { created: "ok", updated: "info", skipped: "none", refused: "bad" };

const NAMED = ["name", "first_name", "middle_name", "last_name", "phone", "country_code", "country", "email", "language", "tags", "stage", "owner", "source", "value"] as const;
const CONSENT = ["opted_in", "opted_in_at", "opted_in_sms", "opted_in_whatsapp", "opted_out_sms", "opted_out_whatsapp"] as const;
export const TARGETS: readonly string[] = [...NAMED, ...CONSENT];

/** The meaning of a column as a choice has it. A field of the business stands behind a colon. */
export function choiceOf(target: Column["target"] | undefined): string {
  return typeof target === "object" ? `:${target.field}` : (target ?? "");
}

/** The mapping with another meaning of one column. The order stays: the first of several numbers is the preferred one. */
export function mapped(columns: Column[], column: number, choice: string): Column[] {
  if (choice === "") return columns.filter((one) => one.column !== column);
  const target = (choice.startsWith(":") ? { field: choice.slice(1) } : choice) as Column["target"];
  const known = columns.some((one) => one.column === column);
  return known ? columns.map((one) => (one.column === column ? { column, target } : one)) : [...columns, { column, target }];
}

/** The settings with which an operation works, or those of a new import. */
export function settingsOf({ operation }: Import): Settings {
  const { table = {}, mapping = null, mode = "skip", region = null, tags = [], create_tags = false, consent = null } = (operation?.params ?? {}) as Settings;
  return { table, mapping, mode, region, tags, create_tags, consent };
}

/** What a preview is asked for. A statement without evidence is none yet. */
export function previewed(settings: Settings): Settings {
  return settings.consent?.evidence ? settings : { ...settings, consent: null };
}

/** Sends a file to where the API wants it, and tells which part of it has gone. */
export function upload(file: File, { url, method, headers }: Schemas["UploadOut"], tell: (part: number) => void, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const fail = () => reject(new Refused(0, { type: "urn:ringback:problem:upload_broken" }));
    request.open(method, url);
    // The browser sets the length itself, and lets nobody else do it.
    for (const [name, value] of Object.entries(headers)) if (name !== "content-length") request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => tell(loaded / file.size);
    request.onload = () => (request.status < 300 ? resolve() : fail());
    request.onerror = fail;
    request.onabort = fail;
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}
