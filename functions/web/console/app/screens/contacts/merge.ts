/** Two contacts of one person, beside what a merge makes of them. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
type Contact = Schemas["Contact"];
type Result = Pick<Schemas["MergeResult"], "contact" | "conflicts">;

export interface Row {
  field: string;
  one: string[];
  other: string[];
  both: string[];
  /** What was decided, if both have different values. */
  decision?: Schemas["MergeDecision"];
}

const FIELDS = ["name", "phones", "emails", "language", "stage", "owner", "source", "tags"] as const;

/** Fields in which at least one of them has something. Fields of the business are `fields.` and their key. */
export function rowsOf(one: Contact, other: Contact, { contact, conflicts }: Result): Row[] {
  const all = [one, other, contact];
  const keys = [...new Set(all.flatMap(({ fields }) => Object.keys(fields)))];
  const rows = [
    ...FIELDS.map((field) => ({ field, values: all.map((each) => listOf(field === "phones" ? each.formatted_phones : each[field])) })),
    ...keys.map((key) => ({ field: `fields.${key}`, values: all.map(({ fields }) => listOf(fields[key])) })),
  ];
  return rows.filter(({ values }) => values.some((texts) => texts.length > 0)).map(({ field, values: [first = [], second = [], third = []] }) => {
    const decision = conflicts.find((conflict) => conflict.field === field)?.decision;
    return { field, one: first, other: second, both: third, ...(decision ? { decision } : {}) };
  });
}

function listOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.map(String);
  return value === null || value === undefined || value === "" ? [] : [String(value)];
}
