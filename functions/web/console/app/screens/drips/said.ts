/** Steps of a drip in words. */
import { duration, list } from "../../words/formats.ts";
import { t, words } from "../../words/words.svelte.ts";
import { nameOf } from "../settings/hours.ts";
import { CONDITION_WORDS, type Condition, type Step, type Wait } from "./steps.ts";

type Named = (id: string) => string | undefined;

/** What a step does, in a few words. Without the name of what an id stands for, nothing is said of it. */
export function describe({ does }: Step, nameById: Named): string {
  switch (does.type) {
    case "message": {
      const { channels = [], sms_text, template } = does.message;
      const text = typeof sms_text === "string" ? sms_text : Object.values(sms_text ?? {})[0];
      return [list(channels.map((channel) => t(`channel-${channel}`))), text ?? template?.name].filter(Boolean).join(" · ").slice(0, 120);
    }
    case "wait": return describeWait(does.wait);
    case "branch": return [describeCondition(does.when, nameById), does.then ?? t("drip-next"), does.otherwise ?? t("drip-next")].join(" · ");
    case "tag": return [nameById(does.tag), does.remove && t("drip-tag-remove")].filter(Boolean).join(" · ");
    case "stage": return nameById(does.stage) ?? "";
    case "notify": return does.text.slice(0, 120);
    case "exit": return "";
  }
}

function describeWait(wait: Wait): string {
  if (wait.until === "time_of_day") return wait.at;
  if (wait.until === "weekday") return `${nameOf(wait.day, words.locale())} ${wait.at}`;
  const { days = 0, hours = 0, minutes = 0 } = wait;
  // A day is as long as that of the calendar.
  return list([...(days ? [t("duration-day", { n: days })] : []), ...[hours * 3600, minutes * 60].filter(Boolean).map(duration)]);
}

function describeCondition(when: Condition, nameById: Named): string {
  const word = t(CONDITION_WORDS[when.type]);
  const id = when.type === "tag" ? when.tag : when.type === "stage" ? when.stage : "";
  return id ? t("labelled", { label: word, text: nameById(id) ?? "" }) : word;
}

/** The steps by their places, as two versions are put beside each other. */
export function outline(steps: Step[], nameById: Named): Record<string, string> {
  return Object.fromEntries(steps.map((step, place) => [String(place + 1), t("labelled", { label: step.name, text: [t(`drip-${step.does.type}`), describe(step, nameById)].filter(Boolean).join(" · ") })]));
}
