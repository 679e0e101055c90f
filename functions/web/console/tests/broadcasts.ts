/** A broadcast to 200 people of all kinds: its check, its report and the phones agree, by reason and cost, whatever happens meanwhile. */
import assert from "node:assert/strict";
import type { components } from "../app/api/contract.d.ts";
import { ask, browserTest, DESK, logInOf, operatorLogIn, outbox, plain, stack, stranger, tell, until, Visitor } from "./support.ts";

const PATIENCE = 600_000;
const { tenant } = logInOf("manager");
/** How many of each kind there are. */
const KINDS = { granted: 170, none: 12, stop: 6, landline: 8, merged: 4 };

type Kind = keyof typeof KINDS;

/** Somebody of this kind; their languages differ, and some have none. Returns the number. */
async function add(tag: string, kind: Kind, place: number): Promise<string> {
  const phone = kind === "landline" ? `+97143${stranger().slice(-6)}` : stranger();
  const language = ["ar", "en", "tl", undefined][place % 4];
  const body = { name: `Guest ${phone.slice(-4)}`, phones: [phone], tags: [tag], ...(language ? { language } : {}) };
  const { id } = await ask<{ id: string }>("contacts", "POST", body);
  if (kind !== "none") await ask(`contacts/${id}/consent`, "POST", { choice: "granted", category: "marketing", party: "customer", evidence: "Form of the shop" });
  if (kind === "stop") await tell("/replies", { tenant, from: phone, channel: "sms", text: "STOP", wait: true });
  if (kind === "merged") {
    const twice = await ask<{ id: string }>("contacts", "POST", { name: `Guest ${phone.slice(-4)}`, emails: [`guest${phone}@example.com`.replace("+", "")], tags: [tag] });
    await ask(`contacts/${id}/merge`, "POST", { contact_id: twice.id });
  }
  return phone;
}

/** What the operator of the platform asks for, or changes. */
async function operator(): Promise<(method: string, body?: object) => Promise<{ prices: components["schemas"]["PriceBook"] }>> {
  const entered = await fetch(`${stack}/api/v1/auth/log-in`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(operatorLogIn()) });
  const headers = { authorization: `Bearer ${((await entered.json()) as { access_token: string }).access_token}`, "content-type": "application/json" };
  return async (method, body) => {
    const answer = await fetch(`${stack}/api/v1/platform/prices`, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
    assert.ok(answer.ok, `${method} prices: ${answer.status} ${await answer.clone().text()}`);
    return (answer.status === 204 ? {} : await answer.json()) as { prices: components["schemas"]["PriceBook"] };
  };
}

/** Does these one after the other in six places at the same time. */
async function each<T, R>(all: T[], run: (one: T) => Promise<R>): Promise<R[]> {
  const found: R[] = [];
  const left = all.entries();
  await Promise.all(Array.from({ length: 6 }, async () => { for (const [place, one] of left) found[place] = await run(one); }));
  return found;
}

browserTest("broadcast_to_200_agrees_in_check_report_and_outbox", async () => {
  const mark = stranger().slice(-6);
  const tag = (await ask<{ id: string }>("tags", "POST", { name: `All kinds ${mark}` })).id;
  const kinds = (Object.keys(KINDS) as Kind[]).flatMap((kind) => Array.from({ length: KINDS[kind] }, (_, place) => ({ kind, place })));
  const numbers = await each(kinds, async ({ kind, place }) => ({ kind, phone: await add(tag, kind, place) }));
  const wanted = numbers.filter(({ kind }) => kind === "granted" || kind === "merged").map(({ phone }) => phone);
  const sms_text = { en: `Cake ${mark}. Reply STOP for no more messages.`, ar: `كعك ${mark}. STOP للإيقاف` };
  const operate = await operator();
  const { prices: book } = await operate("GET");
  const market = { name: "United Arab Emirates", countries: ["AE"], currency: "USD", prices: { every: "0.1000" } };
  await operate("PUT", { ...book, lists: book.lists.map((list) => (list.service === "twilio_sms" ? { ...list, markets: [...list.markets, market] } : list)) });
  const draft = { type: "broadcast", name: `All kinds ${mark}`, audience: { tag }, per_minute: 100, message: { channels: ["sms"], category: "marketing", sms_text } };
  const { id } = await ask<{ id: string }>("campaigns", "POST", draft);

  const [visitor, second] = [await Visitor.logIn("manager", DESK), await Visitor.logIn("manager", DESK)];
  const starts = [];
  for (const tab of [visitor, second]) {
    await tab.open(`/app/${tenant}/campaigns/${id}/check`);
    await tab.see("start").waitFor({ timeout: PATIENCE });
    starts.push(tab.see("start"));
  }
  const { page } = visitor;
  const held = async (code: string) => Number(plain(await visitor.see("outcome").locator(`[data-code=${code}] td`).innerText()));
  assert.equal(Number(plain(await visitor.see("messages").innerText())), wanted.length);
  assert.deepEqual([await held("no_consent"), await held("opted_out"), await held("no_channel")], [KINDS.none, KINDS.stop, KINDS.landline]);
  const amountOf = (text: string) => Number(/\d+\.\d+/.exec(plain(text))?.[0]);
  const cost = amountOf(await visitor.see("cost").innerText());

  // Somebody joins between the check and the start.
  const late = await add(tag, "granted", 1);
  await Promise.all(starts.map((start) => start.click()));
  const ends = await Promise.all([visitor, second].map((tab) => Promise.race([
    tab.page.waitForURL(/\?counted=200$/).then(() => "started"),
    tab.see("overtaken").waitFor().then(() => "overtaken"),
  ])));
  assert.deepEqual(ends.toSorted(), ["overtaken", "started"]);
  await visitor.open(`/app/${tenant}/campaigns/${id}?counted=200`);
  await visitor.see("difference").waitFor({ timeout: PATIENCE });
  assert.match(plain(await visitor.see("difference").innerText()), /^One person has joined/);
  await until("first messages", async () => (await outbox(mark)).length > 3);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.locator("[data-testid=state][data-state=paused]").waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await until("message on each phone", async () => (await outbox(mark)).length > wanted.length);
  await page.locator("[data-testid=state][data-state=completed]").waitFor({ timeout: PATIENCE });
  assert.deepEqual(await outbox(mark), [...wanted, late].toSorted());

  await page.getByRole("button", { name: "Make the report" }).click();
  await visitor.see("report").waitFor({ timeout: PATIENCE });
  const figure = async (name: string) => Number(plain(await visitor.see("report").locator(`[data-count=${name}] td`).innerText()));
  assert.deepEqual([await figure("recipients"), await figure("left_out")], [201, KINDS.none + KINDS.stop + KINDS.landline]);
  const counted = async (code: string) => Number(plain(await page.locator(`tr[data-code=${code}] td`).innerText()));
  assert.deepEqual([await counted("no_consent"), await counted("opted_out"), await counted("no_channel")], [KINDS.none, KINDS.stop, KINDS.landline]);
  const estimated = Number(/(\d+\.\d+) by price lists/.exec(plain(await page.getByText(/by price lists/).innerText()))?.[1]);
  assert.ok(Math.abs(estimated - (cost * (wanted.length + 1)) / wanted.length) < 0.02, `${estimated} after ${cost}`);
  await operate("DELETE");
  for (const tab of [visitor, second]) {
    tab.expectQuiet(409, 412);
    await tab.leave();
  }
});
