/** The client of the API. Every request of the console goes through it. */
import createClient from "openapi-fetch";
import type { paths } from "./contract.d.ts";
import { here } from "./here.svelte.ts";
import { Refused } from "./problem.ts";
import { session } from "./session.svelte.ts";

export const api = createClient<paths>({ baseUrl: location.origin, fetch: send });

/** The same for operations that need no session, such as a log-in, whose 401 is an answer and not the end of one. */
export const door = createClient<paths>({ baseUrl: location.origin, fetch: (request) => once(request, null) });

/** Sends with the access token. Where it has ended, the request is repeated with the next one: after a refresh, or after the person
 * has logged in again over the page. The repetition has the same `Idempotency-Key`. */
async function send(request: Request): Promise<Response> {
  if (here.place) request.headers.set("x-tenant-id", here.place.id);
  const token = await session.token();
  const answer = await once(request, token);
  if (answer.status !== 401) return answer;
  const next = await session.renew(token);
  return next ? once(request, next) : answer;
}

async function once(request: Request, token: string | null): Promise<Response> {
  const copy = request.clone();
  if (token) copy.headers.set("authorization", `Bearer ${token}`);
  try {
    return await fetch(copy);
  } catch {
    throw new Refused(0, {});
  }
}
