//! Vonage's voice events: verifies the signed token and queues events about a call in `calls`.

use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::tenants::{Account, VerifySecrets};
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, Webhook};
use providers::vonage::{self, Expected};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/webhooks/vonage/{tenant_id}/{connection_id}", post(receive))
        .with_state(Webhook::calls(env, "vonage")?))
}

const JSON: &str = "application/json";

async fn receive(delivery: Delivery) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, JSON)?;
    let (body, now) = (&delivery.body, delivery.at);
    let authorization = delivery.header("authorization");
    let known = AtomicBool::new(false);
    let proving = delivery.prove(|connection, secrets| {
        known.store(true, Ordering::Relaxed);
        let (Account::Vonage(account), VerifySecrets::Vonage(own)) = (&connection.account, secrets) else {
            return false;
        };
        let expected = Expected {
            secrets: &own.signature_secrets,
            api_key: &account.api_key,
            application_id: account.application_id.as_deref(),
        };
        vonage::verify(expected, authorization, body, now).is_ok()
    });
    let proven = proving.await.map_err(|refused| {
        // An error within Vonage sends an event without a signature; the next attempt, which a 5xx asks for, has one. To
        // anybody who does not know a connection of Vonage's, this is like any other webhook.
        if authorization.is_none() && known.load(Ordering::Relaxed) {
            Problem::unavailable()
        } else {
            refused
        }
    })?;
    let read = vonage::event(body, proven.connection().id, now);
    delivery.take_call(&proven, read, body).await?;
    // An empty answer: for some events, Vonage reads a body as the next flow.
    Ok(answer(JSON, ""))
}
