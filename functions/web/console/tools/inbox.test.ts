import assert from "node:assert/strict";
import { test } from "node:test";
import { queryOf } from "../app/screens/inbox/filters.ts";
import { isShown, lastWriter } from "../app/screens/inbox/thread.ts";

/** The API refuses to list by the wait what nobody waits in, and means those of nobody where no person is named. */
test("address_of_the_inbox_becomes_what_the_api_lists", () => {
  const cases = {
    "": {}, "view=elsewhere": {}, "view=all&waiting=true": {}, "state=closed&unread=true&team=team_1&cursor=x": { state: "closed", unread: "true", team: "team_1", cursor: "x" },
    "view=mine": { assignee: "usr_me" }, "view=mine&waiting=true": { assignee: "usr_me", waiting: "true" }, "view=mine&state=snoozed&waiting=true": { assignee: "usr_me", state: "snoozed" },
    "view=unassigned&state=pending&waiting=false": { assignee: "none", state: "pending", waiting: "false" }, "view=mine&contact=ctc_1&waiting=true": { assignee: "usr_me", contact: "ctc_1" },
  };
  for (const [address, query] of Object.entries(cases)) assert.deepEqual(queryOf(new URLSearchParams(address), "usr_me"), query, address);
});

/** What arrived after the thread was read is not called read. */
test("conversation_is_read_once_its_last_happening_is_shown", () => {
  const [message, call] = [{ message: { id: "msg_1" } }, { call: { id: "call_1" }, message: null }];
  assert.deepEqual([isShown(null, []), isShown(message, [call]), isShown(message, [call, message]), isShown(call, [call])], [true, false, true, true]);
});

test("reply_reaches_who_wrote_last_and_not_who_reacted", () => {
  const said = (direction: "inbound" | "outbound", content: string | null, number: string) => ({ message: { direction, content, customer: { number, formatted: number }, whatsapp_id: null } });
  const entries = [said("inbound", "text", "+1"), said("inbound", "edit", "+2"), said("inbound", "reaction", "+3"), said("outbound", null, "+4"), { message: null }];
  assert.equal(lastWriter(entries)?.customer?.number, "+2");
  assert.equal(lastWriter(entries.slice(2)), null);
});
