//! Shopify's webhooks about orders and their shipments: verifies the signature and the shop, reads the report and queues it in
//! `commerce-events`.
//!
//! Nothing is recognized as a repetition here: reports of orders commute, and one that comes twice changes nothing.

use std::sync::Arc;

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::tenants::{Account, VerifySecrets};
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, QueueName, Webhook};
use providers::shops::{check, shopify, signature};

kit::function!(serve_http, routes);

/// Maximum size of a body. An order with hundreds of items has a few hundred kilobytes.
pub const LARGEST: usize = 1024 * 1024;

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/webhooks/shopify/{tenant_id}/{connection_id}", post(receive))
        .with_state(Arc::new(Webhook::new(env, "shopify", QueueName::CommerceEvents)?)))
}

async fn receive(delivery: Delivery<LARGEST>) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, "application/json")?;
    let body = &delivery.body;
    let signed = delivery.header("x-shopify-hmac-sha256");
    // The shop is not signed, so the key proves it: that of a connection is its shop's own.
    let named = delivery.header("x-shopify-shop-domain");
    let proving = delivery.prove(|connection, secrets| match (&connection.account, secrets) {
        (Account::Shopify(account), VerifySecrets::Shopify(own)) => {
            account.is_shop(named) && signature::verify(&own.signing_keys, signed, body).is_ok()
        }
        _ => false,
    });
    let proven = proving.await?;
    let topic = delivery.header("x-shopify-topic").unwrap_or_default();
    let read = shopify::report(topic, body).and_then(|report| check(report, "Shopify", delivery.at));
    delivery.take_report(&proven, read).await?;
    Ok(answer("text/plain", ""))
}
