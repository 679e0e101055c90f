/** Changes of several conversations at once: the API changes one at a time, and only the version that was shown. */
import type { components } from "../../api/contract.d.ts";
import { Refused } from "../../api/problem.ts";
import type { Conversation } from "./conversation.ts";
import { SNOOZES, timeOf } from "./snooze.ts";

export type Change = components["schemas"]["ConversationChangePatch"];

export const MOST_SELECTED = 20;
const MOST_TRIES = 5;

/** What became of a bulk change. */
export interface Outcome {
  /** Ids of those that were changed, or needed no change. */
  done: string[];
  /** Ids of those in which something has happened since they were listed. */
  changed: string[];
  /** Why others could not be changed, or were not tried. */
  problem: unknown;
}

/** What a choice, such as `assign usr_…` or `snooze 2026-11-20T10:00:00Z`, changes of a conversation. `null`: nothing. */
export function changeOf(choice: string, { tags }: Pick<Conversation, "tags">, now: number, zone: string): Change | null {
  const [what, value = ""] = choice.split(" ");
  if (what === "assign") return { assignee_id: value || null };
  if (what === "snooze") {
    const named = SNOOZES.find((one) => one === value);
    return { state: "snoozed", snoozed_until: named ? timeOf(named, now, zone) : value };
  }
  if (what === "tag") return tags.includes(value) ? null : { tags: [...tags, value] };
  return { state: value as Conversation["state"] };
}

/** Changes one after the other, and says how many were tried. One that the API refuses keeps none of the others from being changed. */
export async function changeEach<T extends { id: string }>(
  all: readonly T[], send: (one: T) => Promise<unknown>, tell: (tried: number) => void, pause = (seconds: number) => new Promise((resume) => setTimeout(resume, seconds * 1000)),
): Promise<Outcome> {
  const outcome: Outcome = { done: [], changed: [], problem: null };
  for (const [index, one] of all.entries()) {
    try {
      await patiently(() => send(one), pause);
      outcome.done.push(one.id);
    } catch (problem) {
      const status = problem instanceof Refused ? problem.status : 0;
      if ([404, 409, 412].includes(status)) outcome.changed.push(one.id);
      else outcome.problem = problem;
      if (![404, 409, 412, 422].includes(status)) return outcome;
    }
    tell(index + 1);
  }
  return outcome;
}

/** Sends again what came too soon after others. */
async function patiently(send: () => Promise<unknown>, pause: (seconds: number) => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await send();
      return;
    } catch (problem) {
      if (!(problem instanceof Refused && problem.status === 429 && tries < MOST_TRIES)) throw problem;
      await pause(Math.max(problem.after, 1));
    }
  }
}
