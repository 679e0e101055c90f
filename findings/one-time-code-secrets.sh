#!/usr/bin/env bash
# Expected: libraries of one-time codes take the secrets that authenticator apps have shown for years: 16 letters, in groups of four.
# Seen on 29 November 2026:
#   pyotp 2.12.0, otplib 13.5.0   refuse 16 letters (80 bits): at least 112 and 128 bits; pyotp 2.9.0 took them
#   both                          refuse spaces between groups
#   speakeasy 2.0.0               takes the spaces for data: another code, without an error
#   otpauth 9.5.2                 takes all of them
# Why it matters: after a routine update everybody who enrolled years ago cannot log in, and a secret copied from a screen with its
# spaces works in one service and never in another. Remove spaces yourself, and enrol people again before the update.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts otplib@13.5.0 otpauth@9.5.2 speakeasy@2.0.0
for version in 2.9.0 2.12.0; do
  python3 -m venv "pyotp-$version"
  "pyotp-$version/bin/pip" install --quiet --disable-pip-version-check "pyotp==$version"
done

# The secret of RFC 6238's vectors at its time 59, whole and grouped; and one of 16 letters.
cat >show.mjs <<'JS'
import { generateSync } from "otplib";
import { TOTP } from "otpauth";
import speakeasy from "speakeasy";

const code = generate => { try { return generate(); } catch { return "refused"; } };
for (const secret of ["GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", "JBSWY3DPEHPK3PXP"])
  console.log(secret + ":",
    "otplib", code(() => generateSync({ secret, epoch: 59 })),
    "otpauth", code(() => new TOTP({ secret }).generate({ timestamp: 59000 })),
    "speakeasy", code(() => speakeasy.totp({ secret, encoding: "base32", time: 59 })));
JS
cat >show.py <<'PY'
import sys
import pyotp

def code(secret):
    try:
        return pyotp.TOTP(secret).at(59)
    except ValueError:
        return "refused"

codes = map(code, ("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ", "JBSWY3DPEHPK3PXP"))
print("pyotp", sys.argv[1], *codes)
PY
seen=$(node show.mjs; for version in 2.9.0 2.12.0; do "pyotp-$version/bin/python" show.py "$version"; done)
printf '%s\n' "$seen"

expected='GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ: otplib 287082 otpauth 287082 speakeasy 287082
GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ: otplib refused otpauth 287082 speakeasy 513177
JBSWY3DPEHPK3PXP: otplib refused otpauth 996554 speakeasy 996554
pyotp 2.9.0 287082 refused 996554
pyotp 2.12.0 287082 refused refused'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries take other secrets than noted." >&2; exit 1; }
