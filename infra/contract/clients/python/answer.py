"""Answers whoever waits in the inbox, by the Python client that was generated from docs/openapi.json, while others do the same.

RINGBACK_API and RINGBACK_KEY name the business, RINGBACK_NAME who answers. Says when it has a list, and answers once it gets a line. Prints,
as JSON, how many it has answered, and how often somebody else was faster. Exits with 0 only if each refusal told what was missed.
"""

import json
import os
import random
import time
import uuid

from ringback_client import AuthenticatedClient
from ringback_client.api.conversations import list_conversations
from ringback_client.api.messages import get_message, send_reply
from ringback_client.models import Conversation, MessageDetails, Problem, ReplyIn

NAME = os.environ["RINGBACK_NAME"]
ours = AuthenticatedClient(
    base_url=os.environ["RINGBACK_API"], token=os.environ["RINGBACK_KEY"], prefix="", auth_header_name="X-API-Key"
)


def asked(operation, *arguments, **named):
    """The answer, once the limit of requests allows it."""
    while (answer := operation.sync_detailed(*arguments, client=ours, **named)).status_code == 429:
        time.sleep(float(answer.headers["retry-after"]))
    return answer


def listed() -> list[Conversation]:
    waiting = asked(list_conversations, waiting=True, limit=100).parsed
    assert waiting is not None and not isinstance(waiting, Problem), waiting
    return waiting.items


def main() -> None:
    answered, missed = 0, 0
    while waiting := listed():
        if answered + missed == 0:
            print("listed", flush=True)
            input()
        random.shuffle(waiting)
        for shown in waiting:
            reply = ReplyIn(seen=shown.seq, text=f"{NAME} answers")
            said = asked(send_reply, shown.id, body=reply, idempotency_key=str(uuid.uuid4()))
            if said.status_code == 201:
                answered += 1
                continue
            assert said.status_code == 409 and isinstance(said.parsed, Problem), said
            assert said.parsed.type_ == "urn:ringback:problem:conversation_moved", said.parsed
            facts = said.parsed.facts.to_dict()
            assert facts["seq"] > shown.seq, facts
            theirs = asked(get_message, facts["message"]).parsed
            assert isinstance(theirs, MessageDetails), theirs
            text = theirs.legs[0].text
            assert text.endswith(" answers") and not text.startswith(NAME), text
            missed += 1
    print(json.dumps({"answered": answered, "missed": missed}))


if __name__ == "__main__":
    main()
