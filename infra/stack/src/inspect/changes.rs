//! Given-up changes of the table in the bucket: batches that Lambda gave up, and records that `publish_changes` could not read.
//! The function that they were meant for processes them again, which is safe to repeat (docs/decisions/0030-changes-worked-again.md).

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::{Map, Value, json};

use crate::aws::Session;

/// Their prefixes. Lambda chooses the names below the first.
const PREFIXES: [&str; 2] = ["aws/lambda/", "spill/changes/"];

/// An invocation accepts six megabytes; more is sent in parts.
const LARGEST: usize = 5_000_000;

/// A function that follows the table's stream, whose given-up batches are in the bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Follower {
    /// `publish_changes`, which counts and audits.
    Changes,
    /// `publish_events`, which tells people and software.
    Events,
}

impl Follower {
    pub(super) const ALL: [Self; 2] = [Self::Changes, Self::Events];

    /// Its name in commands.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Changes => super::CHANGES,
            Self::Events => super::EVENTS,
        }
    }

    /// Its name in the list of what was given up.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Changes => "Changes",
            Self::Events => "Events",
        }
    }

    /// Its function.
    pub(super) const fn function(self) -> &'static str {
        match self {
            Self::Changes => "publish_changes",
            Self::Events => "publish_events",
        }
    }

    /// The function that a batch was meant for, by Lambda's record. Only `publish_changes` stores changes by itself.
    fn of(stored: &Value) -> Self {
        let arn = stored["requestContext"]["functionArn"].as_str().unwrap_or_default();
        // An alias or a version may follow the name.
        let name = arn.split(':').nth(6).unwrap_or_default();
        if name.ends_with("-publish-events") {
            Self::Events
        } else {
            Self::Changes
        }
    }
}

/// An object with changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) key: String,
    pub(super) bytes: u64,
    pub(super) since: String,
    /// The function that it was meant for.
    pub(super) of: Follower,
}

/// All given-up changes, the oldest of each prefix first.
pub(super) async fn list(aws: &Session, bucket: &str) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    for prefix in PREFIXES {
        let begun = found.len();
        for object in aws.objects(bucket, prefix).await? {
            let key = object["Key"].as_str().context("an object has a key")?.to_owned();
            found.push(Stored {
                // One that cannot be read is reported when it is worked.
                of: read(aws, bucket, &key)
                    .await
                    .map_or(Follower::Changes, |stored| Follower::of(&stored)),
                key,
                bytes: object["Size"].as_u64().unwrap_or_default(),
                since: object["LastModified"].as_str().unwrap_or_default().to_owned(),
            });
        }
        found[begun..].sort_by(|one, other| one.since.cmp(&other.since));
    }
    Ok(found)
}

async fn read(aws: &Session, bucket: &str, key: &str) -> Result<Value> {
    let stored = aws
        .call("s3", "get_object", json!({ "Bucket": bucket, "Key": key }))
        .await?;
    serde_json::from_str(stored["Body"].as_str().unwrap_or_default()).context("it is not JSON")
}

/// Lets the function of this name in the stack process each of its batches, and deletes those that succeeded. Returns their number; the
/// others stay.
pub(super) async fn work(aws: &Session, bucket: &str, of: Follower, function: &str) -> Result<usize> {
    let mut all = list(aws, bucket).await?;
    all.retain(|stored| stored.of == of);
    let mut wrong = Vec::new();
    for Stored { key, .. } in &all {
        if let Err(error) = work_one(aws, bucket, key, function).await {
            wrong.push(format!("{key}: {error:#}"));
        }
    }
    if !wrong.is_empty() {
        let (stay, all) = (wrong.len(), all.len());
        bail!(
            "{stay} of {all} batches were not processed and stay in the bucket:\n  {}",
            wrong.join("\n  ")
        );
    }
    Ok(all.len())
}

async fn work_one(aws: &Session, bucket: &str, key: &str, function: &str) -> Result<()> {
    let Batch { shard, records } = Batch::read(read(aws, bucket, key).await?)?;
    for records in parts(records) {
        let event = json!({ "Records": records, "shardId": shard, "again": true });
        let invoke = json!({ "FunctionName": function, "Payload": event.to_string() });
        let answered = aws.call("lambda", "invoke", invoke).await?;
        let answer = answered["Payload"].as_str().unwrap_or_default();
        ensure!(answered["FunctionError"].is_null(), "{function} failed: {answer}");
        let answer: Value = serde_json::from_str(answer).context("parsing the function's answer")?;
        let failures = answer["batchItemFailures"]
            .as_array()
            .context("the answer lists no failures")?;
        ensure!(failures.is_empty(), "{function} could not process it; its log says why");
    }
    aws.call("s3", "delete_object", json!({ "Bucket": bucket, "Key": key }))
        .await
        .map(drop)
}

