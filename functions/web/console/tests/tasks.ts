/** What people come for, from beginning to end: by keyboard only, and by touch on a small phone. */
import assert from "node:assert/strict";
import { giveSamples, template } from "./samples.ts";
import { browserTest, call, DESK, logInOf, PHONE, plain, problem, reach, stranger, tell, Visitor } from "./support.ts";

/** The call of this customer in the console: its decision is that of the dry run, by which it is tried again, and so is the message's text. */
async function expectDecision(visitor: Visitor, customer: string, verdict: string, text: string): Promise<void> {
  const { page } = visitor;
  const row = page.locator(".rows tr", { hasText: customer.slice(-4) });
  for (let look = 0; look < 30 && (await row.count()) === 0; look += 1) {
    await page.waitForTimeout(500);
    await visitor.open(`/app/${logInOf("manager").tenant}/calls`);
  }
  await row.getByRole("link").focus();
  await page.keyboard.press("Enter");
  await page.locator(".decision").waitFor();
  assert.equal(plain(await page.locator(".decision").innerText()).toLowerCase(), verdict.toLowerCase());
  await reach(visitor, "Try the rules on this call");
  await page.keyboard.press("Enter");
  assert.equal(plain(await visitor.see("verdict").innerText()).replace(/^.*?: /, "").toLowerCase(), verdict.toLowerCase());
  await page.goBack();
  await reach(visitor, "Open the message");
  await page.keyboard.press("Enter");
  await page.locator(".bubble").first().waitFor();
  assert.equal(await page.locator(".bubble").first().innerText(), text);
}

