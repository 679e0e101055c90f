#!/usr/bin/env bash
# Expected: a WhatsApp library hands each message of a webhook to the program; messages, entries and changes are lists in
# Meta's format, and Meta says that it may put several updates into one request.
# Seen on 29 November 2026, pywa 4.5.0 (PyPI): of two messages in one webhook the handler gets the first, and the answer is 200.
# So it is for two statuses, two changes and two entries.
# Why it matters: customers who write three lines at once are answered to the first, and with a 200 Meta never sends the others again.
# Tests with one message each pass. Check the signature, then split such a body into one per update before the library sees it.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check pywa==4.5.0

cat >show.py <<'PY'
import json
from pywa import WhatsApp

seen = []
client = WhatsApp(phone_id="1001", token="none", server=None, verify_token="none", filter_updates=False, validate_updates=False)
client.on_message()(lambda _, message: seen.append(message.text))
client.on_message_status()(lambda _, status: seen.append(status.id))

def message(text):
    return {"from": "971501234567", "from_user_id": "AE.1", "id": f"wamid.{text}", "timestamp": "1780000000", "type": "text", "text": {"body": text}}

def status(name):
    return {"id": f"wamid.{name}", "status": "delivered", "timestamp": "1780000000", "recipient_id": "971501234567", "recipient_user_id": "AE.1"}

def change(**lists):
    contact = {"profile": {"name": "Layla"}, "wa_id": "971501234567", "user_id": "AE.1"}
    number = {"display_phone_number": "97145551234", "phone_number_id": "1001"}
    return {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": number, "contacts": [contact], **lists}}

first, second = change(messages=[message("one")]), change(messages=[message("two")])
for name, changes in {
    "two messages": [[change(messages=[message("one"), message("two")])]],
    "two statuses": [[change(statuses=[status("one"), status("two")])]],
    "two changes": [[first, second]],
    "two entries": [[first], [second]],
}.items():
    seen.clear()
    body = {"object": "whatsapp_business_account", "entry": [{"id": "1", "changes": of_entry} for of_entry in changes]}
    answer = client.webhook_update_handler(json.dumps(body).encode(), None)
    print(f"{name}: answer {answer[1]}, handled {seen}")
PY
seen=$(env/bin/python -W ignore show.py)
printf '%s\n' "$seen"

expected="two messages: answer 200, handled ['one']
two statuses: answer 200, handled ['wamid.one']
two changes: answer 200, handled ['one']
two entries: answer 200, handled ['one']"
[ "$seen" = "$expected" ] || { echo "Changed: pywa hands on other updates than noted." >&2; exit 1; }
