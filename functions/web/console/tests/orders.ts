/** Orders of a shop: found in the list, packed, shipped and delivered by whoever works there. */
import assert from "node:assert/strict";
import { ask, browserTest, DESK, logInOf, outbox, PHONE, plain, reach, stranger, until, Visitor } from "./support.ts";

interface Recorded {
  id: string;
  payment: string;
  fulfilment: string;
  shipments: { state: string; tracking_number?: string }[];
}

const { tenant } = logInOf("agent");

function record(number: string): Promise<Recorded> {
  const placed_at = new Date().toISOString();
  const contents = { placed_at, currency: "AED", totals: { total: 24_100 }, items: [{ name: "Honey cake", quantity: 2, price: 12_050 }] };
  return ask<Recorded>("orders", "POST", { number, phone: stranger(), payment: "paid", contents });
}

browserTest("order_is_packed_shipped_and_delivered_by_keyboard", async () => {
  const visitor = await Visitor.logIn("agent", DESK);
  const { page } = visitor;
  const number = `K${stranger().slice(-6)}`;
  const { id } = await record(number);
  const states = () => visitor.see("states").innerText();
  await visitor.open(`/app/${tenant}/orders`);
  await reach(visitor, "Paid, not shipped (30 days)");
  await page.keyboard.press("Enter");
  await page.waitForURL(/fulfilment=unfulfilled&from=/);
  await visitor.settle();
  await reach(visitor, number);
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/orders/${id}`);
  await visitor.settle();
  assert.match(plain(await visitor.see("total").innerText()), /241\.00/);
  await reach(visitor, "Packed");
  await page.keyboard.press("Enter");
  await page.locator("[data-testid=shipment][data-state=prepared]").waitFor();
  await reach(visitor, "Shipped");
  await page.keyboard.press("Enter");
  await reach(visitor, "Carrier");
  await page.keyboard.type("Aramex");
  await reach(visitor, "Number of the parcel");
  await page.keyboard.type("31042790521");
  await page.keyboard.press("Enter");
  await page.locator("[data-testid=shipment][data-state=in_transit]").waitFor();
  assert.match(await states(), /paid[^]*shipped/);
  await reach(visitor, "Delivered");
  await page.keyboard.press("Enter");
  await page.locator("[data-testid=shipment][data-state=delivered]").waitFor();
  const { payment, fulfilment, shipments } = await ask<Recorded>(`orders/${id}`);
  assert.deepEqual([payment, fulfilment, shipments.map(({ state, tracking_number }) => `${state} ${tracking_number}`)], ["paid", "delivered", ["delivered 31042790521"]]);
  visitor.expectQuiet();
  await visitor.leave();
});

/** What is set is what the customer gets, and the order says so; also that nothing is told once it is turned off. */
browserTest("message_about_orders_is_set_by_keyboard_told_and_turned_off_by_touch_in_arabic", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const [words, number] = [`Cakes ${stranger().slice(-6)}`, `M${stranger().slice(-6)}`];
  const newsOf = ({ page: on }: Visitor, state: string) => on.locator(`[data-testid=news][data-event="order.created"][data-state=${state}]`);
  await visitor.open(`/app/${tenant}/orders`);
  await reach(visitor, "Messages about orders");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings/order-messages");
  await visitor.settle();
  await reach(visitor, "Order placed");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/order-messages/order.created");
  await visitor.settle();
  assert.match(await visitor.see("sms").first().innerText(), /thank you for your order/);
  await reach(visitor, "Tell the customer");
  await page.keyboard.press("Space");
  await reach(visitor, "What is said");
  await page.keyboard.press("ArrowDown");
  await reach(visitor, /^Text of the SMS/);
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(`${words}: {{order.number}}, {{order.items}}`);
  assert.match(plain(await visitor.see("sms").first().innerText()), new RegExp(`${words}: 1042, 2 × Honey cake`));
  // A colleague was faster with something else: both versions are shown, and nothing of either is lost.
  const [{ id: known } = { id: "" }] = (await ask<{ items: { id: string; event: string }[] }>("event-messages")).items.filter(({ event }) => event === "order.created");
  await (known ? ask(`event-messages/${known}`, "PATCH", { delay_seconds: 1 }) : ask("event-messages", "POST", { event: "order.created", enabled: false, delay_seconds: 1 }));
  await reach(visitor, "Save");
  await page.keyboard.press("Enter");
  assert.match(await visitor.see("theirs").innerText(), /Wait/);
  await reach(visitor, "Save");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("Saved").waitFor();
  const { id } = await record(number);
  await visitor.open(`/app/${tenant}/orders/${id}`);
  await newsOf(visitor, "told").waitFor();
  await until("message", async () => (await outbox(`${words}: ${number}, 2 × Honey cake`)).length === 1);
  await reach(visitor, "Open the message");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/messages/msg_*");
  await page.getByText(`${words}: ${number}`).first().waitFor();
  visitor.expectQuiet(409, 412);
  await visitor.leave();

  const other = await Visitor.logIn("manager", PHONE);
  await other.open(`/app/${tenant}/settings/order-messages`);
  await other.tap(other.page.locator("[data-event='order.created'] button"));
  await other.see("empty").waitFor();
  const silent = await record(`S${number}`);
  await other.open(`/app/${tenant}/orders/${silent.id}`);
  await newsOf(other, "untold").getByText("لم تُشغَّل").waitFor();
  await other.tap(newsOf(other, "untold").getByRole("link"));
  await other.page.waitForURL("**/order-messages/order.created");
  await other.settle();
  assert.ok(await other.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  other.expectQuiet();
  await other.leave();
});

/** The settings say when an order is late, and keep what they say. */
browserTest("hours_until_an_order_is_late_are_set_by_keyboard", async () => {
  const visitor = await Visitor.logIn("manager", DESK);
  const { page } = visitor;
  const hours = async () => (await ask<{ orders: { late_after_hours: number } }>("tenant")).orders.late_after_hours;
  const [before, wanted] = [await hours(), 36];
  await visitor.open(`/app/${tenant}/settings`);
  await reach(visitor, "Late orders");
  await page.keyboard.press("Enter");
  await page.waitForURL("**/settings/orders");
  await visitor.settle();
  await reach(visitor, "Hours until a paid order that was not shipped is late");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("721");
  await reach(visitor, "Save");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").first().waitFor();
  assert.equal(await hours(), before);
  await reach(visitor, "Hours until a paid order that was not shipped is late");
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(`${wanted}`);
  await reach(visitor, "Save");
  await page.keyboard.press("Enter");
  await page.getByRole("status").getByText("Saved").waitFor();
  assert.equal(await hours(), wanted);
  await ask("tenant", "PATCH", { orders: { late_after_hours: before } });
  visitor.expectQuiet(422);
  await visitor.leave();
});

/** Somebody else looks at it: they are told, and overwrite nothing. */
browserTest("order_is_cancelled_by_touch_in_arabic_and_told_elsewhere", async () => {
  const [visitor, other] = [await Visitor.logIn("agent", PHONE), await Visitor.logIn("manager", DESK)];
  const number = `T${stranger().slice(-6)}`;
  const { id } = await record(number);
  for (const person of [visitor, other]) await person.open(`/app/${tenant}/orders/${id}`);
  assert.ok(await visitor.page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth));
  await visitor.tap(visitor.page.getByRole("button", { name: "إلغاء الطلب" }));
  await visitor.tap(visitor.page.getByRole("dialog").getByRole("button", { name: new RegExp(number) }));
  await visitor.see("states").getByText("أُلغي").waitFor();
  assert.equal((await ask<Recorded>(`orders/${id}`)).fulfilment, "cancelled");
  await other.see("states").getByText("cancelled").waitFor();
  for (const person of [visitor, other]) {
    person.expectQuiet();
    await person.leave();
  }
});
