/** The list of the inbox, bulk changes, keys, and the contact beside a conversation. */
import assert from "node:assert/strict";
import type { Locator } from "playwright-core";
import { lengthen } from "./load.ts";
import { ask, browserTest, converse, DESK, logInOf, PHONE, plain, reach, stranger, tell, Visitor, type Listed } from "./support.ts";

function rowOf({ page }: Visitor, { id }: Listed): Locator {
  return page.locator(`[data-conversation="${id}"]`);
}

/** Lists can lag behind what is listed: they are opened until they have these. */
async function openWith(visitor: Visitor, address: string, all: Listed[]): Promise<void> {
  for (let look = 0; look < 30; look += 1) {
    await visitor.open(`/app/${logInOf("manager").tenant}/${address}`);
    if ((await Promise.all(all.map((one) => rowOf(visitor, one).count()))).every((count) => count === 1)) return;
    await visitor.page.waitForTimeout(500);
  }
  assert.fail(`${address} lacks a conversation`);
}

browserTest("search_and_filters_find_and_back_restores_them", async () => {
  const customer = stranger();
  const [one] = await converse(customer);
  assert.ok(one);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox?view=mine`);
  await page.getByRole("searchbox").fill(customer.slice(-7));
  await page.keyboard.press("Enter");
  await rowOf(visitor, one).waitFor();
  assert.equal(await page.locator("[data-conversation]").count(), 1);
  await page.locator("select[name=state]").selectOption("closed");
  await visitor.see("empty").waitFor();
  assert.match(await visitor.see("empty").innerText(), /Try another spelling, or fewer filters/);
  await page.goBack();
  await rowOf(visitor, one).getByRole("link").first().click();
  await page.waitForURL(/inbox\/conv_/);
  await page.goBack();
  await rowOf(visitor, one).waitFor();
  assert.equal(await page.getByRole("searchbox").inputValue(), customer.slice(-7));
  await page.goBack();
  await page.waitForURL(/inbox\?view=mine$/);
  visitor.expectQuiet();
  await visitor.leave();
});

/** Nothing is closed in which a colleague has changed something unseen. */
browserTest("bulk_close_leaves_what_changed_meanwhile_selected", async () => {
  const all = await converse(stranger(), stranger(), stranger());
  const [late] = all;
  assert.ok(late);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await openWith(visitor, "inbox?view=unassigned&unread=true", all);
  for (const one of all) await rowOf(visitor, one).getByRole("checkbox").check();
  await page.getByText(/3\D? of at most \D?20\D? selected/).waitFor();
  // The list does not have it yet.
  await visitor.intercept("list_conversations", (route) => route.abort());
  await ask(`conversations/${late.id}`, "PATCH", { priority: "high" });
  await page.getByLabel("What to do with them").selectOption("state closed");
  await page.getByRole("button", { name: "Apply" }).click();
  await visitor.see("theirs").waitFor();
  assert.match(plain(await visitor.see("bulk").innerText()), /1 of at most 20 selected[^]*something has happened meanwhile[^]*2 conversations changed/);
  assert.equal(await visitor.see("theirs").getByRole("link").getAttribute("href"), `/app/${logInOf("agent").tenant}/inbox/${late.id}`);
  assert.ok(await rowOf(visitor, late).getByRole("checkbox").isChecked());
  const states = async () => Promise.all(all.map(async ({ id }) => (await ask<{ state: string }>(`conversations/${id}`)).state));
  assert.deepEqual(await states(), ["open", "closed", "closed"]);
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("One conversation changed.").waitFor();
  assert.deepEqual(await states(), ["closed", "closed", "closed"]);
  visitor.complaints.length = 0;
  await visitor.leave();
});

browserTest("snoozed_conversation_returns_when_the_customer_writes", async () => {
  const customer = stranger();
  const [one] = await converse(customer);
  assert.ok(one);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${one.id}`);
  // The stack's clock may be ahead of the browser's.
  await page.getByText("Snooze", { exact: true }).click();
  await page.getByRole("button", { name: /^On Monday/ }).click();
  await page.getByText(/^Snoozed until \W?Mon/).waitFor();
  await page.getByRole("button", { name: "Open again" }).waitFor();
  await openWith(visitor, "inbox?state=snoozed", [one]);
  // Until another time, by the choice for several.
  await rowOf(visitor, one).getByRole("checkbox").check();
  await page.getByLabel("What to do with them").selectOption({ label: "Until a time that you choose" });
  await page.getByLabel("Until", { exact: true }).fill(`${new Date(Date.now() + 10 * 86_400_000).toISOString().slice(0, 10)}T08:30`);
  await page.getByRole("button", { name: "Apply" }).click();
  await page.getByText("One conversation changed.").waitFor();
  const until = Date.parse((await ask<{ snoozed_until: string }>(`conversations/${one.id}`)).snoozed_until);
  assert.ok(until - Date.now() > 8 * 86_400_000 && until % 3_600_000 === 1_800_000, new Date(until).toISOString());
  await rowOf(visitor, one).getByRole("link").first().click();
  await page.getByText(/^Snoozed until/).waitFor();
  await converse(customer);
  await page.getByText(/^Snoozed until/).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Set to pending" }).waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

/** What a colleague has changed meanwhile stays, and is shown. */
browserTest("contact_is_renamed_beside_the_conversation", async () => {
  const [one] = await converse(stranger());
  assert.ok(one);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${one.id}`);
  await page.getByRole("button", { name: "Change the contact" }).click();
  await page.getByLabel("Name", { exact: true }).fill("Layla Haddad");
  await ask(`contacts/${one.contact.id}`, "PATCH", { language: "ar" });
  await page.getByRole("button", { name: "Save" }).click();
  await visitor.see("theirs").waitFor();
  await page.getByRole("button", { name: "Save" }).last().click();
  await page.locator("h1", { hasText: "Layla Haddad" }).waitFor();
  assert.match(plain(await page.locator("aside").innerText()), /Layla Haddad[^]*Arabic/);
  const { name, language } = await ask<{ name: string; language: string }>(`contacts/${one.contact.id}`);
  assert.deepEqual([name, language], ["Layla Haddad", "ar"]);
  visitor.expectQuiet(412);
  await visitor.leave();
});

/** Letters act in the list and in the thread, and nowhere else. */
browserTest("inbox_by_keyboard_leads_on_assigns_and_closes", async () => {
  const all = await converse(stranger(), stranger());
  const [older, newer] = all;
  assert.ok(older && newer);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const { keyboard } = page;
  const focused = () => page.evaluate(() => document.activeElement?.closest<HTMLElement>("[data-conversation]")?.dataset.conversation);
  await openWith(visitor, "inbox?view=unassigned&unread=true", all);
  await keyboard.press("j");
  assert.equal(await focused(), undefined, "the title has the focus");
  await reach(visitor, /^Select /);
  const ids = await page.locator("[data-conversation]").evaluateAll((rows) => rows.map((row) => (row as HTMLElement).dataset.conversation));
  // As an Arabic keyboard writes it.
  await page.evaluate(() => document.activeElement?.dispatchEvent(new KeyboardEvent("keydown", { key: "ت", code: "KeyJ", bubbles: true })));
  assert.equal(await focused(), ids[1]);
  await keyboard.press("k");
  assert.equal(await focused(), ids[0]);
  await keyboard.press("?");
  await visitor.see("keys").getByRole("button").focus();
  await keyboard.press("Escape");
  while ((await focused()) !== older.id) await keyboard.press("j");
  await keyboard.press("Enter");
  await page.waitForURL(`**/inbox/${older.id}`);
  await page.locator(".thread:focus").waitFor();
  await keyboard.press("m");
  await page.locator("select[name=assignee_id] option:checked", { hasText: "you" }).waitFor({ state: "attached" });
  await keyboard.press("e");
  await page.getByRole("button", { name: "Open again" }).waitFor();
  await keyboard.press("Escape");
  await page.waitForURL(/inbox\?view=unassigned/);
  await rowOf(visitor, older).waitFor({ state: "detached" });
  await page.locator("[data-conversation] :focus").waitFor();
  await keyboard.press("/");
  await keyboard.type("jem?");
  assert.equal(await page.getByRole("searchbox").inputValue(), "jem?");
  const { state, assignee_id } = await ask<{ state: string; assignee_id: string | null }>(`conversations/${older.id}`);
  assert.ok(state === "closed" && assignee_id);
  assert.equal((await ask<{ state: string }>(`conversations/${newer.id}`)).state, "open");
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("inbox_by_touch_assigns_and_closes", async () => {
  const all = await converse(stranger());
  const [one] = all;
  assert.ok(one);
  const visitor = await Visitor.logIn("agent", PHONE);
  const { page } = visitor;
  await openWith(visitor, "inbox?view=unassigned&unread=true", all);
  await visitor.tap(rowOf(visitor, one).getByRole("checkbox"));
  await page.getByLabel("ماذا يُفعل بها").selectOption({ label: "أتولاها" });
  await visitor.tap(page.getByRole("button", { name: "تطبيق" }));
  await page.getByText("تغيرت محادثة واحدة.").waitFor();
  await openWith(visitor, "inbox?view=mine", all);
  await visitor.tap(rowOf(visitor, one).getByRole("link").first());
  await visitor.tap(page.getByRole("button", { name: "الملف الشخصي" }));
  await visitor.see("sheet").locator(".phone").waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await visitor.tap(visitor.see("sheet").getByRole("button").last());
  await visitor.tap(page.getByRole("button", { name: "إغلاق", exact: true }));
  await page.getByRole("button", { name: "فتح من جديد" }).waitFor();
  const { state, assignee_id } = await ask<{ state: string; assignee_id: string | null }>(`conversations/${one.id}`);
  assert.ok(state === "closed" && assignee_id);
  visitor.expectQuiet();
  await visitor.leave();
});

/** Whoever goes back in it finds what they looked at where it was, and what comes meanwhile moves nothing. */
browserTest("long_thread_goes_back_and_forward", async () => {
  const customer = stranger();
  const [one] = await converse(customer);
  assert.ok(one);
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await lengthen(visitor, one, 330);
  await visitor.open(`/app/${logInOf("agent").tenant}/inbox/${one.id}`);
  const first = page.locator(".thread li").first();
  const ends = page.locator(".thread li").last();
  const said = async (entry: Locator) => Number(/Message (\d+):/.exec(await entry.innerText())?.[1] ?? -1);
  const turn = async (name: string, kept: Locator) => {
    await page.getByRole("button", { name, exact: true }).scrollIntoViewIfNeeded();
    const entry = await kept.elementHandle();
    const before = await entry?.boundingBox();
    const other = await said(name === "Older" ? first : ends);
    const isFull = await page.locator(".thread").evaluate(({ clientHeight, scrollHeight }) => scrollHeight > clientHeight);
    await page.getByRole("button", { name, exact: true }).click();
    for (const until = Date.now() + 20_000; (await said(name === "Older" ? first : ends)) === other; ) assert.ok(Date.now() < until, `${name} draws nothing`);
    await visitor.settle();
    const after = await entry?.boundingBox();
    if (name !== "Newest" && isFull) assert.ok(Math.abs((before?.y ?? 0) - (after?.y ?? 1000)) < 3, `${name} moves what is seen from ${before?.y} to ${after?.y}`);
  };
  for (let n = 0; n < 5; n += 1) await turn("Older", first);
  assert.equal(await page.locator(".thread li").count(), 200);
  // The end is not drawn any more, so what comes is not seen.
  const shown = [await said(first), await said(ends)];
  // Events of what was written before may still come, and make the page read, too.
  const reading = page.waitForResponse(async (answer) => answer.url().includes("/timeline?") && (await answer.text()).includes("Still there?"));
  await tell("/replies", { tenant: logInOf("agent").tenant, from: customer, channel: "whatsapp", text: "Still there?", wait: true });
  await reading;
  await visitor.settle();
  assert.deepEqual([await said(first), await said(ends)], shown);
  assert.equal((await ask<{ unread: number }>(`conversations/${one.id}`)).unread, 1);
  await turn("Newer", ends);
  await turn("Newest", ends);
  assert.match(await ends.innerText(), /Still there\?/);
  await page.waitForFunction(() => document.querySelectorAll(".thread li").length === 200);
  visitor.expectQuiet();
  await visitor.leave();
});
