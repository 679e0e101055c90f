//! Aircall's webhooks, in process against the emulator's table and queues.

use aircall_webhook::routes;
use domain::telephony::{CallProvider, Outcome};
use domain::tenants::{Account, VerifySecrets, aircall};
use serde_json::{Value, json};
use testkit::business::phone;
use testkit::webhook::{Webhook, World, larger_than_a_call};
use testkit::{Call, fixtures};

const TOKEN: &str = "fixture-aircall-token";
const MISSED: &str = "telephony/aircall/call_ended_agents_did_not_answer.json";

async fn world() -> World {
    let aircall = Webhook::new("aircall", routes);
    // During a rotation, both tokens are valid.
    let verify = VerifySecrets::Aircall(aircall::Verify {
        tokens: vec!["the-next-one".to_owned(), TOKEN.to_owned()],
    });
    aircall
        .with(Account::Aircall(aircall::Account { numbers: Vec::new() }), verify)
        .await
}

fn webhook_request(world: &World, body: impl AsRef<[u8]>) -> Call {
    Call::json(&world.path(), body)
}

fn event_with(pointer: &str, value: Value) -> String {
    let mut event = fixtures::json(MISSED);
    *event.pointer_mut(pointer).expect("the fixture has it") = value;
    event.to_string()
}

#[tokio::test]
async fn only_ended_calls_are_queued() {
    let world = world().await;
    for name in fixtures::names("telephony/aircall") {
        assert_eq!(
            world.status(&webhook_request(&world, fixtures::bytes(&name))).await,
            200,
            "{name}"
        );
        let events = world.reports().await;
        assert_eq!(events.len(), usize::from(name.contains("call_ended")), "{name}");
        for event in events {
            assert_eq!(event.provider, CallProvider::Aircall);
            assert_eq!(event.provider_call_id, "100200300");
            assert_eq!(event.facts.stated == Some(Outcome::Answered), name.contains("answered"));
        }
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_event_is_refused_without_a_trace() {
    let world = world().await;
    let token = |token: Value| webhook_request(&world, event_with("/token", token));
    let calls = [
        ("no token", token(Value::Null)),
        ("an empty one", token(json!(""))),
        ("a part of it", token(json!("fixture-aircall-toke"))),
        ("no text", token(json!([TOKEN]))),
        ("no JSON", webhook_request(&world, TOKEN)),
        (
            "two tokens",
            webhook_request(&world, format!(r#"{{"token": "{TOKEN}", "token": "{TOKEN}"}}"#)),
        ),
        ("a list", webhook_request(&world, format!(r#"["{TOKEN}"]"#))),
        (
            "a token elsewhere",
            webhook_request(&world, json!({"data": {"token": TOKEN}}).to_string()),
        ),
    ];
    let at = |connection: &str| Call::json(connection, fixtures::bytes(MISSED));
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn line_of_another_connection_is_ignored() {
    let mut world = world().await;
    let numbers = vec![phone("+442079460002")];
    world.change(Account::Aircall(aircall::Account { numbers })).await;
    let call = webhook_request(&world, fixtures::bytes(MISSED));
    world.assert_ignored_but_noted(&call, "+442079460001").await;
    let ours = event_with("/data/number/digits", json!("+44 20 7946 0002"));
    assert_eq!(world.status(&webhook_request(&world, ours)).await, 200);
    world.only_report("a call to the connection's line").await;
}

#[tokio::test]
async fn event_without_a_call_is_stored() {
    let world = world().await;
    let body = event_with("/data/id", Value::Null);
    // Nested more deeply than any parser accepts.
    let deep = format!(
        r#"{{"token": "{TOKEN}", "data": {}{}}}"#,
        "[".repeat(999),
        "]".repeat(999)
    );
    let without_token = [&body, &deep].map(|body| body.replace(TOKEN, "(not kept)"));
    assert!(!without_token.concat().contains(TOKEN));
    let kept = [
        (webhook_request(&world, &body), without_token[0].as_bytes()),
        (webhook_request(&world, &deep), without_token[1].as_bytes()),
    ];
    world.assert_kept(&kept).await;
}

#[tokio::test]
async fn event_that_cannot_be_stored_is_retried() {
    let world = world().await;
    let calls = [fixtures::text(MISSED), event_with("/data/id", Value::Null)].map(|body| webhook_request(&world, body));
    world.assert_asked_for_again(&calls).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let (large, path) = (webhook_request(&world, larger_than_a_call()), world.path());
    let (get, form) = (Call::get(&path), Call::form(&path, "a=b"));
    world.assert_size_method_and_type_are_checked(&large, &get, &form).await;
}
