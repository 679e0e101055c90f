"""Support for the local AWS, run in MiniStack's own Python environment (which has boto3).

Every bridge over a gap says what to delete once MiniStack closes it. The rest is a thin interface to boto3 for `cargo stack`,
which therefore needs no AWS client for services that no function uses.

    bridge.py serve                      run MiniStack until SIGTERM
    bridge.py tied PROGRAM ARGUMENT …    run that program, which ends when the caller ends
    bridge.py after-deploy STACK         routes, CORS and TTL that a deployment omits
    bridge.py update-code NAME=BINARY …  one zip and UpdateFunctionCode each
    bridge.py set-variable NAME=VALUE FUNCTION …  the variable in the environment of each
    bridge.py redrive FROM TO            move a queue's messages to another, by their URLs
    bridge.py logs SINCE GROUP…          log events as JSON lines, since these milliseconds; "" for all
    bridge.py region                     the region of the caller's own configuration, if it names one
    bridge.py credentials                the caller's credentials as JSON, of whatever kind of profile
    bridge.py calls                      boto3 calls: {"service", "operation", "arguments"} per line on stdin, {"answer"} or
                                         {"error"} per line on stdout
"""

import base64
import collections
import contextvars
import datetime
import io
import json
import os
import re
import sys
import zipfile


def end_with_parent():
    """Ends this process even if `cargo stack` is killed: PR_SET_PDEATHSIG, which survives exec."""
    import ctypes
    import signal

    ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def serve():
    import gc
    import socketserver

    end_with_parent()
    # The garbage collector would walk through all of the state, which only grows, after every few hundred objects.
    gc.set_threshold(50_000, 50, 100)
    # Each of the hundred threads that wait for the interpreter's lock during a burst wakes up once in this time, by default 5 ms.
    sys.setswitchinterval(0.05)

    # Bridge: the runtime API's small replies wait for Nagle's timer, about 45 ms each. Delete when MiniStack's
    # core/lambda_runtime.py sets it on its own server.
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True

    # Bridge: it requires an action named SendMessageBatch and the like; on AWS, batches need the action of the
    # single operation. Delete when MiniStack's core/iam_actions.py maps them.
    from ministack.core import iam_actions

    as_called = iam_actions.extract_iam_action

    def as_authorised(*arguments, **named):
        action = as_called(*arguments, **named)
        return action.removesuffix("Batch") if action and action.startswith("sqs:") else action

    iam_actions.extract_iam_action = as_authorised

    parse_once()
    patterns_of_routes()
    leading_keys()
    encryption_contexts()
    recorded_uses(os.path.join(os.environ["STATE_DIR"], "..", "uses.jsonl"))
    counted_requests()
    straight_to_services()
    missing_objects()
    placeholders()
    sized_reads()
    forget_stream_positions(os.path.join(os.environ["STATE_DIR"], "lambda.json"))
    whole_concurrency()

    quick_server(connections())
    few_starts()

    from ministack.app import main

    sys.argv = ["ministack"]
    main()


def whole_concurrency():
    """Bridge: a MaximumConcurrency that refers to a parameter stays a text, and is compared with numbers. Delete when MiniStack's
    services/cloudformation/provisioners.py makes a number of it, as of BatchSize."""
    from ministack.services import lambda_svc

    as_told = lambda_svc._sqs_esm_concurrency

    def as_number(mapping, *rest, **named):
        scaling = mapping.get("ScalingConfig") or {}
        if "MaximumConcurrency" in scaling:
            scaling["MaximumConcurrency"] = int(scaling["MaximumConcurrency"])
        return as_told(mapping, *rest, **named)

    lambda_svc._sqs_esm_concurrency = as_number


def connections():
    """Bridge: MiniStack hears a connection that was deleted for as long as its client goes on to say something; AWS closes it at once. Delete
    this, and `receive_if_open`, when MiniStack does, too. Returns the variable of the connection that a task serves."""
    from ministack.services import apigateway

    served = contextvars.ContextVar("served", default=None)

    class Connections(dict):
        def __setitem__(self, id, connection):
            served.set(connection)
            super().__setitem__(id, connection)

    apigateway._ws_connections = Connections(apigateway._ws_connections)
    return served


