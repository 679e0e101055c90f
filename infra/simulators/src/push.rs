//! Push services of browsers: take notifications for any device, and show which. Only the form of the VAPID header is checked; what is inside is
//! encrypted for the device.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::header::{AUTHORIZATION, CONTENT_ENCODING};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;

use crate::world::Sims;

/// Notifications that are shown.
const SHOWN: usize = 200;

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/push/{*device}", post(take))
        .route("/pushes", get(list))
}

/// A notification that a push service took.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct PushSent {
    /// The endpoint without its scheme.
    pub(crate) device: String,
    pub(crate) topic: String,
    pub(crate) authorization: String,
    /// The content that only the device can open, in base64url.
    pub(crate) body: String,
}

async fn take(State(world): State<Sims>, Path(device): Path<String>, headers: HeaderMap, body: Bytes) -> Response {
    let text = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default()
    };
    let said = text(AUTHORIZATION.as_str());
    let sender = said.strip_prefix("vapid t=").and_then(|rest| rest.split_once(", k="));
    if !sender.is_some_and(|(token, key)| token.split('.').count() == 3 && key.len() == 87) {
        return (StatusCode::UNAUTHORIZED, "the VAPID header is missing or malformed").into_response();
    }
    // A header of 86 bytes with the sender's key, and a tag of 16 (RFC 8188, 2.1).
    let encrypted = text(CONTENT_ENCODING.as_str()) == "aes128gcm" && (103..=4_096).contains(&body.len());
    if !encrypted || text("ttl").parse::<u32>().is_err() {
        let why = "expected an encrypted notification and its TTL";
        return (StatusCode::BAD_REQUEST, why).into_response();
    }
    let mut state = world.state();
    if state.pushes.len() >= SHOWN {
        state.pushes.remove(0);
    }
    let topic = text("topic").to_owned();
    state.pushes.push(PushSent {
        device,
        topic,
        authorization: said.to_owned(),
        body: URL_SAFE_NO_PAD.encode(&body),
    });
    StatusCode::CREATED.into_response()
}

async fn list(State(world): State<Sims>) -> Json<Vec<PushSent>> {
    Json(world.state().pushes.clone())
}
