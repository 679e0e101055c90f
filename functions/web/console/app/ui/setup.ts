/** The pages of the set-up, and which steps of the API each completes. */
import type { components } from "../api/contract.d.ts";

type Step = components["schemas"]["SetupStep"];
type StepId = components["schemas"]["StepId"];

export const PAGES = ["business", "telephone", "messages", "text", "try"] as const;
export type PageName = (typeof PAGES)[number];

const STEPS: Record<PageName, StepId[]> = {
  business: ["profile", "hours"], telephone: ["telephone_line"], messages: ["whatsapp", "sms_fallback"], text: ["template", "rule"], try: [],
};

/** About how many minutes each takes. */
const MINUTES: Record<PageName, number> = { business: 1, telephone: 2, messages: 2, text: 1, try: 1 };

export function pageOf(step: StepId): PageName {
  return PAGES.find((page) => STEPS[page].includes(step)) ?? "business";
}

export function stepsOf(page: PageName, steps: Step[]): Step[] {
  return steps.filter(({ id }) => STEPS[page].includes(id));
}

/** Whether everything that is required is there. A first call is tried, not recorded, so that page never is. */
export function isDone(page: PageName, steps: Step[]): boolean {
  const own = stepsOf(page, steps);
  // Who can send by WhatsApp needs no SMS, though the text is one as yet: that is changed on the next page.
  if (page === "messages" && own.some(({ id, state }) => id === "whatsapp" && state === "done")) return true;
  return page !== "try" && own.every(({ state, optional }) => optional || state === "done");
}

/** The first page with something to do. */
export function firstOpen(steps: Step[]): PageName {
  return PAGES.find((page) => !isDone(page, steps)) ?? "try";
}

export function after(page: PageName): PageName {
  return PAGES[PAGES.indexOf(page) + 1] ?? "try";
}

export function minutesLeft(steps: Step[]): number {
  return PAGES.filter((page) => !isDone(page, steps)).reduce((sum, page) => sum + MINUTES[page], 0);
}
