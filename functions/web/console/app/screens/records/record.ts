/** What people type of a record, and what the API takes. */
import type { components } from "../../api/contract.d.ts";
import { refusalOf, type Fault } from "../../api/problem.ts";
import { amountOf, readPrice } from "../../numbers/money.ts";

type Schemas = components["schemas"];
type Values = Record<string, string>;

/** A product as it is typed. */
export interface Product {
  name: string;
  sku: string | null;
  /** Amount and currency, which change together. */
  price: [string, string];
  availability: Schemas["Availability"];
  url: string | null;
  image: string | null;
  fields: Values;
  variants: Variant[];
}

export interface Variant {
  /** Such as `size: L, colour: white`. */
  options: string;
  /** Empty: the product's. */
  amount: string;
  currency: string;
  availability: Schemas["Availability"];
}

/** A key for a name, of Latin letters and digits; empty if the name has none. */
export function keyOf(name: string): string {
  const plain = name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
  return plain.replace(/[^a-z0-9]+/g, "_").replace(/^[_0-9]+|_+$/g, "").slice(0, 40);
}

/** Lines with something in them. */
export function linesOf(text: string): string[] {
  return text.split("\n").map((line) => line.trim()).filter((line) => line !== "");
}

/** `size: L, colour: white` as names with values, or `null` for what is no such list. */
export function optionsOf(text: string): Values | null {
  const parts = text.split(/[,،;\n]/).filter((part) => part.trim() !== "").map((part) => /^([^:]+):(.+)$/s.exec(part)?.slice(1).map((side) => side.trim()) ?? []);
  if (parts.length === 0 || parts.some(([name, value]) => !name || !value)) return null;
  return Object.fromEntries(parts as [string, string][]);
}

export function writtenOf({ name, sku = null, price, availability, url = null, image = null, fields = {}, variants = [] }: Schemas["Product"]): Product {
  return {
    name, sku, availability, url, image, fields, price: [amountOf(price), price?.currency ?? ""],
    variants: variants.map((variant) => ({
      options: Object.entries(variant.options).map((entry) => entry.join(": ")).join(", "),
      amount: amountOf(variant.price), currency: variant.price?.currency ?? "", availability: variant.availability ?? "in_stock",
    })),
  };
}

/** The changes as the API takes them. `usual` is the currency of a price that has none of its own. */
export function bodyOf({ price, variants, ...rest }: Partial<Product>, usual: string): object {
  const faults: Fault[] = [];
  const body = {
    ...rest,
    ...(price && { price: readPrice("price", price[0], price[1] || usual, faults) }),
    ...(variants && {
      variants: variants.map(({ options, amount, currency, availability }, place) => {
        const values = optionsOf(options);
        if (!values) faults.push({ field: `variants[${place}].options`, code: "format", detail: "", facts: {} });
        return { options: values, price: readPrice(`variants[${place}].price`, amount, currency || usual, faults), availability };
      }),
    }),
  };
  if (faults.length > 0) throw refusalOf(faults);
  return body;
}
