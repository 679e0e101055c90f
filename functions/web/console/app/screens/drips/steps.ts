/** Steps of a drip: their order, their names, their numbers, and what waits for a cap. */
import type { components } from "../../api/contract.d.ts";

type Schemas = components["schemas"];
export type Step = Schemas["DripStep"];
export type Action = Step["does"];
export type Wait = Schemas["DripWait"];
export type Condition = Schemas["DripCondition"];
export const KINDS = ["message", "wait", "branch", "tag", "stage", "notify", "exit"] as const;
export type Kind = (typeof KINDS)[number];
export const CONDITIONS = ["delivered", "read", "clicked", "replied", "recovered", "tag", "stage"] as const;
export const MOST = 50;
const HOUR = 3_600_000;

/** Words of each condition, which reports say, too. */
export const CONDITION_WORDS: Record<Condition["type"], string> = {
  delivered: "campaign-report-delivered", read: "campaign-report-read", clicked: "campaign-report-clicked", replied: "campaign-report-replied", recovered: "figure-recovered",
  tag: "campaign-tag", stage: "drip-stage",
};

/** What a new step of this kind does. */
export function blankAction(type: Kind): Action {
  switch (type) {
    case "message": return { type, message: { channels: ["whatsapp", "sms"], category: "marketing", fallback_after_seconds: 120 } };
    case "wait": return { type, wait: { until: "passed", days: 1, hours: 0, minutes: 0 } };
    case "branch": return { type, when: { type: "clicked" } };
    case "tag": return { type, tag: "", remove: false };
    case "stage": return { type, stage: "" };
    case "notify": return { type, text: "", users: [] };
    case "exit": return { type };
  }
}

/** A name that no step has: the word, and a number behind it from the second one on. */
export function freeName(steps: Step[], word: string): string {
  const taken = new Set(steps.map(({ name }) => name));
  const number = Array.from({ length: steps.length + 1 }, (_, place) => place + 1).find((one) => !taken.has(one === 1 ? word : `${word} ${one}`)) ?? 1;
  return number === 1 ? word : `${word} ${number}`;
}

export function moveItem<T>(items: T[], from: number, by: number): T[] {
  const others = items.toSpliced(from, 1);
  return others.toSpliced(from + by, 0, ...items.slice(from, from + 1));
}

/** The steps with another name in place of this one, wherever branches lead to it. `null`: to the next step. */
export function renameTargets(steps: Step[], from: string, to: string | null): void {
  for (const { does } of steps) {
    if (does.type !== "branch") continue;
    if (does.then === from) does.then = to;
    if (does.otherwise === from) does.otherwise = to;
  }
}

/** What differs between one's own steps and theirs. Steps have an order, so one's own are kept as a whole. */
export function clashOf(mine: Record<string, string>, theirs: Record<string, string>): { before: object; mine: object; theirs: object } {
  const places = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].filter((place) => mine[place] !== theirs[place]);
  const of = (version: Record<string, string>) => Object.fromEntries(places.map((place) => [place, version[place] ?? ""]));
  return { before: Object.fromEntries(places.map((place) => [place, null])), mine: of(mine), theirs: of(theirs) };
}

/**
 * Whether a message waits for room in a cap: the API looks at it again in the last second before an hour of UTC begins. A message that was due
 * from the step before has the time of that step.
 */
export function waitsForCap({ status, next_step_scheduled_at: next, last_step_at, entered_at }: Pick<Schemas["Enrollment"], "status" | "next_step_scheduled_at" | "last_step_at" | "entered_at">): boolean {
  if (status !== "active" || next === null || next === (last_step_at ?? entered_at)) return false;
  return HOUR - (Date.parse(next) % HOUR) <= 1000;
}

/** What became of a step, as a report counts it. */
export interface StepNumbers {
  name: string;
  taken: number;
  skipped: number;
  fulfilled?: number;
  states?: Record<string, number>;
  replied: number;
  clicked: number;
  opted_out: number;
}

export interface DripReport {
  entered: number;
  statuses: Partial<Record<Schemas["EnrolmentStatus"], number>>;
  reasons: Record<string, number>;
  steps: StepNumbers[];
  other_steps?: Omit<StepNumbers, "name"> | null;
  cost: { currency: string; reported: string; estimated: string }[];
  unpriced: number;
}

/** The numbers of a step that are worth a look, by their words. */
export function figuresOf({ taken, skipped, fulfilled, states, replied, clicked, opted_out }: Omit<StepNumbers, "name">): [string, number][] {
  const delivered = (states?.delivered ?? 0) + (states?.read ?? 0);
  const all: [string, number | undefined][] = [
    ["campaign-people", taken], ["drip-skipped", skipped], ["drip-fulfilled", fulfilled],
    ["campaign-report-delivered", states && delivered], ["campaign-report-read", states && (states.read ?? 0)], ["campaign-report-failed", states && (states.failed ?? 0)],
    ["campaign-report-replied", replied], ["campaign-report-clicked", clicked], ["campaign-report-opted_out", opted_out],
  ];
  return all.filter((one, place): one is [string, number] => one[1] !== undefined && (place === 0 || one[1] > 0));
}
