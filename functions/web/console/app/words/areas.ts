/** Files of words that come with the screens which say them. What several of them share, and the first page, is in `common.ftl`; the set-up, which
 * shows forms of the settings, has its words there. */
export const AREAS = ["entrance", "account", "calls", "inbox", "messages", "contacts", "automations", "settings"] as const;
export type Area = (typeof AREAS)[number];