def quick_server(served_connection):
    """MiniStack serves HTTP by Hypercorn and h11, which are most of what a request costs. Uvicorn parses it in C."""
    import asyncio
    import contextlib

    import hypercorn.asyncio
    import uvicorn
    import uvloop
    from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
    from uvicorn.protocols.utils import ClientDisconnected

    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

    class WholeAnswer:
        """A connection that keeps an answer's head until its body begins. Uvicorn sends them apart, and each wakes the client."""

        def __init__(self, transport):
            self.transport, self.head = transport, None

        def write(self, data):
            if self.head is None and not data.startswith(b"HTTP/1.1 100 "):
                self.head = data
            else:
                self.transport.writelines((self.head or b"", data))
                self.head = self.head and b""

        def end(self):
            # An answer to HEAD has no body.
            if self.head and not self.transport.is_closing():
                self.write(b"")

        def close(self):
            self.end()
            self.transport.close()

        def __getattr__(self, name):
            return getattr(self.transport, name)

    begin = RequestResponseCycle.__init__

    def begin_whole(cycle, *, transport, on_response, **given):
        answer = WholeAnswer(transport)

        def end():
            answer.end()
            on_response()

        begin(cycle, transport=answer, on_response=end, **given)

    RequestResponseCycle.__init__ = begin_whole

    def served_to_the_end(application):
        async def serving(scope, receive, send):
            async def send_if_there(message):
                # A client that leaves early is disconnected like any other: $disconnect runs.
                with contextlib.suppress(ClientDisconnected):
                    await send(message)

            async def receive_if_open():
                message = await receive()
                connection = served_connection.get()
                if connection and connection["close_event"].is_set():
                    return {"type": "websocket.disconnect", "code": 1000}
                return message

            if scope["type"] == "websocket":
                await application(scope, receive_if_open, send_if_there)
            else:
                await application(scope, receive, send)

        return serving

    async def served(application, config):
        host, port = config.bind[0].rsplit(":", 1)
        settings = uvicorn.Config(
            served_to_the_end(application),
            host=host.strip("[]"),
            port=int(port),
            http="httptools",
            ws="wsproto",
            # AWS sends none.
            ws_ping_interval=None,
            timeout_keep_alive=config.keep_alive_timeout,
            # MiniStack saves its state once connections have ended.
            timeout_graceful_shutdown=3,
            # Its lines of sockets have their tickets.
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            # MiniStack sends its own, as AWS does.
            server_header=False,
            date_header=False,
        )
        # libuv accepts one connection per listening descriptor in each turn of its loop. During a burst, when a turn takes a tenth of a
        # second, new processes would wait for seconds, so it listens by 32 descriptors.
        one = settings.bind_socket()
        one.set_inheritable(False)
        await uvicorn.Server(settings).serve([one, *(one.dup() for _ in range(31))])

    hypercorn.asyncio.serve = served


def few_starts():
    """A burst of events starts a process for each. All of them at once take longer than the ten seconds of an initialization, so at most one
    per core starts at a time."""
    import threading

    from ministack.core import lambda_runtime

    spawn, cores = lambda_runtime.ProvidedWorker._spawn, threading.BoundedSemaphore(os.cpu_count() or 1)

    def in_turn(worker, *arguments, **named):
        with cores:
            return spawn(worker, *arguments, **named)

    lambda_runtime.ProvidedWorker._spawn = in_turn


def parse_once():
    """An expression is parsed for each row that it is compared with, which is a sixth of what the tables of tests cost, and a role's policies
    several times a request. Ours are few."""
    import functools

    from ministack.core import iam_evaluator
    from ministack.services import dynamodb

    parse_policy = iam_evaluator.parse_policy_document
    policy = functools.lru_cache(maxsize=4096)(lambda text: parse_policy(text))
    iam_evaluator.parse_policy_document = lambda document: policy(document) if isinstance(document, str) else parse_policy(document)

    once = functools.lru_cache(maxsize=4096)
    dynamodb._condition_syntax_error = once(dynamodb._condition_syntax_error)
    tokens = once(dynamodb._tokenize)
    dynamodb._tokenize = lambda expression: list(tokens(expression))


