#!/usr/bin/env bash
# Expected: isMobilePhone of validator, which express-validator and class-validator pass on, knows the mobile numbers of the country
# that it is asked for.
# Seen on 2 December 2026: validator 13.15.35 (npm) has no Emirati numbers that begin with 53, no Omani ones with 90 and no Yemeni ones
# with 78, not even when asked for any country. It takes landlines of Casablanca and Tripoli for mobile numbers. The tables of
# libphonenumber-js 1.13.16 and phone 3.1.72 (npm) agree against it on all five.
# Why it matters: a form refuses a customer who has a newer number, or a text message goes to a landline, where it is paid for and not
# read.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts validator@13.15.35 libphonenumber-js@1.13.16 phone@3.1.72

cat >show.cjs <<'JS'
const { parsePhoneNumber } = require("libphonenumber-js/max");
const { phone } = require("phone");
const validator = require("validator");
const say = (taken) => (taken ? "mobile" : "no");
for (const number of ["+971501234567", "+971531234567", "+96890123456", "+967781234567", "+212522123456", "+218211234567"]) {
  const parsed = parsePhoneNumber(number);
  console.log(number, "validator", say(validator.isMobilePhone(number, "ar-" + parsed.country)), "any", say(validator.isMobilePhone(number, "any")),
    "libphonenumber-js", parsed.getType() ?? "not valid", "phone", say(phone(number, { country: parsed.country }).isValid));
}
JS
seen=$(node show.cjs)
printf '%s\n' "$seen"

expected='+971501234567 validator mobile any mobile libphonenumber-js MOBILE phone mobile
+971531234567 validator no any no libphonenumber-js MOBILE phone mobile
+96890123456 validator no any no libphonenumber-js MOBILE phone mobile
+967781234567 validator no any no libphonenumber-js MOBILE phone mobile
+212522123456 validator mobile any mobile libphonenumber-js FIXED_LINE phone no
+218211234567 validator mobile any mobile libphonenumber-js FIXED_LINE phone no'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries know other numbers than noted." >&2; exit 1; }
