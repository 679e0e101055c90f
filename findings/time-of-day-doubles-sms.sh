#!/usr/bin/env bash
# Expected: "7:30 PM", written by a locale library for an English SMS, is seven characters of the GSM alphabet.
# Seen on 29 November 2026, Babel 2.19.0: format_time for en_AE, en_US, en_IN and en_AU puts U+202F before PM, and
# format_interval U+2009 around an en dash. sms-segments-calculator 1.3.0 (Twilio) counts the whole text as UCS-2: a reminder of
# 119 characters becomes two segments. With smart encoding it stays one. Node.js writes a plain space in format(), but U+202F in
# formatToParts() and formatRange(), so a change of method changes the bill.
# Why it matters: all reminders cost twice, and nobody sees the difference in a log or a preview.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund --no-save --ignore-scripts sms-segments-calculator@1.3.0
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check babel==2.19.0

env/bin/python - >times.json <<'PY'
import datetime, json
from babel.dates import format_interval, format_time

half_past, nine = datetime.time(19, 30), datetime.time(21)
print(json.dumps({
    "by hand": "7:30 PM",
    "format_time": format_time(half_past, "short", locale="en_AE"),
    "format_interval": format_interval(half_past, nine, "hm", locale="en_AE"),
}))
PY
cat >show.cjs <<'JS'
const { SegmentedMessage } = require("sms-segments-calculator");
for (const [name, time] of Object.entries(require("./times.json"))) {
  const text = `Saffron Bakery: your table for two is booked on Saturday at ${time}. Reply STOP to opt out, or call us if you are late.`;
  const [plain, smart] = [false, true].map(smart => new SegmentedMessage(text, "auto", smart));
  const odd = [...time].filter(letter => letter > "~").map(letter => "U+" + letter.codePointAt(0).toString(16)).join(" ");
  console.log(`${name}: ${odd || "GSM only"}; ${plain.encodingName} ${plain.segmentsCount}, smart ${smart.encodingName} ${smart.segmentsCount}`);
}
JS
seen=$(node show.cjs)
printf '%s\n' "$seen"

expected='by hand: GSM only; GSM-7 1, smart GSM-7 1
format_time: U+202f; UCS-2 2, smart GSM-7 1
format_interval: U+2009 U+2013 U+2009 U+202f; UCS-2 2, smart GSM-7 1'
[ "$seen" = "$expected" ] || { echo "Changed: times of day are written or counted in another way than noted." >&2; exit 1; }
