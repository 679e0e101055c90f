"""200 clients follow a business while its customers write, and measure what `cargo stack bench --part live` shows.

Each watches one of 40 conversations, and one of each caller's ten all of them. A tenth of them vanish without closing, or read nothing.

RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_TOKEN one who is logged in to it, RINGBACK_TENANT and RINGBACK_SIMULATORS its customers'
phones, RINGBACK_OTHER_KEY another business. Prints one JSON object.
"""

import asyncio
import json
import os
import time

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

API = os.environ["RINGBACK_API"] + "/api/v1"
SIMULATORS = os.environ["RINGBACK_SIMULATORS"]
TENANT = os.environ["RINGBACK_TENANT"]

CALLERS, EACH = 20, 10
PAGES = 3
CUSTOMERS = 40
PER_SECOND = 8
SECONDS = 40
ALONE = 20
OPENED_AT_ONCE = 4


class Client:
    def __init__(self, key: str, views: list[str], token: str = "") -> None:
        bearer = {"Authorization": f"Bearer {token}", "X-Tenant-ID": TENANT}
        self.http = httpx.AsyncClient(headers=bearer if token else {"X-API-Key": key}, timeout=120)
        self.views = views
        self.cursor: str | None = None
        self.settled = False
        self.events: dict[str, dict] = {}
        self.heard: dict[tuple[str, int], float] = {}
        self.socket: ClientConnection | None = None
        self.listening: asyncio.Task | None = None
        self.caught_up = 0
        self.told: set[str] = set()
        self.reading = asyncio.Lock()

    async def ask(self, method: str, path: str, **more: object) -> dict:
        for _ in range(60):
            answer = await self.http.request(method, API + path, **more)
            if answer.status_code not in (429, 503):
                assert answer.is_success, answer.text
                return answer.json()
            await asyncio.sleep(1)
        raise AssertionError(f"{path} was refused for a minute: {answer.text}")

    async def begin(self) -> None:
        ticket = await self.ask("POST", "/live/ticket")
        self.cursor = self.cursor or ticket["cursor"]
        url = f"{ticket['url']}?ticket={ticket['ticket']}"
        self.socket = await connect(url, open_timeout=120, ping_interval=None)
        self.settled = False
        await self.socket.send(json.dumps({"action": "watch", "views": self.views}))
        watching = asyncio.get_running_loop().create_future()
        self.listening = asyncio.create_task(self.listen(watching))
        await asyncio.wait_for(watching, 120)
        async with self.reading:
            await self.catch_up()
        self.settled = True

    async def listen(self, watching: asyncio.Future) -> None:
        try:
            async for text in self.socket:
                frame = json.loads(text)
                kind = frame.get("type")
                if kind == "watching" and not watching.done():
                    watching.set_result(None)
                elif kind == "events":
                    self.note(frame["events"])
                    self.told.update(event["id"] for event in frame["events"])
                    if self.settled:
                        self.cursor = frame["cursor"]
                elif kind == "catch_up":
                    self.caught_up += 1
                    # Not after the catch-up of the beginning has gone on from elsewhere.
                    async with self.reading:
                        self.cursor = frame["cursor"]
                        await self.catch_up()
        except ConnectionClosed:
            pass

    async def catch_up(self) -> None:
        more = True
        while more:
            page = await self.ask("GET", "/live/events", params={"after": self.cursor})
            self.note(page["events"])
            self.cursor, more = page["cursor"], page["more"]

    def note(self, events: list[dict]) -> None:
        now = time.monotonic()
        for event in events:
            if self.events.setdefault(event["id"], event) is not event:
                continue
            if event["type"] == "conversation.changed":
                self.heard.setdefault((event["conversation_id"], event["seq"]), now)

    def watches(self, event: dict) -> bool:
        views = self.views
        if "inbox:all" in views:
            return event["type"] == "conversation.changed"
        return f"conversation:{event['conversation_id']}" in views

    def latest(self, conversation: str) -> int:
        return max((seq for of, seq in self.heard if of == conversation), default=0)


class Customers:
    """Each writes again only when its former message was answered, so that the numbers of a conversation are in the order of sending."""

    def __init__(self) -> None:
        limits = httpx.Limits(max_connections=64)
        self.http = httpx.AsyncClient(timeout=120, limits=limits)
        self.phones = [f"+97150{4_000_000 + place:07}" for place in range(CUSTOMERS)]
        self.conversations: dict[str, str] = {}
        self.number = dict.fromkeys(self.phones, 0)
        self.wrote: dict[tuple[str, int], float] = {}
        self.writing = {phone: asyncio.Lock() for phone in self.phones}

    async def write(self, phone: str) -> tuple[str, int]:
        async with self.writing[phone]:
            said = {
                "tenant": TENANT,
                "from": phone,
                "channel": "whatsapp",
                "text": "Is it ready?",
                "wait": True,
            }
            self.number[phone] += 1
            key = (self.conversations.get(phone, ""), self.number[phone])
            self.wrote[key] = time.monotonic()
            answer = await self.http.post(f"{SIMULATORS}/replies", json=said)
            assert answer.is_success, answer.text
            return key

    async def introduce(self, client: Client) -> None:
        """Each writes once, so that it has a conversation."""
        for phone in self.phones:
            await self.write(phone)
        end = time.monotonic() + 120
        while len(self.conversations) < CUSTOMERS:
            assert time.monotonic() < end, self.conversations
            await asyncio.sleep(1)
            page = await client.ask("GET", "/conversations", params={"limit": 100})
            for item in page["items"]:
                contact = await client.ask("GET", f"/contacts/{item['contact']['id']}")
                for phone in contact["phones"]:
                    self.conversations[phone] = item["id"]
        self.wrote.clear()


