/** Lists from which people choose. */
interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

/** No list of choices is longer. */
const MOST_PAGES = 10;

/** All pages of a list as one. */
export async function allOf<T>(read: (query: { limit: number; cursor?: string }) => Promise<Page<T>>): Promise<Page<T>> {
  let { items, next_cursor } = await read({ limit: 100 });
  for (let pages = 1; next_cursor !== null && pages < MOST_PAGES; pages += 1) {
    const next = await read({ limit: 100, cursor: next_cursor });
    [items, next_cursor] = [[...items, ...next.items], next.next_cursor];
  }
  return { items, next_cursor };
}
