#!/usr/bin/env bash
# Expected: the civil calendar of Saudi Arabia is a published table, so libraries that name it agree on every day.
# Seen on 29 November 2026, hijridate 2.6.0 (PyPI) and ICU4X 2.3.2 (npm `icu`; Intl of Node.js gives the same days):
#   1990 to 1999  they differ by a day on 2,929 of 3,652 days; never from 2000 to 2028
#   2029 to 2039  again on 1,320 days, first on 11 August 2029; Eid al-Fitr of 1454 is 2 or 3 January 2033
# The npm package @tabby_ai/hijri-converter 1.0.5 agrees with hijridate on all days from 1924 to 2077.
# Why it matters: a birthday on a Saudi identity card, converted in a browser and compared on a server, is another day;
# tests with dates of today never find it. Convert in one place, and store both forms.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check hijridate==2.6.0
npm install --silent --no-audit --no-fund --no-save --ignore-scripts icu@2.3.2

env/bin/python - >days.json <<'PY'
import datetime, json, sys
from hijridate import Gregorian

days = []
day = datetime.date(1990, 1, 1)
while day.year < 2040:
    days.append([day.year, day.month, day.day, *Gregorian(day.year, day.month, day.day).to_hijri().datetuple()])
    day += datetime.timedelta(days=1)
json.dump(days, sys.stdout)
PY
cat >compare.mjs <<'JS'
import fs from "node:fs";
import { Calendar, CalendarKind, Date as IcuDate } from "icu";

const calendar = new Calendar(CalendarKind.HijriUmmAlQura);
const counts = {}, firsts = [];
for (const [year, month, day, ...hijri] of JSON.parse(fs.readFileSync("days.json", "utf8"))) {
  const icu = IcuDate.fromIsoInCalendar(year, month, day, calendar);
  const other = [icu.extendedYear, icu.ordinalMonth, icu.dayOfMonth];
  const period = year < 2000 ? "1990-1999" : year < 2029 ? "2000-2028" : "2029-2039";
  counts[period] ??= 0;
  if (other.join() === hijri.join()) continue;
  counts[period] += 1;
  if (year > 2000 && (firsts.length === 0 || hijri.join() === "1454,10,1"))
    firsts.push(`${year}-${month}-${day}: hijridate ${hijri.join("-")}, ICU4X ${other.join("-")}`);
}
console.log(Object.entries(counts).map(([period, days]) => `${period}: ${days} days differ`).join("\n"));
console.log(firsts.join("\n"));
JS
seen=$(node compare.mjs)
printf '%s\n' "$seen"

expected='1990-1999: 2929 days differ
2000-2028: 0 days differ
2029-2039: 1320 days differ
2029-8-11: hijridate 1451-4-1, ICU4X 1451-3-30
2033-1-2: hijridate 1454-10-1, ICU4X 1454-9-30'
[ "$seen" = "$expected" ] || { echo "Changed: the two tables of Umm al-Qura differ on other days than noted." >&2; exit 1; }
