//! WooCommerce's webhooks about orders: verifies the signature and the store, reads the report and queues it in `commerce-events`.
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
use providers::shops::{check, signature, woocommerce};

kit::function!(serve_http, routes);

/// Maximum size of a body. An order with hundreds of items has a few hundred kilobytes.
pub const LARGEST: usize = 1024 * 1024;

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/webhooks/woocommerce/{tenant_id}/{connection_id}", post(receive))
        .with_state(Arc::new(Webhook::new(env, "woocommerce", QueueName::CommerceEvents)?)))
}

async fn receive(delivery: Delivery<LARGEST>) -> Result<Response, Problem> {
    let body = &delivery.body;
    if expect_content_type(&delivery.headers, "application/x-www-form-urlencoded").is_ok() && woocommerce::is_ping(body)
    {
        return Ok(answer("text/plain", ""));
    }
    expect_content_type(&delivery.headers, "application/json")?;
    let signed = delivery.header("x-wc-webhook-signature");
    // The store is not signed, so the secret proves it: that of a connection is its store's own.
    let named = delivery.header("x-wc-webhook-source");
    let proving = delivery.prove(|connection, secrets| match (&connection.account, secrets) {
        (Account::WooCommerce(account), VerifySecrets::WooCommerce(own)) => {
            account.is_store(named) && signature::verify(&own.secrets, signed, body).is_ok()
        }
        _ => false,
    });
    let proven = proving.await?;
    let topic = delivery.header("x-wc-webhook-topic").unwrap_or_default();
    let read = woocommerce::report(topic, body, delivery.at);
    let read = read.and_then(|report| check(report, "WooCommerce", delivery.at));
    delivery.take_report(&proven, read).await?;
    Ok(answer("text/plain", ""))
}
