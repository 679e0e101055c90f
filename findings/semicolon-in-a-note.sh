#!/usr/bin/env bash
# Expected: a note with a semicolon stays as it is when two vCard libraries pass a contact to each other.
# Seen on 29 November 2026: vobject 0.9.9 (PyPI) writes "\;", which RFC 2426 asks for in vCard 3.0. ical.js 2.2.1 (npm) keeps the
# backslash as a letter of notes and names (not in ORG and N) and escapes it when it writes, so vobject reads one backslash more
# each time. vcf 2.1.2 keeps all escapes, also "\n" and "\,"; vcard-parser 1.0.0 reads the note right.
# Why it matters: a synchronisation between two programs never comes to rest. Each run finds every such contact changed, and customers'
# notes fill with backslashes. The usual test, with a comma, passes, because ical.js knows that escape.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check vobject==0.9.9
npm install --silent --no-audit --no-fund --no-save --ignore-scripts ical.js@2.2.1 vcard-parser@1.0.0 vcf@2.1.2

cat >pass.mjs <<'JS'
import fs from "node:fs";
import ICAL from "ical.js";
process.stdout.write(ICAL.Component.fromString(fs.readFileSync(0, "utf8")).toString());
JS
cat >others.mjs <<'JS'
import fs from "node:fs";
import vcardParser from "vcard-parser";
import vcf from "vcf";
const text = fs.readFileSync("first.vcf", "utf8");
console.log("vcard-parser reads:", vcardParser.parse(text).note[0].value);
console.log("vcf reads:", new vcf().parse(text).get("note").valueOf());
JS
cat >rounds.py <<'PY'
import subprocess
import vobject

card = vobject.vCard()
card.add("fn").value = "Layla"
card.add("n").value = vobject.vcard.Name(given="Layla")
card.add("note").value = "no sugar, please; calls on Thursdays"
text = card.serialize()
open("first.vcf", "w", newline="").write(text)
for _ in range(3):
    text = subprocess.run(["node", "pass.mjs"], input=text.encode(), stdout=subprocess.PIPE, check=True).stdout.decode()
    card = vobject.readOne(text)
    print("after ical.js, vobject reads:", card.note.value)
    text = card.serialize()
PY
seen=$(env/bin/python rounds.py && node others.mjs)
printf '%s\n' "$seen"

expected='after ical.js, vobject reads: no sugar, please\; calls on Thursdays
after ical.js, vobject reads: no sugar, please\\; calls on Thursdays
after ical.js, vobject reads: no sugar, please\\\; calls on Thursdays
vcard-parser reads: no sugar, please; calls on Thursdays
vcf reads: no sugar\, please\; calls on Thursdays'
[ "$seen" = "$expected" ] || { echo "Changed: the libraries pass the note on in another way than noted." >&2; exit 1; }
