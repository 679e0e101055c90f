#!/usr/bin/env bash
# Expected: two maintained lists of public holidays agree on a country's days of a year that is nearly over.
# Seen on 30 November 2026, the Emirates in 2026: date-holidays 3.37.0 (npm) has the first day of Ramadan and the night journey as public
# holidays, which the other does not, and one day for each of the two feasts; holidays 0.109 (PyPI) has four and three, with the day of Arafah,
# and 3 December. The Prophet's birthday and the new year differ as days.
# Why it matters: "closed on public holidays" and quiet days depend on which of them a service uses; thirteen days of this year differ.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts date-holidays@3.37.0
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check holidays==0.109

cat >show.cjs <<'JS'
const Holidays = require("date-holidays");
const days = new Holidays("AE").getHolidays(2026).filter(day => day.type === "public");
console.log([...new Set(days.map(day => day.date.slice(0, 10)))].sort().join("\n"));
JS
node show.cjs >npm.txt
env/bin/python -c '
import holidays
print("\n".join(sorted(str(day) for day in holidays.country_holidays("AE", years=2026))))' >pypi.txt
seen=$(
  echo "only npm: $(comm -23 npm.txt pypi.txt | xargs)"
  echo "only PyPI: $(comm -13 npm.txt pypi.txt | xargs)"
  echo "both: $(comm -12 npm.txt pypi.txt | xargs)"
)
printf '%s\n' "$seen"

expected='only npm: 2026-01-16 2026-02-18 2026-06-16 2026-08-25
only PyPI: 2026-03-19 2026-03-21 2026-03-22 2026-05-26 2026-05-28 2026-05-29 2026-06-15 2026-08-28 2026-12-03
both: 2026-01-01 2026-03-20 2026-05-27 2026-12-02'
[ "$seen" = "$expected" ] || { echo "Changed: the lists have other days than noted." >&2; exit 1; }
