/** A message that somebody means to send. Each try has the same key and the same body until an answer settles it, so it is sent once. */
import { Refused } from "../../../api/problem.ts";

interface Try<T> {
  content: string;
  key: string;
  body: T;
}

export class Intended<T extends object> {
  private tried: Try<T> | null = null;

  /** The next try of this content. `body` is made for the first one only, since it may name what changes meanwhile. */
  of(content: object, body: () => T): Try<T> {
    const text = JSON.stringify(content);
    if (this.tried?.content !== text) this.tried = { content: text, key: crypto.randomUUID(), body: body() };
    return this.tried;
  }

  /** Takes what became of a try. Whatever may have been sent nevertheless keeps its key. */
  settle(problem?: unknown): void {
    if (problem === undefined || isSettled(problem)) this.tried = null;
  }
}

function isSettled(problem: unknown): boolean {
  return problem instanceof Refused && problem.status >= 400 && problem.status < 500 && problem.status !== 429 && problem.kind !== "still_running";
}
