//! Reports of a call come in any order and any number.

use domain::telephony::{
    CallFacts, CallStatus, DialStatus, Direction, Handling, MAX_CALL, MAX_RECORDINGS, Outcome, Party, Recording,
    RecordingState, Recordings, Verdict,
};
use domain::terms::{CallId, ContactId, Phone, ShownName};
use jiff::{SignedDuration, Timestamp};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use ulid::Ulid;

fn party() -> impl Strategy<Value = Party> {
    let phone = |number: &str| Party::Phone(number.parse::<Phone>().unwrap());
    select(vec![
        Party::Withheld,
        Party::Sip("sip:maya@example.test".to_owned()),
        phone("+447700900111"),
        phone("+971501234567"),
    ])
}

fn instant() -> impl Strategy<Value = Timestamp> {
    prop_oneof![
        (1_700_000_000_i64..1_700_001_000).prop_map(|second| Timestamp::from_second(second).unwrap()),
        Just(Timestamp::MAX),
        Just(Timestamp::MIN),
    ]
}

fn recording() -> impl Strategy<Value = Recording> {
    let state = select(vec![
        RecordingState::InProgress,
        RecordingState::Absent,
        RecordingState::Completed,
    ]);
    (0_u32..30, state, option::of(0_u32..5), any::<bool>()).prop_map(|(number, state, seconds, voicemail)| Recording {
        reference: format!("RE{number:032}").parse().unwrap(),
        state,
        seconds,
        voicemail,
    })
}

fn dial_status() -> impl Strategy<Value = DialStatus> {
    select(vec![
        DialStatus::Canceled,
        DialStatus::Failed,
        DialStatus::NoAnswer,
        DialStatus::Busy,
        DialStatus::Answered,
    ])
}

prop_compose! {
    fn facts()(
        direction in option::of(select(vec![Direction::Inbound, Direction::Outbound])),
        from in option::of(party()),
        to in option::of(party()),
        caller_name in option::of(select(vec!["Maya", "Noor"])),
        started_at in option::of(instant()),
        ended_at in option::of(instant()),
        seconds in prop::array::uniform4(option::of(0_u32..5)),
        status in option::of(select(vec![
            CallStatus::Ringing, CallStatus::InProgress, CallStatus::Canceled, CallStatus::NoAnswer, CallStatus::Busy,
            CallStatus::Failed, CallStatus::Completed,
        ])),
        dial in option::of(dial_status()),
        handling in option::of(select(vec![Handling::Greet, Handling::Voicemail, Handling::Forward, Handling::OwnFlow])),
        closed in option::of(any::<bool>()),
        answered_at in option::of(instant()),
        tried in option::of(dial_status()),
        recordings in prop::collection::vec(recording(), 0..8),
        stated in option::weighted(0.3, select(vec![
            Outcome::Answered, Outcome::Missed, Outcome::Voicemail, Outcome::AfterHours, Outcome::Unknown,
        ])),
    ) -> CallFacts {
        let [ring_seconds, talk_seconds, voicemail_seconds, call_seconds] = seconds;
        CallFacts {
            caller_name: caller_name.and_then(ShownName::of),
            recordings: recordings.into_iter().collect(),
            direction, from, to, started_at, ended_at, ring_seconds, talk_seconds, voicemail_seconds, call_seconds, status, dial,
            handling, closed, answered_at, tried, stated,
        }
    }
}

fn merge_reports(reports: &[CallFacts]) -> CallFacts {
    let mut all = CallFacts::default();
    for report in reports {
        all.merge(report.clone());
    }
    all
}

/// In whatever order reports arrive: the next test shows that the order does not decide which of too many recordings are known.
#[test]
fn a_call_has_a_bounded_number_of_recordings() {
    let recording = |number: usize| Recording {
        reference: format!("RE{number:032}").parse().unwrap(),
        state: RecordingState::Completed,
        seconds: Some(1),
        voicemail: false,
    };
    let all: Recordings = (0..3 * MAX_RECORDINGS).rev().map(recording).collect();
    let known: Vec<_> = all.iter().cloned().collect();
    let expected: Vec<_> = (0..MAX_RECORDINGS).map(recording).collect();
    assert_eq!(known, expected);
}

