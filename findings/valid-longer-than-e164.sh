#!/usr/bin/env bash
# Expected: a number that libphonenumber calls valid has at most the 15 digits that E.164 allows, so its E.164 form can be stored and dialled.
# Seen on 30 November 2026, phonenumbers 9.0.43 (PyPI, Google's tables): German landlines of 16 digits with the country's code are valid, and
# format_number(…, E164) writes them. The same 14 digits are a valid mobile of Luxembourg if a spreadsheet program has removed their plus.
# Why it matters: who checks is_valid_number alone stores numbers that no provider takes, and who then looks for a lost plus writes to
# somebody in another country.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43
cat >show.py <<'PY'
import phonenumbers
for text in ("35293635927810", "+35293635927810"):
    number = phonenumbers.parse(text, "DE")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    print(text, phonenumbers.is_valid_number(number), e164, len(e164) - 1, "digits")
PY
seen=$(env/bin/python show.py)
printf '%s\n' "$seen"

expected="35293635927810 True +4935293635927810 16 digits
+35293635927810 True +35293635927810 14 digits"
[ "$seen" = "$expected" ] || { echo "Changed: such numbers are judged in another way than noted." >&2; exit 1; }
