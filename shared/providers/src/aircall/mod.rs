//! Aircall: calls of its numbers by webhooks, and its API for testing the connection.

mod check;
mod event;

pub use check::AircallClient;
pub use event::event;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::shown;

/// The part of an event that is parsed before authentication: the position of its token. A second `token` makes it unreadable, so
/// that the authenticated content is the content that is parsed later.
#[derive(Deserialize)]
struct Proof<'a> {
    #[serde(borrow)]
    token: &'a RawValue,
}

/// The raw token, if the body is an object with one.
fn token(body: &[u8]) -> Option<&RawValue> {
    // A list would be parsed field by field.
    let object = body.trim_ascii_start().starts_with(b"{");
    let proof = object.then(|| serde_json::from_slice::<Proof<'_>>(body));
    Some(proof?.ok()?.token)
}

/// True if the event contains one of the tokens that Aircall issued for its webhooks. Aircall signs nothing, so whoever has seen
/// one event can forge others. Source: developer.aircall.io, "Webhooks overview".
pub fn is_from(tokens: &[impl AsRef<str>], body: &[u8]) -> bool {
    let token = token(body).map(|token| serde_json::from_str::<String>(token.get()));
    token.is_some_and(|token| token.is_ok_and(|token| shown::is_one_of(tokens, &token)))
}

/// The event without its token, which would authenticate any other event, for storage.
pub fn without_token(body: &[u8]) -> Vec<u8> {
    let Some(token) = token(body) else {
        return Vec::new();
    };
    let start = token.get().as_ptr().addr() - body.as_ptr().addr();
    let (before, rest) = body.split_at(start);
    let (_, after) = rest.split_at(token.get().len());
    [before, br#""(not kept)""#, after].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_single_top_level_token_authenticates() {
        let is = |body: &str| is_from(&["good"], body.as_bytes());
        for right in [
            r#"{"token": "good"}"#,
            r#" {"data": {"token": "bad"}, "token": "good"} "#,
            r#"{"tok\u0065n": "g\u006fod", "n": 1e999}"#,
        ] {
            assert!(is(right), "{right}");
        }
        for wrong in [
            r#"{"token": "bad"}"#,
            r#"{"token": "good", "token": "good"}"#,
            r#"{"token": "good", "tok\u0065n": "bad"}"#,
            r#"{"token": ["good"]}"#,
            r#"{"data": {"token": "good"}}"#,
            r#"["good"]"#,
            r#"{"token": "good""#,
            r#"{"token": "good"} {}"#,
            r#""good""#,
            "good",
            "",
        ] {
            assert!(!is(wrong), "{wrong}");
        }
        // Nested more deeply than any parser accepts, which does not affect the scan.
        let deep = format!(
            r#"{{"data": {}{}, "token": "good"}}"#,
            "[".repeat(100_000),
            "]".repeat(100_000)
        );
        assert!(is(&deep));
    }

    #[test]
    fn event_is_stored_without_its_token() {
        let without = |body: &str| String::from_utf8(without_token(body.as_bytes())).unwrap();
        assert_eq!(
            without(r#"{ "a" : 1.0, "token" : "g\u006fod" , "a": 2}"#),
            r#"{ "a" : 1.0, "token" : "(not kept)" , "a": 2}"#
        );
        assert_eq!(without(r#"{"a": 1}"#), "");
    }
}
