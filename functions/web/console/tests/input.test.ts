/** What people type and choose: it is not lost without a question, not shown as accepted when refused, and read in any digits. */
import assert from "node:assert/strict";
import { callEntry, caps, connection, contact, giveSamples } from "./samples.ts";
import { browserTest, DESK, logInOf, PHONE, plain, problem, Visitor } from "./support.ts";

const home = (): string => `/app/${logInOf("admin").tenant}`;
const at = (page: string): string => `${home()}/${page}`;

browserTest("unsaved_input_is_asked_about_before_it_is_left", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await giveSamples(visitor);
  const asked: string[] = [];
  let leave = false;
  page.on("dialog", (dialog) => {
    asked.push(dialog.type());
    void (leave ? dialog.accept() : dialog.dismiss());
  });
  await visitor.open(at("settings/lines"));
  await page.getByRole("link", { name: "New line" }).click();
  await page.waitForURL("**/lines/new");
  await page.getByLabel("Name", { exact: true }).fill("Kept");
  await page.goBack();
  // The browser goes back to the page by itself.
  await page.waitForFunction(() => location.pathname.endsWith("/new"));
  await page.locator("[data-menu=calls]").click();
  await page.waitForURL("**/lines/new");
  assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Kept");
  leave = true;
  await page.goBack();
  await page.getByRole("link", { name: "New line" }).waitFor();
  assert.deepEqual(asked, ["confirm", "confirm", "confirm"]);
  await page.goForward();
  await page.waitForURL("**/lines/new");
  await page.getByLabel("Name", { exact: true }).fill("Lost");
  await page.goto(at("calls"));
  assert.equal(asked.at(-1), "beforeunload");
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("list_of_calls_is_searched_copied_from_and_come_back_to", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await giveSamples(visitor);
  const items = Array.from({ length: 60 }, (_, index) => ({ ...callEntry, id: `call_${index}`, contact: { id: `con_${index}`, name: index % 2 ? `Caller ${index}` : null } }));
  await visitor.intercept("list_calls", (route) => route.fulfill({ json: { items, next_cursor: null } }));
  await visitor.open(at("calls?outcome=missed"));
  const named = page.getByRole("link", { name: "Caller 41", exact: true });
  await named.scrollIntoViewIfNeeded();
  const height = await page.evaluate(() => scrollY);
  assert.ok(height > 500);
  await named.click();
  await page.waitForURL("**/calls/call_41");
  await visitor.settle();
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.locator("[data-back]").click();
  await page.waitForURL("**/calls?outcome=missed");
  await page.waitForFunction((height) => Math.abs(scrollY - height) < 3, height);

  const row = page.locator(".rows tr", { has: page.getByRole("link", { name: "Caller 41", exact: true }) });
  assert.equal(await row.locator(".phone a").getAttribute("href"), `tel:${callEntry.customer?.number}`);
  const number = page.locator(".rows a.cover .phone").nth(21);
  await number.scrollIntoViewIfNeeded();
  const box = await number.boundingBox();
  assert.ok(box);
  const middle = box.y + box.height / 2;
  await page.mouse.move(box.x + 1, middle);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 1, middle, { steps: 4 });
  await page.mouse.up();
  assert.match(await page.evaluate(() => String(getSelection())), /^\+971 50 555 391/);
  assert.match(page.url(), /calls\?outcome=missed$/);

  const asked: (string | null)[] = [];
  await visitor.intercept("list_contacts", (route) => {
    asked.push(new URL(route.request().url()).searchParams.get("digits"));
    return route.fulfill({ json: { items: [{ ...contact, name: "Layla Haddad" }], next_cursor: null } });
  });
  const field = page.getByRole("searchbox");
  const written = () => field.evaluate((input) => [getComputedStyle(input).direction, getComputedStyle(input).unicodeBidi]);
  await field.fill("٥٥٥ ٣٩١٣");
  assert.deepEqual(await written(), ["ltr", "bidi-override"]);
  await field.fill("ليلى");
  assert.equal((await written())[0], "rtl");
  await field.fill("555 3913");
  await page.keyboard.press("Enter");
  await page.locator(".rows tr", { hasText: "Layla Haddad" }).waitFor();
  // What is told of other contacts is a reason to ask again.
  assert.deepEqual([...new Set(asked)], ["555 3913"]);
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("refused_choice_is_not_shown_as_accepted", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await visitor.intercept("update_me", async (route) => {
    await new Promise((resume) => setTimeout(resume, 300));
    await route.fulfill(problem(500, "internal"));
  });
  await visitor.intercept("update_user", (route) => route.fulfill(problem(409, "last_admin")));
  await visitor.open("/app/account/notifications");
  const mail = page.getByLabel("A cap is nearly reached");
  await mail.click();
  await visitor.see("problem").waitFor();
  assert.equal(await mail.isChecked(), true);
  await page.locator("header [popovertarget]").last().click();
  await page.getByRole("banner").getByRole("button", { name: "العربية" }).click();
  await page.locator("html[lang=ar]").waitFor();
  await page.locator("html[lang=en]").waitFor();
  await visitor.open(at("settings/people"));
  const role = page.locator(".rows select").first();
  const before = await role.inputValue();
  await role.selectOption(before === "viewer" ? "agent" : "viewer");
  await page.locator("[data-kind=last_admin]").waitFor();
  assert.equal(await role.inputValue(), before);
  visitor.expectQuiet(500, 409);
  await visitor.leave();
});

