"""Follows a business by a socket, loses the connection, and goes on, as docs/live.md says.

RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_TENANT and RINGBACK_SIMULATORS its customers' phones, RINGBACK_OTHER_KEY
another business. Exits with 0 only if everything was as expected.
"""

import contextlib
import json
import os
import time

import httpx
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

API = os.environ["RINGBACK_API"] + "/api/v1"


class Follower:
    def __init__(self, key: str) -> None:
        self.http = httpx.Client(headers={"X-API-Key": key}, timeout=60)
        self.cursor = ""
        self.events: dict[str, dict] = {}
        self.open = contextlib.ExitStack()
        self.socket: ClientConnection | None = None

    def ticket(self) -> dict:
        answer = self.http.post(f"{API}/live/ticket")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def begin(self, *views: str) -> str:
        ticket = self.ticket()
        self.cursor = self.cursor or ticket["cursor"]
        url = f"{ticket['url']}?ticket={ticket['ticket']}"
        self.socket = self.open.enter_context(connect(url, open_timeout=60, ping_interval=None))
        self.say({"action": "watch", "views": list(views)})
        behind = None
        while (frame := self.recv(60)).get("type") != "watching":
            self.note(frame.get("events", []))
            if frame.get("type") == "catch_up":
                behind = frame["cursor"]
        assert frame == {"type": "watching", "views": list(views)}, frame
        self.catch_up()
        if behind:
            self.cursor = behind
            self.catch_up()
        return url

    def catch_up(self) -> None:
        more = True
        while more:
            answer = self.http.get(f"{API}/live/events", params={"after": self.cursor})
            assert answer.status_code == 200, answer.text
            page = answer.json()
            self.note(page["events"])
            self.cursor, more = page["cursor"], page["more"]

    def note(self, events: list[dict]) -> None:
        self.events.update((event["id"], event) for event in events)

    def say(self, what: dict) -> None:
        assert self.socket is not None
        self.socket.send(json.dumps(what))

    def recv(self, seconds: float) -> dict:
        assert self.socket is not None
        return json.loads(self.socket.recv(seconds))

    def hear(self, seconds: float) -> dict:
        frame = self.recv(seconds)
        kind = frame.get("type")
        if kind == "events":
            self.note(frame["events"])
        if kind in ("events", "pong", "catch_up"):
            self.cursor = frame["cursor"]
        if kind == "catch_up":
            self.catch_up()
        return frame

    def hear_until(self, number: int) -> None:
        """Until it knows so many messages of customers, and that the conversation has as many."""
        end = time.monotonic() + 60
        while len(self.received()) < number or self.seq() < number:
            self.hear(end - time.monotonic())

    def seq(self) -> int:
        return max((event["seq"] or 0 for event in self.events.values()), default=0)

    def received(self) -> list[str]:
        of_customers = (event for event in self.events.values() if event["type"] == "message.received")
        return sorted(event["data"]["message_id"] for event in of_customers)


def write(text: str) -> None:
    """A customer writes to the business."""
    said = {
        "tenant": os.environ["RINGBACK_TENANT"],
        "from": "+971501110036",
        "channel": "whatsapp",
        "text": text,
        "wait": True,
    }
    answer = httpx.post(os.environ["RINGBACK_SIMULATORS"] + "/replies", json=said, timeout=60)
    assert answer.is_success, answer.text


def answer(follower: Follower, action: dict, kind: str) -> dict:
    follower.say(action)
    end = time.monotonic() + 60
    while (frame := follower.hear(end - time.monotonic())).get("type") != kind:
        assert frame.get("type") in ("events", "catch_up"), frame
    return frame


def is_closed(follower: Follower) -> dict:
    """The last frame before the end of the connection."""
    last, end = {}, time.monotonic() + 60
    try:
        while True:
            last = follower.hear(end - time.monotonic())
    except ConnectionClosed:
        return last


def main() -> None:
    ours, other = Follower(os.environ["RINGBACK_KEY"]), Follower(os.environ["RINGBACK_OTHER_KEY"])
    other.begin("messages", "inbox:all")
    url = ours.begin("messages", "inbox:all")
    try:
        with connect(url, open_timeout=60, ping_interval=None):
            raise AssertionError("a ticket opened two sockets")
    except InvalidStatus as refused:
        assert refused.response.status_code == 403, refused

    write("Are you open on Friday?")
    ours.hear_until(1)

    # The network goes away without a word.
    assert ours.socket is not None
    ours.socket.socket.close()
    write("Hello?")
    write("Is anybody there?")
    ours.begin("messages", "inbox:all")
    ours.hear_until(3)
    write("Friday at nine then.")
    ours.hear_until(4)

    for message in ours.received():
        read = ours.http.get(f"{API}/messages/{message}")
        assert read.status_code == 200, read.text
    assert len(ours.received()) == ours.seq() == 4, ours.events

    assert answer(ours, {"action": "ping"}, "pong")["cursor"]
    refused = answer(ours, {"action": "watch", "views": ["inbox:mine"]}, "refused")
    assert refused["kind"] == "forbidden", refused

    try:
        heard = other.hear(1)
        raise AssertionError(f"another business was told {heard}")
    except TimeoutError:
        pass
    other.catch_up()
    assert not other.events, other.events

    # Whoever loses access is told nothing more, and closed, whether it says something or not.
    made = ours.http.post(f"{API}/api-keys", json={"name": "Wallboard", "role": "viewer"})
    assert made.status_code == 201, made.text
    silent, heard = (Follower(made.json()["key"]) for _ in range(2))
    for wallboard in (silent, heard):
        wallboard.begin("inbox:all")
        wallboard.events.clear()
    assert ours.http.delete(f"{API}/api-keys/{made.json()['api_key']['id']}").is_success
    with contextlib.suppress(ConnectionClosed):
        heard.say({"action": "ping"})
    for wallboard in (silent, heard):
        assert is_closed(wallboard) == {} and not wallboard.events, wallboard.events
    print("the socket tells all")


if __name__ == "__main__":
    main()
