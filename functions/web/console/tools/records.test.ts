/** What people type of records. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { bodyOf, keyOf, optionsOf, writtenOf } from "../app/screens/records/record.ts";

test("key_of_a_field_follows_its_name", () => {
  const names = ["Loyalty level", "  2nd Café!", "عيد الميلاد", "x".repeat(50)];
  assert.deepEqual(names.map(keyOf), ["loyalty_level", "nd_cafe", "", "x".repeat(40)]);
});

test("options_of_a_variant_are_names_with_values", () => {
  assert.deepEqual(optionsOf("size: L, colour: off: white"), { size: "L", colour: "off: white" });
  assert.deepEqual(optionsOf("المقاس: كبير، اللون: أبيض"), { المقاس: "كبير", اللون: "أبيض" });
  for (const text of ["", "large", "size:", ": L", "size: L, white"]) assert.equal(optionsOf(text), null, text);
});

/** What is read and not changed is sent as it was. */
test("price_is_sent_in_the_smallest_unit_of_its_currency", () => {
  const product = {
    id: "", created_at: "", updated_at: "", name: "Cake", availability: "in_stock", price: { amount: 12_050, currency: "KWD" },
    variants: [{ options: { size: "L" }, price: { amount: 900, currency: "AED" }, availability: "preorder" }, { options: { size: "S" }, price: null, availability: "in_stock" }],
  } as Parameters<typeof writtenOf>[0];
  const written = writtenOf(product);
  assert.deepEqual(written.price, ["12.050", "KWD"]);
  const { price, variants } = bodyOf(written, "USD") as Partial<typeof product>;
  assert.deepEqual([price, variants], [product.price, product.variants]);
  assert.deepEqual(bodyOf({ price: ["9.5", ""] }, "USD"), { price: { amount: 950, currency: "USD" } });
  assert.deepEqual(bodyOf({ price: ["", "USD"], name: "Tart" }, "USD"), { name: "Tart", price: null });
  assert.throws(() => bodyOf({ price: ["dear", "USD"], variants: [{ options: "L", amount: "1.234,5.6", currency: "", availability: "in_stock" }] }, "USD"), ({ errors }: { errors: { field: string }[] }) => {
    assert.deepEqual(errors.map(({ field }) => field), ["price", "variants[0].options", "variants[0].price"]);
    return true;
  });
});
