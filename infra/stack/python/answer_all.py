"""A team of 20 answers what 500 customers write in a day, pressed into minutes, for `cargo stack bench --part inbox`.

Each customer writes four times. An agent takes a conversation that waits, hands every tenth to a colleague, reads it, and replies with what it has
seen; whoever was overtaken looks again. Nobody may get two answers to one question, and nobody may be left waiting.

RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_TENANT and RINGBACK_SIMULATORS its customers' phones, RINGBACK_PHONES their numbers,
RINGBACK_MARK begins the correlation ids. Prints one JSON object.
"""

import asyncio
import calendar
import itertools
import json
import os
import random
import time

import httpx

API = os.environ["RINGBACK_API"] + "/api/v1"
SIMULATORS = os.environ["RINGBACK_SIMULATORS"]
TENANT = os.environ["RINGBACK_TENANT"]
PHONES = os.environ["RINGBACK_PHONES"].split(",")
MARK = os.environ["RINGBACK_MARK"]

AGENTS = 20
EACH = 4
PER_SECOND = 6
# Conversations of which an agent chooses one.
LOOKED_AT = 25
PATIENCE = 600


class Day:
    def __init__(self) -> None:
        self.admin = client(os.environ["RINGBACK_KEY"])
        self.phones = httpx.AsyncClient(timeout=120, limits=httpx.Limits(max_connections=64))
        self.dice = random.Random(20)
        self.numbers = itertools.count()
        self.wrote = 0
        self.written = False
        self.colleague = ""
        # Who answered what was asked up to a number in a conversation.
        self.answered: dict[tuple[str, int], list[int]] = {}
        self.waited: list[float] = []
        self.counts = dict.fromkeys(("replies", "assignments", "overtaken", "stale"), 0)

    async def customers(self) -> None:
        turns = PHONES * EACH
        self.dice.shuffle(turns)
        began, writing = time.monotonic(), []
        for tick, phone in enumerate(turns):
            await asyncio.sleep(max(0, began + tick / PER_SECOND - time.monotonic()))
            writing.append(asyncio.create_task(self.write(phone)))
        await asyncio.gather(*writing)
        self.written = True

    async def write(self, phone: str) -> None:
        said = {"tenant": TENANT, "from": phone, "channel": "whatsapp", "text": "Is it ready?", "wait": True}
        answer = await self.phones.post(f"{SIMULATORS}/replies", json=said)
        assert answer.is_success, answer.text
        self.wrote += 1

    async def agent(self, number: int, http: httpx.AsyncClient) -> None:
        quiet_since = None
        while True:
            waiting = await self.waiting(http)
            if waiting:
                quiet_since = None
                await self.attend(number, http, self.dice.choice(waiting)["id"])
                continue
            quiet_since = (quiet_since or time.monotonic()) if self.written else None
            # Lists lag.
            if quiet_since and time.monotonic() - quiet_since > 15:
                return
            await asyncio.sleep(1)

    async def waiting(self, http: httpx.AsyncClient) -> list[dict]:
        """Conversations that wait for somebody, or for the colleague, who has gone home."""
        of = ["none", self.colleague]
        self.dice.shuffle(of)
        for assignee in of:
            wanted = {"waiting": "true", "assignee": assignee, "limit": LOOKED_AT}
            page = await ask(http, "GET", "/conversations", params=wanted)
            if page.json()["items"]:
                return page.json()["items"]
        return []

    async def attend(self, number: int, http: httpx.AsyncClient, conversation: str) -> None:
        path = f"/conversations/{conversation}"
        shown = await ask(http, "GET", path)
        if shown.json()["waiting_since"] is None:
            return
        if self.dice.randrange(10) == 0:
            marked = {"x-correlation-id": f"{MARK}.assign.{next(self.numbers)}", "if-match": shown.headers["etag"]}
            content = {"content-type": "application/merge-patch+json"}
            change = json.dumps({"assignee_id": self.colleague})
            given = await ask(http, "PATCH", path, content=change, headers=marked | content, expected=(412,))
            self.counts["stale" if given.status_code == 412 else "assignments"] += 1
            if given.status_code == 412:
                return
            shown = given
        one = shown.json()
        await ask(http, "GET", f"{path}/timeline", params={"limit": 10})
        marked = {"x-correlation-id": f"{MARK}.reply.{next(self.numbers)}"}
        reply = {"seen": one["seq"], "text": "Yes, it is ready for you."}
        sent = await ask(http, "POST", f"{path}/messages", json=reply, headers=marked, expected=(409,))
        if sent.status_code == 409:
            refused = sent.json()
            assert refused["code"] == "conversation_moved" and refused["facts"]["messages"], refused
            self.counts["overtaken"] += 1
            return
        self.counts["replies"] += 1
        self.answered.setdefault((conversation, one["seq"]), []).append(number)
        since = calendar.timegm(time.strptime(one["waiting_since"][:19], "%Y-%m-%dT%H:%M:%S"))
        self.waited.append((time.time() - since) * 1000)


def client(key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(headers={"X-API-Key": key}, timeout=120)


async def ask(http: httpx.AsyncClient, method: str, path: str, expected: tuple[int, ...] = (), **more: object) -> httpx.Response:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        answer = await http.request(method, API + path, **more)
        if answer.is_success or answer.status_code in expected:
            return answer
        assert answer.status_code in (429, 503), f"{path}: {answer.text}"
        await asyncio.sleep(1)
    raise AssertionError(f"{path} was refused for {PATIENCE} s: {answer.text}")


async def main() -> None:
    day = Day()
    users = (await ask(day.admin, "GET", "/users")).json()["items"]
    day.colleague = next(user["id"] for user in users if user["role"] == "agent")
    keys = [
        (await ask(day.admin, "POST", "/api-keys", json={"name": f"Desk {number}", "role": "agent"})).json()["key"]
        for number in range(AGENTS)
    ]
    began = time.monotonic()
    agents = [day.agent(number, client(key)) for number, key in enumerate(keys)]
    await asyncio.gather(day.customers(), *agents)
    took = time.monotonic() - began
    twice = sum(len(set(by)) > 1 for by in day.answered.values())
    left = await day.waiting(day.admin)
    print(
        json.dumps(
            {
                "agents": AGENTS,
                "customers": len(PHONES),
                "messages": day.wrote,
                "seconds": took,
                "waited": day.waited,
                "answered_twice": twice,
                "left_waiting": len(left),
                **day.counts,
            }
        ),
        flush=True,
    )


asyncio.run(main())
