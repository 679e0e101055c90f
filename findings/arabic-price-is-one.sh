#!/usr/bin/env bash
# Expected: price-parser, made for prices as shops write them, reads an Arabic price whole or not at all.
# Seen on 30 November 2026, price-parser 0.5.1: "١٬٥٠٠٫٥٠ د.إ", as CLDR writes 1,500.50 dirhams in Arabic-Indic digits, is 1 without a currency;
# 50 fils ("٫٥٠") are 50. With Latin digits the same separators end the number too. "KD 1.500", one and a half dinars, is 1500.
# Why it matters: a price list that is read so is off by a thousand in both directions, and each amount is a valid one.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check price-parser==0.5.1

cat >show.py <<'PY'
from price_parser import Price

for text in ("AED 1,500.50", "\u0661\u066c\u0665\u0660\u0660\u066b\u0665\u0660 \u062f.\u0625", "AED 1\u066c500\u066b50", "\u066b\u0665\u0660", "KD 1.500", "OMR 0.250"):
    price = Price.fromstring(text)
    print(ascii(text), "=>", price.amount, ascii(price.currency))
PY
seen=$(env/bin/python show.py)
printf '%s\n' "$seen"

expected=''"'"'AED 1,500.50'"'"' => 1500.50 '"'"'AED'"'"'
'"'"'\u0661\u066c\u0665\u0660\u0660\u066b\u0665\u0660 \u062f.\u0625'"'"' => 1 None
'"'"'AED 1\u066c500\u066b50'"'"' => 1 '"'"'AED'"'"'
'"'"'\u066b\u0665\u0660'"'"' => 50 None
'"'"'KD 1.500'"'"' => 1500 '"'"'KD'"'"'
'"'"'OMR 0.250'"'"' => 250 '"'"'OMR'"'"''
[ "$seen" = "$expected" ] || { echo "Changed: prices are read in another way than noted." >&2; exit 1; }
