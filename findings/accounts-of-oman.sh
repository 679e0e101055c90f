#!/usr/bin/env bash
# Expected: checkers of IBANs follow SWIFT's registry and agree on which countries have them.
# Seen on 2 December 2026: validator 13.15.35 (isIBAN) and iban 0.0.14 (npm) refuse every account of Oman, Libya, Sudan, Yemen, Djibouti
# and Somalia, which the registry lists; ibantools 4.5.4 (npm), schwifty 2026.10.1 and python-stdnum 2.2 (PyPI) take them. All five
# agree on the Emirates and Saudi Arabia.
# Why it matters: a form for refunds tells customers in Muscat that their account number is wrong, in the browser, while the server
# behind it would take it; nobody at a shop in Dubai sees that.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts validator@13.15.35 iban@0.0.14 ibantools@4.5.4
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check schwifty==2026.10.1 python-stdnum==2.2

# Invented accounts; the two digits after the country are computed.
accounts='OM880180000001234567890 LY21002048000123456789012 SD5529000012345678 YE91CBYE0001000001234567890123 DJ4600010000000123456789012
SO461000001001000123456 AE570330000001234567890 SA6780000000001234567890'
cat >show.cjs <<'JS'
const iban = require("iban");
const { isValidIBAN } = require("ibantools");
const validator = require("validator");
const say = (taken) => (taken ? "takes" : "refuses");
for (const account of process.argv.slice(2)) {
  console.log(account, "validator", say(validator.isIBAN(account)), "iban", say(iban.isValid(account)), "ibantools", say(isValidIBAN(account)));
}
JS
cat >show.py <<'PY'
import sys
import schwifty
from stdnum import iban

for account in sys.argv[1:]:
    taken = schwifty.IBAN(account, allow_invalid=True).is_valid
    print(account, "schwifty", "takes" if taken else "refuses", "stdnum", "takes" if iban.is_valid(account) else "refuses")
PY
seen=$(node show.cjs $accounts && env/bin/python show.py $accounts)
printf '%s\n' "$seen"

expected='OM880180000001234567890 validator refuses iban refuses ibantools takes
LY21002048000123456789012 validator refuses iban refuses ibantools takes
SD5529000012345678 validator refuses iban refuses ibantools takes
YE91CBYE0001000001234567890123 validator refuses iban refuses ibantools takes
DJ4600010000000123456789012 validator refuses iban refuses ibantools takes
SO461000001001000123456 validator refuses iban refuses ibantools takes
AE570330000001234567890 validator takes iban takes ibantools takes
SA6780000000001234567890 validator takes iban takes ibantools takes
OM880180000001234567890 schwifty takes stdnum takes
LY21002048000123456789012 schwifty takes stdnum takes
SD5529000012345678 schwifty takes stdnum takes
YE91CBYE0001000001234567890123 schwifty takes stdnum takes
DJ4600010000000123456789012 schwifty takes stdnum takes
SO461000001001000123456 schwifty takes stdnum takes
AE570330000001234567890 schwifty takes stdnum takes
SA6780000000001234567890 schwifty takes stdnum takes'
[ "$seen" = "$expected" ] || { echo "Changed: the checkers take other accounts than noted." >&2; exit 1; }
