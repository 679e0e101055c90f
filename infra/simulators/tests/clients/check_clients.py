"""The vendors' public client libraries against the simulators: `twilio` (its host rewritten) and `pywa` (its base URL
replaced). Called by tests/it/clients.rs with one JSON argument: {"url": simulators, "tenant": a tenant's configuration}.
"""

import datetime
import http.server
import json
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import httpx
import pywa
import pywa.errors
import pywa.types.templates
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client

MAYA = "+447700900111"

arguments = json.loads(sys.argv[1])
url, tenant = arguments["url"], arguments["tenant"]
received: list["Received"] = []


class Received:
    def __init__(self, path, headers, body):
        self.path, self.headers, self.body = path, headers, body
        self.url = receiver_url + path

    @property
    def form(self):
        return dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))


class Receiver(http.server.BaseHTTPRequestHandler):
    """Stands for Ringback: keeps what comes; answers the handshake as pywa would."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        received.append(Received(self.path, self.headers, body))
        self.answer(200, b"")

    def do_GET(self):
        query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        body, status = wa.webhook_challenge_handler(query.get("hub.verify_token"), query.get("hub.challenge"))
        self.answer(status, body.encode())

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Elsewhere(TwilioHttpClient):
    """The library knows only twilio.com."""

    def request(self, method, uri, *positional, **named):
        return super().request(method, uri.replace("https://api.twilio.com", url), *positional, **named)


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"content-type": "application/json"}, method=method)
    with urllib.request.urlopen(request) as answer:
        text = answer.read()
        return json.loads(text) if text else None


def drained():
    deadline = time.monotonic() + 30
    while not control("GET", "/idle")["idle"]:
        assert time.monotonic() < deadline, "the simulators never came to rest"
        time.sleep(0.01)


def came(part):
    return [each for each in received if part in each.path]


def refused(kind, work):
    try:
        work()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}")


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
threading.Thread(target=server.serve_forever, daemon=True).start()
receiver_url = f"http://127.0.0.1:{server.server_port}"


def configure():
    delays = {"sent": 5, "delivered": 10, "read": 15}
    control("PUT", "/config", {"public_base_url": receiver_url, "tenants": [tenant], "status_delay_ms": delays})


configure()

# WhatsApp

account = tenant["whatsapp"]
session = httpx.Client()
wa = pywa.WhatsApp(
    phone_id=account["phone_number_id"], token=account["access_token"], waba_id=account["waba_id"],
    app_secret=account["app_secret"], verify_token=account["verify_token"], session=session,
)
session.base_url = f"{url}/v26.0"

error = refused(pywa.errors.ReEngagementMessage, lambda: wa.send_message(MAYA, "hello"))
assert error.code == 131047, error
refused(pywa.errors.TemplateNotExists, lambda: wa.send_template(
    MAYA, "nonsense", pywa.types.templates.TemplateLanguage.ENGLISH_UK, []))

sent = wa.send_template(
    MAYA, "missed_call_named", pywa.types.templates.TemplateLanguage.ENGLISH_UK,
    [pywa.types.templates.BodyText.params(first_name="Maya", business="Fixture Hair")], tracker="con.msg.1")
assert sent.id.startswith("wamid."), sent
control("POST", "/replies", {"tenant": tenant["id"], "from": MAYA, "text": "متى تفتحون؟", "wait": True})
drained()

texts, statuses = [], []
wa.add_handlers(
    pywa.handlers.MessageHandler(lambda _, message: texts.append((message.text, message.from_user.wa_id))),
    pywa.handlers.MessageStatusHandler(lambda _, status: statuses.append((status.id, status.status.value, status.tracker))),
)
for webhook in came("/webhooks/whatsapp/"):
    signature = webhook.headers["X-Hub-Signature-256"]
    assert wa.webhook_update_validator(webhook.body, signature) is None, "pywa accepts the signature"
    assert wa.webhook_update_validator(webhook.body + b" ", signature) == ("Forbidden", 403)
    assert wa.webhook_update_handler(webhook.body) == ("ok", 200)
assert texts == [("متى تفتحون؟", "447700900111")], texts
assert sorted(statuses) == [(sent.id, status, "con.msg.1") for status in ("delivered", "read", "sent")], statuses

answer = wa.send_message(MAYA, "نفتح الساعة 9", buttons=[pywa.types.Button("Book", "act:book")])
assert answer.id != sent.id
inbound = [json.loads(each.body)["entry"][0]["changes"][0]["value"].get("messages") for each in came("/webhooks/whatsapp/")]
assert wa.mark_message_as_read(next(each[0]["id"] for each in inbound if each)).success
media = wa.upload_media(b"picture", mime_type="image/jpeg", filename="a.jpg")
described = wa.get_media_url(media.id)
assert wa.get_media_bytes(described.url) == b"picture"
assert wa.send_image(MAYA, media.id, caption="our map").id
assert wa.delete_media(media.id).success
approved = [pywa.types.templates.TemplateStatus.APPROVED]
names = {template.name for template in wa.get_templates(statuses=approved)}
# pywa 4.5.0 cannot step to the next page of templates itself (TemplatesResult lacks item_factory): only ask for one.
assert wa.get_templates(statuses=approved, pagination=pywa.types.Pagination(limit=3)).has_next
assert "missed_call_named" in names and "paused" not in names, names
assert control("POST", "/handshakes", {"tenant": tenant["id"]}) == {"status": 200, "challenge_echoed": True}

stranger_session = httpx.Client()
stranger = pywa.WhatsApp(phone_id=account["phone_number_id"], token="stolen", session=stranger_session)
stranger_session.base_url = f"{url}/v26.0"
refused(pywa.errors.ExpiredAccessToken, lambda: stranger.send_message(MAYA, "hello"))

# Twilio

account = tenant["twilio"]
twilio = Client(account["api_key_sid"], account["api_key_secret"], account["account_sid"], http_client=Elsewhere())
number = account["numbers"][0]
callback = f"{receiver_url}/webhooks/twilio/{tenant['id']}/{account['connection']}/message-status?key=con.msg.2"
message = twilio.messages.create(to=MAYA, from_=number, body="Sorry we missed your call. مرحبا", status_callback=callback)
assert (message.status, message.num_segments) == ("queued", "1"), message
by_whatsapp = twilio.messages.create(
    to=f"whatsapp:{MAYA}", from_=f"whatsapp:{account['whatsapp_sender']}",
    content_sid="HX00000000000000000000000000000001", content_variables=json.dumps({"1": "Maya"}), status_callback=callback)
drained()
assert twilio.messages(message.sid).fetch().status == "delivered"
assert twilio.messages(by_whatsapp.sid).fetch().status == "read"
yesterday = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(days=1)
assert [each.sid for each in twilio.messages.list(to=MAYA, date_sent_after=yesterday)] == [message.sid]
assert twilio.messages.list(to=MAYA, date_sent_before=yesterday) == []
for _ in range(4):
    twilio.messages.create(to=MAYA, from_=number, body="again")
assert len(list(twilio.messages.stream(to=MAYA, page_size=2))) == 5, "pages follow each other"

assert refused(TwilioRestException, lambda: twilio.messages.create(to="07700", from_=number, body="x")).code == 21211
control("POST", "/replies", {"tenant": tenant["id"], "from": MAYA, "text": "STOP", "channel": "sms", "wait": True})
assert refused(TwilioRestException, lambda: twilio.messages.create(to=MAYA, from_=number, body="x")).code == 21610
wrong = Client(account["api_key_sid"], "wrong", account["account_sid"], http_client=Elsewhere())
assert refused(TwilioRestException, lambda: wrong.messages.create(to=MAYA, from_=number, body="x")).code == 20003

validator = RequestValidator(account["auth_token"])
webhooks = came("/webhooks/twilio/")
assert {each.form.get("MessageStatus") for each in webhooks} == {"sent", "delivered", "read", None}
for webhook in webhooks:
    signature = webhook.headers["X-Twilio-Signature"]
    assert validator.validate(webhook.url, webhook.form, signature), webhook.path
    assert not validator.validate(webhook.url, {**webhook.form, "Extra": "1"}, signature)
    assert not validator.validate(webhook.url + "1", webhook.form, signature)

account["shared_key"] = {"id": "webhooks_sharedkey_1", "secret": "shared-secret"}
configure()
before = len(received)
control("POST", "/replies", {"tenant": tenant["id"], "from": MAYA, "text": "START", "channel": "sms", "wait": True})
webhook = received[before]
assert "algorithm=HMAC_SHA256" in webhook.headers["X-Twilio-Webhooks-Signature-Settings"]
assert RequestValidator("shared-secret").validate(
    webhook.url, webhook.form, webhook.headers["X-Twilio-Signature"], "HMAC_SHA256")

print("twilio and pywa work against the simulators")
