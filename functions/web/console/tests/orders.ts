/** Orders of a shop: found in the list, packed, shipped and delivered by whoever works there. */
import assert from "node:assert/strict";
import { ask, browserTest, DESK, logInOf, PHONE, plain, reach, stranger, Visitor } from "./support.ts";

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
