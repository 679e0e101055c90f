#!/usr/bin/env bash
# Expected: clevercsv, made for files whose separator is unknown, reads a list of telephone numbers, one a line, as one column.
# Seen on 29 November 2026, clevercsv 0.8.5 (PyPI): numbers that are written with spaces become columns, "050", "123", "4567"; with a
# column of names before them and semicolons it finds the semicolon. Numbers without spaces are one column.
# papaparse 5.7.1 and csv-parse 7.0.3 (npm) read one column in both cases.
# Why it matters: people paste such lists for a campaign. The header "Phone" is over "050", so each row has a number of three digits,
# or, where short numbers are tried, somebody else's. Check the longest row against the header before you believe a sniffer.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check clevercsv==0.8.5
npm install --silent --no-audit --no-fund --no-save --ignore-scripts papaparse@5.7.1 csv-parse@7.0.3

printf 'Phone\n050 123 4567\n050 765 4321\n04 555 1234\n' >spaces.csv
printf 'Phone\n0501234567\n0507654321\n045551234\n' >digits.csv
printf 'Name;Phone\nLayla;050 123 4567\nOmar;050 765 4321\n' >names.csv
cat >show.py <<'PY'
import clevercsv
for name in ("spaces", "digits", "names"):
    print("clevercsv", name, list(clevercsv.wrappers.read_table(f"{name}.csv"))[1])
PY
cat >show.cjs <<'JS'
const fs = require("node:fs"), Papa = require("papaparse"), { parse } = require("csv-parse/sync");
for (const name of ["spaces", "digits"]) {
  const text = fs.readFileSync(`${name}.csv`, "utf8");
  console.log("papaparse", name, JSON.stringify(Papa.parse(text).data[1]), "csv-parse", JSON.stringify(parse(text)[1]));
}
JS
seen=$(env/bin/python show.py && node show.cjs)
printf '%s\n' "$seen"

expected="clevercsv spaces ['050', '123', '4567']
clevercsv digits ['0501234567']
clevercsv names ['Layla', '050 123 4567']
papaparse spaces [\"050 123 4567\"] csv-parse [\"050 123 4567\"]
papaparse digits [\"0501234567\"] csv-parse [\"0501234567\"]"
[ "$seen" = "$expected" ] || { echo "Changed: the libraries read these lists in another way than noted." >&2; exit 1; }
