/** Asks for the session while the rest of the console is still being read, which saves each visit a round trip. A file of its own, which
 * imports nothing. `api/session.svelte.ts` takes the answer, or asks itself where there is none. */
declare global {
  interface Window {
    /** The answer; null where another tab may have a session, which is asked first. */
    early?: Promise<Response | null>;
  }
}

async function ask(): Promise<Response | null> {
  return await navigator.locks.request("auth", async () => {
    const { held = [] } = await navigator.locks.query();
    if (held.some(({ name }) => name === "tab")) return null;
    const headers = { "content-type": "application/json" };
    return fetch("/api/v1/auth/refresh", { method: "POST", headers, body: "{}", keepalive: true });
  });
}

const early = ask();
// Whoever takes it says what failed.
early.catch(() => undefined);
window.early = early;

export {};