browserTest("periods_have_bounds_and_name_their_fault", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await giveSamples(visitor);
  await visitor.open(at("calls?from=2026-01-01"));
  assert.equal(await page.locator("input[name=to]").getAttribute("max"), "2026-01-31");
  // The focus stays where a filter was chosen, since the screen does.
  await page.locator("select[name=outcome]").focus();
  await page.keyboard.press("ArrowDown");
  await page.waitForURL(/outcome=missed/);
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "outcome");
  const errors = [{ field: "to", code: "out_of_range", detail: "x", facts: {} }];
  await visitor.intercept("list_calls", (route) => route.fulfill(problem(422, "invalid", { errors })));
  await visitor.open(at("calls?from=2026-01-01&to=2026-03-01"));
  assert.match(await visitor.see("problem").innerText(), /\bto\b/);
  visitor.expectQuiet(422);
  await visitor.leave();
});

browserTest("arabic_digits_are_read_as_numbers", async () => {
  const visitor = await Visitor.logIn("admin", PHONE);
  const { page } = visitor;
  await visitor.open(at("settings/lines/new"));
  await page.locator("select[name=number]").selectOption("other");
  const number = page.locator("input[name=number]");
  await number.pressSequentially("+٩٧١۴٥٥٥٠١٠٠");
  assert.equal(await number.inputValue(), "+97145550100");
  visitor.expectQuiet();
  await visitor.leave();
});

