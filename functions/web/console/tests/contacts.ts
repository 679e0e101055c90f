/** Contacts as leads, their merges, consent and erasure. */
import assert from "node:assert/strict";
import { ask, browserTest, call, converse, DESK, logInOf, PHONE, plain, reach, stranger, Visitor } from "./support.ts";

interface Contact {
  id: string;
  name: string;
  source: string | null;
}

const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/contacts${page}`;

function create(name: string, phone: string): Promise<Contact> {
  return ask("contacts", "POST", { name, phones: [phone] });
}

browserTest("lead_by_keyboard_is_created_listed_and_changed_by_two", async () => {
  const mark = stranger().slice(-6);
  await ask("stages", "POST", { name: `Quote ${mark}`, position: 1, kind: "open" });
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const { keyboard } = page;
  const type = async (field: RegExp | string, text: string) => {
    await reach(visitor, field);
    await keyboard.type(text);
  };
  await visitor.open(at(""));
  await reach(visitor, "New contact");
  await keyboard.press("Enter");
  await page.waitForURL("**/contacts/new");
  await visitor.settle();
  await type("Name", `Layla ${mark}`);
  await type("Telephone", `050 1${mark}, +44 20 7946 0${mark.slice(-3)}`);
  await type("E-mail", `layla-${mark}@example.com`);
  await type("Stage", `Quote ${mark}`);
  await type("Source", "Fair");
  await keyboard.press("Enter");
  await page.waitForURL(/\/contacts\/ctc_/);
  await page.locator("dd", { hasText: `Quote ${mark}` }).waitFor();
  const id = page.url().split("/").at(-1) ?? "";
  const read = () => ask<Contact & { phones: string[]; emails: string[] }>(`contacts/${id}`);
  const { phones, emails } = await read();
  assert.deepEqual([phones, emails], [[`+971501${mark}`, `+442079460${mark.slice(-3)}`], [`layla-${mark}@example.com`]]);

  await reach(visitor, "Change the contact");
  await keyboard.press("Enter");
  await page.waitForURL("**/change");
  await visitor.settle();
  await reach(visitor, "Name");
  await keyboard.press("End");
  await keyboard.type(" Haddad");
  await ask(`contacts/${id}`, "PATCH", { source: "Web form" });
  await keyboard.press("Enter");
  await visitor.see("theirs").waitFor();
  assert.match(plain(await visitor.see("theirs").getByRole("row", { name: "Source" }).innerText()), /Fair\s+Web form/);
  await reach(visitor, "Save");
  await keyboard.press("Enter");
  await page.locator("h1", { hasText: `Layla ${mark} Haddad` }).waitFor();
  assert.deepEqual((({ name, source }) => [name, source])(await read()), [`Layla ${mark} Haddad`, "Web form"]);

  await visitor.open(at(""));
  await page.getByLabel("Stage").selectOption({ label: `Quote ${mark}` });
  await visitor.settle();
  assert.match(plain(await page.locator(".rows tbody").innerText()), new RegExp(`^Layla ${mark} Haddad`));
  assert.equal(await page.locator(".rows tbody tr").count(), 1);
  // A number that another contact has leads to it, and the input stays.
  await visitor.open(at("/new"));
  await page.locator("[name=phones]").fill(`+971501${mark}`);
  await page.getByRole("button", { name: "Create the contact" }).click();
  const found = page.waitForEvent("popup");
  await page.getByRole("link", { name: /^Find the contact/ }).click();
  await (await found).getByRole("link", { name: `Layla ${mark} Haddad` }).waitFor();
  assert.equal(await page.locator("[name=phones]").inputValue(), `+971501${mark}`);
  visitor.expectQuiet(409, 412);
  await visitor.leave();
});

browserTest("two_contacts_are_merged_and_parted_again", async () => {
  const phone = stranger();
  const mark = phone.slice(-6);
  const [one, other] = [await create(`Sara ${mark}`, phone), await create(`Sara ${mark}`, `+9714${phone.slice(-7)}`)];
  await ask(`contacts/${one.id}`, "PATCH", { source: "Fair" });
  await ask(`contacts/${other.id}`, "PATCH", { source: "Web form", emails: [`sara-${mark}@example.com`] });
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  await visitor.open(at(`/${one.id}`));
  await page.getByRole("link", { name: "Is this contact there twice?" }).click();
  await visitor.see("duplicates").getByText("the same name, and a similar number").waitFor();
  await visitor.see("duplicates").getByRole("link", { name: /^Compare/ }).click();
  const row = async (field: string) => plain(await visitor.see("preview").locator(`[data-field=${field}]`).innerText());
  assert.match(await row("source"), /this contact’s stays\s+Fair\s+Web form\s+Fair/);
  assert.match(await row("emails"), /E-mail\s+–\s+(sara-\S+)\s+\1/);
  await page.getByRole("button", { name: "Merge" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Merge" }).click();
  await page.locator("dd", { hasText: `sara-${mark}` }).waitFor();
  // The other one's page leads to the one that goes on.
  await visitor.open(at(`/${other.id}`));
  await page.waitForURL(`**/contacts/${one.id}`);
  await page.getByRole("button", { name: "Undo the merge" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Undo the merge" }).click();
  await page.getByText("The merge was undone.").waitFor();
  await page.locator("dd", { hasText: `sara-${mark}` }).waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Open the contact" }).click();
  await page.locator("dd", { hasText: `sara-${mark}` }).waitFor();
  visitor.expectQuiet(404);
  await visitor.leave();
});

browserTest("consent_by_touch_in_arabic_is_recorded_and_proven", async () => {
  const mark = stranger().slice(-6);
  const { id } = await create(`Omar ${mark}`, stranger());
  const visitor = await Visitor.logIn("agent", PHONE);
  const { page } = visitor;
  await visitor.open(at(`/${id}`));
  await visitor.tap(page.getByRole("link", { name: "الموافقة", exact: true }));
  await page.waitForURL("**/consent");
  await page.locator("[name='wording.text']").fill("أوافق على تلقي العروض عبر واتساب.");
  await page.locator("[name=channel]").selectOption("whatsapp");
  await visitor.tap(page.getByRole("button", { name: "تسجيل رغبة" }));
  await page.locator("[name='wording.version'][aria-invalid=true]").waitFor();
  await page.locator("[name='wording.version']").fill("2026-11");
  await page.locator("[name=evidence]").fill(`Form ${mark}`);
  await visitor.tap(page.getByRole("button", { name: "تسجيل رغبة" }));
  await visitor.see("wishes").locator("li", { hasText: "عبر واتساب" }).waitFor();
  assert.match(plain(await visitor.see("wishes").innerText()), /وافق على الرسائل التسويقية عبر واتساب/);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await visitor.tap(page.getByRole("link", { name: "إثبات الموافقة" }));
  await visitor.see("proof").getByText(`Form ${mark}`).waitFor();
  assert.match(await visitor.see("entry").innerText(), /أوافق على تلقي العروض/);
  await page.emulateMedia({ media: "print" });
  assert.deepEqual([await page.locator(".frame > header").isVisible(), await visitor.see("proof").isVisible()], [false, true]);
  visitor.expectQuiet(422);
  await visitor.leave();
});

browserTest("contact_is_restored_and_then_erased_from_every_screen", async () => {
  const phone = stranger();
  const name = `Zubaida ${phone.slice(-6)}`;
  await call(phone, "missed");
  const [one] = await converse(phone);
  assert.ok(one);
  await ask(`contacts/${one.contact.id}`, "PATCH", { name });
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const pages = ["contacts", `contacts?q=${encodeURIComponent(name)}`, "calls", `calls?q=${encodeURIComponent(phone)}`, "inbox", `inbox/${one.id}`, "messages", "contacts?show=deleted"];
  const seen = async () => {
    const found: string[] = [];
    for (const path of pages) {
      await visitor.move(`/app/${tenant}/${path}`);
      if ((await page.locator("#app").innerText()).includes(name)) found.push(path);
    }
    return found;
  };
  await visitor.open(at(`/${one.contact.id}`));
  assert.deepEqual(await seen(), pages.slice(0, -1));
  await visitor.move(at(`/${one.contact.id}`));
  await page.locator("summary", { hasText: "All data of this contact" }).click();
  await page.getByRole("button", { name: "Delete the contact" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Delete / }).click();
  await page.waitForURL("**/contacts");
  await visitor.move(at("?show=deleted"));
  await visitor.see("deleted").filter({ hasText: name }).getByRole("button", { name: "Restore" }).click();
  await page.locator("h1", { hasText: name }).waitFor();
  await page.locator("summary", { hasText: "All data of this contact" }).click();
  await page.getByRole("button", { name: "Erase for good" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("textbox").fill("Zubaida");
  await page.keyboard.press("Enter");
  assert.equal(await dialog.getByRole("button", { name: "Erase for good" }).getAttribute("aria-disabled"), "true");
  await dialog.getByRole("textbox").fill(name);
  await page.keyboard.press("Enter");
  await page.locator("[data-testid=erasure][data-state=done]").waitFor();
  assert.deepEqual(await seen(), []);
  visitor.expectQuiet(404);
  await visitor.leave();
});
