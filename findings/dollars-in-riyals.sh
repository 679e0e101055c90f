#!/usr/bin/env bash
# Expected: num2words, asked for an amount in Arabic words, names the currency, or refuses one that it does not know, as in English.
# Seen on 30 November 2026, num2words 0.5.14, lang="ar", to="currency": AED, USD and any other text are Saudi riyals and halalas; the
# half of a Kuwaiti dinar is 50 fils, though a dinar has 1,000. In English AED raises NotImplementedError.
# Why it matters: the words of an invoice or a receipt name another currency than its digits, and where both stand, words often hold.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check num2words==0.5.14

cat >show.py <<'PY'
from num2words import num2words

names = {"ريال": "riyal", "دينار": "dinar", "دولار": "dollar", "درهم": "dirham", "هللة": "halala", "فلس": "fils", "سنت": "cent"}
for currency in ("AED", "USD", "KWD", "XYZ"):
    words = num2words(1500.5, lang="ar", to="currency", currency=currency).split()
    fifty = "50" if "خمسون" in words else "not 50"
    print(f"ar {currency}:", " and ".join(names[word] for word in words if word in names), f"({fifty})")
    try:
        print(f"en {currency}:", num2words(1500.5, lang="en", to="currency", currency=currency))
    except NotImplementedError:
        print(f"en {currency}: refused")
PY
seen=$(env/bin/python show.py)
printf '%s\n' "$seen"

expected='ar AED: riyal and halala (50)
en AED: refused
ar USD: riyal and halala (50)
en USD: one thousand, five hundred dollars, fifty cents
ar KWD: dinar and fils (50)
en KWD: refused
ar XYZ: riyal and halala (50)
en XYZ: refused'
[ "$seen" = "$expected" ] || { echo "Changed: amounts have other words than noted." >&2; exit 1; }