/** The dry run of an unsaved automation says what the real call then gets. */
browserTest("rule_by_keyboard_decides_calls_as_its_dry_run", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const { keyboard } = page;
  const customer = stranger();
  await visitor.open(`/app/${logInOf("manager").tenant}/automations`);
  await reach(visitor, "New automation");
  await keyboard.press("Enter");
  await page.waitForURL("**/automations/new");
  await visitor.settle();
  await reach(visitor, "Name");
  await keyboard.type("Busy line");
  for (const outcome of ["Missed", "Hung up", "Voicemail", "After hours"]) {
    await reach(visitor, outcome);
    await keyboard.press("Space");
  }
  await reach(visitor, "By");
  await keyboard.press("End");
  await reach(visitor, /^Text of the SMS/);
  await keyboard.type("{{tenant.name}}: we were on the telephone, {{contact.first_name|friend}}. Reply STOP for no more messages.");
  assert.equal(plain(await visitor.see("price").first().innerText()), "What it costs to a number of your country is not known.");
  await reach(visitor, "Outcome");
  await keyboard.type("Busy");
  await reach(visitor, "Number that calls");
  await keyboard.type(customer);
  await keyboard.press("Enter");
  const verdict = plain(await visitor.see("verdict").innerText()).replace(/^.*?: /, "");
  const text = await visitor.see("text").innerText();
  assert.match(text, /we were on the telephone, friend\./);
  assert.match(plain(await visitor.see("rules").innerText()), /Busy line \(as in the form\)\s+matches and decides/);
  await reach(visitor, "Save", "Shift+Tab");
  await keyboard.press("Enter");
  await page.waitForURL(/automations\/rule_/);
  await call(customer, "busy");
  await expectDecision(visitor, customer, verdict, text);
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("rule_by_touch_decides_calls_as_its_dry_run", async () => {
  const visitor = await Visitor.logIn("manager", { ...PHONE, language: "en" });
  const { page } = visitor;
  const customer = stranger();
  const write = async (label: string | RegExp, text: string) => {
    await visitor.tap(page.getByLabel(label, { exact: true }).first());
    await page.keyboard.insertText(text);
  };
  let reports = 0;
  await visitor.intercept("get_usage", async (route) => {
    reports += 1;
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), sms_price: { amount: "0.0934", currency: "USD" } } });
  });
  await visitor.open(`/app/${logInOf("manager").tenant}/automations`);
  await visitor.tap(page.getByRole("link", { name: "New automation" }));
  await write("Name", "Voicemail left");
  for (const outcome of ["Missed", "Busy", "Hung up", "After hours"]) await visitor.tap(page.getByLabel(outcome, { exact: true }));
  await page.getByLabel("By", { exact: true }).selectOption("sms");
  const preview = async () => plain(await visitor.see("sms").first().innerText());
  const sms = page.getByLabel(/^.?Text of the SMS.*English/);
  await sms.fill("x".repeat(161));
  await visitor.see("price").first().waitFor();
  assert.match(await preview(), /billed as 2 SMS\s+About \$0\.1868 to a number of your country$/);
  await sms.fill("Hello {{name}}, {{contact.first_nam|there}}, {{tenant.street}}");
  assert.deepEqual((await visitor.see("unknown").allInnerTexts()).map((said) => plain(said).replace(/.*saved\. /, "")), ["Write {{contact.name}} instead.", "Write {{contact.first_name}} instead.", "Take a value from “Insert a value”."]);
  await sms.fill("");
  assert.equal(await visitor.see("unknown").count(), 0);
  await write(/^.?Text of the SMS.*English/, "We got your message and call back. ");
  await visitor.tap(page.getByText("Insert a value"));
  await visitor.tap(page.getByRole("button", { name: "Name of the business" }));
  assert.match(await preview(), /We got your message and call back\. Console\s+42 characters, one SMS\s+About \$0\.0934 to a number of your country$/);
  assert.equal(reports, 1);
  await visitor.tap(page.getByRole("button", { name: "Try it" }));
  await page.getByLabel("Outcome", { exact: true }).selectOption("voicemail");
  await write("Number that calls", customer);
  await visitor.tap(page.getByRole("button", { name: "Try", exact: true }));
  const verdict = plain(await visitor.see("verdict").innerText()).replace(/^.*?: /, "");
  const text = await visitor.see("text").innerText();
  assert.match(text, /^We got your message and call back. Console$/);
  await visitor.tap(page.getByRole("button", { name: "Save" }));
  await page.waitForURL(/automations\/rule_/);
  await call(customer, "voicemail");
  await expectDecision(visitor, customer, verdict, text);
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("order_changes_by_keyboard_and_focus_stays", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const { tenant } = logInOf("manager");
  const names = () => page.locator(".rows .who").allInnerTexts();
  await visitor.open(`/app/${tenant}/automations`);
  const before = await names();
  assert.ok(before.length > 1, "there is nothing to put in order");
  await reach(visitor, /^Move .* down$/);
  await page.keyboard.press("Enter");
  await page.locator("[role=status]", { hasText: /place/ }).waitFor({ state: "attached" });
  assert.match(plain(await page.evaluate(() => document.activeElement?.textContent ?? "")), /down$/, "focus stays on the button");
  const [first, second, ...rest] = before;
  await visitor.open(`/app/${tenant}/automations`);
  assert.deepEqual(await names(), [second, first, ...rest]);
  await visitor.intercept("order_automations", (route) => route.fulfill(problem(409, "list_changed")));
  await page.getByRole("button", { name: /down$/ }).first().click();
  await page.locator("[data-kind=list_changed]").waitFor();
  visitor.expectQuiet(409);
  await visitor.leave();
});

