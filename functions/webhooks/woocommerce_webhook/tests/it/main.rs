//! WooCommerce's webhooks, in process against the emulator's table and queues.

use domain::people::FulfilmentState;
use domain::tenants::{Account, VerifySecrets, woocommerce};
use kit::QueueName;
use providers::shops::signature::sign;
use testkit::webhook::{Webhook, World};
use testkit::{Call, fixtures};
use woocommerce_webhook::{LARGEST, routes};

const STORE: &str = "https://woo-demo.example.com";
const SECRET: &str = "fakeWooSecret0000000000000000000001";
const SIGNATURE: &str = "x-wc-webhook-signature";
const SOURCE: &str = "x-wc-webhook-source";
const TOPIC: &str = "x-wc-webhook-topic";
const ORDER: &str = "woocommerce/order_created.json";

fn account(store: &str) -> Account {
    Account::WooCommerce(woocommerce::Account {
        store: store.to_owned(),
    })
}

fn secrets(secrets: &[&str]) -> VerifySecrets {
    VerifySecrets::WooCommerce(woocommerce::Verify {
        secrets: secrets.iter().copied().map(str::to_owned).collect(),
    })
}

async fn world() -> World {
    // During a rotation, both secrets are valid.
    Webhook::new("woocommerce", routes)
        .with(account(STORE), secrets(&["the-next-one", SECRET]))
        .await
}

/// A webhook as WooCommerce sends it.
fn make_call_at(path: &str, topic: &str, body: impl AsRef<[u8]>) -> Call {
    let (body, signature) = (body.as_ref(), sign(SECRET, body.as_ref()));
    let call = Call::json(path, body);
    call.header(SIGNATURE, &signature)
        .header(SOURCE, "https://woo-demo.example.com/")
        .header(TOPIC, topic)
}

fn make_call(world: &World, topic: &str, body: impl AsRef<[u8]>) -> Call {
    make_call_at(&world.path(), topic, body)
}

/// States of the queued reports, which are of the order 2042 or 2043.
async fn take_reported(world: &World) -> Vec<Option<FulfilmentState>> {
    let reports = world.take_reports().await.into_iter().map(|report| {
        assert!(["2042", "2043"].contains(&report.order.as_str()));
        report.parts.fulfilment
    });
    reports.collect()
}

#[tokio::test]
async fn every_report_of_an_order_is_queued() {
    let world = world().await;
    for (topic, name, state) in [
        ("order.created", "order_created", Some(FulfilmentState::Unfulfilled)),
        (
            "order.created",
            "order_created_guest_no_phone",
            Some(FulfilmentState::Unfulfilled),
        ),
        (
            "order.updated",
            "order_updated_completed",
            Some(FulfilmentState::Fulfilled),
        ),
        ("order.updated", "order_updated_refunded", None),
        ("order.deleted", "order_deleted", Some(FulfilmentState::OnHold)),
    ] {
        let body = fixtures::bytes(&format!("woocommerce/{name}.json"));
        world.call(&make_call(&world, topic, &body)).await.is(200);
        assert_eq!(take_reported(&world).await, [state], "{name}");
    }
    world.assert_nothing_is_left().await;
}

/// Unsigned, or else the store says that the webhook cannot be saved.
#[tokio::test]
async fn ping_is_answered_and_nothing_else_that_is_unsigned() {
    let world = world().await;
    world.assert_ignored(&Call::form(&world.path(), "webhook_id=15")).await;
    for form in ["webhook_id=15&a=b", "webhook_id=", "a=b"] {
        world.call(&Call::form(&world.path(), form)).await.is(415);
    }
    world.call(&Call::json(&world.path(), "webhook_id=15")).await.is(401);
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_webhook_is_refused_without_a_trace() {
    let world = world().await;
    let body = fixtures::text(ORDER);
    let good = make_call(&world, "order.created", &body);
    let other = sign("the-secret-of-another-store", body.as_bytes());
    let calls = [
        ("no signature", good.clone().without_header(SIGNATURE)),
        ("malformed", good.clone().header(SIGNATURE, "???")),
        (
            "signed with an empty secret",
            good.clone().header(SIGNATURE, &sign("", body.as_bytes())),
        ),
        (
            "signed by another store that names this one",
            good.clone().header(SIGNATURE, &other),
        ),
        (
            "signed by this store that names another",
            good.clone().header(SOURCE, "https://other.example.com/"),
        ),
        ("names no store", good.clone().without_header(SOURCE)),
        ("changed", good.clone().body_base64(body.replace("27.50", "7.50"))),
    ];
    let at = |path: &str| make_call_at(path, "order.created", fixtures::bytes(ORDER));
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn what_is_no_report_is_kept_or_ignored() {
    let world = world().await;
    let customer = fixtures::bytes("woocommerce/customer_created.json");
    world
        .assert_ignored(&make_call(&world, "customer.created", customer))
        .await;
    world
        .assert_ignored(&make_call(&world, "order.created", fixtures::bytes(ORDER)).without_header(TOPIC))
        .await;
    let refused = r#"{"code":"woocommerce_rest_cannot_view","message":"Sorry.","data":{"status":401}}"#;
    let ahead = fixtures::text(ORDER).replace("2026-11-18T09:30:05", "2096-11-18T09:30:05");
    let calls = [refused, &ahead].map(|body| (make_call(&world, "order.created", body), body.as_bytes()));
    world.assert_kept(&calls).await;
}

#[tokio::test]
async fn webhook_that_cannot_be_stored_is_asked_for_again() {
    let world = world().await;
    let calls = [fixtures::text(ORDER), "{}".to_owned()].map(|body| make_call(&world, "order.created", body));
    world.assert_asked_for_again(&calls).await;
    world.assert_spilled(&calls[0], QueueName::CommerceEvents).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let large = make_call(&world, "order.created", " ".repeat(LARGEST + 1));
    let (get, form) = (Call::get(&world.path()), Call::form(&world.path(), "a=b"));
    world.assert_size_method_and_type_are_checked(&large, &get, &form).await;
}
