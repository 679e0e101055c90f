#!/usr/bin/env bash
# Expected: Babel's parse_time reads the times that its format_time wrote, in the same locale and format.
# Seen on 2 December 2026: in Babel 2.19.0 (PyPI) it looks for the Latin letters "am" and "pm" alone. "7:30 م", its own Arabic for
# 19:30, is read as 07:30 and half past midnight as 12:30, without an error; likewise Korean, Greek, Albanian, and Mexico's "p.m.".
# English, Turkish and Hindi are right.
# Why it matters: an appointment at half past seven in the evening that goes through an Arabic form or export is kept for the morning,
# and so is its reminder. Tests in English pass, and so do those in Arabic before noon.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check Babel==2.19.0

cat >show.py <<'PY'
from datetime import time
from babel.dates import format_time, parse_time

for locale in ("en_AE", "tr", "hi", "ar_AE", "ar_SA", "ar_EG", "ko", "el", "sq", "es_MX"):
    for hour in (0, 7, 12, 19):
        written = format_time(time(hour, 30), "short", locale=locale)
        read = parse_time(written, locale=locale, format="short")
        if read != time(hour, 30):
            print(locale, f"{hour:02}:30 is written", written.replace("\u202f", " "), "and read as", f"{read:%H:%M}")
PY
seen=$(env/bin/python show.py)
printf '%s\n' "$seen"

expected='ar_AE 00:30 is written 12:30 ص and read as 12:30
ar_AE 19:30 is written 7:30 م and read as 07:30
ar_SA 00:30 is written 12:30 ص and read as 12:30
ar_SA 19:30 is written 7:30 م and read as 07:30
ar_EG 00:30 is written 12:30 ص and read as 12:30
ar_EG 19:30 is written 7:30 م and read as 07:30
ko 00:30 is written 오전 12:30 and read as 12:30
ko 19:30 is written 오후 7:30 and read as 07:30
el 00:30 is written 12:30 π.μ. and read as 12:30
el 19:30 is written 7:30 μ.μ. and read as 07:30
sq 00:30 is written 12:30 p.d. and read as 12:30
sq 19:30 is written 7:30 m.d. and read as 07:30
es_MX 00:30 is written 12:30 a.m. and read as 12:30
es_MX 19:30 is written 7:30 p.m. and read as 07:30'
[ "$seen" = "$expected" ] || { echo "Changed: Babel reads its own times in another way than noted." >&2; exit 1; }
