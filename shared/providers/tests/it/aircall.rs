//! Aircall's events: every fixture, and its outcome.

use domain::telephony::{CallEvent, Direction, Outcome, Party};
use providers::Unreadable;
use providers::aircall::{event, without_token};
use serde_json::{Value, json};

use crate::fixtures::{self, assert_outcomes, at, connection, outcome, read_all};

fn read(body: &[u8]) -> Result<Option<CallEvent>, Unreadable> {
    event(body, connection(), at("2026-10-31T09:20:05Z"))
}

fn event_of(body: &[u8]) -> CallEvent {
    read(body).unwrap().unwrap()
}

fn changed_event(pointer: &str, value: Value) -> Vec<u8> {
    let mut document = fixtures::json("telephony/aircall/call_ended_agents_did_not_answer.json");
    *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    document.to_string().into_bytes()
}

#[test]
fn every_event_fixture_has_its_outcome() {
    let events = read_all("telephony/aircall", |_, body| read(body).unwrap());
    let mut of_calls = events.clone();
    assert_eq!(of_calls.remove("call_hungup_not_final.json"), Some(None));
    let of_calls = of_calls
        .into_iter()
        .map(|(name, event)| (name, event.unwrap()))
        .collect();
    let expected = [
        ("call_ended_abandoned_in_ivr.json", Outcome::Abandoned),
        ("call_ended_agents_did_not_answer.json", Outcome::Missed),
        ("call_ended_anonymous.json", Outcome::Missed),
        ("call_ended_answered.json", Outcome::Answered),
        ("call_ended_no_available_agent.json", Outcome::Missed),
        ("call_ended_out_of_opening_hours.json", Outcome::AfterHours),
        ("call_ended_outbound.json", Outcome::Unknown),
        ("call_ended_short_abandoned.json", Outcome::Abandoned),
        ("call_ended_voicemail.json", Outcome::Voicemail),
    ];
    assert_outcomes(&of_calls, expected);
    insta::assert_json_snapshot!("aircall", events);
}

#[test]
fn direction_decides_caller_and_line() {
    let facts = |name: &str| {
        let body = fixtures::bytes(&format!("telephony/aircall/call_ended_{name}.json"));
        event_of(&body).facts
    };
    let customer = Party::Phone("+447700900111".parse().unwrap());
    assert_eq!(facts("answered").customer(), &customer);
    assert_eq!(facts("outbound").customer(), &customer);
    assert_eq!(facts("outbound").direction, Some(Direction::Outbound));
    assert_eq!(facts("outbound").business_number(), facts("answered").business_number());
    assert_eq!(facts("anonymous").customer(), &Party::Withheld);
}

#[test]
fn aircalls_formatted_numbers_are_parsed() {
    for (written, number) in [
        ("+1 800-123-4567", "+18001234567"),
        ("+1 (800) 123-4567", "+18001234567"),
        ("+33 1 76 36 06 95", "+33176360695"),
    ] {
        let party = Party::Phone(number.parse().unwrap());
        let caller = event_of(&changed_event("/data/raw_digits", json!(written)));
        assert_eq!(caller.facts.customer(), &party, "{written}");
        let called = event_of(&changed_event("/data/number/digits", json!(written)));
        assert_eq!(called.facts.business_number(), Some(&party), "{written}");
    }
    for nobody in [
        json!("Anonymous"),
        json!("+266 696-687"),
        json!("+1 800-123-4567 x9"),
        json!(null),
    ] {
        let event = event_of(&changed_event("/data/raw_digits", nobody.clone()));
        assert_eq!(event.facts.customer(), &Party::Withheld, "{nobody}");
    }
}

#[test]
fn unknown_reason_is_not_a_missed_call() {
    for reason in [json!(null), json!("eaten_by_a_dog"), json!(7), json!("")] {
        let event = event_of(&changed_event("/data/missed_call_reason", reason.clone()));
        assert_eq!(outcome(&event.facts), Outcome::Unknown, "{reason}");
    }
}

#[test]
fn an_event_that_names_no_call_is_unreadable() {
    for (pointer, value) in [
        ("/event", json!(null)),
        ("/data", json!([])),
        ("/data/id", json!(null)),
        ("/data/id", json!(-1)),
        ("/data/id", json!("a b")),
        ("/data/direction", json!("sideways")),
    ] {
        assert!(
            read(&changed_event(pointer, value.clone())).is_err(),
            "{pointer} {value}"
        );
    }
    assert!(read(b"<xml/>").is_err());
    // Sent days later, and not about the end of a call.
    assert_eq!(read(&changed_event("/event", json!("call.tagged"))), Ok(None));
}

#[test]
fn call_never_ends_in_the_future() {
    let event = event_of(&changed_event("/data/ended_at", json!(1_893_456_000)));
    assert_eq!(event.facts.ended_at, Some(event.received_at));
}

#[test]
fn event_is_queued_without_its_token() {
    let body = fixtures::bytes("telephony/aircall/call_ended_agents_did_not_answer.json");
    let before: Value = serde_json::from_slice(&body).unwrap();
    let kept: Value = serde_json::from_slice(&without_token(&body)).unwrap();
    assert_eq!(kept["token"], "(not kept)");
    assert_eq!((&kept["event"], &kept["data"]), (&before["event"], &before["data"]));
    assert!(without_token(b"no JSON at all").is_empty());
}
