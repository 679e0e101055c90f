/** The person's session. The access token lives in memory only; the refresh token is a cookie that scripts cannot read. Of all tabs
 * one refreshes at a time, and tells the others. */
import type { components } from "./contract.d.ts";
import { aheadOf, sessionOf } from "./ahead.ts";
import { Refused } from "./problem.ts";
import { noted } from "../push/noted.ts";

type LoggedIn = components["schemas"]["LoggedInOut"];
type Shared = { kind: "in"; session: LoggedIn; until: number } | { kind: "ask" } | { kind: "out" };

/** Part of an access token's life after which it is refreshed: 12 of 15 minutes. */
const FRESH = 0.8;
/** How long another tab may take to tell its token. */
const PATIENCE = 3000;
/** How long, in milliseconds, a log-out waits until this device is not notified any more. */
const FAREWELL = 2000;

class Session {
  current = $state.raw<LoggedIn | null>(null);
  /** The same after every refresh, and another one after a log-in. */
  readonly id = $derived(sessionOf(this.current?.access_token ?? ""));
  /** True while the person must log in again over the page. */
  expired = $state(false);
  /** Milliseconds by which the server's clock is ahead of the device's. */
  ahead = $state(0);
  /** True once the page is left for good: nothing asks whether input may be lost. */
  leaving = $state(false);
  private until = 0;
  private readonly channel = new BroadcastChannel("session");
  private again: PromiseWithResolvers<string | null> | null = null;

  constructor() {
    this.channel.addEventListener("message", ({ data }: MessageEvent<Shared>) => this.hear(data));
    // Held as long as the tab lives, so that a new one knows whether there is anybody to ask.
    void navigator.locks.request("tab", { mode: "shared" }, () => new Promise(() => undefined));
  }

  /** Continues the session of the browser, if there is one. Only the answer 401 says that there is none. */
  async start(): Promise<void> {
    await patiently(() => this.refresh(null)).catch(() => undefined);
  }

  /** An access token with some life left. */
  async token(): Promise<string | null> {
    if (this.current && Date.now() > this.until) await this.refresh(this.current.access_token).catch(() => undefined);
    return this.current?.access_token ?? null;
  }

