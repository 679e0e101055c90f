//! Twilio's voice callbacks and our answers to them.

use std::collections::BTreeMap;

use domain::telephony::{CallEvent, CallFacts, DialStatus, Handling, Party, Recording, RecordingState, Recordings};
use domain::tenants::twilio::{Spoken, VoiceSettings};
use providers::Unreadable;
use providers::twilio::form;
use providers::twilio::twiml::{self, Twiml, Urls};
use providers::twilio::voice::{VoiceCallback, event};
use serde_json::json;

use crate::fixtures::{self, at, connection};

fn callback(name: &str) -> VoiceCallback {
    match name.split('_').next() {
        Some("inbound") => VoiceCallback::Voice,
        Some("dial") => VoiceCallback::DialResult,
        Some("status") => VoiceCallback::Status,
        Some("recording") => VoiceCallback::Recording,
        _ => panic!("{name}"),
    }
}

#[test]
fn every_callback_fixture_is_parsed() {
    let mut forms = fixtures::names("twilio/voice");
    forms.retain(|name| name.ends_with(".txt"));
    let events = forms.into_iter().map(|name| {
        let event = read(callback(&name), &fixtures::text(&format!("twilio/voice/{name}")));
        (name, json!(event.unwrap()))
    });
    insta::assert_json_snapshot!("twilio_voice", events.collect::<BTreeMap<_, _>>());
}

fn read(what: VoiceCallback, body: &str) -> Result<CallEvent, Unreadable> {
    let form = form::parse(body.as_bytes());
    let own = ["+97145550001".parse().unwrap()];
    event(what, &form, connection(), &own, at("2026-10-31T09:20:05Z"))
}

fn facts(what: VoiceCallback, body: &str) -> CallFacts {
    read(what, body).unwrap().facts
}

#[test]
fn a_callback_without_its_call_is_unreadable() {
    for body in ["", "CallSid=", "CallSid=a%20b", "Foo=bar"] {
        assert!(read(VoiceCallback::Voice, body).is_err(), "{body}");
    }
}

/// The agent's telephone, which a tenant's own flow forwards to, is no party of the call, and its end is not the call's.
#[test]
fn a_leg_belongs_to_the_call_that_it_is_of() {
    let leg = |rest: &str| {
        let parties = "&From=%2B971501234567&To=%2B971504445566&Direction=outbound-dial&ParentCallSid=CAcall";
        read(VoiceCallback::Status, &format!("CallSid=CAleg{parties}{rest}"))
    };
    for (rest, tried, talk_seconds) in [
        ("&CallStatus=ringing", None, None),
        ("&CallStatus=in-progress", None, None),
        (
            "&CallStatus=completed&CallDuration=42",
            Some(DialStatus::Answered),
            Some(42),
        ),
        ("&CallStatus=no-answer&CallDuration=0", Some(DialStatus::NoAnswer), None),
        ("&CallStatus=busy&CallDuration=0", Some(DialStatus::Busy), None),
    ] {
        let event = leg(rest).unwrap();
        assert_eq!(event.provider_call_id, "CAcall");
        let expected = CallFacts {
            tried,
            talk_seconds,
            ..CallFacts::default()
        };
        assert_eq!(event.facts, expected, "{rest}");
    }
    // A call of its own is none, nor one from a number of the business, as agents call customers; one that cannot be named is unreadable.
    let called = "CallSid=CAleg&ParentCallSid=CAcall&Direction=outbound-dial&From=%2B97145550001&To=%2B971501234567";
    assert_eq!(read(VoiceCallback::Status, called).unwrap().provider_call_id, "CAleg");
    let own = read(
        VoiceCallback::Status,
        "CallSid=CAleg&ParentCallSid=CAcall&Direction=outbound-api",
    );
    assert_eq!(own.unwrap().provider_call_id, "CAleg");
    assert!(
        read(
            VoiceCallback::Status,
            "CallSid=CAleg&ParentCallSid=a%20b&Direction=outbound-dial"
        )
        .is_err()
    );
}

