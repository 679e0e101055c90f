/** The inbox in browsers beside a client of the API that was generated from the contract: they read the same, and none of them answers after another. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import type { WebSocketRoute } from "playwright-core";
import { ask, browserTest, converse, logInOf, phones, plain, stack, stranger, tell, until, Visitor, type Listed } from "./support.ts";

const { tenant } = logInOf("agent");
const [CUSTOMERS, EVENTS] = [30, 200];
/** In milliseconds, for a machine that is busy with other tests. */
const BOUND = 120_000;

/** A conversation as clients read it, as far as the console shows it. */
interface Conversation {
  id: string;
  etag: string;
  active_at: string;
  contact: { id: string; name: string | null };
  last: { message?: { text: string | null; customer: { formatted: string } | null } | null } | null;
  unread: number;
  waiting_since: string | null;
  priority: string;
  assignee_id: string | null;
  tags: string[];
}

interface Inbox {
  items: Conversation[];
  opened: Conversation;
  thread: { message?: { text: string | null } | null; note?: { text: string } | null }[];
}

/** A run of `inbox.py`, which has the generated Python client. */
class Client {
  private readonly program;
  private readonly lines;

  private constructor(key: string) {
    const python = process.env.RINGBACK_PYTHON;
    assert.ok(python, "RINGBACK_PYTHON is the Python with the generated client: run `cargo stack console test`");
    const environment = { ...process.env, RINGBACK_API: stack, RINGBACK_KEY: key };
    this.program = spawn(python, ["../../../infra/contract/clients/python/inbox.py"], { env: environment, stdio: ["pipe", "pipe", "inherit"] });
    this.lines = createInterface(this.program.stdout)[Symbol.asyncIterator]();
  }

  /** It ends with the test. */
  static async start(test: TestContext): Promise<Client> {
    const client = new Client((await ask<{ key: string }>("api-keys", "POST", { name: "Beside browsers", role: "agent" }, "admin")).key);
    test.after(() => client.program.stdin.end());
    return client;
  }

  private async say<T>(what: object): Promise<T> {
    this.program.stdin.write(`${JSON.stringify(what)}\n`);
    const { value } = await this.lines.next();
    assert.ok(value, "the client has ended");
    return JSON.parse(value as string) as T;
  }

  read(id: string): Promise<Inbox> {
    return this.say({ read: id });
  }

  /** Returns what a colleague has answered before. */
  async answer(id: string, text: string): Promise<string | null> {
    return (await this.say<{ missed: string | null }>({ answer: id, text })).missed;
  }
}

/** Does something for each, of which ten are under way at a time. */
async function forEach<T>(all: T[], work: (one: T, place: number) => Promise<unknown>): Promise<void> {
  for (let from = 0; from < all.length; from += 10) await Promise.all(all.slice(from, from + 10).map((one, place) => work(one, from + place)));
}

/** Customers with their conversations. */
async function crowd(): Promise<{ customers: string[]; all: Listed[] }> {
  const customers = Array.from({ length: CUSTOMERS }, stranger);
  const all: Listed[] = [];
  await forEach(customers, async (customer, place) => { all[place] = (await converse(customer))[0] as Listed; });
  return { customers, all };
}

/** What a page shows: each row of the list, the thread, and what can be chosen beside it. */
interface Shown {
  rows: (string | number | undefined)[][];
  thread: string[];
  chosen: string[];
}

interface Noted {
  state: string;
  shown: Shown;
  at: number;
}

/** What `noteShown` puts there. */
type Noting = Window & { show: () => Shown; noted: Noted[] };

