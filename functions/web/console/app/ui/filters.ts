/** The filters of these names that the address has. */
export function filtersOf<Filters extends object>(sent: URLSearchParams, names: readonly (keyof Filters & string)[]): Filters {
  return Object.fromEntries(names.flatMap((name) => (sent.get(name) ? [[name, sent.get(name)]] : []))) as Filters;
}
