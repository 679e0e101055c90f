export interface Piece {
  text: string;
  /** The value that it stands for. */
  source?: string;
}

/** The text as a customer reads it: its values with what they become, or else their default. */
export function filled(text: string, becomes: (source: string) => string | undefined): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const { 0: whole, 1: name = "", 2: otherwise, index } of text.matchAll(/\{\{([^|]*?)(?:\|(.*?))?\}\}/gs)) {
    const source = name.trim();
    if (index > end) pieces.push({ text: text.slice(end, index) });
    pieces.push({ text: (becomes(source) || otherwise) ?? whole, source });
    end = index + whole.length;
  }
  if (end < text.length) pieces.push({ text: text.slice(end) });
  return pieces;
}
