"""The receiver of `cargo stack bench --part webhooks`: keeps what comes, and answers 204.

Below /slow it answers after 20 seconds, below /failing with 500. `GET /count?path=…` counts the events that came to a path, by their ids, and
`GET /received?path=…` lists them: each with the time of its first request in milliseconds, and its body. RINGBACK_PORT is its port.
"""

import asyncio
import json
import os
import time

from aiohttp import web

received: dict[str, dict[str, tuple[float, bytes]]] = {}


async def receive(request: web.Request) -> web.Response:
    body = await request.read()
    event = request.headers.get("webhook-id") or request.headers["svix-id"]
    events = received.setdefault(request.path, {})
    events.setdefault(event, (time.time() * 1000, body))
    if request.path.startswith("/slow"):
        await asyncio.sleep(20)
    return web.Response(status=500 if request.path.startswith("/failing") else 204)


def of_path(request: web.Request) -> dict[str, tuple[float, bytes]]:
    return received.get(request.query["path"], {})


async def count(request: web.Request) -> web.Response:
    return web.json_response(len(of_path(request)))


async def listed(request: web.Request) -> web.Response:
    events = of_path(request).values()
    return web.json_response([{"at": at, "body": json.loads(body)} for at, body in events])


app = web.Application()
app.router.add_get("/count", count)
app.router.add_get("/received", listed)
app.router.add_post("/{path:.*}", receive)
web.run_app(app, host="127.0.0.1", port=int(os.environ["RINGBACK_PORT"]), access_log=None, print=None)
