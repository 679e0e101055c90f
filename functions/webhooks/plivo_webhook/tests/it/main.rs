//! Plivo's hangup callback, in process against the emulator's table and queues.

use domain::telephony::CallProvider;
use domain::tenants::{Account, VerifySecrets, plivo};
use plivo_webhook::routes;
use providers::plivo::signature::sign;
use testkit::business::phone;
use testkit::gateway::DOMAIN;
use testkit::webhook::{Webhook, World, larger_than_a_call};
use testkit::{Call, fixtures};

const BASE: &str = "https://hooks.example.test";
const TOKEN: &str = "fixture-plivo-auth-token-0001";
const SIGNATURE: &str = "x-plivo-signature-v3";
const NONCE: &str = "x-plivo-signature-v3-nonce";
const MISSED: &str = "telephony/plivo/hangup_no_answer.txt";
const NAMELESS: &str = "CallStatus=busy&From=447700900111";

async fn world() -> World {
    let plivo = Webhook::new("plivo", routes).with_variables(&[("PUBLIC_BASE_URL", BASE)]);
    let account = Account::Plivo(plivo::Account {
        auth_id: "MAFIXTURE0000000000A".to_owned(),
        numbers: vec![phone("+442079460001")],
    });
    // During a rotation, both tokens are valid.
    let verify = VerifySecrets::Plivo(plivo::Verify {
        auth_tokens: vec!["the-next-one".to_owned(), TOKEN.to_owned()],
    });
    plivo.with(account, verify).await
}

fn hangup(connection: &str) -> String {
    format!("{connection}/hangup")
}

/// Signature of a callback to the connection at this path of `base`.
fn signature(base: &str, connection: &str, form: &[u8]) -> (String, &'static str) {
    let nonce = "05429567804466091622";
    (
        sign(TOKEN, &format!("{base}{}", hangup(connection)), form, nonce),
        nonce,
    )
}

/// A callback as Plivo sends it, signed for `base`.
fn signed_for(base: &str, connection: &str, form: &[u8]) -> Call {
    let (signature, nonce) = signature(base, connection, form);
    let call = Call::form(&hangup(connection), form);
    call.header(SIGNATURE, &signature).header(NONCE, nonce)
}

fn signed_request(world: &World, form: impl AsRef<[u8]>) -> Call {
    signed_for(BASE, &world.path(), form.as_ref())
}

#[tokio::test]
async fn every_callback_is_queued() {
    let world = world().await;
    for name in fixtures::names("telephony/plivo") {
        let answer = world.call(&signed_request(&world, fixtures::bytes(&name))).await;
        assert_eq!(answer.is(200).header("content-type"), "text/xml");
        assert!(
            answer.text().ends_with("<Response></Response>\n"),
            "{name}: {}",
            answer.text()
        );
        assert_eq!(world.only_report(&name).await.provider, CallProvider::Plivo);
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_callback_is_refused_without_a_trace() {
    let world = world().await;
    let form = fixtures::bytes(MISSED);
    let good = signed_request(&world, &form);
    let elsewhere = |base: &str| signed_for(base, &world.path(), &form);
    let changed = fixtures::text(MISSED).replace("no-answer", "completed");
    let calls = [
        ("no signature", good.clone().without_header(SIGNATURE)),
        ("no nonce", good.clone().without_header(NONCE)),
        ("another nonce", good.clone().header(NONCE, "1")),
        ("malformed", good.clone().header(SIGNATURE, "???,")),
        ("another host", elsewhere("https://internal.example.test")),
        ("our API's own domain", elsewhere(&format!("https://{DOMAIN}"))),
        ("changed", good.body_base64(changed)),
    ];
    let at = |connection: &str| signed_for(BASE, connection, &form);
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn main_accounts_signature_is_valid_for_subaccounts() {
    let world = world().await;
    let form = fixtures::bytes(MISSED);
    let (main_account, _) = signature(BASE, &world.path(), &form);
    let call = signed_request(&world, &form)
        .header(SIGNATURE, "c3ViYWNjb3VudA==")
        .header("x-plivo-signature-ma-v3", &main_account);
    assert_eq!(world.status(&call).await, 200);
    world.only_report(MISSED).await;
}

#[tokio::test]
async fn without_a_configured_url_the_apis_own_domain_is_signed() {
    let world = world().await;
    let function = world.function_with(&[("PUBLIC_BASE_URL", "")]);
    let form = fixtures::bytes(MISSED);
    let call = signed_for(&format!("https://{DOMAIN}"), &world.path(), &form);
    function.call(&call).await.is(200);
}

#[tokio::test]
async fn line_of_another_connection_is_ignored() {
    let world = world().await;
    let form = fixtures::text(MISSED).replace("To=442079460001", "To=442079460002");
    world
        .assert_ignored_but_noted(&signed_request(&world, form), "+442079460002")
        .await;
}

#[tokio::test]
async fn callback_without_a_call_is_stored() {
    let world = world().await;
    let call = signed_request(&world, NAMELESS);
    world.assert_kept(&[(call, NAMELESS.as_bytes())]).await;
}

#[tokio::test]
async fn callback_that_cannot_be_stored_is_retried() {
    let world = world().await;
    let calls = [fixtures::text(MISSED), NAMELESS.to_owned()].map(|form| signed_request(&world, form));
    world.assert_asked_for_again(&calls).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let (large, path) = (signed_request(&world, larger_than_a_call()), hangup(&world.path()));
    let (get, json) = (Call::get(&path), Call::json(&path, "{}"));
    world.assert_size_method_and_type_are_checked(&large, &get, &json).await;
}
