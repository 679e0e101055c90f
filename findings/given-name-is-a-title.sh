#!/usr/bin/env bash
# Expected: nameparser 2, which knows Arabic particles and prefixes, finds the given name that a greeting needs.
# Seen on 29 November 2026, nameparser 2.6.0: Sultan, one of the commonest given names of the Gulf, is always a title, so
# "Sultan Al Qassimi" has the given name "Al", and "Sultan Ahmed" none. Imam is a title, too; Sheikha, which is one, is a
# given name, and so is the Arabic abbreviation of Dr.
# Why it matters: "Hello Al", or a template parameter that is empty, which WhatsApp refuses (131008). Take the first word when the
# given name is empty, and remove given names of the region from CONSTANTS.titles.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check nameparser==2.6.0

seen=$(env/bin/python - <<'PY'
from nameparser import HumanName

NAMES = (
    "Mohammed bin Rashid Al Maktoum", "Abdul Rahman Saleh", "Sultan Al Qassimi", "Sultan Ahmed", "Imam Hussain", "Sheikha Latifa",
    "د. أحمد علي",
)
for name in NAMES:
    print(f"{name}: title {HumanName(name).title!r}, given name {HumanName(name).first!r}")
PY
)
printf '%s\n' "$seen"

expected="Mohammed bin Rashid Al Maktoum: title '', given name 'Mohammed'
Abdul Rahman Saleh: title '', given name 'Abdul Rahman'
Sultan Al Qassimi: title 'Sultan', given name 'Al'
Sultan Ahmed: title 'Sultan', given name ''
Imam Hussain: title 'Imam', given name ''
Sheikha Latifa: title '', given name 'Sheikha'
د. أحمد علي: title '', given name 'د.'"
[ "$seen" = "$expected" ] || { echo "Changed: nameparser takes these names apart in another way than noted." >&2; exit 1; }