def patterns_of_routes():
    """Bridge: `{proxy+}` does not match a path with an encoded line feed, which AWS passes to the function. Delete when MiniStack's
    services/apigateway.py matches with re.DOTALL. It also makes the patterns of all routes anew for each request, a tenth of its time."""
    import functools

    from ministack.services import apigateway

    @functools.cache
    def pattern(route):
        parts = re.split(r"\{([^}]+)\}", route)
        names, whole = parts[1::2], re.escape(parts[0])
        for name, literal in zip(names, parts[2::2]):
            whole += ("(.+)" if name.endswith("+") else "([^/]+)") + re.escape(literal)
        return re.compile(whole, re.DOTALL), [name.removesuffix("+") for name in names]

    def parameters(route, path):
        whole, names = pattern(route)
        found = whole.fullmatch(path)
        return found and dict(zip(names, found.groups()))

    apigateway._extract_path_params = parameters


def leading_keys():
    """Bridge: a request has no dynamodb:LeadingKeys, so conditions on it always or never hold. Delete when MiniStack's
    core/iam_actions.py sets it for single items, batches, transactions and queries (of an index: the index's key)."""
    from ministack.core import iam_actions, iam_evaluator

    class Keyed(str):
        """An ARN that carries the key of its item in a transaction."""

        leading = ()

    def key(item):
        """The partition key's value; our tables call it pk."""
        value = item.get("pk") if isinstance(item, dict) else None
        return [*value.values()] if isinstance(value, dict) else []

    def queried(body):
        names, values = body.get("ExpressionAttributeNames") or {}, body.get("ExpressionAttributeValues") or {}
        for name, value in re.findall(r"(#?\w+)\s*=\s*(:\w+)", body["KeyConditionExpression"]):
            if names.get(name, name).endswith("pk"):
                return [*(values.get(value) or {}).values()]
        return []

    def keys(body):
        for whole in ("Item", "Key"):
            if whole in body:
                return key(body[whole])
        if "KeyConditionExpression" in body:
            return queried(body)
        found = []
        for asked in (body.get("RequestItems") or {}).values():
            if isinstance(asked, dict):
                requests = asked.get("Keys") or []
            else:
                requests = [next(iter(write.values())) for write in asked]
            for one in requests:
                found += key(one.get("Item") or one.get("Key") or one)
        return found

    def parsed(body, read):
        """The service itself refuses malformed requests."""
        try:
            return read(json.loads(body or b"{}"))
        except (AttributeError, KeyError, StopIteration, TypeError, ValueError):
            return []

    context_of, checks_of = iam_actions.dynamodb_service_context, iam_actions.dynamodb_transaction_checks
    enforce = iam_evaluator.enforce

    def context(body):
        found = parsed(body, keys)
        return {**context_of(body), **({"dynamodb:LeadingKeys": found} if found else {})}

    def checks(action, body, *where):
        items = parsed(body, lambda body: [next(iter(item.values())) for item in body["TransactItems"]])
        told = []
        for (act, arn), item in zip(checks_of(action, body, *where), items):
            arn = Keyed(arn)
            arn.leading = key(item.get("Item") or item.get("Key"))
            told.append((act, arn))
        return told or checks_of(action, body, *where)

    def enforce_keyed(*arguments, resource_arn="*", service_context=None):
        if isinstance(resource_arn, Keyed) and resource_arn.leading:
            service_context = {**(service_context or {}), "dynamodb:LeadingKeys": resource_arn.leading}
        return enforce(*arguments, resource_arn=resource_arn, service_context=service_context)

    iam_actions.dynamodb_service_context, iam_actions.dynamodb_transaction_checks = context, checks
    iam_evaluator.enforce = enforce_keyed


