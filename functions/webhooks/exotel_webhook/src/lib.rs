//! Exotel's Passthru and StatusCallback: verifies the secret in the URL and the sender's address, because Exotel signs nothing,
//! and queues the report in `calls`.

use axum::Router;
use axum::extract::Path;
use axum::response::Response;
use axum::routing::{get, post};
use domain::telephony::CallEvent;
use domain::tenants::{Account, CallingCode, Connection, VerifySecrets};
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, Webhook};
use providers::{Unreadable, exotel, form};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route(
            "/webhooks/exotel/{tenant_id}/{connection_id}/passthru/{secret}",
            get(passthru),
        )
        .route(
            "/webhooks/exotel/{tenant_id}/{connection_id}/status/{secret}",
            post(status),
        )
        .with_state(Webhook::calls(env, "exotel")?))
}

/// Tenant, connection and the secret at the end of the URL.
type Addressed = Path<(String, String, String)>;

async fn passthru(path: Addressed, delivery: Delivery) -> Result<Response, Problem> {
    let (query, now) = (delivery.target.query().as_bytes(), delivery.at);
    let read = |connection: &Connection| exotel::passthru(&form::parse(query), country(connection), connection.id, now);
    receive(path, &delivery, query, read).await
}

async fn status(path: Addressed, delivery: Delivery) -> Result<Response, Problem> {
    let (body, now) = (&delivery.body, delivery.at);
    // The caller of the API chooses the encoding. A body in neither is stored rather than refused.
    let json = expect_content_type(&delivery.headers, "application/json").is_ok();
    let read = |connection: &Connection| {
        let read = if json { exotel::status_json } else { exotel::status_form };
        read(body, country(connection), connection.id, now)
    };
    receive(path, &delivery, body, read).await
}

async fn receive(
    Path((_, _, secret)): Addressed,
    delivery: &Delivery,
    bytes: &[u8],
    read: impl Fn(&Connection) -> Result<CallEvent, Unreadable>,
) -> Result<Response, Problem> {
    let proving = delivery.prove(|connection, secrets| match (&connection.account, secrets) {
        (Account::Exotel(account), VerifySecrets::Exotel(own)) => {
            exotel::is_from(&own.url_secrets, &secret, &account.sources, delivery.source.0)
        }
        _ => false,
    });
    let proven = proving.await?;
    delivery.take_call(&proven, read(proven.connection()), bytes).await?;
    // A Passthru's flow continues by the status alone.
    Ok(answer("text/plain", ""))
}

const fn country(connection: &Connection) -> CallingCode {
    match &connection.account {
        Account::Exotel(account) => account.country_code,
        _ => CallingCode::INDIA,
    }
}
