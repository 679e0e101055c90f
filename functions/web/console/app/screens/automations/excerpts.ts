/** Signs of a text that are shown, and how many of them stand before the first difference. */
const MOST = 200;
const BEFORE = 40;

/** Two versions of a text, each whole if it is short, or else where they begin to differ. */
export function excerpts(one: string, other: string): [string, string] {
  const [first, second] = [[...one], [...other]];
  const end = first.findIndex((sign, place) => sign !== second[place]);
  const same = end < 0 ? first.length : end;
  return [excerpt(first, same), excerpt(second, same)];
}

function excerpt(signs: string[], same: number): string {
  const begin = Math.max(0, Math.min(same - BEFORE, signs.length - MOST));
  const end = begin + MOST;
  return `${begin > 0 ? "…" : ""}${signs.slice(begin, end).join("")}${end < signs.length ? "…" : ""}`;
}