/// By any callback, once; a longer or stranger text would become part of a URL.
#[test]
fn a_recording_is_known_by_its_sid_alone() {
    const SID: &str = "RE00000000000000000000000000000001";
    let reported = |what: VoiceCallback, rest: &str| facts(what, &format!("CallSid=CA1{rest}")).recordings;
    let one = |all: Recordings| {
        let all: Vec<_> = all.iter().cloned().collect();
        assert!(all.len() < 2, "{all:?}");
        all.into_iter().next()
    };
    let expected = Recording {
        reference: SID.parse().unwrap(),
        state: RecordingState::Completed,
        seconds: Some(18),
        voicemail: true,
    };
    // The action of `<Record>`, its callback, and both together: nothing is to be written for the second.
    let action = reported(
        VoiceCallback::Recording,
        &format!("&RecordingUrl=http%3A%2F%2Fapi.twilio.com%2FRecordings%2F{SID}&RecordingDuration=18"),
    );
    let callback =
        format!("&RecordingSid={SID}&RecordingDuration=18&RecordingStatus=completed&RecordingSource=RecordVerb");
    let callback = reported(VoiceCallback::Recording, &callback);
    assert_eq!(action, callback);
    assert_eq!(one(callback), Some(expected.clone()));
    // A conversation that was recorded by the tenant's own flow.
    for (what, rest) in [
        (VoiceCallback::Recording, "&RecordingSource=DialVerb"),
        (VoiceCallback::Status, "&CallStatus=completed"),
    ] {
        let rest = format!("&RecordingSid={SID}&RecordingDuration=18{rest}");
        let found = one(reported(what, &rest));
        let conversation = Recording {
            voicemail: false,
            ..expected.clone()
        };
        assert_eq!(found, Some(conversation), "{rest}");
    }
    for (word, state) in [
        ("absent", RecordingState::Absent),
        ("in-progress", RecordingState::InProgress),
        ("processing", RecordingState::InProgress),
    ] {
        let rest = format!("&RecordingSid={SID}&RecordingStatus={word}");
        let found = one(reported(VoiceCallback::Recording, &rest)).expect("a recording");
        assert_eq!((found.state, found.seconds), (state, None), "{word}");
    }
    for sid in [
        "",
        "RE1",
        "CA00000000000000000000000000000001",
        "RE0000000000000000000000000000000%2F",
    ] {
        let rest = format!("&RecordingSid={sid}&RecordingDuration=18");
        assert_eq!(one(reported(VoiceCallback::Recording, &rest)), None, "{sid}");
    }
}

#[test]
fn only_what_the_caller_recorded_is_a_voicemail() {
    let seconds = |rest: &str| {
        let body = format!("CallSid=CA1&RecordingDuration=9{rest}");
        facts(VoiceCallback::Recording, &body).voicemail_seconds
    };
    let recorded = "&RecordingSource=RecordVerb&RecordingStatus=completed";
    assert_eq!(seconds(recorded), Some(9));
    assert_eq!(seconds(""), Some(9));
    assert_eq!(seconds("&RecordingSource=DialVerb"), None);
    assert_eq!(seconds("&RecordingStatus=absent"), None);
}

#[test]
fn outbound_calls_and_wrong_clocks_are_recognised() {
    let status = |rest: &str| facts(VoiceCallback::Status, &format!("CallSid=CA1&{rest}"));
    let dialled = status("Direction=outbound-dial&CallStatus=completed");
    assert_eq!(json!(dialled)["direction"], "outbound");
    let late = status("CallStatus=busy&Timestamp=Sat%2C+31+Oct+2036+09%3A20%3A00+%2B0000");
    assert_eq!(late.ended_at, Some(at("2026-10-31T09:20:05Z")));
    let hidden = facts(VoiceCallback::Voice, "CallSid=CA1&From=");
    assert_eq!(hidden.from, Some(Party::Withheld));
}

