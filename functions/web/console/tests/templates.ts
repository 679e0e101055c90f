/** Templates from their draft to an automation, and files on their way to the bucket. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { ask, browserTest, DESK, logInOf, PHONE, plain, reach, stranger, tell, Visitor } from "./support.ts";

const PATIENCE = 240_000;
const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/settings/${page}`;
const content = { category: "utility", body: "Hello {{1}}, your order is ready to be collected.", samples: { 1: "Maya" } };
const PICTURE = readFileSync("../../../infra/simulators/src/samples/photo.jpg");

interface Template {
  id: string;
  status: string;
}

async function draft(): Promise<Template & { name: string }> {
  const name = `order_${stranger().slice(-7)}`;
  return { name, ...(await ask<Template>("templates", "POST", { name, language: "en", content })) };
}

function isIn(page: Page, state: string): Promise<void> {
  return page.locator(`[data-testid=state][data-state=${state}]`).waitFor({ timeout: PATIENCE });
}

/** What Meta makes of a template of this name. */
function decide(name: string, event: object): Promise<void> {
  return tell("/templates/events", { tenant, name, events: [event] });
}

browserTest("template_is_corrected_until_an_automation_sends_it", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const { keyboard } = page;
  const name = `ready_${stranger().slice(-7)}`;
  const write = async (label: string, text: string) => {
    await reach(visitor, label);
    await keyboard.press("Control+A");
    await keyboard.type(text);
  };
  const press = async (label: string | RegExp) => {
    await reach(visitor, label);
    await keyboard.press("Enter");
  };
  const problems = (count: string) => page.locator(`[data-testid=lint][data-problems="${count}"]`).waitFor();
  await visitor.open(at("templates"));
  await press("New template");
  await page.waitForURL("**/templates/new");
  await visitor.settle();
  await write("Name", name);
  await write("Text", "{{1}}, your order is ready.");
  await visitor.see("lint").getByText("at the beginning").waitFor();
  await problems("2");
  assert.match(plain(await visitor.see("lint").innerText()), /at the beginning[^]*Sample of \{\{1\}\}/);
  await press("Save the draft");
  await isIn(page, "DRAFT");
  await visitor.settle();
  await press("Submit to WhatsApp");
  await page.waitForFunction(() => document.activeElement?.matches("textarea[aria-invalid=true]"));
  await keyboard.press("Control+A");
  await keyboard.type("Hello {{1}}, your order is ready.");
  await write("Sample of {{1}}", "Maya");
  await problems("0");
  await press("Submit to WhatsApp");
  await page.locator("[data-testid=state]:not([data-state=DRAFT])").waitFor();
  await decide(name, { event: "reject", reason: "PROMOTIONAL" });
  await isIn(page, "REJECTED");
  assert.match(await visitor.see("state").innerText(), /is an offer/);

  await visitor.open(page.url());
  await write("Text", "Hello {{1}}, your order is ready to be collected.");
  await press("Submit to WhatsApp");
  await page.locator("[data-testid=state]:not([data-state=REJECTED])").waitFor();
  await decide(name, { event: "approve" });
  await isIn(page, "APPROVED");

  const rule = await ask<{ id: string }>("automations", "POST", { name: `Ready ${name}`, enabled: false, when: {}, then: { channels: ["whatsapp"], category: "utility", template: { name, language: "en", variables: { 1: { from: "contact.first_name", default: "there" } } } } });
  const kept = await ask<{ problems: unknown[]; then: { template: { name: string; language: string } } }>(`automations/${rule.id}`);
  assert.deepEqual([kept.then.template.name, kept.then.template.language, kept.problems], [name, "en", []]);

  await visitor.open(at("templates"));
  await page.getByRole("link", { name, exact: true }).click();
  await visitor.see("uses").getByRole("link", { name: `Ready ${name}` }).waitFor();
  await page.getByText("It cannot be deleted while automations use it.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Delete the template" }).count(), 0);
  visitor.expectQuiet(422);
  await visitor.leave();
  await ask(`automations/${rule.id}/archive`, "POST");
});

