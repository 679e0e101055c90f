"""A person's browser that has no page open: gets notifications of each type, and opens them, as docs/live.md says.

RINGBACK_API names the API, RINGBACK_ACCESS_TOKEN the person's session, RINGBACK_TENANT and RINGBACK_SIMULATORS their business and its
customers' phones. Exits with 0 only if everything was as expected.
"""

import base64
import json
import os
import time

import http_ece
import httpx
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

API = os.environ["RINGBACK_API"] + "/api/v1/me"
SIMULATORS = os.environ["RINGBACK_SIMULATORS"]
SERVICE = "https://updates.push.services.mozilla.com"


def text_of(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """Has its own keys, as `PushManager.subscribe` makes them."""

    def __init__(self, name: str) -> None:
        self.device = f"/wpush/v2/{name}-{os.environ['RINGBACK_TENANT']}"
        self.private, self.secret = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.http = httpx.Client(
            headers={"Authorization": f"Bearer {os.environ['RINGBACK_ACCESS_TOKEN']}"},
            timeout=60,
        )

    def subscription(self) -> dict:
        point = self.private.public_key().public_bytes(
            Encoding.X962, PublicFormat.UncompressedPoint
        )
        keys = {"p256dh": text_of(point), "auth": text_of(self.secret)}
        return {"endpoint": SERVICE + self.device, "expirationTime": None, "keys": keys}

    def subscribe(self) -> dict:
        answer = self.http.post(f"{API}/push-subscriptions", json=self.subscription())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def taken(self) -> list[dict]:
        """What its push service took for it."""
        endpoint = SERVICE.removeprefix("https://") + self.device
        every = httpx.get(f"{SIMULATORS}/pushes", timeout=60).json()
        return [push for push in every if push["device"] == endpoint]

    def opened(self, push: dict, public_key: str) -> dict:
        authorization = push["authorization"].replace(", ", ",")
        assert Vapid02.verify(authorization), authorization
        token, key = authorization.removeprefix("vapid t=").split(",k=")
        assert key == public_key, "signed by another key than the one that browsers know"
        claims = json.loads(bytes_of(token.split(".")[1]))
        assert claims["aud"] == SERVICE, claims
        assert time.time() < claims["exp"] < time.time() + 86_400, claims
        assert claims["sub"].startswith(("https://", "http://", "mailto:")), claims
        plain = http_ece.decrypt(
            bytes_of(push["body"]),
            private_key=self.private,
            auth_secret=self.secret,
            version="aes128gcm",
        )
        return json.loads(plain)

    def shown(self, kind: str, public_key: str) -> dict:
        """The only notification of this type, once it has come."""
        end = time.monotonic() + 120
        while True:
            every = [self.opened(push, public_key) for push in self.taken()]
            if of_kind := [shown for shown in every if shown["type"] == kind]:
                [shown] = of_kind
                assert shown["tenant_id"] == os.environ["RINGBACK_TENANT"], shown
                return shown
            assert time.monotonic() < end, f"no {kind} came"
            time.sleep(1)


def main() -> None:
    browser, removed = Browser("open"), Browser("removed")
    public_key = browser.http.get(f"{API}/push-key").json()["public_key"]
    kept = browser.subscribe()
    gone = removed.subscribe()
    answer = browser.http.delete(f"{API}/push-subscriptions/{gone['id']}")
    assert answer.status_code == 204, answer.text
    listed = browser.http.get(f"{API}/push-subscriptions").json()["items"]
    assert [device["id"] for device in listed] == [kept["id"]], listed

    foreign = browser.subscription() | {"endpoint": "https://127.0.0.1/device"}
    refused = browser.http.post(f"{API}/push-subscriptions", json=foreign)
    assert refused.status_code == 422, refused.text
    assert refused.json()["errors"][0]["field"] == "endpoint", refused.text

    words = "Is anybody there?"
    said = {
        "tenant": os.environ["RINGBACK_TENANT"],
        "from": "+971501110037",
        "channel": "whatsapp",
        "text": words,
        "wait": True,
    }
    wrote = httpx.post(f"{SIMULATORS}/replies", json=said, timeout=60)
    assert wrote.is_success, wrote.text
    # Notifications wait for somebody to read the message.
    shown = browser.shown("message.received", public_key)
    # Only whoever asks for the words is shown them.
    assert shown["conversation_id"] and words not in json.dumps(shown), shown

    api = os.environ["RINGBACK_API"] + "/api/v1"
    conversation = browser.http.get(f"{api}/conversations/{shown['conversation_id']}").json()
    contact, me = conversation["contact"]["id"], browser.http.get(API).json()["id"]
    written = {"text": words, "mentions": [me]}
    note = browser.http.post(f"{api}/contacts/{contact}/notes", json=written)
    assert note.status_code == 201, note.text
    mentioned = browser.shown("note.mentioned", public_key)
    assert (mentioned["contact_id"], mentioned["note_id"]) == (contact, note.json()["id"]), mentioned
    assert words not in json.dumps(mentioned), mentioned
    # A message follows the first call. The cooldown keeps it from the second one.
    call = {"tenant": os.environ["RINGBACK_TENANT"], "from": "+971501110038", "outcome": "missed"}
    for _call in range(2):
        called = httpx.post(f"{SIMULATORS}/calls", json=call, timeout=60)
        assert called.is_success, called.text
    missed = browser.shown("call.missed", public_key)
    assert missed["call_id"] and missed["conversation_id"], missed
    # The seeded automation uses it.
    template = {"name": "missed_call", "language": "en", "events": [{"event": "pause"}]}
    order = {"tenant": os.environ["RINGBACK_TENANT"]} | template
    paused = httpx.post(f"{SIMULATORS}/templates/events", json=order, timeout=60)
    assert paused.is_success, paused.text
    attention = browser.shown("attention", public_key)
    told = (attention["notice"], attention["name"])
    assert told == ("template_paused", "missed_call") and attention["subject_id"], attention
    assert not removed.taken()
    print("the notifications are opened")


if __name__ == "__main__":
    main()
