/** Broadcasts: what the check says is what is sent, and two starts send once. */
import assert from "node:assert/strict";
import { describe } from "node:test";
import type { Locator } from "playwright-core";
import { campaign, giveSamples, preflight } from "./samples.ts";
import { ask, browserTest, DESK, logInOf, outbox, PHONE, plain, reach, stranger, tell, until, Visitor } from "./support.ts";

const PATIENCE = 240_000;
const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/campaigns/${page}`;

/** A contact with this tag, who wants messages unless it is said otherwise. Returns the number. */
async function add(tag: string, wish: "granted" | "none" | "stop" = "granted", phone = stranger()): Promise<string> {
  const { id } = await ask<{ id: string }>("contacts", "POST", { name: `Guest ${phone.slice(-4)}`, phones: [phone], tags: [tag] });
  if (wish !== "none") await ask(`contacts/${id}/consent`, "POST", { choice: "granted", category: "marketing", party: "customer", evidence: "Form of the shop" });
  if (wish === "stop") await tell("/replies", { tenant, from: phone, channel: "sms", text: "STOP", wait: true });
  return phone;
}

/** A tag of its own, so that no other test has contacts in the audience. */
async function tagOf(name: string): Promise<string> {
  return (await ask<{ id: string }>("tags", "POST", { name })).id;
}

async function draft(tag: string, name: string, text: string): Promise<string> {
  const body = { type: "broadcast", name, audience: { tag }, message: { channels: ["sms"], category: "marketing", sms_text: `${text} Reply STOP for no more messages.` } };
  return (await ask<{ id: string }>("campaigns", "POST", body)).id;
}

/** The button that starts it, once everybody is counted. */
async function checked(visitor: Visitor): Promise<Locator> {
  const start = visitor.see("start");
  await start.waitFor({ timeout: PATIENCE });
  return start;
}

/** They wait for what is dispatched each minute, and have nobody in common. */
describe("broadcasts", { concurrency: 3 }, () => {
  browserTest("broadcast_by_keyboard_reaches_whom_its_check_counts", async () => {
    const visitor = await Visitor.logIn("manager", DESK);
    const { page } = visitor;
    const { keyboard } = page;
    const mark = stranger().slice(-6);
    const tag = await tagOf(`Fair ${mark}`);
    const wanted = await Promise.all(Array.from({ length: 8 }, () => add(tag)));
    await add(tag, "none");
    await add(tag, "stop");
    await visitor.open(`/app/${tenant}/campaigns`);
    await reach(visitor, "New broadcast");
    await keyboard.press("Enter");
    await page.waitForURL("**/campaigns/new");
    await visitor.settle();
    await reach(visitor, "Name");
    await keyboard.type(`Fair ${mark}`);
    await keyboard.press("Enter");
    await page.waitForURL("**/audience");
    await visitor.settle();
    await reach(visitor, "Who gets it");
    await keyboard.type(`Tag: Fair ${mark}`);
    await reach(visitor, /^Save and go on/);
    await keyboard.press("Enter");
    await page.waitForURL("**/message");
    await visitor.settle();
    await reach(visitor, "By");
    await keyboard.press("End");
    await reach(visitor, /^Text of the SMS/);
    await keyboard.type(`{{tenant.name}}: cake ${mark}. Reply STOP for no more messages.`);
    await reach(visitor, /^Save and go on/);
    await keyboard.press("Enter");
    await page.waitForURL("**/when");
    await visitor.settle();
    await reach(visitor, /^Save and go on/);
    await keyboard.press("Enter");
    await page.waitForURL(/\/check/);
    const start = await checked(visitor);
    assert.match(plain(await start.innerText()), /^Send to 8 people( for (at least )?\S+)?$/);
    const rows = await visitor.see("outcome").locator("tr").allInnerTexts();
    assert.deepEqual(rows.map((row) => Number(/\d+$/.exec(plain(row))?.[0])).toSorted((one, other) => one - other), [1, 1, 8, 10]);
    // Somebody joins between the check and the start.
    const late = await add(tag);
    await reach(visitor, /^Send to 8 people/);
    await keyboard.press("Enter");
    await page.waitForURL(/\?counted=10/);
    await visitor.see("difference").waitFor({ timeout: PATIENCE });
    assert.match(plain(await visitor.see("difference").innerText()), /^One person has joined/);
    await until("message on each phone", async () => (await outbox(`cake ${mark}`)).length === wanted.length + 1);
    await page.locator("[data-testid=state][data-state=completed]").waitFor({ timeout: PATIENCE });
    assert.deepEqual(await outbox(`cake ${mark}`), [...wanted, late].toSorted());
    await reach(visitor, "Make the report");
    await keyboard.press("Enter");
    await visitor.see("report").waitFor({ timeout: PATIENCE });
    const figure = async (name: string) => Number(plain(await visitor.see("report").locator(`[data-count=${name}] td`).innerText()));
    assert.deepEqual([await figure("recipients"), await figure("left_out")], [11, 2]);
    visitor.expectQuiet();
    await visitor.leave();
  });

  browserTest("broadcast_is_checked_and_started_by_touch_in_arabic", async () => {
    const visitor = await Visitor.logIn("manager", PHONE);
    const mark = stranger().slice(-6);
    const tag = await tagOf(`Touch ${mark}`);
    const wanted = await Promise.all([add(tag), add(tag)]);
    const id = await draft(tag, `Touch ${mark}`, `Tea ${mark}.`);
    await visitor.open(`/app/${tenant}/campaigns`);
    await visitor.tap(visitor.page.getByRole("link", { name: `Touch ${mark}` }));
    await visitor.tap(visitor.page.getByRole("link", { name: "متابعة الكتابة" }));
    const start = await checked(visitor);
    assert.match(plain(await start.innerText()), /^إرسال إلى شخصين/);
    assert.ok(await visitor.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
    await visitor.tap(start);
    await visitor.page.waitForURL(new RegExp(`${id}\\?counted=2$`));
    await until("message on both phones", async () => (await outbox(`Tea ${mark}`)).length === 2);
    assert.deepEqual(await outbox(`Tea ${mark}`), wanted.toSorted());
    visitor.expectQuiet();
    await visitor.leave();
  });

  browserTest("broadcast_started_in_two_tabs_is_sent_once", async () => {
    const mark = stranger().slice(-6);
    const tag = await tagOf(`Twice ${mark}`);
    const wanted = await Promise.all([add(tag), add(tag)]);
    const id = await draft(tag, `Twice ${mark}`, `Date ${mark}.`);
    const tabs = [await Visitor.logIn("manager", DESK), await Visitor.logIn("manager", DESK)];
    const starts: Locator[] = [];
    for (const tab of tabs) {
      await tab.open(at(`${id}/check`));
      starts.push(await checked(tab));
    }
    await Promise.all(starts.map((start) => start.click()));
    const ends = await Promise.all(tabs.map(({ page }) => Promise.race([
      page.waitForURL(/\?counted=2$/).then(() => "started"),
      page.getByTestId("overtaken").waitFor().then(() => "overtaken"),
    ])));
    assert.deepEqual(ends.toSorted(), ["overtaken", "started"]);
    await until("message on both phones", async () => (await outbox(`Date ${mark}`)).length >= 2);
    // A second one would come within a minute.
    const completed = async () => (await ask<{ state: string }>(`campaigns/${id}`)).state === "completed";
    await until("end", completed);
    assert.deepEqual(await outbox(`Date ${mark}`), wanted.toSorted());
    for (const tab of tabs) {
      tab.expectQuiet(409, 412);
      await tab.leave();
    }
  });
});

/** Somebody saves another text while the form is open. */
browserTest("broadcast_changed_in_another_tab_shows_both_texts", async () => {
  const mark = stranger().slice(-6);
  const id = await draft(await tagOf(`Both ${mark}`), `Both ${mark}`, "Ours.");
  const visitor = await Visitor.logIn("manager", DESK);
  await visitor.open(at(`${id}/message`));
  await ask(`campaigns/${id}`, "PATCH", { message: { sms_text: "Theirs." } });
  await visitor.page.locator("textarea").first().fill("Mine.");
  await visitor.page.getByRole("button", { name: /^Save and go on/ }).click();
  await visitor.see("theirs").waitFor();
  assert.match(await visitor.see("theirs").innerText(), /Mine\.[^]*Theirs\./);
  await visitor.page.getByRole("button", { name: /^Save and go on/ }).click();
  await visitor.page.waitForURL("**/when");
  assert.equal((await ask<{ message: { sms_text: string } }>(`campaigns/${id}`)).message.sms_text, "Mine.");
  visitor.expectQuiet(412);
  await visitor.leave();
});

/** What was counted holds for 15 minutes, and until something is changed. */
browserTest("broadcast_is_counted_again_before_a_start_by_an_old_check", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  await giveSamples(visitor);
  await visitor.followNothing();
  let [counts, starts, outdated] = [0, 0, false];
  await visitor.intercept("preflight_campaign", async (route) => {
    counts += 1;
    outdated = false;
    await route.fulfill({ status: 202, json: { ...preflight.operation, id: `op_${counts}` } });
  });
  await visitor.intercept("get_campaign_preflight", (route) => route.fulfill({ json: { ...preflight, outdated, operation: { ...preflight.operation, finished_at: new Date().toISOString() } } }));
  await visitor.intercept("start_campaign", async (route) => {
    starts += 1;
    await route.fulfill({ json: { ...campaign, state: "scheduled" } });
  });
  await visitor.open(at("cmp_sample/check"));
  const start = await checked(visitor);
  assert.match(plain(await start.innerText()), /^Send to 1,143 people for at least \$34\.51$/);
  outdated = true;
  await start.click();
  // It stays beside the new numbers.
  await until("second count", () => Promise.resolve(counts === 2));
  await visitor.settle();
  await visitor.page.getByText("it is counted again", { exact: false }).waitFor();
  assert.deepEqual([counts, starts], [2, 0]);
  await (await checked(visitor)).click();
  await visitor.page.waitForURL(/\?counted=1200$/);
  assert.deepEqual([counts, starts], [2, 1]);
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("broadcast_that_paused_itself_leads_to_its_remedy", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  await giveSamples(visitor);
  await visitor.followNothing();
  const stopped = { code: "cap_reached", facts: { cap: "day.tenant.any" }, detail: "the cap is reached" };
  await visitor.intercept("get_campaign", (route) => route.fulfill({ json: { ...campaign, state: "paused", recipients: 1199, stopped } }));
  await visitor.open(`${at("cmp_sample")}?counted=1200`);
  assert.match(plain(await visitor.see("difference").innerText()), /^One person has left/);
  const link = visitor.see("stopped").getByRole("link");
  assert.match((await link.getAttribute("href")) ?? "", /\/settings\/caps$/);
  await visitor.page.getByRole("button", { name: "Resume" }).waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});
