/** Orders of a shop: their states, and what somebody in the shop reports of them. */
import type { components } from "../../api/contract.d.ts";
import type { Tone } from "../../ui/Badge.svelte";

type Schemas = components["schemas"];
export type Order = Schemas["OrderEntry"];
export type Update = Schemas["OrderUpdatePatch"];
type Shipment = Schemas["Shipment"];

export const PAYMENTS: Record<Order["payment"], Tone> = {
  pending: "warn", failed: "bad", authorized: "plan", partially_paid: "warn", paid: "ok", partially_refunded: "none", refunded: "none", voided: "none",
};
export const FULFILMENTS: Record<Order["fulfilment"], Tone> = {
  unfulfilled: "warn", on_hold: "warn", partially_fulfilled: "plan", fulfilled: "info", delivered: "ok", returned: "bad", cancelled: "none",
};
export const SHIPMENTS: Record<Shipment["state"], Tone> = {
  prepared: "plan", in_transit: "info", out_for_delivery: "info", attempted: "warn", delivered: "ok", failed: "bad", cancelled: "none",
};

/** Whether something of it has still to leave. */
export function isOpen({ fulfilment }: Order): boolean {
  return ["unfulfilled", "on_hold", "partially_fulfilled"].includes(fulfilment);
}

/** Reference of a parcel that the shop has packed and not handed over, or else of its next one. */
function parcelOf({ number, shipments }: Order): string {
  const packed = shipments.find(({ state }) => state === "prepared");
  return packed?.reference ?? `${number.slice(0, 60)}.${shipments.length + 1}`;
}

export function packed(order: Order): Update {
  return { shipments: [{ reference: parcelOf(order), state: "prepared" }] };
}

/** `link`: to the page of the carrier that shows where the parcel is. */
export function shipped(order: Order, carrier: string, tracking: string, link: string): Update {
  const parcel = { carrier: carrier.trim(), tracking_number: tracking.trim(), tracking_url: link.trim() };
  const known = Object.fromEntries(Object.entries(parcel).filter(([, value]) => value !== ""));
  return { fulfilment: "fulfilled", shipments: [{ reference: parcelOf(order), state: "in_transit", ...known }] };
}

/** Everything that is under way has arrived. */
export function delivered({ shipments }: Order): Update {
  const arrived = shipments.filter(({ state }) => !["delivered", "failed", "cancelled"].includes(state));
  return { fulfilment: "delivered", shipments: arrived.map(({ updated_at: _, ...shipment }) => ({ ...shipment, state: "delivered" })) };
}
