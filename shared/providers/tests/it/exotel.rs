//! Exotel's events: every fixture, and its outcome.

use domain::telephony::{CallEvent, Direction, Outcome, Party};
use domain::tenants::CallingCode;
use providers::exotel::{self, passthru, status_form, status_json};
use providers::{Unreadable, form};

use crate::fixtures::{self, assert_outcomes, at, connection, outcome, read_all};

/// The fixtures' numbers are British.
fn britain() -> CallingCode {
    "44".parse().unwrap()
}

fn phone(number: &str) -> Party {
    Party::Phone(number.parse().unwrap())
}

fn read(name: &str, bytes: &[u8]) -> Result<CallEvent, Unreadable> {
    let (country, connection, now) = (britain(), connection(), at("2026-10-31T09:21:05Z"));
    match name {
        _ if name.starts_with("passthru") => passthru(&form::parse(bytes), country, connection, now),
        _ if name.ends_with(".json") => status_json(bytes, country, connection, now),
        _ => status_form(bytes, country, connection, now),
    }
}

#[test]
fn every_event_fixture_has_its_outcome() {
    let events = read_all("telephony/exotel", |name, body| read(name, body).unwrap());
    let expected = [
        ("passthru_client_hangup.txt", Outcome::Abandoned),
        ("passthru_completed.txt", Outcome::Answered),
        ("passthru_incomplete.txt", Outcome::Missed),
        ("passthru_ivr_only.txt", Outcome::Abandoned),
        ("passthru_voicemail.txt", Outcome::Voicemail),
        // A call made by the API: the event does not say which side did not answer.
        ("status_callback_no_answer.txt", Outcome::Unknown),
        ("status_callback_terminal.json", Outcome::Answered),
    ];
    assert_outcomes(&events, expected);
    insta::assert_json_snapshot!("exotel", events);
}

#[test]
fn numbers_are_national_and_times_are_indias() {
    let text = fixtures::text("telephony/exotel/passthru_incomplete.txt");
    let facts = read("passthru", text.as_bytes()).unwrap().facts;
    assert_eq!(facts.customer(), &phone("+447700900111"));
    assert_eq!(facts.business_number(), Some(&phone("+442079460001")));
    assert_eq!(facts.started_at, Some(at("2026-10-31T09:20:00Z")));
    assert_eq!(facts.ended_at, Some(at("2026-10-31T09:20:40Z")));
    for hidden in ["", "anonymous", "100", "%2B266696687"] {
        let text = text.replace("07700900111", hidden);
        let facts = read("passthru", text.as_bytes()).unwrap().facts;
        assert_eq!(facts.customer(), &Party::Withheld, "{hidden}");
    }
}

#[test]
fn only_unanswered_calls_are_missed() {
    let text = fixtures::text("telephony/exotel/passthru_incomplete.txt");
    let of = |dialled: &str| {
        let text = text.replace("DialCallStatus=no-answer", dialled);
        outcome(&read("passthru", text.as_bytes()).unwrap().facts)
    };
    for (dialled, expected) in [
        ("DialCallStatus=no-answer", Outcome::Missed),
        ("", Outcome::Missed),
        ("DialCallStatus=busy", Outcome::Busy),
        ("DialCallStatus=canceled", Outcome::Abandoned),
        ("DialCallStatus=failed", Outcome::Failed),
        ("DialCallStatus=pondering", Outcome::Unknown),
    ] {
        assert_eq!(of(dialled), expected, "{dialled}");
    }
    for call_type in ["CallType=", "CallType=pondering", "Other=1"] {
        let text = text.replace("CallType=incomplete", call_type);
        let facts = read("passthru", text.as_bytes()).unwrap().facts;
        assert_eq!(outcome(&facts), Outcome::Unknown, "{call_type}");
    }
}

#[test]
fn applet_before_dialling_decides_nothing_early() {
    let before = fixtures::bytes("telephony/exotel/passthru_ivr_only.txt");
    let after = fixtures::bytes("telephony/exotel/passthru_completed.txt");
    let mut facts = read("passthru", &before).unwrap().facts;
    facts.merge(read("passthru", &after).unwrap().facts);
    assert_eq!(outcome(&facts), Outcome::Answered);
}

#[test]
fn outbound_calls_are_recognised() {
    let json = fixtures::text("telephony/exotel/status_callback_terminal.json");
    let outbound = json.replace("\"inbound\"", "\"outbound-api\"");
    let facts = read("status.json", outbound.as_bytes()).unwrap().facts;
    assert_eq!(facts.direction, Some(Direction::Outbound));
    assert_eq!(facts.business_number(), Some(&phone("+442079460001")));
    let silent = json.replace("\"ConversationDuration\": 41", "\"ConversationDuration\": 0");
    assert_ne!(silent, json);
    let facts = read("status.json", silent.as_bytes()).unwrap().facts;
    assert_eq!(outcome(&facts), Outcome::Unknown);
}

#[test]
fn an_event_that_names_no_call_is_unreadable() {
    for (name, bytes) in [
        ("passthru", &b""[..]),
        ("passthru", b"CallSid=&CallFrom=1"),
        ("passthru", b"CallSid=a%20b"),
        ("status.txt", b"Status=busy"),
        ("status.json", b"{}"),
        ("status.json", b"CallSid=1"),
    ] {
        assert!(read(name, bytes).is_err(), "{name}");
    }
}

#[test]
fn request_needs_the_secret_and_a_listed_address() {
    let secrets = ["old", "new"];
    let sources = ["203.0.113.0/24".parse().unwrap()];
    let (inside, outside) = ("203.0.113.9".parse().ok(), "198.51.100.1".parse().ok());
    assert!(exotel::is_from(&secrets, "new", &[], None));
    assert!(exotel::is_from(&secrets, "old", &sources, inside));
    for (shown, sources, source) in [
        ("newer", &[][..], None),
        ("", &[], None),
        ("new", &sources, outside),
        ("new", &sources, None),
        ("newer", &sources, inside),
    ] {
        assert!(!exotel::is_from(&secrets, shown, sources, source), "{shown} {source:?}");
    }
    assert!(!exotel::is_from(&[""], "", &[], None));
}
