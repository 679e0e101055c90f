/** Templates that are offered in place of free text, with the values that somebody adds. */
import type { components } from "../../../api/contract.d.ts";

export type Offer = components["schemas"]["OfferedTemplate"];
/** How a reply can be sent. */
export type Way = "whatsapp" | "sms" | "template";
type Use = Offer["template"];

const VARIABLE = "variables.";

/** Whether its missing values can be written: those of buttons are parts of links, which nobody in a shop knows. */
export function isWritable({ missing }: Offer): boolean {
  return missing.every((field) => field === "header" || field.startsWith(VARIABLE));
}

/** The template as it is sent. */
export function withValues({ template, missing }: Offer, values: Readonly<Record<string, string>>): Use {
  const given = missing.filter((field) => values[field]?.trim()).map((field) => [field, { text: (values[field] ?? "").trim() }] as const);
  const variables = Object.fromEntries(given.filter(([field]) => field !== "header").map(([field, value]) => [field.slice(VARIABLE.length), value]));
  const header = given.find(([field]) => field === "header")?.[1];
  return { ...template, variables: { ...template.variables, ...variables }, ...(header ? { header } : {}) };
}

/** Its text as the customer reads it. */
export function previewOf({ text, missing }: Offer, values: Readonly<Record<string, string>>): string {
  return text.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (whole, name: string) => (missing.includes(VARIABLE + name) && values[VARIABLE + name]?.trim()) || whole);
}

export function isComplete({ missing }: Offer, values: Readonly<Record<string, string>>): boolean {
  return missing.every((field) => values[field]?.trim());
}
