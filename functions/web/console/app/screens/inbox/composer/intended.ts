/** Messages that somebody means to send. Each try of one has the same key and the same body until an answer settles it, so it is sent once, whatever is sent in between. */
import { Refused } from "../../../api/problem.ts";

interface Try<T> {
  content: string;
  key: string;
  body: T;
}

/** Most contents that are remembered. */
const MOST = 10;

export class Intended<T extends object> {
  /** By their content, those tried last at the end. */
  private readonly tries = new Map<string, Try<T>>();

  /** The next try of this content. `body` is made for the first one only, since it may name what changes meanwhile. */
  of(content: object, body: () => T): Try<T> {
    const text = JSON.stringify(content);
    const tried = this.tries.get(text) ?? { content: text, key: crypto.randomUUID(), body: body() };
    this.tries.delete(text);
    this.tries.set(text, tried);
    for (const old of [...this.tries.keys()].slice(0, -MOST)) this.tries.delete(old);
    return tried;
  }

  /** Takes what became of a try. Whatever may have been sent nevertheless keeps its key. */
  settle({ content }: Try<T>, problem?: unknown): void {
    if (problem === undefined || isSettled(problem)) this.tries.delete(content);
  }
}

function isSettled(problem: unknown): boolean {
  return problem instanceof Refused && problem.status >= 400 && problem.status < 500 && problem.status !== 429 && problem.kind !== "still_running";
}
