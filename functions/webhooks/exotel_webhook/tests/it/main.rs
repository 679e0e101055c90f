//! Exotel's Passthru and StatusCallback, in process against the emulator's table and queues.

use domain::telephony::{CallProvider, Outcome, Party};
use domain::tenants::exotel::{self, Cluster};
use domain::tenants::{Account, VerifySecrets};
use exotel_webhook::routes;
use testkit::business::phone;
use testkit::webhook::{Webhook, World, larger_than_a_call};
use testkit::{Call, fixtures};

const SECRET: &str = "fixture-exotel-url-secret-01";
const MISSED: &str = "telephony/exotel/passthru_incomplete.txt";
/// IP address of the test's requests.
const LISTED: &str = "203.0.113.24";

fn account(numbers: &[&str], sources: &[&str]) -> Account {
    Account::Exotel(exotel::Account {
        account_sid: "fixture1".to_owned(),
        cluster: Cluster::Mumbai,
        country_code: "44".parse().expect("a calling code"),
        numbers: numbers.iter().map(|number| phone(number)).collect(),
        sources: sources.iter().map(|range| range.parse().expect("a range")).collect(),
    })
}

async fn world() -> World {
    let exotel = Webhook::new("exotel", routes);
    // During a rotation, both secrets are valid.
    let verify = VerifySecrets::Exotel(exotel::Verify {
        url_secrets: vec!["the-next-one".to_owned(), SECRET.to_owned()],
    });
    exotel.with(account(&[], &[]), verify).await
}

/// Exotel's request to the Passthru applet's URL.
fn passthru(connection: &str, secret: &str, query: &str) -> Call {
    Call::get(&format!("{connection}/passthru/{secret}?{query}")).from_address(LISTED)
}

/// URL of the connection's status callback.
fn status(world: &World) -> String {
    format!("{}/status/{SECRET}", world.path())
}

/// The fixture as Exotel would send it.
fn fixture_request(world: &World, name: &str) -> Call {
    if name.contains("passthru") {
        return passthru(&world.path(), SECRET, &fixtures::text(name));
    }
    let post = if name.ends_with(".json") {
        Call::json
    } else {
        Call::form
    };
    post(&status(world), fixtures::bytes(name)).from_address(LISTED)
}

#[tokio::test]
async fn every_event_is_queued() {
    let world = world().await;
    for name in fixtures::names("telephony/exotel") {
        let answer = world.call(&fixture_request(&world, &name)).await;
        assert_eq!((answer.status(), answer.text()), (200, ""), "{name}");
        let event = world.only_report(&name).await;
        assert_eq!(event.provider, CallProvider::Exotel);
        if name == MISSED {
            assert_eq!(event.facts.stated, Some(Outcome::Missed));
            let customer = Party::Phone(phone("+447700900111"));
            assert_eq!(event.facts.customer(), &customer, "in the connection's country");
        }
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_event_is_refused_without_a_trace() {
    let mut world = world().await;
    world.change(account(&[], &["203.0.113.0/24"])).await;
    let (path, query) = (world.path(), fixtures::text(MISSED));
    let with = |secret: &str| passthru(&path, secret, &query);
    let no_secret_at_all = Call::get(&format!("{path}/passthru?{query}")).from_address(LISTED);
    for without in [with(""), no_secret_at_all] {
        assert_eq!(world.status(&without).await, 404);
    }
    let calls = [
        ("another secret", with("fixture-exotel-url-secret-02")),
        ("a part of it", with("fixture-exotel-url-secret-0")),
        ("a space", with("%20")),
        ("another address", with(SECRET).from_address("198.51.100.7")),
        ("no address", with(SECRET).from_address("")),
        (
            "a status",
            Call::form(&format!("{path}/status/x"), "CallSid=1&Status=busy").from_address(LISTED),
        ),
    ];
    let at = |connection: &str| passthru(connection, SECRET, &query);
    world.assert_refused(&calls, at).await;
    world.only_report(MISSED).await;
}

#[tokio::test]
async fn line_of_another_connection_is_ignored() {
    let mut world = world().await;
    world.change(account(&["+442079460002"], &[])).await;
    world
        .assert_ignored_but_noted(&fixture_request(&world, MISSED), "+442079460001")
        .await;
    world.change(account(&["+442079460002", "+442079460001"], &[])).await;
    // The second names no line: it belongs to a call that another report describes.
    for name in [MISSED, "telephony/exotel/status_callback_no_answer.txt"] {
        assert_eq!(world.status(&fixture_request(&world, name)).await, 200);
        world.only_report(name).await;
    }
}

#[tokio::test]
async fn event_without_a_call_is_stored() {
    let world = world().await;
    let query = "CallFrom=1";
    let parts = "--x\r\ncontent-disposition: form-data; name=\"CallSid\"\r\n\r\n1\r\n--x--\r\n";
    let multipart = Call::new("POST", &status(&world))
        .header("content-type", "multipart/form-data; boundary=x")
        .body(parts);
    let calls = [
        (passthru(&world.path(), SECRET, query), query.as_bytes()),
        (multipart, parts.as_bytes()),
    ];
    world.assert_kept(&calls).await;
}

#[tokio::test]
async fn event_that_cannot_be_stored_is_retried() {
    let world = world().await;
    let nameless = passthru(&world.path(), SECRET, "");
    world
        .assert_asked_for_again(&[fixture_request(&world, MISSED), nameless])
        .await;
}

#[tokio::test]
async fn size_and_method_are_checked() {
    let world = world().await;
    let (passthru, status) = (format!("{}/passthru/{SECRET}", world.path()), status(&world));
    assert_eq!(world.status(&Call::form(&status, larger_than_a_call())).await, 413);
    world.assert_takes_only("POST", &Call::get(&status)).await;
    world.assert_takes_only("GET,HEAD", &Call::form(&passthru, "")).await;
}
