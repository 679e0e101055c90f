/** A contact as its form has it. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
type Field = Pick<Schemas["Field"], "key" | "type">;

/** Fields are texts, as they are typed. Without one, the field has no value. */
export interface Written {
  name: string;
  language: string;
  tags: string[];
  fields: Record<string, string>;
}

export function writtenOf({ name, language, tags, fields }: Pick<Schemas["Contact"], "name" | "language" | "tags" | "fields">, known: readonly Field[]): Written {
  return { name: name ?? "", language: language ?? "", tags, fields: Object.fromEntries(known.map(({ key }) => [key, String(fields[key] ?? "")])) };
}

/** The changes of a form as the API takes them. */
export function readContact(changes: Partial<Written>, known: readonly Field[]): Schemas["ContactInPatch"] {
  const { fields, ...rest } = changes;
  const valueOf = (key: string, text: string) => {
    const type = known.find((field) => field.key === key)?.type;
    if (text.trim() === "") return null;
    // What is no number is for the API to refuse.
    if (type === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
    return type === "yes_no" ? text === "true" : text.trim();
  };
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, typeof value === "string" ? value.trim() || null : value])),
    ...(fields ? { fields: Object.fromEntries(Object.entries(fields).map(([key, text]) => [key, valueOf(key, text)])) } : {}),
  };
}
