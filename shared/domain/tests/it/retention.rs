//! Retention follows the tenant's setting, whatever a provider's clock says.

use domain::Timestamp;
use domain::calls::{Call, Entry, Grounds, Received};
use domain::messages::{InboundMessage, Sender};
use domain::people::{Contact, Identity};
use domain::telephony::{CallFacts, CallProvider, Outcome};
use domain::tenants::Retention;
use domain::terms::{CallId, Category, Channel, ContactId, Facts, MessageId, Narrowing, Policy, Purpose};
use jiff::SignedDuration;
use proptest::option;
use proptest::prelude::*;
use ulid::Ulid;

use crate::messages::planned_message;

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

fn retention() -> impl Strategy<Value = Retention> {
    let days = || Retention::FEWEST_DAYS..=Retention::MAX_DAYS;
    (days(), days()).prop_map(|(calls_days, messages_days)| Retention {
        calls_days,
        messages_days,
    })
}

proptest! {
    #[test]
    fn retention_counts_from_the_event_if_recorded_in_time(
        retention in retention(),
        now in 1_700_000_000_i64..2_000_000_000,
        late in 0_i64..=14 * 86_400,
        milliseconds in 0_i64..1000,
    ) {
        let at = Timestamp::from_millisecond((now - late) * 1000 + milliseconds).unwrap();
        let second = Timestamp::from_second(now - late).unwrap();
        let now = Timestamp::from_second(now).unwrap().max(at);
        prop_assert_eq!(retention.call_until(at, now), second + days(retention.calls_days));
        prop_assert_eq!(retention.message_until(at, now), second + days(retention.messages_days));
    }

    #[test]
    fn wrong_clock_neither_shortens_nor_extends_retention(
        retention in retention(),
        now in 1_700_000_000_i64..2_000_000_000,
        at in prop_oneof![any::<i32>().prop_map(i64::from), Just(-377_705_023_201), Just(253_402_207_200)],
    ) {
        let (now, at) = (Timestamp::from_second(now).unwrap(), Timestamp::from_second(at).unwrap());
        for (until, most) in [
            (retention.call_until(at, now), retention.calls_days),
            (retention.message_until(at, now), retention.messages_days),
        ] {
            prop_assert!(until <= now + days(most));
            prop_assert!(until >= now + days(most) - days(Retention::LATEST_DAYS));
        }
    }
}

#[test]
fn every_identity_of_a_new_contact_is_in_its_row() {
    let id = ContactId::new(Ulid::from_parts(1, 1));
    let at = Timestamp::UNIX_EPOCH;
    for identity in [
        Identity::Sip("sip:ann@example.org".to_owned()),
        Identity::Withheld("conn_00000000000000000000000001".parse().unwrap()),
        Identity::Phone("+447700900111".parse().unwrap()),
        Identity::Bsuid("AE.1".to_owned()),
    ] {
        assert_eq!(Contact::first_seen(id, &identity, at).known_by(), [identity]);
    }
}

fn call(first_report: Timestamp, decided_at: Timestamp, started_at: Option<Timestamp>, decided_again: u32) -> Call {
    let contact = ContactId::new(Ulid::from_parts(1, 1));
    let ms = u64::try_from(first_report.as_millisecond()).unwrap();
    Call {
        id: CallId::new(contact, Ulid::from_parts(ms, 1)),
        connection: "conn_00000000000000000000000001".parse().unwrap(),
        provider: CallProvider::Telephony,
        provider_call_id: "17".to_owned(),
        facts: CallFacts {
            started_at,
            ..CallFacts::default()
        },
        outcome: Outcome::Missed,
        decided_at,
        decision: String::new(),
        reason: String::new(),
        because: Facts::NONE,
        grounds: Grounds::default(),
        message: None,
        decided_again,
        recovered: 0,
        noted_at: None,
        remarks: vec![],
        correlation_id: "cor".to_owned(),
        keep_until: None,
        version: 1,
    }
}

fn received_message(at: Timestamp) -> Received {
    let contact = ContactId::new(Ulid::from_parts(1, 1));
    Received {
        id: MessageId::new(contact, Ulid::from_parts(1, 2)),
        connection: "conn_00000000000000000000000001".parse().unwrap(),
        line: None,
        message: InboundMessage {
            channel: Channel::Sms,
            provider_ref: "SM1".parse().unwrap(),
            from: Sender::default(),
            to: None,
            at,
            kind: "text".to_owned(),
            cut: false,
            text: None,
            payload: None,
            media: vec![],
            shared: None,
            reply_to: None,
            opt_flag: None,
            standby: false,
            opens_window: true,
        },
        remarks: vec![],
        recovered: 0,
        answers_after: vec![],
        templates: vec![],
        answer: None,
        correlation_id: "cor".to_owned(),
        keep_until: None,
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Long after everything.
fn far_future() -> Timestamp {
    second(2_100_000_000)
}

proptest! {
    /// So applying a policy to what was recorded under it changes nothing.
    #[test]
    fn what_is_stored_is_kept_as_if_it_were_recorded(
        retention in retention(),
        decided in 1_700_000_000_i64..2_000_000_000,
        ago in option::of(any::<i32>()),
    ) {
        let started = ago.map(|ago| second(decided - i64::from(ago)));
        let decided = second(decided);
        let recorded = retention.call_until(started.unwrap_or(decided), decided);
        let stored = Entry::Call(Box::new(call(decided, decided, started, 0)));
        prop_assert_eq!(retention.of(&stored, far_future()), Some(recorded));
        let recorded = retention.message_until(decided, decided);
        prop_assert_eq!(retention.of(&Entry::Received(Box::new(received_message(decided))), far_future()), Some(recorded));
        // A message from the future comes from a wrong clock.
        prop_assert_eq!(retention.of(&Entry::Received(Box::new(received_message(far_future()))), decided), Some(recorded));
    }

    /// No policy lets expire what still waits: a message that may be sent, a call that may be decided again soon.
    #[test]
    fn every_policy_keeps_what_waits_for_weeks(
        retention in retention(),
        reported in 1_700_000_000_i64..2_000_000_000,
        ago in option::of(any::<i32>()),
        minutes in 0_i64..5_000,
        decided_again in 0_u32..3,
    ) {
        let started = ago.map(|ago| second(reported - i64::from(ago)));
        let decided = second(reported + if decided_again > 0 { minutes * 60 } else { 0 });
        let call = call(second(reported), decided, started, decided_again);
        let until = retention.of(&Entry::Call(Box::new(call)), far_future()).unwrap();
        let least = days(Retention::FEWEST_DAYS - Retention::LATEST_DAYS);
        prop_assert!(until >= second(reported) + least);

        for (purpose, category) in [
            (Purpose::FollowUp, Category::Utility),
            (Purpose::OneTimeCode, Category::Authentication),
            (Purpose::Payment, Category::Utility),
        ] {
            let policy = Policy::for_purpose(purpose, category, &Narrowing::default()).unwrap();
            let message = planned_message(1, policy);
            let last = message.created_at + message.policy.validity();
            let until = retention.of(&Entry::Sent(Box::new(message)), far_future()).unwrap();
            prop_assert_eq!(until, retention.message_until(last, last));
            prop_assert!(until >= last + days(Retention::FEWEST_DAYS));
        }
    }
}
