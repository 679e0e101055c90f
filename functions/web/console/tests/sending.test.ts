/** What sends messages to customers, one test after the other as in `changes.test.ts`, in a business of its own. */
import "./campaigns.ts";
import "./tasks.ts";
import "./composer.ts";
