//! The retention policy: the estimate of its application to the past, and its start.

use domain::terms::OperationId;
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::Town;

use super::TENANT;

const RETENTION: &str = "/api/v1/tenant/retention";
const APPLY: &str = "/api/v1/tenant/retention/apply";

/// Counts a day of ten calls, and of six messages of ours and four of customers.
async fn count(town: &Town<'_>, day: &str) {
    let counters = [
        ("calls", 10),
        ("calls_missed", 10),
        ("messages", 6),
        ("received_whatsapp", 3),
        ("received_sms", 1),
        ("delivered_sms", 6),
    ];
    let noon = format!("{day}T12:00:00Z");
    town.aws().count(town.home.scope(), &noon, None, &counters).await;
}

/// Ends an operation, as its function does.
async fn finish(town: &Town<'_>, shown: &Value) {
    let id: OperationId = shown["id"].as_str().expect("an id").parse().expect("an id");
    town.aws().end_operation(town.home.scope(), id, &json!({})).await;
}

#[tokio::test]
async fn estimate_follows_counters_and_policy() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    count(&town, "2026-11-20").await;
    // Of before the tenant, and of a day to come.
    count(&town, "2026-11-18").await;
    count(&town, "2026-11-23").await;
    let shown = town.viewer().get(RETENTION).await.is(200).json();
    assert_eq!(shown["policy"], json!({"calls_days": 730, "messages_days": 730}));
    let expected = json!({
        "calls": 10, "messages": 10, "expiring_calls": 0, "expiring_messages": 0,
        "write_units": 40, "read_units": 21, "usd": 0.0001, "seconds": 1, "counted": true,
    });
    assert_eq!(shown["estimate"], expected);
    assert_eq!(shown["application"], Value::Null);

    aws.pass(100 * 86_400);
    let manager = town.manager();
    let changed = manager.patch(TENANT, json!({"retention": {"calls_days": 99, "messages_days": 100}}));
    changed.await.is(200);
    let shown = manager.get(RETENTION).await.is(200).json();
    let estimate = &shown["estimate"];
    // The first twelve days are one of eight parts. Seven of them are counted, without the first two, and stand for all.
    assert_eq!(estimate["counted"], false);
    assert_eq!((&estimate["calls"], &estimate["messages"]), (&json!(18), &json!(18)));
    // Of one of these days, and of none.
    assert_eq!(
        (&estimate["expiring_calls"], &estimate["expiring_messages"]),
        (&json!(2), &json!(0))
    );
}

#[tokio::test]
async fn policy_is_applied_by_one_operation_at_a_time() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, tenant::routes).await;
    let manager = town.manager();
    town.viewer().post(APPLY, json!({})).await.is(403);
    let policy = json!({"calls_days": 30, "messages_days": 40});
    let before = manager.get(RETENTION).await;
    let changed = manager.patch(TENANT, json!({"retention": policy})).await;
    // What was read is another policy.
    let known = before.header("etag").to_owned();
    manager.post(APPLY, json!({})).header("if-match", &known).await.is(412);
    let known = changed.header("etag").to_owned();
    let started = manager.post(APPLY, json!({})).header("if-match", &known).await;
    let started = started.is(202).json();
    assert_eq!(started["kind"], "apply_retention");
    assert_eq!(started["params"]["retention"], policy);
    let second = manager.post(APPLY, json!({})).await;
    second.is_refused(409, "retention_running");
    let shown = manager.get(RETENTION).await.json();
    assert_eq!(shown["application"], started);
    // A later policy is none of its business, but can be applied afterwards.
    manager.patch(TENANT, json!({"retention": null})).await.is(200);
    finish(&town, &started).await;
    let once = async || manager.post_once(APPLY, "again", json!({})).await.is(202).json();
    let again = once().await;
    assert_eq!(again["params"]["retention"]["calls_days"], 730);
    assert_ne!(again["id"], started["id"]);
    assert_eq!(once().await, again);
    let second = manager.post(APPLY, json!({})).await;
    second.is_refused(409, "retention_running");
    let shown = manager.get(RETENTION).await.json();
    assert_eq!(shown["application"]["id"], again["id"]);
}
