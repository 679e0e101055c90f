/** Pages that show what changes: told of it at once, and as the API has it after whatever came between. */
import assert from "node:assert/strict";
import type { WebSocketRoute } from "playwright-core";
import { ask, browserTest, call, converse, logInOf, problem, stranger, tell, Visitor } from "./support.ts";

/** Longer than it takes on a busy machine, and shorter than pages ask by themselves while they are told. */
const TOLD = 45_000;

/** Ids of the newest calls, as another client reads them. */
async function calls(): Promise<string[]> {
  return (await ask<{ items: { id: string }[] }>("calls")).items.map(({ id }) => id);
}

/** Customers call, and the API knows it. */
async function place(count: number): Promise<void> {
  const before = new Set(await calls());
  for (let n = 0; n < count; n += 1) await call(stranger(), "missed");
  for (const until = Date.now() + TOLD; (await calls()).filter((id) => !before.has(id)).length < count; ) {
    assert.ok(Date.now() < until, "the calls are not there");
    await new Promise((resume) => setTimeout(resume, 500));
  }
}

function shown({ page }: Visitor): Promise<string[]> {
  return page.locator(".rows a[href*='/calls/call_']").evaluateAll((links) => links.map((link) => link.getAttribute("href")?.split("/").at(-1) ?? ""));
}

function state({ page }: Visitor, state: string): Promise<void> {
  return page.locator(`[data-testid=live][data-state=${state}]`).waitFor({ timeout: TOLD });
}

/** It becomes what the API has, without being loaded anew. */
async function expectTold(visitor: Visitor): Promise<void> {
  const wanted = await calls();
  for (const until = Date.now() + TOLD; String(await shown(visitor)) !== String(wanted); ) {
    assert.ok(Date.now() < until, `the page has ${await shown(visitor)} of ${wanted}`);
    await visitor.page.waitForTimeout(100);
  }
}

async function expectLive(visitor: Visitor): Promise<void> {
  await state(visitor, "live");
  await expectTold(visitor);
}

browserTest("list_is_as_the_api_has_it_after_every_gap", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  // The device's clock is an hour fast.
  await visitor.context.addInitScript(() => { const now = Date.now.bind(Date); Date.now = () => now() + 3_600_000; });
  await visitor.open(`/app/${logInOf("manager").tenant}/calls`);
  await expectLive(visitor);
  await place(1);
  await expectTold(visitor);

  await visitor.context.setOffline(true);
  await state(visitor, "off");
  await place(2);
  await visitor.context.setOffline(false);
  await expectLive(visitor);

  const devices = await visitor.context.newCDPSession(page);
  await devices.send("Page.setWebLifecycleState", { state: "frozen" });
  await place(2);
  await devices.send("Page.setWebLifecycleState", { state: "active" });
  await expectLive(visitor);
  await visitor.leave();
});

browserTest("page_without_a_socket_says_so_and_misses_nothing", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  let holds = false;
  let [full, expired] = [false, false];
  const held: string[] = [];
  const sockets: WebSocketRoute[] = [];
  await page.routeWebSocket(/\/live\?/, (socket) => {
    sockets.push(socket);
    socket.connectToServer().onMessage((said) => {
      if (holds && JSON.parse(String(said)).type === "events") held.push(String(said));
      else socket.send(said);
    });
  });
  await visitor.intercept("create_live_ticket", (route) => (full ? route.fulfill(problem(409, "limit_reached")) : route.fallback()));
  await visitor.intercept("list_live_events", (route) => (expired && route.request().url().includes("after=") ? route.fulfill(problem(410, "cursor_expired")) : route.fallback()));
  await visitor.open(`/app/${logInOf("manager").tenant}/calls`);
  await expectLive(visitor);

  // Out of order, and twice.
  holds = true;
  await place(3);
  for (const until = Date.now() + TOLD; held.join().split("call.decided").length <= 3; ) {
    assert.ok(Date.now() < until, "the events are not told");
    await new Promise((resume) => setTimeout(resume, 100));
  }
  holds = false;
  for (const said of [...held.toReversed(), ...held]) sockets.at(-1)?.send(said);
  await expectTold(visitor);

  // No room for another socket.
  full = true;
  await sockets.at(-1)?.close();
  await page.locator("[data-testid=live]:not([data-state=live])").waitFor();
  await place(1);
  await state(visitor, "delayed");
  await expectTold(visitor);

  // As after hours of sleep.
  [full, expired] = [false, true];
  await place(1);
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expectLive(visitor);
  visitor.expectQuiet(409, 410);
  await visitor.leave();
});

