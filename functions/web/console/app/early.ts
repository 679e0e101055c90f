/** Asks for the session before the rest of the console runs, which keeps a slow phone busy for as long as the answer takes. It stands in the page
 * itself, and imports nothing. `api/session.svelte.ts` takes the answer, or asks itself where there is none. */
declare global {
  interface Window {
    /** The answer; null where another tab may have a session, which is asked first. */
    early?: Promise<Response | null>;
    /** Until the question is under way, or another tab has kept it waiting for long enough. */
    asking?: Promise<void>;
  }
}

/** How long the rest of the console waits for the question. */
const PATIENCE = 100;

async function ask(sent: () => void): Promise<Response | null> {
  return await navigator.locks.request("auth", async () => {
    const { held = [] } = await navigator.locks.query();
    if (held.some(({ name }) => name === "tab")) return null;
    const headers = { "content-type": "application/json" };
    const answer = fetch("/api/v1/auth/refresh", { method: "POST", headers, body: "{}", keepalive: true });
    sent();
    return answer;
  });
}

const { promise, resolve } = Promise.withResolvers<void>();
window.asking = promise;
setTimeout(resolve, PATIENCE);
window.early = ask(resolve);
// Whoever takes it says what failed.
window.early.catch(() => undefined).finally(resolve);

export {};
