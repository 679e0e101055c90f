#!/usr/bin/env bash
# Expected: a client that heeds Retry-After waits two seconds when the answer says "2.0".
# Seen on 2 December 2026: axios-retry 4.5.0 and got 14.6.6 (npm) do. urllib3 2.8.0 and requests 2.34.2 on it (PyPI) raise InvalidHeader
# out of the call and never ask again; httpx-retries 0.6.0 asks again at once, retryhttp 1.5.0 (which promises to read a float) after a
# second of its own. All six wait for "2". RFC 9110 knows whole seconds only, but Shopify's REST answers of status 429 say "2.0", as
# issue 135 of MONEI/Shopify-api-node and issue 18 of Shopify/shopify-app-python show.
# Why it matters: the retrying that was set up for the shop's limit is what ends the import of its orders, on the first busy day, and
# the log blames a header instead of the number of requests.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check requests==2.34.2 urllib3==2.8.0 httpx==0.28.1 httpx-retries==0.6.0 retryhttp==1.5.0
npm install --silent --no-audit --no-fund --no-save --ignore-scripts axios@1.21.1 axios-retry@4.5.0 got@14.6.6

cat >ask.mjs <<'JS'
import axios from "axios";
import axiosRetry from "axios-retry";
import got from "got";
const [, , name, address] = process.argv;
if (name === "got") {
  await got(address);
} else {
  const client = axios.create();
  axiosRetry(client, { retries: 3, retryCondition: (error) => error.response?.status === 429 });
  await client.get(address);
}
JS
cat >ask.py <<'PY'
import http.server, logging, subprocess, threading, time
import httpx, requests, retryhttp, urllib3
from httpx_retries import RetryTransport
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

logging.disable(logging.CRITICAL)
asked = {}


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        times = asked.setdefault(self.path, [])
        times.append(time.monotonic())
        self.send_response(429 if len(times) == 1 else 200)
        if len(times) == 1:
            self.send_header("Retry-After", self.path.split("/")[-1])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


shop = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
threading.Thread(target=shop.serve_forever, daemon=True).start()
retry = Retry(3, status_forcelist=[429])


def with_requests(address):
    session = requests.Session()
    session.mount("http://", HTTPAdapter(max_retries=retry))
    session.get(address)


@retryhttp.retry(max_attempt_number=3)
def with_retryhttp(address):
    httpx.get(address).raise_for_status()


def with_node(name):
    return lambda address: subprocess.run(["node", "ask.mjs", name, address], check=True)


clients = {
    "urllib3": lambda address: urllib3.PoolManager(retries=retry).request("GET", address),
    "requests": with_requests,
    "httpx-retries": lambda address: httpx.Client(transport=RetryTransport()).get(address),
    "retryhttp": with_retryhttp,
    "axios-retry": with_node("axios-retry"),
    "got": with_node("got"),
}
for header in ("2", "2.0"):
    for name, ask in clients.items():
        path = f"/{name}/{header}"
        try:
            ask(f"http://127.0.0.1:{shop.server_port}{path}")
            first, second = asked[path]
            shown = f"asked again after {second - first:.0f} s"
        except Exception as error:
            shown = f"{type(error).__name__}, asked {len(asked[path])} time"
        print(f"Retry-After: {header}", name, "=>", shown)
PY
seen=$(env/bin/python ask.py)
printf '%s\n' "$seen"

expected='Retry-After: 2 urllib3 => asked again after 2 s
Retry-After: 2 requests => asked again after 2 s
Retry-After: 2 httpx-retries => asked again after 2 s
Retry-After: 2 retryhttp => asked again after 2 s
Retry-After: 2 axios-retry => asked again after 2 s
Retry-After: 2 got => asked again after 2 s
Retry-After: 2.0 urllib3 => InvalidHeader, asked 1 time
Retry-After: 2.0 requests => InvalidHeader, asked 1 time
Retry-After: 2.0 httpx-retries => asked again after 0 s
Retry-After: 2.0 retryhttp => asked again after 1 s
Retry-After: 2.0 axios-retry => asked again after 2 s
Retry-After: 2.0 got => asked again after 2 s'
[ "$seen" = "$expected" ] || { echo "Changed: the clients heed the header in another way than noted." >&2; exit 1; }
