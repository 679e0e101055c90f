/** Drips: built, started and entered as people do it, and changed by two at once. */
import assert from "node:assert/strict";
import { addContact, ask, browserTest, DESK, logInOf, PHONE, plain, reach, stranger, Visitor } from "./support.ts";

const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/campaigns${page}`;

interface Enrolled {
  status: string;
  steps_version: number;
}

const message = (name: string, text: string) => ({ name, does: { type: "message", message: { channels: ["sms"], category: "marketing", sms_text: `${text} Reply STOP for no more messages.` } } });
const wait = (name: string) => ({ name, does: { type: "wait", wait: { until: "passed", days: 1 } } });
const namesOf = async (id: string) => (await ask<{ steps: { name: string }[] }>(`campaigns/${id}/steps`)).steps.map(({ name }) => name);

async function drip(name: string, ...steps: object[]): Promise<string> {
  const { id } = await ask<{ id: string }>("campaigns", "POST", { type: "drip", name });
  await ask(`campaigns/${id}/steps`, "POST", { steps });
  return id;
}

browserTest("drip_is_built_started_and_entered_by_keyboard", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const { keyboard } = page;
  const mark = stranger().slice(-6);
  const contact = await addContact(`Guest ${mark}`);
  await visitor.open(at("?type=drip"));
  await reach(visitor, "New drip");
  await keyboard.press("Enter");
  await page.waitForURL("**/campaigns/new?type=drip");
  await visitor.settle();
  await reach(visitor, "Name");
  await keyboard.type(`Welcome ${mark}`);
  await keyboard.press("Enter");
  await page.waitForURL("**/steps");
  await visitor.settle();
  const id = /cmp_\w+/.exec(page.url())?.[0] ?? "";
  for (const kind of ["Message", "Wait", "Message"]) {
    await reach(visitor, "Next step");
    await keyboard.type(kind);
    await reach(visitor, "Add it");
    await keyboard.press("Enter");
    // The new step has the focus once it is drawn.
    await page.waitForFunction(() => document.activeElement?.matches("li:last-child input"));
    if (kind === "Wait") continue;
    await reach(visitor, "By");
    await keyboard.press("End");
    await reach(visitor, /^Text of the SMS/);
    await keyboard.type(`{{tenant.name}}: cake ${mark}. Reply STOP for no more messages.`);
  }
  const up = "Move “Message 2” up";
  await reach(visitor, up, "Shift+Tab");
  await keyboard.press("Enter");
  await page.getByText(/Message 2\W*: place \W*2\W* of/).waitFor({ state: "attached" });
  assert.equal(plain(await page.evaluate(() => document.activeElement?.textContent ?? "")), up, "the focus has left the button");
  await reach(visitor, "Move “Message 2” down");
  await keyboard.press("Enter");
  await reach(visitor, "Save");
  await keyboard.press("Enter");
  await page.getByText("Saved", { exact: true }).waitFor();
  assert.deepEqual(await namesOf(id), ["Message", "Wait", "Message 2"]);
  await visitor.open(at(`/${id}/drip`));
  await reach(visitor, "Start");
  await keyboard.press("Enter");
  await reach(visitor, `Start Welcome ${mark}`);
  await keyboard.press("Enter");
  await page.locator("[data-testid=state][data-state=running]").waitFor();
  await reach(visitor, "People");
  await keyboard.press("Enter");
  await page.waitForURL("**/people");
  await visitor.settle();
  await reach(visitor, "Search");
  await keyboard.type(`Guest ${mark}`);
  await keyboard.press("Enter");
  await page.waitForURL(/q=/);
  await visitor.settle();
  await reach(visitor, `Enrol Guest ${mark}`);
  await keyboard.press("Enter");
  await visitor.see("enrolment").getByText(`Guest ${mark}`, { exact: true }).waitFor();
  assert.equal((await ask<Enrolled>(`contacts/${contact}/campaigns/${id}`)).status, "active");
  visitor.expectQuiet();
  await visitor.leave();
});

/** The contact's page names other drips, too, in which the person is not. */
browserTest("drip_is_reordered_and_left_by_touch_in_arabic", async () => {
  const visitor = await Visitor.logIn("manager", PHONE);
  const { page } = visitor;
  const mark = stranger().slice(-6);
  const id = await drip(`Touch ${mark}`, wait("second"), message("first", "Tea."));
  const contact = await addContact(`Touch ${mark}`);
  await visitor.open(at(`/${id}/steps`));
  await visitor.tap(page.getByRole("button", { name: /تقديم .*first/ }));
  await visitor.tap(page.getByRole("button", { name: "حفظ", exact: true }));
  await page.getByText("تم الحفظ").waitFor();
  assert.deepEqual(await namesOf(id), ["first", "second"]);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await ask(`campaigns/${id}/start`, "POST", {});
  await visitor.open(at(`/${id}/drip`));
  await page.locator("[data-testid=state][data-state=running]").waitFor();
  await ask(`contacts/${contact}/campaigns/${id}/enroll`, "POST", {});
  await visitor.open(`/app/${tenant}/contacts/${contact}`);
  await visitor.tap(page.getByText("سلاسل الرسائل"));
  await visitor.tap(visitor.see("enrolment").getByRole("button", { name: /^إخراج/ }));
  await visitor.tap(page.getByRole("dialog").getByRole("button", { name: /^إخراج/ }));
  await visitor.see("enrolment").getByText("خرج").waitFor();
  assert.equal((await ask<Enrolled>(`contacts/${contact}/campaigns/${id}`)).status, "exited");
  visitor.expectQuiet(404);
  await visitor.leave();
});

browserTest("drip_changed_by_a_colleague_shows_both_versions", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const mark = stranger().slice(-6);
  const id = await drip(`Both ${mark}`, message("ours", "Ours."));
  const save = page.getByRole("button", { name: "Save", exact: true });
  await visitor.open(at(`/${id}/steps`));
  await ask(`campaigns/${id}/steps`, "POST", { steps: [message("theirs", "Theirs.")] });
  await page.locator("summary").click();
  await page.locator("textarea").first().fill("Mine. Reply STOP for no more messages.");
  await save.click();
  assert.match(await visitor.see("theirs").innerText(), /Mine\.[^]*Theirs\./);
  await save.click();
  await page.getByText("Saved", { exact: true }).waitFor();
  assert.deepEqual(await namesOf(id), ["ours"]);
  await visitor.open(at(`/${id}/entry`));
  await ask(`campaigns/${id}`, "PATCH", { triggers: { new_contact: true } });
  await page.getByLabel("Name").fill(`Mine ${mark}`);
  await save.click();
  await visitor.see("theirs").getByText("new contacts").waitFor();
  await save.click();
  await page.waitForURL("**/drip");
  const { name, triggers } = await ask<{ name: string; triggers: { new_contact: boolean } }>(`campaigns/${id}`);
  assert.deepEqual([name, triggers.new_contact], [`Mine ${mark}`, true]);
  visitor.expectQuiet(412);
  await visitor.leave();
});
