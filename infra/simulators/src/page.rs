//! The page: customers' phones, live.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::stream::{self, Stream};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;

use crate::world::Sims;

/// Everything comes from this server, except live events, and nothing inline runs: a customer's text can never become script.
const POLICY: &str =
    "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Maximum wait for a ticket.
const TICKET_WITHIN: Duration = Duration::from_secs(15);

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/", get(page))
        .route(
            "/page.css",
            get(|| async { asset("text/css; charset=utf-8", include_str!("page/page.css")) }),
        )
        .route(
            "/page.js",
            get(|| async { asset("text/javascript; charset=utf-8", include_str!("page/page.js")) }),
        )
        .route(
            "/favicon.svg",
            get(|| async { asset("image/svg+xml", include_str!("page/favicon.svg")) }),
        )
        .route("/events", get(events))
        .route("/tenants/{id}/ticket", post(ticket))
}

async fn page() -> impl IntoResponse {
    (
        [(CONTENT_SECURITY_POLICY, POLICY), (CACHE_CONTROL, "no-cache")],
        Html(include_str!("page/index.html")),
    )
}

fn asset(kind: &'static str, text: &'static str) -> impl IntoResponse {
    ([(CONTENT_TYPE, kind), (CACHE_CONTROL, "no-cache")], text)
}

/// A ticket for the live events of a business, with Ringback's answer. The key stays here.
async fn ticket(State(world): State<Sims>, Path(id): Path<String>) -> Response {
    let config = world.config();
    let tenant = config.tenants.iter().find(|tenant| tenant.id == id);
    let Some(key) = tenant.and_then(|tenant| tenant.api_key.as_ref()) else {
        let error = json!({"error": "There is no such business, or it has no API key here."});
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    };
    let url = format!("{}/api/v1/live/ticket", config.public_base_url);
    let asked = world
        .http
        .post(url)
        .header("x-api-key", key)
        .timeout(TICKET_WITHIN)
        .send();
    let answer = async {
        let answer = asked.await?;
        let status = answer.status().as_u16();
        reqwest::Result::Ok((status, answer.text().await?))
    };
    match answer.await {
        Ok((status, body)) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            (
                status,
                [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")],
                body,
            )
                .into_response()
        }
        Err(error) => {
            let error = json!({"error": format!("Ringback's API does not answer: {}", error.without_url())});
            (StatusCode::BAD_GATEWAY, Json(error)).into_response()
        }
    }
}

/// The numbers whose phones changed, and `mails`; `*` if the reader must load everything again.
async fn events(State(world): State<Sims>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(
        (world.changes.subscribe(), world.stopped()),
        |(mut changes, mut stop)| async move {
            let number = tokio::select! {
                change = changes.recv() => match change {
                    Ok(number) => number,
                    Err(RecvError::Lagged(_)) => "*".to_owned(),
                    Err(RecvError::Closed) => return None,
                },
                // An open stream would keep a stopping server waiting.
                _ = stop.wait_for(|stop| *stop) => return None,
            };
            Some((Ok(Event::default().event("changed").data(number)), (changes, stop)))
        },
    );
    Sse::new(changes).keep_alive(KeepAlive::default())
}