const URLS: Urls<'_> = Urls {
    dial_result: "https://hooks.example.test/v1/twilio/tnt_a/dial-action",
    recording: "https://hooks.example.test/v1/twilio/tnt_a/recording",
};

fn english(text: &str) -> Vec<Spoken> {
    vec![Spoken {
        language: "en-GB".to_owned(),
        text: text.to_owned(),
    }]
}

fn settings(handling: Handling) -> VoiceSettings {
    VoiceSettings {
        handling,
        forward_to: None,
        forward_timeout_seconds: 20,
        greeting: Vec::new(),
        missed_greeting: Vec::new(),
        voicemail_after_missed: false,
        voicemail_max_seconds: 60,
    }
}

#[test]
fn our_answers_equal_the_fixtures() {
    let forward = VoiceSettings {
        forward_to: Some("+442079460009".parse().unwrap()),
        ..settings(Handling::Forward)
    };
    let sorry = english("Sorry we missed you. Leave a message, or wait for our text.");
    for (name, answer) in [
        ("twiml_empty.xml", twiml::EMPTY.to_owned()),
        ("twiml_hangup_busy.xml", twiml::answer(&settings(Handling::Greet), URLS)),
        ("twiml_forward_then_action.xml", twiml::answer(&forward, URLS)),
        // Ours also names an action: without one, Twilio would request the first address again.
        (
            "twiml_voicemail.xml",
            Twiml::new().say(&sorry).record(60, None, URLS.recording).finish(),
        ),
    ] {
        assert_eq!(answer, fixtures::text(&format!("twilio/voice/{name}")), "{name}");
    }
    let answers = fixtures::names("twilio/voice")
        .into_iter()
        .filter(|name| name.ends_with(".xml"))
        .count();
    assert_eq!(answers, 4);
}

#[test]
fn every_setting_has_its_answer() {
    let mut greeting = english("We're closed <now> & \"here\"");
    greeting.push(Spoken {
        language: "ar-AE".to_owned(),
        text: "نحن مغلقون\u{0}".to_owned(),
    });
    let spoken = |handling| VoiceSettings {
        greeting: greeting.clone(),
        missed_greeting: english("Nobody is there."),
        ..settings(handling)
    };
    let forward = VoiceSettings {
        forward_to: Some("+442079460009".parse().unwrap()),
        ..spoken(Handling::Forward)
    };
    let recording = VoiceSettings {
        voicemail_after_missed: true,
        ..forward.clone()
    };
    let silent = settings(Handling::Forward);
    let answers = json!({
        "greet": twiml::answer(&spoken(Handling::Greet), URLS),
        "forward": twiml::answer(&forward, URLS),
        "forward without a number": twiml::answer(&spoken(Handling::Forward), URLS),
        "voicemail": twiml::answer(&spoken(Handling::Voicemail), URLS),
        "own flow": twiml::answer(&spoken(Handling::OwnFlow), URLS),
        "after dial, answered": twiml::answer_after_dial(&forward, Some(DialStatus::Answered), URLS),
        "after dial, caller gone": twiml::answer_after_dial(&forward, Some(DialStatus::Canceled), URLS),
        "after dial, nobody": twiml::answer_after_dial(&forward, Some(DialStatus::NoAnswer), URLS),
        "after dial, nobody, recording": twiml::answer_after_dial(&recording, Some(DialStatus::Busy), URLS),
        "after dial, nobody, silent": twiml::answer_after_dial(&silent, Some(DialStatus::Failed), URLS),
        "after dial, unknown": twiml::answer_after_dial(&forward, None, URLS),
    });
    insta::assert_json_snapshot!("twilio_twiml", answers);
    assert_eq!(twiml::handling(&silent), Handling::Greet);
    assert_eq!(twiml::handling(&forward), Handling::Forward);
}
