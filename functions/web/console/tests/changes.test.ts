/** What changes the business is tested one after the other: calls of one test must not meet caps, hours or connections of another. */
import "./live.ts";
import "./inbox.ts";
import "./settings.ts";
import "./records.ts";
import "./push.ts";

// Whole journeys take ten minutes more: see CONTRIBUTING.md. The walk opens their screens in any case.
if (process.env.RINGBACK_TEST_JOURNEYS) {
  for (const area of ["templates", "contacts", "factor", "drips", "reports", "imports", "platform", "broadcasts", "orders", "clients"]) await import(`./${area}.ts`);
}