browserTest("template_of_the_library_and_a_file_by_touch_in_arabic", async () => {
  const visitor = await Visitor.logIn("manager", PHONE);
  const { page } = visitor;
  await visitor.open(at("templates/library"));
  const one = visitor.see("library-appointment_reminder");
  assert.deepEqual(await one.getByTestId("shown").evaluateAll((all) => all.map((shown) => [shown.getAttribute("lang"), getComputedStyle(shown).direction])), [["en", "ltr"], ["ar", "rtl"]]);
  await visitor.tap(one.getByRole("button", { name: /^إرسال إلى واتساب/ }));
  await visitor.tap(one.getByRole("link", { name: "العربية" }));
  await isIn(page, "APPROVED");
  assert.equal(await visitor.see("shown").getAttribute("dir"), "rtl");

  await visitor.open(at("assets"));
  const name = `cake-${stranger().slice(-7)}.jpg`;
  const file = { name, mimeType: "image/jpeg", buffer: PICTURE };
  const input = page.locator("input[type=file]");
  await input.setInputFiles({ ...file, mimeType: "image/svg+xml" });
  await page.getByText("لا تُقبل هنا ملفات من هذا النوع.", { exact: false }).waitFor();
  let broken = false;
  await visitor.context.route(() => true, (route) => {
    const breaks = route.request().method() === "PUT" && !broken;
    broken ||= breaks;
    return breaks ? route.abort() : route.fallback();
  });
  await input.setInputFiles(file);
  await page.getByText("انقطع الرفع", { exact: false }).first().waitFor();
  await visitor.tap(page.getByRole("button", { name: "رفعه مرة أخرى" }));
  await page.getByText("رُفع", { exact: false }).first().waitFor();
  await visitor.tap(page.getByRole("link", { name }).first());
  await page.locator("[data-testid=content][data-state=ready] img").waitFor();
  await visitor.tap(page.locator("summary"));
  await visitor.see("uses").getByText("لا يُستخدم").waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await visitor.tap(page.getByRole("button", { name: "حذف الملف" }));
  await visitor.tap(page.getByRole("dialog").getByRole("button", { name: new RegExp(name.slice(0, 12)) }));
  await page.waitForURL("**/settings/assets");
  visitor.complaints.splice(0, Infinity, ...visitor.complaints.filter((said) => !said.includes("ERR_FAILED")));
  visitor.expectQuiet();
  await visitor.leave();
});

/** A colleague saves, submits and deletes the same while it is written. */
browserTest("template_keeps_what_is_written_whatever_a_colleague_does", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const { id, name } = await draft();
  const save = () => page.getByRole("button", { name: "Save the draft" }).click();
  await visitor.open(at(`templates/${id}`));
  await page.getByLabel("Footer").fill("See you soon");
  await ask(`templates/${id}`, "PATCH", { content: { body: "Hello {{1}}, your cake is ready to be collected." } });
  await save();
  await visitor.see("theirs").getByText("your cake is ready", { exact: false }).waitFor();
  assert.equal(await page.getByLabel("Footer").inputValue(), "See you soon");
  await save();
  await page.getByText("Saved", { exact: true }).waitFor();
  const kept = await ask<{ content: { body: string; footer: string } }>(`templates/${id}`);
  assert.deepEqual([kept.content.body.includes("cake"), kept.content.footer], [true, "See you soon"]);
  // Somebody else submits it at this moment.
  await visitor.intercept("submit_template", (route) => route.fulfill({ status: 409, contentType: "application/problem+json", json: { type: "urn:ringback:problem:template_submitting", status: 409, title: "x", detail: "x" } }));
  await page.getByRole("button", { name: "Submit to WhatsApp" }).click();
  await page.locator("[data-kind=template_submitting]").waitFor();
  await page.getByLabel("Footer").fill("See you later");
  await ask(`templates/${id}`, "DELETE");
  await save();
  await page.locator("[data-kind=not_found]").first().waitFor();
  assert.equal(await page.getByLabel("Footer").inputValue(), "See you later");
  assert.equal(await page.getByRole("heading", { name }).count(), 1);
  visitor.expectQuiet(404, 409, 412);
  await visitor.leave();
});
