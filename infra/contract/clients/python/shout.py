"""Sockets of one business talk as fast as they can, and are closed; another business is told what it watches meanwhile.

RINGBACK_API and RINGBACK_KEY name the loud business, RINGBACK_SOCKETS how many sockets it opens. RINGBACK_OTHER_KEY and RINGBACK_TENANT name
the other one, RINGBACK_SIMULATORS its customers' phones. Prints one JSON object, or exits with another code than 0.
"""

import asyncio
import json
import os
import time

from follow import Follower, write
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

SOCKETS = int(os.environ["RINGBACK_SOCKETS"])
OF_A_KEY = 10
OPENED_AT_ONCE = 4
SECONDS = 300

PING = json.dumps({"action": "ping"})
UNREADABLE = "LISTEN"


class Loud:
    """A socket that says the same again and again."""

    def __init__(self, caller: Follower, said: str) -> None:
        self.caller = caller
        self.said = said
        self.ticket = ""
        self.answers: list[dict] = []

    async def open(self, opening: asyncio.Semaphore) -> ClientConnection:
        async with opening:
            given = await asyncio.to_thread(self.caller.ticket)
            self.ticket = given["ticket"]
            return await connect(f"{given['url']}?ticket={self.ticket}", open_timeout=SECONDS, ping_interval=None)

    async def shout(self, socket: ClientConnection) -> None:
        async with socket:
            talking = asyncio.create_task(self.talk(socket))
            try:
                async for text in socket:
                    self.answers.append(json.loads(text))
            except ConnectionClosed:
                pass
            await talking

    async def talk(self, socket: ClientConnection) -> None:
        try:
            while True:
                await socket.send(self.said)
                await asyncio.sleep(0)
        except ConnectionClosed:
            pass

    def count(self, kind: str) -> int:
        return sum(answer.get("type") == kind and answer.get("kind") != "too_many" for answer in self.answers)


def callers() -> list[Follower]:
    admin = Follower(os.environ["RINGBACK_KEY"])
    made = []
    while len(made) * OF_A_KEY < SOCKETS:
        key = admin.http.post(f"{os.environ['RINGBACK_API']}/api/v1/api-keys", json={"name": "Loud", "role": "viewer"})
        assert key.status_code == 201, key.text
        made.append(Follower(key.json()["key"]))
    return made


async def main() -> None:
    calm = Follower(os.environ["RINGBACK_OTHER_KEY"])
    calm.begin("inbox:all", "messages")
    made = callers()
    loud = [Loud(made[place // OF_A_KEY], UNREADABLE if place % 2 else PING) for place in range(SOCKETS)]
    opening = asyncio.Semaphore(OPENED_AT_ONCE)
    sockets = await asyncio.gather(*(one.open(opening) for one in loud))
    shouting = [asyncio.create_task(one.shout(socket)) for one, socket in zip(loud, sockets, strict=True)]
    # In threads, so that the others go on shouting.
    await asyncio.to_thread(write, "Is it loud where you are?")
    wrote = time.monotonic()
    await asyncio.to_thread(calm.hear_until, 1)
    told = time.monotonic() - wrote
    await asyncio.wait_for(asyncio.gather(*shouting), SECONDS)
    print(
        json.dumps(
            {
                "tickets": [one.ticket for one in loud],
                "told_seconds": told,
                "most_pongs": max(one.count("pong") for one in loud),
                "most_refused": max(one.count("refused") for one in loud),
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(main())