  /** The token after one that was refused, if need be after the person has logged in again. */
  async renew(refused: string | null): Promise<string | null> {
    try {
      await this.refresh(refused);
      return this.current?.access_token ?? null;
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.status !== 401 || !this.current) return null;
      this.expired = true;
      this.again ??= Promise.withResolvers();
      return this.again.promise;
    }
  }

  /** Takes a session that a log-in gave. Another person's discards everything that is on the page. */
  enter(session: LoggedIn): void {
    const until = Date.now() + session.expires_in * 1000 * FRESH;
    this.tell({ kind: "in", session, until });
    // Nothing of the other person's is repeated with this token.
    if (this.isOfAnother(session)) this.leave("/app/");
    else this.take(session, until);
  }

  /** Reads the person's businesses again, after they have joined one. */
  async renewPlaces(): Promise<void> {
    if (this.current) await this.refresh(this.current.access_token).catch(() => undefined);
  }

  async logOut(): Promise<void> {
    if (noted.get()) await Promise.race([forgetDevice().catch(() => undefined), new Promise((resume) => setTimeout(resume, FAREWELL))]);
    // What is left of it then ends with the next session.
    noted.set(null);
    await patiently(() => navigator.locks.request("auth", () => post("log-out", {}))).catch(() => undefined);
    this.tell({ kind: "out" });
    this.leave("/app/log-in");
  }

  private async refresh(known: string | null): Promise<void> {
    const asked = window.early;
    delete window.early;
    await navigator.locks.request("auth", async () => {
      if (this.current && this.current.access_token !== known) return;
      try {
        // A tab that was opened since may have another person's session.
        const early = asked && !(await this.others()) ? await asked : null;
        if (!early && !this.current && (await this.ask())) return;
        const session = await (early ? said<LoggedIn>(early) : post<LoggedIn>("refresh", {}));
        if (this.isOfAnother(session)) return this.leave("/app/");
        this.take(session, Date.now() + session.expires_in * 1000 * FRESH);
        this.share();
      } catch (problem) {
        if (!(problem instanceof Refused) || problem.kind !== "refreshed_elsewhere" || !(await this.heard(known))) throw problem;
      }
    });
  }

  /** Asks other tabs for their token, if there are any. */
  private async ask(): Promise<boolean> {
    if (!(await this.others())) return false;
    this.tell({ kind: "ask" });
    return this.heard(null, 300);
  }

  /** Whether there are other tabs. */
  private async others(): Promise<boolean> {
    const { held = [] } = await navigator.locks.query();
    return held.filter(({ name }) => name === "tab").length > 1;
  }

  private async heard(known: string | null, patience = PATIENCE): Promise<boolean> {
    const end = Date.now() + patience;
    while (Date.now() < end) {
      if (this.current && this.current.access_token !== known) return true;
      await new Promise((resume) => setTimeout(resume, 20));
    }
    return false;
  }

  private hear(said: Shared): void {
    if (said.kind === "ask") {
      if (this.current && !this.expired) this.share();
    } else if (said.kind === "out") {
      if (this.current) this.leave("/app/log-in");
    } else if (this.isOfAnother(said.session)) {
      this.leave("/app/");
    } else {
      this.take(said.session, said.until);
    }
  }

  private isOfAnother(session: LoggedIn): boolean {
    return this.current !== null && this.current.user.id !== session.user.id;
  }

  /** Loads another page, so that nothing of this one stays in memory. Until then it shows nothing. */
  private leave(to: string): void {
    this.leaving = true;
    this.current = null;
    this.again?.resolve(null);
    this.again = null;
    sessionStorage.clear();
    void navigator.clearAppBadge?.();
    location.replace(to);
  }

  private take(session: LoggedIn, until: number): void {
    this.current = session;
    this.until = until;
    // Another tab may have received it.
    this.ahead = aheadOf(session.access_token, until - session.expires_in * 1000 * FRESH);
    this.expired = false;
    this.again?.resolve(session.access_token);
    this.again = null;
  }

  private share(): void {
    if (this.current) this.tell({ kind: "in", session: this.current, until: this.until });
  }

  private tell(what: Shared): void {
    this.channel.postMessage(what);
  }
}

async function forgetDevice(): Promise<void> {
  const { device } = await import("../push/device.svelte.ts");
  await device.forget();
}

/** Tries again what failed for a moment: there were too many requests, an error of the server, or no connection, or a page that is gone
 * refreshed just before, so that the cookie is another one by now. */
async function patiently<T>(attempt: () => Promise<T>): Promise<T> {
  for (let left = 2; ; left -= 1) {
    try {
      return await attempt();
    } catch (problem) {
      const passes = problem instanceof Refused && (problem.status === 429 || problem.kind === "refreshed_elsewhere");
      const isFinal = problem instanceof Refused && problem.status < 500 && !passes;
      if (isFinal || left === 0) throw problem;
      const after = problem instanceof Refused ? Math.max(problem.after, 1) : 1;
      await new Promise((resume) => setTimeout(resume, Math.min(after, 5) * 1000));
    }
  }
}

async function post<T>(operation: string, body: object): Promise<T> {
  const headers = { "content-type": "application/json" };
  // A page that is reloaded meanwhile must not lose the cookie of the answer.
  return said(await fetch(`/api/v1/auth/${operation}`, { method: "POST", headers, body: JSON.stringify(body), keepalive: true }));
}

async function said<T>(answer: Response): Promise<T> {
  const body = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Refused(answer.status, body, answer.headers);
  return body as T;
}

export const session = new Session();
