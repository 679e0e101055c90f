/** What the browser tests share: the browser, the deployed stack, and a visitor who sees what the browser complains about. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, test, type TestContext } from "node:test";
import { TOTP } from "otpauth";
import { chromium, type Browser, type BrowserContext, type CDPSession, type Locator, type Page, type Route as Intercepted } from "playwright-core";
import { operations, roles, type Operation, type Role } from "../app/api/permissions.ts";
import { routes, type Route } from "../app/routes.ts";
import { program } from "../tools/browser.ts";

interface LogIn {
  role: Role;
  email: string;
  password: string;
  tenant: string;
}

export const stack = (process.env.RINGBACK_URL ?? "").replace(/\/$/, "");
export const phones = process.env.RINGBACK_PHONES ?? "";
/** Of two businesses: tests that send messages and tests that change other settings run side by side. */
const [first = [], second = []] = JSON.parse(process.env.RINGBACK_LOGINS ?? "[]") as LogIn[][];
export const logIns = process.argv[1]?.endsWith("sending.test.ts") ? second : first;

export const ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
/** How long, in milliseconds, a test waits for the stack on a machine that is busy with other tests. */
const PATIENCE = 120_000;
const NONE = "no browser: install Chromium or Chrome, or name one in RINGBACK_CHROMIUM";

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

/** A test in the browser. Without one it is skipped, and fails in CI. */
export function browserTest(name: string, run: (test: TestContext) => Promise<void>): void {
  test(name, { skip: program || process.env.CI ? false : NONE, timeout: 10 * PATIENCE }, async (context) => {
    assert.ok(program, NONE);
    assert.ok(stack && logIns.length > 0, "RINGBACK_URL and RINGBACK_LOGINS name the stack: run `cargo stack console test`");
    const others = new Set(Visitor.here);
    try {
      await run(context);
    } catch (error) {
      for (const visitor of [...Visitor.here].filter((visitor) => !others.has(visitor))) console.error(await visitor.describe());
      throw error;
    }
  });
}

export interface Look {
  language: "en" | "ar";
  theme: "light" | "dark";
  width: number;
}

export const DESK: Look = { language: "en", theme: "light", width: 1280 };
export const PHONE: Look = { language: "ar", theme: "dark", width: 360 };

const FILES = "**/app/assets/*";

/**
 * The built files, which the browser would get through the emulator with every page, since it caches nothing of contexts whose requests
 * are intercepted.
 */
async function giveFile(route: Intercepted): Promise<void> {
  const path = join("dist", new URL(route.request().url()).pathname.replace("/app/", ""));
  await (existsSync(path) ? route.fulfill({ path }) : route.fallback());
}

/** A browser's profile with a page. */
export class Visitor {
  /** Those whose profile is open. */
  static readonly here = new Set<Visitor>();

  /** What the browser complained about. */
  readonly complaints: string[] = [];
  /** Requests of the page by their ids, with the document that made them. */
  private readonly underWay = new Map<string, { url: string; loaderId: string }>();
  /** How many the page has made. */
  private requests = 0;
  readonly context: BrowserContext;
  readonly page: Page;

  private constructor(context: BrowserContext, page: Page, network: CDPSession) {
    this.context = context;
    this.page = page;
    this.watch(page);
    Visitor.here.add(this);
    // Playwright tells of a request once it was intercepted, which on a busy machine is long after the page made it.
    network.on("Network.requestWillBeSent", ({ requestId, request: { url }, loaderId }) => {
      this.requests += 1;
      this.underWay.set(requestId, { url, loaderId });
    });
    network.on("Network.loadingFinished", ({ requestId }) => this.underWay.delete(requestId));
    network.on("Network.loadingFailed", ({ requestId }) => this.underWay.delete(requestId));
    // What another document has asked for may end without a word.
    network.on("Page.frameNavigated", ({ frame }) => {
      for (const [id, { loaderId }] of this.underWay) if (loaderId !== frame.loaderId) this.underWay.delete(id);
    });
  }

