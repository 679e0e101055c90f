//! Refusals of providers change once what a number may send, in whatever order they are learnt.

use domain::Timestamp;
use domain::messages::{Stage, classify_error};
use domain::tenants::{Connection, Health, Sealed, Throughput};
use domain::terms::{Api, Channel, ConnectionId, Effect, Lane};
use jiff::SignedDuration;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{from_value, json};
use ulid::Ulid;

/// Refusals that change a connection, and others that change none.
const CODES: [i64; 10] = [130429, 4, 80007, 131057, 2_494_100, 133016, 131048, 190, 131049, 131056];

fn connection() -> Connection {
    let account = json!({
        "kind": "whatsapp", "waba_id": "900000000000101", "phone_number_id": "910000000000101", "display_number": "+971501234567",
    });
    let (id, name) = (ConnectionId::new(Ulid::nil()), "WhatsApp".to_owned());
    Connection::new(id, name, from_value(account).unwrap(), Sealed(String::new()), None)
}

fn at(millis: i64) -> Timestamp {
    let noon: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    noon + SignedDuration::from_millis(millis)
}

/// Messages that were refused: their codes, and when they were sent, in milliseconds from when the first refusal was learnt.
fn refused_messages() -> impl Strategy<Value = Vec<(i64, i64)>> {
    prop::collection::vec((select(CODES.to_vec()), -2_000..=5_000_i64), 1..20)
}

/// The connection after these refusals, one each 50 milliseconds. Each is worked that many times.
fn after(refusals: &[(i64, i64)], again: usize) -> Connection {
    let mut known = connection();
    for turn in 0..=again {
        for (place, (code, sent_at)) in refusals.iter().enumerate() {
            let error = classify_error(Api::WhatsAppCloud, Stage::Status, None, Some(*code));
            // Worked again, each is learnt at a later time.
            let now = at(50 * i64::try_from(place + turn * refusals.len()).unwrap());
            known = known.after_error(&error, None, at(*sent_at), now).unwrap_or(known);
        }
    }
    known
}

proptest! {
    /// Half of the standard, once, however many were refused, and a pause for each reason at least as long as it asks for.
    #[test]
    fn a_burst_of_refusals_teaches_once_in_every_order(refusals in refused_messages(), again in 0..3_usize) {
        let known = after(&refusals, again);
        let effects = refusals.iter().map(|(code, _)| classify_error(Api::WhatsAppCloud, Stage::Status, None, Some(*code)).effect);
        let effects: Vec<Effect> = effects.collect();
        let first = effects.iter().position(|effect| matches!(effect, Effect::Throttle(_)));
        let learnt = known.throttled.map(|learnt| (learnt.limit, learnt.at));
        prop_assert_eq!(learnt, first.map(|place| (40, at(50 * i64::try_from(place).unwrap()))));
        let worked = i64::try_from(effects.len() * (again + 1)).unwrap();
        let pauses = effects.iter().enumerate().filter_map(|(place, effect)| match effect {
            Effect::PauseNumber(seconds) | Effect::Throttle(seconds) => {
                let last = i64::try_from(place + again * effects.len()).unwrap();
                Some(at(50 * last) + SignedDuration::from_secs((*seconds).into()))
            }
            _ => None,
        });
        prop_assert_eq!(known.paused_until, pauses.max());
        let broken = effects.contains(&Effect::ConnectionUnhealthy);
        prop_assert_eq!(matches!(known.health, Health::Unhealthy { .. }), broken);
        // Nothing is sent too fast from then on.
        let now = at(50 * worked);
        if first.is_some() {
            let throughput = known.throughput(Channel::WhatsApp, now).unwrap();
            prop_assert!(throughput.is_leased(Lane::Answers) && throughput.limit() < 80 && throughput.room(Lane::Bulk) <= 40);
        } else {
            prop_assert_eq!(known.throughput(Channel::WhatsApp, now), Some(Throughput::of(80, None, now)));
        }
    }
}
