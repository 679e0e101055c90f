//! The page: customers' phones, live.

use std::convert::Infallible;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use futures::stream::{self, Stream};
use tokio::sync::broadcast::error::RecvError;

use crate::world::Sims;

/// Everything comes from this server, and nothing inline runs: a customer's text can never become script.
const POLICY: &str = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

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
