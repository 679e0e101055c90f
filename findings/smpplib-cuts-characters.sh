#!/usr/bin/env bash
# Expected: a library that cuts a long SMS into parts cuts between characters.
# Seen on 29 November 2026, smpplib 2.2.4 (PyPI): a euro sign that falls on the border leaves its escape (1b) at the end of part 1
# and its "e" (65) at the beginning of part 2; an emoji leaves one surrogate in each part. Also, a backtick is sent as 5f, which
# is the section sign in GSM 03.38. split-sms 0.1.7 (npm) starts a new part before such characters: 3 parts instead of 2.
# Why it matters: phones that decode part by part show "e" or boxes, only for texts whose lengths meet the border: prices at the
# end of a long template. The count of parts, and so the bill, differs from what calculators of other vendors say.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts split-sms@0.1.7
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check smpplib==2.2.4

cat >show.py <<'PY'
from smpplib.gsm import make_parts

HEADER = 6  # of a part of a concatenated message
for name, text in (("euro", "a" * 152 + "€" + "a" * 152), ("emoji", "ب" * 66 + "😀" + "ب" * 66)):
    parts = [part[HEADER:] for part in make_parts(text)[0]]
    print("smpplib  ", name, len(parts), "parts, border", parts[0][-2:].hex(), "|", parts[1][:2].hex())
print("smpplib   backtick", make_parts("`")[0][0].hex(), "section sign in data coding", make_parts("§")[1])
PY
cat >show.cjs <<'JS'
const { split } = require("split-sms");
for (const [name, text] of [["euro", "a".repeat(152) + "€" + "a".repeat(152)], ["emoji", "ب".repeat(66) + "😀" + "ب".repeat(66)]]) {
  const parts = split(text).parts;
  console.log("split-sms", name, parts.length, "parts of", parts.map(part => part.length).join(", "), "characters");
}
JS
seen=$(env/bin/python show.py && node show.cjs)
printf '%s\n' "$seen"

expected='smpplib   euro 2 parts, border 611b | 6561
smpplib   emoji 2 parts, border d83d | de00
smpplib   backtick 5f section sign in data coding 8
split-sms euro 3 parts of 152, 152, 1 characters
split-sms emoji 3 parts of 66, 66, 1 characters'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries cut these texts in another way than noted." >&2; exit 1; }