/** In words, for the conversation that is open, and no longer than the colleague is there. */
browserTest("colleague_who_reads_and_writes_is_shown", async () => {
  const [one] = await converse(stranger());
  const [visitor, other] = [await Visitor.logIn("agent"), await Visitor.logIn("manager")];
  const path = `/app/${logInOf("agent").tenant}/inbox/${one?.id}`;
  await visitor.open(path);
  await state(visitor, "live");
  const shown = visitor.see("others");
  assert.equal(await shown.innerText(), "");
  await other.open(path);
  await state(other, "live");
  await other.see("others").getByText(/^Also here: /).waitFor();
  await shown.getByText(/^Also here: /).waitFor();
  other.page.on("websocket", () => assert.fail("another socket"));
  const writing = shown.getByText(/^Writing now: /).waitFor();
  await other.page.getByLabel("Text of the reply").pressSequentially("We are open.", { delay: 20 });
  await writing;
  const heard = await visitor.page.locator("[role=status]").allInnerTexts();
  assert.ok(heard.some((text) => /^Writing now: /.test(text)), String(heard));
  await shown.getByText(/^Also here: /).waitFor();
  // What changes in it is there long before it would be asked for.
  await ask(`conversations/${one?.id}`, "PATCH", { priority: "high" });
  await visitor.page.waitForFunction(() => document.querySelector<HTMLSelectElement>("select[name=priority]")?.value === "high", null, { timeout: 30_000 });
  // Elsewhere in the console nobody reads it any more.
  await other.page.locator("[data-back]").click();
  await visitor.page.waitForFunction(() => document.querySelector("[data-testid=others]")?.textContent === "");
  for (const person of [visitor, other]) {
    person.expectQuiet();
    await person.leave();
  }
});

/** Texts of what the thread shows, and of what the API has in it. */
function threadOf({ page }: Visitor): Promise<string[]> {
  return page.locator(".thread ol > li").evaluateAll((entries) => entries.map((entry) => entry.querySelector(".bubble")?.textContent ?? ""));
}

async function timelineOf(id: string): Promise<string[]> {
  const { items } = await ask<{ items: { message?: { text: string | null } | null }[] }>(`conversations/${id}/timeline?limit=50`);
  return items.toReversed().map(({ message }) => message?.text ?? "");
}

/** It shows this, without being loaded anew, and how many milliseconds after a moment. */
async function expectThread(visitor: Visitor, wanted: string[], since: number): Promise<number> {
  while (String(await threadOf(visitor)) !== String(wanted) && Date.now() - since < TOLD) await visitor.page.waitForTimeout(50);
  const taken = Date.now() - since;
  assert.deepEqual(await threadOf(visitor), wanted);
  return taken;
}

/** Few, since those who wait for an answer fill the lists of other tests. */
const OTHERS = [stranger(), stranger(), stranger()];

