/** From nothing to an answered call, an invitation, and a connection that the provider refuses: by keyboard only, and by touch on a small phone. */
import assert from "node:assert/strict";
import type { Page, Response } from "playwright-core";
import { browserTest, call, DESK, linkMailedTo, logInOf, PHONE, stranger, tell, Visitor, type Look } from "./support.ts";

const PASSWORD = "seven quiet lanterns";

/** One way to use a page, which counts what a person does. */
abstract class Hand {
  fields = 0;
  presses = 0;
  protected readonly page: Page;
  protected readonly visitor: Visitor;

  constructor(visitor: Visitor) {
    this.visitor = visitor;
    this.page = visitor.page;
  }

  async type(selector: string, text: string): Promise<void> {
    this.fields += 1;
    await this.reach(selector);
    await this.page.locator(`${selector}:focus`).waitFor();
    // What is there already is replaced.
    await this.page.keyboard.press("ControlOrMeta+a");
    await this.page.keyboard.type(text);
  }

  async press(selector: string): Promise<void> {
    this.presses += 1;
    await this.page.locator(selector).first().waitFor();
    await this.activate(selector);
  }

  /** One of several choices that are all in sight. */
  async check(name: string, value: string): Promise<void> {
    this.presses += 1;
    await this.mark(`input[type=radio]${name}`, `[value=${value}]`);
    await this.page.locator(`input[type=radio]${name}[value=${value}]:checked`).waitFor();
  }

  abstract choose(selector: string, value: string): Promise<void>;
  protected abstract mark(group: string, one: string): Promise<void>;
  protected abstract reach(selector: string): Promise<void>;
  protected abstract activate(selector: string): Promise<void>;
}

class Keyboard extends Hand {
  protected async reach(selector: string): Promise<void> {
    await this.page.locator(selector).first().waitFor();
    for (let step = 0; step < 150; step += 1) {
      if (await this.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
      await this.page.keyboard.press("Tab");
    }
    assert.fail(`Tab does not lead to ${selector}`);
  }

  protected async activate(selector: string): Promise<void> {
    await this.reach(selector);
    await this.page.keyboard.press("Enter");
  }

  protected async mark(group: string, one: string): Promise<void> {
    await this.reach(group);
    const reached = () => this.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, one);
    for (let step = 0; step < 10 && !(await reached()); step += 1) await this.page.keyboard.press("ArrowDown");
    await this.page.keyboard.press("Space");
  }

  async choose(selector: string, value: string): Promise<void> {
    this.presses += 1;
    await this.reach(selector);
    const field = this.page.locator(selector);
    for (let step = 0; step < 10 && (await field.inputValue()) !== value; step += 1) await this.page.keyboard.press("ArrowDown");
    assert.equal(await field.inputValue(), value);
  }
}

class Touch extends Hand {
  protected async reach(selector: string): Promise<void> {
    await this.visitor.tap(this.page.locator(selector).first());
  }

  protected activate(selector: string): Promise<void> {
    return this.reach(selector);
  }

  protected mark(group: string, one: string): Promise<void> {
    return this.reach(group + one);
  }

  async choose(selector: string, value: string): Promise<void> {
    // One to open it, one to choose.
    this.presses += 2;
    await this.page.locator(selector).selectOption(value);
  }
}

const WAYS: [string, Look, new (visitor: Visitor) => Hand][] = [["keyboard", DESK, Keyboard], ["touch", PHONE, Touch]];
const SEND = "main form:not(dialog form) button:not([type=button])";
const digits = (length: number): string => Array.from({ length }, () => Math.floor(Math.random() * 10)).join("");

/** An account at Twilio, which the simulators play once they are told. */
function twilioAccount() {
  const [own, number] = [digits(32), `+97145${digits(6)}`];
  return { account_sid: `AC${own}`, auth_token: `token-${own}`, api_key_sid: `SK${own}`, api_key_secret: `secret-${own}`, numbers: [number], registered_letters: ["CORNER"] };
}

/** A number of WhatsApp at Meta, which the simulators play once they are told. They approve templates at once. */
function whatsappAccount() {
  const own = digits(15);
  return { waba_id: `1${own}`, phone_number_id: `2${own}`, display_number: stranger(), access_token: `EAA${own}`, app_secret: digits(32), template_review_seconds: 0 };
}

/** A number of the Emirates as people there write it. */
const local = (number: string): string => number.replace("+971", "0").replace(/(\d{4})$/, " $1");

