/** Reports say what the API says; the log, the policy of retention and long tasks do what they promise. */
import assert from "node:assert/strict";
import type { components } from "../app/api/contract.d.ts";
import { giveSamples, task } from "./samples.ts";
import { ask, browserTest, DESK, logInOf, PHONE, plain, reach, stranger, until, Visitor } from "./support.ts";

type Schemas = components["schemas"];

const { tenant } = logInOf("manager");
const at = (page: string): string => `/app/${tenant}/${page}`;

/** The numbers in the table of a chart. */
function figures(visitor: Visitor, chart: string): Promise<number[][]> {
  return visitor.see(`chart-${chart}`).locator("tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll("td")].map(({ textContent }) => Number(textContent.replace(/[^\d.]/g, "")))));
}

/** What is counted may change between two looks: one of them finds the same on the page and in the API. */
async function agree(visitor: Visitor, chart: string, expected: () => Promise<number[][]>): Promise<void> {
  await until(`agreement on ${chart} at ${visitor.page.url()}`, async () => {
    const wanted = JSON.stringify(await expected());
    if (JSON.stringify(await figures(visitor, chart)) === wanted) return true;
    await visitor.open(visitor.page.url());
    return JSON.stringify(await figures(visitor, chart)) === wanted;
  });
}

const callsBy = (by: Schemas["ReportBy"]) => async (): Promise<number[][]> => {
  const { items } = await ask<Schemas["MetricsOut"]>(`metrics?by=${by}`);
  const rows = items.map(({ figures: { calls, recovered } }) => [calls.unanswered, recovered, calls.followed_up, calls.stopped, calls.all]);
  return by === "line" ? rows : rows.toReversed();
};

browserTest("reports_by_keyboard_say_what_the_api_says", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  await visitor.open(at("reports"));
  await agree(visitor, "calls", callsBy("day"));
  await reach(visitor, /^Shown by/);
  await page.keyboard.type("hour");
  await page.waitForURL(/by=hour/);
  await page.locator("[data-by=hour]").waitFor();
  await agree(visitor, "calls", callsBy("hour"));
  await reach(visitor, "Show as a table");
  await page.keyboard.press("Enter");
  await visitor.see("chart-calls").locator("table").waitFor();
  await reach(visitor, "Cost of messages", "Shift+Tab");
  await page.keyboard.press("Enter");
  await page.waitForURL(/reports\/costs\?by=hour/);
  await visitor.settle();
  const usage = () => ask<Schemas["UsageReportOut"]>("usage?by=hour");
  await agree(visitor, "purposes", async () => (await usage()).total.messages.map(({ planned, delivered, accepted, read, failed, blocked, cancelled }) => [planned, delivered, accepted, read, failed, blocked, cancelled]));
  for (const { currency, channels } of (await usage()).total.cost.currencies) {
    await agree(visitor, `channels-${currency}`, async () => ((await usage()).total.cost.currencies.find((one) => one.currency === currency)?.channels ?? channels).map(({ amount, reported, estimated }) => [amount, reported, estimated].map(Number)));
  }
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("reports_by_touch_in_arabic_say_what_the_api_says", async () => {
  const visitor = await Visitor.logIn("manager", PHONE);
  const { page } = visitor;
  await visitor.open(at("reports"));
  await visitor.tap(page.locator(".filters > summary"));
  await page.getByLabel("العرض حسب").selectOption("line");
  await page.locator("[data-by=line]").waitFor();
  await agree(visitor, "calls", callsBy("line"));
  await visitor.tap(visitor.see("chart-calls").locator("summary"));
  await visitor.see("chart-calls").locator("table").waitFor();
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("audit_entry_shows_fields_before_and_after", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const [before, after] = [`Old${stranger().slice(-6)}`, `New${stranger().slice(-6)}`];
  const { id } = await ask<{ id: string }>("canned-replies", "POST", { name: before, text: { en: "We are open." } });
  await ask(`canned-replies/${id}`, "PATCH", { name: after });
  const row = visitor.see("entry").filter({ hasText: /Changed.*canned reply/ });
  await until("entry", async () => {
    await visitor.open(at(`settings/audit?object=${id}`));
    return (await row.count()) === 1;
  });
  const name = row.locator("li", { hasText: before });
  assert.deepEqual(await Promise.all(["before", "after"].map((side) => name.locator(`[data-side=${side}]`).innerText())), [before, after]);
  await row.getByRole("link").first().click();
  await page.waitForURL(/actor=usr_/);
  await row.waitFor();
  await ask(`canned-replies/${id}`, "DELETE");
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("retention_asks_before_it_shortens_and_before_it_deletes", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const stored = async () => (await ask<Schemas["TenantOut"]>("tenant")).retention.calls_days;
  const [before, dialog] = [await stored(), page.locator("dialog[open]")];
  const save = async (days: string) => {
    await page.getByLabel("Days that calls stay").fill(days);
    await page.getByRole("button", { name: "Save" }).click();
  };
  await visitor.open(at("settings/retention"));
  await save("365");
  assert.match(plain(await dialog.innerText()), /New calls are deleted after .?365.? days/);
  await dialog.getByRole("button", { name: "Keep" }).click();
  assert.equal(await stored(), before);
  await save("365");
  await dialog.getByRole("button", { name: "Delete them earlier" }).click();
  await page.getByText("Saved", { exact: true }).waitFor();
  assert.equal(await stored(), 365);
  await page.getByRole("button", { name: "Apply it to what is stored" }).click();
  await dialog.getByRole("button", { name: "Delete what is older" }).click();
  await page.locator("[data-testid=application][data-state=done]").waitFor();
  // Longer than so far: nothing is asked.
  await save(String(before));
  await until("longer time", async () => (await stored()) === before);
  await visitor.see("application").getByRole("link").click();
  const row = page.locator("[data-testid=operation][data-state=done]", { hasText: "Delete old calls and messages" }).first();
  await row.locator("summary").click();
  await row.locator("li").first().waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("long_task_is_cancelled_after_a_question", async () => {
  const visitor = await Visitor.logIn("manager", PHONE);
  await giveSamples(visitor);
  await visitor.followNothing();
  let cancelled = false;
  const now = (): Schemas["OperationOut"] => ({ ...task, state: cancelled ? "cancelled" : "running" });
  await visitor.intercept("list_operations", (route) => route.fulfill({ json: { items: [now()], next_cursor: null } }));
  await visitor.intercept("cancel_operation", (route) => {
    cancelled = true;
    return route.fulfill({ json: now() });
  });
  await visitor.open(at("settings/operations"));
  await visitor.tap(visitor.page.getByRole("button", { name: "إيقاف" }));
  assert.equal(cancelled, false);
  await visitor.tap(visitor.page.locator("dialog[open] .danger"));
  await visitor.page.locator("[data-testid=operation][data-state=cancelled]").waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});