/** Customers write until there are so many events, and all messages of one of them are told. */
async function happen(events: number, conversation: string, customer: string): Promise<void> {
  interface Page {
    events: { id: string; data: { message_id?: string | null } }[];
    cursor: string;
  }
  interface Timeline {
    items: { message?: { id: string; text: string | null } | null }[];
  }
  const { tenant } = logInOf("manager");
  const textOf = (from: string, round: number) => `${from.slice(-2)} in round ${round} of ${events}`;
  let { cursor } = await ask<Page>("live/events");
  const [known, told] = [new Set<string>(), new Set<string>()];
  const read = async () => {
    const found = await ask<Page>(`live/events?after=${cursor}`);
    ({ cursor } = found);
    for (const { id, data } of found.events) {
      known.add(id);
      if (data.message_id) told.add(data.message_id);
    }
  };
  // An answer begins before its cursor.
  await read();
  const before = known.size;
  let rounds = 0;
  for (; known.size - before < events; rounds += 1) {
    await Promise.all([customer, ...OTHERS].map((from) => tell("/replies", { tenant, from, channel: "whatsapp", text: textOf(from, rounds), wait: true })));
    if (rounds % 10 === 9) await read();
  }
  const isTold = async () => {
    await read();
    const { items } = await ask<Timeline>(`conversations/${conversation}/timeline?limit=${Math.min(rounds, 50)}`);
    return items[0]?.message?.text === textOf(customer, rounds - 1) && items.every(({ message }) => message && told.has(message.id));
  };
  for (const until = Date.now() + TOLD; !(await isTold()); ) {
    assert.ok(Date.now() < until, "the events are not told");
    await new Promise((resume) => setTimeout(resume, 1000));
  }
}

/** What a person waits for after a gap: 2 s, but for a machine that is busy with other tests. */
const GAP = 10_000;

browserTest("conversation_is_as_the_api_has_it_after_200_events", async () => {
  const customer = stranger();
  const [one] = await converse(customer);
  const id = one?.id ?? "";
  const visitor = await Visitor.logIn("agent");
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${id}`);
  await state(visitor, "live");

  // Without a network. The word is right as soon as it is there.
  await visitor.context.setOffline(true);
  await state(visitor, "off");
  await happen(200, id, customer);
  let wanted = await timelineOf(id);
  let back = Date.now();
  await visitor.context.setOffline(false);
  await state(visitor, "live");
  const taken = [Date.now() - back];
  assert.deepEqual(await threadOf(visitor), wanted, "live, and something is missing");

  // Browsers freeze no page that is seen, so its scripts stop where they are.
  const devices = await visitor.context.newCDPSession(page);
  await devices.send("Debugger.enable");
  const frozen = new Promise((resume) => devices.once("Debugger.paused", resume));
  await devices.send("Debugger.pause");
  await frozen;
  await happen(200, id, customer);
  wanted = await timelineOf(id);
  back = Date.now();
  await devices.send("Debugger.resume");
  taken.push(await expectThread(visitor, wanted, back));
  await devices.send("Debugger.disable");
  await state(visitor, "live");
  assert.ok(Math.max(...taken) < GAP, `as it is after ${taken.join(" and ")} ms`);
  await visitor.leave();
});

/** Out of order, and twice: events of a conversation only make it read again. */
browserTest("conversation_bears_events_out_of_order_and_twice", async () => {
  const customer = stranger();
  const [one] = await converse(customer);
  const id = one?.id ?? "";
  const visitor = await Visitor.logIn("agent");
  let holds = false;
  const held: string[] = [];
  const sockets: WebSocketRoute[] = [];
  await visitor.page.routeWebSocket(/\/live\?/, (socket) => {
    sockets.push(socket);
    socket.connectToServer().onMessage((said) => {
      if (holds && JSON.parse(String(said)).type === "events") held.push(String(said));
      else socket.send(said);
    });
  });
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${id}`);
  await state(visitor, "live");
  holds = true;
  await happen(200, id, customer);
  holds = false;
  for (const said of [...held.toReversed(), ...held]) sockets.at(-1)?.send(said);
  const [wanted, back] = [await timelineOf(id), Date.now()];
  const taken = await expectThread(visitor, wanted, back);
  assert.ok(held.length > 0 && taken < GAP, `as it is after ${taken} ms`);
  await visitor.leave();
});

