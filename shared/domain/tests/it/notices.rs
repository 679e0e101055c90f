//! However notices are delivered and told, people hear of an occurrence once, and of a subject once a day.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::notices::{MAX_MAILINGS, Mailings, Matter, Notice, NoticeState, day_of};
use jiff::SignedDuration;
use proptest::prelude::*;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + minute * 60).unwrap()
}

/// Event of a minute.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The stream delivers the occurrence of that minute, not necessarily the latest one or for the first time.
    Noted(i64),
    /// People are told of the due notices. Further occurrences may be noted before that is recorded.
    Told(Option<i64>),
    /// It was mended before people were told.
    Settled,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let step = prop_oneof![
        4 => (0..6_i64).prop_map(|occurrence| Step::Noted(occurrence * 500)),
        4 => prop::option::of((0..6_i64).prop_map(|occurrence| occurrence * 500)).prop_map(Step::Told),
        1 => Just(Step::Settled),
    ];
    prop::collection::vec((1..400_i64, step), 1..40)
}

fn occurrence(minute: i64) -> Notice {
    Notice {
        matter: Matter::ConnectionRefused {
            connection: "conn_00000000000000000000000001".parse().unwrap(),
            reason: "the access token is not valid".to_owned(),
        },
        name: "WhatsApp".to_owned(),
        at: at(minute),
    }
}

proptest! {
    #[test]
    fn an_occurrence_is_told_once_and_a_subject_once_a_day(steps in steps()) {
        let (mut known, mut now): (Option<NoticeState>, i64) = (None, 0);
        let mut told: BTreeMap<Timestamp, Timestamp> = BTreeMap::new();
        let mut last = None;
        for (wait, step) in steps {
            now += wait;
            let note = |known: &mut Option<NoticeState>, minute: i64| {
                if let Some(next) = NoticeState::after_occurrence(&occurrence(minute), known.as_ref(), at(now)) {
                    prop_assert!(known.as_ref().is_none_or(|known| known.notice.at < next.notice.at));
                    prop_assert!(next.due.is_some_and(|due| due >= at(now)));
                    *known = Some(next);
                }
                Ok(())
            };
            match step {
                Step::Noted(minute) => note(&mut known, minute)?,
                Step::Told(meanwhile) => {
                    let is_due = |known: &NoticeState| known.due.is_some_and(|due| due <= at(now));
                    if let Some(state) = known.clone().filter(is_due) {
                        let again = told.insert(state.notice.at, at(now));
                        prop_assert_eq!(again, None, "told twice");
                        if let Some(last) = last.replace(at(now)) {
                            prop_assert!(at(now) - SignedDuration::from_hours(24) >= last, "within a day");
                        }
                        if let Some(minute) = meanwhile {
                            note(&mut known, minute)?;
                        }
                        known = known.map(|known| known.after_mailing(state.notice.at, at(now)));
                    }
                }
                Step::Settled => known = known.map(|known| known.without_due_time()),
            }
        }
    }

    /// A person who is told later is told all the same: nothing is forgotten for lack of mailings.
    #[test]
    fn mailings_of_a_day_are_bounded(waits in prop::collection::vec(0..600_i64, 1..60)) {
        let (mut known, mut now) = (None, 0);
        let mut counts: BTreeMap<_, u32> = BTreeMap::new();
        for wait in waits {
            now += wait;
            match Mailings::begin(known.as_ref(), vec!["a".to_owned()], at(now)) {
                Ok(begun) => {
                    *counts.entry(day_of(at(now))).or_default() += 1;
                    prop_assert_eq!(&begun.open.as_ref().unwrap().notices, &["a"]);
                    known = Some(begun.without_open_mailing());
                }
                Err(until) => {
                    prop_assert!(until > at(now));
                    prop_assert_eq!(counts[&day_of(at(now))], MAX_MAILINGS);
                    prop_assert!(Mailings::begin(known.as_ref(), Vec::new(), until).is_ok());
                }
            }
        }
        prop_assert!(counts.values().all(|count| *count <= MAX_MAILINGS));
    }
}
