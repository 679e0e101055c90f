/** The content of a template, as it is written. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
export type Content = Schemas["TemplateContent"] & { buttons: Schemas["TemplateButtonIn"][]; samples: Record<string, string> };
export type Button = Schemas["TemplateButtonIn"];

export const CATEGORIES: Content["category"][] = ["utility", "marketing", "authentication"];
export const HEADERS = ["none", "text", "image", "video", "document"];
export const MOST_BUTTONS = 10;

/** What a new template begins with. */
export function blank(): Content {
  return tidied({ category: "utility" });
}

/** The names in `{{…}}` of a text, each once. */
export function variablesIn(text: string | null | undefined): string[] {
  return [...new Set([...(text ?? "").matchAll(/\{\{([^{}]*)\}\}/g)].map(([, name = ""]) => name.trim()))];
}

/** A variable as it stands in a text. */
export function written(name: string | number): string {
  return `{{${name}}}`;
}

/** The variable that an author means who inserts one more. */
export function nextVariable(text: string): string {
  return written(Math.max(0, ...variablesIn(text).map(Number).filter(Number.isInteger)) + 1);
}

/** The content without what belongs to nothing in it any more, such as the sample of a variable that was removed. */
export function tidied({ category, header, body, footer, buttons, samples, code, parameter_format }: Schemas["TemplateContent"]): Content {
  const isCode = category === "authentication";
  const names = variablesIn(body);
  const all = [...names, ...variablesIn(header?.text)];
  return {
    category,
    body: isCode ? null : body || null,
    footer: isCode ? null : footer || null,
    header: isCode || !header ? null : { ...header, sample: variablesIn(header.text).length > 0 ? header.sample : null },
    buttons: isCode ? [] : (buttons ?? []),
    samples: isCode ? {} : Object.fromEntries(names.flatMap((name) => (samples?.[name] ? [[name, samples[name]]] : []))),
    code: isCode ? (code ?? { button: "", security_advice: true, valid_minutes: null }) : null,
    parameter_format: all.length === 0 ? (parameter_format ?? "positional") : all.every((name) => /^\d*$/.test(name)) ? "positional" : "named",
  };
}
