#!/usr/bin/env bash
# Expected: the otpauth:// address that one library writes into a QR code is read by another with the same issuer and account.
# Seen on 29 November 2026: otplib 13.5.0 leaves a colon in the issuer as it is, so pyotp 2.12.0 refuses the address. otpauth 9.5.2
# (npm) encodes it, but splits the account at it when it reads its own address: " Marina:layla@example.com". Where the colon
# between issuer and account is %3A, which Google's description of the format allows, otpauth reads both, and pyotp
# no issuer and the account "Cafe:layla@example.com".
# Why it matters: the people of a business named "Cafe: Marina" cannot import their secret, or see it under another name,
# depending on which two programs meet. Keep colons out of issuers.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts otplib@13.5.0 otpauth@9.5.2
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pyotp==2.12.0

cat >write.mjs <<'JS'
import { generateURI } from "otplib";
import { TOTP } from "otpauth";

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", issuer = "Cafe: Marina", label = "layla@example.com";
console.log(`otplib\t${generateURI({ issuer, label, secret })}`);
console.log(`otpauth\t${new TOTP({ issuer, label, secret })}`);
console.log(`by hand\totpauth://totp/Cafe%3Alayla@example.com?secret=${secret}`);
JS
node write.mjs >addresses.txt
cat >read.mjs <<'JS'
import fs from "node:fs";
import { URI } from "otpauth";
for (const [writer, address] of fs.readFileSync("addresses.txt", "utf8").trim().split("\n").map(line => line.split("\t"))) {
  const { issuer, label } = URI.parse(address);
  console.log(`${writer}, read by otpauth: issuer ${issuer}, account ${label}`);
}
JS
cat >read.py <<'PY'
import pyotp
for line in open("addresses.txt"):
    writer, address = line.rstrip().split("\t")
    try:
        read = pyotp.parse_uri(address)
        print(f"{writer}, read by pyotp: issuer {read.issuer}, account {read.name}")
    except ValueError as error:
        print(f"{writer}, read by pyotp: {error}")
PY
seen=$(node read.mjs && env/bin/python read.py)
printf '%s\n' "$seen"

expected='otplib, read by otpauth: issuer Cafe: Marina, account  Marina:layla@example.com
otpauth, read by otpauth: issuer Cafe: Marina, account  Marina:layla@example.com
by hand, read by otpauth: issuer Cafe, account layla@example.com
otplib, read by pyotp: If issuer is specified in both label and parameters, it should be equal.
otpauth, read by pyotp: issuer Cafe: Marina, account layla@example.com
by hand, read by pyotp: issuer None, account Cafe:layla@example.com'
[ "$seen" = "$expected" ] || { echo "Changed: the addresses are read in another way than noted." >&2; exit 1; }
