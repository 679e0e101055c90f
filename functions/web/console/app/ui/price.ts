import { createQuery, type CreateQueryResult } from "@tanstack/svelte-query";
import { api } from "../api/client.ts";
import type { components } from "../api/contract.d.ts";
import { here } from "../api/here.svelte.ts";
import { take } from "../api/problem.ts";

type Price = components["schemas"]["ExpectedCost"];

/** What an SMS to a number of the business's country costs, or `null` if that is not known. Today's usage has it, in the shortest report. */
export function smsPriceIf(enabled: () => boolean): CreateQueryResult<Price | null> {
  return createQuery(() => ({
    queryKey: [here.place?.id, "sms-price"],
    queryFn: async () => (await take(api.GET("/api/v1/usage", { params: { query: { by: "hour" } } }))).sms_price,
    staleTime: Infinity,
    retry: false,
    enabled: here.may("get_usage") && enabled(),
  }));
}

/** The price of so many. */
export function times({ amount }: Price, count: number): string {
  return (Number(amount) * count).toFixed(amount.split(".")[1]?.length ?? 0);
}
