/** The filters of these names that the address has. */
export function filtersOf<Filters extends object>(sent: URLSearchParams, names: readonly (keyof Filters & string)[]): Filters {
  return Object.fromEntries(names.flatMap((name) => (sent.get(name) ? [[name, sent.get(name)]] : []))) as Filters;
}

/** The date so many days later. */
export function shifted(date: string, days: number): string | undefined {
  const moment = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(moment) ? undefined : new Date(moment + days * 86_400_000).toISOString().slice(0, 10);
}
