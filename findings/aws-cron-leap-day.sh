#!/usr/bin/env bash
# Expected: libraries that say they read EventBridge's cron() agree on a yearly schedule and on a range over the weekend.
# Seen on 29 November 2026, aws-cron-parser 1.1.12 (npm) and aws-croniter 2.1.1 (PyPI):
#   0 9 29 2 ? *         npm: 1 March 2027, a year without 29 February; PyPI: 29 February 2028
#   0 9 ? * SAT-MON *    npm: gives up with an error of its own; PyPI: Saturday, Sunday, Monday
# Why it matters: a console that shows a customer the next run, and a worker that computes it, use one of them each. The Gulf's
# week was Saturday to Wednesday and is Monday to Friday: such ranges are written.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts aws-cron-parser@1.1.12
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check aws-croniter==2.1.1

cat >show.cjs <<'JS'
const { parse, next } = require("aws-cron-parser");
for (const schedule of ["0 9 29 2 ? *", "0 9 ? * SAT-MON *"]) {
  let runs = [];
  try {
    for (let date = new Date("2026-12-01T00:00:00Z"); runs.length < 3; runs.push(date.toISOString().slice(0, 10)))
      date = next(parse(schedule), date);
  } catch {
    runs = ["an error"];
  }
  console.log("aws-cron-parser", schedule, runs.join(" "));
}
JS
cat >show.py <<'PY'
from datetime import datetime, timezone
from aws_croniter import AwsCroniter

for schedule in ("0 9 29 2 ? *", "0 9 ? * SAT-MON *"):
    runs = AwsCroniter(schedule).get_next(datetime(2026, 12, 1, tzinfo=timezone.utc), 3)
    print("aws-croniter   ", schedule, " ".join(run.strftime("%Y-%m-%d") for run in runs))
PY
seen=$(node show.cjs && env/bin/python show.py)
printf '%s\n' "$seen"

expected='aws-cron-parser 0 9 29 2 ? * 2027-03-01 2028-02-29 2029-03-01
aws-cron-parser 0 9 ? * SAT-MON * an error
aws-croniter    0 9 29 2 ? * 2028-02-29 2032-02-29 2036-02-29
aws-croniter    0 9 ? * SAT-MON * 2026-12-05 2026-12-06 2026-12-07'
[ "$seen" = "$expected" ] || { echo "Changed: the two libraries read the schedules in another way than noted." >&2; exit 1; }
