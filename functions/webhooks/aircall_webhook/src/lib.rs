//! Aircall's webhooks: verifies the sender's token and queues every ended call in `calls`.

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::tenants::VerifySecrets;
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, Webhook};
use providers::aircall;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/webhooks/aircall/{tenant_id}/{connection_id}", post(receive))
        .with_state(Webhook::calls(env, "aircall")?))
}

const JSON: &str = "application/json";
/// Answer to every authenticated event: Aircall turns off a webhook that refuses too much.
const TAKEN: &str = "{}";

async fn receive(delivery: Delivery) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, JSON)?;
    let body = &delivery.body;
    let proving = delivery.prove(|_, secrets| match secrets {
        VerifySecrets::Aircall(own) => aircall::is_from(&own.tokens, body),
        _ => false,
    });
    let proven = proving.await?;
    let read = aircall::event(body, proven.connection().id, delivery.at);
    // The token is not stored: anybody who has it could send as Aircall.
    let kept = match &read {
        Ok(_) => Vec::new(),
        Err(_) => aircall::without_token(body),
    };
    delivery.take_call(&proven, read, &kept).await?;
    Ok(answer(JSON, TAKEN))
}
