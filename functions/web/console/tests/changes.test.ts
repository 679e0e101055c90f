/** What changes the business is tested one after the other: calls of one test must not meet caps, hours or connections of another. */
import "./session.ts";
import "./live.ts";
import "./inbox.ts";
import "./setup.ts";
import "./settings.ts";
import "./tasks.ts";
import "./composer.ts";
import "./records.ts";
import "./push.ts";
import "./campaigns.ts";
import "./templates.ts";
import "./contacts.ts";
import "./factor.ts";
import "./drips.ts";
import "./reports.ts";
import "./imports.ts";
