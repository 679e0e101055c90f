#!/usr/bin/env bash
# Expected: phonenumbers gives a number of a country with one time zone the zone of that country.
# Seen on 29 November 2026, phonenumbers 9.0.43 and tzdata 2026.6: mobiles of Morocco are Atlantic/Canary, of Algeria
# Europe/Paris, of Libya Europe/Bucharest, of Nicaragua America/Chicago, of South Sudan Africa/Nairobi. Four of those zones have
# summer time, which these countries do not have; in South Sudan the clock is an hour off all year.
# Why it matters: quiet hours and "good morning" go wrong for half a year without any error, and no test in winter finds it.
# For a country with one zone, take it from zone.tab; the data of numbers helps only where a country has several.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43 tzdata==2026.6

cat >show.py <<'PY'
from datetime import datetime, timezone
from zoneinfo import ZoneInfo
import phonenumbers
from phonenumbers.timezone import time_zones_for_number

TIMES = [datetime(2027, month, 15, 12, tzinfo=timezone.utc) for month in (1, 7)]
own = {"MA": "Africa/Casablanca", "DZ": "Africa/Algiers", "LY": "Africa/Tripoli", "NI": "America/Managua", "SS": "Africa/Juba"}
for region, zone in own.items():
    number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
    (given,) = time_zones_for_number(number)
    clocks = [[time.astimezone(ZoneInfo(name)).strftime("%H:%M") for time in TIMES] for name in (given, zone)]
    print(region, given, "January {0[0]}, July {0[1]}; there January {1[0]}, July {1[1]}".format(*clocks))
PY
seen=$(PYTHONTZPATH='' env/bin/python show.py)
printf '%s\n' "$seen"

expected='MA Atlantic/Canary January 12:00, July 13:00; there January 12:00, July 12:00
DZ Europe/Paris January 13:00, July 14:00; there January 13:00, July 13:00
LY Europe/Bucharest January 14:00, July 15:00; there January 14:00, July 14:00
NI America/Chicago January 06:00, July 07:00; there January 06:00, July 06:00
SS Africa/Nairobi January 15:00, July 15:00; there January 14:00, July 14:00'
[ "$seen" = "$expected" ] || { echo "Changed: the zones of these countries' numbers are others than noted." >&2; exit 1; }
