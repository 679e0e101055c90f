//! Shopify's webhooks, in process against the emulator's table and queues.

use domain::tenants::{Account, VerifySecrets, shopify};
use kit::QueueName;
use providers::shops::signature::sign;
use shopify_webhook::{LARGEST, routes};
use testkit::webhook::{Webhook, World};
use testkit::{Call, fixtures};

const SHOP: &str = "harbour-lane-demo.myshopify.com";
const KEY: &str = "fake-shopify-signing-key-0001";
const SIGNATURE: &str = "x-shopify-hmac-sha256";
const DOMAIN: &str = "x-shopify-shop-domain";
const TOPIC: &str = "x-shopify-topic";
const ORDER: &str = "shopify/orders_create.json";

fn account(shop: &str) -> Account {
    Account::Shopify(shopify::Account { shop: shop.to_owned() })
}

fn keys(keys: &[&str]) -> VerifySecrets {
    VerifySecrets::Shopify(shopify::Verify {
        signing_keys: keys.iter().copied().map(str::to_owned).collect(),
    })
}

async fn world() -> World {
    // During a rotation, both keys are valid.
    Webhook::new("shopify", routes)
        .with(account(SHOP), keys(&["the-next-one", KEY]))
        .await
}

/// A webhook as Shopify sends it.
fn signed_at(path: &str, topic: &str, body: impl AsRef<[u8]>) -> Call {
    let (body, signature) = (body.as_ref(), sign(KEY, body.as_ref()));
    let call = Call::json(path, body);
    call.header(SIGNATURE, &signature)
        .header(DOMAIN, SHOP)
        .header(TOPIC, topic)
}

fn signed_request(world: &World, topic: &str, body: impl AsRef<[u8]>) -> Call {
    signed_at(&world.path(), topic, body)
}

/// The shop's ids of the orders of the queued reports.
async fn take_orders(world: &World) -> Vec<String> {
    let reports = world.take_reports().await.into_iter();
    reports.map(|report| report.order.as_str().to_owned()).collect()
}

#[tokio::test]
async fn every_report_of_an_order_is_queued() {
    let world = world().await;
    for (topic, name, order) in [
        ("orders/create", "orders_create", "5611000000001"),
        ("orders/paid", "orders_paid", "5611000000001"),
        ("orders/cancelled", "orders_cancelled", "5611000000002"),
        ("fulfillments/update", "fulfillments_update", "5611000000001"),
    ] {
        let body = fixtures::bytes(&format!("shopify/{name}.json"));
        world.call(&signed_request(&world, topic, &body)).await.is(200);
        assert_eq!(take_orders(&world).await, [order], "{name}");
        // As API Gateway delivers other bytes than text.
        world
            .call(&signed_request(&world, topic, &body).body_base64(&body))
            .await
            .is(200);
        assert_eq!(take_orders(&world).await, [order], "{name}");
    }
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn unauthenticated_webhook_is_refused_without_a_trace() {
    let world = world().await;
    let body = fixtures::text(ORDER);
    let good = signed_request(&world, "orders/create", &body);
    let other_key = sign("the-key-of-another-shop", body.as_bytes());
    let calls = [
        ("no signature", good.clone().without_header(SIGNATURE)),
        ("malformed", good.clone().header(SIGNATURE, "???")),
        ("in hex", good.clone().header(SIGNATURE, &"5c".repeat(32))),
        (
            "signed with an empty key",
            good.clone().header(SIGNATURE, &sign("", body.as_bytes())),
        ),
        (
            "signed by another shop that names this one",
            good.clone().header(SIGNATURE, &other_key),
        ),
        (
            "signed by this shop that names another",
            good.clone().header(DOMAIN, "other.myshopify.com"),
        ),
        ("names no shop", good.clone().without_header(DOMAIN)),
        ("changed", good.clone().body_base64(body.replace("53.90", "3.90"))),
    ];
    let at = |path: &str| signed_at(path, "orders/create", fixtures::bytes(ORDER));
    world.assert_refused(&calls, at).await;
}

#[tokio::test]
async fn connection_without_a_key_accepts_nothing() {
    let world = Webhook::new("shopify", routes).with(account(SHOP), keys(&[""])).await;
    let body = fixtures::bytes(ORDER);
    let call = signed_request(&world, "orders/create", &body).header(SIGNATURE, &sign("", &body));
    world.call(&call).await.is(401);
    world.assert_nothing_is_left().await;
}

#[tokio::test]
async fn what_is_no_report_is_kept_or_ignored() {
    let world = world().await;
    for name in ["checkouts_create", "customers_redact", "app_uninstalled"] {
        let topic = name.replacen('_', "/", 1);
        let body = fixtures::bytes(&format!("shopify/{name}.json"));
        world.assert_ignored(&signed_request(&world, &topic, body)).await;
    }
    world
        .assert_ignored(&signed_request(&world, "orders/create", fixtures::bytes(ORDER)).without_header(TOPIC))
        .await;
    let refused = r#"{"errors": "[API] This action requires merchant approval for read_orders scope."}"#;
    let ahead = fixtures::text(ORDER).replace("2026-11-18T10:02:12", "2096-11-18T10:02:12");
    let places = fixtures::text(ORDER).replace(
        "\"current_total_price\":\"53.90\"",
        "\"current_total_price\":\"53.901\"",
    );
    let gone = fixtures::text(ORDER).replace("\"currency\":\"EUR\"", "\"currency\":\"XXX\"");
    let kept = [refused, &ahead, &places, &gone];
    let calls = kept.map(|body| (signed_request(&world, "orders/create", body), body.as_bytes()));
    world.assert_kept(&calls).await;
}

#[tokio::test]
async fn webhook_that_cannot_be_stored_is_retried() {
    let world = world().await;
    let calls = [fixtures::text(ORDER), "{}".to_owned()].map(|body| signed_request(&world, "orders/create", body));
    world.assert_asked_for_again(&calls).await;
    world.assert_spilled(&calls[0], QueueName::CommerceEvents).await;
}

#[tokio::test]
async fn size_method_and_type_are_checked() {
    let world = world().await;
    let large = signed_request(&world, "orders/create", " ".repeat(LARGEST + 1));
    let (get, form) = (Call::get(&world.path()), Call::form(&world.path(), "a=b"));
    world.assert_size_method_and_type_are_checked(&large, &get, &form).await;
}
