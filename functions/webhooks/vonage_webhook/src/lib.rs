//! Vonage's voice events: verifies the signed token and puts what says how a call goes into `calls`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use axum::{
    Extension, Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing::post,
};
use domain::connection::{Account, Connection, VerifySecrets};
use kit::{
    ConfigError, Env, Problem, QueueName, Webhook,
    http::{CorrelationId, expect_content_type},
    webhook::{AtMost, LARGEST_CALL, answer, header},
};
use providers::vonage::{self, Expected};

/// The function's routes.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let webhook = Arc::new(Webhook::new(env, "vonage", QueueName::Calls)?);
    Ok(Router::new()
        .route("/webhooks/vonage/{tenant}/{connection}", post(receive))
        .with_state(webhook))
}

const JSON: &str = "application/json";

/// Nothing: to some events, Vonage takes a body for the flow that is to follow.
fn taken() -> Response {
    answer(JSON, "")
}

async fn receive(
    State(webhook): State<Arc<Webhook>>,
    Path((tenant, connection)): Path<(String, String)>,
    Extension(correlation): Extension<CorrelationId>,
    headers: HeaderMap,
    AtMost(body): AtMost<LARGEST_CALL>,
) -> Result<Response, Problem> {
    expect_content_type(&headers, JSON)?;
    let now = webhook.now();
    let authorization = header(&headers, "authorization");
    let known = AtomicBool::new(false);
    let proves = |connection: &Connection, secrets: &VerifySecrets| {
        known.store(true, Ordering::Relaxed);
        let (
            Account::Vonage {
                api_key,
                application_id,
                ..
            },
            VerifySecrets::Vonage { signature_secrets },
        ) = (&connection.account, secrets)
        else {
            return false;
        };
        let expected = Expected {
            secrets: signature_secrets,
            api_key,
            application_id: application_id.as_deref(),
        };
        vonage::verify(expected, authorization, &body, now).is_ok()
    };
    let proven = webhook.authenticate(&tenant, &connection, proves).await;
    let proven = proven.map_err(|error| {
        let refused = webhook.refuse(&error);
        // An error within Vonage sends an event without a signature; the next attempt, which a 5xx asks for, has one. To
        // anybody who does not know a connection of Vonage's, this is like any other webhook.
        if authorization.is_none() && known.load(Ordering::Relaxed) {
            Problem::unavailable()
        } else {
            refused
        }
    })?;
    match vonage::event(&body, proven.connection().id, now) {
        Ok(Some(event)) => {
            let line = event.facts.line().cloned();
            webhook.report_call(&proven, &correlation, line.as_ref(), event).await?;
        }
        Ok(None) => {}
        Err(error) => webhook.keep_unreadable(&body, &error).await?,
    }
    Ok(taken())
}
