#!/usr/bin/env bash
# Expected: libraries that take decimals from ISO 4217 and libraries that print amounts use the same number of digits.
# Seen on 29 November 2026: iso4217 1.16.20260101, py-moneyed 3.0 (sub_unit) and dinero.js 2.0.2 count in ISO's units, three
# digits for IQD, two for LBP, YER and SYP; Babel 2.19.0 prints all four without any, from CLDR, and str() of py-moneyed's Money
# does, too. So does Intl of Node.js. KWD, BHD, OMR, JOD and TND agree.
# Why it matters: an amount of 1.750 dinars is printed as "IQD 2" on a receipt and in a log, and a total is not the sum of its
# printed lines. Tests with dirhams and Kuwaiti dinars pass. Pass the digits explicitly where amounts come from ISO's units.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check babel==2.19.0 iso4217==1.16.20260101 py-moneyed==3.0
npm install --silent --no-audit --no-fund --no-save --ignore-scripts dinero.js@2.0.2

cat >show.py <<'PY'
from decimal import Decimal
from babel.numbers import format_currency
from iso4217 import Currency
from moneyed import Money

for code in ("KWD", "IQD", "LBP", "YER", "SYP"):
    digits = Currency(code).exponent
    amount = Decimal(1750).scaleb(-digits)
    printed = f"Babel {format_currency(amount, code, locale='en_AE')}; Money {Money(amount, code)}".replace("\u00a0", " ")
    print(code, f"1750 minor units are {amount};", printed)
PY
cat >show.mjs <<'JS'
import * as dinero from "dinero.js";
console.log("dinero.js", ["KWD", "IQD", "LBP", "YER", "SYP"].map(code => `${code} ${dinero[code].exponent}`).join(", "));
JS
seen=$(env/bin/python show.py && node show.mjs)
printf '%s\n' "$seen"

expected='KWD 1750 minor units are 1.750; Babel KWD1.750; Money KWD 1.750
IQD 1750 minor units are 1.750; Babel IQD2; Money IQD 2
LBP 1750 minor units are 17.50; Babel LBP18; Money LBP 18
YER 1750 minor units are 17.50; Babel YER18; Money YER 18
SYP 1750 minor units are 17.50; Babel SYP18; Money SYP 18
dinero.js KWD 3, IQD 3, LBP 2, YER 2, SYP 2'
[ "$seen" = "$expected" ] || { echo "Changed: these currencies have other digits than noted." >&2; exit 1; }
