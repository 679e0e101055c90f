#!/usr/bin/env bash
# Expected: a daily job runs once on the evening on which Cairo's clocks go back (Friday 00:00 becomes Thursday 23:00).
# Seen on 29 November 2026, schedules of 29 October 2026 in Africa/Cairo:
#   cron 4.4.0 (npm)        midnight's job runs at 23:00, an hour early, and again at 00:00
#   croniter 7.0.0 (PyPI)   the job of 23:30 runs at both 23:30
#   croner 11.0.0, cron-parser 5.10.5 (npm), cronsim 2.8 (PyPI)   once each
# Most zones go back at 02:00 or 03:00, where few jobs are; in Egypt and Lebanon it is the hour of closing reports and reminders.
# Why it matters: a second daily report, and a reminder sent twice.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts cron@4.4.0 croner@11.0.0 cron-parser@5.10.5
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check croniter==7.0.0 cronsim==2.8 tzdata==2026.6

cat >show.mjs <<'JS'
import { CronTime } from "cron";
import { CronExpressionParser } from "cron-parser";
import { Cron } from "croner";

const zone = "Africa/Cairo", from = new Date("2026-10-29T10:00:00Z");
const local = date => date.toLocaleString("sv-SE", { timeZone: zone, day: "2-digit", hour: "2-digit", minute: "2-digit" });
for (const schedule of ["0 0 * * *", "30 23 * * *"]) {
  const first = new CronTime(schedule, zone).getNextDateFrom(from, zone);
  const second = new CronTime(schedule, zone).getNextDateFrom(first, zone);
  const parsed = CronExpressionParser.parse(schedule, { currentDate: from, tz: zone });
  const rows = {
    cron: [first.toJSDate(), second.toJSDate()],
    "cron-parser": [parsed.next().toDate(), parsed.next().toDate()],
    croner: new Cron(schedule, { timezone: zone }).nextRuns(2, from),
  };
  for (const [name, dates] of Object.entries(rows)) console.log(schedule, name, dates.map(local).join(", "));
}
JS
cat >show.py <<'PY'
from datetime import datetime, timezone
from zoneinfo import ZoneInfo
from croniter import croniter
from cronsim import CronSim

start = datetime(2026, 10, 29, 10, tzinfo=timezone.utc).astimezone(ZoneInfo("Africa/Cairo"))
for schedule in ("0 0 * * *", "30 23 * * *"):
    for name, runs in (("croniter", croniter(schedule, start, ret_type=datetime)), ("cronsim", CronSim(schedule, start))):
        print(schedule, name, ", ".join(next(runs).strftime("%d %H:%M") for _ in range(2)))
PY
seen=$(node show.mjs && PYTHONTZPATH='' env/bin/python show.py)
printf '%s\n' "$seen"

expected='0 0 * * * cron 29 23:00, 30 00:00
0 0 * * * cron-parser 30 00:00, 31 00:00
0 0 * * * croner 30 00:00, 31 00:00
30 23 * * * cron 29 23:30, 30 23:30
30 23 * * * cron-parser 29 23:30, 30 23:30
30 23 * * * croner 29 23:30, 30 23:30
0 0 * * * croniter 30 00:00, 31 00:00
0 0 * * * cronsim 30 00:00, 31 00:00
30 23 * * * croniter 29 23:30, 29 23:30
30 23 * * * cronsim 29 23:30, 30 23:30'
[ "$seen" = "$expected" ] || { echo "Changed: a library runs the jobs of that night at other times than noted." >&2; exit 1; }
