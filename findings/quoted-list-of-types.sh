#!/usr/bin/env bash
# Expected: TEL;TYPE="cell,voice" is a number of two types, as RFC 6350 says (6.4.1, with an example), whatever reads it.
# Seen on 29 November 2026: ical.js 2.2.1 and vcf 2.1.2 (npm) read two types. vobject 0.9.9 (PyPI) and vcard4-ts 0.4.1 (npm) read one
# that is called "cell,voice"; vcard-parser 1.0.0 one with the quotes in its name. TYPE=cell,voice is two for all but vcard-parser.
# Why it matters: "take the mobile number" finds none, so a message goes to the office line or nobody. Unquoted lists, which
# most phones write, hide it until a file comes from a program that follows the RFC's example.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check vobject==0.9.9
npm install --silent --no-audit --no-fund --no-save --ignore-scripts ical.js@2.2.1 vcf@2.1.2 vcard-parser@1.0.0 vcard4-ts@0.4.1

for types in 'cell,voice' '"cell,voice"'; do
  printf 'BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Layla\r\nTEL;VALUE=uri;TYPE=%s:tel:+971501234567\r\nEND:VCARD\r\n' "$types"
done >contacts.vcf
cat >show.mjs <<'JS'
import fs from "node:fs";
import ICAL from "ical.js";
import vcardParser from "vcard-parser";
import { parseVCards } from "vcard4-ts";
import vcf from "vcf";

for (const text of fs.readFileSync("contacts.vcf", "utf8").split(/(?=BEGIN)/)) {
  const given = /TYPE=([^:]*)/.exec(text)[1];
  console.log(given, "ical.js", JSON.stringify(ICAL.Component.fromString(text).getFirstProperty("tel").getParameter("type")));
  console.log(given, "vcf", JSON.stringify(new vcf().parse(text).get("tel").type));
  console.log(given, "vcard-parser", JSON.stringify(vcardParser.parse(text).tel[0].meta.type));
  console.log(given, "vcard4-ts", JSON.stringify(parseVCards(text).vCards[0].TEL[0].parameters.TYPE));
}
JS
cat >show.py <<'PY'
import json, re
import vobject
for text in re.split("(?=BEGIN)", open("contacts.vcf", newline="").read())[1:]:
    print(re.search("TYPE=([^:]*)", text)[1], "vobject", json.dumps(vobject.readOne(text).tel.params["TYPE"]))
PY
seen=$(node show.mjs && env/bin/python show.py)
printf '%s\n' "$seen"

expected='cell,voice ical.js ["cell","voice"]
cell,voice vcf ["cell","voice"]
cell,voice vcard-parser ["cell,voice"]
cell,voice vcard4-ts ["cell","voice"]
"cell,voice" ical.js ["cell","voice"]
"cell,voice" vcf ["cell","voice"]
"cell,voice" vcard-parser ["\"cell,voice\""]
"cell,voice" vcard4-ts ["cell,voice"]
cell,voice vobject ["cell", "voice"]
"cell,voice" vobject ["cell,voice"]'
[ "$seen" = "$expected" ] || { echo "Changed: the readers see other types than noted." >&2; exit 1; }
