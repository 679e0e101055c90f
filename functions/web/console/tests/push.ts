/** Notifications on a device, and the installed app. The browser of the tests has no push service, so the device is played; what is pushed to it comes from the simulators. */
import assert from "node:assert/strict";
import { createDecipheriv, createECDH, hkdfSync, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium, type Worker } from "playwright-core";
import { program } from "../tools/browser.ts";
import { ARGUMENTS, ask, browserTest, DESK, logInOf, PHONE, phones, stack, stranger, tell, until, Visitor } from "./support.ts";

/** Milliseconds until a message is pushed that nobody reads, on a busy machine. */
const PUSHED = 90_000;
const PAGE = "/app/account/notifications";

/** A device with its keys, as a browser makes them (RFC 8291). */
class Device {
  private readonly own = createECDH("prime256v1");
  private readonly auth = randomBytes(16);
  private readonly place = `updates.push.services.mozilla.com/wpush/v2/${randomBytes(12).toString("hex")}`;
  readonly key = this.own.generateKeys();

  get subscription(): { endpoint: string; expirationTime: null; keys: { p256dh: string; auth: string } } {
    return { endpoint: `https://${this.place}`, expirationTime: null, keys: { p256dh: this.key.toString("base64url"), auth: this.auth.toString("base64url") } };
  }

  /** What was pushed to it, opened. */
  async pushed(): Promise<string[]> {
    const all = (await (await fetch(`${phones}/pushes`)).json()) as { device: string; body: string }[];
    return all.filter(({ device }) => device === this.place).map(({ body }) => this.open(Buffer.from(body, "base64url")));
  }

  async awaitPush(count: number): Promise<string> {
    for (const until = Date.now() + PUSHED; Date.now() < until; ) {
      const all = await this.pushed();
      if (all.length >= count) return all[count - 1] ?? "";
      await new Promise((resume) => setTimeout(resume, 1000));
    }
    return assert.fail("nothing is pushed");
  }

  private open(body: Buffer): string {
    const [salt, sender, rest] = [body.subarray(0, 16), body.subarray(21, 86), body.subarray(86)];
    const derive = (secret: Buffer, with_: Buffer, info: Buffer, length: number) => Buffer.from(hkdfSync("sha256", secret, with_, info, length));
    const shared = derive(this.own.computeSecret(sender), this.auth, Buffer.concat([Buffer.from("WebPush: info\0"), this.key, sender]), 32);
    const cipher = createDecipheriv("aes-128-gcm", derive(shared, salt, Buffer.from("Content-Encoding: aes128gcm\0"), 16), derive(shared, salt, Buffer.from("Content-Encoding: nonce\0"), 12));
    cipher.setAuthTag(rest.subarray(-16));
    const plain = Buffer.concat([cipher.update(rest.subarray(0, -16)), cipher.final()]).toString();
    return plain.slice(0, plain.lastIndexOf("\x02"));
  }
}

/** A manager whose browser may notify, and has this device. */
async function notified(device: Device): Promise<Visitor> {
  const visitor = await Visitor.logIn("manager", DESK, "allow");
  await visitor.context.grantPermissions(["notifications"], { origin: stack });
  await visitor.context.addInitScript((subscription) => {
    const made = { ...subscription, toJSON: () => subscription, unsubscribe: () => Promise.resolve(localStorage.removeItem("made")).then(() => true) };
    Object.assign(PushManager.prototype, {
      subscribe: () => Promise.resolve(localStorage.setItem("made", "yes")).then(() => made),
      getSubscription: () => Promise.resolve(localStorage.getItem("made") ? made : null),
    });
  }, device.subscription);
  await visitor.open(PAGE);
  await visitor.page.getByRole("button", { name: "Turn on here" }).click();
  await visitor.page.locator("[data-testid=device][data-state=on]").waitFor();
  return visitor;
}

/** The manager's devices. */
async function listed(): Promise<string[]> {
  return (await ask<{ items: { id: string }[] }>("me/push-subscriptions")).items.map(({ id }) => id);
}

function write(from: string): Promise<void> {
  return tell("/replies", { tenant: logInOf("manager").tenant, from, channel: "whatsapp", text: "Are you open on Friday?", wait: true });
}

