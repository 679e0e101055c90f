//! Vonage's voice events, in process against the emulator's table and queues.

use domain::telephony::{CallFacts, CallProvider, MAX_CALL, Outcome, Verdict};
use domain::tenants::{Account, VerifySecrets, vonage};
use jiff::SignedDuration;
use providers::vonage::sign;
use serde_json::Value;
use testkit::business::phone;
use testkit::webhook::{Webhook, World, larger_than_a_call};
use testkit::{Call, fixtures};
use vonage_webhook::routes;

const SECRET: &str = "fixture-vonage-signature-secret-0000000001";
const API_KEY: &str = "f1x7ure0";
const APPLICATION: &str = "00000000-0000-4000-8000-0000000000aa";
const MISSED: &str = "telephony/vonage/unanswered.json";

async fn world() -> World {
    let vonage = Webhook::new("vonage", routes);
    let account = Account::Vonage(vonage::Account {
        api_key: API_KEY.to_owned(),
        application_id: Some(APPLICATION.to_owned()),
        numbers: vec![phone("+442079460001")],
    });
    // During a rotation, both secrets are valid.
    let verify = VerifySecrets::Vonage(vonage::Verify {
        signature_secrets: vec!["the-next-one".to_owned(), SECRET.to_owned()],
    });
    vonage.with(account, verify).await
}

/// An event as Vonage sends it to the connection at this path.
fn with_token(connection: &str, token: &str, body: impl AsRef<[u8]>) -> Call {
    Call::json(connection, body).header("authorization", token)
}

fn signed_request(world: &World, body: impl AsRef<[u8]>) -> Call {
    let token = sign(SECRET, API_KEY, APPLICATION, world.aws.now(), body.as_ref());
    with_token(&world.path(), &token, body)
}

fn event_with(field: &str, value: &str) -> String {
    let mut event = fixtures::json(MISSED);
    event[field] = value.into();
    event.to_string()
}

#[tokio::test]
async fn every_event_of_a_call_is_queued_under_its_conversation() {
    let world = world().await;
    for name in fixtures::names("telephony/vonage") {
        let answer = world.call(&signed_request(&world, fixtures::bytes(&name))).await;
        // A body could be taken for a flow.
        assert_eq!((answer.status(), answer.text()), (200, ""), "{name}");
        let event = world.only_report(&name).await;
        assert_eq!(event.provider, CallProvider::Vonage);
        assert!(event.provider_call_id.starts_with("CON-"), "{name}");
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_event_is_refused_without_a_trace() {
    let world = world().await;
    let body = fixtures::bytes(MISSED);
    let (path, now) = (world.path(), world.aws.now());
    let late = SignedDuration::from_secs(301);
    let signed_at = |at| sign(SECRET, API_KEY, APPLICATION, at, &body);
    let with = |token: &str| with_token(&path, token, &body);
    let mut calls = vec![
        ("nonsense", with("Bearer nonsense")),
        (
            "another secret",
            with(&sign("secret", API_KEY, APPLICATION, now, &body)),
        ),
        (
            "another account",
            with(&sign(SECRET, "00f1x000", APPLICATION, now, &body)),
        ),
        (
            "another application",
            with(&sign(SECRET, API_KEY, "another", now, &body)),
        ),
        ("stale", with(&signed_at(now - late))),
        ("from the future", with(&signed_at(now + late))),
        (
            "changed",
            signed_request(&world, &body).body(event_with("status", "completed")),
        ),
    ];
    let vectors = fixtures::json("vectors/vonage_signed_webhook_jwt.json");
    for vector in vectors["vectors"].as_array().expect("a list") {
        if vector["valid"] == Value::Bool(false) {
            let text = |value: &Value| value.as_str().expect("a text").to_owned();
            let token = text(&vector["headers"]["Authorization"]);
            calls.push(("a vector", with_token(&path, &token, text(&vector["body"]))));
        }
    }
    let at = |connection: &str| with_token(connection, &signed_at(now), &body);
    world.assert_refused(&calls, at).await;
}

/// Vonage sends such an event again, signed. Requests to unknown connections are refused like all unauthenticated ones.
#[tokio::test]
async fn unsigned_event_of_a_connection_is_retried() {
    let world = world().await;
    let unsigned = Call::json(&world.path(), fixtures::bytes(MISSED));
    for _cold_and_warm in 0..2 {
        assert_eq!(world.status(&unsigned).await, 503);
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn line_of_another_connection_is_ignored() {
    let world = world().await;
    let call = signed_request(&world, event_with("to", "442079460002"));
    world.assert_ignored_but_noted(&call, "+442079460002").await;
}

/// The flow may show any number to the business.
#[tokio::test]
async fn missed_call_does_not_depend_on_the_shown_number() {
    let world = world().await;
    let mut leg = fixtures::json(MISSED);
    leg["direction"] = "outbound".into();
    leg["uuid"] = "aaaaaaaa-0000-4000-8000-000000000f02".into();
    for from in ["447700900111", "442079460001", "442079460002", "reception"] {
        leg["from"] = from.into();
        let mut facts = CallFacts::default();
        let own =
            ["ringing", "answered", "completed"].map(|name| fixtures::text(&format!("telephony/vonage/{name}.json")));
        for event in own.into_iter().chain([leg.to_string()]) {
            assert_eq!(world.status(&signed_request(&world, event)).await, 200);
            facts.merge(world.only_report(from).await.facts);
        }
        let now = world.aws.now();
        let verdict = facts.verdict(now, now + MAX_CALL, SignedDuration::from_secs(60));
        assert_eq!(verdict, Verdict::Decided(Outcome::Missed), "{from}");
    }
}

/// An event that names no call is stored; an event that is not about a call is not.
#[tokio::test]
async fn unreadable_event_is_stored_and_foreign_one_is_not() {
    let world = world().await;
    let recording = r#"{"recording_url":"https://api.example.test/1","conversation_uuid":"CON-1"}"#;
    world.assert_ignored(&signed_request(&world, recording)).await;
    let transfer = r#"{"type":"transfer","conversation_uuid_from":"CON-1","conversation_uuid_to":"CON-2","uuid":"1"}"#;
    world.assert_ignored(&signed_request(&world, transfer)).await;
    let body = event_with("conversation_uuid", "a b");
    world
        .assert_kept(&[(signed_request(&world, &body), body.as_bytes())])
        .await;
}

#[tokio::test]
async fn a_warm_webhook_reads_nothing() {
    let world = world().await;
    let call = signed_request(&world, fixtures::bytes(MISSED));
    world.assert_a_warm_call_reads_nothing(&call).await;
}

#[tokio::test]
async fn event_that_cannot_be_stored_is_retried() {
    let world = world().await;
    let calls =
        [fixtures::text(MISSED), event_with("conversation_uuid", "a b")].map(|body| signed_request(&world, body));
    world.assert_asked_for_again(&calls).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let (large, path) = (signed_request(&world, larger_than_a_call()), world.path());
    // A token for a GET does not bind the query, so an eavesdropper could send another query.
    let (get, form) = (Call::get(&path), Call::form(&path, "a=b"));
    world.assert_size_method_and_type_are_checked(&large, &get, &form).await;
}
