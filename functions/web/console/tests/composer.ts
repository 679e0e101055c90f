/** Replies and notes: each reaches whom it is for once, and what is not sent stays. */
import assert from "node:assert/strict";
import { ask, browserTest, call, DESK, logInOf, PHONE, phones, plain, problem, stranger, tell, until, Visitor } from "./support.ts";

interface Sent {
  body?: string;
  template?: { name: string; parameters: string[] };
  channel: string;
}
interface Listed {
  id: string;
  last: { call?: Party; message?: Party } | null;
}
interface Party {
  customer: { number: string } | null;
}

const { tenant } = logInOf("agent");

function write(from: string, text: string, channel = "whatsapp"): Promise<void> {
  return tell("/replies", { tenant, from, channel, text, wait: true });
}

/** The path of the conversation with this customer, once there is one. */
function conversationWith(customer: string): Promise<string> {
  return until("conversation", async () => {
    const { items } = await ask<{ items: Listed[] }>("conversations?state=open&limit=20");
    const found = items.find(({ last }) => (last?.message ?? last?.call)?.customer?.number === customer);
    return found && `/app/${tenant}/inbox/${found.id}`;
  });
}

/** What the customer's phone has got from people of the business. */
async function got(customer: string): Promise<Sent[]> {
  return (await (await fetch(`${phones}/outbox?tenant=${tenant}&to=${encodeURIComponent(customer)}`)).json()) as Sent[];
}

async function expectOne(customer: string, text: string): Promise<void> {
  await until(`“${text}” on the phone`, async () => (await got(customer)).some(({ body }) => body === text));
  // A second one would come as fast.
  await new Promise((resume) => setTimeout(resume, 1_500));
  assert.deepEqual((await got(customer)).flatMap(({ body }) => body ?? []).filter((body) => body === text), [text]);
}

function box({ page }: Visitor) {
  return page.getByLabel("Text of the reply");
}

async function reply(visitor: Visitor, text: string): Promise<void> {
  await box(visitor).fill(text);
  await box(visitor).press("Enter");
}

browserTest("composer_reply_reaches_the_phone_once", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const customer = stranger();
  await write(customer, "Do you have it in red?");
  await visitor.open(await conversationWith(customer));
  assert.match(plain(await visitor.see("window").innerText()), /^WhatsApp takes texts of your own until .*, (24 h 0 min|23 h \d+ min)$/);
  // An input method takes its own keys, and a new line is none of its.
  await box(visitor).fill("Yes");
  await box(visitor).evaluate((area) => area.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", isComposing: true, bubbles: true, cancelable: true })));
  await box(visitor).press("Shift+Enter");
  await page.keyboard.type("in S and M");
  assert.equal(await box(visitor).inputValue(), "Yes\nin S and M");
  // Nobody hears the first answer.
  let lost = 0;
  const keys: (string | undefined)[] = [];
  await visitor.intercept("send_reply", async (route) => {
    keys.push(route.request().headers()["idempotency-key"]);
    if (lost > 0) return route.fallback();
    lost += 1;
    await route.fetch();
    await route.abort();
  });
  await box(visitor).press("Enter");
  await box(visitor).press("Enter");
  await visitor.see("problem").waitFor();
  assert.equal(await box(visitor).inputValue(), "Yes\nin S and M");
  await page.getByRole("button", { name: "Send", exact: true }).dblclick();
  await page.locator(".thread .sent .bubble", { hasText: "in S and M" }).waitFor();
  await expectOne(customer, "Yes\nin S and M");
  assert.equal(new Set(keys).size, 1);
  assert.equal(await box(visitor).inputValue(), "");
  // The same words, meant once more.
  await reply(visitor, "Yes\nin S and M");
  await until("second message", async () => (await got(customer)).filter(({ body }) => body === "Yes\nin S and M").length === 2);
  // Two in a row, of which the second waits for the first.
  const first = Promise.withResolvers<void>();
  await visitor.intercept("send_reply", (route) => first.promise.then(() => route.fallback()));
  await until("a box for the next one", async () => (await box(visitor).inputValue()) === "");
  await reply(visitor, "One moment.");
  await until("the first one to leave the box", async () => (await box(visitor).inputValue()) === "");
  await reply(visitor, "It is here.");
  first.resolve();
  for (const text of ["One moment.", "It is here."]) await expectOne(customer, text);
  // As an answer to one message.
  await page.getByRole("button", { name: "Answer this" }).first().click();
  await visitor.see("quote").getByText("Do you have it in red?").waitFor();
  await page.keyboard.press("Escape");
  assert.equal(await visitor.see("quote").count(), 0);
  await page.getByRole("button", { name: "Answer this" }).first().click();
  const quoted = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/messages"));
  await reply(visitor, "In red, too.");
  assert.match((await quoted).postDataJSON().reply_to, /^msg_/);
  await expectOne(customer, "In red, too.");
  await visitor.leave();
});