  static async arrive({ language, theme, width }: Look = DESK, serviceWorkers: "allow" | "block" = "block"): Promise<Visitor> {
    browser ??= chromium.launch({ executablePath: program ?? "", args: ARGUMENTS });
    const touch = width < 640;
    const context = await (await browser).newContext({ baseURL: stack, viewport: { width, height: 800 }, hasTouch: touch, isMobile: touch, serviceWorkers });
    context.setDefaultTimeout(PATIENCE);
    await context.addCookies([{ name: "rb_ui", value: `${language}.${theme}`, url: stack }]);
    await context.route(FILES, giveFile);
    const page = await context.newPage();
    const network = await context.newCDPSession(page);
    const visitor = new Visitor(context, page, network);
    await Promise.all([network.send("Network.enable"), network.send("Page.enable")]);
    return visitor;
  }

  /** Gets the console's files from the stack from now on. */
  async fetchFiles(): Promise<void> {
    await this.context.unroute(FILES, giveFile);
  }

  /** A visitor with a session of this role. */
  static async logIn(role: Role, look: Look = DESK, workers?: "allow"): Promise<Visitor> {
    const visitor = await Visitor.arrive(look, workers);
    await visitor.enter(logInOf(role));
    // What a person has chosen on any device follows them, so the look is theirs. The address is as long as some are.
    await visitor.intercept("get_me", async (route) => {
      const answer = await route.fetch({ maxRetries: 2 });
      const me = (await answer.json()) as object;
      await route.fulfill({ response: answer, json: { ...me, platform: role === "admin", email: `${"a-long-address-".repeat(4)}@tenant.example`, preferences: { language: look.language, theme: look.theme } } });
    });
    return visitor;
  }

  /** Logs in, on a page that asks for nothing: what the page of the log-in still loads would come amid the next one. */
  async enter({ email, password, code }: { email: string; password: string; code?: string }): Promise<void> {
    await this.page.goto("/app/worker.js");
    const status = await this.page.evaluate(async (body) => {
      const headers = { "content-type": "application/json" };
      return (await fetch("/api/v1/auth/log-in", { method: "POST", headers, body: JSON.stringify(body) })).status;
    }, { email, password, code, session: "cookie" });
    assert.equal(status, 200, `${email} cannot log in`);
  }

  /** Opens a page and waits until nothing is loading any more. */
  async open(path: string): Promise<void> {
    await this.page.goto(path);
    await this.settle();
  }

  /** Goes to another page of the console without loading the shell again. */
  async move(path: string): Promise<void> {
    await this.page.evaluate((path) => {
      history.pushState(null, "", path);
      dispatchEvent(new PopStateEvent("popstate"));
    }, path);
    await this.settle();
  }

  /** Makes the window as large, and waits until it was painted so. */
  async resize(width: number, height: number): Promise<void> {
    const now = this.page.viewportSize();
    if (now?.width === width && now.height === height) return;
    await this.page.setViewportSize({ width, height });
    await this.page.waitForFunction(([width, height]) => screen.width === width && screen.height === height, [width, height]);
    await this.settle();
  }

  /** Lets nothing happen on the next pages because a second or more has passed: on a slow machine, that comes amid everything. */
  async stopClocks(): Promise<void> {
    await this.context.addInitScript(() => {
      const [after, now] = [window.setTimeout.bind(window), Date.now.bind(Date)];
      const began = now();
      window.setTimeout = ((run: () => void, time = 0) => (time < 1000 ? after(run, time) : 0)) as typeof setTimeout;
      window.setInterval = (() => 0) as unknown as typeof setInterval;
      // What is some seconds old is read again by what shows it next.
      Date.now = () => began + (now() - began) / 20;
    });
  }

