//! Plivo's hangup callback: verifies the signature and puts what it says of a call into `calls`.

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
    http::{CorrelationId, Target, expect_content_type},
    webhook::{AtMost, LARGEST_CALL, answer, header},
};
use providers::{
    form,
    plivo::{
        self,
        signature::{self, Headers},
    },
};

/// The function's routes.
///
/// # Errors
/// When a variable is missing or wrong.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let webhook = Arc::new(Webhook::new(env, "plivo", QueueName::Calls)?);
    Ok(Router::new()
        .route("/webhooks/plivo/{tenant}/{connection}/hangup", post(receive))
        .with_state(webhook))
}

const FORM: &str = "application/x-www-form-urlencoded";
const XML: &str = "text/xml";
const EMPTY: &str = concat!(r#"<?xml version="1.0" encoding="UTF-8"?>"#, "\n<Response></Response>\n");

async fn receive(
    State(webhook): State<Arc<Webhook>>,
    Path((tenant, connection)): Path<(String, String)>,
    Extension(correlation): Extension<CorrelationId>,
    Extension(target): Extension<Target>,
    headers: HeaderMap,
    AtMost(body): AtMost<LARGEST_CALL>,
) -> Result<Response, Problem> {
    expect_content_type(&headers, FORM)?;
    let url = target.url(webhook.base_url());
    let signed = Headers {
        signature: header(&headers, "x-plivo-signature-v3"),
        main_account: header(&headers, "x-plivo-signature-ma-v3"),
        nonce: header(&headers, "x-plivo-signature-v3-nonce"),
    };
    let proves = |_: &Connection, secrets: &VerifySecrets| match secrets {
        VerifySecrets::Plivo { auth_tokens } => signature::verify(auth_tokens, signed, &url, &body).is_ok(),
        _ => false,
    };
    let proven = webhook.authenticate(&tenant, &connection, proves).await;
    let proven = proven.map_err(|error| webhook.refuse(&error))?;
    match plivo::event(&form::parse(&body), proven.connection().id, webhook.now()) {
        Ok(event) => {
            let line = event.facts.line().cloned();
            webhook.report_call(&proven, &correlation, line.as_ref(), event).await?;
        }
        Err(error) => webhook.keep_unreadable(&body, &error).await?,
    }
    Ok(answer(XML, EMPTY))
}