/** Typed or pasted, in either language: a cap is what is meant, or it is refused at its field. Below what is used it asks. */
for (const look of [DESK, PHONE]) {
  browserTest(`cap_is_read_as_it_is_meant_in_${look.language}`, async () => {
    const visitor = await Visitor.logIn("admin", look);
    const { page } = visitor;
    await giveSamples(visitor);
    const sent: object[] = [];
    let refusal: ReturnType<typeof problem> | undefined;
    await visitor.intercept("set_cap", (route) => {
      if (refusal) return route.fulfill(refusal);
      sent.push(route.request().postDataJSON() as object);
      return route.fulfill({ json: {} });
    });
    await visitor.open(at("settings/caps"));
    const maximum = page.locator("[name=maximum]");
    const dialog = page.locator("dialog[open]");
    const save = async (text: string) => {
      await maximum.fill("");
      await maximum.focus();
      // As a paste does.
      await page.keyboard.insertText(text);
      await page.locator(".panel form button").first().click();
      await visitor.settle();
    };
    // The form begins anew with each cap, and what became of it is said in view.
    const followUps = (counts: string) => page.locator("[name=cap]").selectOption("follow_up").then(() => page.locator("[name=counts]").selectOption(counts));
    await followUps("number");
    await save("1,500");
    const status = page.locator("[role=status]:focus");
    assert.ok(await status.innerText());
    await status.and(page.locator(":visible")).waitFor();
    assert.ok(await status.evaluate((said) => said.getBoundingClientRect().top >= 0 && said.getBoundingClientRect().bottom <= innerHeight));
    assert.deepEqual([await maximum.inputValue(), await page.locator("[name=cap]").inputValue()], ["", "any"]);
    await followUps("money");
    const currency = page.locator("select[name=currency]");
    assert.equal(await currency.inputValue(), "USD");
    await save("$1,500");
    assert.match(await page.locator(".fault").innerText(), /\b1500\b.*\b1\.50\b/);
    refusal = problem(422, "invalid", { errors: [{ field: "cap", code: "not_found", detail: "x", facts: { id: "USD" } }] });
    await save("$20");
    await page.locator("select[name=currency][aria-invalid=true]").waitFor();
    assert.ok(!(await page.locator("main").innerText()).includes("day."));
    refusal = undefined;
    await save("١٬٥٠٠٫٥٠\u00a0$");
    await page.locator("[role=status]:focus").waitFor();
    await page.waitForFunction(() => document.querySelector<HTMLInputElement>("[name=maximum]")?.value === "");
    await followUps("number");
    await save("٨٠٠");
    assert.match(await dialog.innerText(), /\b812\b[^]*\b800\b/);
    await dialog.locator("button").first().click();
    await save("۸۰۰");
    await dialog.locator("button").last().click();
    await dialog.waitFor({ state: "detached" });
    await visitor.settle();
    const name = "day.tenant.follow_up";
    assert.deepEqual(sent, [{ cap: name, maximum: 1500 }, { cap: `${name}.USD`, maximum: 150_050 }, { cap: name, maximum: 800 }]);
    visitor.expectQuiet(422);
    await visitor.leave();
  });

  /** Credentials that work are not lost to a slip, and what was typed is not either. */
  browserTest(`refused_credentials_replace_none_unless_somebody_insists_in_${look.language}`, async () => {
    const visitor = await Visitor.logIn("admin", look);
    const { page } = visitor;
    await giveSamples(visitor);
    const asked: (string | null)[] = [];
    let refuses = true;
    await visitor.intercept("set_connection_credentials", (route) => {
      asked.push(new URL(route.request().url()).searchParams.get("if_accepted"));
      const error = { field: "credentials", code: "wrong_secret", detail: "Twilio refused it: Authenticate (code 20003).", facts: {} };
      return route.fulfill(refuses ? problem(422, "invalid", { errors: [error] }) : { json: { ...connection, last_test: null } });
    });
    await visitor.open(at("settings/connections/conn_sample"));
    const field = page.locator("input[name='credentials.auth_token']");
    const form = page.locator("form", { has: field });
    await field.fill("typed-with-care");
    await form.locator("> button").click();
    const said = visitor.see("refusal");
    await said.waitFor();
    const [sentence = "", reason = ""] = await said.locator("p").allInnerTexts();
    assert.match(sentence, look.language === "ar" ? /\p{Script=Arabic}/u : /those before stay/);
    assert.equal(reason, "Twilio refused it: Authenticate (code 20003).");
    assert.equal(await said.locator("p").last().getAttribute("lang"), "en");
    assert.equal(await field.inputValue(), "typed-with-care");
    refuses = false;
    await said.locator("xpath=following-sibling::*").locator("button").first().click();
    await page.locator("dialog[open] button").last().click();
    await said.waitFor({ state: "detached" });
    await visitor.settle();
    assert.deepEqual(asked, ["true", "false"]);
    assert.equal(await field.inputValue(), "");
    visitor.expectQuiet(422);
    await visitor.leave();
  });
}

