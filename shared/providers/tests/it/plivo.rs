//! Plivo's callbacks: every fixture, and its outcome.

use domain::telephony::{CallEvent, Direction, Outcome, Party};
use providers::{form, plivo};

use crate::fixtures::{self, assert_outcomes, at, connection, outcome, read_all};

fn read(body: &str) -> CallEvent {
    let event = plivo::event(&form::parse(body.as_bytes()), connection(), at("2026-10-31T09:20:05Z"));
    event.unwrap_or_else(|error| panic!("{error}: {body}"))
}

fn fixture(name: &str) -> String {
    fixtures::text(&format!("telephony/plivo/{name}.txt"))
}

#[test]
fn every_callback_fixture_has_its_outcome() {
    let events = read_all("telephony/plivo", |_, body| read(str::from_utf8(body).unwrap()));
    let expected = [
        // Rings, without any further callback.
        ("answer_ringing.txt", Outcome::Unknown),
        ("hangup_busy.txt", Outcome::Busy),
        ("hangup_completed.txt", Outcome::Answered),
        ("hangup_failed.txt", Outcome::Failed),
        ("hangup_no_answer.txt", Outcome::Missed),
    ];
    assert_outcomes(&events, expected);
    insta::assert_json_snapshot!("plivo", events);
}

#[test]
fn unclear_status_is_an_unknown_outcome() {
    let text = fixture("hangup_no_answer");
    for (status, expected) in [
        ("timeout", Outcome::Missed),
        ("cancel", Outcome::Abandoned),
        // Completed, and nothing was billed.
        ("completed", Outcome::Unknown),
        ("in-progress", Outcome::Unknown),
        ("pondering", Outcome::Unknown),
        ("", Outcome::Unknown),
    ] {
        let body = text.replace("CallStatus=no-answer", &format!("CallStatus={status}"));
        assert_eq!(outcome(&read(&body).facts), expected, "{status}");
    }
}

#[test]
fn parties_names_and_times_are_read() {
    let facts = read(&fixture("hangup_completed")).facts;
    assert_eq!(facts.customer(), &Party::Phone("+447700900111".parse().unwrap()));
    assert_eq!(facts.caller_name, None, "a number is no name");
    assert_eq!((facts.ring_seconds, facts.talk_seconds), (Some(10), Some(41)));
    assert_eq!(facts.ended_at, Some(at("2026-10-31T09:20:00Z")));
    let named = fixture("hangup_busy").replace("CallerName=%2B447700900111", "CallerName=Maya");
    assert_eq!(read(&named).facts.caller_name.as_deref(), Some("Maya"));
    let outbound = fixture("hangup_busy").replace("Direction=inbound", "Direction=outbound");
    assert_eq!(read(&outbound).facts.direction, Some(Direction::Outbound));
    for hidden in ["anonymous", "", "266696687"] {
        let body = fixture("hangup_no_answer").replace("From=447700900111", &format!("From={hidden}"));
        assert_eq!(read(&body).facts.customer(), &Party::Withheld, "{hidden}");
    }
}

#[test]
fn a_callback_that_names_no_call_is_unreadable() {
    for body in ["", "CallUUID=", "CallUUID=a%20b", "CallStatus=busy"] {
        let read = plivo::event(&form::parse(body.as_bytes()), connection(), at("2026-10-31T09:20:05Z"));
        assert!(read.is_err(), "{body}");
    }
}