def times(clients: list[Client], wrote: dict[tuple[str, int], float]) -> list[float]:
    """Milliseconds from each message to each client that watches its conversation."""
    found = []
    for client in clients:
        for key, heard in client.heard.items():
            if key in wrote:
                found.append((heard - wrote[key]) * 1000)
    return found


async def main() -> None:
    admin = Client(os.environ["RINGBACK_KEY"], [])
    other = Client(os.environ["RINGBACK_OTHER_KEY"], ["inbox:all", "messages", "contacts"])
    customers = Customers()
    await customers.introduce(admin)
    phone_of = {place: phone for place, phone in enumerate(customers.phones)}

    admin.cursor = (await admin.ask("GET", "/live/events"))["cursor"]

    # The emulator's own time: one client, one message at a time.
    alone = Client(os.environ["RINGBACK_KEY"], ["inbox:all"])
    await alone.begin()
    for place in range(ALONE):
        conversation, number = await customers.write(phone_of[place % CUSTOMERS])
        end = time.monotonic() + 60
        while alone.latest(conversation) < number:
            assert time.monotonic() < end, "one client is not told"
            await asyncio.sleep(0.01)
    floor = times([alone], customers.wrote)
    await alone.socket.close()

    clients, keys = [], []
    for caller in range(CALLERS):
        made = await admin.ask("POST", "/api-keys", json={"name": f"Desk {caller}", "role": "viewer"})
        for place in range(EACH):
            number = caller * EACH + place
            watched = customers.conversations[phone_of[number % CUSTOMERS]]
            view = "inbox:all" if place == EACH - 1 else f"conversation:{watched}"
            clients.append(Client(made["key"], [view]))
        keys.append(made["api_key"]["id"])
    for first in range(0, len(clients), OPENED_AT_ONCE):
        await asyncio.gather(*(client.begin() for client in clients[first : first + OPENED_AT_ONCE]))
    await other.begin()

    # A tenth: half of them are gone without a word, half read nothing.
    ill = clients[::10]
    for place, client in enumerate(ill):
        client.listening.cancel()
        if place % 2:
            client.socket.transport.abort()
    healthy = [client for client in clients if client not in ill]

    # All that happens, as whoever reads everything sees it.
    await admin.catch_up()
    before = set(admin.events)
    customers.wrote.clear()
    writing = []
    began = time.monotonic()
    for tick in range(PER_SECOND * SECONDS):
        await asyncio.sleep(max(0, began + tick / PER_SECOND - time.monotonic()))
        phone = phone_of[tick % CUSTOMERS]
        writing.append(asyncio.create_task(customers.write(phone)))
    await asyncio.gather(*writing)
    took = time.monotonic() - began

    async def missed() -> dict[str, int]:
        """How many events each healthy client does not know of those that it should have been told."""
        await admin.catch_up()
        known = {}
        for place, client in enumerate(healthy):
            wanted = {id for id, event in admin.events.items() if id not in before and client.watches(event)}
            known[f"{place} {client.views}"] = len(wanted - client.events.keys())
        return {client: count for client, count in known.items() if count}

    def all_are_known() -> bool:
        latest = {customers.conversations[phone]: number for phone, number in customers.number.items()}
        return all(admin.latest(conversation) >= number for conversation, number in latest.items())

    end = time.monotonic() + 180
    while await missed() or not all_are_known():
        if time.monotonic() > end:
            break
        await asyncio.sleep(3)
    told = times(healthy, customers.wrote)
    # Whoever lost the connection begins again, as after any loss.
    for client in healthy:
        if client.socket.close_code is not None:
            await client.begin()
    missing = sum((await missed()).values())
    # The last caller loses access: its clients are told nothing more, and closed.
    leaving = clients[-EACH:]
    revoked = time.monotonic()
    answer = await admin.http.delete(f"{API}/api-keys/{keys[-1]}")
    assert answer.is_success, answer.text
    closing = [client.socket.wait_closed() for client in leaving if client in healthy]
    await asyncio.wait_for(asyncio.gather(*closing), 60)
    closed = (time.monotonic() - revoked) * 1000
    # So does somebody who logs out, in all pages.
    token = os.environ["RINGBACK_TOKEN"]
    people = [Client("", ["inbox:all"], token) for _ in range(PAGES)]
    await asyncio.gather(*(person.begin() for person in people))
    ended = time.monotonic()
    answer = await people[0].http.post(f"{API}/auth/log-out-everywhere")
    assert answer.is_success, answer.text
    await asyncio.wait_for(asyncio.gather(*(person.socket.wait_closed() for person in people)), 60)
    logged_out = (time.monotonic() - ended) * 1000
    await other.catch_up()
    # By ids: nobody was told of what they do not watch, and another business of nothing.
    foreign = len(other.events) + sum(
        not client.watches(admin.events[id]) for client in healthy for id in client.told if id in admin.events
    )
    foreign += sum(id not in admin.events for client in healthy for id in client.told)
    print(
        json.dumps(
            {
                "sockets": len(clients),
                "ill": len(ill),
                "messages": len(customers.wrote),
                "per_second": len(customers.wrote) / took,
                "alone": floor,
                "told": told,
                "caught_up": sum(client.caught_up for client in healthy),
                "missing": missing,
                "closed": closed,
                "logged_out": logged_out,
                "foreign": foreign,
            }
        ),
        flush=True,
    )
    # Sockets that are open end with the process.
    os._exit(0)


asyncio.run(main())
