/** Opening hours are read as people write them, or refused with what to write instead. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ALWAYS, hoursOf, isAlways, textsOf, type Texts } from "../app/screens/settings/hours.ts";
import { readSpans, written } from "../app/screens/settings/spans.ts";

function told(text: string): string {
  const reading = readSpans(text);
  return "spans" in reading ? written(reading.spans) : [reading.fault.code, ...Object.values(reading.fault.facts)].join(" ");
}

const WRONG = "hours 09:00-18:00";

const HOURS: [string, string][] = [
  ["09:00-18:00", "09:00-18:00"], ["9-18", "09:00-18:00"], ["9:00–18:00, 20:00–23:00", "09:00-18:00, 20:00-23:00"], ["9.30 - 18.00", "09:30-18:00"], ["0900-1800", "09:00-18:00"],
  ["9:00-13:00 16:00-21:00", "09:00-13:00, 16:00-21:00"], ["9-13/16-21", "09:00-13:00, 16:00-21:00"], ["9-13; 16-21", "09:00-13:00, 16:00-21:00"], ["9h-18h", "09:00-18:00"],
  ["9h30-18h", "09:30-18:00"], ["9-12", "09:00-12:00"], ["18:00-02:00", "18:00-02:00"], ["18-2", "18:00-02:00"], ["9-24", "09:00-00:00"], ["08:00-8:30", "08:00-08:30"], ["6-22", "06:00-22:00"],
  // Halves of the day.
  ["9am-6pm", "09:00-18:00"], ["9 AM to 6 PM", "09:00-18:00"], ["9:30 a.m. – 6 p.m.", "09:30-18:00"], ["9a-6p", "09:00-18:00"], ["from 9am until 6pm", "09:00-18:00"],
  ["9am - 1pm & 4pm - 10pm", "09:00-13:00, 16:00-22:00"], ["9am to 1pm and 4pm to 10pm", "09:00-13:00, 16:00-22:00"], ["9-6pm", "09:00-18:00"], ["1-5pm", "13:00-17:00"], ["12-5pm", "12:00-17:00"],
  ["9am-6", "09:00-18:00"], ["1pm-5", "13:00-17:00"], ["9pm-2", "21:00-02:00"], ["9am-18", "09:00-18:00"], ["8-11am", "08:00-11:00"], ["6pm-2am", "18:00-02:00"], ["9am-noon", "09:00-12:00"],
  ["6pm-midnight", "18:00-00:00"], ["12am-12pm", "00:00-12:00"], ["18:00 pm-23:00", "18:00-23:00"],
  // Arabic.
  ["٩-١٨", "09:00-18:00"], ["٩:٠٠–١٨:٠٠، ٢٠:٠٠–٢٣:٠٠", "09:00-18:00, 20:00-23:00"], ["من 9 إلى 18", "09:00-18:00"], ["٩ ص - ٦ م", "09:00-18:00"], ["من ٩ صباحًا حتى ٦ مساءً", "09:00-18:00"],
  ["٩ صباحا الى ١ ظهرا و ٤ عصرا الى ٩ مساء", "09:00-13:00, 16:00-21:00"], ["\u200f٩-١٨\u200e", "09:00-18:00"], ["۹-۱۸", "09:00-18:00"],
  ["٩ صباحًا - ١٢ مساءً", "09:00-00:00"], ["من ٦ مساءً حتى ١٢ مساءً", "18:00-00:00"], ["٩ صباحًا - ١٢ ظهرًا", "09:00-12:00"], ["١٢ مساءً - ٥ مساءً", "12:00-17:00"], ["٦ مساءً - ١١ ليلًا", "18:00-23:00"],
  ["٦ مساءً - ١١:٣٠ ليلًا", "18:00-23:30"], ["٦ مساءً - ١١:٠٥ ليلاً", "18:00-23:05"], ["٦ مساءً - ١ ليلًا", "18:00-01:00"], ["٦ مساءً إلى ١٢ ليلًا", "18:00-00:00"], ["١٢ ليلًا - ٥ صباحًا", "00:00-05:00"],
  ["١٠ ليلًا - ٢:٣٠ ليلًا", "22:00-02:30"], ["٦ مساءً - ١٢ منتصف الليل", "18:00-00:00"], ["٩ صباحًا - ١٢ مساءً و ٤ عصرًا - ٩ مساءً", "09:00-00:00, 16:00-21:00"],
  // Closed, and always open.
  ["", ""], ["closed", ""], ["Closed", ""], ["-", ""], ["مغلق", ""], ["عطلة", ""], ["24 hours", "00:00-00:00"], ["24/7", "00:00-00:00"], ["24h", "00:00-00:00"], ["٢٤ ساعة", "00:00-00:00"],
  ["always open", "00:00-00:00"], ["00:00-24:00", "00:00-00:00"], ["00:00-00:00", "00:00-00:00"],
  // Hours of a day, which would otherwise last until late in the next morning.
  ["9-6", "09:00-18:00"], ["٩-٦", "09:00-18:00"], ["9:00-6:00", "09:00-18:00"], ["09:00-6:00", "09:00-18:00"], ["8:30-5", "08:30-17:00"], ["9 to 5", "09:00-17:00"], ["10-10", "10:00-22:00"], ["12-8", "12:00-20:00"], ["12-12", "12:00-00:00"],
  // What can mean two things: some are open until two in the night.
  ["8-2", "two_meanings 08:00-14:00 08:00-02:00"], ["9-1", "two_meanings 09:00-13:00 09:00-01:00"], ["10-4", "two_meanings 10:00-16:00 10:00-04:00"], ["5-5", "two_meanings 17:00-05:00 05:00-05:00"],
  ["4-9", "two_meanings 16:00-21:00 04:00-09:00"],
  ["9-11pm", "two_meanings 09:00-23:00 21:00-23:00"], ["9am-11", "two_meanings 09:00-11:00 09:00-23:00"], ["9-2am", "two_meanings 21:00-02:00 09:00-02:00"],
  ["9-13, 4-9", "two_meanings 16:00-21:00 04:00-09:00"],
  // No hours.
  ["9", WRONG], ["9-", WRONG], ["9-25", WRONG], ["9:60-18", WRONG], ["9-18-20", WRONG], ["mornings", WRONG], ["9-18 except Friday", WRONG], ["24:30-25", WRONG], ["0pm-5pm", WRONG],
  ["13am-5pm", WRONG], [",", WRONG], ["9-18,".repeat(60), WRONG],
];

test("hours_are_read_as_they_are_meant_or_refused", () => {
  assert.deepEqual(HOURS.map(([text]) => [text, told(text)]), HOURS);
});

/** Nothing is no answer; every day from midnight to midnight is one, and is shown as such. */
test("always_open_is_an_answer", () => {
  const none = textsOf(null);
  assert.equal(hoursOf(none), null);
  assert.equal(isAlways(none), false);
  const always = hoursOf(ALWAYS);
  assert.deepEqual(always?.friday, [{ from: "00:00", to: "00:00" }]);
  assert.equal(isAlways(textsOf(always)), true);
  assert.equal(isAlways({ ...ALWAYS, sunday: "" } satisfies Texts), false);
  assert.throws(() => hoursOf({ ...none, monday: "9-1" }), { problem: { type: "urn:ringback:problem:invalid", errors: [{ field: "business_hours.monday", code: "two_meanings", detail: "", facts: { one: "09:00-13:00", other: "09:00-01:00" } }] } });
});
