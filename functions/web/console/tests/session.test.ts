/** Log-in and log-out, the end of a session, and forms that are refused. */
import assert from "node:assert/strict";
import { browserTest, logInOf, problem, Visitor, plain } from "./support.ts";

const REFRESH = "/api/v1/auth/refresh";

browserTest("log_in_by_keyboard_leads_to_the_page_that_was_wanted", async () => {
  const visitor = await Visitor.arrive();
  const { page } = visitor;
  const { email, password, tenant } = logInOf("manager");
  await page.goto(`/app/${tenant}/contacts?q=Nobody`);
  await page.waitForURL(/\/app\/log-in\?next=/);
  await page.getByRole("textbox").first().waitFor();
  await visitor.settle();
  for (const text of [email, password]) {
    await tabTo(visitor, "INPUT");
    await page.keyboard.type(text);
  }
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/app/${tenant}/contacts?q=Nobody`);
  await visitor.settle();
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), "H1", "focus follows to the page");
  visitor.expectQuiet();
  await visitor.leave();
});

async function tabTo({ page }: Visitor, tag: string): Promise<void> {
  const begin = await page.evaluate(() => document.activeElement?.id);
  for (let step = 0; step < 10; step += 1) {
    await page.keyboard.press("Tab");
    const [name, id] = await page.evaluate(() => [document.activeElement?.tagName, document.activeElement?.id]);
    if (name === tag && id !== begin) return;
  }
  assert.fail(`no ${tag} is reached by Tab`);
}

browserTest("wrong_password_and_second_factor_are_asked_for_again", async () => {
  const visitor = await Visitor.arrive();
  const { page } = visitor;
  await visitor.open("/app/log-in");
  await page.getByLabel("E-mail address").fill(logInOf("viewer").email);
  await page.getByLabel("Password").fill("not the password at all");
  await page.keyboard.press("Enter");
  assert.equal(await visitor.see("problem").getAttribute("data-kind"), "wrong_credentials");
  assert.equal(await page.getByLabel("E-mail address").inputValue(), logInOf("viewer").email);
  await visitor.intercept("log_in", (route) => route.fulfill(problem(401, route.request().postDataJSON().code ? "wrong_code" : "second_factor_required")));
  await page.keyboard.press("Enter");
  await page.getByLabel("Code").waitFor();
  await page.keyboard.type("492039");
  await page.keyboard.press("Enter");
  await page.locator("[data-kind=wrong_code]").waitFor();
  await page.getByRole("button", { name: "recovery code" }).click();
  await page.getByLabel("Recovery code").waitFor();
  visitor.expectQuiet(401);
  await visitor.leave();
});

/** The dialog opens over the page, of which nothing is seen or read any more. It keeps its input, and the request is repeated after the log-in. */
browserTest("expired_session_in_a_form_keeps_the_input", async () => {
  const visitor = await Visitor.logIn("agent");
  const { page } = visitor;
  const { email, password } = logInOf("agent");
  await visitor.open("/app/account");
  await page.getByLabel("Your name").fill("Noor of the shop");
  let over = true;
  await visitor.context.route(`**${REFRESH}`, (route) => (over ? route.fulfill(problem(401, "session_over")) : route.fallback()));
  await visitor.intercept("update_me", (route) => (over ? route.fulfill(problem(401, "unauthorized")) : route.fallback()));
  await page.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  assert.equal(await dialog.getByLabel("E-mail address").inputValue(), email);
  assert.equal(await page.title(), "Your session has ended · Ringback");
  assert.doesNotMatch(await page.locator("body").ariaSnapshot(), /Your name|Log in again[^]*heading "My account"/);
  const shown = await page.screenshot({ animations: "disabled" });
  await page.locator(".page").evaluate((behind: HTMLElement) => { behind.style.display = "none"; });
  assert.ok(shown.equals(await page.screenshot({ animations: "disabled" })), "something of the page is seen behind the dialog");
  await page.locator(".page").evaluate((behind: HTMLElement) => { behind.style.display = ""; });
  over = false;
  await dialog.getByLabel("Password").fill(password);
  const repeated = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.ok());
  await page.keyboard.press("Enter");
  assert.equal((await (await repeated).json()).name, "Noor of the shop");
  await dialog.waitFor({ state: "detached" });
  assert.equal(await page.getByLabel("Your name").inputValue(), "Noor of the shop");
  visitor.expectQuiet(401);
  await visitor.leave();
});

browserTest("another_persons_log_in_discards_the_page", async () => {
  const visitor = await Visitor.logIn("agent");
  const { page } = visitor;
  await visitor.open("/app/account");
  await page.getByLabel("Your name").fill("Not saved");
  await page.evaluate(() => { sessionStorage.setItem("form", "Not saved"); Object.assign(window, { marked: true }); });
  let over = true;
  await visitor.context.route(`**${REFRESH}`, (route) => (over ? route.fulfill(problem(401, "session_over")) : route.fallback()));
  await visitor.intercept("update_me", (route) => route.fulfill(problem(401, "unauthorized")));
  await page.getByRole("button", { name: "Save" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.waitFor();
  over = false;
  await dialog.getByLabel("E-mail address").fill(logInOf("manager").email);
  await dialog.getByLabel("Password").fill(logInOf("manager").password);
  await page.keyboard.press("Enter");
  await page.waitForURL(({ pathname }) => pathname !== "/app/account");
  await visitor.settle();
  const left = await page.evaluate(() => ({ stored: sessionStorage.length, marked: "marked" in window, typed: document.body.innerHTML.includes("Not saved") }));
  assert.deepEqual(left, { stored: 0, marked: false, typed: false }, "something of the page stays");
  assert.equal(await page.getByLabel("Your name").count(), 0);
  visitor.expectQuiet(401);
  await visitor.leave();
});

browserTest("refused_form_keeps_its_input_and_marks_the_field", async () => {
  const visitor = await Visitor.logIn("agent");
  const { page } = visitor;
  await visitor.open("/app/account");
  const errors = [{ field: "name", code: "too_long", detail: "x", facts: { minimum: 1, maximum: 100 } }];
  let answer = problem(422, "invalid", { errors });
  await visitor.intercept("update_me", (route) => route.fulfill(answer));
  const name = page.getByLabel("Your name");
  await name.fill("Kept");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText(/at most .100. characters/).waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "name", "focus moves to the wrong field");
  answer = problem(412, "stale");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("[data-kind=stale]").waitFor();
  assert.equal(await name.inputValue(), "Kept");
  visitor.expectQuiet(422, 412);
  await visitor.leave();
});

browserTest("two_tabs_refresh_once_and_log_out_ends_both", async () => {
  const visitor = await Visitor.logIn("viewer");
  // The second tab asks for itself if the first has not answered within 300 ms, as on a busy machine.
  await visitor.stopClocks();
  let refreshed = 0;
  visitor.context.on("request", (request) => { if (request.url().endsWith(REFRESH)) refreshed += 1; });
  await visitor.open("/app/account");
  const second = await visitor.context.newPage();
  visitor.watch(second);
  await second.goto("/app/account");
  await second.locator("h1").waitFor();
  assert.equal(refreshed, 1, "the second tab takes the token of the first");
  await visitor.page.locator("header [popovertarget]").last().click();
  await visitor.page.getByRole("banner").getByRole("button", { name: "Log out" }).click();
  for (const page of [visitor.page, second]) await page.waitForURL("**/app/log-in");
  await second.goto("/app/account");
  await second.waitForURL("**/app/log-in?next=*");
  // What the second tab was still reading when the session ended.
  visitor.expectQuiet(401);
  await visitor.leave();
});

/** As after a reload while the session was asked for: the cookie of its answer came, but the page was gone. */
browserTest("session_is_asked_for_again_where_that_helps", async () => {
  // A page that is gone refreshed just before, there were too many requests, or the server failed.
  for (const [status, kind] of [[409, "refreshed_elsewhere"], [429, "too_many_requests"], [503, "unavailable"]] as const) {
    const visitor = await Visitor.logIn("viewer");
    let asked = 0;
    await visitor.context.route(`**${REFRESH}`, (route) => (asked++ === 0 ? route.fulfill(problem(status, kind)) : route.fallback()));
    await visitor.open("/app/account");
    await visitor.page.getByLabel("Your name").waitFor();
    assert.equal(asked, 2, `${kind} is asked for once more`);
    visitor.expectQuiet(status);
    await visitor.leave();
  }
});

/** A visitor who belongs to another business, too. */
async function visitorOfTwo(): Promise<{ visitor: Visitor; tenant: string; other: string }> {
  const visitor = await Visitor.logIn("manager");
  const { tenant } = logInOf("manager");
  const other = `tnt_${"0".repeat(25)}1`;
  await visitor.context.route(`**${REFRESH}`, async (route) => {
    const answer = await route.fetch();
    const session = (await answer.json()) as { tenants: object[] };
    await route.fulfill({ response: answer, json: { ...session, tenants: [...session.tenants, { ...session.tenants[0], id: other, slug: "other", name: "Other" }] } });
  });
  return { visitor, tenant, other };
}

browserTest("question_of_one_business_is_not_asked_in_another", async () => {
  const { visitor, tenant, other } = await visitorOfTwo();
  const { page } = visitor;
  const asked: string[] = [];
  await visitor.intercept("list_contacts", async (route) => {
    const [url, of] = [new URL(route.request().url()), route.request().headers()["x-tenant-id"] ?? ""];
    asked.push(`${/Layla|Omar/.exec(url.search)?.[0] ?? "nobody"} of ${of}`);
    await (of === tenant ? route.fulfill(problem(429, "too_many_requests")) : route.fulfill({ json: { items: [], next_cursor: null } }));
  });
  await page.goto(`/app/${tenant}/contacts?q=Layla`);
  await visitor.see("limited").waitFor();
  await visitor.move("/app/other/contacts?q=Omar");
  // Longer than the first question waits.
  await page.waitForTimeout(2_000);
  assert.deepEqual([...new Set(asked)], [`Layla of ${tenant}`, `Omar of ${other}`]);
  await visitor.leave();
});

/** What is under way when another business is opened ends in its own: the repetition of a sending, and the second request of a search. */
browserTest("repetition_stays_with_the_business_of_its_first_sending", async () => {
  const { visitor, tenant } = await visitorOfTwo();
  const { page } = visitor;
  const asked: string[] = [];
  const ended = Promise.withResolvers<void>();
  await visitor.intercept("retry_blocked_messages", async (route) => {
    asked.push(`send again: ${route.request().headers()["x-tenant-id"]}`);
    if (asked.length > 1) ended.resolve();
    await route.fulfill(asked.length > 1 ? { json: { items: [], next_cursor: null } } : problem(429, "too_many_requests"));
  });
  await visitor.open(`/app/${tenant}/settings/caps`);
  const limited = page.waitForResponse((answer) => answer.status() === 429);
  await page.getByRole("button", { name: "Retry what caps blocked" }).click();
  await limited;
  await visitor.move("/app/other/settings/caps");
  await ended.promise;
  assert.deepEqual(asked, Array(2).fill(`send again: ${tenant}`));

  const [people, timeline] = [Promise.withResolvers<void>(), Promise.withResolvers<string | undefined>()];
  await visitor.intercept("list_contacts", async (route) => {
    await people.promise;
    await route.fulfill({ json: { items: [{ id: "con_sample", name: "Layla" }], next_cursor: null } });
  });
  await visitor.intercept("get_timeline", async (route) => {
    timeline.resolve(route.request().headers()["x-tenant-id"]);
    await route.fulfill({ json: { items: [], next_cursor: null } });
  });
  const searched = page.waitForRequest((request) => request.url().includes("/contacts?"));
  await page.goto(`/app/${tenant}/calls?q=Layla`);
  await searched;
  const moved = page.waitForRequest((request) => request.headers()["x-tenant-id"] !== tenant && request.url().includes("/tenant"));
  await page.evaluate(() => { history.pushState(null, "", "/app/other/settings"); dispatchEvent(new PopStateEvent("popstate")); });
  await moved;
  people.resolve();
  assert.equal(await timeline.promise, tenant);
  await visitor.leave();
});

browserTest("change_of_somebody_else_is_shown_beside_the_input", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("manager").tenant}/settings/business`);
  await page.getByLabel("Name of the business").fill("Mine");
  await page.getByLabel("At these hours").check();
  await page.getByLabel("Monday").fill("8:00-9:00");
  await visitor.intercept("update_tenant", (route) => route.fulfill(problem(412, "stale")));
  await visitor.intercept("get_tenant", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), name: "Theirs", business_hours: { monday: [{ from: "10:00", to: "12:00" }] } } });
  });
  await page.getByRole("button", { name: "Save" }).click();
  const clash = visitor.see("theirs");
  assert.match(plain(await clash.getByRole("row", { name: "Name of the business" }).innerText()), /Mine\s*Save keeps this\s*Theirs$/);
  assert.match(plain(await clash.getByRole("row", { name: "Monday" }).innerText()), /8:00-9:00\s*Save keeps this\s*10:00-12:00$/);
  assert.equal(await visitor.see("problem").count(), 0, "another text says otherwise");
  assert.equal(await page.getByLabel("Name of the business").inputValue(), "Mine");
  assert.equal(await page.getByLabel("Monday").inputValue(), "8:00-9:00");
  visitor.expectQuiet(412);
  await visitor.leave();
});
