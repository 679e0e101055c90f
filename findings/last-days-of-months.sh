#!/usr/bin/env bash
# Expected: a monthly event of the 31st skips the months without that day, and a yearly one of 29 February three years of four (RFC
# 5545, 3.3.10).
# Seen on 2 December 2026: rrule 2.8.1 (npm), python-dateutil 2.9.0 and ical 14.3.1 (PyPI) do. node-ical 0.26.1 (npm, the newest that
# takes Node.js 20) moves the 31st to 28 February and stays on the 28th for good, and so with 29 February. ical.js 2.2.1 (npm) skips
# months, but puts 29 February on 1 March. Written out with BYMONTHDAY, the rules are the same days for all five.
# Why it matters: a birthday greeting or a payment reminder from one calendar goes out on three different days, depending on the program
# that reads it. Whoever writes the rule is safe with BYMONTHDAY=-1.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts rrule@2.8.1 ical.js@2.2.1 node-ical@0.26.1
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check python-dateutil==2.9.0.post0 ical==14.3.1 tzdata==2026.6

cat >events.txt <<'END'
20260131T060000Z FREQ=MONTHLY;COUNT=5
20240229T060000Z FREQ=YEARLY;COUNT=3
20260131T060000Z FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5
20240229T060000Z FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3
END
cat >show.mjs <<'JS'
import fs from "node:fs";
import ICAL from "ical.js";
import nodeIcal from "node-ical";
import rrule from "rrule";

for (const event of fs.readFileSync("events.txt", "utf8").trim().split("\n")) {
  const [start, rule] = event.split(" ");
  const text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Example//EN", "BEGIN:VEVENT", "UID:1", "DTSTAMP:20240101T000000Z",
    "DTSTART:" + start, "RRULE:" + rule, "SUMMARY:Greeting", "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
  fs.writeFileSync(event.replace(/\W/g, "_") + ".ics", text);
  const show = (name, days) => console.log(rule, name, days.map((day) => day.slice(2, 10)).join(" "));
  show("rrule", rrule.rrulestr("DTSTART:" + start + "\nRRULE:" + rule).all().map((day) => day.toISOString()));
  const visits = new ICAL.Event(new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent")).iterator();
  const days = [];
  for (let day; (day = visits.next()); ) days.push(day.toString());
  show("ical.js", days);
  const read = Object.values(nodeIcal.sync.parseICS(text)).find((part) => part.type === "VEVENT");
  show("node-ical", read.rrule.all().map((day) => day.toISOString()));
}
JS
cat >show.py <<'PY'
import re
from dateutil.rrule import rrulestr
from ical.calendar_stream import IcsCalendarStream

for event in open("events.txt").read().split("\n")[:-1]:
    start, rule = event.split(" ")
    days = [f"{day:%y-%m-%d}" for day in rrulestr(f"DTSTART:{start}\nRRULE:{rule}")]
    print(rule, "dateutil", *days)
    text = open(re.sub(r"\W", "_", event) + ".ics", newline="").read()
    print(rule, "ical", *(f"{visit.dtstart:%y-%m-%d}" for visit in IcsCalendarStream.calendar_from_ics(text).timeline))
PY
seen=$(TZ=UTC node show.mjs && TZ=UTC env/bin/python show.py)
printf '%s\n' "$seen"

expected='FREQ=MONTHLY;COUNT=5 rrule 26-01-31 26-03-31 26-05-31 26-07-31 26-08-31
FREQ=MONTHLY;COUNT=5 ical.js 26-01-31 26-03-31 26-05-31 26-07-31 26-08-31
FREQ=MONTHLY;COUNT=5 node-ical 26-01-31 26-02-28 26-03-28 26-04-28 26-05-28
FREQ=YEARLY;COUNT=3 rrule 24-02-29 28-02-29 32-02-29
FREQ=YEARLY;COUNT=3 ical.js 24-02-29 25-03-01 26-03-01
FREQ=YEARLY;COUNT=3 node-ical 24-02-29 25-02-28 26-02-28
FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5 rrule 26-01-31 26-02-28 26-03-31 26-04-30 26-05-31
FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5 ical.js 26-01-31 26-02-28 26-03-31 26-04-30 26-05-31
FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5 node-ical 26-01-31 26-02-28 26-03-31 26-04-30 26-05-31
FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3 rrule 24-02-29 28-02-29 32-02-29
FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3 ical.js 24-02-29 28-02-29 32-02-29
FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3 node-ical 24-02-29 28-02-29 32-02-29
FREQ=MONTHLY;COUNT=5 dateutil 26-01-31 26-03-31 26-05-31 26-07-31 26-08-31
FREQ=MONTHLY;COUNT=5 ical 26-01-31 26-03-31 26-05-31 26-07-31 26-08-31
FREQ=YEARLY;COUNT=3 dateutil 24-02-29 28-02-29 32-02-29
FREQ=YEARLY;COUNT=3 ical 24-02-29 28-02-29 32-02-29
FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5 dateutil 26-01-31 26-02-28 26-03-31 26-04-30 26-05-31
FREQ=MONTHLY;BYMONTHDAY=-1;COUNT=5 ical 26-01-31 26-02-28 26-03-31 26-04-30 26-05-31
FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3 dateutil 24-02-29 28-02-29 32-02-29
FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;COUNT=3 ical 24-02-29 28-02-29 32-02-29'
[ "$seen" = "$expected" ] || { echo "Changed: the events are on other days than noted." >&2; exit 1; }
