#!/usr/bin/env bash
# Expected: moto's DynamoDB works a transaction once if it comes twice with one ClientRequestToken, as the service does.
# Seen on 29 November 2026, moto 5.2.5 with boto3 1.44.8: it works it twice, so ADD 1 gives 2. It also keeps numbers as they were
# written ("007", "1.0"; the service gives 7 and 1 back), takes 26 items in BatchWriteItem (the service takes 25) and unused
# ExpressionAttributeValues. Its EventBridge does not deliver {"items": {"sku": ["a"]}} for a list of objects, which the
# service matches.
# Why it matters: a test that proves that a repeated request counts once fails on right code, and gets "fixed" there; tests of the
# other four pass, and the deployed function is refused.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet --disable-pip-version-check 'moto[dynamodb,events,sqs]==5.2.5' boto3==1.44.8 botocore==1.44.8

cat >show.py <<'PY'
import json
import boto3
from moto import mock_aws

with mock_aws():
    table = boto3.client("dynamodb", region_name="me-central-1")
    table.create_table(
        TableName="t", BillingMode="PAY_PER_REQUEST", KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
    )
    add = {"TableName": "t", "Key": {"pk": {"S": "a"}}, "UpdateExpression": "ADD c :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}
    for _ in range(2):
        table.transact_write_items(ClientRequestToken="token", TransactItems=[{"Update": add}])
    print("the same transaction twice:", table.get_item(TableName="t", Key={"pk": {"S": "a"}})["Item"]["c"]["N"])
    table.put_item(TableName="t", Item={"pk": {"S": "b"}, "n": {"N": "007"}, "m": {"N": "1.0"}})
    item = table.get_item(TableName="t", Key={"pk": {"S": "b"}})["Item"]
    print("numbers:", item["n"]["N"], item["m"]["N"])
    items = [{"PutRequest": {"Item": {"pk": {"S": str(number)}}}} for number in range(26)]
    print("26 items:", table.batch_write_item(RequestItems={"t": items})["ResponseMetadata"]["HTTPStatusCode"])
    values = {":a": {"S": "a"}, ":unused": {"S": "z"}}
    print("unused value:", table.query(TableName="t", KeyConditionExpression="pk = :a", ExpressionAttributeValues=values)["Count"])

    queues, events = (boto3.client(name, region_name="me-central-1") for name in ("sqs", "events"))
    for name, detail in (("object", {"items": {"sku": "a"}}), ("list of objects", {"items": [{"sku": "a"}, {"sku": "b"}]})):
        queue = queues.create_queue(QueueName=name.replace(" ", "-"))["QueueUrl"]
        arn = queues.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        events.put_rule(Name="rule", EventPattern=json.dumps({"detail": {"items": {"sku": ["a"]}}}))
        events.put_targets(Rule="rule", Targets=[{"Id": "queue", "Arn": arn}])
        events.put_events(Entries=[{"Source": "shop", "DetailType": "order", "Detail": json.dumps(detail)}])
        print(f"{name} delivered:", "Messages" in queues.receive_message(QueueUrl=queue))
PY
seen=$(AWS_ACCESS_KEY_ID=none AWS_SECRET_ACCESS_KEY=none env/bin/python show.py)
printf '%s\n' "$seen"

expected='the same transaction twice: 2
numbers: 007 1.0
26 items: 200
unused value: 1
object delivered: True
list of objects delivered: False'
[ "$seen" = "$expected" ] || { echo "Changed: moto behaves in another way than noted." >&2; exit 1; }
