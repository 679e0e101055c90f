//! A policy never allows what its purpose forbids, however it was narrowed, and survives being stored and read.

use domain::terms::{
    Basis, CancelEvent, Category, Lane, Limit, Narrowing, PURPOSE_TABLE, Policy, Purpose, QuietAction, QuietHours,
    QuietRule, WhenUnknown, Zone, is_quiet,
};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

const UTC: &[Zone] = &[Zone::UTC];

const CATEGORIES: [Category; 4] = [
    Category::Utility,
    Category::Marketing,
    Category::Authentication,
    Category::Service,
];

fn quiet() -> impl Strategy<Value = QuietHours> {
    let action = select(vec![QuietAction::Defer, QuietAction::Send, QuietAction::Skip]);
    (0_i8..24, 0_i8..24, action).prop_map(|(from, to, action)| QuietHours {
        from: format!("{from:02}:00").parse().unwrap(),
        to: format!("{to:02}:00").parse().unwrap(),
        action,
    })
}

prop_compose! {
    fn narrowing()(
        opt_in in any::<bool>(),
        quiet in option::of(quiet()),
        seconds in option::of(0_i64..1_000_000),
        fallback_after_seconds in select(vec![0_u32, 120, 3600]),
        when_unknown in option::of(select(vec![WhenUnknown::NextChannel, WhenUnknown::Stop, WhenUnknown::SendAgain])),
        bulk in any::<bool>(),
        capped_as in option::of(select(Purpose::ALL.to_vec())),
    ) -> Narrowing {
        let validity = seconds.map(SignedDuration::from_secs);
        Narrowing { opt_in, quiet, validity, fallback_after_seconds, when_unknown, bulk, capped_as }
    }
}

/// A measure of how much goes out after an unknown outcome.
fn boldness(when_unknown: WhenUnknown) -> u8 {
    match when_unknown {
        WhenUnknown::Stop => 0,
        WhenUnknown::NextChannel => 1,
        WhenUnknown::SendAgain => 2,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_narrowed_policy_never_allows_what_its_row_forbids(
        row in select(PURPOSE_TABLE.to_vec()),
        category in select(CATEGORIES.to_vec()),
        by in narrowing(),
        tenants in option::of(quiet()),
    ) {
        let policy = Policy::for_purpose(row.purpose, category, &by);
        let Some(kind) = row.kind(category) else {
            prop_assert!(policy.is_err());
            return Ok(());
        };
        let policy = policy.unwrap();
        prop_assert!(policy.validity() <= row.validity);
        prop_assert!(kind.validity.is_none_or(|most| policy.validity() <= most));
        prop_assert!(policy.unknown_after() <= row.unknown_after);
        prop_assert!(boldness(policy.when_unknown()) <= boldness(kind.when_unknown));
        prop_assert!(policy.needs_opt_in() || kind.basis != Basis::OptIn);
        prop_assert!(policy.needs_opt_in() || !by.opt_in);
        prop_assert_eq!(policy.basis(), kind.basis);
        prop_assert!(policy.lane() == kind.lane || policy.lane() == Lane::Bulk);
        prop_assert_eq!(policy.stop(), row.stop);
        for limit in [Limit::Cooldown, Limit::Frequency] {
            prop_assert_eq!(policy.obeys(limit), kind.obeys.contains(&limit));
            prop_assert_eq!(policy.counts(limit), kind.counts.contains(&limit));
        }
        for event in row.cancelled_by {
            prop_assert!(policy.is_cancelled_by(*event));
        }
        let quiet = policy.quiet_hours(tenants);
        let rule = kind.quiet.unwrap_or(row.quiet);
        for minute in (0..24 * 60).step_by(30) {
            let at = Timestamp::from_second(minute * 60).unwrap();
            let within = |hours: Option<QuietHours>| hours.is_some_and(|hours| is_quiet(at, &TimeZone::UTC, &hours));
            let said = quiet.at(at, UTC);
            let expected = match rule {
                QuietRule::Ignore => within(by.quiet),
                QuietRule::AsChosen => within(by.quiet.or(tenants)),
                // The sender's own hours hold, and the tenant's.
                QuietRule::Wait => within(by.quiet) || within(tenants),
            };
            prop_assert_eq!(said.is_some(), expected, "{}: {:?}, of the tenant {:?}", at, by.quiet, tenants);
            let waits = said.is_none_or(|(hours, _)| hours.action != QuietAction::Send);
            prop_assert!(waits || rule != QuietRule::Wait);
            if minute % 240 == 0 {
                let allowed = quiet.next_allowed(at, UTC);
                let horizon = at + SignedDuration::from_hours(48);
                prop_assert!(at <= allowed && allowed <= horizon);
                prop_assert!(allowed == horizon || quiet.at(allowed, UTC).is_none());
            }
        }

        let kept = serde_json::to_string(&policy).unwrap();
        prop_assert_eq!(serde_json::from_str::<Policy>(&kept).unwrap(), policy);
    }

    /// Editing the table by hand cannot make a message do more than its purpose allows.
    #[test]
    fn stored_policy_is_narrowed_again_when_read(
        row in select(PURPOSE_TABLE.to_vec()),
        seconds in any::<u32>(),
        when_unknown in select(vec!["next_channel", "stop", "send_again"]),
    ) {
        for kind in row.kinds {
            let kept = serde_json::json!({
                "purpose": row.purpose, "category": kind.category, "valid_seconds": seconds, "when_unknown": when_unknown,
            });
            let policy: Policy = serde_json::from_value(kept).unwrap();
            prop_assert!(policy.validity() <= row.validity);
            prop_assert!(boldness(policy.when_unknown()) <= boldness(kind.when_unknown));
        }
    }
}

/// Its outreach waits for the morning and may take a day.
#[test]
fn feedback_script_answers_at_once_or_not_at_all() {
    let night = serde_json::json!({"from": "21:00", "to": "08:00"});
    let tenants: Option<QuietHours> = serde_json::from_value(night).unwrap();
    let midnight = Timestamp::UNIX_EPOCH;
    let limits = |category| {
        let policy = Policy::for_purpose(Purpose::Feedback, category, &Narrowing::default()).unwrap();
        let quiet = policy.quiet_hours(tenants).at(midnight, UTC);
        (policy.validity(), quiet.is_some())
    };
    assert_eq!(limits(Category::Service), (SignedDuration::from_mins(15), false));
    assert_eq!(limits(Category::Utility), (SignedDuration::from_hours(24), true));
    assert_eq!(limits(Category::Marketing), (SignedDuration::from_hours(24), true));
}

#[test]
fn stop_cancels_all_but_replies_codes_and_its_own_confirmation() {
    let others: Vec<Purpose> = PURPOSE_TABLE
        .iter()
        .filter(|row| !row.cancelled_by.contains(&CancelEvent::Stop))
        .map(|row| row.purpose)
        .collect();
    let expected = [Purpose::Reply, Purpose::OneTimeCode, Purpose::StopConfirmation];
    assert_eq!(others, expected);
}
