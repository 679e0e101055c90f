#!/usr/bin/env bash
# Expected: two telephone numbers in one cell, with a comma or semicolon between, are found as two, as Google's library does.
# Seen on 29 November 2026, libphonenumber-js 1.13.16 and phonenumbers 9.0.43, region AE: libphonenumber-js finds one number and
# takes the beginning of the second for its extension ("050" or "04"; without spaces even nine digits). phonenumbers finds both.
# With a plus before each number, both libraries find two.
# Why it matters: cells like these are common in address books of shops. The second number is lost, and the first gets an
# extension that a number formatted with it shows and that breaks a comparison by equality.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts libphonenumber-js@1.13.16
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check phonenumbers==9.0.43

cat >cells.txt <<'CELLS'
050-123-4567,050-765-4321
050 123 4567, 04 555 1234
0501234567,0507654321
+971501234567,+971507654321
CELLS
cat >show.mjs <<'JS'
import fs from "node:fs";
import { findPhoneNumbersInText } from "libphonenumber-js/max";
for (const cell of fs.readFileSync("cells.txt", "utf8").trim().split("\n")) {
  const found = findPhoneNumbersInText(cell, "AE").map(({ number }) => number.number + (number.ext ? ` ext ${number.ext}` : ""));
  console.log("js", cell, "=>", found.join(" and "));
}
JS
cat >show.py <<'PY'
import phonenumbers
for cell in open("cells.txt").read().splitlines():
    found = phonenumbers.PhoneNumberMatcher(cell, "AE")
    print("py", cell, "=>", " and ".join(phonenumbers.format_number(match.number, phonenumbers.PhoneNumberFormat.E164) for match in found))
PY
seen=$(node show.mjs && env/bin/python show.py)
printf '%s\n' "$seen"

expected='js 050-123-4567,050-765-4321 => +971501234567 ext 050
js 050 123 4567, 04 555 1234 => +971501234567 ext 04
js 0501234567,0507654321 => +971501234567 ext 050765432
js +971501234567,+971507654321 => +971501234567 and +971507654321
py 050-123-4567,050-765-4321 => +971501234567 and +971507654321
py 050 123 4567, 04 555 1234 => +971501234567 and +97145551234
py 0501234567,0507654321 => +971501234567 and +971507654321
py +971501234567,+971507654321 => +971501234567 and +971507654321'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries find other numbers in these cells than noted." >&2; exit 1; }