/** Two people change different fields of an automation: the second one is told, keeps the input, and neither change is lost. */
browserTest("automation_that_somebody_else_changed_keeps_both_changes", async () => {
  const [one, other] = [await Visitor.logIn("manager"), await Visitor.logIn("admin")];
  const { tenant } = logInOf("manager");
  for (const visitor of [one, other]) {
    await visitor.open(`/app/${tenant}/automations`);
    await visitor.page.getByRole("link", { name: "Missed call" }).click();
    await visitor.page.getByLabel("Name", { exact: true }).waitFor();
  }
  const path = new URL(one.page.url()).pathname;
  await other.page.getByLabel("Not again within", { exact: true }).fill("25");
  await other.page.getByRole("button", { name: "Save" }).click();
  await other.page.getByText("Saved", { exact: true }).waitFor();
  const name = one.page.getByLabel("Name", { exact: true });
  await name.fill("Missed call, mine");
  await one.page.getByRole("button", { name: "Save" }).click();
  const next = one.see("theirs").getByRole("row", { name: "Time until the next follow-up" });
  assert.match(plain(await next.innerText()), /25 h\s*Save keeps this$/);
  assert.equal(await one.page.getByLabel("Not again within", { exact: true }).inputValue(), "25");
  assert.equal(await name.inputValue(), "Missed call, mine");
  await one.page.getByRole("button", { name: "Save" }).click();
  await one.page.getByText("Saved", { exact: true }).waitFor();
  await one.open(path);
  assert.equal(await name.inputValue(), "Missed call, mine");
  assert.equal(await one.page.getByLabel("Not again within", { exact: true }).inputValue(), "25");
  await one.page.getByText("Versions").click();
  await one.page.getByText("The admin").waitFor();
  for (const [place, name, change] of [[0, "Name", /\sMissed call\s+Missed call, mine$/], [1, "Time until the next follow-up", /\s24 h\s+25 h$/]] as const) {
    const row = one.page.locator("[data-testid^=version-]").nth(place).getByRole("row", { name });
    assert.match(plain(await row.innerText()), change);
  }
  await one.page.getByRole("button", { name: /^Take into the form/ }).last().click();
  assert.notEqual(await name.inputValue(), "Missed call, mine");
  assert.match(plain(await one.page.evaluate(() => document.activeElement?.textContent ?? "")), /^The form now has what version .* had\./);
  await one.page.getByRole("button", { name: "Compare" }).click();
  await one.see("replay").waitFor();
  one.expectQuiet(412);
  other.expectQuiet();
  for (const visitor of [one, other]) await visitor.leave();
});

browserTest("automation_that_cannot_be_saved_says_why_and_keeps_the_input", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("manager").tenant}/automations/new`);
  await page.getByLabel("Name", { exact: true }).fill("Kept");
  await page.getByLabel("By", { exact: true }).selectOption("sms");
  await page.getByLabel(/^.?Text of the SMS.*English/).fill("{{contact.nickname}}");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("[name='then.sms_text'][aria-invalid=true]").waitFor();
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute("name")), "then.sms_text");
  for (const [status, kind] of [[500, "internal"], [429, "too_many_requests"], [403, "forbidden"], [409, "limit_reached"]] as const) {
    await visitor.intercept("create_automation", (route) => route.fulfill(problem(status, kind)));
    await page.getByRole("button", { name: "Save" }).click();
    await page.locator(`[data-kind=${kind}]`).waitFor();
    assert.equal(await page.getByLabel("Name", { exact: true }).inputValue(), "Kept");
  }
  visitor.expectQuiet(422, 500, 429, 403, 409);
  await visitor.leave();
});

browserTest("automation_is_archived_and_restored_by_touch", async () => {
  const visitor = await Visitor.logIn("manager", { ...PHONE, language: "en" });
  const { page } = visitor;
  const { tenant } = logInOf("manager");
  await visitor.open(`/app/${tenant}/automations`);
  await visitor.tap(page.getByRole("link", { name: "Busy line" }));
  await visitor.tap(page.getByRole("button", { name: /^Archive/ }));
  await page.getByText("It is archived.").waitFor();
  await visitor.open(`/app/${tenant}/automations`);
  assert.equal(await page.getByRole("link", { name: "Busy line" }).count(), 0);
  await visitor.tap(page.getByRole("link", { name: "Show archived" }));
  await visitor.tap(page.getByRole("link", { name: "Busy line" }));
  await visitor.tap(page.getByRole("button", { name: /^Restore/ }));
  await page.getByRole("button", { name: /^Archive/ }).waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

/** The file in the header of a template is chosen of those that fit it. */
browserTest("header_of_a_template_gets_its_file", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  await giveSamples(visitor);
  const file = { bytes: 1, content_type: "image/png", created_at: "2026-11-20T10:00:00Z", download: null, reason: null, sha256: null, updated_at: "2026-11-20T10:00:00Z", upload: null };
  const files = [["ast_sign", "sign.png", "image", "ready"], ["ast_menu", "menu.pdf", "document", "ready"], ["ast_late", "late.png", "image", "scanning"]].map(([id, name, kind, state]) => ({ ...file, id, name, kind, state }));
  await visitor.intercept("list_assets", (route) => route.fulfill({ json: { items: files, next_cursor: null } }));
  await visitor.intercept("list_templates", (route) => route.fulfill({ json: { items: [{ ...template, content: { ...template.content, header: { media: "image" } } }], next_cursor: null } }));
  let answer = problem(422, "invalid", { errors: [{ field: "then.template.header_media", code: "required", detail: "x", facts: {} }] });
  const sent: { then: { template: object } }[] = [];
  await visitor.intercept("create_automation", (route) => {
    sent.push(route.request().postDataJSON());
    return route.fulfill(answer);
  });
  await visitor.open(`/app/${logInOf("manager").tenant}/automations/new`);
  await page.getByLabel("Name", { exact: true }).fill("With a picture");
  await page.getByLabel("Template for WhatsApp").selectOption("missed_call en_GB");
  const field = page.getByLabel("Image in the header");
  await field.waitFor();
  assert.deepEqual(await field.locator("option").allInnerTexts(), ["Choose a file", "sign.png"]);
  const save = page.getByRole("button", { name: "Save" });
  await save.click();
  await page.locator("[name='then.template.header_media'][aria-invalid=true]").waitFor();
  await field.selectOption("sign.png");
  answer = problem(409, "limit_reached");
  await save.click();
  await page.locator("[data-kind=limit_reached]").waitFor();
  assert.deepEqual(sent.map(({ then }) => (then.template as { header_media?: string }).header_media), [undefined, "ast_sign"]);
  visitor.expectQuiet(422, 409);
  await visitor.leave();
});

/** A template of the library becomes the WhatsApp message of the first automation. */
browserTest("template_of_the_library_is_chosen_in_the_set_up", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("manager").tenant}/set-up/text`);
  await page.getByRole("button", { name: "Choose a template" }).click();
  const changed = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.ok());
  // The business has templates of its own with the name of the first one.
  const use = page.getByRole("button", { name: "Use this one" }).last();
  const name = plain(await use.innerText()).replace(/^.*\s/, "");
  await use.click();
  const { then } = (await (await changed).json()) as { then: { channels: string[]; template: { name: string; variables: object } } };
  assert.equal(then.channels[0], "whatsapp");
  assert.equal(then.template.name, name);
  assert.deepEqual(Object.keys(then.template.variables), ["1", "2"]);
  await page.getByText(then.template.name).first().waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

