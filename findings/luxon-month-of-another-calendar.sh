#!/usr/bin/env bash
# Expected: a format string of one date uses one calendar, and a locale with another calendar gets either all of it or none.
# Seen on 29 November 2026, luxon 3.7.2 with locale fa: toFormat("d MMMM yyyy") writes day 25 and year 2026 of the Gregorian
# calendar around the month Dey of the Persian one. That day is 4 Dey 1405, which toLocaleString writes.
# Why it matters: Persian-speaking customers get a date that exists in no calendar, 21 days from the one that was booked;
# no error, and reviewers who do not read Persian see a plausible line. `outputCalendar: "gregory"` gives a Gregorian date.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts luxon@3.7.2

cat >show.mjs <<'JS'
import { DateTime } from "luxon";

const write = (options, form) => {
  const day = DateTime.fromISO("2026-12-25", { zone: "Asia/Dubai" }).reconfigure({ locale: "fa", numberingSystem: "latn", ...options });
  return form ? day.toFormat(form) : day.toLocaleString({ day: "numeric", month: "long", year: "numeric" });
};
console.log("toFormat               ", write({}, "d MMMM yyyy"));
console.log("toLocaleString         ", write({}));
console.log("toFormat, gregory      ", write({ outputCalendar: "gregory" }, "d MMMM yyyy"));
JS
seen=$(node show.mjs)
printf '%s\n' "$seen"

expected='toFormat                25 دی 2026
toLocaleString          4 دی 1405
toFormat, gregory       25 دسامبر 2026'
[ "$seen" = "$expected" ] || { echo "Changed: luxon formats a Persian date in another way than noted." >&2; exit 1; }
