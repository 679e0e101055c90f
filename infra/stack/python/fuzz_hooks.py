"""Hooks of schemathesis for `cargo stack fuzz`.

RINGBACK_TOKENS names a file of access tokens, one per line. Requests take them in turns: a person's limit is a hundred requests
a minute, and an operation such as log-out-everywhere ends the session of one of them only.
"""

import itertools
import os
import threading

import schemathesis

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
