import { phraseOf, reasonOf } from "../../words/codes.ts";
import { t } from "../../words/words.svelte.ts";
import type { Facts } from "../../api/problem.ts";

interface Decided {
  code: string;
  facts: Facts;
  decision: string;
  message_id: string | null;
}

interface Fate extends Decided {
  message: { code: string | null; facts: Facts; decision: string | null } | null;
}

/** What became of a call in one sentence: why its message goes no further, or else the decision. */
export function fateOf(call: Fate): string {
  const { message } = call;
  return message?.code ? reasonOf({ code: message.code, facts: message.facts, sentence: message.decision }) : decisionOf(call);
}

/** The decision about a call in one sentence. */
export function decisionOf({ code, facts, decision, message_id }: Decided): string {
  const reason = { code, facts, sentence: decision };
  return code === "follow_up" || message_id ? reasonOf(reason) : t("no-message", { reason: phraseOf(reason) });
}

/** The time of a call as lists have it, which timelines do not state: when it began, or else when it was decided. */
export function timeOf({ started_at, decided_at }: { started_at: string | null; decided_at: string }): string {
  return started_at ?? decided_at;
}
