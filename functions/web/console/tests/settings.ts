/** Lines and connections: made, changed, and deleted. */
import assert from "node:assert/strict";
import type { components } from "../app/api/contract.d.ts";
import { call, callEntry } from "./samples.ts";
import { browserTest, logInOf, plain, problem, stranger, Visitor } from "./support.ts";

type Schemas = components["schemas"];

const at = (page: string): string => `/app/${logInOf("manager").tenant}/settings/${page}`;

browserTest("line_is_made_changed_and_deleted", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  const number = stranger();
  const names = [`Kiosk ${number}`, `Pier ${number}`] as const;
  const name = page.getByLabel("Name", { exact: true });
  await visitor.open(at("lines/new"));
  await name.fill(names[0]);
  await page.getByLabel("Number", { exact: true }).selectOption("other");
  await page.getByLabel("Another number").fill(number);
  await page.getByRole("button", { name: "Create the line" }).click();
  await page.getByRole("link", { name: names[0] }).click();
  await name.fill(names[1]);
  await page.getByLabel("its own").check();
  await page.getByLabel("At these hours").check();
  await page.getByLabel("Monday").fill("9:00-12:00");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("Saved", { exact: true }).waitFor();
  await visitor.open(new URL(page.url()).pathname);
  assert.equal(await name.inputValue(), names[1]);
  assert.equal(await page.getByLabel("Monday").inputValue(), "09:00-12:00");

  // Somebody else gives it other hours, which stay.
  await visitor.intercept("update_line", (route) => route.fulfill(problem(412, "stale")));
  await visitor.intercept("get_line", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), business_hours: null } });
  });
  await name.fill("Mine");
  await page.getByRole("button", { name: "Save" }).click();
  assert.match(plain(await visitor.see("theirs").getByRole("row", { name: "hours" }).innerText()), /Monday: 09:00 – 12:00\s*–\s*Save keeps this$/);
  assert.equal(await name.inputValue(), "Mine");
  assert.equal(await visitor.see("problem").count(), 0);
  await page.getByRole("button", { name: "Delete the line" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.waitForURL("**/settings/lines");
  await page.getByRole("link", { name: "New line" }).waitFor();
  assert.equal(await page.getByRole("link", { name: names[1] }).count(), 0);
  visitor.expectQuiet(412);
  await visitor.leave();
});

/** In one step; if the line is refused, the next try finds the number at the connection. */
browserTest("number_of_a_new_line_is_added_to_its_connection", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  const called = "+97145550198";
  const shared = { account: {}, health: { state: "healthy" }, kind: "twilio", last_test: null };
  const first = { ...shared, id: "conn_first", name: "First", numbers: ["+97145550100"] };
  const second = { ...shared, id: "conn_second", name: "Second", numbers: ["+97145550101"] };
  const writes: object[] = [];
  let accepts = false;
  await visitor.intercept("list_connections", (route) => route.fulfill({ json: { items: [first, second], next_cursor: null } }));
  await visitor.intercept("get_connection", (route) => route.fulfill({ json: second, headers: { etag: '"7"' } }));
  await visitor.intercept("update_connection", (route) => {
    const body = route.request().postDataJSON() as { numbers: string[] };
    writes.push({ ...body, at: route.request().url().split("/").at(-1), tag: route.request().headers()["if-match"] });
    second.numbers = body.numbers;
    return route.fulfill({ json: second });
  });
  await visitor.intercept("create_line", (route) => {
    writes.push({ line: (route.request().postDataJSON() as { number: string }).number });
    return route.fulfill(accepts ? { status: 201, json: {} } : problem(503, "unavailable"));
  });
  await visitor.open(at(`lines/new?number=${encodeURIComponent(called)}&connection=conn_second`));
  const choice = page.getByLabel("Number", { exact: true });
  assert.deepEqual((await choice.locator("option").allInnerTexts()).map(plain), ["none", "+97145550100", "+97145550101", "another number"]);
  assert.equal(await page.getByLabel("Another number").inputValue(), called);
  assert.equal(await page.getByLabel("Connection that its calls reach").inputValue(), "conn_second");
  await page.getByLabel("Name", { exact: true }).fill("Kiosk");
  await page.getByRole("button", { name: "Create the line" }).click();
  await page.getByText("A connection has this number").waitFor();
  accepts = true;
  await page.getByRole("button", { name: "Create the line" }).click();
  await page.waitForURL("**/settings/lines");
  assert.deepEqual(writes, [{ numbers: ["+97145550101", called], at: "conn_second", tag: '"7"' }, { line: called }, { line: called }]);
  visitor.expectQuiet(503);
  await visitor.leave();
});

