//! Which caps a message is counted for, and what it takes of each.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::messages::{Attempt, Leg, Message};
use crate::money::{Cap, Currency, PriceBook, Scope, Take, caps_of_plan, day_of, usual_caps};
use crate::reports::{Charge, Listed, charge_of, expected_cost};
use crate::tenants::{Tenant, TenantConfig};
use crate::terms::{Category, Country, LineId, Policy, Recipient};

/// The caps of a tenant that it can change: those that it has set, or [the usual ones](usual_caps).
pub fn caps_of(tenant: &Tenant) -> Vec<Cap> {
    tenant.caps.as_ref().map_or_else(usual_caps, |caps| caps.to_vec())
}

/// The caps of a tenant and its plan.
pub fn all_caps_of(tenant: &Tenant) -> Vec<Cap> {
    let mut caps = caps_of(tenant);
    caps.extend(caps_of_plan(tenant.limits.unwrap_or_default().messages()));
    caps
}

/// Whether what messages cost has to be known for one of these caps.
pub fn count_money(caps: &[Cap]) -> bool {
    caps.iter().any(|cap| cap.currency.is_some())
}

/// The caps that apply to a message with this policy from this line to this recipient: the lowest of each counter.
pub fn applying_caps(config: &TenantConfig, policy: &Policy, line: Option<LineId>, to: &Recipient) -> Vec<Cap> {
    let country = to.country();
    let mut caps = all_caps_of(&config.tenant);
    caps.retain(|cap| policy.is_counted_for(cap.purpose));
    let abroad = caps.iter().any(|cap| cap.scope == Scope::Abroad)
        && country.is_none_or(|country| !home(config).contains(&country));
    caps.retain(|cap| match cap.scope {
        Scope::Tenant => true,
        Scope::Line(named) => line == Some(named),
        Scope::Country(named) => country == Some(named),
        Scope::Abroad => abroad,
    });
    let all = caps.clone();
    let lower = |cap: &Cap, other: &Cap| {
        other.counted_as() == cap.counted_as() && (other.maximum, other.number) < (cap.maximum, cap.number)
    };
    caps.retain(|cap| !all.iter().any(|other| lower(cap, other)));
    caps
}

/// Entry of price lists that a message falls under with one of its legs, as far as it is known before it is sent, and its number of segments.
pub fn price_entry(config: &TenantConfig, category: Category, to: &Recipient, leg: &Leg) -> (Listed, u32) {
    let connection = config.connection(leg.connection);
    let by_twilio = connection.is_some_and(|connection| connection.needs_content_sid);
    Listed::of_planned_leg(leg, by_twilio, category, to)
}

/// Amounts that a message takes of these caps with one of its legs. A cap of money counts its [expected cost](expected_cost); if that is
/// unknown, there is no room for it.
pub fn takes_of_caps(
    caps: Vec<Cap>,
    config: &TenantConfig,
    category: Category,
    to: &Recipient,
    leg: &Leg,
    book: &PriceBook,
    day: Date,
) -> Vec<Take> {
    let (listed, units) = price_entry(config, category, to, leg);
    let cost = |currency: &Currency| expected_cost(listed, units, book, currency, day).unwrap_or(u64::MAX);
    let take = |cap: Cap| Take {
        amount: cap.currency.as_ref().map_or(1, cost),
        cap,
    };
    caps.into_iter().map(take).collect()
}

/// An attempt whose price became known, or another one.
#[derive(Debug)]
pub struct Priced<'a> {
    pub attempt: &'a Attempt,
    before: Option<Charge>,
    after: Option<Charge>,
}

/// The attempts of a message that are counted for caps of money, and whose prices changed.
pub fn priced_attempts<'a>(before: &'a Message, after: &'a Message) -> impl Iterator<Item = Priced<'a>> {
    let counted = after.attempts.iter().filter(|attempt| !attempt.expected.is_empty());
    counted.filter_map(|attempt| {
        let known = before.attempts.iter().find(|known| known.number == attempt.number);
        let before = known.and_then(|known| charge_of(before, known));
        let after = charge_of(after, attempt);
        (before != after).then_some(Priced { attempt, before, after })
    })
}

impl Priced<'_> {
    /// The differences from what is counted, by the numbers of caps, in millionths of their currencies' units.
    pub fn differences(&self, book: &PriceBook) -> impl Iterator<Item = (u32, i64)> {
        let day = day_of(self.attempt.claimed_at);
        self.attempt.expected.iter().filter_map(move |expected| {
            let counted = |charge: &Option<Charge>| {
                let known = charge
                    .as_ref()
                    .and_then(|charge| amount(charge, book, &expected.currency, day));
                i64::try_from(known.unwrap_or(expected.millionths)).ok()
            };
            let difference = counted(&self.after)?.checked_sub(counted(&self.before)?)?;
            (difference != 0).then_some((expected.cap, difference))
        })
    }
}

