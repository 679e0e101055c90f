"""200 clients follow a business while its customers write, and measure what `cargo stack bench --part live` shows.

RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_TENANT and RINGBACK_SIMULATORS its customers' phones, RINGBACK_OTHER_KEY another
business. Prints one JSON object.
"""

import asyncio
import json
import os
import random
import time

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

API = os.environ["RINGBACK_API"] + "/api/v1"
SIMULATORS = os.environ["RINGBACK_SIMULATORS"]
TENANT = os.environ["RINGBACK_TENANT"]

CALLERS, EACH = 20, 10
CUSTOMERS = 40
PER_SECOND = 8
SECONDS = 40
ALONE = 20
OPENED_AT_ONCE = 4


class Client:
    def __init__(self, key: str, views: list[str]) -> None:
        self.http = httpx.AsyncClient(headers={"X-API-Key": key}, timeout=120)
        self.views = views
        self.cursor: str | None = None
        self.settled = False
        self.events: dict[str, dict] = {}
        self.heard: dict[tuple[str, int], float] = {}
        self.socket: ClientConnection | None = None
        self.listening: asyncio.Task | None = None
        self.caught_up = 0

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
                    if self.settled:
                        self.cursor = frame["cursor"]
                elif kind == "catch_up":
                    self.caught_up += 1
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

    clients = []
    for caller in range(CALLERS):
        made = await admin.ask("POST", "/api-keys", json={"name": f"Desk {caller}", "role": "viewer"})
        for place in range(EACH):
            number = caller * EACH + place
            watched = customers.conversations[phone_of[number % CUSTOMERS]]
            clients.append(Client(made["key"], [f"conversation:{watched}"]))
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

    customers.wrote.clear()
    writing = []
    began = time.monotonic()
    for tick in range(PER_SECOND * SECONDS):
        await asyncio.sleep(max(0, began + tick / PER_SECOND - time.monotonic()))
        phone = phone_of[tick % CUSTOMERS]
        writing.append(asyncio.create_task(customers.write(phone)))
    await asyncio.gather(*writing)
    took = time.monotonic() - began

    def behind() -> int:
        return sum(
            client.latest(conversation) < customers.number[phone]
            for client in healthy
            for phone, conversation in customers.conversations.items()
            if f"conversation:{conversation}" in client.views
        )

    end = time.monotonic() + 120
    while behind() and time.monotonic() < end:
        await asyncio.sleep(0.5)
    told = times(healthy, customers.wrote)
    # Whoever lost something reads it, as after any loss.
    for client in healthy:
        if client.socket.close_code is not None:
            await client.begin()
    for client in random.sample(healthy, 20):
        await client.catch_up()
    missing = behind()
    await other.catch_up()
    ours = set(customers.conversations.values())
    foreign = len(other.events) + sum(
        event["conversation_id"] not in ours for client in healthy for event in client.events.values()
    )
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
                "foreign": foreign,
            }
        ),
        flush=True,
    )
    # Sockets that are open end with the process.
    os._exit(0)


asyncio.run(main())