def encryption_contexts():
    """Bridge: a request of KMS has no kms:EncryptionContext:<key>, so conditions on it never hold. Delete when MiniStack's
    core/iam_actions.py sets it."""
    from ministack.core import iam_actions

    tags = iam_actions.request_tag_context

    def context(service, action, body, params):
        found = tags(service, action, body, params)
        if service == "kms":
            try:
                pairs = json.loads(body or b"{}").get("EncryptionContext") or {}
                found |= {f"kms:EncryptionContext:{name}".lower(): str(value) for name, value in pairs.items()}
            except (AttributeError, ValueError):
                pass  # The service itself refuses malformed requests.
        return found

    iam_actions.request_tag_context = context


def recorded_uses(file):
    """No bridge: writes to `file` what each role was allowed, one kind of use per line. `cargo stack iam` compares it with the roles."""
    import threading

    from ministack.core import iam_evaluator

    def kind(key):
        """The key with `x` in place of everything but words, such as names of row kinds and lanes, and what precedes a colon; ids
        keep their length. Tests of functions record the same (testkit, `role.rs`)."""

        def told(part):
            if re.fullmatch("[A-Z]+|[a-z]+", part):
                return part
            name, colon, _ = part.partition(":")
            return f"{name}:x" if colon else "x" * (26 if len(part) == 26 else 1)

        return "#".join(map(told, key.split("#")))

    def place(arn):
        """The ARN; an object's with `x` in place of everything but words."""
        if not arn.startswith("arn:aws:s3:::"):
            return arn
        return "/".join([arn.split("/")[0]] + [word if word.isalpha() else "x" for word in arn.split("/")[1:]])

    enforce, evaluate = iam_evaluator.enforce, iam_evaluator.evaluate
    asked, known = threading.local(), set()
    open(file, "w").close()

    def evaluate_noting(ctx, *policies):
        # The first is the caller's own policies; a resource's policy may follow.
        asked.first = getattr(asked, "first", None) or ctx
        return evaluate(ctx, *policies)

    def enforce_noting(*arguments, **named):
        asked.first = None
        denied = enforce(*arguments, **named)
        if denied is None and asked.first is not None:
            note(asked.first)
        return denied

    def note(ctx):
        # `assumed-role/ROLE/SESSION`; a session of the check's own uses nothing.
        _, role, session, *_ = [*ctx.principal_arn.split("/"), "", ""]
        if not role or session == "check-of-roles":
            return
        request = REQUEST.get()
        if request is not None:
            request["role"] = role
        keys = ctx.service_context.get("dynamodb:leadingkeys") or [None]
        for used in {(role, ctx.action, place(ctx.resource_arn), key and kind(key)) for key in keys} - known:
            known.add(used)
            with open(file, "a") as recorded:
                recorded.write(json.dumps(dict(zip(("who", "action", "resource", "key"), used))) + "\n")

    iam_evaluator.enforce, iam_evaluator.evaluate = enforce_noting, evaluate_noting


REQUEST = contextvars.ContextVar("REQUEST", default=None)


def counted_requests():
    """No bridge: counts the HTTP requests of each role that name a tenant, by which our functions' own count is checked.
    `GET /_stack/requests?TENANT` returns them."""
    from ministack import app

    serve_request, counts = app.app, collections.defaultdict(collections.Counter)

    async def counting(scope, receive, send):
        if scope["type"] != "http":
            return await serve_request(scope, receive, send)
        if scope["path"] == "/_stack/requests":
            told = json.dumps(counts[scope["query_string"].decode()]).encode()
            await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
            return await send({"type": "http.response.body", "body": told})
        request = {}
        REQUEST.set(request)

        async def receive_noting():
            message = await receive()
            found = re.search(rb'(?:T#|tenant\\?":\s*\\?")(?:tnt_)?(\w{26})', message.get("body") or b"")
            if found:
                request.setdefault("tenant", found[1].decode())
            return message

        await serve_request(scope, receive_noting, send)
        if "role" in request and "tenant" in request:
            counts[request["tenant"]][request["role"]] += 1

    app.app = counting


