//! The generic signed event: any telephone system can report a call. Verifies the sender and puts the event into `calls`.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing::post,
};
use domain::connection::{Connection, VerifySecrets};
use kit::{
    ConfigError, Env, Problem, QueueName, Webhook,
    http::{CorrelationId, expect_content_type},
    webhook::{AtMost, LARGEST_CALL, answer, header},
};
use providers::telephony::{self, Headers};

/// The function's routes.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let webhook = Arc::new(Webhook::new(env, "telephony", QueueName::Calls)?);
    Ok(Router::new()
        .route("/webhooks/telephony/{tenant}/{connection}", post(receive))
        .with_state(webhook))
}

const JSON: &str = "application/json";
const ACCEPTED: &str = r#"{"accepted":true}"#;
const FOREIGN: &str = r#"{"accepted":false,"reason":"the line is not one of this connection's"}"#;

async fn receive(
    State(webhook): State<Arc<Webhook>>,
    Path((tenant, connection)): Path<(String, String)>,
    Extension(correlation): Extension<CorrelationId>,
    headers: HeaderMap,
    AtMost(body): AtMost<LARGEST_CALL>,
) -> Result<Response, Problem> {
    expect_content_type(&headers, JSON)?;
    let now = webhook.now();
    let signed = Headers {
        id: header(&headers, "webhook-id"),
        timestamp: header(&headers, "webhook-timestamp"),
        signature: header(&headers, "webhook-signature"),
    };
    let proves = |_: &Connection, secrets: &VerifySecrets| match secrets {
        VerifySecrets::Telephony { secrets } => telephony::verify(secrets, signed, &body, now).is_ok(),
        _ => false,
    };
    let proven = webhook.authenticate(&tenant, &connection, proves).await;
    let proven = proven.map_err(|error| webhook.refuse(&error))?;
    let event = telephony::event(&body, proven.connection().id, now)
        .map_err(|invalid| Problem::unprocessable(invalid.to_string()))?;
    let line = event.facts.line().cloned();
    let ours = webhook.report_call(&proven, &correlation, line.as_ref(), event).await?;
    Ok(answer(JSON, if ours { ACCEPTED } else { FOREIGN }))
}
