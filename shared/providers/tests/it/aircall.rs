//! Aircall's events: every fixture, and its outcome.

use std::collections::BTreeMap;

use domain::calls::call::{Direction, Outcome, Party};
use providers::aircall::{event, without_token};
use serde_json::{Value, json};

use crate::fixtures::{self, at, connection, outcome};

fn read(body: &[u8]) -> Result<Option<domain::calls::call::CallEvent>, providers::Unreadable> {
    event(body, connection(), at("2026-10-31T09:20:05Z"))
}

fn changed(pointer: &str, value: Value) -> Vec<u8> {
    let mut document = fixtures::json("telephony/aircall/call_ended_agents_did_not_answer.json");
    *document.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    document.to_string().into_bytes()
}

#[test]
fn every_event_fixture_has_its_outcome() {
    let expected: BTreeMap<&str, Option<Outcome>> = [
        ("call_ended_abandoned_in_ivr.json", Some(Outcome::Abandoned)),
        ("call_ended_agents_did_not_answer.json", Some(Outcome::Missed)),
        ("call_ended_anonymous.json", Some(Outcome::Missed)),
        ("call_ended_answered.json", Some(Outcome::Answered)),
        ("call_ended_no_available_agent.json", Some(Outcome::Missed)),
        ("call_ended_out_of_opening_hours.json", Some(Outcome::AfterHours)),
        ("call_ended_outbound.json", Some(Outcome::Unknown)),
        ("call_ended_short_abandoned.json", Some(Outcome::Abandoned)),
        ("call_ended_voicemail.json", Some(Outcome::Voicemail)),
        ("call_hungup_not_final.json", None),
    ]
    .into();
    let read: BTreeMap<String, _> = fixtures::names("telephony/aircall")
        .into_iter()
        .map(|name| {
            let event = read(&fixtures::bytes(&format!("telephony/aircall/{name}"))).unwrap();
            (name, event)
        })
        .collect();
    let outcomes: BTreeMap<&str, Option<Outcome>> = read
        .iter()
        .map(|(name, event)| (name.as_str(), event.as_ref().map(|event| outcome(&event.facts))))
        .collect();
    assert_eq!(outcomes, expected);
    insta::assert_json_snapshot!("aircall", read);
}

#[test]
fn direction_decides_caller_and_line() {
    let facts = |name: &str| {
        let body = fixtures::bytes(&format!("telephony/aircall/call_ended_{name}.json"));
        read(&body).unwrap().unwrap().facts
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
        let caller = read(&changed("/data/raw_digits", json!(written))).unwrap().unwrap();
        assert_eq!(caller.facts.customer(), &party, "{written}");
        let called = read(&changed("/data/number/digits", json!(written))).unwrap().unwrap();
        assert_eq!(called.facts.business_number(), Some(&party), "{written}");
    }
    for nobody in [
        json!("Anonymous"),
        json!("+266 696-687"),
        json!("+1 800-123-4567 x9"),
        json!(null),
    ] {
        let event = read(&changed("/data/raw_digits", nobody.clone())).unwrap().unwrap();
        assert_eq!(event.facts.customer(), &Party::Withheld, "{nobody}");
    }
}

#[test]
fn unknown_reason_is_not_a_missed_call() {
    for reason in [json!(null), json!("eaten_by_a_dog"), json!(7), json!("")] {
        let event = read(&changed("/data/missed_call_reason", reason.clone()))
            .unwrap()
            .unwrap();
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
        assert!(read(&changed(pointer, value.clone())).is_err(), "{pointer} {value}");
    }
    assert!(read(b"<xml/>").is_err());
    // Sent days later, and not about the end of a call.
    assert_eq!(read(&changed("/event", json!("call.tagged"))), Ok(None));
}

#[test]
fn call_never_ends_in_the_future() {
    let event = read(&changed("/data/ended_at", json!(1_893_456_000))).unwrap().unwrap();
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