  /** Lets the next pages follow a tenant in which nothing happens: what is told is read again, and other tests do what is told. */
  async followNothing(): Promise<void> {
    await this.context.routeWebSocket(/\/live\?/, (socket) => {
      socket.onMessage((said) => { if (JSON.parse(String(said)).action === "watch") socket.send(JSON.stringify({ type: "watching" })); });
    });
    await this.intercept("create_live_ticket", (route) => route.fulfill({ json: { url: `${stack.replace("http", "ws")}/live`, ticket: "sample", cursor: "0" } }));
    await this.intercept("list_live_events", (route) => route.fulfill({ json: { events: [], cursor: "0", more: false } }));
  }

  /** Waits until the page has its title and its letters, and has been painted several times with no placeholder on it and no request under way. */
  async settle(): Promise<void> {
    await this.page.locator("h1").waitFor();
    const until = Date.now() + PATIENCE;
    for (let quiet = false; !quiet; ) {
      assert.ok(Date.now() < until, "something on the page loads and loads");
      const before = this.requests;
      const still = await this.page.evaluate(async () => {
        const moves = () => document.fonts.status === "loading" || document.getAnimations().some(({ playState }) => playState === "running");
        for (let painted = 0; painted < 3; painted += 1) {
          // On a busy machine they can come too late for the page.
          delete document.documentElement.dataset.letters;
          await new Promise((resume) => requestAnimationFrame(() => setTimeout(resume)));
          if (document.querySelector("[data-testid=loading]") !== null || moves()) return false;
        }
        return true;
      });
      quiet = still && this.underWay.size === 0 && this.requests === before;
    }
  }

  /** Touches this once nothing moves it any more: what loads above it would push it from under the finger. */
  async tap(what: Locator): Promise<void> {
    await what.waitFor();
    await this.settle();
    await what.tap();
  }

  /** Answers an operation in place of the stack. */
  async intercept(operation: Operation, answer: (route: Intercepted) => Promise<void>): Promise<void> {
    const { method, path } = found(operation);
    await this.context.route((url) => path.test(url.pathname), (route) =>
      route.request().method() === method ? answer(route) : route.fallback(),
    );
  }

  see(id: string): Locator {
    return this.page.getByTestId(id);
  }

  /** Fails if the browser has complained, but for failures to load that the test has caused. */
  expectQuiet(...statuses: number[]): void {
    const rest = this.complaints.filter((said) => !statuses.some((status) => said.includes(`status of ${status} `) || said.includes(`response code: ${status}`)));
    assert.deepEqual(rest, []);
  }

  /** What is seen when a test fails. */
  async describe(): Promise<string> {
    const text = await this.page.locator("body").innerText({ timeout: 1_000 }).catch(String);
    const loading = [...this.underWay.values()].map(({ url }) => url);
    return [`page: ${this.page.url()}`, `text: ${text}`, `requests under way: ${loading.join(", ")}`, ...this.complaints].join("\n");
  }

  async leave(): Promise<void> {
    Visitor.here.delete(this);
    await this.context.unrouteAll({ behavior: "ignoreErrors" });
    await this.context.close();
  }

  watch(page: Page): void {
    page.on("pageerror", (error) => this.complaints.push(`${page.url()}: ${error.stack ?? error.message}`));
    page.on("console", (message) => {
      // Whoever has no session is told so by the refresh, which browsers log.
      const expected = message.location().url.endsWith("/auth/refresh") && message.text().includes("status of 401 ");
      // All tests are one person, whose sockets are only so many.
      const crowded = message.location().url.endsWith("/live/ticket") && message.text().includes("status of 409 ");
      // Pages are left while they connect, and give up a socket that takes ten seconds.
      const unconnected = message.text().includes("WebSocket is closed before the connection is established");
      if (["error", "warning"].includes(message.type()) && !expected && !crowded && !unconnected) this.complaints.push(`${page.url()}: ${message.text()}`);
    });
  }
}

export function logInOf(role: Role): LogIn {
  const one = logIns.find((logIn) => logIn.role === role);
  assert.ok(one, `RINGBACK_LOGINS has no ${role}`);
  return one;
}