browserTest("composer_shows_a_colleagues_reply_before_a_second_one", async () => {
  const [one, other] = [await Visitor.logIn("agent", DESK), await Visitor.logIn("manager", DESK)];
  const customer = stranger();
  await write(customer, "Are you open tonight?");
  const path = await conversationWith(customer);
  for (const visitor of [one, other]) await visitor.open(path);
  await box(other).fill("Yes, until ten.");
  await reply(one, "Yes, until eleven.");
  await expectOne(customer, "Yes, until eleven.");
  // Also if it stands in the thread by now.
  await other.page.locator(".thread .bubble", { hasText: "until eleven" }).waitFor();
  await box(other).press("Enter");
  await other.see("missed").getByText("Yes, until eleven.").waitFor();
  assert.equal(await box(other).inputValue(), "Yes, until ten.");
  assert.deepEqual((await got(customer)).flatMap(({ body }) => body ?? []), ["Yes, until eleven."]);
  // Whoever has read it sends what still fits.
  await reply(other, "See you tonight.");
  await expectOne(customer, "See you tonight.");
  assert.equal(await other.see("missed").count(), 0);
  for (const visitor of [one, other]) await visitor.leave();
});

browserTest("composer_draft_survives_a_reload_and_another_tab", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const customer = stranger();
  await write(customer, "Hello?");
  const path = await conversationWith(customer);
  await visitor.open(path);
  const saved = (text: string) => visitor.page.waitForResponse((answer) => answer.request().method() === "PUT" && answer.request().postDataJSON()?.text === text && answer.ok());
  const first = saved("Hello, we");
  await box(visitor).fill("Hello, we");
  await first;
  await visitor.open(path);
  assert.equal(await box(visitor).inputValue(), "Hello, we");
  const tab = await visitor.context.newPage();
  await tab.goto(path);
  const second = tab.getByLabel("Text of the reply");
  await tab.waitForFunction(() => document.querySelector("textarea")?.value === "Hello, we");
  // One tab goes on, and so does the other before it knows.
  const kept = saved("Hello, we are here");
  await visitor.page.route((url) => url.pathname.endsWith("/draft"), async (route) => {
    if (route.request().method() === "PUT") await second.fill("Hello, we call");
    await route.fallback();
  }, { times: 1 });
  await box(visitor).fill("Hello, we are here");
  await kept;
  await tab.getByTestId("other-draft").getByText("Hello, we are here").waitFor();
  assert.equal(await second.inputValue(), "Hello, we call");
  await tab.getByRole("button", { name: "Take the other one" }).click();
  assert.equal(await second.inputValue(), "Hello, we are here");
  await box(visitor).press("Enter");
  await expectOne(customer, "Hello, we are here");
  await tab.waitForFunction(() => document.querySelector("textarea")?.value === "");
  await visitor.open(path);
  assert.equal(await box(visitor).inputValue(), "");
  await visitor.leave();
});