def straight_to_services():
    """MiniStack compares each request with those of a hundred services, and with policies, which is half of what one costs. Those of
    the account itself, which may do everything, go straight to the service that they are signed for, if they name their operation in a
    header: nearly all of the tests beside the code, and none of a deployed function, which has a role."""
    import email.utils
    import functools
    import time

    from ministack import app
    from ministack.core import responses

    serve_request, region_of = app.app, re.compile(rb"Credential=test/\d+/([^/]+)/(dynamodb|events|kms|secretsmanager|sqs)/")
    date = functools.lru_cache(maxsize=1)(lambda second: email.utils.formatdate(second, usegmt=True).encode())

    async def straight(scope, receive, send):
        given = dict(scope["headers"]) if scope["type"] == "http" else {}
        signed = b"x-amz-target" in given and region_of.search(given.get(b"authorization", b""))
        if not signed:
            return await serve_request(scope, receive, send)
        region, service = signed[1].decode(), signed[2].decode()
        responses.set_request_account_id("test")
        responses.set_request_region(region)
        parts, more = [], True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            parts.append(message.get("body", b""))
            more = message.get("more_body", False)
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in given.items()}
        status, told, body = await app.SERVICE_HANDLERS[service]("POST", scope["path"], headers, b"".join(parts), {})
        body = body if isinstance(body, bytes) else body.encode()
        told |= {"content-length": len(body), "date": date(int(time.time())).decode()}
        lines = [(name.lower().encode(), str(value).encode()) for name, value in told.items()]
        await send({"type": "http.response.start", "status": status, "headers": lines})
        await send({"type": "http.response.body", "body": body})

    app.app = straight


def missing_objects():
    """Bridge: reading a missing object without s3:ListBucket gives NoSuchKey; AWS gives AccessDenied, and evaluates the policy
    without the keys of a listing. Delete when MiniStack's services/s3.py does so."""
    from ministack.core import iam_evaluator
    from ministack.core.router import extract_access_key_id, extract_region
    from ministack.services import s3

    get_object = s3._get_object

    def get(bucket, key, headers, query_params=None):
        answer = get_object(bucket, key, headers, query_params)
        if answer[0] != 404 or b"NoSuchKey" not in answer[2]:
            return answer
        caller = extract_access_key_id(headers, query_params or {})
        region = extract_region(headers, query_params or {})
        denied = iam_evaluator.enforce(caller, "s3:ListBucket", "s3", region, resource_arn=f"arn:aws:s3:::{bucket}")
        if not denied:
            return answer
        who = getattr(denied, "principal_arn", caller)
        why = f"User: {who} is not authorized to perform: s3:ListBucket on resource: \"arn:aws:s3:::{bucket}\""
        return s3._error("AccessDenied", why, 403, f"/{bucket}/{key}")

    s3._get_object = get


def placeholders():
    """Bridge: an alarm on an expression cannot be created. It is recorded and watches nothing; delete when MiniStack's
    AWS::CloudWatch::Alarm takes `Metrics`."""
    from ministack.services.cloudformation import provisioners

    noted = {
        "create": lambda logical, properties, stack, *rest: (f"{stack}-{logical}", {}),
        "update": lambda physical, old, new, *rest: (physical, {}),
        "delete": lambda physical, properties, *rest: None,
    }
    handlers = provisioners._RESOURCE_HANDLERS
    alarm = handlers["AWS::CloudWatch::Alarm"]

    def handled(what, properties_at):
        def handler(*given):
            return (noted if "Metrics" in given[properties_at] else alarm)[what](*given)

        return handler

    # An update is given the old properties before the new ones.
    own = {what: handled(what, at) for what, at in (("create", 1), ("update", 2), ("delete", 1))}
    handlers["AWS::CloudWatch::Alarm"] = {**alarm, **own}


