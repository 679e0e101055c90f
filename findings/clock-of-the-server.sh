#!/usr/bin/env bash
# Expected: an event made from a JavaScript Date, which is one moment, and from a zone is written as the time of that moment in the
# zone.
# Seen on 2 December 2026: ical-generator 10.2.0 (npm) puts the zone's name beside the clock of the machine. Ten in the morning in
# Riyadh is DTSTART;TZID=Asia/Riyadh:20261202T070000 on a server in UTC, and a whole day is the day before; with TZ=Asia/Riyadh, as on
# the office's laptop, both are right. With Luxon's DateTime they are right on both, but a Date among its exceptions cancels no
# appointment, as its EXDATE is at 07:00.
# The manual says that the given time is taken to match the zone; a Date has no other time than the machine's.
# Why it matters: customers get invitations that are three hours early, from the server only. Tests on machines of the shop's own zone
# pass.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts ical-generator@10.2.0 luxon@3.7.2 ical.js@2.2.1

cat >show.mjs <<'JS'
import ICAL from "ical.js";
import icalGenerator from "ical-generator";
import { DateTime } from "luxon";

const timezone = "Asia/Riyadh";
const moment = new Date("2026-12-02T10:00:00+03:00");
const line = (name, event) => {
  const calendar = icalGenerator({ name: "Visits" });
  calendar.createEvent({ id: "1", summary: "Visit", timezone, ...event });
  const text = calendar.toString();
  console.log(process.env.TZ, name, ...text.match(/(DTSTART|EXDATE)\S*/g));
  return text;
};
line("Date", { start: moment });
line("Date, whole day", { start: new Date("2026-12-02T00:00:00+03:00"), allDay: true });
const text = line("DateTime without the second day", {
  start: DateTime.fromJSDate(moment, { zone: timezone }),
  repeating: { freq: "DAILY", count: 3, exclude: [new Date("2026-12-03T10:00:00+03:00")] },
});
const visits = new ICAL.Event(new ICAL.Component(ICAL.parse(text)).getFirstSubcomponent("vevent")).iterator();
const days = [];
for (let visit; (visit = visits.next()); ) days.push(visit.day);
console.log(process.env.TZ, "visits on the days", days.join(", "));
JS
seen=$(TZ=UTC node show.mjs && TZ=Asia/Riyadh node show.mjs)
printf '%s\n' "$seen"

expected='UTC Date DTSTART;TZID=Asia/Riyadh:20261202T070000
UTC Date, whole day DTSTART;VALUE=DATE:20261201
UTC DateTime without the second day DTSTART;TZID=Asia/Riyadh:20261202T100000 EXDATE;TZID=Asia/Riyadh:20261203T070000
UTC visits on the days 2, 3, 4
Asia/Riyadh Date DTSTART;TZID=Asia/Riyadh:20261202T100000
Asia/Riyadh Date, whole day DTSTART;VALUE=DATE:20261202
Asia/Riyadh DateTime without the second day DTSTART;TZID=Asia/Riyadh:20261202T100000 EXDATE;TZID=Asia/Riyadh:20261203T100000
Asia/Riyadh visits on the days 2, 4'
[ "$seen" = "$expected" ] || { echo "Changed: the calendar's times are written in another way than noted." >&2; exit 1; }