const contract = JSON.parse(readFileSync("../../../docs/openapi.json", "utf8")) as {
  paths: Record<string, Record<string, { operationId?: string }>>;
};

function found(operation: Operation): { method: string; path: RegExp } {
  for (const [path, methods] of Object.entries(contract.paths)) {
    for (const [method, { operationId }] of Object.entries(methods)) {
      if (operationId === operation) return { method: method.toUpperCase(), path: new RegExp(`^${path.replace(/\{\w+\}/g, "[^/]+")}$`) };
    }
  }
  throw new Error(`the contract has no ${operation}`);
}

/** A path of the screen in the tenant of the log-ins. */
export function pathOf({ paths }: Route, tenant: string): string {
  const values: Record<string, string> = { tenant, call: "call_sample", message: "msg_sample", contact: "con_sample", conversation: "conv_sample", connection: "conn_sample", automation: "rule_sample", line: "line_sample", campaign: "cmp_sample", drip: "cmp_drip", order: "ord_sample", event: "order.shipped", record: "record_sample" };
  const path = paths[0].replace(/:(\w+)/g, (_, name: string) => values[name] ?? assert.fail(`no sample of ${name}`));
  return /verify|reset|accept/.test(path) ? `${path}?token=sample` : path;
}

/** Whether the role may do it. In tests with samples, whoever administers the business administers the platform, too. */
export function permits(role: Role, operation: Operation): boolean {
  if (operations[operation] === "platform") return role === "admin";
  return (roles[role] as readonly string[]).includes(operations[operation]);
}

export function isOpenTo(role: Role, { needs }: Route): boolean {
  return typeof needs === "string" || needs.every((operation) => permits(role, operation));
}

const tokens = new Map<Role, { token: Promise<string>; asked: number }>();

/** Logs in once: log-ins are limited. */
async function tokenOf(role: Role): Promise<string> {
  const { email, password } = logInOf(role);
  const entered = await fetch(`${stack}/api/v1/auth/log-in`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ email, password }) });
  assert.ok(entered.ok, `the log-in answers ${entered.status}`);
  return ((await entered.json()) as { access_token: string }).access_token;
}

