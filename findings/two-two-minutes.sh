#!/usr/bin/env bash
# Expected: "two minutes ago" in Arabic is one word for both, the dual, without a digit.
# Seen on 30 November 2026: humanize 4.17.0, Arabic: "قبل 2 دقيقتين", which says "2 two minutes"; the same with days and hours. Babel 2.19.0
# and Intl of Node.js write the dual alone.
# Why it matters: each list of calls and messages shows it to each reader; nothing in a test of digits sees it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check humanize==4.17.0 babel==2.19.0

cat >show.py <<'PY'
import datetime
import humanize
from babel.dates import format_timedelta

humanize.i18n.activate("ar")
for minutes in (1, 2, 3, 120):
    ago = datetime.timedelta(minutes=minutes)
    print(f"{minutes} min: humanize {humanize.naturaltime(ago)} | Babel {format_timedelta(-ago, add_direction=True, threshold=1, locale='ar')}")
PY
seen=$(env/bin/python show.py && node -p 'new Intl.RelativeTimeFormat("ar-AE").format(-2, "minute")')
printf '%s\n' "$seen"

expected='1 min: humanize قبل دقيقة | Babel قبل دقيقة واحدة
2 min: humanize قبل 2 دقيقتين | Babel قبل دقيقتين
3 min: humanize قبل 3 دقائق | Babel قبل 3 دقائق
120 min: humanize قبل 2 ساعتين | Babel قبل ساعتين
قبل دقيقتين'
[ "$seen" = "$expected" ] || { echo "Changed: durations are written in another way than noted." >&2; exit 1; }
