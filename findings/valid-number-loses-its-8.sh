#!/usr/bin/env bash
# Expected: libphonenumber reads the E.164 form that it writes of a valid number as that number: nothing is dialled before it.
# Seen on 30 November 2026, phonenumbers 9.0.43 (PyPI, Google's tables): of Belarus' premium numbers that begin with 810, the E.164 form loses
# the 8, which is what people dial before national numbers, and what is left is not valid. Only a number built from its parts is.
# Why it matters: a check of line types that parses the stored form does not see that such a number is a premium one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43
cat >show.py <<'PY'
import phonenumbers
E164 = phonenumbers.PhoneNumberFormat.E164
built = phonenumbers.PhoneNumber(country_code=375, national_number=8105924066)
written = phonenumbers.format_number(built, E164)
read = phonenumbers.parse(written)
for number in (built, read):
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    print(phonenumbers.format_number(number, E164), phonenumbers.is_valid_number(number), kind)
PY
seen=$(env/bin/python show.py)
printf '%s\n' "$seen"

expected="+3758105924066 True PREMIUM_RATE
+375105924066 False UNKNOWN"
[ "$seen" = "$expected" ] || { echo "Changed: the number is read in another way than noted." >&2; exit 1; }
