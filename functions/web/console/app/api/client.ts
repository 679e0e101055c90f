/** The client of the API. Every request of the console goes through it. */
import createClient from "openapi-fetch";
import type { paths } from "./contract.d.ts";
import { here } from "./here.svelte.ts";
import { Refused } from "./problem.ts";
import { session } from "./session.svelte.ts";

/** The tenant of a question that is asked again; null while requests are of the page's. */
let asking: string | null = null;

export const api = apiOf(() => tenant());

/** The same for several requests, or tries, that belong together: whoever opens another tenant meanwhile does not lead the rest of them there. */
export function apiHere(): typeof api {
  const own = tenant();
  return apiOf(() => own);
}

/** Asks in the name of the tenant under whose key the answer will stand, also if another one is open by the time of a repetition. */
export function askOf<T>(key: unknown, question: () => T): T {
  if (typeof key !== "string" || !key.startsWith("tnt_")) return question();
  try {
    asking = key;
    return question();
  } finally {
    asking = null;
  }
}

function tenant(): string | undefined {
  return asking ?? here.place?.id;
}

function apiOf(tenant: () => string | undefined) {
  return createClient<paths>({ baseUrl: location.origin, fetch: (request) => send(request, tenant()) });
}

/** The same for operations that need no session, such as a log-in, whose 401 is an answer and not the end of one. */
export const door = createClient<paths>({ baseUrl: location.origin, fetch: (request) => once(request, null) });

/** Sends with the access token. Where it has ended, the request is repeated with the next one: after a refresh, or after the person
 * has logged in again over the page. The repetition has the same `Idempotency-Key`. */
async function send(request: Request, tenant: string | undefined): Promise<Response> {
  if (tenant) request.headers.set("x-tenant-id", tenant);
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
    dispatchEvent(new Event("unreachable"));
    throw new Refused(0, {});
  }
}
