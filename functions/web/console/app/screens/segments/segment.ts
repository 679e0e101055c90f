/** Segments as their screens see them. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
export type Filter = Schemas["SegmentFilter"];
export type Field = Schemas["Field"];
export const KINDS = ["tag", "stage", "field", "owner", "source", "language"] as const;
export type Kind = (typeof KINDS)[number];
/** Values of a field: one, or the bounds of several, or a day of any year. */
const OF_FIELD = ["value", "from", "to", "day"] as const;

/** The kinds of conditions that a filter has. */
export function kindsIn(filter: Filter): Kind[] {
  return KINDS.filter((kind) => typeof filter[kind] === "string");
}

/** The filter with a condition whose value is still to be chosen, or without it. Values of one field fit no other. */
export function withKind(filter: Filter, kind: Kind, value: string | null): Filter {
  const rest = kind === "field" ? Object.fromEntries(OF_FIELD.map((name) => [name, null])) : {};
  return { ...filter, ...rest, [kind]: value };
}

/** A change of many contacts, as a form has it. */
export interface Wanted {
  what: (typeof CHANGES)[number];
  field: string;
  value: string | number | boolean | null;
}
export const CHANGES = ["add_tags", "remove_tags", "stage", "owner", "language", "field", "delete"] as const;

export function changeOf({ what, field, value }: Wanted): Schemas["ContactsChange"] {
  if (what === "delete") return { delete: true };
  if (what === "field") return { fields: { [field]: value === "" ? null : value } };
  if (what === "add_tags" || what === "remove_tags") return { [what]: value ? [String(value)] : [] };
  return { [what]: value === "" ? null : value };
}

const OVER = ["completed", "cancelled"];

/** Broadcasts and drips that are not over and go to a segment, or leave it out. */
export function usesOf(campaigns: Schemas["CampaignOut"][], segment: string): Schemas["CampaignOut"][] {
  return campaigns.filter(({ state, audience }) => !OVER.includes(state) && (audience?.segment === segment || audience?.excluded_segments?.includes(segment)));
}