/// Changes of one shard.
#[derive(Debug, PartialEq)]
struct Batch {
    shard: String,
    records: Vec<Value>,
}

impl Batch {
    /// Parses Lambda's record of a failed invocation, which contains the event, or what `publish_changes` stored.
    fn read(stored: Value) -> Result<Self> {
        let Value::Object(mut stored) = stored else {
            bail!("it is not a record");
        };
        let told = stored
            .get("DDBStreamBatchInfo")
            .and_then(|info| info["shardId"].as_str());
        let told = told.map(str::to_owned);
        let text = |event: &Map<String, Value>, name: &str| event.get(name)?.as_str().map(str::to_owned);
        let mut event = match stored.remove("payload") {
            Some(Value::String(text)) => serde_json::from_str(&text).context("its payload is not an event")?,
            Some(Value::Object(event)) => event,
            Some(_) => bail!("its payload is not an event"),
            None => stored,
        };
        let shard = told.or_else(|| text(&event, "shardId"));
        match (shard, event.remove("Records"), text(&event, "eventID")) {
            (Some(shard), Some(Value::Array(records)), _) => Ok(Self { shard, records }),
            // Earlier records were stored alone, without their shard: such a record is its own shard.
            (None, None, Some(id)) => Ok(Self {
                shard: format!("kept-{id}"),
                records: vec![Value::Object(event)],
            }),
            _ => bail!("it contains no changes of a shard"),
        }
    }
}

/// Splits records into parts that an invocation accepts.
fn parts(records: Vec<Value>) -> Vec<Vec<Value>> {
    let mut parts: Vec<Vec<Value>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        let size = record.to_string().len();
        match parts.last_mut() {
            Some(part) if bytes + size <= LARGEST => part.push(record),
            _ => {
                bytes = 0;
                parts.push(vec![record]);
            }
        }
        bytes += size;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str) -> Value {
        json!({ "eventID": id, "eventName": "INSERT", "dynamodb": { "SequenceNumber": "1" } })
    }

    #[test]
    fn every_form_of_lambdas_failure_record_is_read() {
        let event = json!({ "Records": [record("a")], "shardId": "shard-1", "window": {}, "state": {} });
        for payload in [event.clone(), Value::String(event.to_string())] {
            let stored = json!({
                "requestContext": { "condition": "RecordAgeExceeded" },
                "DDBStreamBatchInfo": { "shardId": "shard-1", "batchSize": 1 },
                "payload": payload,
            });
            let batch = Batch::read(stored).unwrap();
            assert_eq!((batch.shard.as_str(), batch.records), ("shard-1", vec![record("a")]));
        }
    }

    /// Counting what was meant for the other function would count it twice.
    #[test]
    fn batch_belongs_to_the_function_that_lambda_names() {
        let arn = |function: &str| format!("arn:aws:lambda:eu-west-1:123456789012:function:prod-{function}");
        for (function, of) in [
            (arn("publish-events"), Follower::Events),
            (arn("publish-events:$LATEST"), Follower::Events),
            (arn("publish-changes"), Follower::Changes),
        ] {
            let stored = json!({ "requestContext": { "functionArn": function }, "payload": {} });
            assert_eq!(Follower::of(&stored), of, "{function}");
        }
        assert_eq!(
            Follower::of(&json!({ "Records": [], "shardId": "shard-1" })),
            Follower::Changes
        );
    }

    #[test]
    fn stored_unreadable_changes_are_read() {
        let kept = json!({ "Records": [record("a")], "shardId": "shard-1" });
        assert_eq!(Batch::read(kept).unwrap().shard, "shard-1");
        // The earlier form.
        let batch = Batch::read(record("a")).unwrap();
        assert_eq!((batch.shard.as_str(), batch.records), ("kept-a", vec![record("a")]));
    }

    #[test]
    fn object_without_changes_is_refused() {
        let without_payload = json!({ "DDBStreamBatchInfo": { "shardId": "shard-1" } });
        for stored in [
            without_payload,
            json!({}),
            json!([1]),
            json!("text"),
            json!({ "payload": "{" }),
        ] {
            assert!(Batch::read(stored.clone()).is_err(), "{stored}");
        }
    }

    #[test]
    fn parts_keep_all_records_in_order_and_below_the_limit() {
        let records: Vec<Value> = (0..5)
            .map(|one| json!({ "a": "x".repeat(LARGEST / 2 - 100), "b": one }))
            .collect();
        let parts = parts(records.clone());
        assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [2, 2, 1]);
        assert_eq!(parts.concat(), records);
    }
}