function shown(worker: Worker): Promise<{ title: string; body: string; path: string }[]> {
  return worker.evaluate(async () => {
    const { registration } = self as unknown as { registration: ServiceWorkerRegistration };
    return (await registration.getNotifications()).map(({ title, body, data }) => ({ title, body, path: String(data) }));
  });
}

/** As a person clicks it. Scripts may not give a page the focus, or open one, so the worker is heard to do it. */
function click(worker: Worker): Promise<string> {
  return worker.evaluate(async () => {
    const scope = self as unknown as { registration: ServiceWorkerRegistration; clients: object; WindowClient: { prototype: object }; NotificationEvent: new (type: string, init: object) => Event };
    let done: Promise<unknown> = Promise.resolve();
    let did = "";
    Object.defineProperty(scope.WindowClient.prototype, "focus", { configurable: true, value: () => { did = "focus"; } });
    Object.defineProperty(scope.clients, "openWindow", { configurable: true, value: (path: string) => { did = path; } });
    const [notification] = await scope.registration.getNotifications();
    const event = new scope.NotificationEvent("notificationclick", { notification });
    Object.defineProperty(event, "waitUntil", { value: (promise: Promise<unknown>) => { done = promise; } });
    dispatchEvent(event);
    await done;
    return did;
  });
}

browserTest("pushed_messages_are_one_notification_that_opens_the_conversation", async () => {
  const [device, other] = [new Device(), new Device()];
  const visitor = await notified(device);
  const { page, context } = visitor;
  const [worker] = context.serviceWorkers();
  assert.ok(worker, "there is no worker");
  const devices = await context.newCDPSession(page);
  const registered = new Promise<string>((resolve) => devices.on("ServiceWorker.workerRegistrationUpdated", ({ registrations }) => { const [one] = registrations; if (one) resolve(one.registrationId); }));
  await devices.send("ServiceWorker.enable");
  const registrationId = await registered;
  const deliver = (data: string) => devices.send("ServiceWorker.deliverPushMessage", { origin: stack, registrationId, data });

  const customer = stranger();
  await write(customer);
  const pushed = await device.awaitPush(1);
  for (let times = 0; times < 2; times += 1) await deliver(pushed);
  await until("notification", async () => (await shown(worker)).length > 0);
  const [one, ...others] = await shown(worker);
  assert.ok(one && others.length === 0);
  assert.equal(one.body, "New message");
  await page.evaluate(() => Object.assign(window, { marked: true }));
  assert.equal(await click(worker), "focus");
  await page.waitForURL(`**${one.path}`);
  await page.getByText("Are you open on Friday?").first().waitFor();
  assert.ok(await page.evaluate(() => "marked" in window), "the page is loaded anew");
  assert.deepEqual(await shown(worker), []);

  // Without a page that answers, another one is opened.
  await page.goto("/docs");
  await deliver(pushed);
  await until("notification", async () => (await shown(worker)).length > 0);
  assert.equal(await click(worker), one.path);
  await deliver(JSON.stringify({ type: "later.type", tenant_id: "tnt_1" }));
  await until("notification", async () => (await shown(worker)).length > 0);
  assert.equal(await click(worker), "/app/tnt_1");

  // After the log-out, the device of another session of the same person is told, and this one is not.
  await visitor.open(PAGE);
  const { id } = await page.evaluate(() => JSON.parse(localStorage.getItem("notified") ?? "{}") as { id: string });
  assert.ok((await listed()).includes(id));
  await page.locator("header [popovertarget]").last().click();
  await page.getByRole("banner").getByRole("button", { name: "Log out" }).click();
  await page.waitForURL("**/app/log-in");
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), {}, "something of the device stays");
  assert.ok(!(await listed()).includes(id), "the API still has the device");
  await ask("me/push-subscriptions", "POST", other.subscription);
  const before = (await device.pushed()).length;
  await write(stranger());
  await other.awaitPush(1);
  assert.equal((await device.pushed()).length, before, "the device is told after the log-out");
  await visitor.leave();
});

browserTest("device_that_was_removed_elsewhere_is_not_added_again", async () => {
  const device = new Device();
  const visitor = await notified(device);
  const { page } = visitor;
  await page.reload();
  await page.locator("[data-testid=device][data-state=on]").waitFor();
  for (const id of await listed()) await ask(`me/push-subscriptions/${id}`, "DELETE");
  await page.reload();
  await page.locator("[data-testid=device][data-state=off]").waitFor();
  await visitor.settle();
  assert.deepEqual(await listed(), []);
  visitor.expectQuiet(404);
  await visitor.leave();
});

