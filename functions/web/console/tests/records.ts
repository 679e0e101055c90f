/** Settings of the team: what is created there works elsewhere, and nobody overwrites what a colleague has saved. */
import assert from "node:assert/strict";
import { ask, browserTest, DESK, logInOf, PHONE, plain, stack, stranger, tell, until, Visitor } from "./support.ts";

interface Conversation {
  id: string;
  team_id: string | null;
}

const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/settings/${page}`;

/** A customer writes, and their conversation is listed. */
async function write(from: string): Promise<Conversation> {
  await tell("/replies", { tenant, from, channel: "whatsapp", text: "Where can I park?", wait: true });
  return until("conversation", async () => {
    const [person] = (await ask<{ items: { id: string }[] }>(`contacts?phone=${encodeURIComponent(from)}`)).items;
    return person && (await ask<{ items: Conversation[] }>(`conversations?contact=${person.id}`)).items[0];
  });
}

async function press({ page }: Visitor, name: string | RegExp): Promise<void> {
  await page.getByRole("button", { name, exact: typeof name === "string" }).click();
}

/** Deletes what is open, and sees that its list lacks it. */
async function remove(visitor: Visitor, button: string, name: string, list: string): Promise<void> {
  await press(visitor, button);
  await visitor.page.getByRole("dialog").getByRole("button", { name: new RegExp(`^Delete .?${name}`) }).click();
  await visitor.page.waitForURL(`**/settings/${list}`);
  await visitor.settle();
  assert.equal(await visitor.page.getByRole("link", { name }).count(), 0);
}

browserTest("canned_reply_is_created_and_put_in_by_its_name", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const customer = stranger();
  const name = `Behind${customer.slice(-6)}`;
  await visitor.open(at("canned-replies"));
  await page.getByRole("link", { name: "New canned reply" }).click();
  const text = page.locator("textarea").first();
  await page.getByLabel("Name", { exact: true }).fill(name);
  await text.fill("Hello {{contact.firstname}}");
  await visitor.see("unknown").getByText("contact.first_name").waitFor();
  await press(visitor, "Create");
  await page.locator("textarea[aria-invalid=true]").waitFor();
  assert.ok(await text.evaluate((area) => area === document.activeElement));
  await text.fill("We are behind ");
  await page.locator("summary").click();
  await press(visitor, "Name of the business");
  assert.equal(await text.inputValue(), "We are behind {{tenant.name}}");
  await press(visitor, "Create");
  await page.getByRole("link", { name }).waitFor();

  await visitor.open(`/app/${tenant}/inbox/${(await write(customer)).id}`);
  await page.getByLabel("Text of the reply").pressSequentially(`/${name.toLowerCase()}`);
  await page.getByRole("option", { name }).waitFor();
  await page.keyboard.press("Enter");
  assert.match(plain(await page.getByLabel("Text of the reply").inputValue()), /^We are behind (?!\{\{)./);
  await page.getByLabel("Text of the reply").fill("");

  await visitor.open(at("canned-replies"));
  await page.getByRole("link", { name }).click();
  await remove(visitor, "Delete the canned reply", name, "canned-replies");
  visitor.expectQuiet(404, 422);
  await visitor.leave();
});

/** One gives it another name while the other, in another tab, gives it another text. */
browserTest("record_keeps_what_two_tabs_have_changed", async () => {
  const mark = stranger().slice(-6);
  const { id } = await ask<{ id: string }>("canned-replies", "POST", { name: `Hours${mark}`, text: "We open at 9." });
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  await visitor.open(at(`canned-replies/${id}`));
  const other = await visitor.context.newPage();
  await other.goto(at(`canned-replies/${id}`));
  await other.getByLabel("Name", { exact: true }).fill(`Opening${mark}`);
  await other.getByRole("button", { name: "Save" }).click();
  await other.getByText("Saved", { exact: true }).waitFor();
  await page.locator("textarea").first().fill("We open at 10.");
  await press(visitor, "Save");
  assert.match(plain(await visitor.see("theirs").getByRole("row", { name: "Name" }).innerText()), new RegExp(`Hours${mark}\\s+Opening${mark}`));
  assert.equal(await page.locator("textarea").first().inputValue(), "We open at 10.");
  await press(visitor, "Save");
  await page.getByText("Saved", { exact: true }).waitFor();
  const kept = await ask<{ name: string; text: string }>(`canned-replies/${id}`);
  assert.deepEqual([kept.name, kept.text], [`Opening${mark}`, "We open at 10."]);
  await remove(visitor, "Delete the canned reply", `Opening${mark}`, "canned-replies");
  visitor.expectQuiet(412);
  await visitor.leave();
});

/** At 360 px, by touch. */
browserTest("team_gets_new_conversations_and_leaves_them_when_deleted", async () => {
  const visitor = await Visitor.logIn("manager", { ...PHONE, language: "en" });
  const { page } = visitor;
  const name = `Orders${stranger().slice(-6)}`;
  const people = await ask<{ items: { id: string; name: string; email: string }[] }>("users?limit=100");
  const agent = people.items.find(({ email }) => email === logInOf("agent").email);
  assert.ok(agent);
  await visitor.open(at("teams"));
  await visitor.tap(page.getByRole("link", { name: "New team" }));
  await page.getByLabel("Name", { exact: true }).fill(name);
  await visitor.tap(page.getByRole("group", { name: "Members" }).getByText(agent.name));
  await page.getByLabel("Who gets a new conversation").selectOption("in_turn");
  await page.getByLabel("At most so many").fill("500");
  await visitor.tap(page.getByRole("button", { name: "Create" }));
  await page.locator("[name=max_open][aria-invalid=true]").waitFor();
  await page.getByLabel("At most so many").fill("100");
  await visitor.tap(page.getByRole("button", { name: "Create" }));
  await page.getByRole("link", { name }).waitFor();
  const team = (await ask<{ items: { id: string; name: string; members: string[] }[] }>("teams?limit=100")).items.find((one) => one.name === name);
  assert.deepEqual(team?.members, [agent.id]);

  const { id } = await write(stranger());
  const read = () => ask<Conversation & { assignee_id: string | null }>(`conversations/${id}`);
  const given = await until("assignment", async () => {
    const found = await read();
    return found.assignee_id !== null && found;
  });
  assert.deepEqual([given.team_id, given.assignee_id], [team?.id, agent.id]);
  await visitor.tap(page.getByRole("link", { name }));
  await remove(visitor, "Delete the team", name, "teams");
  assert.equal((await read()).assignee_id, agent.id);
  visitor.expectQuiet(422);
  await visitor.leave();
});

browserTest("api_key_is_shown_once_rotated_and_refused_once_deleted", async () => {
  const visitor = await Visitor.logIn("admin", DESK);
  const { page } = visitor;
  const name = `Till${stranger().slice(-6)}`;
  const answerTo = async (key: string, path = "contacts") => (await fetch(`${stack}/api/v1/${path}`, { headers: { "x-api-key": key } })).status;
  await visitor.open(at("api-keys/new"));
  await page.getByLabel("Name", { exact: true }).fill(name);
  await page.getByLabel("Only what is chosen").check();
  // One that may nothing would be one that may all.
  await press(visitor, "Create");
  await page.getByText("This is required.").waitFor();
  await visitor.see("scopes").getByRole("group", { name: "Contacts", exact: true }).getByLabel("see", { exact: true }).check();
  await press(visitor, "Create");
  const first = await visitor.see("key").innerText();
  assert.deepEqual([await answerTo(first), await answerTo(first, "calls")], [200, 403]);
  // Whoever leaves loses it, unless it is copied.
  const asked: string[] = [];
  page.once("dialog", (dialog) => {
    asked.push(dialog.message());
    void dialog.dismiss();
  });
  await page.getByRole("link", { name: "Keys for other software" }).click();
  assert.match(asked.join(), /^Leave the page\? The new key is not copied/);
  assert.equal(await visitor.see("key").innerText(), first);
  await visitor.see("key").dispatchEvent("copy");
  await page.getByRole("link", { name: "Keys for other software" }).click();
  await page.getByRole("link", { name }).click();
  assert.equal(await visitor.see("key").count(), 0);
  assert.ok(await visitor.see("scopes").getByRole("group", { name: "Contacts", exact: true }).getByLabel("see", { exact: true }).isChecked());
  await page.locator("summary").click();
  await press(visitor, "Make a new key");
  const second = await visitor.see("key").innerText();
  assert.notEqual(second, first);
  assert.deepEqual([await answerTo(first), await answerTo(second)], [200, 200]);
  await page.getByText(/^works until/).waitFor();
  // What was changed beside the form is no conflict.
  await page.getByLabel("Last day").fill(new Date(Date.now() + 7 * 86_400_000).toISOString().slice(0, 10));
  await press(visitor, "Save");
  await page.getByText("Saved", { exact: true }).waitFor();
  // Another one would take its place, which is not copied.
  await press(visitor, "Make a new key");
  const question = page.getByRole("dialog");
  assert.match(await question.innerText(), /The new key above is not copied/);
  assert.equal(await visitor.see("key").innerText(), second);
  await page.keyboard.press("Escape");
  await visitor.see("key").dispatchEvent("copy");
  await page.getByLabel("The old one works for").selectOption("0");
  await press(visitor, "Make a new key");
  assert.doesNotMatch(await question.innerText(), /not copied/);
  await question.getByRole("button", { name: "Make a new key" }).click();
  await page.waitForFunction((known) => document.querySelector("[data-testid=key]")?.textContent !== known, second);
  const third = await visitor.see("key").innerText();
  assert.deepEqual([await answerTo(first), await answerTo(second), await answerTo(third)], [401, 401, 200]);
  await remove(visitor, "Delete the key", name, "api-keys");
  assert.equal(await answerTo(third), 401);
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("inbox_settings_are_saved_and_a_backfill_shows_its_end", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const minutes = page.getByLabel("Minutes until people get a mail");
  const days = page.getByLabel("Days without anything new");
  await visitor.open(at("inbox"));
  const before = await minutes.inputValue();
  for (const [mail, closing] of [["45", "30"], [before, ""]] as const) {
    await minutes.fill(mail);
    await days.fill(closing);
    await press(visitor, "Save");
    await page.getByText("Saved", { exact: true }).waitFor();
    const { inbox } = await ask<{ inbox: { notify_after_minutes: number; close_after_days?: number | null } }>("tenant");
    assert.deepEqual([inbox.notify_after_minutes, inbox.close_after_days ?? null], [Number(mail), closing ? Number(closing) : null]);
  }
  const begun = page.waitForResponse((answer) => answer.url().endsWith("/conversations/backfill"));
  await press(visitor, "Make conversations");
  const { id } = (await (await begun).json()) as { id: string };
  await page.locator(`[data-operation="${id}"][data-state=done]`).waitFor();
  const said = await visitor.see("backfill").innerText();
  // Whoever comes back finds it.
  await visitor.open(at("inbox"));
  assert.equal(await visitor.see("backfill").innerText(), said);
  visitor.expectQuiet();
  await visitor.leave();
});

/** In Arabic at 360 px, and then by keyboard. */
browserTest("availability_is_said_in_the_menu_of_the_account", async () => {
  const agent = await Visitor.logIn("agent", PHONE);
  const { page } = agent;
  const saying = () => page.waitForResponse((answer) => answer.request().method() === "PUT" && answer.ok());
  await agent.open(`/app/${tenant}`);
  await agent.tap(page.locator("header button[popovertarget]").last());
  const choice = page.getByRole("switch");
  await choice.waitFor();
  assert.equal(await choice.isChecked(), true);
  let said = saying();
  await agent.tap(choice);
  const { user_id, available } = (await (await said).json()) as { user_id: string; available: boolean };
  assert.equal(available, false);
  await page.getByRole("button", { name: "تسليم" }).waitFor();
  const listed = (await ask<{ items: { user_id: string; available: boolean }[] }>("users/availability?limit=100")).items;
  assert.equal(listed.find((one) => one.user_id === user_id)?.available, false);
  await agent.open(`/app/${tenant}/calls`);
  await page.locator("header button[popovertarget]").last().focus();
  await page.keyboard.press("Enter");
  await choice.waitFor();
  assert.equal(await choice.isChecked(), false);
  said = saying();
  await choice.focus();
  await page.keyboard.press("Space");
  await said;
  agent.expectQuiet();
  await agent.leave();
  // Who only reads has nothing to say there.
  const viewer = await Visitor.logIn("viewer", DESK);
  await viewer.open(`/app/${tenant}`);
  await viewer.page.locator("header button[popovertarget]").last().click();
  await viewer.settle();
  assert.equal(await viewer.page.getByRole("switch").count(), 0);
  await viewer.leave();
});

/** What is made in the settings is there where it is needed: a product's values in a message, a refusal before there is a contact. */
browserTest("records_of_the_business_are_made_and_work", async () => {
  const visitor = await Visitor.logIn("manager", { ...PHONE, language: "en" });
  const { page } = visitor;
  const phone = stranger();
  const mark = phone.slice(-6);
  await visitor.open(at("products/new"));
  await page.getByLabel("Name", { exact: true }).fill(`Cake ${mark}`);
  await page.getByLabel("Article number").fill(`cake-${mark}`);
  await page.getByLabel("Price", { exact: true }).fill("1,500");
  await page.getByLabel("Currency").selectOption("USD");
  await visitor.tap(page.getByRole("button", { name: "Add a variant" }));
  await page.getByLabel("Choices").fill("large");
  await visitor.tap(page.getByRole("button", { name: "Create" }));
  // Both faults, neither of which was sent.
  assert.equal(await page.locator("[aria-invalid=true]").count(), 2);
  await page.getByLabel("Price", { exact: true }).first().fill("1,500.00");
  await page.getByLabel("Choices").fill("size: L, colour: white");
  await visitor.tap(page.getByRole("button", { name: "Create" }));
  await page.getByRole("link", { name: `Cake ${mark}` }).waitFor();
  const made = (await ask<{ items: { name: string; price: object; variants: object[] }[] }>("products?limit=100")).items.find(({ name }) => name === `Cake ${mark}`);
  assert.deepEqual([made?.price, made?.variants], [{ amount: 150_000, currency: "USD" }, [{ options: { size: "L", colour: "white" }, availability: "in_stock" }]]);

  await visitor.open(at("fields/new"));
  await page.getByLabel("Name", { exact: true }).fill(`Loyalty ${mark}`);
  assert.equal(await page.getByLabel("Short name").inputValue(), `loyalty_${mark}`);
  await page.getByLabel("What it holds").selectOption("choice");
  await page.getByLabel("Choices").fill("Silver\nGold\n");
  await visitor.tap(page.getByRole("button", { name: "Create" }));
  await visitor.tap(page.getByRole("link", { name: `Loyalty ${mark}` }));
  assert.equal(await page.getByLabel("Choices").inputValue(), "Silver\nGold");
  await remove(visitor, "Delete the field", `Loyalty ${mark}`, "fields");

  await visitor.open(at("suppressions"));
  await page.getByLabel("Number or e-mail address").fill(phone.replace(/^(\+\d{3})(\d{2})/, "$1 $2 "));
  await visitor.tap(page.getByRole("button", { name: "Add", exact: true }));
  await page.getByText("gets no messages any more").waitFor();
  const { id } = await ask<{ id: string }>("contacts", "POST", { phones: [phone] });
  const { opted_out } = await ask<{ opted_out: object | null }>(`contacts/${id}`);
  assert.ok(opted_out);
  visitor.expectQuiet(404, 422);
  await visitor.leave();
});
