/** Pages that show what changes: told of it at once, and as the API has it after whatever came between. */
import assert from "node:assert/strict";
import type { WebSocketRoute } from "playwright-core";
import { ask, browserTest, call, logInOf, problem, stranger, Visitor } from "./support.ts";

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