/** Calls ring at this number. */
async function connectTwilio(hand: Hand, account: ReturnType<typeof twilioAccount>, phone: string): Promise<void> {
  await hand.type("input[name='voice.forward_to']", phone);
  await hand.type("input[name=account_sid]", account.account_sid);
  await hand.type("input[name=numbers]", account.numbers.map(local).join());
  for (const name of ["auth_token", "api_key_sid", "api_key_secret"] as const) await hand.type(`input[name='credentials.${name}']`, account[name]);
}

/** What the API answered to the connection that the form makes. */
async function made(page: Page, make: Promise<void>): Promise<{ connection: { id: string }; secret: string; verify_token: string }> {
  const answer = page.waitForResponse((response) => response.url().endsWith("/api/v1/connections") && response.request().method() === "POST");
  await make;
  return (await (await answer).json()) as Awaited<ReturnType<typeof made>>;
}

/** A telephone at Twilio, which sends the messages, too. */
async function setUpTwilio(hand: Hand, page: Page, tenant: string): Promise<void> {
  const account = twilioAccount();
  const named = { id: tenant, name: "Corner", twilio: { ...account, connection: "" } };
  await tell("/tenants", named);
  await hand.check("[name=telephone]", "cloud");
  await connectTwilio(hand, account, local(stranger()));
  // From the Emirates, only letters arrive.
  await hand.type("input[name='letters[0].sender']", "CORNER");
  hand.presses += 1;
  await page.locator("input[name='letters[0].registered']").check();
  named.twilio.connection = (await made(page, hand.press(SEND))).connection.id;
  await tell("/tenants", named);
  await hand.press("a[href$='/set-up/messages'].button.primary");
  await page.waitForURL("**/set-up/messages");
  await hand.press("a[href$='/set-up/text'].button.primary");
  await page.waitForURL("**/set-up/text");
  // Going on saves what was changed.
  const text = page.locator("main textarea").first();
  await text.fill(`${await text.inputValue()} !`);
  const saved = ofAutomation(page);
  await hand.press("a[href$='/set-up/try'].button.primary");
  assert.equal((await saved).status(), 200);
}

function ofAutomation(page: Page): Promise<Response> {
  return page.waitForResponse((response) => response.request().method() === "PATCH" && response.url().includes("/api/v1/automations/"));
}

/** A telephone system, and a number of WhatsApp, whose first message is a template of the library. */
async function setUpWhatsapp(hand: Hand, page: Page, tenant: string): Promise<void> {
  await hand.check("[name=telephone]", "system");
  const telephone = await made(page, hand.press(SEND));
  assert.equal(await page.getByTestId("secret").innerText(), telephone.secret);
  await hand.press("a[href$='/set-up/messages'].button.primary");
  await page.waitForURL("**/set-up/messages");
  const account = whatsappAccount();
  const named = { id: tenant, name: "Corner", telephony: { connection: telephone.connection.id, secret: telephone.secret }, whatsapp: { ...account, connection: "", verify_token: "none" } };
  await tell("/tenants", named);
  for (const name of ["phone_number_id", "waba_id"] as const) await hand.type(`input[name=${name}]`, account[name]);
  await hand.type("input[name=display_number]", local(account.display_number));
  for (const name of ["access_token", "app_secret"] as const) await hand.type(`input[name='credentials.${name}']`, account[name]);
  const { connection, verify_token } = await made(page, hand.press(SEND));
  Object.assign(named.whatsapp, { connection: connection.id, verify_token });
  await tell("/tenants", named);
  await hand.press("a[href$='/set-up/text'].button.primary");
  await page.waitForURL("**/set-up/text");
  await hand.press("main section:last-of-type button[aria-expanded]");
  const used = ofAutomation(page);
  await hand.press("main article button");
  const { then } = (await (await used).json()) as { then: { channels: string[] } };
  assert.deepEqual(then.channels, ["whatsapp"], "no connection sends SMS");
  // Meta's approval, which takes a moment here, is not what a person does.
  for (let look = 0; look < 30; look += 1) {
    await page.locator("main section .badge").first().waitFor();
    if ((await page.locator("main section .badge.plan").count()) === 0) break;
    await page.waitForTimeout(500);
    await page.reload();
  }
  await hand.press("a[href$='/set-up/try'].button.primary");
}

const SET_UP = { twilio: setUpTwilio, whatsapp: setUpWhatsapp };
/** What a person does at most from the log-in page until the first message is delivered. */
const MOST = { fields: 15, presses: 14 };