/** Notes in the page what it shows, and whether it says that it is live, as soon as either is something else. */
function noteShown(): void {
  const said = ({ textContent }: Element) => (textContent ?? "").replace(/[\u2066-\u2069\u200e\u200f]/g, "").trim();
  const all = (selector: string, within: ParentNode = document) => [...within.querySelectorAll<HTMLElement & { value?: string }>(selector)];
  const show = (): Shown => ({
    rows: all("[data-conversation]").map((row) => [
      row.dataset.conversation, Date.parse(row.querySelector("time")?.dateTime ?? ""), ...all(".cover, .two-lines, .badge.info, .badge.bad, .side", row).map(said), all(".badge.warn", row).length,
    ]),
    thread: all(".thread ol > li").map((entry) => all(".bubble", entry).map(said).join()),
    chosen: [...all("select[name=assignee_id], select[name=priority]").map(({ value }) => value ?? ""), ...all("section.card summary bdi").map(said)],
  });
  const noted: Noted[] = [];
  const note = () => {
    const now = { state: document.querySelector<HTMLElement>("[data-testid=live]")?.dataset.state ?? "", shown: show() };
    const { at, ...before } = noted.at(-1) ?? { at: 0 };
    if (JSON.stringify(before) !== JSON.stringify(now)) noted.push({ ...now, at: Date.now() });
  };
  Object.assign(window, { show, noted });
  new MutationObserver(note).observe(document, { subtree: true, childList: true, characterData: true, attributes: true, attributeFilter: ["data-state"] });
}

/** The list, and the conversation of the other page, as they are shown. Whether that one is unread changes while it is looked at. */
function without({ rows, ...rest }: Shown, opened: string): Shown {
  return { rows: rows.map((row) => row.filter((text) => row[0] !== opened || !/unread$/.test(String(text)))), ...rest };
}

/** Customers write and colleagues change what they can until there are so many events, all is as it stays, and lists do not lag behind any more. */
async function happen(gap: string, client: Client, customers: string[], all: Listed[], tags: string[], people: string[]): Promise<number> {
  interface Page {
    events: { id: string }[];
    cursor: string;
  }
  let { cursor } = await ask<Page>("live/events");
  const known = new Set<string>();
  const count = async () => {
    const found = await ask<Page>(`live/events?after=${cursor}`);
    ({ cursor } = found);
    for (const { id } of found.events) known.add(id);
    return known.size;
  };
  // An answer begins before its cursor.
  const before = await count();
  for (let round = 0; (await count()) - before < EVENTS; round += 1) {
    const textOf = (place: number) => `${place} in round ${round}, ${gap}`;
    await forEach(customers, (from, place) => tell("/replies", { tenant, from, channel: "whatsapp", text: textOf(place), wait: true }));
    await forEach(all, ({ id }, place) => until("message", async () => (await ask<Conversation>(`conversations/${id}`)).last?.message?.text === textOf(place)));
    const changes = [{ assignee_id: people[round % 2] }, { tags: [tags[round % 2]] }, { priority: round % 2 ? "normal" : "high" }, { state: "closed" }];
    await forEach(all, async ({ id, contact }, place) => {
      // The one that is opened goes through all but its end.
      for (const change of place > 0 ? changes.slice(place % 4, (place % 4) + 1) : changes.slice(0, -1)) await ask(`conversations/${id}`, "PATCH", change);
      if (place % 5 === 0) await ask(`contacts/${contact.id}/notes`, "POST", { text: `A note on ${textOf(place)}` });
    });
  }
  const opened = all[0]?.id ?? "";
  const wanted = new Map<string, string>();
  await forEach(all, async ({ id }) => { wanted.set(id, (await ask<Conversation>(`conversations/${id}`)).etag); });
  await until("list without a lag", async () => {
    const { items } = await client.read(opened);
    // Those that are listed are ours, since others have waited longer.
    return items.filter(({ id, etag }) => wanted.get(id) === etag).length >= 20 && items.every(({ id, etag }) => (wanted.get(id) ?? etag) === etag);
  });
  return (await count()) - before;
}

