#!/usr/bin/env bash
# Expected: "friday at 5" is a Friday, and "tomorrow at 5" is five o'clock, or the text is refused.
# Seen on 30 November 2026, dateparser 1.5.0, on Monday 30 November at 12:17: "tomorrow at 5", "morgen um 17 Uhr" and "mañana a las 5" are
# tomorrow at 12:17, the minute of the question; "friday at 5" is 30 May: 5 is a month. With "5pm" the hour is read, and Friday is the
# last one. chrono-node 2.10.3 reads "tomorrow at 5" as 05:00, "tonight at 12" as noon of the day that is nearly over.
# Why it matters: customers answer "when shall we expect you?" so. None of these is refused, and each is a plausible time.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts chrono-node@2.10.3
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check dateparser==1.5.0

cat >show.py <<'PY'
import datetime
import dateparser

now = {"RELATIVE_BASE": datetime.datetime(2026, 11, 30, 12, 17)}
for text in ("tomorrow at 5", "tomorrow at 5pm", "morgen um 17 Uhr", "mañana a las 5", "friday at 5", "friday 5pm"):
    print("dateparser", text, "=>", dateparser.parse(text, settings=now))
PY
cat >show.cjs <<'JS'
process.env.TZ = "UTC";
const chrono = require("chrono-node");
for (const text of ["tomorrow at 5", "tonight at 12", "friday at 5"]) {
  console.log("chrono", text, "=>", chrono.parseDate(text, new Date(Date.UTC(2026, 10, 30, 12, 17))).toISOString());
}
JS
seen=$(env/bin/python show.py && node show.cjs)
printf '%s\n' "$seen"

expected='dateparser tomorrow at 5 => 2026-12-01 12:17:00
dateparser tomorrow at 5pm => 2026-12-01 17:00:00
dateparser morgen um 17 Uhr => 2026-12-01 12:17:00
dateparser mañana a las 5 => 2026-12-01 12:17:00
dateparser friday at 5 => 2026-05-30 00:00:00
dateparser friday 5pm => 2026-11-27 17:00:00
chrono tomorrow at 5 => 2026-12-01T05:00:00.000Z
chrono tonight at 12 => 2026-11-30T12:00:00.000Z
chrono friday at 5 => 2026-11-27T05:00:00.000Z'
[ "$seen" = "$expected" ] || { echo "Changed: times are read in another way than noted." >&2; exit 1; }