/** A cap stops a follow-up. Once a manager has raised it, what it blocked is sent. */
browserTest("raised_cap_lets_blocked_messages_be_sent_again", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  const { tenant } = logInOf("manager");
  const setMaximum = async (maximum: string) => {
    await page.getByLabel("Maximum").fill(maximum);
    await page.getByRole("button", { name: "Save" }).click();
  };
  await visitor.open(`/app/${tenant}/settings/caps`);
  await page.getByLabel("Messages", { exact: true }).selectOption("follow_up");
  await page.getByLabel("In", { exact: true }).selectOption("month");
  await setMaximum("");
  await page.locator("[name=maximum][aria-invalid=true]").waitFor();
  await setMaximum("0");
  await page.getByText("The cap is set.").waitFor();
  await call(stranger(), "missed");
  const blocked = page.locator(".rows tr", { hasText: "Not sent" });
  for (let look = 0; look < 30 && (await blocked.count()) === 0; look += 1) {
    await page.waitForTimeout(500);
    await visitor.open(`/app/${tenant}/messages?state=blocked`);
  }
  await visitor.open(`/app/${tenant}/settings/caps`);
  const row = page.locator(".rows tr", { hasText: /Follow-ups to calls.*a month/ });
  await row.getByRole("button", { name: "Change" }).click();
  await setMaximum("500");
  await row.getByText(/ of .*500/).waitFor();
  await page.getByRole("button", { name: "Retry what caps blocked" }).click();
  const question = page.getByRole("dialog");
  assert.match(plain(await question.innerText()), /One message is sent again now\./);
  await question.getByRole("button", { name: "Send one message" }).click();
  await page.getByText("Nothing more was blocked.").waitFor();
  assert.match(plain(await visitor.see("retried").innerText()), /^1 sent again, 0 not\./);
  await row.getByRole("button", { name: "Remove" }).click();
  await question.getByRole("button", { name: "Remove the cap" }).click();
  await page.getByText("The cap is removed.").waitFor();
  await visitor.open(`/app/${tenant}/settings/caps`);
  await row.waitFor({ state: "detached" });
  visitor.expectQuiet();
  await visitor.leave();
});

