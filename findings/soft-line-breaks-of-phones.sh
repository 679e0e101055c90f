#!/usr/bin/env bash
# Expected: vcf, which accepts VERSION:2.1, reads the contacts that Android exports: quoted-printable, with soft line breaks.
# Seen on 29 November 2026, vcf 2.1.2 (npm): the name is not decoded and ends at the soft line break; the rest is a property of
# its own, called "=d9=8A". No error. vobject 0.9.9 (PyPI) reads it with allowQP=True only, and raises without.
# Short Latin names need neither, so files of the developers pass.
# Why it matters: an import answers "3 contacts", and every Arabic name of more than about ten letters is a line of "=D9=84=D9".
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts vcf@2.1.2
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check vobject==0.9.9

printf '%s\r\n' BEGIN:VCARD VERSION:2.1 \
  'N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:;=D9=84=D9=8A=D9=84=D9=89=20=D8=A7=D9=84=D9=85=D9=86=D8=B5=D9=88=D8=B1=' '=D9=8A;;;' \
  'FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:=D9=84=D9=8A=D9=84=D9=89=20=D8=A7=D9=84=D9=85=D9=86=D8=B5=D9=88=D8=B1=' '=D9=8A' \
  'TEL;CELL:+971501234567' END:VCARD >contact.vcf
cat >show.cjs <<'JS'
const vCard = require("vcf");
const card = new vCard().parse(require("node:fs").readFileSync("contact.vcf", "utf8"));
console.log("vcf: name", card.get("fn").valueOf());
console.log("vcf: properties", Object.keys(card.data).sort().join(", "));
JS
cat >show.py <<'PY'
import vobject
text = open("contact.vcf", newline="").read()
for options in ({}, {"allowQP": True}):
    try:
        print("vobject", options, vobject.readOne(text, **options).fn.value)
    except vobject.base.ParseError:
        print("vobject", options, "ParseError")
PY
seen=$(node show.cjs && env/bin/python show.py)
printf '%s\n' "$seen"

expected="vcf: name =D9=84=D9=8A=D9=84=D9=89=20=D8=A7=D9=84=D9=85=D9=86=D8=B5=D9=88=D8=B1=
vcf: properties =d9=8A, fn, n, tel, version
vobject {} ParseError
vobject {'allowQP': True} ليلى المنصوري"
[ "$seen" = "$expected" ] || { echo "Changed: the readers read this contact in another way than noted." >&2; exit 1; }
