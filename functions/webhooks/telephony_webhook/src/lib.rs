//! The generic signed event for reporting a call from any telephone system. Verifies the sender and queues the event in
//! `calls`.

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::tenants::VerifySecrets;
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, Webhook};
use providers::telephony::{self, Headers};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/webhooks/telephony/{tenant_id}/{connection_id}", post(receive))
        .with_state(Webhook::calls(env, "telephony")?))
}

const JSON: &str = "application/json";
const ACCEPTED: &str = r#"{"accepted":true}"#;
const FOREIGN: &str = r#"{"accepted":false,"reason":"the line is not one of this connection's"}"#;

async fn receive(delivery: Delivery) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, JSON)?;
    let (body, now) = (&delivery.body, delivery.at);
    let signed = Headers {
        id: delivery.header("webhook-id"),
        timestamp: delivery.header("webhook-timestamp"),
        signature: delivery.header("webhook-signature"),
    };
    let proving = delivery.prove(|_, secrets| match secrets {
        VerifySecrets::Telephony(own) => telephony::verify(&own.secrets, signed, body, now).is_ok(),
        _ => false,
    });
    let proven = proving.await?;
    let event = telephony::event(body, proven.connection().id, now)
        .map_err(|invalid| Problem::unprocessable(invalid.to_string()))?;
    let ours = delivery.report_call(&proven, event).await?;
    Ok(answer(JSON, if ours { ACCEPTED } else { FOREIGN }))
}