browserTest("device_whose_session_ended_is_sent_again_and_ends_without_a_network", async () => {
  const device = new Device();
  const visitor = await notified(device);
  const { page, context } = visitor;
  // As after a message that finds no session.
  for (const id of await listed()) await ask(`me/push-subscriptions/${id}`, "DELETE");
  await context.clearCookies({ name: /^(?!rb_ui$)/ });
  await visitor.enter(logInOf("manager"));
  await page.goto(PAGE);
  await page.locator("[data-testid=device][data-state=on]").waitFor();
  await visitor.settle();
  assert.equal((await listed()).length, 1);

  await context.setOffline(true);
  await page.getByRole("button", { name: "Turn off here" }).click();
  await page.locator("[data-testid=device][data-state=off]").waitFor();
  assert.deepEqual(await page.evaluate(() => ({ ...localStorage })), {}, "something of the device stays");
  await context.setOffline(false);
  // What was not noted any more, and is there nevertheless, ends with the next page.
  await page.evaluate(() => localStorage.setItem("made", "yes"));
  await page.goto(`/app/${logInOf("manager").tenant}`);
  await page.waitForFunction(() => localStorage.getItem("made") === null);
  await visitor.leave();
});

browserTest("refused_notifications_say_how_to_allow_them", async () => {
  const visitor = await Visitor.logIn("agent", DESK, "allow");
  const { page, context } = visitor;
  await visitor.open(PAGE);
  const button = page.getByRole("button", { name: "Turn on here" });
  await button.waitFor();
  assert.equal(context.serviceWorkers().length, 0, "the worker came without a choice");
  const [whole, one] = [await context.browser()?.newBrowserCDPSession(), await context.newCDPSession(page)];
  const { browserContextId = "" } = (await one.send("Target.getTargetInfo")).targetInfo;
  const set = (setting: "denied" | "granted") => whole?.send("Browser.setPermission", { permission: { name: "notifications" }, setting, origin: stack, browserContextId });
  await set("denied");
  await page.getByText(/Allow them for this site/).waitFor();
  assert.equal(await button.count(), 0);
  await set("granted");
  await button.waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("home_leads_to_customers_who_wait", async () => {
  await write(stranger());
  const visitor = await Visitor.logIn("agent", PHONE);
  await visitor.open(`/app/${logInOf("agent").tenant}`);
  await visitor.tap(visitor.page.locator("a[href*='waiting=true']"));
  await visitor.page.waitForURL(/inbox\?view=(mine|unassigned)&waiting=true$/);
  await visitor.page.locator("[data-conversation]").first().waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("shortcuts_of_the_app_lead_into_the_business", async () => {
  const visitor = await Visitor.logIn("agent");
  await visitor.page.goto("/app?to=inbox");
  await visitor.page.waitForURL(({ pathname }) => /^\/app\/[^/]+\/inbox$/.test(pathname));
  await visitor.settle();
  visitor.expectQuiet();
  await visitor.leave();
});

test("worker_is_small", () => {
  assert.ok(readFileSync("dist/worker.js").length <= 4096);
});

/** Only a whole browser with a profile of its own says what it would install. */
browserTest("app_can_be_installed", async (running) => {
  if (/sparticuz|shell/.test(program ?? "")) return running.skip("this Chromium installs nothing");
  const profile = await mkdtemp(join(tmpdir(), "profile-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: program ?? "", args: ARGUMENTS });
  try {
    const [page = await context.newPage()] = context.pages();
    for (const language of ["en", "ar"]) {
      await context.addCookies([{ name: "rb_ui", value: `${language}.light`, url: stack }]);
      await page.goto(`${stack}/app/log-in`);
      await page.locator("h1").waitFor();
      const devices = await context.newCDPSession(page);
      const { errors, data } = await devices.send("Page.getAppManifest");
      assert.deepEqual(errors, []);
      assert.equal((JSON.parse(data ?? "{}") as { lang: string }).lang, language);
      assert.deepEqual((await devices.send("Page.getInstallabilityErrors")).installabilityErrors, []);
    }
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
});
