//! Plivo's hangup callback: verifies the signature and queues the report in `calls`.

use axum::Router;
use axum::response::Response;
use axum::routing::post;
use domain::tenants::VerifySecrets;
use kit::http::expect_content_type;
use kit::webhook::{Delivery, answer};
use kit::{ConfigError, Env, Problem, Webhook};
use providers::form;
use providers::plivo;
use providers::plivo::signature::{self, Headers};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/webhooks/plivo/{tenant_id}/{connection_id}/hangup", post(receive))
        .with_state(Webhook::calls(env, "plivo")?))
}

const FORM: &str = "application/x-www-form-urlencoded";
const XML: &str = "text/xml";
const EMPTY: &str = concat!(r#"<?xml version="1.0" encoding="UTF-8"?>"#, "\n<Response></Response>\n");

async fn receive(delivery: Delivery) -> Result<Response, Problem> {
    expect_content_type(&delivery.headers, FORM)?;
    let (url, body) = (delivery.url(), &delivery.body);
    let signed = Headers {
        signature: delivery.header("x-plivo-signature-v3"),
        main_account: delivery.header("x-plivo-signature-ma-v3"),
        nonce: delivery.header("x-plivo-signature-v3-nonce"),
    };
    let proving = delivery.prove(|_, secrets| match secrets {
        VerifySecrets::Plivo(own) => signature::verify(&own.auth_tokens, signed, &url, body).is_ok(),
        _ => false,
    });
    let proven = proving.await?;
    let read = plivo::event(&form::parse(body), proven.connection().id, delivery.at);
    delivery.take_call(&proven, read, body).await?;
    Ok(answer(XML, EMPTY))
}