/** The device's clock is an hour fast. */
browserTest("composer_changes_when_the_window_ends", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const customer = stranger();
  await write(customer, "Is my order ready?");
  const path = await conversationWith(customer);
  await visitor.context.addInitScript(() => { const now = Date.now.bind(Date); Date.now = () => now() + 3_600_000; });
  const end = Date.now() + 20_000;
  for (const operation of ["get_conversation", "mark_conversation_read"] as const) {
    await visitor.intercept(operation, async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), window_closes_at: new Date(end).toISOString() } });
    });
  }
  await visitor.open(path);
  const loaded = await page.evaluate(() => performance.timeOrigin);
  assert.match(plain(await visitor.see("window").innerText()), /, 0 h 1 min$/);
  await box(visitor).fill("Yes, it is.");
  await visitor.see("template-preview").waitFor();
  assert.ok(Date.now() >= end - 1_500, "the window has ended too early");
  assert.equal(await page.evaluate(() => performance.timeOrigin), loaded);
  assert.match(plain(await visitor.see("window").innerText()), /^WhatsApp has taken no texts of your own since/);
  assert.equal(await box(visitor).inputValue(), "Yes, it is.");
  for (const value of await page.getByLabel(/^Value /).all()) await value.fill("12");
  const shown = plain(await visitor.see("template-preview").locator(".bubble").innerText());
  assert.ok(!shown.includes("{{"), shown);
  await page.getByRole("button", { name: "Send", exact: true }).click();
  const sent = await until("template on the phone", async () => (await got(customer)).find(({ template }) => template));
  for (const value of sent.template?.parameters ?? []) assert.ok(shown.includes(plain(value)), `${value} in ${shown}`);
  assert.equal(await box(visitor).inputValue(), "Yes, it is.");
  await visitor.leave();
});

/** Meta refuses what was accepted here: the simulated Meta knows of no message from this customer. */
browserTest("composer_gives_back_what_whatsapp_refuses_late", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const customer = stranger();
  const [wa_id, timestamp] = [customer.slice(1), String(Math.floor(Date.now() / 1000))];
  const value = { contacts: [{ profile: { name: "Noor" }, wa_id }], messages: [{ from: wa_id, id: `wamid.${wa_id}`, timestamp, type: "text", text: { body: "Are you there?" } }] };
  await tell("/webhooks", { tenant, field: "messages", value, wait: true });
  await visitor.open(await conversationWith(customer));
  await reply(visitor, "Yes, we are.");
  await visitor.see("lost").waitFor();
  assert.equal(await box(visitor).inputValue(), "Yes, we are.");
  assert.deepEqual(await got(customer), []);
  // The same text, sent again, is refused at once, with what can be said instead.
  await visitor.see("template-preview").waitFor();
  await visitor.leave();
});

browserTest("composer_canned_reply_takes_two_keys", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const customer = stranger();
  const mark = customer.slice(-4);
  await ask("canned-replies", "POST", { name: `Parking${mark}`, text: { en: "Hello {{contact.first_name|there}}, {{tenant.name}} has places behind the house.", ar: "المواقف خلف المبنى." } });
  await ask("canned-replies", "POST", { name: `Table${mark}`, text: "A table for {{contact.name}}" });
  await write(customer, "Where can I park?");
  await visitor.open(await conversationWith(customer));
  const first = await ask<{ items: { name: string }[] }>("canned-replies");
  const place = first.items.findIndex(({ name }) => name === `Parking${mark}`) + 1;
  await page.keyboard.press(`Alt+${place}`);
  await page.waitForFunction(() => document.querySelector("textarea")?.value.includes("places"));
  await page.keyboard.press("Enter");
  const sent = await until("canned reply on the phone", async () => (await got(customer)).find(({ body }) => body?.includes("places behind")));
  assert.match(sent.body ?? "", /^Hello [^{}]+, Console has places behind the house\.$/);
  // By its name, and with a value that is missing.
  await visitor.intercept("get_conversation", async (route) => {
    const answer = await route.fetch();
    const one = (await answer.json()) as { profile: object };
    await route.fulfill({ response: answer, json: { ...one, profile: { ...one.profile, name: null } } });
  });
  await visitor.intercept("preview_message", (route) => route.fulfill(problem(409, "message_refused")));
  await visitor.open(new URL(page.url()).pathname);
  await box(visitor).pressSequentially(`/table${mark}`);
  await page.getByRole("listbox").getByRole("option").first().waitFor();
  assert.equal(await page.getByRole("listbox").getByRole("option").count(), 1);
  await page.keyboard.press("Enter");
  assert.equal(await box(visitor).inputValue(), "A table for {{contact.name}}");
  await visitor.see("missing").waitFor();
  await page.keyboard.type("two");
  assert.equal(await box(visitor).inputValue(), "A table for two");
  await box(visitor).fill("/");
  await page.keyboard.press("Escape");
  assert.equal(await page.getByRole("listbox").getByRole("option").count(), 0);
  assert.equal(await box(visitor).inputValue(), "/");
  await visitor.leave();
});