/** A second click on what the question covered hits no other cap, and no row slides under the pointer. */
browserTest("double_click_removes_one_cap_and_moves_no_row", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await giveSamples(visitor);
  const removed: string[] = [];
  await visitor.intercept("list_caps", (route) => route.fulfill({ json: { items: caps.filter(({ cap, of_plan }) => of_plan || !removed.includes(cap)), next_cursor: null } }));
  await visitor.intercept("remove_cap", (route) => {
    removed.push(new URL(route.request().url()).pathname.split("/").at(-1) ?? "");
    return route.fulfill({ status: 204 });
  });
  await visitor.open(at("settings/caps"));
  const rows = page.locator(".rows tbody tr");
  const places = () => rows.evaluateAll((all) => all.map((row) => row.getBoundingClientRect().toJSON() as object));
  const before = await places();
  const first = rows.first();
  const remove = first.getByRole("button", { name: "Remove" });
  const dialog = page.getByRole("dialog");
  await remove.dblclick();
  assert.match(plain(await dialog.innerText()), /812 of 1,000/);
  await page.keyboard.press("Escape");
  assert.deepEqual(removed, []);
  await remove.click();
  await dialog.getByRole("button", { name: "Remove the cap" }).dblclick();
  await first.getByText("Removed", { exact: true }).waitFor();
  await page.getByText("The cap is removed.").waitFor();
  await visitor.settle();
  assert.deepEqual(removed, [caps[0]?.cap]);
  assert.deepEqual(await places(), before);
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), "Removed");
  visitor.expectQuiet();
  await visitor.leave();
});

for (const look of [DESK, PHONE]) {
  browserTest(`blocked_messages_are_sent_once_their_price_is_known_in_${look.language}`, async () => {
    const visitor = await Visitor.logIn("admin", look);
    const { page } = visitor;
    await giveSamples(visitor);
    const asked: (string | null)[] = [];
    await visitor.intercept("retry_blocked_messages", (route) => {
      const { searchParams } = new URL(route.request().url());
      const dry = searchParams.get("dry_run") === "true";
      const second = searchParams.has("cursor");
      asked.push(dry ? "dry" : "sent");
      const item = { code: null, detail: null, id: "msg_sample", retried_as: dry ? null : "msg_again", cost: dry ? { amount: "0.0157", currency: "USD" } : null };
      const items = [...Array(20).fill(item), ...(second ? [{ ...item, cost: null }, { ...item, code: "cap_reached", retried_as: null, cost: null }] : [])];
      return route.fulfill({ json: { items, next_cursor: second ? null : "next" } });
    });
    await visitor.open(at("settings/caps"));
    const retry = page.locator("section[aria-labelledby=retry] form button");
    const dialog = page.locator("dialog[open]");
    await retry.click();
    assert.match(plain(await dialog.innerText()), /\b41\b[^]*\b0\.63\b/);
    await dialog.locator("button").first().click();
    await visitor.settle();
    assert.deepEqual(asked, ["dry", "dry"]);
    await retry.click();
    await dialog.locator("button").last().click();
    await dialog.waitFor({ state: "detached" });
    await visitor.settle();
    assert.deepEqual(asked.slice(2), ["dry", "dry", "sent", "sent"]);
    assert.match(plain(await visitor.see("retried").innerText()), /\b41\b/);
    visitor.expectQuiet();
    await visitor.leave();
  });
}

