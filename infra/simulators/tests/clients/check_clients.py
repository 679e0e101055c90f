"""The vendors' public client libraries against the simulators: `twilio` (its host rewritten) and `pywa` (its base URL
replaced). Called by tests/it/clients.rs with one JSON argument: {"url": simulators, "tenant": a tenant's configuration, "senders": the
recipients, senders and codes of senders.json}.
"""

import base64
import hashlib
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
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

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
        for host in ("https://api.twilio.com", "https://content.twilio.com"):
            uri = uri.replace(host, url)
        return super().request(method, uri, *positional, **named)


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

read, statuses = [], []
wa.add_handlers(
    pywa.handlers.MessageHandler(lambda _, message: read.append(message)),
    pywa.handlers.MessageStatusHandler(lambda _, status: statuses.append((status.id, status.status.value, status.tracker))),
)
for webhook in came("/webhooks/whatsapp/"):
    signature = webhook.headers["X-Hub-Signature-256"]
    assert wa.webhook_update_validator(webhook.body, signature) is None, "pywa accepts the signature"
    assert wa.webhook_update_validator(webhook.body + b" ", signature) == ("Forbidden", 403)
    assert wa.webhook_update_handler(webhook.body) == ("ok", 200)
assert [(message.text, message.from_user.wa_id) for message in read] == [("متى تفتحون؟", "447700900111")], read
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

# Every kind of message

voice = wa.upload_media(b"OggS", mime_type="audio/ogg", filename="a.ogg")
sticker = wa.upload_media(b"RIFF", mime_type="image/webp", filename="a.webp")
paper = wa.upload_media(b"%PDF-1.4", mime_type="application/pdf", filename="a.pdf")
film = wa.upload_media(b"film", mime_type="video/mp4", filename="a.mp4")
refused(pywa.errors.MediaUploadError, lambda: wa.send_audio(MAYA, paper.id))
refused(pywa.errors.InvalidParameter, lambda: wa.send_message(MAYA, "x", buttons=[pywa.types.Button("x" * 21, "y")]))
customer = next(each[0]["id"] for each in inbound if each)
picture = wa.upload_media(b"picture", mime_type="image/jpeg", filename="a.jpg")
sends = [
    lambda: wa.send_document(MAYA, paper.id, filename="quote.pdf", caption="Your quote"),
    lambda: wa.send_voice(MAYA, voice.id),
    lambda: wa.send_sticker(MAYA, sticker.id),
    lambda: wa.send_video(MAYA, film.id, caption="the engine"),
    lambda: wa.send_location(MAYA, 51.5007, -0.1246, "Fixture Hair", "1 Fixture Sq"),
    lambda: wa.request_location(MAYA, "Where is the car?"),
    lambda: wa.send_contact(MAYA, pywa.types.Contact(
        name=pywa.types.Contact.Name(formatted_name="Sam Example", first_name="Sam"),
        phones=[pywa.types.Contact.Phone(phone="+442079460001", type="WORK")])),
    lambda: wa.send_reaction(MAYA, "👍", customer),
    lambda: wa.remove_reaction(MAYA, customer),
    lambda: wa.send_message(MAYA, "Pick a service", buttons=pywa.types.SectionList(
        "Services", [pywa.types.Section("Hair", [pywa.types.SectionRow("Haircut", "svc:cut", "30 minutes")])])),
    lambda: wa.send_message(MAYA, "Book", buttons=pywa.types.URLButton("Open", "https://book.example.test"),
                            reply_to_message_id=customer),
    lambda: wa.send_image(MAYA, picture.id, caption="Which one?", buttons=[pywa.types.Button("This", "act:this")]),
]
for send in sends:
    assert send().id.startswith("wamid.")

# What customers send, as pywa reads it

