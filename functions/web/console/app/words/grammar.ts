/** What the sentences of a language need beside plurals: functions of those in `ar/`. */
import type { FluentFunction } from "@fluent/bundle";

/** A length of time after a preposition. Of its forms only the dual changes: دقيقتان, خلال دقيقتين. */
const GENITIVE: FluentFunction = ([length]) => String(length).replace(/ان$/, "ين");

export const functions = { GENITIVE };
