#!/usr/bin/env bash
# Expected: Babel, asked for Kuwait's own numbering system, writes Arabic-Indic digits, and currency.js reads an amount or refuses it.
# Seen on 29 November 2026: Babel 2.19.0 with numbering_system="default" (or "arab") for ar_KW and ar_EG writes Latin digits between
# Arabic separators (U+066C, U+066B); Intl of Node.js writes the digits in Arabic, too. currency.js 2.0.4 drops the separators, so
# 1234.500 is read as 1234500; an amount in Arabic-Indic digits is read as 0. errorOnInvalid changes nothing.
# Why it matters: a price of 1,234.500 dinars becomes a thousand times as much between two services, or nothing, and both are
# valid numbers. Tests with ar_AE pass: its own system is Latin. Babel's parse_decimal reads its own form back.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts currency.js@2.0.4
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check babel==2.19.0

env/bin/python - >prices.json <<'PY'
import json
from decimal import Decimal
from babel.numbers import format_decimal, parse_decimal

price = Decimal("1234.500")
prices = {f"Babel, {locale}": format_decimal(price, "#,##0.000", locale=locale, numbering_system="default") for locale in ("ar_AE", "ar_KW", "ar_EG")}
assert parse_decimal(prices["Babel, ar_KW"], locale="ar_KW", numbering_system="default") == price
print(json.dumps(prices))
PY
cat >show.cjs <<'JS'
const currency = require("currency.js");
const prices = require("./prices.json");
prices["by hand"] = "١٬٢٣٤٫٥٠٠";
for (const [name, price] of Object.entries(prices)) {
  const shown = price.replace(/[^\d.,]/g, sign => `U+0${sign.codePointAt(0).toString(16)} `).trim();
  console.log(`${name}: ${shown} is`, currency(price, { precision: 3, errorOnInvalid: true }).value);
}
JS
seen=$(node show.cjs)
printf '%s\n' "$seen"

expected='Babel, ar_AE: 1,234.500 is 1234.5
Babel, ar_KW: 1U+066c 234U+066b 500 is 1234500
Babel, ar_EG: 1U+066c 234U+066b 500 is 1234500
by hand: U+0661 U+066c U+0662 U+0663 U+0664 U+066b U+0665 U+0660 U+0660 is 0'
[ "$seen" = "$expected" ] || { echo "Changed: the prices are written or read in another way than noted." >&2; exit 1; }
