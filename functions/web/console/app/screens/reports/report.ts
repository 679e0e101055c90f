/** Reports of some days, as their screens divide them. */
import type { components, operations } from "../../api/contract.d.ts";
import { filtersOf } from "../../ui/filters.ts";
import { router } from "../../ui/router.svelte.ts";
import { day, shortly } from "../../words/formats.ts";
import { t } from "../../words/words.svelte.ts";

export type Query = NonNullable<operations["get_metrics"]["parameters"]["query"]>;
export type By = components["schemas"]["ReportBy"];

/** Days that a report may have. */
export const MOST: Record<By, number> = { day: 397, hour: 3, line: 31 };

/** What a chart shows of a day, an hour or a line, or of anything else that is counted. */
export interface Part {
  label: string;
  values: number[];
  /** What the table says, where it is no number. */
  texts?: string[];
}

/** The filters of the address. */
export function asked(): Query {
  return filtersOf<Query>(router.url.searchParams, ["by", "from", "to", "line"]);
}

export function byOf({ by }: Query): By {
  return by && by in MOST ? by : "day";
}

/** The name of a part of a report. */
export function nameOf({ day: date, hour, line }: Omit<components["schemas"]["MetricsPartOut"], "figures">): string {
  if (date) return day(date);
  if (hour) return shortly(hour);
  return line ? (line.name ?? t("automation-line-deleted")) : t("report-line-none");
}

/** Bars are as long as their share of the longest. Whatever is not nothing is seen. */
export function lengthOf(value: number, most: number, length: number): number {
  return value <= 0 ? 0 : Math.max(length / 50, (value / most) * length);
}
