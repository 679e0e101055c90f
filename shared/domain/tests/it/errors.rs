//! Error classes are total, and a status never leads to a second send.

use domain::messages::{Stage, classify_error};
use domain::terms::{Api, ErrorClass};
use jiff::SignedDuration;
use proptest::prelude::*;

fn api() -> impl Strategy<Value = Api> {
    prop_oneof![Just(Api::WhatsAppCloud), Just(Api::Twilio)]
}

/// All possible codes, and more often the neighbourhoods of those in the tables.
fn code() -> impl Strategy<Value = Option<i64>> {
    prop_oneof![
        Just(None),
        any::<i64>().prop_map(Some),
        (0_i64..400).prop_map(Some),
        (11_000_i64..64_000).prop_map(Some),
        (130_000_i64..140_000).prop_map(Some),
        (2_388_000_i64..2_500_000).prop_map(Some),
    ]
}

/// Tries every code near those in the tables, one by one: random codes would miss most rows.
#[test]
fn no_status_of_any_known_code_leads_to_a_second_send() {
    let near = (0..1_000)
        .chain(11_000..12_000)
        .chain(20_000..22_000)
        .chain(30_000..31_000);
    let near = near.chain(63_000..64_000).chain(80_000..80_100).chain(130_000..140_000);
    for code in near.chain(2_388_000..2_389_000).chain(2_494_000..2_495_000) {
        for api in [Api::WhatsAppCloud, Api::Twilio] {
            let status = classify_error(api, Stage::Status, None, Some(code));
            assert!(
                !matches!(status.class, ErrorClass::RetryAfter | ErrorClass::WaitForStatus),
                "{code}"
            );
        }
    }
}

proptest! {
    #[test]
    fn every_code_has_a_class_and_a_status_is_final(
        api in api(),
        http in any::<Option<u16>>(),
        code in code(),
    ) {
        let answer = classify_error(api, Stage::Answer, http, code);
        prop_assert_eq!(answer.class == ErrorClass::RetryAfter, answer.first_wait > 0);
        prop_assert!(!answer.meaning.is_empty());
        let status = classify_error(api, Stage::Status, http, code);
        prop_assert!(!matches!(status.class, ErrorClass::RetryAfter | ErrorClass::WaitForStatus));
        prop_assert_eq!(status.effect, answer.effect);
    }

    #[test]
    fn server_error_without_a_known_code_waits_for_a_status(api in api(), http in 500_u16..600) {
        prop_assert_eq!(classify_error(api, Stage::Answer, Some(http), None).class, ErrorClass::WaitForStatus);
    }

    #[test]
    fn waits_grow_to_an_hour(api in api(), code in code(), tries in any::<u32>()) {
        let classified = classify_error(api, Stage::Answer, Some(400), code);
        let wait = classified.back_off(tries);
        prop_assert!(wait >= SignedDuration::from_secs(1));
        prop_assert!(wait <= SignedDuration::from_hours(1));
        prop_assert!(wait <= classified.back_off(tries.saturating_add(1)));
    }
}