#[test]
fn a_recording_is_found_by_its_id_in_its_own_call_only() {
    let call = |number: u128| CallId::new(ContactId::new(Ulid::from_parts(1, 1)), Ulid::from_parts(7, number));
    let [first, second] = ["RE1", "RE2"].map(|reference| Recording {
        reference: reference.parse().unwrap(),
        state: RecordingState::Completed,
        seconds: None,
        voicemail: true,
    });
    let all: Recordings = [first.clone(), second.clone()].into_iter().collect();
    let id = first.id(call(1));
    assert_eq!(all.find(call(1), id), Some(&first));
    assert_eq!(all.find(call(2), id), None);
    assert_ne!(second.id(call(1)), id);
    // It begins with the time of the call, and never changes.
    let later = Recording {
        seconds: Some(14),
        ..first
    };
    assert_eq!((later.id(call(1)), id.ulid().timestamp_ms()), (id, 7));
}

proptest! {
    #[test]
    fn reports_merge_the_same_in_any_order(
        (reports, shuffled) in prop::collection::vec(facts(), 1..5)
            .prop_flat_map(|reports| {
                let twice: Vec<_> = reports.iter().chain(&reports).cloned().collect();
                (Just(reports), Just(twice).prop_shuffle())
            }),
        again in 0_usize..5,
    ) {
        let once = merge_reports(&reports);
        prop_assert_eq!(&merge_reports(&shuffled), &once);
        let mut more = once.clone();
        more.merge(reports[again % reports.len()].clone());
        prop_assert_eq!(&more, &once);
        // The grouping does not matter either.
        let (left, right) = reports.split_at(again % reports.len());
        let mut grouped = merge_reports(left);
        grouped.merge(merge_reports(right));
        prop_assert_eq!(grouped, once);
    }

    #[test]
    fn every_call_gets_a_final_verdict(facts in facts(), first in 1_700_000_000_i64..1_700_001_000, later in 0_i64..100_000) {
        let first_seen = Timestamp::from_second(first).unwrap();
        let quiet = SignedDuration::from_secs(60);
        let now = first_seen + SignedDuration::from_secs(later);
        match facts.verdict(first_seen, now, quiet) {
            Verdict::Wait(until) => {
                prop_assert!(now < until);
                prop_assert!(until <= first_seen + MAX_CALL + quiet);
                prop_assert!(matches!(facts.verdict(first_seen, until, quiet), Verdict::Decided(_)));
            }
            decided @ Verdict::Decided(_) => {
                prop_assert_eq!(facts.verdict(first_seen, now + MAX_CALL, quiet), decided);
            }
        }
    }

    #[test]
    fn completed_alone_is_never_missed(facts in facts()) {
        let facts = CallFacts {
            status: Some(CallStatus::Completed),
            dial: None,
            tried: None,
            answered_at: None,
            stated: None,
            voicemail_seconds: None,
            handling: None,
            ..facts
        };
        let first_seen = Timestamp::from_second(1_700_000_000).unwrap();
        let end = first_seen + MAX_CALL + MAX_CALL;
        prop_assert_eq!(facts.verdict(first_seen, end, SignedDuration::from_secs(60)), Verdict::Decided(Outcome::Unknown));
    }
}

#[test]
fn an_attempt_that_failed_counts_only_once_the_call_has_ended() {
    let first_seen = Timestamp::from_second(1_700_000_000).unwrap();
    let quiet = SignedDuration::from_secs(60);
    let ended_at = first_seen + SignedDuration::from_secs(30);
    let verdict =
        |facts: &CallFacts, after: i64| facts.verdict(first_seen, first_seen + SignedDuration::from_secs(after), quiet);
    let mut facts = CallFacts {
        status: Some(CallStatus::InProgress),
        answered_at: Some(first_seen),
        tried: Some(DialStatus::NoAnswer),
        ..CallFacts::default()
    };
    // The next person in the queue may still pick up.
    assert_eq!(verdict(&facts, 20), Verdict::Wait(first_seen + MAX_CALL));
    facts.merge(CallFacts {
        status: Some(CallStatus::Completed),
        ended_at: Some(ended_at),
        ..CallFacts::default()
    });
    assert_eq!(verdict(&facts, 30), Verdict::Wait(ended_at + quiet));
    assert_eq!(verdict(&facts, 90), Verdict::Decided(Outcome::Missed));
    let untried = CallFacts {
        tried: None,
        ..facts.clone()
    };
    assert_eq!(verdict(&untried, 90), Verdict::Decided(Outcome::Answered));
    facts.merge(CallFacts {
        tried: Some(DialStatus::Answered),
        ..CallFacts::default()
    });
    assert_eq!(verdict(&facts, 30), Verdict::Decided(Outcome::Answered));
}
