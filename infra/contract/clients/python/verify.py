"""Receives deliveries of webhooks: verifies each with both libraries, and refuses those that were altered on their way.

RINGBACK_DELIVERIES names a file with a delivery in each line: `secret`, `headers`, `body`, and whether it is `genuine`.
"""

import json
import os
from pathlib import Path

import standardwebhooks
import svix


def verifies(library, delivery: dict) -> bool:
    webhook = library.webhooks.Webhook(delivery["secret"])
    try:
        webhook.verify(delivery["body"].encode(), delivery["headers"])
    except library.webhooks.WebhookVerificationError:
        return False
    return True


def main() -> None:
    with Path(os.environ["RINGBACK_DELIVERIES"]).open(encoding="utf-8") as lines:
        deliveries = [json.loads(line) for line in lines]
    for delivery in deliveries:
        for library in (standardwebhooks, svix):
            assert verifies(library, delivery) == delivery["genuine"], (library, delivery)
    genuine = sum(delivery["genuine"] for delivery in deliveries)
    print(f"{genuine} verified, {len(deliveries) - genuine} refused")


main()
