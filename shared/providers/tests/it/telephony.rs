//! The generic event: every fixture, and the sentence for every mistake.

use providers::telephony::event;
use serde_json::{Value, json};

use crate::fixtures::{self, at, connection, read_all};

fn read(body: &[u8]) -> Value {
    match event(body, connection(), at("2026-10-31T09:20:01Z")) {
        Ok(event) => json!(event),
        Err(invalid) => json!({ "invalid": invalid.to_string() }),
    }
}

#[test]
fn every_event_is_parsed_or_refused_with_the_reason() {
    let events = read_all("telephony/generic", |_, body| read(body));
    for (name, event) in &events {
        assert_eq!(event.get("invalid").is_some(), name.starts_with("invalid_"), "{name}");
    }
    insta::assert_json_snapshot!("telephony_generic", events);
}

#[test]
fn a_mistake_is_named_by_its_field() {
    let change = |pointer: &str, value: Value| {
        let mut event = fixtures::json("telephony/generic/missed.json");
        *event.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        read(event.to_string().as_bytes())
    };
    for (pointer, value, field) in [
        ("/type", json!("call.started"), "type: "),
        ("/data", json!([]), "data: "),
        ("/data/call_id", json!(""), "data.call_id: "),
        ("/data/call_id", json!(7), "data.call_id: "),
        ("/data/call_id", json!("x".repeat(201)), "data.call_id: "),
        ("/data/direction", json!("in"), "data.direction: "),
        ("/data/outcome", json!(null), "data.outcome: "),
        ("/data/from", json!(""), "data.from: "),
        ("/data/from", json!(447_700_900_111_u64), "data.from: "),
        ("/data/to", json!(null), "data.to: "),
        ("/data/to", json!("101"), "data.to: "),
        ("/data/started_at", json!("2026-10-31 09:19"), "data.started_at: "),
        ("/data/started_at", json!("1970-01-01T00:00:00Z"), "data.started_at: "),
        ("/data/started_at", json!("2026-10-31T09:21:00Z"), "data.ended_at: "),
        ("/data/ended_at", json!("2026-10-31T12:20:00Z"), "data.ended_at: "),
        ("/data/ring_seconds", json!(-1), "data.ring_seconds: "),
        ("/data/ring_seconds", json!(25_000_000), "data.ring_seconds: "),
    ] {
        let told = change(pointer, value);
        let told = told["invalid"]
            .as_str()
            .unwrap_or_else(|| panic!("{pointer} was taken"));
        assert!(told.starts_with(field), "{pointer}: {told}");
    }
    let told = read(b"<xml/>");
    assert!(told["invalid"].as_str().unwrap().starts_with("body: "));
}

#[test]
fn placeholder_number_is_withheld() {
    let mut event = fixtures::json("telephony/generic/missed.json");
    for hidden in ["+266696687", "anonymous", "Unknown"] {
        event["data"]["from"] = hidden.into();
        let told = read(event.to_string().as_bytes());
        assert_eq!(told["facts"]["from"], "withheld", "{hidden}");
    }
}
