//! Retention follows the tenant's setting, whatever a provider's clock says.

use domain::{
    Timestamp,
    contact::{Contact, Identity},
    ids::ContactId,
    retention::Retention,
};
use jiff::SignedDuration;
use proptest::prelude::*;
use ulid::Ulid;

fn days(days: u32) -> SignedDuration {
    SignedDuration::from_hours(24 * i64::from(days))
}

fn retention() -> impl Strategy<Value = Retention> {
    let days = || Retention::FEWEST_DAYS..=Retention::MOST_DAYS;
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
