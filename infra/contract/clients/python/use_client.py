"""Uses the Python client that was generated from docs/openapi.json against a deployed stack.

RINGBACK_API and RINGBACK_KEY name it. Exits with 0 only if everything was as expected.
"""

import os
import uuid

from ringback_client import AuthenticatedClient
from ringback_client.api.api_keys import create_api_key, delete_api_key, get_api_key
from ringback_client.api.connections import list_connections
from ringback_client.models import ApiKeyIn, NewApiKeyOut, Problem, Role


def client(key: str) -> AuthenticatedClient:
    return AuthenticatedClient(
        base_url=os.environ["RINGBACK_API"], token=key, prefix="", auth_header_name="X-API-Key"
    )


def main() -> None:
    ours = client(os.environ["RINGBACK_KEY"])

    listed = list_connections.sync(client=ours, limit=100)
    assert not isinstance(listed, Problem) and listed is not None, listed
    kinds = {str(connection.kind) for connection in listed.items}
    assert {"telephony", "twilio", "whatsapp"} <= kinds, kinds

    wanted = ApiKeyIn(name="Python client", role=Role.VIEWER)
    made = create_api_key.sync(client=ours, body=wanted, idempotency_key=str(uuid.uuid4()))
    assert isinstance(made, NewApiKeyOut), made
    theirs = client(made.key)
    assert not isinstance(list_connections.sync(client=theirs), Problem)

    refused = create_api_key.sync_detailed(client=theirs, body=wanted)
    assert refused.status_code == 403 and isinstance(refused.parsed, Problem), refused
    assert refused.parsed.type_ == "urn:ringback:problem:forbidden", refused.parsed

    missing = get_api_key.sync_detailed("key_00000000000000000000000000", client=ours)
    assert missing.status_code == 404 and isinstance(missing.parsed, Problem), missing
    assert missing.parsed.type_ == "urn:ringback:problem:not_found", missing.parsed

    wrong = create_api_key.sync_detailed(client=ours, body=ApiKeyIn(name="", role=Role.VIEWER))
    assert wrong.status_code == 422 and isinstance(wrong.parsed, Problem), wrong
    assert {error.field for error in wrong.parsed.errors} == {"name"}, wrong.parsed

    assert delete_api_key.sync_detailed(made.api_key.id, client=ours).status_code == 204
    print("the Python client works")


if __name__ == "__main__":
    main()