/** Pages have no network, are frozen, or are told late, out of order and twice, while customers write and colleagues change what they can. */
browserTest("inbox_is_as_another_client_reads_it_after_gaps", async (test) => {
  const client = await Client.start(test);
  const { customers, all } = await crowd();
  const [one] = all;
  assert.ok(one);
  const names = ["Morning", "Evening"].map((name) => `${name} ${customers[0]?.slice(-4)}`);
  const tags: string[] = [];
  for (const name of names) tags.push((await ask<{ id: string }>("tags", "POST", { name })).id);
  const { items: members } = await ask<{ items: { id: string; name: string; email: string }[] }>("users?limit=100", "GET", undefined, "admin");
  const people = ["agent", "manager"].map((role) => members.find(({ email }) => email === logInOf(role as "agent").email)?.id ?? "");
  const visitors = [await Visitor.logIn("agent"), await Visitor.logIn("manager")] as const;
  const [lists, opens] = visitors;
  const held = new Map<Visitor, string[]>();
  const sockets = new Map<Visitor, WebSocketRoute>();
  let holds = false;
  for (const visitor of visitors) {
    held.set(visitor, []);
    await visitor.page.addInitScript(noteShown);
    await visitor.page.routeWebSocket(/\/live\?/, (socket) => {
      sockets.set(visitor, socket);
      socket.connectToServer().onMessage((said) => {
        if (holds && JSON.parse(String(said)).type === "events") held.get(visitor)?.push(String(said));
        else socket.send(said);
      });
    });
    await visitor.intercept("list_live_events", async (route) => {
      const answer = await route.fetch();
      const found = (await answer.json()) as { events?: object[] };
      await route.fulfill({ response: answer, json: { ...found, ...(found.events && { events: [...found.events.toReversed(), ...found.events] }) } });
    });
  }
  await lists.open(`/app/${tenant}/inbox`);
  await opens.open(`/app/${tenant}/inbox/${one.id}`);
  const states = (state: string) => Promise.all(visitors.map(({ page }) => page.locator(`[data-testid=live][data-state=${state}]`).waitFor({ timeout: BOUND })));
  await states("live");

  /** As the list of one page and the conversation of the other one have to be. */
  const expected = ({ items, opened, thread }: Inbox): Shown[] => {
    const person = (id: string | null) => (id === null ? "nobody" : id === people[0] ? "you" : members.find((one) => one.id === id)?.name);
    const rows = items.map(({ id, active_at, contact, last, unread, priority, assignee_id, waiting_since }) => [
      id, Date.parse(active_at), plain(contact.name ?? last?.message?.customer?.formatted ?? ""), last?.message?.text ?? "",
      ...(unread ? [`${unread} unread`] : []), ...(priority === "high" ? ["Urgent"] : []), person(assignee_id), waiting_since ? 1 : 0,
    ]);
    const chosen = [opened.assignee_id ?? "", opened.priority, names[tags.indexOf(opened.tags[0] ?? "")] ?? "none"];
    return [without({ rows, thread: [], chosen: [] }, one.id), { rows: [], thread: thread.map(({ message, note }) => message?.text ?? note?.text ?? ""), chosen }];
  };
  const expectEqual = async (gap: string, events: number, wanted: Shown[], back: number) => {
    const taken = await Promise.all(visitors.map(async ({ page }, place) => {
      const read = async () => without(await page.evaluate(() => (window as unknown as Noting).show()), one.id);
      while (JSON.stringify(await read()) !== JSON.stringify(wanted[place]) && Date.now() - back < BOUND) await page.waitForTimeout(50);
      const time = Date.now() - back;
      assert.deepEqual(await read(), wanted[place]);
      return time;
    }));
    await states("live");
    let stale = 0;
    for (const [place, { page }] of visitors.entries()) {
      const noted = await page.evaluate(() => (window as unknown as Noting).noted.splice(0));
      noted.forEach(({ state, shown, at }, index) => {
        if (state !== "live" || at < back || JSON.stringify(without(shown, one.id)) === JSON.stringify(wanted[place])) return;
        // Whoever was frozen cannot know it at once, and does not say it again before all is there.
        assert.equal(noted[index - 1]?.state ?? "live", "live", `live after ${gap}, and something is missing: ${JSON.stringify(shown)}`);
        stale += (noted[index + 1]?.at ?? at) - at;
      });
    }
    console.log(`${events} events of ${all.length} conversations, ${gap}: the list is as it is after ${taken[0]} ms, the conversation after ${taken[1]} ms; ${stale} ms of what was live before`);
  };

  const pass = async (gap: string, end: () => Promise<unknown>) => {
    const events = await happen(gap, client, customers, all, tags, people);
    const wanted = expected(await client.read(one.id));
    const back = Date.now();
    await end();
    await expectEqual(gap, events, wanted, back);
  };
  await Promise.all(visitors.map(({ context }) => context.setOffline(true)));
  await states("off");
  await pass("offline", () => Promise.all(visitors.map(({ context }) => context.setOffline(false))));

  // Browsers freeze no page that is seen, so its scripts stop where they are.
  const devices = await Promise.all(visitors.map(({ context, page }) => context.newCDPSession(page)));
  for (const device of devices) {
    await device.send("Debugger.enable");
    const frozen = new Promise((resume) => device.once("Debugger.paused", resume));
    await device.send("Debugger.pause");
    await frozen;
  }
  await pass("frozen", () => Promise.all(devices.map((device) => device.send("Debugger.resume"))));
  await Promise.all(devices.map((device) => device.send("Debugger.disable")));

  holds = true;
  await pass("told late", async () => {
    holds = false;
    for (const visitor of visitors) {
      const said = held.get(visitor) ?? [];
      assert.ok(said.length > 0);
      for (const one of [...said.toReversed(), ...said]) sockets.get(visitor)?.send(one);
    }
  });
  for (const visitor of visitors) await visitor.leave();
});

