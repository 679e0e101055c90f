import type { components } from "../../api/contract.d.ts";
import { language } from "../../words/formats.ts";
import { t } from "../../words/words.svelte.ts";
import { wordsOf } from "./sent.ts";

interface Written {
  at: string;
  text: string | null;
  legs: components["schemas"]["MessageLeg"][];
  content: string | null;
  media: { kind: string; name: string | null }[];
  contacts?: { name: string | null }[];
  location: unknown;
  reaction: { emoji: string | null } | null;
}

/** Kinds of messages of which WhatsApp may show nothing else, such as an edit that it hides. */
const HIDDEN = ["unsupported", "edit", "revoke", "reaction", "pin", "keep_in_chat", "request_welcome"];

/** Whether only a template says what the message says. */
export function isOfTemplate({ text, legs }: Pick<Written, "text" | "legs">): boolean {
  return !text && legs.some((leg) => leg.template);
}

/** What a message says: its text, or that of its template, or else what it is. */
export function textOf({ at, text, legs, content, media, contacts = [], location, reaction }: Written, templates: components["schemas"]["TemplateModel"][] = []): string {
  if (text) return content === "edit" ? t("message-edited", { text }) : text;
  const template = legs.find((leg) => leg.template)?.template;
  if (template) return wordsOf(template, at, templates) ?? t("message-template", { name: template.name, language: language(template.language.replace("_", "-")) });
  if (reaction) return reaction.emoji ?? t("content-kind-reaction");
  if (media[0]) return media[0].name ?? t(`medium-${media[0].kind}`);
  if (contacts.length > 0) return t("content-kind-contacts");
  if (location) return t("content-kind-location");
  if (content && HIDDEN.includes(content)) return t(`content-kind-${content}`);
  const kind = legs[0]?.content.kind;
  return kind ? t(`content-kind-${kind}`) : t("message-none-text");
}
