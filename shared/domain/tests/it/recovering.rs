//! A missed call is recovered once, whatever is reported of a day and in whatever order.

use domain::Timestamp;
use domain::people::{Contact, MAX_MISSED, RECOVERABLE};
use domain::terms::ContactId;
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use ulid::Ulid;

/// Event between a customer and the business.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Event {
    Missed,
    Answered,
    Written,
    /// A stop word, or what is no message, such as a reaction.
    Reacted,
}

const EVENTS: [Event; 4] = [Event::Missed, Event::Answered, Event::Written, Event::Reacted];

impl Event {
    fn recovers(self) -> bool {
        matches!(self, Self::Answered | Self::Written)
    }
}

fn at(minute: u32) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_mins(minute.into())
}

fn contact() -> Contact {
    Contact::new(ContactId::new(Ulid::from_parts(1, 1)), at(0))
}

/// Records an event as the functions do. Returns the number of calls that are recovered by it.
fn record(contact: &mut Contact, event: Event, at: Timestamp) -> u32 {
    match event {
        Event::Missed => contact.missed_call(at),
        Event::Answered => contact.record_reaching_call(at),
        Event::Written => {
            contact.last_inbound_at = contact.last_inbound_at.max(Some(at));
            contact.wrote(at)
        }
        Event::Reacted => {
            contact.last_inbound_at = contact.last_inbound_at.max(Some(at));
            0
        }
    }
}

/// Events of a day, each in a minute of its own, in the order of the reports. No more calls are missed than are kept.
fn day() -> impl Strategy<Value = Vec<(Event, u32)>> {
    let events = prop::collection::btree_map(0..24_u32 * 60, select(EVENTS.to_vec()), 0..20);
    let few = events.prop_map(|events| {
        let mut missed = 0;
        let events = events.into_iter().map(|(minute, event)| (event, minute));
        let few = events.filter(|(event, _)| {
            missed += usize::from(*event == Event::Missed);
            *event != Event::Missed || missed <= MAX_MISSED
        });
        few.collect::<Vec<_>>()
    });
    few.prop_shuffle()
}

proptest! {
    #[test]
    fn calls_of_a_day_are_recovered_once_in_any_order(events in day()) {
        let mut contact = contact();
        let recovered: u32 = events.iter().map(|(event, minute)| record(&mut contact, *event, at(*minute))).sum();
        let is_recovered = |missed: u32| events.iter().any(|(event, minute)| event.recovers() && *minute > missed);
        let missed = events.iter().filter(|(event, _)| *event == Event::Missed);
        let truth = missed.filter(|(_, minute)| is_recovered(*minute)).count();
        prop_assert_eq!(usize::try_from(recovered).unwrap(), truth);
        prop_assert!(contact.missed.len() <= MAX_MISSED);
    }

    /// Over weeks: none is recovered twice or by something later than a day after it, if all is reported in order.
    #[test]
    fn calls_of_weeks_are_recovered_within_a_day(
        events in prop::collection::btree_map(0..20_000_u32, select(EVENTS.to_vec()), 0..60),
    ) {
        let mut contact = contact();
        let (mut recovered, mut open, mut truth) = (0, Vec::<u32>::new(), 0);
        for (minute, event) in events {
            recovered += record(&mut contact, event, at(minute));
            if event == Event::Missed {
                open.push(minute);
                let most = open.len().saturating_sub(MAX_MISSED);
                open.drain(..most);
            } else if event.recovers() {
                truth += open.iter().filter(|missed| at(minute) <= at(**missed) + RECOVERABLE).count();
                open.clear();
            }
        }
        prop_assert_eq!(usize::try_from(recovered).unwrap(), truth);
    }
}

#[test]
fn call_is_recovered_for_exactly_a_day() {
    let day = 24 * 60;
    for (minute, recovered) in [(0, 1), (1, 1), (day, 1), (day + 1, 0)] {
        let mut contact = contact();
        assert_eq!(contact.missed_call(at(0)), 0);
        assert_eq!(contact.wrote(at(minute)), recovered, "{minute}");
        assert_eq!(contact.wrote(at(minute)), 0, "{minute}");
    }
    let mut contact = contact();
    contact.missed_call(at(10));
    assert_eq!(contact.wrote(at(9)), 0, "written before");
    assert_eq!(contact.wrote(at(11)), 1);
}

/// A later report can change what a call is.
#[test]
fn outcome_reported_later_changes_what_is_missed() {
    let mut contact = contact();
    contact.missed_call(at(0));
    contact.not_missed(at(0));
    assert_eq!(contact.wrote(at(1)), 0, "it was answered after all");
    contact.record_reaching_call(at(5));
    contact.not_reached(at(5));
    assert_eq!(contact.missed_call(at(4)), 0, "nobody was reached after all");
}

/// However near another one is: its own entry may be gone.
#[test]
fn only_the_call_itself_is_taken_off() {
    for (minute, left) in [(8, vec![at(3), at(20)]), (7, vec![at(3), at(8), at(20)])] {
        let mut contact = contact();
        for minute in [3, 8, 20] {
            contact.missed_call(at(minute));
        }
        contact.not_missed(at(minute));
        let missed: Vec<Timestamp> = contact.missed.iter().map(|call| call.at).collect();
        assert_eq!(missed, left, "{minute}");
    }
    for (minute, reached) in [(4, None), (3, Some(at(4))), (5, Some(at(4)))] {
        let mut contact = contact();
        contact.record_reaching_call(at(4));
        contact.not_reached(at(minute));
        assert_eq!(contact.last_reached_at, reached, "{minute}");
    }
}
