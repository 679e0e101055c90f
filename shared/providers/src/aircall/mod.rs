//! Aircall: calls of its numbers, by its webhooks.

mod event;

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
