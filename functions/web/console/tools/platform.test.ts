import assert from "node:assert/strict";
import { test } from "node:test";
import { limitsOf, monthsUntil } from "../app/screens/platform/platform.ts";

test("log_goes_back_for_thirteen_months", () => {
  const months = monthsUntil(new Date("2027-01-31T22:00:00Z"));
  assert.deepEqual([months.length, ...months.slice(0, 3), months.at(-1)], [13, "2027-01-01", "2026-12-01", "2026-11-01", "2026-01-01"]);
});

/** Zero is a limit. */
test("limits_that_are_not_set_are_empty", () => {
  const { messages_per_day, sockets, ...rest } = limitsOf({ messages_per_day: 0, sockets: 12 });
  assert.deepEqual([messages_per_day, sockets], [0, 12]);
  assert.deepEqual([...new Set(Object.values(rest))], [null]);
});
