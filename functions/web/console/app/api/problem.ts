/** A request that did not succeed: the API's problem, or no answer at all. */
import type { components } from "./contract.d.ts";

type Problem = components["schemas"]["Problem"];
export type Fault = components["schemas"]["FieldError"];
export type Facts = Record<string, string | number | boolean | string[]>;

const PREFIX = "urn:ringback:problem:";

export class Refused extends Error {
  readonly status: number;
  /** Word of the problem, or `offline` if nobody answered. */
  readonly kind: string;
  readonly problem: Partial<Problem>;
  readonly correlation: string | null;
  /** Path of what to ask for instead. */
  readonly location: string | null;
  /** Seconds to wait before the next try. */
  readonly after: number;

  constructor(status: number, problem: Partial<Problem>, headers: Headers = new Headers()) {
    super(problem.detail ?? `status ${status}`);
    this.status = status;
    this.kind = problem.type?.startsWith(PREFIX) ? problem.type.slice(PREFIX.length) : status === 0 ? "offline" : "unknown";
    this.problem = problem;
    this.correlation = headers.get("x-correlation-id");
    this.location = headers.get("location");
    this.after = Number(headers.get("retry-after")) || 0;
  }

  get errors(): Fault[] {
    return this.problem.errors ?? [];
  }
}

/** The refusal of fields that are wrong before anything is sent, as the API would say it. */
export function refusalOf(errors: Fault[]): Refused {
  return new Refused(422, { type: `${PREFIX}invalid`, errors });
}

/** Whether nobody answered. */
export function isOffline(problem: unknown): boolean {
  return problem instanceof Refused && problem.kind === "offline";
}

/** The first fault of one of these fields, or of a part of it, such as an item of a list. */
export function faultAt(faults: Fault[], names: string[]): Fault | undefined {
  return faults.find(({ field }) => names.some((name) => field === name || (field.startsWith(name) && /^[.[]/.test(field.slice(name.length)))));
}

/** A resource with the tag of its version. */
export interface Tagged<T> {
  value: T;
  tag: string;
}

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body and the tag of its version, which a change of it names, or the problem as an error. */
export async function takeTagged<T>(answer: Promise<Answer<T>>): Promise<Tagged<T>> {
  const value = await take(answer);
  return { value, tag: (await answer).response.headers.get("etag") ?? "" };
}

/** The answer's body, or the problem as an error. */
export async function take<T>(answer: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await answer;
  if (response.ok) return data as T;
  throw new Refused(response.status, typeof error === "object" && error !== null ? error : {}, response.headers);
}
