/** Automations as forms and sentences see them. */
import type { components } from "../../api/contract.d.ts";
import { capital } from "../../words/codes.ts";
import { duration, list } from "../../words/formats.ts";
import { t, words } from "../../words/words.svelte.ts";

type Schemas = components["schemas"];
export type Fields = Schemas["AutomationIn"];
export type Value = NonNullable<NonNullable<Schemas["TemplateUse"]["variables"]>[string]>;
export type Channels = Fields["then"]["channels"];

export const OUTCOMES = ["missed", "busy", "abandoned", "voicemail", "after_hours", "failed", "answered"] as const;
const USUAL = OUTCOMES.slice(0, 5);

/** The fields of an automation, as they are sent again. */
export function fieldsOf({ name, enabled, priority, when, then, enroll }: Schemas["AutomationOut"] | Fields): Fields {
  return { name, enabled: enabled ?? true, priority: priority ?? 0, when: { ...when, outcomes: when?.outcomes ?? [...USUAL] }, then, enroll: enroll ?? null };
}

/** What a new automation begins with. */
export function blank(): Fields {
  return fieldsOf({ name: "", when: {}, then: { channels: ["whatsapp", "sms"], category: "utility", template: null, sms_text: null, delay_seconds: 0, fallback_after_seconds: 120, cooldown_seconds: 86_400 } });
}

/** What it does, in a sentence. */
export function sentenceOf({ when, then }: Pick<Fields, "when" | "then">, lines: (string | null)[] = []): string {
  const outcomes = (when?.outcomes ?? USUAL).map((outcome) => t(`fact-outcome-${outcome}`));
  return capital(t("automation-does", {
    outcomes: list(outcomes, "disjunction"),
    lines: lines.length > 0 ? list(lines.map((name) => name ?? t("automation-line-deleted")), "disjunction") : "none",
    hours: when?.hours ?? "any",
    caller: when?.caller ?? "any",
    channel: t(`channel-${then.channels[0] ?? "sms"}`),
    next: then.channels[1] ? t(`channel-${then.channels[1]}`) : "none",
    delay: then.delay_seconds ? duration(then.delay_seconds) : "none",
    cooldown: then.cooldown_seconds === 0 ? "none" : duration(then.cooldown_seconds ?? 86_400),
  }));
}

/** Name of a field of the API, such as `then.sms_text.en`. */
export function fieldName(path: string): string {
  const name = path.replace(/^(when|then)\./, "").split(/[.[]/)[0] ?? "";
  return words.has(`automation-field-${name}`) ? t(`automation-field-${name}`) : path;
}
