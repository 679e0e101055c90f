"""Reads the inbox and answers in it by the Python client that was generated from docs/openapi.json, as it is told line by line.

RINGBACK_API and RINGBACK_KEY name the business. `{"read": ID}`: prints, as JSON, the first page of the list, the conversation of that
id and the end of its thread, as they are now. `{"answer": ID, "text": TEXT}`: sends that unless something has happened since it was
read, and prints the text that was missed, which is null if there was none.
"""

import json
import os
import sys
import time
import uuid

from ringback_client import AuthenticatedClient
from ringback_client.api.conversations import get_conversation, get_conversation_timeline, list_conversations
from ringback_client.api.messages import get_message, send_reply
from ringback_client.models import Problem, ReplyIn

ours = AuthenticatedClient(
    base_url=os.environ["RINGBACK_API"], token=os.environ["RINGBACK_KEY"], prefix="", auth_header_name="X-API-Key"
)
seen: dict[str, int] = {}


def asked(operation, *arguments, **named):
    """The answer, once the limit of requests allows it."""
    while (answer := operation.sync_detailed(*arguments, client=ours, **named)).status_code == 429:
        time.sleep(float(answer.headers["retry-after"]))
    return answer


def found(operation, *arguments, **named):
    answer = asked(operation, *arguments, **named)
    assert answer.status_code == 200 and not isinstance(answer.parsed, Problem), answer
    return answer.parsed


def read(conversation: str) -> dict:
    opened = found(get_conversation, conversation)
    thread = found(get_conversation_timeline, conversation, limit=50)
    seen[conversation] = opened.seq
    return {
        "items": [item.to_dict() for item in found(list_conversations).items],
        "opened": opened.to_dict(),
        "thread": [entry.to_dict() for entry in reversed(thread.items)],
    }


def answer(conversation: str, text: str) -> dict:
    reply = ReplyIn(seen=seen[conversation], text=text)
    said = asked(send_reply, conversation, body=reply, idempotency_key=str(uuid.uuid4()))
    if said.status_code == 201:
        return {"missed": None}
    assert said.status_code == 409 and isinstance(said.parsed, Problem), said
    assert said.parsed.type_ == "urn:ringback:problem:conversation_moved", said.parsed
    return {"missed": found(get_message, said.parsed.facts.to_dict()["message"]).legs[0].text}


for line in sys.stdin:
    wanted = json.loads(line)
    said = answer(wanted["answer"], wanted["text"]) if "answer" in wanted else read(wanted["read"])
    print(json.dumps(said), flush=True)