browserTest("settings_of_messages_are_saved_and_shown_again", async () => {
  const visitor = await Visitor.logIn("manager");
  const { page } = visitor;
  const { tenant } = logInOf("manager");
  const save = async () => {
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Saved", { exact: true }).waitFor();
  };
  await visitor.open(`/app/${tenant}/settings/closures`);
  await page.getByRole("button", { name: "Add a holiday" }).click();
  await page.getByLabel("First day").fill("2030-12-02");
  await page.getByLabel("Hours", { exact: true }).fill("nine");
  await page.getByRole("button", { name: "Save" }).click();
  await page.locator("[name='holidays[0].hours'][aria-invalid=true]").waitFor();
  await page.getByLabel("Hours", { exact: true }).fill("9:00-12:00");
  await page.getByLabel("Quiet hours").selectOption("some");
  await page.getByLabel("Countries that may be written to").fill("ae, in");
  await save();
  await visitor.open(`/app/${tenant}/settings/closures`);
  assert.equal(await page.getByLabel("Hours", { exact: true }).inputValue(), "09:00-12:00");
  assert.equal(await page.getByLabel("Countries that may be written to").inputValue(), "AE, IN");
  await page.getByRole("button", { name: /^Remove/ }).click();
  await page.getByLabel("Quiet hours").selectOption("none");
  await page.getByLabel("Countries that may be written to").fill("");
  await save();

  await visitor.open(`/app/${tenant}/settings/words`);
  await page.getByLabel("New value: name").fill("address");
  await page.keyboard.press("Enter");
  await page.getByLabel("address", { exact: true }).fill("Pier 7");
  await save();
  await visitor.open(`/app/${tenant}/settings/words`);
  assert.equal(await page.getByLabel("address", { exact: true }).inputValue(), "Pier 7");
  await page.getByRole("button", { name: "Remove address" }).click();
  await save();
  await visitor.open(`/app/${tenant}/settings/words`);
  assert.equal(await page.getByLabel("address", { exact: true }).count(), 0);

  await visitor.open(`/app/${tenant}/settings/answers`);
  await page.getByLabel("answer who writes while the business is closed").check();
  const text = page.locator("[name='answers.after_hours.text']");
  await text.fill("We open at nine, ");
  await page.getByText("Insert a value").first().click();
  await page.getByRole("button", { name: "First name" }).first().click();
  assert.equal(await text.inputValue(), "We open at nine, {{contact.first_name|there}}");
  await save();
  await visitor.intercept("update_tenant", (route) => route.fulfill(problem(412, "stale")));
  await visitor.intercept("get_tenant", async (route) => {
    const answer = await route.fetch();
    await route.fulfill({ response: answer, json: { ...(await answer.json()), answers: { help: { enabled: false } } } });
  });
  await text.fill("Mine");
  await page.getByRole("button", { name: "Save" }).click();
  assert.match(plain(await visitor.see("theirs").innerText()), /automatic answers: .*Help[^]*Save keeps this/);
  assert.equal(await text.inputValue(), "Mine");
  visitor.expectQuiet(422, 412);
  await visitor.leave();
});