def sized_reads():
    """Bridge: a read costs 0.5 or 1 unit whatever its size, and a BatchGetItem reports nothing. On AWS each item costs a unit
    per started 4 KB, even a missing one; a query or scan adds up everything read before filtering, then rounds once; eventual
    consistency halves the cost, a transaction doubles it. Delete when MiniStack's services/dynamodb.py counts sizes of reads."""
    from ministack.services import dynamodb

    add, page_of = dynamodb._add_consumed_capacity, dynamodb._paginate_evaluated_items
    batch_get, transact_get = dynamodb._batch_get_item, dynamodb._transact_get_items
    read = {"bytes": 0}  # by the last query or scan; the emulator processes one request after the other

    def units(size):
        return max(1.0, float(-(-size // 4096)))

    def item_units(table, key):
        return units(dynamodb._item_size_bytes(dynamodb._get_item_by_key(table, key)))

    def times(capacity, factor):
        """The answer's capacity with every count of units multiplied."""
        if isinstance(capacity, dict):
            return {name: times(value, factor) for name, value in capacity.items()}
        return capacity * factor if isinstance(capacity, float) else capacity

    def page(items, limit, table, index=None):
        found, more = page_of(items, limit, table, index)
        entries = (dynamodb._apply_index_projection(item, table, index) if index else item for item in found)
        read["bytes"] = sum(map(dynamodb._item_size_bytes, entries))
        return found, more

    def consumed(result, data, name, write=False, **more):
        add(result, data, name, write=write, **more)
        if not write and "ConsumedCapacity" in result:
            table = dynamodb._tables[name]
            factor = item_units(table, data["Key"]) if "Key" in data else units(read["bytes"])
            result["ConsumedCapacity"] = times(result["ConsumedCapacity"], factor)

    def told(data, answer, reads):
        """The answer with the capacity of these reads: table, key, rate."""
        status, headers, body = answer
        wanted = data.get("ReturnConsumedCapacity", "NONE")
        if status != 200 or wanted == "NONE":
            return answer
        spent = {}
        for name, key, rate in reads:
            name = dynamodb._normalize_table_name(name)
            spent[name] = spent.get(name, 0.0) + rate * item_units(dynamodb._tables[name], key)
        capacity = []
        for name, count in spent.items():
            table = {"Table": {"CapacityUnits": count}} if wanted == "INDEXES" else {}
            capacity.append({"TableName": name, "CapacityUnits": count, **table})
        return status, headers, json.dumps({**json.loads(body), "ConsumedCapacity": capacity}).encode()

    def batch(data):
        asked = (data.get("RequestItems") or {}).items()
        return told(
            data,
            batch_get(data),
            ((name, key, 1.0 if of.get("ConsistentRead") else 0.5) for name, of in asked for key in of["Keys"]),
        )

    def transact(data):
        gets = (item["Get"] for item in data.get("TransactItems") or [])
        return told(data, transact_get(data), ((get["TableName"], get["Key"], 2.0) for get in gets))

    dynamodb._add_consumed_capacity, dynamodb._paginate_evaluated_items = consumed, page
    dynamodb._batch_get_item, dynamodb._transact_get_items = batch, transact


def forget_stream_positions(file):
    """Bridge: a stop keeps each mapping's position in a table's stream, but not the stream: after the next start, changes would
    not be read until there are as many again. Delete when MiniStack keeps both or neither."""
    if not os.path.exists(file):
        return
    with open(file) as saved:
        state = json.load(saved)
    if state.get("payload", {}).pop("dynamodb_stream_positions", None):
        with open(file, "w") as saved:
            json.dump(state, saved)


def client(service):
    import boto3
    from botocore.config import Config

    return boto3.client(service, config=Config(retries={"max_attempts": 2}, s3={"addressing_style": "path"}))


def after_deploy(stack):
    cloudformation = client("cloudformation")
    template = cloudformation.get_template(StackName=stack, TemplateStage="Processed")["TemplateBody"]
    if isinstance(template, str):
        template = json.loads(template)
    parameters = {
        p["ParameterKey"]: p["ParameterValue"]
        for p in cloudformation.describe_stacks(StackName=stack)["Stacks"][0].get("Parameters", [])
    }
    physical = {
        r["LogicalResourceId"]: r["PhysicalResourceId"]
        for r in cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    }
    for logical, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::ApiGatewayV2::Api" and "Body" in properties:
            import_routes(physical[logical], properties["Body"], physical)
            import_cors(physical[logical], properties["Body"], parameters)
        if resource["Type"] == "AWS::DynamoDB::Table" and "TimeToLiveSpecification" in properties:
            switch_on_ttl(physical[logical], properties["TimeToLiveSpecification"])


INTEGRATION = "x-amazon-apigateway-integration"


def import_routes(api, body, physical):
    """Bridge: MiniStack ignores the OpenAPI body of an HTTP API. Delete with `import_cors` when AWS::ApiGatewayV2::Api
    imports `Body`."""
    gateway = client("apigatewayv2")
    functions = client("lambda")
    known = {r["RouteKey"] for r in gateway.get_routes(ApiId=api, MaxResults="500").get("Items", [])}
    shared = {f"#/components/{INTEGRATION}s/{name}": one for name, one in body["components"][f"{INTEGRATION}s"].items()}
    wanted = set()
    integrations = {}
    for path, methods in body.get("paths", {}).items():
        for method, operation in methods.items():
            integration = shared[operation[INTEGRATION]["$ref"]]
            verb = "ANY" if method == "x-amazon-apigateway-any-method" else method.upper()
            # The default route has no method.
            key = path if path == "$default" else f"{verb} {path}"
            wanted.add(key)
            if key in known:
                continue
            # "arn:…:lambda:path/2015-03-31/functions/${Health.Arn}/invocations"
            logical = integration["uri"]["Fn::Sub"].split("${")[-1].split(".Arn}")[0]
            if logical not in integrations:
                function = functions.get_function_configuration(FunctionName=physical[logical])["FunctionArn"]
                integrations[logical] = gateway.create_integration(
                    ApiId=api,
                    IntegrationType="AWS_PROXY",
                    IntegrationUri=function,
                    IntegrationMethod="POST",
                    PayloadFormatVersion=integration["payloadFormatVersion"],
                )["IntegrationId"]
            gateway.create_route(ApiId=api, RouteKey=key, Target=f"integrations/{integrations[logical]}")
    for route in gateway.get_routes(ApiId=api, MaxResults="500").get("Items", []):
        if route["RouteKey"] not in wanted:
            gateway.delete_route(ApiId=api, RouteId=route["RouteId"])


def import_cors(api, body, parameters):
    """Bridge: see `import_routes`. The template's CORS is `Fn::If [HasCors, settings, AWS::NoValue]`, its
    origins are those of the local stage."""
    gateway = client("apigatewayv2")
    cors = {}
    if parameters.get("LocalOrigins"):
        for key, value in body.get("x-amazon-apigateway-cors", {}).get("Fn::If", [None, {}])[1].items():
            if key == "allowOrigins":
                value = [origin.strip() for origin in parameters["LocalOrigins"].split(",")]
            cors[key[0].upper() + key[1:]] = value
    if cors:
        gateway.update_api(ApiId=api, CorsConfiguration=cors)
    else:
        try:
            gateway.delete_cors_configuration(ApiId=api)
        except gateway.exceptions.NotFoundException:
            pass


def switch_on_ttl(table, specification):
    """Bridge: MiniStack never turns on a table's TTL. Delete when its AWS::DynamoDB::Table reads
    TimeToLiveSpecification."""
    dynamodb = client("dynamodb")
    status = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"].get("TimeToLiveStatus")
    if status != "ENABLED":
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)


def update_code(*pairs):
    functions = client("lambda")
    for pair in pairs:
        name, binary = pair.split("=", 1)
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            with open(binary, "rb") as file:
                archive.writestr(entry, file.read(), compresslevel=1)
        functions.update_function_code(FunctionName=name, ZipFile=packed.getvalue())


def set_variable(assignment, *names):
    functions = client("lambda")
    variable, value = assignment.split("=", 1)
    for name in names:
        known = functions.get_function_configuration(FunctionName=name).get("Environment", {}).get("Variables", {})
        if known.get(variable) != value:
            variables = {**known, variable: value}
            functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


def redrive(source, target):
    """Bridge: MiniStack does not support StartMessageMoveTask. Delete when it does."""
    sqs = client("sqs")
    moved = 0
    while True:
        batch = sqs.receive_message(QueueUrl=source, MaxNumberOfMessages=10, AttributeNames=["MessageGroupId"])
        messages = batch.get("Messages", [])
        if not messages:
            break
        for message in messages:
            group = message.get("Attributes", {}).get("MessageGroupId")
            more = {"MessageGroupId": group} if group else {}
            sqs.send_message(QueueUrl=target, MessageBody=message["Body"], **more)
            sqs.delete_message(QueueUrl=source, ReceiptHandle=message["ReceiptHandle"])
            moved += 1
    print(moved)


def logs(since, *groups):
    cloudwatch = client("logs")
    for group in groups:
        try:
            for event in events_of(cloudwatch, group, since):
                print(json.dumps({"group": group, "stream": event["logStreamName"], "time": event["timestamp"], "message": event["message"]}))
        except cloudwatch.exceptions.ResourceNotFoundException:
            continue


def events_of(cloudwatch, group, since):
    """The events of a log group. The emulator returns at most the oldest 10,000, without a token for the others: what follows is read
    from the time of the last one."""
    more, known = {"logGroupName": group}, collections.Counter()
    if since:
        more["startTime"] = int(since)
    while True:
        page = cloudwatch.filter_log_events(**more)
        events = page["events"]
        for event in events:
            if event["timestamp"] == more.get("startTime") and known[event["message"]]:
                known[event["message"]] -= 1
            else:
                yield event
        if page.get("nextToken"):
            more["nextToken"] = page["nextToken"]
        elif len(events) >= 10_000 and events[-1]["timestamp"] != more.get("startTime"):
            last = events[-1]["timestamp"]
            known = collections.Counter(event["message"] for event in events if event["timestamp"] == last)
            more = {"logGroupName": group, "startTime": last}
        else:
            return


def plain(value):
    if isinstance(value, (datetime.datetime, datetime.date)):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return base64.b64encode(value).decode()
    if hasattr(value, "read"):
        return plain(value.read())
    raise TypeError(f"{type(value)} in an answer")


def calls():
    clients = {}
    for line in sys.stdin:
        wanted = json.loads(line)
        service = wanted["service"]
        try:
            if service not in clients:
                clients[service] = client(service)
            answer = getattr(clients[service], wanted["operation"])(**wanted["arguments"])
            answer.pop("ResponseMetadata", None)
            told = {"answer": answer}
        except Exception as error:
            told = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(told, default=plain), flush=True)


def tied(*program):
    end_with_parent()
    os.execv(program[0], program)


def region():
    import boto3

    print(boto3.session.Session().region_name or "")


def credentials():
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = boto3.session.Session().get_credentials()
        frozen = found and found.get_frozen_credentials()
    # A program that prints no credentials is a ValueError.
    except (BotoCoreError, ClientError, ValueError) as error:
        sys.exit(f"AWS credentials: {error}")
    if not frozen:
        sys.exit("There are no AWS credentials: log in (`aws login`, `aws sso login`), or set AWS_PROFILE.")
    print(json.dumps({"AccessKeyId": frozen.access_key, "SecretAccessKey": frozen.secret_key, "SessionToken": frozen.token}))


COMMANDS = [serve, tied, after_deploy, update_code, set_variable, redrive, logs, region, credentials, calls]

if __name__ == "__main__":
    command, rest = sys.argv[1], sys.argv[2:]
    known = {one.__name__.replace("_", "-"): one for one in COMMANDS}
    if command not in known:
        sys.exit(__doc__)
    try:
        known[command](*rest)
    except BrokenPipeError:
        sys.exit(0)
    except KeyboardInterrupt:
        # A session has ended; other work may be half done.
        sys.exit(0 if command == "calls" else 130)
    except Exception as error:  # the caller prints the last line
        if command == "serve":
            raise
        sys.exit(f"{type(error).__name__}: {error}")
