//! Receivers of outgoing webhooks: software of a business, which can be slow, failing or gone.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::world::Sims;

pub(crate) fn routes() -> Router<Sims> {
    Router::new().route(
        "/receivers/{name}",
        post(receive).get(list_received).put(change_behaviour),
    )
}

/// Maximum requests that a receiver remembers.
const MAX_REMEMBERED: usize = 10_000;

/// A receiver, by its name in the path.
#[derive(Debug, Default)]
pub(crate) struct Receiver {
    behaviour: Behaviour,
    received: Vec<Received>,
}

/// How a receiver answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Behaviour {
    status: u16,
    content_type: String,
    body: String,
    /// Time before the answer, in milliseconds.
    wait_ms: u64,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            status: 204,
            content_type: String::new(),
            body: String::new(),
            wait_ms: 0,
        }
    }
}

/// A request that came, whatever it was answered.
#[derive(Clone, Debug, Serialize)]
struct Received {
    at: Timestamp,
    /// Headers by their names in lower case.
    headers: BTreeMap<String, String>,
    body: String,
}

async fn receive(State(world): State<Sims>, Path(name): Path<String>, headers: HeaderMap, body: String) -> Response {
    let text = |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let received = Received {
        at: world.clock.now(),
        headers: headers
            .iter()
            .map(|(name, value)| (name.to_string(), text(value)))
            .collect(),
        body,
    };
    let behaviour = {
        let mut state = world.state();
        let receiver = state.receivers.entry(name).or_default();
        if receiver.received.len() == MAX_REMEMBERED {
            receiver.received.remove(0);
        }
        receiver.received.push(received);
        receiver.behaviour.clone()
    };
    tokio::time::sleep(Duration::from_millis(behaviour.wait_ms)).await;
    let status = StatusCode::from_u16(behaviour.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = (status, behaviour.body).into_response();
    if let Ok(value) = behaviour.content_type.parse() {
        answer.headers_mut().insert(CONTENT_TYPE, value);
    }
    answer
}

async fn list_received(State(world): State<Sims>, Path(name): Path<String>) -> Json<Vec<Received>> {
    let state = world.state();
    let receiver = state.receivers.get(&name);
    Json(receiver.map(|receiver| receiver.received.clone()).unwrap_or_default())
}

async fn change_behaviour(
    State(world): State<Sims>,
    Path(name): Path<String>,
    Json(behaviour): Json<Behaviour>,
) -> Json<Value> {
    world.state().receivers.entry(name).or_default().behaviour = behaviour;
    Json(json!({}))
}
