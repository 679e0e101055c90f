/** A contact as its forms have it. */
import type { components } from "../../api/contract.d.ts";
import { amountOf, priceIn } from "../../numbers/money.ts";

type Schemas = components["schemas"];
type Field = Pick<Schemas["Field"], "key" | "type">;
type Contact = Schemas["Contact"];

/** Fields are texts, as they are typed. Without one, the field has no value. Numbers and addresses have commas between them. */
export interface Written {
  name: string;
  phones: string;
  emails: string;
  language: string;
  stage: string;
  owner: string;
  source: string;
  /** Amount, and its currency, which is empty until one is chosen. */
  value: [string, string];
  tags: string[];
  fields: Record<string, string>;
}

const LISTS = ["phones", "emails"];

export function writtenOf(contact: Partial<Contact>, known: readonly Field[]): Written {
  const { name, phones = [], emails = [], language, stage, owner, source, value, tags = [], fields = {} } = contact;
  return {
    name: name ?? "", phones: phones.join(", "), emails: emails.join(", "), language: language ?? "", stage: stage ?? "", owner: owner ?? "", source: source ?? "", value: [amountOf(value), value?.currency ?? ""], tags,
    fields: Object.fromEntries(known.map(({ key }) => [key, String(fields[key] ?? "")])),
  };
}

/** The changes of a form as the API takes them. `usual` is the currency of a value for which none was chosen. */
export function readContact(changes: Partial<Written>, known: readonly Field[], usual = "USD"): Schemas["ContactInPatch"] {
  const { fields, value, ...rest } = changes;
  const valueOf = (key: string, text: string) => {
    const type = known.find((field) => field.key === key)?.type;
    if (text.trim() === "") return null;
    // What is no number is for the API to refuse.
    if (type === "number") return Number.isFinite(Number(text)) ? Number(text) : text;
    return type === "yes_no" ? text === "true" : text.trim();
  };
  const plainOf = (name: string, value: string | string[]) => {
    if (typeof value !== "string") return value;
    return LISTS.includes(name) ? value.split(/[\s,،;]+/).filter(Boolean) : value.trim() || null;
  };
  return {
    ...Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, plainOf(name, value)])),
    ...(value ? { value: priceIn("value", value[0], value[1] || usual) } : {}),
    ...(fields ? { fields: Object.fromEntries(Object.entries(fields).map(([key, text]) => [key, valueOf(key, text)])) } : {}),
  };
}

/** Who the person is, as far as it is known. */
export function titleOf({ name, formatted_phones, emails, id }: Pick<Contact, "name" | "formatted_phones" | "emails" | "id">): string {
  return name ?? formatted_phones[0] ?? emails[0] ?? id;
}
