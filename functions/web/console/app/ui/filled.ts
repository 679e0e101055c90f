/** A value in a text, with what stands there if it is not known. */
const VALUE = /\{\{([^|]*?)(?:\|(.*?))?\}\}/gs;

export interface Piece {
  text: string;
  /** The value that it stands for. */
  source?: string;
}

/** The text as a customer reads it: its values with what they become, or else their default. */
export function filled(text: string, becomes: (source: string) => string | undefined): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: whole, 1: name = "", 2: otherwise, index } of text.matchAll(VALUE)) {
    const source = name.trim();
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push({ text: (becomes(source) || otherwise) ?? whole, source });
    end = index + whole.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}

/** Values that forms do not offer, since they need what only the API knows. */
const FURTHER = /^(?:contact\.field\.|link(?:_code)?:|product\.)/;

/** Values of the text that nothing is known by: they are spelt otherwise, or the business has none of this name and the text no other word for it. */
export function unknownIn(text: string, sources: readonly string[]): string[] {
  const found = [...text.matchAll(VALUE)].map(({ 1: name = "", 2: otherwise }) => ({ source: name.trim(), otherwise }));
  const known = ({ source, otherwise }: (typeof found)[number]) => sources.includes(source) || FURTHER.test(source) || (otherwise !== undefined && /^tenant\.\w/.test(source));
  return [...new Set(found.filter((value) => !known(value)).map(({ source }) => source))];
}

/** The value that was probably meant: the one that is spelt or called so, or nearly. */
export function meant(written: string, sources: readonly string[], nameOf: (source: string) => string): string | undefined {
  const bare = (text: string) => text.toLowerCase().replace(/[^\p{L}\p{N}]/gu, "");
  const sought = bare(written);
  if (!sought) return undefined;
  const forms = sources.flatMap((source) => [source, source.slice(source.indexOf(".") + 1), nameOf(source)].map((form) => ({ source, off: distance(sought, bare(form)) })));
  const [nearest] = forms.toSorted((one, other) => one.off - other.off);
  return nearest && nearest.off <= Math.min(2, Math.floor(sought.length / 3)) ? nearest.source : undefined;
}

/** Signs to put in, leave out or change until one is the other. */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, place) => place);
  for (const [line, sign] of [...one.slice(0, 60)].entries()) {
    const next = [line + 1];
    for (let place = 0; place < other.length; place += 1) {
      next.push(Math.min((row[place + 1] ?? 0) + 1, (next[place] ?? 0) + 1, (row[place] ?? 0) + (other[place] === sign ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
