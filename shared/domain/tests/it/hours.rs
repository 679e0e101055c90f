//! Quiet hours across daylight-saving changes, in many zones.

use domain::tenants::{Tenant, is_business_open, next_opening};
use domain::terms::{LocalTime, QuietAction, QuietHours, is_quiet, next_allowed};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

/// Zones that change their clocks at odd hours, by odd amounts, around midnight, often, or never.
const ZONES: &[&str] = &[
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Havana",
    "America/Los_Angeles",
    "America/New_York",
    "America/Santiago",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Dubai",
    "Asia/Hebron",
    "Asia/Jerusalem",
    "Asia/Kathmandu",
    "Asia/Kolkata",
    "Atlantic/Azores",
    "Australia/Lord_Howe",
    "Europe/Dublin",
    "Europe/London",
    "Europe/Paris",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "UTC",
];

fn zone() -> impl Strategy<Value = TimeZone> {
    prop::sample::select(ZONES).prop_map(|name| TimeZone::get(name).unwrap())
}

fn time() -> impl Strategy<Value = LocalTime> {
    let minute = prop_oneof![0_i8..60, prop::sample::select(vec![0_i8, 30])];
    (0_i8..24, minute).prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}").parse().unwrap())
}

/// Any instant within some years, or one near a clock change.
fn instant(zone: TimeZone) -> impl Strategy<Value = Timestamp> {
    let years = 1_700_000_000_i64..1_900_000_000;
    (years, any::<bool>(), -90_000_i64..90_000).prop_map(move |(second, near, by)| {
        let at = Timestamp::from_second(second).unwrap();
        match zone.following(at).next() {
            Some(change) if near => change.timestamp() + SignedDuration::from_secs(by),
            _ => at,
        }
    })
}

fn case() -> impl Strategy<Value = (TimeZone, Timestamp)> {
    zone().prop_flat_map(|zone| (Just(zone.clone()), instant(zone)))
}

fn span() -> impl Strategy<Value = String> {
    (time(), time()).prop_map(|(from, to)| format!(r#"{{"from": "{from}", "to": "{to}"}}"#))
}

fn spans() -> impl Strategy<Value = String> {
    prop::collection::vec(span(), 0..3).prop_map(|spans| format!("[{}]", spans.join(",")))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn deferred_message_avoids_quiet_hours_within_48_hours(
        (zone, at) in case(),
        from in time(),
        to in time(),
    ) {
        let quiet = QuietHours { from, to, action: QuietAction::Defer };
        let allowed = next_allowed(at, &zone, &quiet);
        prop_assert!(!is_quiet(allowed, &zone, &quiet), "{} {}", zone.iana_name().unwrap(), allowed);
        prop_assert!(at <= allowed);
        prop_assert!(allowed <= at + SignedDuration::from_hours(48));
        prop_assert_eq!(next_allowed(allowed, &zone, &quiet), allowed);
        // It is the first such instant: all earlier ones are quiet, checked every seven minutes.
        let mut before = at;
        while before < allowed {
            prop_assert!(is_quiet(before, &zone, &quiet), "{} {} {}", zone.iana_name().unwrap(), at, before);
            before += SignedDuration::from_mins(7);
        }
    }
}

proptest! {
    #[test]
    fn next_opening_is_the_first_open_time(
        (zone, at) in case(),
        monday in spans(),
        thursday in spans(),
        sunday in spans(),
    ) {
        let tenant: Tenant = serde_json::from_str(&format!(
            r#"{{"id": "tnt_00000000000000000000000001", "name": "Shop", "time_zone": "{}",
                "business_hours": {{"monday": {monday}, "thursday": {thursday}, "sunday": {sunday}}}}}"#,
            zone.iana_name().unwrap()
        ))
        .unwrap();
        let never = [&monday, &thursday, &sunday].iter().all(|spans| *spans == "[]");
        match next_opening(&tenant, None, at) {
            None => prop_assert!(never),
            Some(opening) => {
                prop_assert!(at <= opening);
                prop_assert!(is_business_open(&tenant, None, opening), "{opening}");
                let mut before = at;
                while before < opening {
                    prop_assert!(!is_business_open(&tenant, None, before), "{before}");
                    before += SignedDuration::from_mins(61);
                }
            }
        }
    }
}
