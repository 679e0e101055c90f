//! Aircall's webhooks: verifies the sender's token and puts every call that has ended into `calls`.

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
    webhook::{AtMost, LARGEST_CALL, answer},
};
use providers::aircall;

/// The function's routes.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let webhook = Arc::new(Webhook::new(env, "aircall", QueueName::Calls)?);
    Ok(Router::new()
        .route("/webhooks/aircall/{tenant}/{connection}", post(receive))
        .with_state(webhook))
}

const JSON: &str = "application/json";
/// To whatever is proven: Aircall switches off a webhook that refuses too much.
const TAKEN: &str = "{}";

async fn receive(
    State(webhook): State<Arc<Webhook>>,
    Path((tenant, connection)): Path<(String, String)>,
    Extension(correlation): Extension<CorrelationId>,
    headers: HeaderMap,
    AtMost(body): AtMost<LARGEST_CALL>,
) -> Result<Response, Problem> {
    expect_content_type(&headers, JSON)?;
    let proves = |_: &Connection, secrets: &VerifySecrets| match secrets {
        VerifySecrets::Aircall { tokens } => aircall::is_from(tokens, &body),
        _ => false,
    };
    let proven = webhook.authenticate(&tenant, &connection, proves).await;
    let proven = proven.map_err(|error| webhook.refuse(&error))?;
    match aircall::event(&body, proven.connection().id, webhook.now()) {
        Ok(Some(event)) => {
            let line = event.facts.line().cloned();
            webhook.report_call(&proven, &correlation, line.as_ref(), event).await?;
        }
        // Not about the end of a call.
        Ok(None) => {}
        Err(error) => {
            let kept = aircall::without_token(&body);
            webhook.keep_unreadable(&kept, &error).await?;
        }
    }
    Ok(answer(JSON, TAKEN))
}
