//! Aircall: calls of its numbers, by its webhooks; its API, to ask whether the account works.

mod check;
mod event;

pub use check::AircallClient;
pub use event::event;
use serde_json::Value;

use crate::shown;

/// Whether the event holds one of the tokens that Aircall gave when its webhooks were made. Aircall signs nothing: who has
/// seen one event can write others.
/// Source: developer.aircall.io, "Webhooks overview".
#[must_use]
pub fn is_from(tokens: &[impl AsRef<str>], body: &[u8]) -> bool {
    let Ok(event) = serde_json::from_slice::<Value>(body) else {
        return false;
    };
    event["token"]
        .as_str()
        .is_some_and(|token| shown::is_one_of(tokens, token))
}

/// The event without its token, which proves every other one too: for where it is kept.
#[must_use]
pub fn without_token(body: &[u8]) -> Vec<u8> {
    let Ok(Value::Object(mut event)) = serde_json::from_slice(body) else {
        return Vec::new();
    };
    if let Some(token) = event.get_mut("token") {
        *token = "(not kept)".into();
    }
    Value::Object(event).to_string().into_bytes()
}
