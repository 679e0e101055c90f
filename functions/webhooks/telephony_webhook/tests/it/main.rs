//! The generic telephone event, in process against the emulator's table and queues.

use domain::tenants::{Account, telephony};
use jiff::{SignedDuration, Timestamp};
use providers::telephony::sign;
use serde_json::Value;
use telephony_webhook::routes;
use testkit::business::phone;
use testkit::seed::TELEPHONY_SECRET;
use testkit::webhook::{Webhook, World, larger_than_a_call};
use testkit::{Call, fixtures};

const MISSED: &str = "telephony/generic/missed.json";

async fn world() -> World {
    Webhook::new("telephony", routes)
        .with_seeded(|tenant| tenant.telephony)
        .await
}

fn signed_at(connection: &str, body: &[u8], at: Timestamp) -> Call {
    let signature = sign(TELEPHONY_SECRET, "msg_1", at, body).expect("the secret is one");
    Call::json(connection, body)
        .header("webhook-id", "msg_1")
        .header("webhook-timestamp", &at.as_second().to_string())
        .header("webhook-signature", &signature)
}

fn signed_request(world: &World, body: &[u8]) -> Call {
    signed_at(&world.path(), body, world.aws.now())
}

#[tokio::test]
async fn every_event_is_queued_or_refused_with_the_reason() {
    let world = world().await;
    for name in fixtures::names("telephony/generic") {
        let answer = world.call(&signed_request(&world, &fixtures::bytes(&name))).await;
        if name.contains("/invalid_") {
            let detail = answer.is_refused(422, "unprocessable").detail();
            let field = if name.contains("call_id") {
                "data.call_id: "
            } else {
                "data.from: "
            };
            assert!(detail.starts_with(field), "{detail}");
            world.assert_nothing_is_left().await;
        } else {
            answer.is(200);
            assert!(world.only_report(&name).await.facts.stated.is_some(), "{name}");
        }
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_event_is_refused_without_a_trace() {
    let world = world().await;
    let body = fixtures::bytes(MISSED);
    let (path, now) = (world.path(), world.aws.now());
    let good = signed_request(&world, &body);
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
        ("changed", good.body(b"{}")),
    ];
    let at = |connection: &str| signed_at(connection, &body, now);
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn line_of_another_connection_is_ignored() {
    let mut world = world().await;
    let numbers = vec![phone("+442079460002")];
    world.change(Account::Telephony(telephony::Account { numbers })).await;
    let call = signed_request(&world, &fixtures::bytes(MISSED));
    // Who proves nothing writes nothing.
    world
        .call(&call.clone().header("webhook-signature", "v1,???"))
        .await
        .is(401);
    world.assert_nothing_is_left().await;
    world.assert_ignored_but_noted(&call, "+442079460001").await;
    assert_eq!(world.call(&call).await.json()["accepted"], Value::Bool(false));
}

#[tokio::test]
async fn event_that_cannot_be_stored_is_retried() {
    let world = world().await;
    let call = signed_request(&world, &fixtures::bytes(MISSED));
    world.assert_asked_for_again(&[call]).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let (large, path) = (signed_request(&world, &larger_than_a_call()), world.path());
    let (get, form) = (Call::get(&path), Call::form(&path, "a=b"));
    world.assert_size_method_and_type_are_checked(&large, &get, &form).await;
}
