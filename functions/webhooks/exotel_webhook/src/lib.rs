//! Exotel's Passthru and StatusCallback: verifies the secret in the URL and the sender's address, as Exotel signs nothing, and
//! puts what they say of a call into `calls`.

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
    routing::{get, post},
};
use domain::{
    call::CallEvent,
    connection::{Account, CallingCode, Connection, VerifySecrets},
};
use kit::{
    ConfigError, Env, Problem, QueueName, Webhook,
    http::{CorrelationId, Source, Target, expect_content_type},
    webhook::{AtMost, LARGEST_CALL, answer},
};
use providers::{Unreadable, exotel, form};

/// The function's routes.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let webhook = Arc::new(Webhook::new(env, "exotel", QueueName::Calls)?);
    Ok(Router::new()
        .route(
            "/webhooks/exotel/{tenant}/{connection}/passthru/{secret}",
            get(passthru),
        )
        .route("/webhooks/exotel/{tenant}/{connection}/status/{secret}", post(status))
        .with_state(webhook))
}

/// Tenant, connection, and the secret that ends the URL.
type Addressed = Path<(String, String, String)>;

async fn passthru(
    State(webhook): State<Arc<Webhook>>,
    path: Addressed,
    Extension(correlation): Extension<CorrelationId>,
    Extension(source): Extension<Source>,
    Extension(target): Extension<Target>,
) -> Result<Response, Problem> {
    let now = webhook.now();
    let query = target.query().as_bytes();
    let read = |connection: &Connection| exotel::passthru(&form::parse(query), country(connection), connection.id, now);
    receive(&webhook, path, &correlation, source, query, read).await
}

async fn status(
    State(webhook): State<Arc<Webhook>>,
    path: Addressed,
    Extension(correlation): Extension<CorrelationId>,
    Extension(source): Extension<Source>,
    headers: HeaderMap,
    AtMost(body): AtMost<LARGEST_CALL>,
) -> Result<Response, Problem> {
    let now = webhook.now();
    // Who makes the call says which; a body that is neither is kept rather than refused.
    let json = expect_content_type(&headers, "application/json").is_ok();
    let read = |connection: &Connection| {
        let read = if json { exotel::status_json } else { exotel::status_form };
        read(&body, country(connection), connection.id, now)
    };
    receive(&webhook, path, &correlation, source, &body, read).await
}

async fn receive(
    webhook: &Webhook,
    Path((tenant, connection, secret)): Addressed,
    correlation: &CorrelationId,
    Source(source): Source,
    bytes: &[u8],
    read: impl Fn(&Connection) -> Result<CallEvent, Unreadable>,
) -> Result<Response, Problem> {
    let proves = |connection: &Connection, secrets: &VerifySecrets| match (&connection.account, secrets) {
        (Account::Exotel { sources, .. }, VerifySecrets::Exotel { url_secrets }) => {
            exotel::is_from(url_secrets, &secret, sources, source)
        }
        _ => false,
    };
    let proven = webhook.authenticate(&tenant, &connection, proves).await;
    let proven = proven.map_err(|error| webhook.refuse(&error))?;
    match read(proven.connection()) {
        Ok(event) => {
            let line = event.facts.line().cloned();
            webhook.report_call(&proven, correlation, line.as_ref(), event).await?;
        }
        Err(error) => webhook.keep_unreadable(bytes, &error).await?,
    }
    // A Passthru's flow goes on by the status alone.
    Ok(answer("text/plain", ""))
}

const fn country(connection: &Connection) -> CallingCode {
    match connection.account {
        Account::Exotel { country_code, .. } => country_code,
        _ => CallingCode::INDIA,
    }
}