/** A message with its preview, by touch on a small phone, in Arabic. */
browserTest("message_is_previewed_and_sent_by_touch", async () => {
  const visitor = await Visitor.logIn("agent", PHONE);
  const { page } = visitor;
  await visitor.open(`/app/${logInOf("agent").tenant}/messages`);
  await visitor.tap(page.locator("a[href$='/messages/new']"));
  await visitor.tap(page.locator("[name=phone]"));
  // As people in the business's country write it.
  const customer = stranger();
  await page.keyboard.type(customer.replace("+971", "0"));
  await page.locator("[name=phone]").blur();
  assert.equal((await page.locator("form [role=status] .phone").innerText()).replace(/\s/g, ""), customer);
  await visitor.tap(page.locator("[name=channel][value=sms]"));
  await visitor.tap(page.locator("[name=sms_text], [name=text]").first());
  await page.keyboard.insertText("طلبك جاهز");
  await visitor.tap(page.locator("[name=basis]"));
  await page.keyboard.insertText("Order 1042");
  await visitor.tap(page.locator("form button"));
  await visitor.see("verdict").waitFor();
  assert.equal(await visitor.see("text").innerText(), "طلبك جاهز");
  await visitor.tap(page.locator("form button"));
  await page.waitForURL(/messages\/msg_/);
  await page.getByText("طلبك جاهز").first().waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

/** Who has just called has asked, which is ground enough. */
browserTest("message_is_previewed_and_sent_by_keyboard", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const { tenant } = logInOf("agent");
  const customer = stranger();
  await call(customer, "missed");
  for (let look = 0; look < 30 && (await visitor.see("ground").count()) === 0; look += 1) {
    await page.waitForTimeout(500);
    await visitor.open(`/app/${tenant}/messages/new?phone=${encodeURIComponent(customer)}`);
  }
  await visitor.open(`/app/${tenant}/messages`);
  await reach(visitor, "New message");
  await page.keyboard.press("Enter");
  await reach(visitor, "To");
  await page.keyboard.type(customer);
  await reach(visitor, "Text");
  await page.keyboard.type("Your order is ready.");
  await visitor.see("ground").waitFor();
  assert.equal(await page.locator("[name=basis]").count(), 0);
  await reach(visitor, "Preview");
  await page.keyboard.press("Enter");
  assert.equal((await visitor.see("receiver").locator(".phone").innerText()).replace(/\s/g, ""), customer);
  assert.match(plain(await visitor.see("verdict").innerText()), /^It would be sent/);
  await reach(visitor, "Send now");
  await page.keyboard.press("Enter");
  await page.waitForURL(/messages\/msg_/);
  await page.getByText("Your order is ready.").first().waitFor();
  visitor.expectQuiet();
  await visitor.leave();
});

/** What a customer writes is read, taken and closed. Whoever is too late to close it sees what has arrived meanwhile, and closes nothing unseen. */
browserTest("conversation_is_read_assigned_and_closed", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const { tenant } = logInOf("agent");
  const customer = stranger();
  const write = (text: string) => tell("/replies", { tenant, from: customer, channel: "whatsapp", text, wait: true });
  const row = page.locator(".rows tr", { hasText: customer.slice(-4) });
  const find = async (address: string) => {
    for (let look = 0; look < 30 && (await row.count()) === 0; look += 1) {
      await page.waitForTimeout(500);
      await visitor.open(`/app/${tenant}/${address}`);
    }
  };
  await write("Do you have it in red?");
  await find("inbox?view=unassigned&waiting=true&unread=true");
  assert.match(plain(await row.innerText()), /Do you have it in red\?[^]*1 unread[^]*waiting since[^]*texts of your own until[^]*nobody/);
  const read = page.waitForResponse((answer) => answer.url().endsWith("/read") && answer.ok());
  await row.getByRole("link").first().click();
  await page.locator(".thread .bubble", { hasText: "Do you have it in red?" }).waitFor();
  await read;
  assert.equal((await visitor.see("receiver").innerText()).replace(/[^+\d]/g, ""), customer);
  const taken = page.waitForResponse((answer) => answer.request().method() === "PATCH" && answer.ok());
  await page.getByRole("button", { name: "Assign to me" }).click();
  await page.locator("select[name=assignee_id] option:checked", { hasText: "you" }).waitFor({ state: "attached" });

  // A message arrives that the page has not read yet.
  const known = (await (await taken).json()) as { seq: number };
  const arrived = Promise.withResolvers<void>();
  let late = true;
  await visitor.intercept("get_conversation", async (route) => {
    const answer = await route.fetch();
    if (((await answer.json()) as typeof known).seq > known.seq) arrived.resolve();
    await route.fulfill(late ? { json: known } : { response: answer });
  });
  await visitor.intercept("change_conversation", (route) => {
    late = false;
    return route.fallback();
  });
  await write("Or in blue?");
  await arrived.promise;
  const seen = page.waitForResponse((answer) => answer.url().endsWith("/read") && answer.ok());
  await page.getByRole("button", { name: "Close" }).click();
  await visitor.see("theirs").waitFor();
  await page.locator(".thread .bubble", { hasText: "Or in blue?" }).waitFor();
  await seen;
  await page.getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Open again" }).waitFor();
  await page.locator("[data-back]").click();
  await visitor.settle();
  assert.equal(await row.count(), 0);
  await find("inbox?view=mine&state=closed");
  assert.match(plain(await row.innerText()), /Closed[^]*you/);
  visitor.expectQuiet(412);
  await visitor.leave();
});
