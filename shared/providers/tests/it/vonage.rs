//! Vonage's events: every fixture, and the outcome of a call's legs together.

use std::collections::BTreeSet;

use domain::telephony::{CallEvent, CallFacts, Outcome, Party};
use providers::vonage::event;
use serde_json::{Value, json};

use crate::fixtures::{self, assert_outcomes, at, connection, outcome, read_all};

fn read(body: &[u8]) -> Result<Option<CallEvent>, providers::Unreadable> {
    event(body, connection(), at("2026-10-31T09:20:05Z"))
}

fn event_of(body: &[u8]) -> CallEvent {
    read(body).unwrap().unwrap()
}

fn fixture(name: &str) -> CallEvent {
    event_of(&fixtures::bytes(&format!("telephony/vonage/{name}.json")))
}

/// The leg from the flow to the business.
fn leg(status: &str) -> Value {
    let mut event = fixtures::json("telephony/vonage/ringing.json");
    event["direction"] = "outbound".into();
    event["uuid"] = "aaaaaaaa-0000-4000-8000-000000000f02".into();
    event["from"] = "442079460001".into();
    event["to"] = "447700900555".into();
    event["status"] = status.into();
    event
}

fn together(events: impl IntoIterator<Item = CallEvent>) -> CallFacts {
    let mut facts = CallFacts::default();
    let mut ids = BTreeSet::new();
    for event in events {
        facts.merge(event.facts);
        ids.insert(event.provider_call_id);
    }
    assert_eq!(ids.len(), 1, "legs of one conversation are one call");
    facts
}

#[test]
fn every_event_fixture_has_its_outcome() {
    let events = read_all("telephony/vonage", |_, body| event_of(body));
    let expected = [
        // Picked up, without any further event.
        ("answered.json", Outcome::Unknown),
        ("busy.json", Outcome::Busy),
        ("cancelled.json", Outcome::Abandoned),
        // Alone, it does not say whether anybody spoke.
        ("completed.json", Outcome::Unknown),
        ("failed.json", Outcome::Failed),
        ("rejected.json", Outcome::Busy),
        ("ringing.json", Outcome::Unknown),
        ("timeout.json", Outcome::Missed),
        ("unanswered.json", Outcome::Missed),
    ];
    assert_outcomes(&events, expected);
    let line = Party::Phone("+442079460001".parse().unwrap());
    assert!(
        events
            .values()
            .all(|event| event.facts.business_number() == Some(&line))
    );
    insta::assert_json_snapshot!("vonage", events);
}

#[test]
fn a_call_that_completed_after_an_answer_was_answered() {
    let facts = together(["ringing", "answered", "completed"].map(fixture));
    assert_eq!(outcome(&facts), Outcome::Answered);
    assert_eq!(facts.call_seconds, Some(41));
}

#[test]
fn call_answered_only_by_the_flow_is_missed() {
    for (status, expected) in [
        ("timeout", Outcome::Missed),
        ("unanswered", Outcome::Missed),
        ("rejected", Outcome::Busy),
        ("cancelled", Outcome::Abandoned),
        ("failed", Outcome::Failed),
        ("answered", Outcome::Answered),
    ] {
        let tried = event_of(leg(status).to_string().as_bytes());
        let mut reports = ["ringing", "answered", "completed"].map(fixture).to_vec();
        reports.insert(2, tried.clone());
        let facts = together(reports.clone());
        assert_eq!(outcome(&facts), expected, "{status}");
        reports.reverse();
        assert_eq!(together(reports), facts, "in any order");
        assert_eq!(
            facts.customer(),
            &Party::Phone("+447700900111".parse().unwrap()),
            "the leg does not turn the call round"
        );
    }
}

#[test]
fn outbound_leg_names_neither_customer_nor_line() {
    let of_leg = |from: Value| {
        let mut event = leg("unanswered");
        event["from"] = from;
        event_of(event.to_string().as_bytes()).facts
    };
    let facts = of_leg(json!("442079460001"));
    assert_eq!(
        (facts.direction, &facts.from, facts.business_number()),
        (None, &None, None)
    );
    // Flows can put any text there.
    for from in [json!("447700900111"), json!("reception"), json!(""), json!(null)] {
        assert_eq!(of_leg(from.clone()), facts, "{from}");
    }
}

#[test]
fn a_colleague_who_picks_up_makes_it_answered() {
    let legs = ["timeout", "answered"].map(|status| event_of(leg(status).to_string().as_bytes()));
    let facts = together(legs.into_iter().chain(["answered", "completed"].map(fixture)));
    assert_eq!(outcome(&facts), Outcome::Answered);
}

#[test]
fn unrelated_events_are_ignored() {
    for event in [
        json!({"recording_url": "https://api.example.test/1", "conversation_uuid": "CON-1"}),
        json!({"dtmf": {"digits": "2"}, "conversation_uuid": "CON-1"}),
        json!({"reason": "invalid flow", "conversation_uuid": "CON-1"}),
        json!({"type": "transfer", "conversation_uuid_from": "CON-1", "conversation_uuid_to": "CON-2", "uuid": "1"}),
        leg("ringing"),
        leg("completed"),
    ] {
        assert_eq!(read(event.to_string().as_bytes()), Ok(None), "{event}");
    }
}

#[test]
fn an_event_that_names_no_call_is_unreadable() {
    let without = |field: &str| {
        let mut event = fixtures::json("telephony/vonage/unanswered.json");
        event.as_object_mut().unwrap().remove(field);
        event
    };
    for field in ["status", "direction"] {
        assert!(read(without(field).to_string().as_bytes()).is_err(), "{field}");
    }
    let unheard_of = json!({"type": "teleport", "conversation_uuid": "CON-1"});
    assert!(read(unheard_of.to_string().as_bytes()).is_err());
    let mut nameless = without("uuid");
    nameless["conversation_uuid"] = "".into();
    assert!(read(nameless.to_string().as_bytes()).is_err());
    assert!(read(b"").is_err());
}

#[test]
fn hidden_callers_and_unknown_words_are_recognised() {
    let mut event = fixtures::json("telephony/vonage/unanswered.json");
    event["from"] = "anonymous".into();
    event["status"] = "pondering".into();
    let facts = event_of(event.to_string().as_bytes()).facts;
    assert_eq!(facts.customer(), &Party::Withheld);
    assert_eq!(outcome(&facts), Outcome::Unknown);
}
