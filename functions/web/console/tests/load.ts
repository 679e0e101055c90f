/** How quickly the inbox follows its keys and its customers: in a conversation of 10,000 messages with a slow processor, and from a webhook to the screen. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import type { components } from "../app/api/contract.d.ts";
import { ask, converse, DESK, logInOf, stack, stranger, tell, Visitor, type Listed } from "./support.ts";

type Entry = components["schemas"]["TimelineEntryOut"];

const SLOWER = 4;
const MESSAGES = 10_000;
const KEYS = 200;
const WRITTEN = 50;
/** Milliseconds between two keys of somebody who types quickly. */
const PACE = 120;
/** Conversations in the list. */
const ROWS = 25;
/** Parts of the way to the screen, in their order. */
const STEPS = ["until the page is told", "until it asks for the thread", "until it has the answer", "until that is painted"];

/** Milliseconds from keys to the paint that shows what they did. */
export interface Keys {
  place: string;
  keys: number;
  p50: number;
  p98: number;
  longest: number;
}

/** A part of the way of messages to the screen, in milliseconds. */
interface Step {
  what: string;
  p50: number;
  p95: number;
}

/** Milliseconds from a customer's message to whoever waits for it. */
export interface Shown {
  messages: number;
  /** For another client, which asks the API as fast as it answers. */
  floor_p50: number;
  floor_p95: number;
  /** For whoever looks at the conversation in the console. */
  p50: number;
  p95: number;
  longest: number;
  /** From the message to the socket, from there to the request, its answer and the paint. */
  steps: Step[];
}

function quantile(values: number[], part: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return Math.round(sorted[Math.min(Math.ceil(sorted.length * part), sorted.length) - 1] ?? NaN);
}

const wait = (milliseconds: number) => new Promise((resume) => setTimeout(resume, milliseconds));

function write(from: string, text: string): Promise<void> {
  return tell("/replies", { tenant: logInOf("agent").tenant, from, channel: "whatsapp", text, wait: true });
}

/** Notes from now on, for each key that is pressed, when the frame was painted in which it was answered. */
async function noteKeys(page: Page): Promise<void> {
  await page.evaluate(() => {
    const took: number[] = [];
    Object.assign(window, { took });
    addEventListener("keydown", ({ timeStamp }) => {
      requestAnimationFrame(() => {
        // The first task after a frame comes once it is painted.
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = () => { took.push(performance.now() - timeStamp); };
        port2.postMessage(null);
      });
    }, true);
  });
}

/** Presses these keys one after the other with a slow processor, while customers write. */
async function press({ page, context }: Visitor, place: string, keyOf: (n: number) => string, customer: string): Promise<Keys> {
  const devices = await context.newCDPSession(page);
  await noteKeys(page);
  await devices.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
  for (let n = 0; n < KEYS; n += 1) {
    if (n % 25 === 10) void write(customer, `And what about ${n}?`).catch(() => undefined);
    await page.keyboard.press(keyOf(n));
    await wait(PACE);
  }
  await wait(1000);
  const took = await page.evaluate(() => (window as unknown as { took: number[] }).took);
  await devices.send("Emulation.setCPUThrottlingRate", { rate: 1 });
  assert.equal(took.length, KEYS, "each key is answered by a frame");
  return { place, keys: KEYS, p50: quantile(took, 0.5), p98: quantile(took, 0.98), longest: quantile(took, 1) };
}

/** What was said before, as pages that no stack has to keep. */
function older(entry: Entry, place: number): Entry {
  const { message } = entry;
  assert.ok(message);
  const digits = String(place).padStart(5, "0");
  const id = message.id.slice(0, -5) + digits;
  const at = new Date(Date.parse(entry.at) - place * 60_000).toISOString();
  const sent = place % 2 === 0 ? { direction: "outbound" as const, state: "read" as const, customer: message.customer } : {};
  return { ...entry, at, message: { ...message, ...sent, id, text: `Message ${place}: is the lemon cake still there on Saturday, and until when could we come for it? `.repeat(1 + (place % 3)) } };
}

/** Gives a conversation so many messages before its own. */
export async function lengthen(visitor: Visitor, { id }: Listed, messages: number): Promise<void> {
  const { items } = await ask<{ items: Entry[] }>(`conversations/${id}/timeline?limit=50`);
  const sample = items.find(({ message }) => message?.direction === "inbound");
  assert.ok(sample);
  await visitor.intercept("get_conversation_timeline", async (route) => {
    const url = new URL(route.request().url());
    const [, begun = null] = /^old-(\d+)$/.exec(url.searchParams.get("cursor") ?? "") ?? [];
    const limit = Number(url.searchParams.get("limit"));
    if (begun !== null) {
      const end = Math.min(Number(begun) + limit, messages);
      const page = Array.from({ length: end - Number(begun) }, (_, n) => older(sample, Number(begun) + n));
      return route.fulfill({ json: { items: page, next_cursor: end < messages ? `old-${end}` : null } });
    }
    const answer = await route.fetch();
    const page = (await answer.json()) as { items: Entry[]; next_cursor: string | null };
    return route.fulfill({ response: answer, json: { ...page, next_cursor: page.next_cursor ?? "old-0" } });
  });
}

