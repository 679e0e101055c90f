/** What a pre-flight of a broadcast says, and when a start may go by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { delivered, expectedCost, heldBack, isFresh, remedyOf, rounded, type Preflight, type Result } from "../app/screens/campaigns/check.ts";

const NOW = Date.parse("2026-11-20T10:00:00Z");
const result = { costs: [], held_back: {} } as unknown as Result;
const cost = (amount: string | null, currency: string | null = "USD", units = 1): Result["costs"][number] => ({ amount, currency, units, category: "sms", channel: "sms", country: "AE" });

function made(finished_at: string | null, more: Partial<Preflight> = {}): Preflight {
  return { outdated: false, result, operation: { finished_at }, ...more } as unknown as Preflight;
}

test("a_start_goes_by_a_check_of_the_last_quarter_of_an_hour", () => {
  assert.ok(isFresh(made("2026-11-20T09:45:00Z"), NOW));
  assert.ok(!isFresh(made("2026-11-20T09:44:59Z"), NOW));
  assert.ok(!isFresh(made("2026-11-20T09:59:00Z", { outdated: true }), NOW));
  assert.ok(!isFresh(made("2026-11-20T09:59:00Z", { result: null }), NOW));
  assert.ok(!isFresh(made(null), NOW));
});

test("costs_are_added_up_without_loss_in_each_currency", () => {
  const sums = expectedCost([cost("137.31"), cost("15.1097"), cost("0.0003"), cost("9", "EUR")]);
  assert.deepEqual(sums, { sums: [{ currency: "USD", amount: "152.4200" }, { currency: "EUR", amount: "9" }], atLeast: false });
  assert.deepEqual(expectedCost([cost("0.1"), cost("0.2")]).sums, [{ currency: "USD", amount: "0.3" }]);
  assert.deepEqual(expectedCost([]), { sums: [], atLeast: false });
});

/** A country without a price makes the sum the least. */
test("an_unknown_price_is_no_zero", () => {
  assert.deepEqual(expectedCost([cost("1.50"), cost(null, null)]), { sums: [{ currency: "USD", amount: "1.50" }], atLeast: true });
  assert.deepEqual(expectedCost([cost(null, null)]), { sums: [], atLeast: true });
  assert.equal(expectedCost([cost("1.50"), cost(null, null, 0)]).atLeast, false);
});

test("the_button_never_says_less_than_it_costs", () => {
  for (const [amount, unit, expected] of [["152.4200", 2, "152.42"], ["152.4201", 2, "152.43"], ["0.0003", 2, "0.01"], ["0.999", 2, "1.00"], ["9", 2, "9.00"], ["9.2", 0, "10"], ["1.2345", 3, "1.235"]] as const) {
    assert.equal(rounded(amount, unit), expected);
  }
});

test("reasons_come_by_how_many_they_hold_back", () => {
  const of = { held_back: { no_channel: 5, no_consent: 52, same_person: 9 } } as unknown as Result;
  assert.deepEqual(heldBack(of).map(({ code }) => code), ["no_consent", "same_person", "no_channel"]);
});

test("who_has_read_a_message_has_got_it", () => {
  assert.equal(delivered({ recipients: 1200, states: { delivered: 402, read: 733, failed: 8 }, reasons: {}, replied: 0, clicked: 0, opted_out: 0, cost: [], unpriced: 0 }), 1135);
});

test("what_pauses_a_broadcast_leads_to_its_remedy", () => {
  assert.equal(remedyOf("cap_reached"), "settings/caps");
  assert.equal(remedyOf("route_refused"), "settings/connections");
  assert.equal(remedyOf("opt_out_rate"), undefined);
});