/** What another client asks for or changes, by default one of a manager. */
export async function ask<T>(path: string, method = "GET", body?: object, role: Role = "manager"): Promise<T> {
  // All tests together take longer than a token is valid.
  if ((tokens.get(role)?.asked ?? 0) + 600_000 < Date.now()) tokens.set(role, { token: tokenOf(role), asked: Date.now() });
  const headers = { "x-tenant-id": logInOf(role).tenant, authorization: `Bearer ${await tokens.get(role)?.token}`, "content-type": "application/json" };
  const answer = await fetch(`${stack}/api/v1/${path}`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.clone().text()}`);
  return (answer.status === 204 ? {} : await answer.json()) as T;
}

/** What phones have got with this text in it, by their numbers. */
export async function outbox(text: string): Promise<string[]> {
  const all = (await (await fetch(`${phones}/outbox?tenant=${logInOf("manager").tenant}`)).json()) as { body?: string; to: string }[];
  return all.filter(({ body }) => body?.includes(text)).map(({ to }) => to).toSorted();
}

/** The log-in of whoever operates the platform, with a code of the second factor. */
export function operatorLogIn(): { email: string; password: string; code: string } {
  const { email, password, totp_secret } = JSON.parse(process.env.RINGBACK_OPERATOR ?? "{}") as { email: string; password: string; totp_secret: string };
  return { email, password, code: new TOTP({ secret: totp_secret }).generate() };
}

/** Tells the simulators, which play customers and providers. */
export async function tell(path: string, body: object): Promise<void> {
  const answer = await fetch(phones + path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  assert.ok(answer.ok, `${path}: ${answer.status} ${await answer.text()}`);
}

/** Looks again until there is what is looked for, such as what a schedule does within a minute. */
export async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  for (const end = Date.now() + 2 * PATIENCE; Date.now() < end; ) {
    const found = await look();
    if (found) return found;
    await new Promise((resume) => setTimeout(resume, 500));
  }
  return assert.fail(`no ${what}`);
}

/** A contact who has agreed to messages of this category. Returns the id. */
export async function addContact(name: string, phone = stranger(), category = "marketing"): Promise<string> {
  const { id } = await ask<{ id: string }>("contacts", "POST", { name, phones: [phone] });
  await ask(`contacts/${id}/consent`, "POST", { choice: "granted", category, party: "customer", evidence: "Form of the shop" });
  return id;
}

/** A customer calls a business, by default that of the log-ins, and the call ends so. */
export function call(from: string, outcome: string, tenant = logInOf("manager").tenant, via = "telephony"): Promise<void> {
  return tell("/calls", { tenant, from, outcome, via, wait: true });
}

/** A conversation, as far as tests need it. */
export interface Listed {
  id: string;
  contact: { id: string };
}

/** Customers write, and have conversations. */
export async function converse(...customers: string[]): Promise<Listed[]> {
  const { tenant } = logInOf("manager");
  const listed: Listed[] = [];
  for (const from of customers) {
    await tell("/replies", { tenant, from, channel: "whatsapp", text: `Hello from ${from.slice(-4)}`, wait: true });
    for (const until = Date.now() + 45_000; ; ) {
      const [person] = (await ask<{ items: { id: string }[] }>(`contacts?phone=${encodeURIComponent(from)}`)).items;
      const [one] = person ? (await ask<{ items: Listed[] }>(`conversations?contact=${person.id}`)).items : [];
      if (one) {
        listed.push(one);
        break;
      }
      assert.ok(Date.now() < until, `${from} has no conversation`);
      await new Promise((resume) => setTimeout(resume, 500));
    }
  }
  return listed;
}

/** A number that nobody has called from. */
export function stranger(): string {
  return `+97150${Math.floor(1_000_000 + Math.random() * 8_999_999)}`;
}

/** The link of the mail to this address, on this stack. */
export async function linkMailedTo(address: string): Promise<string> {
  for (const until = Date.now() + PATIENCE; Date.now() < until; ) {
    const mails = (await (await fetch(`${phones}/mails?to=${encodeURIComponent(address)}`)).json()) as { links: string[] }[];
    const link = mails.at(-1)?.links.find((found) => found.includes("token="));
    if (link) return new URL(link).pathname + new URL(link).search;
    await new Promise((resume) => setTimeout(resume, 500));
  }
  return assert.fail(`no mail to ${address}`);
}

/** Goes on with Tab until the focus is on what has this name. */
export async function reach({ page }: Visitor, name: RegExp | string, key = "Tab"): Promise<void> {
  for (let step = 0; step < 120; step += 1) {
    await page.keyboard.press(key);
    const found = await page.evaluate(() => {
      const element = document.activeElement as HTMLInputElement | null;
      return element?.ariaLabel ?? element?.labels?.[0]?.textContent ?? element?.textContent ?? "";
    });
    if (typeof name === "string" ? plain(found) === name : name.test(plain(found))) return;
  }
  assert.fail(`Tab does not lead to ${name}`);
}

/** A text without the marks that keep names and numbers in their direction. */
export function plain(text: string): string {
  return text.replace(/[\u2066-\u2069\u200e\u200f]/g, "").trim();
}

export { routes, type Route };

export function problem(status: number, kind: string, more: object = {}): { status: number; headers: Record<string, string>; json: object } {
  const headers = { "x-correlation-id": "sample-correlation", "content-type": "application/problem+json", ...(status === 429 ? { "retry-after": "1" } : {}) };
  return { status, headers, json: { type: `urn:ringback:problem:${kind}`, title: kind, status, detail: `detail of ${kind}`, ...more } };
}
