/** Messages that were sent: the words of their templates, and when to ask again what became of them. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
type Known = Pick<Schemas["TemplateModel"], "name" | "language" | "variables" | "updated_at"> & { content: Pick<Schemas["TemplateContent"], "header" | "body" | "footer"> };

/** What the customer read of a template. `null` if its text is not known, or is another one since then. */
export function wordsOf(filled: Pick<Schemas["FilledTemplate"], "name" | "language" | "header" | "values">, at: string, templates: readonly Known[]): string | null {
  const texts = templates
    .filter(({ name, language }) => name === filled.name && language === filled.language)
    .map(({ content, variables, updated_at }) => {
      if (!content.body || (updated_at && Date.parse(updated_at) > Date.parse(at)) || variables.length > filled.values.length) return null;
      const header = content.header?.text?.replace(/\{\{[^{}]*\}\}/, (variable) => filled.header ?? variable);
      const body = content.body.replace(/\{\{\s*([^{}]*?)\s*\}\}/g, (variable, name: string) => filled.values[variables.indexOf(name)] ?? variable);
      return [header, body, content.footer].filter(Boolean).join("\n\n");
    });
  // Several connections can have templates of this name. Which one sent it is not in a list.
  return texts.length > 0 && texts.every((text) => text === texts[0]) ? (texts[0] ?? null) : null;
}

interface Sent {
  state: string | null;
  at: string;
  send_at?: string | null;
}

const UNDER_WAY = ["scheduled", "sending", "unknown", "accepted", "sent"];
const DAY = 86_400_000;

/** Milliseconds until these messages are asked for again, the longer the older they are. `false` once nothing will change. */
export function nextLook(messages: readonly Sent[], now = Date.now()): number | false {
  const ages = messages.filter(({ state }) => UNDER_WAY.includes(state ?? "")).map(({ at, send_at }) => Math.abs(now - Date.parse(send_at ?? at))).filter((age) => age < DAY);
  return ages.length > 0 && Math.min(Math.max(Math.min(...ages) / 20, 3_000), 60_000);
}
