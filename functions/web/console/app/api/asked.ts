/** Imported before everything else: nothing runs until `early.ts` has sent its question. */
await window.asking;

export {};
