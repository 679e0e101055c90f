//! The generic telephone event, in process against the emulator's table and queues.

use domain::{
    call::Outcome,
    connection::{Account, Connection},
};
use jiff::{SignedDuration, Timestamp};
use jobs::CallJob;
use kit::QueueName;
use providers::telephony::sign;
use serde_json::Value;
use telephony_webhook::routes;
use testkit::{
    Aws, Call, Function, Seeded, fixtures,
    seed::{self, TELEPHONY_SECRET},
};

fn path(tenant: &Seeded) -> String {
    format!("/webhooks/telephony/{}/{}", tenant.tenant(), tenant.telephony)
}

fn signed_at(path: &str, body: &[u8], at: Timestamp) -> Call {
    let signature = sign(TELEPHONY_SECRET, "msg_1", at, body).expect("the secret is one");
    Call::json(path, body)
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", &at.as_second().to_string())
        .header("webhook-signature", &signature)
}

async fn world() -> (Aws, Seeded, Function) {
    let aws = Aws::new().await;
    let tenant = seed::tenant(&aws).await;
    let function = Function::new(aws.env(), routes);
    (aws, tenant, function)
}

fn outcome(job: &Value) -> Option<Outcome> {
    match serde_json::from_value(job.clone()).expect("it is a job of this queue") {
        CallJob::Reported { event, .. } => event.facts.stated,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn every_event_is_queued_or_told_what_is_wrong() {
    let (aws, tenant, function) = world().await;
    for name in fixtures::names("telephony/generic") {
        let body = fixtures::bytes(&name);
        let answer = function
            .call(&signed_at(&path(&tenant), &body, aws.clock().now()))
            .await;
        let jobs = aws.drain(QueueName::Calls).await;
        if name.contains("/invalid_") {
            assert_eq!(answer.status(), 422, "{name}");
            let problem = answer.json();
            assert_eq!(problem["type"], "urn:ringback:problem:unprocessable");
            let field = if name.contains("call_id") {
                "data.call_id: "
            } else {
                "data.from: "
            };
            assert!(
                problem["detail"].as_str().unwrap_or_default().starts_with(field),
                "{problem}"
            );
            assert!(jobs.is_empty(), "{name}");
        } else {
            assert_eq!((answer.status(), jobs.len()), (200, 1), "{name}");
            assert!(outcome(&jobs[0]).is_some(), "{name}");
        }
    }
    assert!(aws.objects("").await.is_empty());
}

#[tokio::test]
async fn an_unproven_event_is_refused_and_leaves_nothing() {
    let (aws, tenant, function) = world().await;
    let body = fixtures::bytes("telephony/generic/missed.json");
    let (path, now) = (path(&tenant), aws.clock().now());
    let good = signed_at(&path, &body, now);
    assert_eq!(function.call(&good).await.status(), 200);
    aws.drain(QueueName::Calls).await;
    let other = path.replace(&tenant.telephony.to_string(), &tenant.twilio.to_string());
    let late = SignedDuration::from_secs(301);
    let calls = [
        ("no headers", Call::json(&path, &body)),
        ("no id", good.clone().without_header("webhook-id")),
        ("no time", good.clone().without_header("webhook-timestamp")),
        ("no signature", good.clone().without_header("webhook-signature")),
        ("malformed", good.clone().header("webhook-signature", "v1,???")),
        ("another id", good.clone().header("webhook-id", "msg_2")),
        (
            "another time",
            good.clone()
                .header("webhook-timestamp", &(now.as_second() + 1).to_string()),
        ),
        ("stale", signed_at(&path, &body, now - late)),
        ("from the future", signed_at(&path, &body, now + late)),
        ("changed", good.clone().body(b"{}")),
        ("another kind of connection", signed_at(&other, &body, now)),
        ("unknown", signed_at("/webhooks/telephony/tnt_1/conn_1", &body, now)),
    ];
    let rows = aws.row_count().await;
    let expected = function.call(&calls[0].1).await.json();
    for (why, call) in &calls {
        let answer = function.call(call).await;
        assert_eq!((answer.status(), answer.json()), (401, expected.clone()), "{why}");
    }
    assert!(aws.drain(QueueName::Calls).await.is_empty());
    assert!(aws.objects("").await.is_empty());
    assert_eq!(aws.row_count().await, rows);
}

#[tokio::test]
async fn a_line_that_is_not_the_connections_is_ignored() {
    let (aws, mut tenant, function) = world().await;
    let telephony = tenant.telephony;
    let connection: &mut Connection = tenant.connection_mut(telephony);
    connection.account = Account::Telephony {
        lines: vec!["+442079460002".parse().expect("a number")],
    };
    tenant.write(&aws).await;
    let body = fixtures::bytes("telephony/generic/missed.json");
    let answer = function
        .call(&signed_at(&path(&tenant), &body, aws.clock().now()))
        .await;
    assert_eq!(
        (answer.status(), &answer.json()["accepted"]),
        (200, &Value::Bool(false))
    );
    assert!(aws.drain(QueueName::Calls).await.is_empty());
}

#[tokio::test]
async fn an_event_that_can_be_stored_nowhere_is_to_be_sent_again() {
    let (aws, tenant, _) = world().await;
    let nowhere = "http://127.0.0.1:9/000000000000/none";
    let function = Function::new(
        &aws.env_with(&[("CALLS_QUEUE_URL", nowhere), ("RAW_BUCKET", "none-such")]),
        routes,
    );
    let body = fixtures::bytes("telephony/generic/missed.json");
    assert_eq!(
        function
            .call(&signed_at(&path(&tenant), &body, aws.clock().now()))
            .await
            .status(),
        503
    );
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let (aws, tenant, function) = world().await;
    let path = path(&tenant);
    let huge = vec![b' '; 3 * 1024 * 1024 + 1];
    assert_eq!(
        function
            .call(&signed_at(&path, &huge, aws.clock().now()))
            .await
            .status(),
        413
    );
    assert_eq!(function.call(&Call::get(&path)).await.header("allow"), "POST");
    assert_eq!(function.call(&Call::form(&path, "a=b")).await.status(), 415);
}
