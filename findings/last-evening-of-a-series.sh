#!/usr/bin/env bash
# Expected: a series with UNTIL at its last appointment contains that appointment (RFC 5545, 3.3.10), whatever library expands it.
# Seen on 2 December 2026: ical-generator 10.2.0 (npm) writes three evenings at 21:30 in Riyadh with UNTIL=20261204T183000Z, which is
# the third one. rrule 2.8.1 (npm) compares UNTIL with the clock of Riyadh as if that were UTC, and gives two. rrule-temporal 2.2.8,
# node-ical 0.26.1 (npm), python-dateutil 2.9.0 and ical 14.3.1 (PyPI) give three. UNTIL at the end of the day in Riyadh, as calendars
# write it, loses those after 21:00 only.
# Why it matters: east of Greenwich the last visit of a course gets no reminder, and its hour is offered to others. In New York
# nothing is lost.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts \
  ical-generator@10.2.0 luxon@3.7.2 rrule@2.8.1 rrule-temporal@2.2.8 node-ical@0.26.1
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check python-dateutil==2.9.0.post0 ical==14.3.1 tzdata==2026.6

cat >show.mjs <<'JS'
import fs from "node:fs";
import icalGenerator from "ical-generator";
import { DateTime } from "luxon";
import nodeIcal from "node-ical";
import rrule from "rrule";
import { RRuleTemporal } from "rrule-temporal";

const write = (zone, time, until) => {
  const at = (text) => DateTime.fromISO(text, { zone });
  const calendar = icalGenerator({ name: "Visits" });
  calendar.createEvent({
    id: "1",
    start: at("2026-12-02T" + time),
    end: at("2026-12-02T" + time).plus({ hours: 1 }),
    summary: "Visit",
    timezone: zone,
    repeating: { freq: "DAILY", until: at("2026-12-04T" + until) },
  });
  return calendar.toString();
};
for (const [zone, time, until] of [
  ["Asia/Riyadh", "21:30", "21:30"],
  ["Asia/Riyadh", "21:30", "23:59:59"],
  ["Asia/Riyadh", "20:30", "23:59:59"],
  ["America/New_York", "20:30", "20:30"],
]) {
  const text = write(zone, time, until);
  if (until === "21:30") fs.writeFileSync("visits.ics", text);
  const rule = [/DTSTART.*/, /RRULE.*/].map((line) => line.exec(text)[0].trim()).join("\n");
  const event = Object.values(nodeIcal.sync.parseICS(text)).find((part) => part.type === "VEVENT");
  console.log(zone, time, rule.split(";").at(-1), "=>", "rrule", rrule.rrulestr(rule).all().length,
    "rrule-temporal", new RRuleTemporal({ rruleString: rule }).all().length, "node-ical", event.rrule.all().length);
}
JS
cat >show.py <<'PY'
import re
from dateutil.rrule import rrulestr
from ical.calendar_stream import IcsCalendarStream

text = open("visits.ics", newline="").read()
rule = "\n".join(re.search(line, text)[0].strip() for line in ("DTSTART.*", "RRULE.*"))
print("Asia/Riyadh 21:30 => dateutil", len(list(rrulestr(rule))), "ical", len(list(IcsCalendarStream.calendar_from_ics(text).timeline)))
PY
seen=$(node show.mjs && env/bin/python show.py)
printf '%s\n' "$seen"

expected='Asia/Riyadh 21:30 UNTIL=20261204T183000Z => rrule 2 rrule-temporal 3 node-ical 3
Asia/Riyadh 21:30 UNTIL=20261204T205959Z => rrule 2 rrule-temporal 3 node-ical 3
Asia/Riyadh 20:30 UNTIL=20261204T205959Z => rrule 3 rrule-temporal 3 node-ical 3
America/New_York 20:30 UNTIL=20261205T013000Z => rrule 3 rrule-temporal 3 node-ical 3
Asia/Riyadh 21:30 => dateutil 3 ical 3'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries end the series in another way than noted." >&2; exit 1; }