read.clear()
before = len(came("/webhooks/whatsapp/"))
content = {"mime": "image/jpeg", "caption": "the dent", "size": 100_000}
files = {
    "video": {"mime": "video/mp4", "caption": "the engine"},
    "audio": {"mime": "audio/ogg", "voice": True},
    "document": {"mime": "application/pdf", "file_name": "estimate.pdf"},
    "sticker": {"mime": "image/webp"},
}
for said in ({"media": content}, *({"media": file} for file in files.values()), {"location": {"latitude": 51.5, "longitude": -0.1}}, {"text": "yes", "reply_to": customer},
             {"reaction": {"to": customer, "emoji": "👍"}}, {"unsupported": "poll_creation"}):
    control("POST", "/replies", {"tenant": tenant["id"], "from": MAYA, "wait": True, **said})
drained()
for webhook in came("/webhooks/whatsapp/")[before:]:
    wa.webhook_update_handler(webhook.body)
by_type = {message.type.value: message for message in read}
assert {"image", *files, "location", "text", "reaction", "unsupported"} <= set(by_type), by_type.keys()
image = by_type["image"].image
assert (by_type["image"].caption, image.mime_type) == ("the dent", "image/jpeg")
bytes_of_image = wa.get_media_bytes(wa.get_media_url(image.id).url)
assert len(bytes_of_image) == 100_000
assert base64.b64encode(hashlib.sha256(bytes_of_image).digest()).decode() == image.sha256
for kind, file in files.items():
    medium = by_type[kind].media
    assert medium.mime_type.split(";")[0] == file["mime"], medium
    downloaded = medium.get_bytes()
    assert downloaded and base64.b64encode(hashlib.sha256(downloaded).digest()).decode() == medium.sha256, kind
assert by_type["audio"].voice and by_type["document"].document.filename == "estimate.pdf", by_type
assert by_type["reaction"].reaction.emoji == "👍"

# Templates

kinds = pywa.types.templates
template = kinds.Template(
    name="pywa_offer", language=kinds.TemplateLanguage.ENGLISH_UK, category=kinds.TemplateCategory.MARKETING,
    parameter_format=kinds.ParamFormat.NAMED, components=[
        kinds.HeaderImage(b"picture", mime_type="image/jpeg"),
        kinds.BodyText("Hello {{first_name}}, 20% off this week at our salon.", first_name="Maya"),
        kinds.FooterText(text="Reply STOP to opt out"),
        kinds.Buttons(buttons=[kinds.QuickReplyButton(text="Call me back")]),
    ])
created = wa.create_template(template, app_id="670843887433847")
assert created.status == kinds.TemplateStatus.PENDING, created
parts = [kinds.HeaderImage.params(image=picture.id), kinds.BodyText.params(first_name="Maya"),
         kinds.QuickReplyButton.params(callback_data="act:call", index=0)]
send = lambda: wa.send_template(MAYA, "pywa_offer", kinds.TemplateLanguage.ENGLISH_UK, parts)
refused(pywa.errors.TemplateNotExists, send)
changes = []
wa.add_handlers(pywa.handlers.TemplateStatusUpdateHandler(lambda _, update: changes.append(update)))
before = len(came("/webhooks/whatsapp/"))
events = [{"event": "approve"}, {"event": "pause"}, {"event": "reinstate"}]
control("POST", "/templates/events", {"tenant": tenant["id"], "name": "pywa_offer", "events": events})
for webhook in came("/webhooks/whatsapp/")[before:]:
    wa.webhook_update_handler(webhook.body)
assert [change.new_status.value for change in changes] == ["APPROVED", "PAUSED", "REINSTATED"], changes
assert {change.template_id for change in changes} == {created.id}
details = wa.get_template(created.id)
assert (details.status, details.category) == (kinds.TemplateStatus.APPROVED, kinds.TemplateCategory.MARKETING), details
assert send().id
error = refused(pywa.errors.WhatsAppError, lambda: wa.create_template(template, app_id="670843887433847"))
assert (error.code, error.subcode) == (100, 2388024), error
trailing = kinds.Template(
    name="trailing", language=kinds.TemplateLanguage.ENGLISH_UK, category=kinds.TemplateCategory.UTILITY,
    parameter_format=kinds.ParamFormat.NAMED, components=[kinds.BodyText("Hello {{first_name}}", first_name="Maya")])
