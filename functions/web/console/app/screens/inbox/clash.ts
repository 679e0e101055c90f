/** What two people have made of the same conversation. */
import type { Change } from "./bulk.ts";
import type { Conversation } from "./conversation.ts";

const FIELDS = ["state", "snoozed_until", "assignee_id", "team_id", "priority", "tags"] as const;
export type Shown = Pick<Conversation, (typeof FIELDS)[number]>;

/** Fields that the person wanted to change, and those that were changed meanwhile. */
export function fieldsOf(before: Shown, mine: Change, theirs: Shown): { name: keyof Shown; changed: boolean }[] {
  const isChanged = (name: keyof Shown) => JSON.stringify(before[name]) !== JSON.stringify(theirs[name]);
  return FIELDS.filter((name) => name in mine || isChanged(name)).map((name) => ({ name, changed: isChanged(name) }));
}