/// The charge in this currency. `None` if the provider states it in another one.
fn amount(charge: &Charge, book: &PriceBook, currency: &Currency, day: Date) -> Option<u64> {
    match charge {
        Charge::Free(_) => Some(0),
        Charge::Stated(_, stated) => (stated.currency == *currency).then_some(stated.millionths),
        Charge::Listed(listed, units) => expected_cost(*listed, *units, book, currency, day),
    }
}

/// The business's own country, and the countries of its numbers.
fn home(config: &TenantConfig) -> BTreeSet<Country> {
    let lines = config.lines.iter().filter_map(|line| line.number.as_ref());
    let connections = config.connections.iter();
    let numbers = connections.flat_map(|connection| connection.sms_numbers.iter().chain(&connection.whatsapp_number));
    let called = lines.chain(numbers).filter_map(|phone| phone.country());
    called.chain(config.tenant.country()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;
    use jiff::civil::date;

    use crate::messages::{AttemptState, Cost, Evidence, SendOutcome, StatusReport};
    use crate::money::{Money, Period};
    use crate::samples::{self, Case, NOON, accepted_outcome, at, message_of, timers};
    use crate::terms::{Narrowing, Purpose};

    fn recipient(phone: &str) -> Recipient {
        Recipient {
            phone: Some(phone.parse().unwrap()),
            bsuid: None,
        }
    }

    fn policy(purpose: Purpose, by: &Narrowing) -> Policy {
        let categories = [
            Category::Utility,
            Category::Service,
            Category::Marketing,
            Category::Authentication,
        ];
        let mut policies = categories
            .into_iter()
            .map(|category| Policy::for_purpose(purpose, category, by));
        policies.find_map(Result::ok).unwrap()
    }

    fn numbers(case: &Case, purpose: Purpose, to: &Recipient) -> Vec<u32> {
        let caps = applying_caps(&case.config, &policy(purpose, &Narrowing::default()), None, to);
        caps.iter().map(|cap| cap.number).collect()
    }

    #[test]
    fn repeated_message_is_counted_for_its_first_purpose_too() {
        let by = Narrowing {
            capped_as: Some(Purpose::FollowUp),
            ..Narrowing::default()
        };
        let caps = applying_caps(
            &Case::new().config,
            &policy(Purpose::Api, &by),
            None,
            &recipient("+971501234567"),
        );
        let numbers: Vec<u32> = caps.iter().map(|cap| cap.number).collect();
        assert_eq!(numbers, [1, 2, 3, 4, 101, 102]);
    }

    #[test]
    fn caps_of_all_messages_share_the_counters_of_the_plan() {
        let mut case = Case::new();
        let to = recipient("+971501234567");
        for (maximum, lower) in [(5, 9), (u32::MAX, 101)] {
            let own = Cap {
                maximum,
                currency: None,
                ..dollars(9)
            };
            assert_eq!(own.counter(), "d101");
            case.config.tenant.caps = Some(vec![own].into());
            assert_eq!(numbers(&case, Purpose::Api, &to), [lower, 102]);
        }
    }

    #[test]
    fn usual_caps_apply_by_purpose_and_country() {
        let case = Case::new();
        let (home, abroad) = (recipient("+971501234567"), recipient("+237671234567"));
        for (purpose, at_home, elsewhere) in [
            (Purpose::FollowUp, &[1, 2, 101, 102][..], &[1, 2, 5, 6, 101, 102][..]),
            (Purpose::Api, &[3, 4, 101, 102], &[3, 4, 5, 6, 101, 102]),
            (Purpose::Campaign, &[101, 102], &[5, 6, 101, 102]),
            (Purpose::Reply, &[], &[]),
            (Purpose::AutoReply, &[], &[]),
            (Purpose::OneTimeCode, &[], &[]),
            (Purpose::StopConfirmation, &[], &[]),
        ] {
            assert_eq!(numbers(&case, purpose, &home), at_home, "{purpose:?}");
            assert_eq!(numbers(&case, purpose, &abroad), elsewhere, "{purpose:?}");
        }
        let nowhere = recipient("+88812345678");
        assert_eq!(
            numbers(&case, Purpose::Campaign, &nowhere),
            [5, 6, 101, 102],
            "a number of no country"
        );
    }

    #[test]
    fn exempt_purposes_are_capped_where_a_cap_names_them() {
        let mut case = Case::new();
        let named = Cap {
            number: 9,
            period: Period::Day,
            scope: Scope::Country("AE".parse().unwrap()),
            purpose: Some(Purpose::Reply),
            currency: None,
            maximum: 0,
        };
        case.config.tenant.caps = Some(vec![named].into());
        let to = recipient("+971501234567");
        assert_eq!(numbers(&case, Purpose::Reply, &to), [9]);
        assert_eq!(
            numbers(&case, Purpose::FollowUp, &to),
            [101, 102],
            "the usual ones are replaced, those of the plan are not"
        );
    }
    fn dollars(number: u32) -> Cap {
        Cap {
            number,
            period: Period::Day,
            scope: Scope::Tenant,
            purpose: None,
            currency: "USD".parse().ok(),
            maximum: 100,
        }
    }

    #[test]
    fn message_takes_one_or_what_it_is_expected_to_cost() {
        let case = Case::new();
        let plan = case.plan();
        let day = date(2026, 11, 20);
        let to = recipient("+971501234567");
        let of = |caps: Vec<Cap>, leg: &Leg| {
            let book = PriceBook::shipped_prices();
            let takes = takes_of_caps(caps, &case.config, Category::Utility, &to, leg, book, day);
            takes.into_iter().map(|take| take.amount).collect::<Vec<_>>()
        };
        let pounds = Cap {
            currency: "GBP".parse().ok(),
            ..dollars(8)
        };
        assert_eq!(of(usual_caps(), &plan.legs[0]), [1; 6]);
        assert_eq!(of(vec![dollars(7), pounds], &plan.legs[0]), [15_700, u64::MAX]);
        let shipped = PriceBook::shipped_prices();
        let sms = shipped
            .dearest("AE".parse().ok(), &"USD".parse().unwrap(), day)
            .unwrap();
        assert_eq!(of(vec![dollars(7)], &plan.legs[1]), [sms], "no list has a price for it");
    }

    /// A message whose claim has taken 0.03 dollars of a cap.
    fn counted_in_money() -> (Message, Timestamp) {
        let now = at(NOON);
        let mut message = message_of(Case::new().plan(), now);
        message.claim(0, "a".to_owned(), now, &timers());
        let take = Take {
            cap: dollars(7),
            amount: 30_000,
        };
        message.claimed_within(&[take]);
        (message, now)
    }

    #[test]
    fn what_was_expected_is_corrected_once_the_price_is_known() {
        let (message, now) = counted_in_money();
        let differences = |before: &Message, after: &Message| {
            let book = PriceBook::shipped_prices();
            let priced = priced_attempts(before, after).flat_map(|priced| priced.differences(book).collect::<Vec<_>>());
            priced.collect::<Vec<_>>()
        };
        let mut sent = message.clone();
        sent.record(1, accepted_outcome(), now, &timers());
        assert_eq!(differences(&message, &sent), []);
        let reported = |report: StatusReport| {
            let mut after = sent.clone();
            after.apply(1, report, now, &timers());
            after
        };
        let cost = |billable, amount: Option<Money>| Cost {
            category: "utility".to_owned(),
            kind: None,
            billable: Some(billable),
            units: 1,
            amount,
        };
        let status = |state, cost| samples::report(state, cost, now);
        let delivered = |cost| status(AttemptState::Delivered, Some(cost));
        let stated = Money {
            millionths: 20_000,
            currency: "USD".parse().unwrap(),
        };
        let elsewhere = Money {
            currency: "EUR".parse().unwrap(),
            ..stated
        };
        for (report, expected) in [
            (delivered(cost(true, None)), &[(7, -14_300)][..]),
            (delivered(cost(true, Some(stated))), &[(7, -10_000)]),
            (delivered(cost(true, Some(elsewhere))), &[]),
            (delivered(cost(false, None)), &[(7, -30_000)]),
            (status(AttemptState::Failed, None), &[(7, -30_000)]),
        ] {
            let after = reported(report);
            assert_eq!(differences(&sent, &after), expected);
            assert_eq!(differences(&after, &after), []);
        }
        let failed = reported(status(AttemptState::Failed, None));
        let mut delivered_after_all = failed.clone();
        delivered_after_all.apply(1, delivered(cost(true, None)), now, &timers());
        assert_eq!(differences(&failed, &delivered_after_all), [(7, 15_700)]);
    }

    #[test]
    fn attempt_that_was_not_taken_holds_nothing_of_caps() {
        let (mut message, now) = counted_in_money();
        let reason = "no answer".to_owned();
        message.record(1, SendOutcome::Unknown { reason }, now, &timers());
        let later = now + message.policy.unknown_after();
        message.give_up_waiting(Evidence::NotTaken, later, &timers());
        let attempt = &message.attempts[0];
        assert!(attempt.cap_amounts().is_empty());
        assert_eq!(attempt.expected[0].millionths, 0);
    }
}