/** Opens all that was said before, as somebody does who searches for it. */
async function openAll({ page }: Visitor): Promise<void> {
  const button = page.getByRole("button", { name: "Older", exact: true });
  // The next page is there once the thread begins with another message.
  while ((await button.count()) > 0) {
    await page.evaluate(async () => {
      const first = () => document.querySelector(".thread li .bubble")?.textContent;
      const before = first();
      document.querySelector<HTMLElement>(".thread .further:first-child button")?.click();
      while (first() === before) await new Promise((resume) => setTimeout(resume, 10));
    });
  }
  await page.getByText(`Message ${MESSAGES - 1}:`).waitFor();
}

export async function measureKeys(): Promise<Keys[]> {
  const customers = Array.from({ length: ROWS }, stranger);
  const [customer = ""] = customers;
  const [one] = await converse(...customers);
  assert.ok(one);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox`);
  await page.locator("[data-conversation] .cover").first().focus();
  // To the end of the list and back.
  const list = await press(visitor, "`j` and `k` in the list", (n) => (n % (2 * ROWS) < ROWS ? "j" : "k"), customer);
  await lengthen(visitor, one, MESSAGES);
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${one.id}`);
  await openAll(visitor);
  await page.getByLabel("Text of the reply").focus();
  const text = "Yes, until nine. We keep one for you at the counter. ";
  const reply = await press(visitor, `letters of a reply, with all ${MESSAGES.toLocaleString("en")} messages opened`, (n) => text[n % text.length] ?? " ", customer);
  await visitor.leave();
  return [list, reply];
}

/** Notes from now on when the page is told of messages. */
async function noteTold(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const told: number[] = [];
    const { WebSocket: Original } = window;
    window.WebSocket = class extends Original {
      constructor(url: string | URL) {
        super(url);
        this.addEventListener("message", ({ data }) => { if (String(data).includes("message.received")) told.push(performance.now()); });
      }
    };
    Object.assign(window, { told });
  });
}

/** When the page was told of what was last shown, when it asked for the thread, and when it had the answer. */
function marksOf(page: Page): Promise<number[]> {
  return page.evaluate(() => {
    const shown = performance.now();
    const timelines = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/timeline?")) as PerformanceResourceTiming[];
    const asked = timelines.findLast(({ responseEnd }) => responseEnd > 0 && responseEnd <= shown);
    const told = (window as unknown as { told: number[] }).told.at(-1) ?? NaN;
    performance.clearResourceTimings();
    return [told, asked?.startTime ?? NaN, asked?.responseEnd ?? NaN].map((time) => performance.timeOrigin + time);
  });
}

/** Writes as the customer, again and again, and says how long each took to come. `comes` begins to look before it is written, and resolves with the time. */
async function writeAndWait(customer: string, comes: (text: string) => Promise<(begun: number) => Promise<number>>): Promise<number[]> {
  const took: number[] = [];
  for (let n = 0; n < WRITTEN; n += 1) {
    const text = `Number ${n} at ${Date.now()}`;
    const seen = await comes(text);
    const begun = Date.now();
    await write(customer, text);
    took.push((await seen(begun)) - begun);
    // Not in time with anything that the page does.
    await wait(1000 + Math.random() * 3000);
  }
  return took;
}

export async function measureMessages(): Promise<Shown> {
  const customer = stranger();
  const [one] = await converse(customer);
  const id = one?.id ?? "";
  const floor = await writeAndWait(customer, async (text) => async () => {
    for (;;) {
      const { items } = await ask<{ items: Entry[] }>(`conversations/${id}/timeline?limit=1`);
      if (items[0]?.message?.text === text) return Date.now();
    }
  });
  const visitor = await Visitor.logIn("agent", DESK);
  const { page, context } = visitor;
  // Intercepted requests take longer.
  await context.unrouteAll();
  await noteTold(page);
  // Chromium keeps a page of which it does not know the address from sockets of this machine.
  await context.grantPermissions(["local-network-access"], { origin: stack });
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${id}`);
  await page.locator("[data-testid=live][data-state=live]").waitFor();
  const ways: number[][] = [];
  const shown = await writeAndWait(customer, async (text) => {
    await page.evaluate((text) => {
      const seen = new Promise<number>((resume) => {
        const look = () => {
          if (document.querySelector(".thread li:last-child")?.textContent?.includes(text)) requestAnimationFrame(() => setTimeout(() => resume(Date.now())));
          else requestAnimationFrame(look);
        };
        look();
      });
      Object.assign(window, { seen });
    }, text);
    return async (begun) => {
      const at = await page.evaluate(() => (window as unknown as { seen: Promise<number> }).seen);
      const marks = [...(await marksOf(page)), at];
      ways.push(marks.map((mark, step) => mark - (marks[step - 1] ?? begun)));
      return at;
    };
  });
  await visitor.leave();
  const steps = STEPS.map((what, step) => {
    const took = ways.map((way) => way[step] ?? NaN);
    return { what, p50: quantile(took, 0.5), p95: quantile(took, 0.95) };
  });
  return { messages: WRITTEN, floor_p50: quantile(floor, 0.5), floor_p95: quantile(floor, 0.95), p50: quantile(shown, 0.5), p95: quantile(shown, 0.95), longest: quantile(shown, 1), steps };
}
