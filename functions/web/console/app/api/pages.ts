/** Lists that are read whole. */

/** Pages of a hundred that are read at most. */
const MOST = 10;

/** All items of a list. */
export async function readAll<T>(read: (query: { limit: number; cursor?: string }) => Promise<{ items: T[]; next_cursor: string | null }>): Promise<T[]> {
  const all: T[] = [];
  let cursor: string | null = null;
  for (let page = 0; page < MOST && (page === 0 || cursor); page += 1) {
    const { items, next_cursor } = await read({ limit: 100, ...(cursor ? { cursor } : {}) });
    all.push(...items);
    cursor = next_cursor;
  }
  return all;
}