/** What is told after a message of the conversation itself is no reason to read the thread: it would wait with the next message. */
browserTest("thread_is_read_for_messages_only", async () => {
  const [one] = await converse(stranger());
  const visitor = await Visitor.logIn("agent");
  const { page } = visitor;
  const sockets: WebSocketRoute[] = [];
  await visitor.followNothing();
  await page.routeWebSocket(/\/live\?/, (socket) => {
    sockets.push(socket);
    socket.onMessage((said) => { if (JSON.parse(String(said)).action === "watch") socket.send(JSON.stringify({ type: "watching" })); });
  });
  const happens = (type: string) => {
    const event = { id: `evt_${type}`, type, at: new Date().toISOString(), conversation_id: one?.id, seq: null, data: { contact_id: one?.contact.id } };
    sockets.at(-1)?.send(JSON.stringify({ type: "events", cursor: "0", events: [event] }));
  };
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${one?.id}`);
  await state(visitor, "live");
  // Once more for what lags.
  await page.waitForRequest(/\/timeline\?/);
  let asked = 0;
  page.on("request", (request) => { if (request.url().includes("/timeline?")) asked += 1; });
  happens("conversation.changed");
  await page.waitForTimeout(3000);
  assert.equal(asked, 0);
  happens("message.received");
  await page.waitForRequest(/\/timeline\?/);
  await visitor.leave();
});

/** Also what nobody was told of by itself, such as the name of a customer that a colleague has changed. */
browserTest("lists_name_customers_as_they_are_named_now", async () => {
  const customer = stranger();
  const [one] = await converse(customer);
  if (process.env.RINGBACK_TEST_JOURNEYS) await call(customer, "missed");
  const visitor = await Visitor.logIn("agent");
  const shown = (name: string) => visitor.page.locator("main").getByText(name, { exact: true });
  for (const list of process.env.RINGBACK_TEST_JOURNEYS ? ["inbox", "messages", "calls"] : ["inbox"]) {
    const rename = async (name: string) => {
      await ask(`contacts/${one?.contact.id}`, "PATCH", { name });
      return name;
    };
    await visitor.open(`/app/${logInOf("agent").tenant}/${list}`);
    await state(visitor, "live");
    await shown(await rename(`Layla ${customer.slice(-4)} of ${list}`)).first().waitFor({ timeout: 30_000 });
    await visitor.context.setOffline(true);
    await state(visitor, "off");
    const name = await rename(`Noor ${customer.slice(-4)} of ${list}`);
    await visitor.context.setOffline(false);
    await state(visitor, "live");
    assert.ok(await shown(name).count(), "live, and the name is the one before");
  }
  await visitor.leave();
});

/** Whoever looks at either conversation sees at once what became of it, long before it would be asked for. */
browserTest("merged_contact_is_followed_at_once", async () => {
  const [one, other] = await converse(stranger(), stranger());
  const visitors = await Promise.all([one, other].map(async (open) => {
    const visitor = await Visitor.logIn("agent");
    await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${open?.id}`);
    await state(visitor, "live");
    return visitor;
  }));
  const [goesOn, ends] = visitors as [Visitor, Visitor];
  const said = await threadOf(ends);
  // The first time, it is asked for after ten seconds, since the page was not told yet.
  await goesOn.page.waitForTimeout(12_000);
  await ask(`contacts/${one?.contact.id}/merge`, "POST", { contact_id: other?.contact.id });
  await ends.see("continued").waitFor({ timeout: GAP });
  for (const until = Date.now() + GAP; !String(await threadOf(goesOn)).includes(String(said)); ) {
    assert.ok(Date.now() < until, `the thread has ${await threadOf(goesOn)}`);
    await goesOn.page.waitForTimeout(100);
  }
  for (const visitor of visitors) await visitor.leave();
});