/** A refused connection, or a number that none has, loses calls: the pages that show either say so, and lead on. */
browserTest("calls_that_do_not_arrive_are_told", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await giveSamples(visitor);
  const gap = { code: "connection_broken", detail: "x", facts: { connection: "Twilio" } };
  const step = { id: "telephone_line", title: "x", state: "attention", optional: false, missing: ["x"], gaps: [gap], operation: { method: "PUT", path: "/" } };
  await visitor.intercept("get_tenant_setup", (route) => route.fulfill({ json: { ready: false, steps: [step], unknown_numbers: [] } }));
  let all = [{ ...connection, numbers: ["+97145550100"] }, { ...connection, id: "conn_all", kind: "telephony", name: "Shop", numbers: [] as string[] }];
  await visitor.intercept("list_connections", (route) => route.fulfill({ json: { items: all, next_cursor: null } }));
  await visitor.open(home());
  await page.getByText("calls to its numbers do not reach Ringback").waitFor();
  await visitor.open(at("settings/lines"));
  await page.locator(".rows tbody tr").first().waitFor();
  await visitor.settle();
  assert.equal(await page.locator(".unheard").count(), 0);
  await page.getByRole("link", { name: "New line" }).click();
  await page.locator("select[name=number]").selectOption("other");
  await page.locator("input[name=number]").fill("+97145550177");
  // One takes calls to all numbers, but they may reach the other one.
  const reporter = page.locator("select[name=reporter]");
  assert.equal(await reporter.inputValue(), "conn_all");
  assert.deepEqual(await reporter.locator("option").count(), 2);
  page.once("dialog", (dialog) => void dialog.accept());
  all = all.slice(0, 1);
  await visitor.open(at("settings/lines"));
  await page.locator(".unheard").getByText("Calls are ignored").waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("unreadable_number_keeps_its_form_from_being_sent", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await giveSamples(visitor);
  const sent: { then?: object; when?: object }[] = [];
  await visitor.intercept("update_automation", (route) => {
    sent.push(route.request().postDataJSON() as object);
    return route.fulfill(problem(409, "limit_reached"));
  });
  await visitor.open(at("automations/rule_sample"));
  const [cooldown, ring] = [page.locator("[name='then.cooldown_seconds']"), page.locator("[name='when.min_ring_seconds']")];
  const save = page.getByRole("button", { name: "Save" });
  await cooldown.fill("1,500");
  await ring.fill("١٢");
  await save.click();
  await cooldown.and(page.locator("[aria-invalid=true]")).waitFor();
  assert.match(plain(await page.locator(".fault").innerText()), /Write 1500 or 1\.50\.$/);
  assert.equal(await cooldown.inputValue(), "1,500");
  await cooldown.fill("1,5");
  await save.click();
  await page.locator("[data-kind=limit_reached]").waitFor();
  assert.deepEqual(sent, [{ then: { cooldown_seconds: 5400 }, when: { min_ring_seconds: 12 } }]);
  visitor.expectQuiet(409);
  await visitor.leave();
});

/** By themselves, as soon as the device has a network again, or the server answers. */
browserTest("pages_wait_for_the_network_and_come_back", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page, context } = visitor;
  await visitor.fetchFiles();
  await visitor.open(at("calls"));
  await page.evaluate(() => Object.assign(window, { marked: true }));
  await context.setOffline(true);
  await page.locator("select[name=outcome]").selectOption("missed");
  await page.locator("main [data-kind=offline]").waitFor();
  await context.setOffline(false);
  await page.locator("main [data-kind=offline]").waitFor({ state: "detached" });
  assert.ok(await page.evaluate(() => "marked" in window), "the page was loaded again");

  await context.setOffline(true);
  await page.locator("[data-menu=automations]").click();
  await visitor.see("offline").waitFor();
  assert.equal(await page.locator("h1").innerText(), "You are offline");
  await context.setOffline(false);
  await page.getByRole("heading", { name: "Automations" }).waitFor();

  let failures = 2;
  await visitor.intercept("list_contacts", (route) => (failures-- > 0 ? route.abort() : route.fallback()));
  await page.locator("[data-menu=contacts]").click();
  await page.locator("main [data-kind=offline]").waitFor();
  await page.locator("main [data-kind=offline]").waitFor({ state: "detached" });
  assert.ok(failures < 0);
  await visitor.leave();
});

browserTest("console_that_cannot_start_says_so", async () => {
  const visitor = await Visitor.arrive(DESK);
  const { page } = visitor;
  await page.route(/assets\/common-[\w-]+\.js$/, (route) => route.abort());
  await page.goto("/app/log-in");
  await page.getByText("Ringback did not load").waitFor();
  await page.unrouteAll();
  await page.getByRole("link", { name: "Reload" }).click();
  await page.getByLabel("Password").waitFor();
  await visitor.leave();
});
