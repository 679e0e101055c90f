//! Given-up changes of the table: `cargo stack dlq` lets them be counted once, and then deletes them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use domain::terms::ContactId;
use serde_json::{Value, json};
use stack::inspect;

use crate::stage::{Business, Stage, on_stage};

type Counters = BTreeMap<String, u64>;

async fn put(stage: &Stage, key: &str, body: &Value) -> Result<()> {
    let bucket = &stage.town.outputs["RawBucketName"];
    let put = json!({ "Bucket": bucket, "Key": key, "Body": body.to_string() });
    stage.aws.call("s3", "put_object", put).await.map(drop)
}

async fn is_there(stage: &Stage, key: &str) -> Result<bool> {
    let bucket = &stage.town.outputs["RawBucketName"];
    Ok(!stage.aws.session()?.objects(bucket, key).await?.is_empty())
}

/// Processes everything in the bucket. Objects of other tests may be unreadable; ours must not be.
async fn work_again(stage: &Stage, ours: &str) -> Result<()> {
    let stack = &stage.play.endpoints.stack;
    match inspect::redrive(&stage.aws, &stage.place, stack, inspect::CHANGES).await {
        Err(error) if format!("{error:#}").contains(ours) => Err(error),
        _ => Ok(()),
    }
}

/// The day's counters once they no longer change.
async fn counters(business: &Business<'_>, day: &str) -> Result<Counters> {
    let store = &business.stage.play.store;
    Ok(store.day_counters(&business.scope()?, day.parse()?).await?)
}

/// The row of the contact's first call as in a stream record.
async fn call_row(stage: &Stage, business: &Business<'_>, contact: ContactId) -> Result<Value> {
    let tenant = business.id().trim_start_matches("tnt_");
    let contact = contact.ulid().to_string().to_ascii_lowercase();
    let partition = format!("T#{tenant}#C#{contact}");
    let query = json!({
        "TableName": stage.play.endpoints.table, "Limit": 1,
        "KeyConditionExpression": "pk = :contact AND begins_with(sk, :call)",
        "ExpressionAttributeValues": { ":contact": { "S": partition }, ":call": { "S": "CALL#" } },
    });
    let found = stage.aws.call("dynamodb", "query", query).await?;
    found["Items"].get(0).cloned().context("the call has no row")
}

#[test]
fn reprocessed_changes_count_once() {
    on_stage(async |stage| {
        let business = stage.business("Given up").await?;
        let caller = business.miss_call("telephony").await?;
        let call = business.wait_until_decided(&caller, 1).await?;
        let row = call_row(stage, &business, call.id.contact()).await?;
        // Of another day, which no other test counts.
        let day = "2026-01-02";
        let sequence = "100000000000000000001";
        let record = json!({
            "eventID": format!("given-up-{}", business.id()), "eventName": "INSERT", "eventVersion": "1.1",
            "eventSource": "aws:dynamodb", "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": 1_767_351_600, "SequenceNumber": sequence, "SizeBytes": 700,
                "StreamViewType": "NEW_AND_OLD_IMAGES", "NewImage": row,
                "Keys": { "pk": row["pk"], "sk": row["sk"] },
            },
        });
        let event = json!({ "Records": [record], "shardId": "shardId-given-up", "state": {}, "window": {} });
        // Lambda's record of a failed invocation in a bucket, as documented.
        let failed = json!({
            "requestContext": { "requestId": "1", "condition": "RecordAgeExceeded", "approximateInvokeCount": 4000 },
            "responseContext": { "statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled" },
            "version": "1.0", "timestamp": "2026-01-02T23:00:00.000Z",
            "DDBStreamBatchInfo": {
                "shardId": "shardId-given-up", "startSequenceNumber": sequence, "endSequenceNumber": sequence,
                "batchSize": 1, "streamArn": "arn:aws:dynamodb:us-east-1:0:table/t/stream/2026",
            },
            "payload": event.to_string(),
        });
        let ours = business.id().to_owned();
        let by_lambda = format!("aws/lambda/uuid/shardId-given-up/2026/01/02/{ours}");
        let by_code = format!("spill/changes/{ours}");
        let expected: Counters = ["calls", "calls_missed", "calls_unanswered"]
            .map(|name| (name.to_owned(), 1))
            .into();
        for _twice in 0..2 {
            put(stage, &by_lambda, &failed).await?;
            work_again(stage, &ours).await?;
            ensure!(!is_there(stage, &by_lambda).await?, "it is worked and still there");
            ensure!(counters(&business, day).await? == expected, "counted wrong");
        }
        // The same change again, in the form in which the function stores unreadable records.
        let unreadable = json!({ "Records": event["Records"], "shardId": "shardId-given-up" });
        put(stage, &by_code, &unreadable).await?;
        work_again(stage, &ours).await?;
        ensure!(!is_there(stage, &by_code).await?, "it is worked and still there");
        ensure!(counters(&business, day).await? == expected, "counted twice");

        // What was meant for the other function is left to it, and counts nothing.
        let told_late = format!("aws/lambda/other/shardId-given-up/2026/01/02/{ours}");
        let mut of_events = failed.clone();
        let arn = format!(
            "arn:aws:lambda:us-east-1:0:function:{}-publish-events",
            stage.play.endpoints.stack
        );
        of_events["requestContext"]["functionArn"] = json!(arn);
        put(stage, &told_late, &of_events).await?;
        work_again(stage, &ours).await?;
        ensure!(is_there(stage, &told_late).await?, "changes took what events gave up");
        inspect::redrive(&stage.aws, &stage.place, &stage.play.endpoints.stack, inspect::EVENTS).await?;
        ensure!(!is_there(stage, &told_late).await?, "it is published and still there");
        ensure!(
            counters(&business, day).await? == expected,
            "counted by the wrong function"
        );

        // An object that cannot be processed stays and is reported.
        let unreadable = format!("spill/changes/{ours}-unreadable");
        let mut broken = event.clone();
        broken["Records"][0]["dynamodb"]["NewImage"]["data"] = json!({ "S": "nonsense" });
        put(stage, &unreadable, &broken).await?;
        let refused = work_again(stage, &ours).await;
        ensure!(refused.is_err(), "what cannot be read was worked");
        let stays = is_there(stage, &unreadable).await?;
        ensure!(stays, "it is gone, and nobody has worked it");
        put(stage, &unreadable, &event).await?;
        work_again(stage, &ours).await
    });
}
