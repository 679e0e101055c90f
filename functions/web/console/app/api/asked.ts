/** Imported before everything else: nothing runs until `early.ts` has asked, or need not wait. */
await window.asking;

export {};
