import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../api/client.ts";
import type { components } from "../api/contract.d.ts";
import { here } from "../api/here.svelte.ts";
import { take } from "../api/problem.ts";

type Price = components["schemas"]["ExpectedCost"];
type Usage = components["schemas"]["UsageReportOut"];

/** What an SMS to a number of the business's country costs, or `null` if that is not known. */
export function smsPriceIf(enabled: () => boolean): CreateQueryResult<Price | null> {
  return createPrices(enabled, ({ sms_price }) => sms_price);
}

/** Currencies in which price lists have prices. */
export function currenciesIf(enabled: () => boolean): CreateQueryResult<string[]> {
  return createPrices(enabled, ({ prices }) => prices.currencies);
}

/** Prices of today. Today's usage has them, in the shortest report. */
function createPrices<T>(enabled: () => boolean, select: (usage: Usage) => T): CreateQueryResult<T> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "prices"],
    queryFn: () => take(api.GET("/api/v1/usage", { params: { query: { by: "hour" } } })),
    select,
    staleTime: Infinity,
    retry: false,
    enabled: here.may("get_usage") && enabled(),
  }));
}

/** The price of so many. */
export function times({ amount }: Price, count: number): string {
  return (Number(amount) * count).toFixed(amount.split(".")[1]?.length ?? 0);
}