for (const [name, look, Way] of WAYS) {
  for (const [provider, setUp] of Object.entries(SET_UP)) browserTest(`sign_up_to_the_first_follow_up_by_${provider}_by_${name}`, async () => {
    const visitor = await Visitor.arrive(look);
    const { page } = visitor;
    const hand = new Way(visitor);
    const [wrong, email] = [`maia-${digits(8)}@corner.example`, `maya-${digits(8)}@corner.example`];
    // As a browser says that was started without a usual locale.
    await visitor.context.addInitScript(() => Object.defineProperty(navigator, "languages", { get: () => ["en-US@posix", "en-AE"] }));
    await visitor.open("/app/log-in");
    await hand.press("a[href='/app/sign-up']");
    await page.waitForURL("**/sign-up");
    await hand.type("input[name=business]", `Corner ${digits(8)}`);
    await hand.type("input[name=name]", "Maya Haddad");
    await hand.type("input[name=email]", wrong);
    await hand.type("input[name=password]", PASSWORD);
    await hand.press(SEND);
    await visitor.see("done").waitFor();

    // No mail can come to a wrong address. The way round is not counted.
    const around = new Way(visitor);
    const again = page.waitForResponse((response) => response.url().endsWith("/auth/sign-up"));
    await around.press("main p + button.wide");
    assert.equal((await again).status(), 202);
    await page.locator("main p[role=status]:not([data-testid])", { hasText: /\S/ }).waitFor();
    await around.press("main button.wide + button.wide");
    await page.locator("input[name=email]:focus").waitFor();
    await around.type("input[name=email]", email);
    await around.press(SEND);
    await visitor.see("done").filter({ hasText: email }).waitFor();

    await visitor.open(await linkMailedTo(email));
    await hand.type("input[name=password]", PASSWORD);
    const entered = page.waitForResponse((response) => response.url().endsWith("/auth/verify-email"));
    await hand.press(SEND);
    const { tenants } = (await (await entered).json()) as { tenants: { id: string }[] };
    const tenant = tenants[0]?.id ?? assert.fail("no business");

    await page.waitForURL("**/set-up/business");
    const country = page.locator("input[name=default_region]");
    const nameOf = (region: string) => new Intl.DisplayNames(look.language, { type: "region" }).of(region);
    for (const [zone, region] of [["Etc/UTC", "AE"], ["Asia/Dubai", "AE"], ["Asia/Muscat", "OM"]] as const) {
      await page.locator("input[name=time_zone]").fill(zone);
      assert.equal(await country.inputValue(), nameOf(region), `the country of ${zone}, or else of the browser`);
    }
    await hand.type("input[name=default_region]", look.language === "ar" ? "الإمارات" : "UAE");
    await hand.type("input[name='variables.phone']", "04 555 0199");
    await hand.check("[name$='-kind']", "days");
    await hand.type("input[name^='business_hours.']", look.language === "ar" ? "٩-٦" : "9-6");
    await hand.press("main .button.same");
    assert.equal(await country.inputValue(), nameOf("AE"));
    const described = page.waitForResponse((response) => response.request().method() === "PATCH" && response.url().endsWith("/api/v1/tenant"));
    await hand.press(SEND);
    const business = (await (await described).json()) as { default_region: string; business_hours: Record<string, object> };
    assert.equal(business.default_region, "AE");
    assert.deepEqual(Object.values(business.business_hours), Array(7).fill([{ from: "09:00", to: "18:00" }]));

    await page.waitForURL("**/set-up/telephone");
    // An ordinary line needs a number at Twilio first. This business has another telephone.
    await page.locator("input[name=telephone][value=line]").check();
    await page.locator("main a[href$='/phone-numbers/manage/search'][target=_blank]").first().waitFor();
    assert.equal(await page.locator("select[name='voice.handling']").inputValue(), "greet");
    await setUp(hand, page, tenant);

    await page.waitForURL("**/set-up/try");
    const customer = stranger();
    await call(customer, "missed", tenant, provider === "twilio" ? "twilio" : "telephony");
    await page.locator("[data-stage=delivered].done").waitFor();
    assert.ok(hand.fields <= MOST.fields, `${hand.fields} fields`);
    assert.ok(hand.presses <= MOST.presses, `${hand.presses} clicks`);
    await hand.press("a[href$='/calls'].button");
    await page.locator(".rows tr", { hasText: customer.slice(-4) }).waitFor();
    visitor.expectQuiet();
    await visitor.leave();
  });

  browserTest(`invitation_is_accepted_by_${name}`, async () => {
    const [admin, guest] = [await Visitor.logIn("admin", look), await Visitor.arrive(look)];
    const email = `guest-${digits(8)}@corner.example`;
    await admin.open(`/app/${logInOf("admin").tenant}/settings/people`);
    const inviting = new Way(admin);
    await inviting.type("input[name=name]", "Noor");
    await inviting.type("input[name=email]", email);
    // The mail and its page speak another language than the inviter.
    const language = look.language === "en" ? "ar" : "en";
    await inviting.choose("select[name=language]", language);
    await inviting.press(SEND);
    await admin.page.getByText(email).first().waitFor();

    const { page } = guest;
    const hand = new Way(guest);
    await guest.open(await linkMailedTo(email));
    await page.locator(`html[lang=${language}]`).waitFor();
    await page.locator("[data-testid=invited]", { hasText: language === "ar" ? "موظف" : "Agent" }).waitFor();
    assert.equal(await page.locator("input[name=name]").inputValue(), "Noor");
    await hand.type("input[name=password]", PASSWORD);
    await hand.press(SEND);
    await guest.see("done").waitFor();
    await hand.press("a[href='/app/log-in']");
    await hand.type("input[name=email]", email);
    await hand.type("input[name=password]", PASSWORD);
    await hand.press(SEND);
    await page.locator("[data-menu=home][aria-current]").waitFor();
    guest.expectQuiet();
    await guest.leave();

    // The question names who loses access. Afterwards they are out of the way, and the fold offers the way back.
    await admin.open(`/app/${logInOf("admin").tenant}/settings/people`);
    const member = admin.page.locator(".rows tr", { hasText: email });
    const away = admin.page.locator("details:has(.rows)");
    for (const state of ["deactivated", "active"]) {
      if (state === "active") await away.locator("summary").click();
      await member.getByRole("button").click();
      const question = admin.page.getByRole("dialog");
      assert.match(await question.innerText(), /Noor/);
      const changed = admin.page.waitForResponse((response) => response.request().method() === "PATCH");
      await question.locator("button.danger").click();
      assert.equal(((await (await changed).json()) as { status: string }).status, state);
      await question.waitFor({ state: "hidden" });
      await away.filter({ hasText: email }).waitFor({ state: state === "active" ? "detached" : "attached" });
      await member.waitFor({ state: state === "active" ? "visible" : "hidden" });
      assert.match(await admin.page.evaluate(() => document.activeElement?.textContent ?? ""), /Noor/);
    }
    admin.expectQuiet();
    await admin.leave();
  });

  browserTest(`refused_connection_is_mended_by_${name}`, async () => {
    const visitor = await Visitor.logIn("admin", look);
    const { page } = visitor;
    const hand = new Way(visitor);
    const account = twilioAccount();
    const to = (path: string): string => `/app/${logInOf("admin").tenant}/${path}`;
    await visitor.open(to("settings/connections/new"));
    await hand.choose("select[name=kind]", "twilio");
    await connectTwilio(hand, account, stranger());
    const { connection } = await made(page, hand.press(SEND));
    await visitor.open(to("settings/connections"));
    await hand.press(`a[href$='${connection.id}']`);
    await page.locator("main .badge.bad").first().waitFor();

    // From now on the simulators know the account, with another token.
    await tell("/tenants", { id: `tnt_${"0".repeat(18)}${digits(8)}`, name: "Mended", twilio: { ...account, auth_token: `mended-${account.auth_token}`, api_key_secret: `mended-${account.api_key_secret}`, connection: connection.id } });
    await hand.type("input[name='credentials.auth_token']", `mended-${account.auth_token}`);
    await hand.type("input[name='credentials.api_key_sid']", account.api_key_sid);
    await hand.type("input[name='credentials.api_key_secret']", `mended-${account.api_key_secret}`);
    await hand.press("details:has(input[name='credentials.auth_token']) form > button");
    await page.locator("details [role=status] .badge.ok").waitFor();
    await page.locator("main .facts .badge.bad").first().waitFor({ state: "detached" });

    // What is there no more asks before it goes.
    await hand.press("main .columns > section:last-child .button.danger");
    await hand.press("dialog[open] .button.danger");
    await page.waitForURL("**/settings/connections");
    visitor.expectQuiet();
    await visitor.leave();
  });
}
