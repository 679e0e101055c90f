/** Whoever operates the platform creates a business, finds it by its name, suspends it and resumes it. */
import assert from "node:assert/strict";
import { browserTest, DESK, linkMailedTo, operatorLogIn, problem, stack, stranger, until, Visitor } from "./support.ts";

/** Accepts the invitation that was mailed to this address. */
async function accept(email: string, password: string): Promise<void> {
  const token = new URLSearchParams((await linkMailedTo(email)).split("?")[1]).get("token");
  const body = JSON.stringify({ token, name: "Maya", password });
  const answer = await fetch(`${stack}/api/v1/users/invitations/accept`, { method: "POST", headers: { "content-type": "application/json" }, body });
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}

browserTest("business_is_created_found_suspended_and_resumed", async () => {
  const mark = stranger().slice(-8);
  const [name, email, password] = [`Lantern ${mark}`, `lantern-${mark}@corner.example`, "seven quiet lanterns of brass"];
  const visitor = await Visitor.arrive(DESK);
  const { page } = visitor;
  await visitor.enter(operatorLogIn());
  let proven = false;
  await visitor.intercept("list_platform_tenants", (route) => (proven ? route.fallback() : route.fulfill(problem(403, "second_factor_needed"))));
  await visitor.open("/app/platform");
  await page.getByRole("link", { name: "Second factor" }).click();
  await page.locator("[data-testid=factor][data-state=on]").waitFor();
  proven = true;

  await visitor.open("/app/account");
  await page.getByRole("link", { name: "Businesses", exact: true }).click();
  await page.getByRole("link", { name: "New business" }).click();
  await page.getByLabel("Name of the business").fill(name);
  await page.getByLabel("E-mail address of the first administrator").fill(email);
  await page.getByRole("button", { name: "Create and invite" }).click();
  const state = (word: string) => page.locator(`[data-testid=status][data-state=${word}]`).waitFor();
  await state("active");
  await accept(email, password);

  const admin = await Visitor.arrive(DESK);
  await admin.enter({ email, password });
  const isSuspended = async () => {
    // Whoever opens the page more often is refused for it.
    await admin.page.waitForTimeout(4_000);
    await admin.open(`/app/lantern-${mark}`);
    return (await admin.see("suspended").count()) > 0;
  };
  assert.equal(await isSuspended(), false);
  await admin.open("/app/platform");
  await admin.see("forbidden").waitFor();

  // The list may lag.
  await until("business of this name", async () => {
    await visitor.open("/app/platform");
    await page.getByRole("searchbox", { name: "Find" }).fill(`LANTERN ${mark}`);
    await page.keyboard.press("Enter");
    await page.waitForURL(/name=/);
    await visitor.settle();
    return (await visitor.see("tenant").count()) === 1;
  });
  await page.getByRole("link", { name }).click();
  await state("active");
  await page.getByLabel("Reason").fill("Invoice 1042 is unpaid");
  await page.getByRole("button", { name: "Suspend" }).click();
  await state("suspended");
  // Whoever is logged in is refused within half a minute.
  await until("page of a suspended business", isSuspended);
  assert.equal(await admin.page.locator("[data-menu]").count(), 0);

  await page.getByRole("button", { name: "Resume" }).click();
  await state("active");
  await until("business that is active again", async () => !(await isSuspended()));
  for (const person of [visitor, admin]) {
    person.expectQuiet(403);
    await person.leave();
  }
});
