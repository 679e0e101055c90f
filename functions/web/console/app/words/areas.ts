/**
 * Files of words that come with the screens which say them. What several of them share, and the first page, is in `common.ftl`; the set-up, which
 * shows forms of the settings, has its words there. Calls, messages and contacts stand beside each other on most screens (`customers`), and many say
 * why something was sent or not (`reasons`). Problems come with the first one, but for those of a server that cannot be asked for more (`faults`).
 */
export const AREAS = ["entrance", "account", "customers", "reasons", "inbox", "automations", "settings", "team", "records", "campaigns", "operations", "imports", "segments", "drips", "reports", "templates", "webhooks", "contacts", "orders", "platform", "faults"] as const;
export type Area = (typeof AREAS)[number];
