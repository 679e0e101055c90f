//! Which caps a message is counted for, and what it takes of each.

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::{
    cap::{Cap, Scope, Take, day_of, of_plan, usual},
    config::TenantConfig,
    costs::expected,
    counting::{Charge, Listed, charged},
    country::Country,
    ids::LineId,
    message::{Attempt, Leg, Message, Recipient},
    prices::PriceBook,
    product::Currency,
    purpose::{Category, Purpose},
    tenant::Tenant,
};

/// The caps of a tenant that it can change: those that it has set, or [the usual ones](usual).
#[must_use]
pub fn caps_of(tenant: &Tenant) -> Vec<Cap> {
    tenant.caps.as_ref().map_or_else(usual, |caps| caps.to_vec())
}

/// The caps of a tenant and those of its plan.
#[must_use]
pub fn all_caps_of(tenant: &Tenant) -> Vec<Cap> {
    let mut caps = caps_of(tenant);
    caps.extend(of_plan(tenant.limits.unwrap_or_default().messages()));
    caps
}

/// Whether what messages cost has to be known for one of these caps.
#[must_use]
pub fn count_money(caps: &[Cap]) -> bool {
    caps.iter().any(|cap| cap.currency.is_some())
}

/// The caps that apply to messages of this purpose from this line to this recipient.
#[must_use]
pub fn applying(config: &TenantConfig, purpose: Purpose, line: Option<LineId>, to: &Recipient) -> Vec<Cap> {
    let country = to.country();
    let mut caps = all_caps_of(&config.tenant);
    caps.retain(|cap| cap.purpose.map_or(purpose.is_capped(), |named| named == purpose));
    let abroad = caps.iter().any(|cap| cap.scope == Scope::Abroad)
        && country.is_none_or(|country| !home(config).contains(&country));
    caps.retain(|cap| match cap.scope {
        Scope::Tenant => true,
        Scope::Line(named) => line == Some(named),
        Scope::Country(named) => country == Some(named),
        Scope::Abroad => abroad,
    });
    caps
}

/// What a message takes of these caps with one of its legs: of one of money, what it is [expected] to cost. If that cannot be told, there is no
/// room for it.
#[must_use]
pub fn takes(
    caps: Vec<Cap>,
    config: &TenantConfig,
    (category, to, leg): (Category, &Recipient, &Leg),
    (book, day): (&PriceBook, Date),
) -> Vec<Take> {
    let connection = config.connections.iter().find(|known| known.id == leg.connection);
    let by_twilio = connection.is_some_and(|connection| connection.needs_content_sid);
    let (listed, units) = Listed::planned(leg, by_twilio, category, to);
    let cost = |currency: &Currency| expected(listed, units, book, currency, day).unwrap_or(u64::MAX);
    let take = |cap: Cap| Take {
        amount: cap.currency.as_ref().map_or(1, cost),
        cap,
    };
    caps.into_iter().map(take).collect()
}

/// An attempt whose price became known.
#[derive(Debug)]
pub struct Priced<'a> {
    /// The attempt.
    pub attempt: &'a Attempt,
    charge: Charge,
}

/// The attempts of a message that were charged by this change, and are counted for caps of money.
pub fn priced<'a>(before: &'a Message, after: &'a Message) -> impl Iterator<Item = Priced<'a>> {
    let charged = charged(before, after).filter(|(attempt, _)| !attempt.expected.is_empty());
    charged.map(|(attempt, charge)| Priced { attempt, charge })
}

impl Priced<'_> {
    /// The difference from what was expected, by the numbers of caps, in millionths of their currencies' units.
    pub fn differences(&self, book: &PriceBook) -> impl Iterator<Item = (u32, i64)> {
        let day = day_of(self.attempt.claimed_at);
        self.attempt.expected.iter().filter_map(move |expected| {
            let amount = amount(&self.charge, book, &expected.currency, day)?;
            let difference = i64::try_from(amount).ok()?.checked_sub_unsigned(expected.millionths)?;
            (difference != 0).then_some((expected.cap, difference))
        })
    }
}

/// What was charged in this currency. What the provider states in another one is not known in this one.
fn amount(charge: &Charge, book: &PriceBook, currency: &Currency, day: Date) -> Option<u64> {
    match charge {
        Charge::Free(_) => Some(0),
        Charge::Stated(_, stated) => (stated.currency == *currency).then_some(stated.millionths),
        Charge::Listed(listed, units) => expected(*listed, *units, book, currency, day),
    }
}

/// The countries in which the business has numbers, and its own.
fn home(config: &TenantConfig) -> BTreeSet<Country> {
    let lines = config.lines.iter().filter_map(|line| line.number.as_ref());
    let connections = config.connections.iter();
    let numbers = connections.flat_map(|connection| connection.sms_numbers.iter().chain(&connection.whatsapp_number));
    let own = config
        .tenant
        .default_region
        .as_ref()
        .and_then(|region| region.parse().ok());
    lines
        .chain(numbers)
        .filter_map(|phone| phone.country())
        .chain(own)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    use crate::{
        cap::Period,
        message::{AttemptState, Cost, SendOutcome, StatusReport},
        prices::Money,
        samples::{Case, NOON, at, message_of, timers},
    };

    fn recipient(phone: &str) -> Recipient {
        Recipient {
            phone: Some(phone.parse().unwrap()),
            bsuid: None,
        }
    }

    fn numbers(case: &Case, purpose: Purpose, to: &Recipient) -> Vec<u32> {
        let caps = applying(&case.config, purpose, None, to);
        caps.iter().map(|cap| cap.number).collect()
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
            let message = (Category::Utility, &to, leg);
            let takes = takes(caps, &case.config, message, (PriceBook::shipped(), day));
            takes.into_iter().map(|take| take.amount).collect::<Vec<_>>()
        };
        let pounds = Cap {
            currency: "GBP".parse().ok(),
            ..dollars(8)
        };
        assert_eq!(of(usual(), &plan.legs[0]), [1; 6]);
        assert_eq!(of(vec![dollars(7), pounds], &plan.legs[0]), [15_700, u64::MAX]);
        let shipped = PriceBook::shipped();
        let sms = shipped
            .dearest("AE".parse().ok(), &"USD".parse().unwrap(), day)
            .unwrap();
        assert_eq!(of(vec![dollars(7)], &plan.legs[1]), [sms], "no list has a price for it");
    }

    #[test]
    fn what_was_expected_is_corrected_once_the_price_is_known() {
        let now = at(NOON);
        let mut message = message_of(Case::new().plan(), now);
        message.claim(0, "a".to_owned(), now, &timers());
        let take = Take {
            cap: dollars(7),
            amount: 30_000,
        };
        message.claimed_within(&[take]);
        let differences = |before: &Message, after: &Message| {
            let book = PriceBook::shipped();
            let priced = priced(before, after).flat_map(|priced| priced.differences(book).collect::<Vec<_>>());
            priced.collect::<Vec<_>>()
        };
        let mut accepted = message.clone();
        let outcome = SendOutcome::Accepted {
            provider_ref: "wamid.1".parse().unwrap(),
            segments: None,
        };
        accepted.record(1, outcome, now, &timers());
        assert_eq!(differences(&message, &accepted), []);
        let reported = |report: StatusReport| {
            let mut after = accepted.clone();
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
        let status = |state, cost| StatusReport {
            state,
            at: now,
            provider_ref: "wamid.1".parse().unwrap(),
            error: None,
            cost,
        };
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
            assert_eq!(differences(&accepted, &after), expected);
            assert_eq!(differences(&after, &after), []);
        }
    }
}
