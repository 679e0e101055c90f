"""Hooks of schemathesis for `cargo stack fuzz`.

RINGBACK_TOKENS names a file of access tokens, one per line. Requests take them in turns: a person's limit is a hundred requests
a minute, and an operation such as log-out-everywhere ends the session of one of them only.

RINGBACK_SHARE is a number N: of the requests that the tool derives from a schema's limits, which are hundreds for an operation with
a nested body, the first of each kind is sent, and one in N of the others.
"""

import itertools
import os
import threading
import zlib

import schemathesis

_share = int(os.environ.get("RINGBACK_SHARE", "1"))

if _share > 1:
    _kinds = set()

    @schemathesis.hook
    def filter_case(context, case):
        phase = case.meta.phase if case.meta else None
        if phase is None or phase.name.value != "coverage":
            return True
        data = phase.data
        kind = (case.operation.label, data.scenario, data.parameter_location)
        if kind not in _kinds:
            _kinds.add(kind)
            return True
        what = f"{case.operation.label} {data.location} {data.parameter} {data.description}"
        return zlib.crc32(what.encode()) % _share == 0


_file = os.environ.get("RINGBACK_TOKENS")
_lock = threading.Lock()

if _file:
    with open(_file) as _lines:
        _tokens = itertools.cycle([line.strip() for line in _lines if line.strip()])

    @schemathesis.hook
    def before_call(context, case, kwargs):
        with _lock:
            token = next(_tokens)
        case.headers["Authorization"] = f"Bearer {token}"