browserTest("secret_of_a_connection_is_rotated", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  await visitor.open(at("connections/new"));
  await page.locator("select[name=kind]").selectOption("telephony");
  await page.locator("main form button:not([type=button])").last().click();
  const first = await visitor.see("secret").innerText();
  await page.getByRole("link", { name: "Test the connection" }).click();
  await page.getByText("Rotate the secret").click();
  await page.getByRole("button", { name: "Rotate", exact: true }).click();
  const second = visitor.see("secret");
  await second.waitFor();
  assert.notEqual(await second.innerText(), first);
  await visitor.see("rotating").waitFor();
  // Whoever comes back finds the rotation that is not finished, and no secret.
  await visitor.open(new URL(page.url()).pathname);
  await visitor.see("rotating").waitFor();
  assert.equal(await second.count(), 0);
  await page.getByRole("button", { name: "Finish the rotation" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Finish the rotation" }).click();
  await page.getByText("Only the new secret is valid now.").waitFor();
  await visitor.see("rotating").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete the connection" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Delete/ }).click();
  await page.waitForURL("**/settings/connections");
  visitor.expectQuiet();
  await visitor.leave();
});

/** Whoever pasted the addresses of Twilio, and said that something else answers calls, learns why nothing followed, and mends it. */
browserTest("calls_ring_where_the_form_says_or_the_cause_is_named", async () => {
  const visitor = await Visitor.logIn("admin");
  const { page } = visitor;
  const id = stranger().slice(1).padStart(32, "0");
  const handling = page.locator("select[name='voice.handling']");
  const answerOf = (method: string) => page.waitForResponse((answer) => answer.request().method() === method && answer.url().includes("/api/v1/connections") && answer.ok());
  await visitor.open(at("connections/new"));
  await page.locator("select[name=kind]").selectOption("twilio");
  assert.equal(await handling.inputValue(), "forward");
  for (const [name, text] of [["voice.forward_to", "+971 50 555 3913"], ["voice.forward_timeout_seconds", "15"], ["account_sid", `AC${id}`], ["numbers", stranger()]] as const) {
    await page.locator(`[name="${name}"]`).fill(text);
  }
  for (const [name, text] of [["auth_token", `token-${id}`], ["api_key_sid", `SK${id}`], ["api_key_secret", `secret-${id}`]] as const) await page.locator(`[name="credentials.${name}"]`).fill(text);
  const made = answerOf("POST");
  await page.locator("main form button:not([type=button])").last().click();
  const { connection } = (await (await made).json()) as Schemas["ConnectionMade"];
  assert.deepEqual([connection.voice?.handling, connection.voice?.forward_to, connection.voice?.forward_timeout_seconds], ["forward", "+971505553913", 15]);
  const address = page.getByText("a call comes in · POST");
  await address.waitFor();

  await page.getByRole("link", { name: "Test the connection" }).click();
  await page.getByText("Name, numbers and where calls ring").click();
  await handling.selectOption("own_flow");
  const save = page.locator("details:has(select[name='voice.handling']) form > button");
  await save.click();
  await page.getByText("It works from the next call on").waitFor();
  await address.waitFor({ state: "detached" });

  const silent = { outcome: "unknown", code: "unknown_outcome", facts: {}, message: null, message_id: null, at: new Date().toISOString() } as const;
  await visitor.intercept("list_calls", (route) => route.fulfill({ json: { items: [{ ...callEntry, ...silent }], next_cursor: null } }));
  await visitor.intercept("get_call", (route) => route.fulfill({ json: { ...call, ...silent, connection_id: connection.id, reported: { ...call.reported, handling: "own_flow" } } }));
  await visitor.open(`/app/${logInOf("admin").tenant}/set-up/try`);
  await visitor.see("cause").getByText("something else answers your calls").waitFor();
  await page.getByRole("link", { name: "Open the connection" }).click();
  await handling.selectOption("voicemail");
  await page.locator("[name^='voice.greeting.']").first().fill("Please leave a message.");
  const mended = answerOf("PATCH");
  await save.click();
  const { voice } = (await (await mended).json()) as Schemas["ConnectionOut"];
  assert.deepEqual([voice?.handling, voice?.greeting?.map(({ text }) => text)], ["voicemail", ["Please leave a message."]]);
  await page.getByRole("button", { name: "Delete the connection" }).click();
  await page.getByRole("dialog").getByRole("button", { name: /^Delete/ }).click();
  await page.waitForURL("**/settings/connections");
  visitor.expectQuiet();
  await visitor.leave();
});