browserTest("composer_note_with_a_mention_stays_inside", async () => {
  // Agents do not read the users of the business, and know the names of their colleagues.
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const customer = stranger();
  await write(customer, "Can I pay by card?");
  await visitor.open(await conversationWith(customer));
  await page.getByRole("button", { name: "Note", exact: true }).click();
  const note = page.getByLabel("Text of the note");
  await note.pressSequentially("Please ask @");
  await page.getByRole("listbox").getByRole("option").first().waitFor();
  await page.keyboard.press("Enter");
  await page.keyboard.type("about the card.");
  const text = await note.inputValue();
  const added = page.waitForRequest((request) => request.method() === "POST" && request.url().endsWith("/notes"));
  await page.keyboard.press("Enter");
  assert.equal((await added).postDataJSON().mentions.length, 1);
  await page.locator(".thread .note", { hasText: "about the card." }).waitFor();
  assert.equal(await note.inputValue(), "");
  await new Promise((resume) => setTimeout(resume, 1_500));
  assert.ok(!(await got(customer)).some(({ body }) => body?.includes("card.")), text);
  // One's own note is changed, and deleted after a question.
  await page.getByRole("button", { name: "Change", exact: true }).click();
  const changed = page.locator(".thread textarea");
  await changed.fill("Cash only.");
  const patched = page.waitForRequest((request) => request.method() === "PATCH");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  assert.deepEqual((await patched).postDataJSON(), { text: "Cash only.", mentions: [] });
  await page.locator(".thread .note", { hasText: "Cash only." }).waitFor();
  await changed.waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete the note" }).first().click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete the note" }).click();
  await page.locator(".thread .note").waitFor({ state: "detached" });
  visitor.expectQuiet();
  await visitor.leave();
});

/** By touch, in Arabic: a file with its text, then a customer who has only called. */
browserTest("composer_by_touch_sends_a_file_and_begins_after_a_call", async () => {
  const visitor = await Visitor.logIn("agent", PHONE);
  const { page } = visitor;
  const [customer, caller] = [stranger(), stranger()];
  await write(customer, "صورة من فضلك");
  await visitor.open(await conversationWith(customer));
  const text = page.getByLabel("نص الرد");
  const completed = page.waitForResponse((answer) => answer.url().endsWith("/complete") && answer.ok());
  await page.locator("input[type=file]").setInputFiles({ name: "table.jpg", mimeType: "image/jpeg", buffer: Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 0x10]), Buffer.from("JFIF\0 the table")]) });
  await completed;
  await visitor.see("file").waitFor();
  await text.fill("طاولتك");
  const sent = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/messages"));
  await visitor.tap(page.getByRole("button", { name: "إرسال", exact: true }));
  assert.equal((await sent).status(), 201);
  await until("file on the phone", async () => (await got(customer)).length > 0);
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "nothing is wider than the phone");

  await call(caller, "missed");
  await visitor.open(await conversationWith(caller));
  await visitor.see("window").waitFor();
  const before = (await got(caller)).length;
  const begun = page.waitForResponse((answer) => answer.request().method() === "POST" && answer.url().endsWith("/api/v1/conversations"));
  await page.getByRole("button", { name: "إرسال", exact: true }).waitFor();
  if (await visitor.see("template-preview").count()) for (const value of await page.getByLabel(/^القيمة/).all()) await value.fill("12");
  else await text.fill("نتصل بك");
  await visitor.tap(page.getByRole("button", { name: "إرسال", exact: true }));
  assert.equal((await begun).status(), 201);
  await until("message on the phone", async () => (await got(caller)).length > before);
  await visitor.leave();
});
