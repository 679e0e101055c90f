//! The page: customers' phones, live.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{Method, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::stream::{self, Stream};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::world::Sims;

/// Everything comes from this server, except live events, and nothing inline runs: a customer's text can never become script.
const POLICY: &str =
    "default-src 'self'; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Maximum wait for an answer of Ringback's.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);

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
        .route("/tenants/{id}/conversations", get(conversations))
        .route("/tenants/{id}/conversations/{conversation}/messages", post(answer))
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

/// A request of the page to Ringback's API.
#[derive(Default)]
struct Asked<'a> {
    method: Method,
    path: &'a str,
    query: &'a [(&'a str, &'a str)],
    body: Option<&'a Value>,
    idempotency_key: Option<&'a str>,
}

/// Ringback's answer to a request of the page.
struct Answered {
    status: StatusCode,
    body: String,
}

/// Ringback's answer to a request of the page for a business. The key stays here.
async fn ask_ringback(world: &Sims, tenant: &str, asked: Asked<'_>) -> Result<Answered, Response> {
    let config = world.config();
    let Some(key) = config.tenant(tenant).and_then(|known| known.api_key.as_ref()) else {
        let error = json!({"error": "There is no such business, or it has no API key here."});
        return Err((StatusCode::NOT_FOUND, Json(error)).into_response());
    };
    let url = format!("{}/api/v1/{}", config.public_base_url, asked.path);
    let mut request = world
        .http
        .request(asked.method, url)
        .query(asked.query)
        .header("x-api-key", key);
    if let Some(body) = asked.body {
        request = request.json(body);
    }
    if let Some(key) = asked.idempotency_key {
        request = request.header("idempotency-key", key);
    }
    let asked = request.timeout(ANSWER_WITHIN).send();
    let answer = async {
        let answer = asked.await?;
        let status = answer.status();
        let body = answer.text().await?;
        reqwest::Result::Ok(Answered { status, body })
    };
    answer.await.map_err(|error| {
        let error = json!({"error": format!("Ringback's API does not answer: {}", error.without_url())});
        (StatusCode::BAD_GATEWAY, Json(error)).into_response()
    })
}

fn passed_on(answer: Result<Answered, Response>) -> Response {
    match answer {
        Ok(Answered { status, body }) => {
            let headers = [(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, "no-store")];
            (status, headers, body).into_response()
        }
        Err(refused) => refused,
    }
}

/// A ticket for the live events of a business.
async fn ticket(State(world): State<Sims>, Path(id): Path<String>) -> Response {
    let asked = Asked {
        method: Method::POST,
        path: "live/ticket",
        ..Asked::default()
    };
    passed_on(ask_ringback(&world, &id, asked).await)
}

/// Query with a customer's number.
#[derive(Deserialize)]
struct OfNumber {
    number: String,
}

/// The conversations that a business's team has with a number: none, if it does not know the number.
async fn conversations(
    State(world): State<Sims>,
    Path(id): Path<String>,
    Query(OfNumber { number }): Query<OfNumber>,
) -> Response {
    let by_number = [("phone", number.as_str())];
    let asked = Asked {
        path: "contacts",
        query: &by_number,
        ..Asked::default()
    };
    let found = ask_ringback(&world, &id, asked).await;
    let contact = match &found {
        Ok(answer) if answer.status == StatusCode::OK => serde_json::from_str::<Value>(&answer.body).ok(),
        _ => return passed_on(found),
    };
    let contact = contact.and_then(|page| page["items"][0]["id"].as_str().map(str::to_owned));
    let Some(contact) = contact else {
        return Json(json!({"items": []})).into_response();
    };
    let of_contact = [("contact", contact.as_str())];
    let asked = Asked {
        path: "conversations",
        query: &of_contact,
        ..Asked::default()
    };
    passed_on(ask_ringback(&world, &id, asked).await)
}

/// An attempt to reply, which may be repeated.
#[derive(Deserialize)]
struct Attempt {
    key: String,
}

/// The team answers in a conversation.
async fn answer(
    State(world): State<Sims>,
    Path((id, conversation)): Path<(String, String)>,
    Query(Attempt { key }): Query<Attempt>,
    Json(body): Json<Value>,
) -> Response {
    if !conversation
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    {
        let error = json!({"error": "There is no such conversation."});
        return (StatusCode::NOT_FOUND, Json(error)).into_response();
    }
    let path = format!("conversations/{conversation}/messages");
    let asked = Asked {
        method: Method::POST,
        path: &path,
        body: Some(&body),
        idempotency_key: Some(&key),
        ..Asked::default()
    };
    passed_on(ask_ringback(&world, &id, asked).await)
}

/// The numbers whose phones changed, and `mails`; `*` if the reader must load everything again.
async fn events(State(world): State<Sims>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = stream::unfold(
        (world.changes.subscribe(), world.watch_stop()),
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