/** Three answer the same customers, each without having seen the others' answer. */
browserTest("people_and_a_client_give_one_answer_to_each", async (test) => {
  const client = await Client.start(test);
  const { customers, all } = await crowd();
  const visitors = [await Visitor.logIn("agent"), await Visitor.logIn("manager")];
  const box = ({ page }: Visitor) => page.getByLabel("Text of the reply");
  const textOf = (who: number, place: number) => `${["Ana", "Bea", "A client"][who]} answers ${place}`;
  const open = async (visitor: Visitor, place: number) => {
    await visitor.move(`/app/${tenant}/inbox/${all[place]?.id}`);
    await visitor.page.locator(".thread .bubble", { hasText: `Hello from ${customers[place]?.slice(-4)}` }).waitFor();
  };
  /** Milliseconds of each, so that none is always the first. */
  const pause = () => new Promise((resume) => setTimeout(resume, Math.random() * 400));
  const first = [0, 0, 0];
  const refused: { visitor: Visitor; place: number; text: string }[] = [];
  for (const visitor of visitors) await visitor.open(`/app/${tenant}/inbox`);
  for (const [place, { id }] of all.entries()) {
    await client.read(id);
    await Promise.all(visitors.map(async (visitor, who) => {
      await open(visitor, place);
      await box(visitor).fill(textOf(who, place));
    }));
    const [missed] = await Promise.all([pause().then(() => client.answer(id, textOf(2, place))), ...visitors.map((visitor) => pause().then(() => box(visitor).press("Enter")))]);
    const answered = missed === null ? [textOf(2, place)] : [];
    for (const [who, visitor] of visitors.entries()) {
      const text = textOf(who, place);
      const notice = visitor.see("missed");
      await notice.or(visitor.page.locator(".thread .sent:not(.pending) .bubble", { hasText: text })).first().waitFor();
      if (await notice.count()) {
        refused.push({ visitor, place, text });
        assert.equal(await box(visitor).inputValue(), text);
        assert.match(await notice.innerText(), / answers \d+/);
      } else {
        answered.push(text);
        await visitor.page.waitForFunction(() => document.querySelector("textarea")?.value === "");
      }
    }
    assert.equal(answered.length, 1, `${answered} in ${id}`);
    const who = [0, 1, 2].findIndex((who) => textOf(who, place) === answered[0]);
    first[who] = (first[who] ?? 0) + 1;
    if (missed !== null) assert.equal(missed, answered[0]);
    for (const { visitor } of refused.filter((one) => one.place === place)) await visitor.see("missed").getByText(answered[0] ?? "", { exact: true }).waitFor();
  }
  const got = async (customer: string) => (await (await fetch(`${phones}/outbox?tenant=${tenant}&to=${encodeURIComponent(customer)}`)).json()) as { body?: string }[];
  for (const customer of customers) await until(`answer to ${customer}`, async () => (await got(customer)).length > 0);
  // What was refused is there when its writer comes back, and was sent to nobody.
  for (const { visitor, place, text } of refused) {
    await open(visitor, place);
    await until(`“${text}” in the reply`, async () => (await box(visitor).inputValue()) === text);
  }
  for (const [place, customer] of customers.entries()) {
    const bodies = (await got(customer)).map(({ body }) => body ?? "");
    assert.ok(bodies.length === 1 && bodies[0]?.endsWith(` answers ${place}`), `${customer} has got ${bodies}`);
  }
  console.log(`${all.length} customers have one answer each: ${first[0]} and ${first[1]} of people, ${first[2]} of the client; ${refused.length} texts of people stay, ${all.length - (first[2] ?? 0)} of the client`);
  for (const visitor of visitors) await visitor.leave();
});