error = refused(pywa.errors.WhatsAppError, lambda: wa.create_template(trailing))
assert (error.code, error.subcode) == (100, 2388299), error
assert wa.delete_template("pywa_offer", template_id=created.id).success
refused(pywa.errors.TemplateNotExists, send)

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
assert [each.sid for each in twilio.messages.list(to=MAYA)] == [message.sid]
for _ in range(4):
    twilio.messages.create(to=MAYA, from_=number, body="again")
assert len(list(twilio.messages.stream(to=MAYA, page_size=2))) == 5, "pages follow each other"

assert refused(TwilioRestException, lambda: twilio.messages.create(to="07700", from_=number, body="x")).code == 21211
letters = twilio.messages.create(to="+971501234567", from_="AD-FIXTURE", body="Your order is ready.")
assert (letters.from_, letters.direction) == ("AD-FIXTURE", "outbound-api"), vars(letters)
assert twilio.messages.list(to="+971501234567")[0].from_ == "AD-FIXTURE"
for case in [*arguments["senders"], {"to": MAYA, "from": "TWELVELETTER", "code": 21212}]:
    send = lambda: twilio.messages.create(to=case["to"], from_=case["from"], body="Your order is ready.")
    if case["code"] is None:
        assert send().from_ == case["from"], case
    else:
        error = refused(TwilioRestException, send)
        assert (error.status, error.code) == (400, case["code"]), case
control("POST", "/replies", {"tenant": tenant["id"], "from": MAYA, "text": "STOP", "channel": "sms", "wait": True})
assert refused(TwilioRestException, lambda: twilio.messages.create(to=MAYA, from_=number, body="x")).code == 21610
wrong = Client(account["api_key_sid"], "wrong", account["account_sid"], http_client=Elsewhere())
assert refused(TwilioRestException, lambda: wrong.messages.create(to=MAYA, from_=number, body="x")).code == 20003

content = twilio.content.v1.contents.create(content_create_request=ContentList.ContentCreateRequest({
    "friendly_name": "opening_hours_v1", "language": "en_GB", "variables": {"1": "Maya", "2": "9 am"},
    "types": {"twilio/text": {"body": "Hello {{1}}, we open again at {{2}} and will call you then."}},
}))
assert twilio.content.v1.contents(content.sid).fetch().friendly_name == "opening_hours_v1"
submission = ApprovalCreateList.ContentApprovalRequest({"name": "opening_hours_v1", "category": "UTILITY"})
assert twilio.content.v1.contents(content.sid).approval_create.create(submission).status == "received"
control("POST", "/contents/review", {"tenant": tenant["id"], "sid": content.sid, "status": "approved"})
assert twilio.content.v1.contents(content.sid).approval_fetch().fetch().whatsapp["status"] == "approved"
assert [each.sid for each in twilio.content.v1.contents.list()] == [content.sid]
by_content = twilio.messages.create(
    to=f"whatsapp:{MAYA}", from_=f"whatsapp:{account['whatsapp_sender']}", content_sid=content.sid,
    content_variables=json.dumps({"1": "Maya", "2": "9 am"}))
assert by_content.body == "Hello Maya, we open again at 9 am and will call you then."
assert twilio.content.v1.contents(content.sid).delete()

validator = RequestValidator(account["auth_token"])
webhooks = came("/webhooks/twilio/")
assert {each.form.get("MessageStatus") for each in webhooks} == {"sent", "delivered", "read", None}
for webhook in webhooks:
    signature = webhook.headers["X-Twilio-Signature"]
    assert validator.validate(webhook.url, webhook.form, signature), webhook.path
    assert not validator.validate(webhook.url, {**webhook.form, "Extra": "1"}, signature)
    assert not validator.validate(webhook.url + "1", webhook.form, signature)

print("twilio and pywa work against the simulators")
