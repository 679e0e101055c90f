//! Applying a retention policy to calls and messages that are stored already: the operation, and an estimate of its costs.
//!
//! A tenant's day counters say how many calls and messages it had. A few weeks of counters are read one by one and give the exact number.
//! Of a longer history, whole weeks are read and stand for the months around them.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::calls::{Call, Entry, Received};
use crate::messages::Message;
use crate::tenants::Retention;
use crate::terms::{TenantId, time_of_id};

/// Parameters of the operation `apply_retention`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRetention {
    /// The policy when the operation was started. Later changes of it do not affect the operation.
    pub retention: Retention,
    /// The first day that may have calls and messages, in UTC.
    pub first: Date,
    /// The estimated number of calls and messages.
    pub total: u64,
}

/// Result of the operation `apply_retention`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedRetention {
    /// Calls with another time of expiry than before.
    pub calls: u64,
    /// Messages with another time of expiry than before.
    pub messages: u64,
    /// Calls and messages that had the right one.
    pub unchanged: u64,
    /// Changed calls and messages that have expired: they are hidden, and deleted within days.
    pub expired: u64,
}

impl AppliedRetention {
    /// Number of calls and messages so far.
    pub const fn processed_count(&self) -> u64 {
        self.calls + self.messages + self.unchanged
    }
}

impl ApplyRetention {
    /// Maximum calls and messages a second.
    pub const PER_SECOND: u32 = 300;
}

/// The days that may have calls and messages of a tenant, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// The day of the tenant's creation.
    pub first: Date,
    pub last: Date,
}

impl Past {
    /// Maximum days: nothing is retained for longer.
    pub const MAX_DAYS: u32 = Retention::MAX_DAYS + Retention::LATEST_DAYS + 1;

    /// Maximum days whose counters are read.
    pub const MAX_COUNTED: u32 = PARTS * WEEK;

    /// The past of a tenant, whose id begins with the time of its creation.
    pub fn of(tenant: TenantId, now: Timestamp) -> Self {
        let last = day(now);
        let earliest = last.saturating_sub(i64::from(Self::MAX_DAYS).days());
        let created = i64::try_from(tenant.ulid().timestamp_ms()).unwrap_or(i64::MAX);
        // An id that somebody made up says nothing.
        let created = Timestamp::from_millisecond(created).map_or(earliest, day);
        let first = if created > last { earliest } else { created };
        Self {
            first: first.max(earliest),
            last,
        }
    }

    /// The first day that may list something: it may have happened before the tenant was created.
    pub fn first_listed(&self) -> Date {
        self.first.saturating_sub(i64::from(Retention::LATEST_DAYS).days())
    }

    /// True if all days are counted, not only some of them.
    pub fn is_counted(&self) -> bool {
        self.days() <= Self::MAX_COUNTED
    }

    fn days(&self) -> u32 {
        until(self.first, self.last) + 1
    }

    /// The days in stretches, with the days of each whose counters are to be read. Days of a week differ, so these are whole weeks,
    /// unless they are all days.
    pub fn stretches(&self) -> Vec<Stretch> {
        let days = self.days();
        let from = |offset: u32| self.first.saturating_add(i64::from(offset).days());
        if self.is_counted() {
            let alone = |offset| Stretch {
                first: from(offset),
                days: 1,
                counted: vec![from(offset)],
            };
            return (0..days).map(alone).collect();
        }
        let part = |number: u32| {
            let (begin, end) = (number * days / PARTS, (number + 1) * days / PARTS);
            let middle = begin + (end - begin - WEEK) / 2;
            Stretch {
                first: from(begin),
                days: end - begin,
                counted: (middle..middle + WEEK).map(from).collect(),
            }
        };
        (0..PARTS).map(part).collect()
    }
}

/// Stretches of a past that is not counted day by day.
const PARTS: u32 = 8;

const WEEK: u32 = 7;

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Days from one to the other; 0 if that is not later.
fn until(from: Date, to: Date) -> u32 {
    let days = from.until(to).map_or(0, |span| span.get_days());
    u32::try_from(days).unwrap_or(0)
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stretch {
    /// The first of them.
    pub first: Date,
    pub days: u32,
    /// Days to read the counters of, never none.
    pub counted: Vec<Date>,
}

impl Stretch {
    /// The number for the whole stretch, rounded up, from a count of the counted days.
    fn scale_to_stretch(&self, counted: u64) -> u64 {
        let read = u64::try_from(self.counted.len()).unwrap_or(1).max(1);
        counted.saturating_mul(self.days.into()).div_ceil(read)
    }

    /// The part of a number that falls on the days before this one, rounded up.
    fn before(&self, day: Date, number: u64) -> u64 {
        let days = until(self.first, day).min(self.days);
        number.saturating_mul(days.into()).div_ceil(self.days.max(1).into())
    }
}

/// Calls and messages that were recorded, by day counters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    pub calls: u64,
    /// Messages in both directions.
    pub messages: u64,
}

impl Recorded {
    /// Adds the counters of a day.
    pub fn add(&mut self, counters: &BTreeMap<String, u64>) {
        for (name, count) in counters {
            match name.as_str() {
                "calls" => self.calls += count,
                "messages" => self.messages += count,
                name if name.starts_with("received_") => self.messages += count,
                _ => {}
            }
        }
    }
}

/// Effects and maximum costs of applying a policy. Calls and messages that were deleted since are included, because the
/// counters do not know of that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Estimate {
    pub calls: u64,
    /// Messages in both directions.
    pub messages: u64,
    /// Calls that are older than the policy allows.
    pub expiring_calls: u64,
    /// Messages that are older than the policy allows.
    pub expiring_messages: u64,
    /// Reports of calls that expire with them.
    reports: u64,
    days: u64,
}

/// Write units of a call or message: it has about one KiB, few have more.
const UNITS_PER_ROW: u64 = 2;

/// Days that reports of a call are retained, unless the call expires before.
const REPORTS_DAYS: u32 = 60;

/// Prices of a million units on demand, in millionths of a US dollar: <https://aws.amazon.com/dynamodb/pricing/on-demand/>, us-east-1.
/// Other regions cost up to half as much more.
mod price {
    /// $0.625.
    pub(crate) const WRITE_UNITS: u64 = 625_000;
    /// $0.125.
    pub(crate) const READ_UNITS: u64 = 125_000;
}

impl Estimate {
    /// The estimate for a policy, by what was recorded on the counted days of each stretch.
    pub fn of(retention: Retention, today: Date, recorded: &[(Stretch, Recorded)]) -> Self {
        let earliest = |days: u32| today.saturating_sub(i64::from(days).days());
        let shortened = retention.calls_days < REPORTS_DAYS;
        let mut all = Self::default();
        for (stretch, counted) in recorded {
            let (calls, messages) = (
                stretch.scale_to_stretch(counted.calls),
                stretch.scale_to_stretch(counted.messages),
            );
            all.calls += calls;
            all.messages += messages;
            all.expiring_calls += stretch.before(earliest(retention.calls_days), calls);
            all.expiring_messages += stretch.before(earliest(retention.messages_days), messages);
            if shortened {
                all.reports += calls - stretch.before(earliest(REPORTS_DAYS), calls);
            }
            all.days += u64::from(stretch.days);
        }
        all
    }

    /// Calls and messages together.
    pub const fn rows(&self) -> u64 {
        self.calls.saturating_add(self.messages)
    }

    /// Units that writing costs.
    pub const fn write_units(&self) -> u64 {
        self.rows().saturating_mul(UNITS_PER_ROW).saturating_add(self.reports)
    }

    /// Units that reading costs: each row, and a page of both lists of each day.
    pub const fn read_units(&self) -> u64 {
        self.rows().saturating_add(self.days)
    }

    /// Costs of reading and writing in millionths of a US dollar, rounded up.
    pub const fn micro_dollars(&self) -> u64 {
        let writing = self.write_units().saturating_mul(price::WRITE_UNITS);
        let reading = self.read_units().saturating_mul(price::READ_UNITS);
        writing.saturating_add(reading).div_ceil(1_000_000)
    }

    /// Seconds that it takes at least.
    pub const fn seconds(&self) -> u64 {
        self.rows().div_ceil(ApplyRetention::PER_SECOND as u64)
    }
}

impl Retention {
    /// Expiry of something stored under this policy: the same as if it had been recorded under it. `now` is any later
    /// time; a customer's message from after it comes from a wrong clock. `None` for entries without retention.
    pub fn of(&self, entry: &Entry, now: Timestamp) -> Option<Timestamp> {
        match entry {
            Entry::Call(call) => Some(self.of_call(call)),
            Entry::Sent(message) => Some(self.of_message(message)),
            Entry::Received(received) => Some(self.of_received(received, now)),
            Entry::Consent(_) | Entry::Record(_) => None,
        }
    }

    fn of_call(&self, call: &Call) -> Timestamp {
        // Another decision says nothing about the time of the first, but the id begins with that of the first report.
        let recorded = if call.decided_again == 0 {
            call.decided_at
        } else {
            time_of_id(call.id.own())
        };
        self.call_until(call.facts.started_at.unwrap_or(recorded), recorded)
    }

    /// Counts from the last moment that allows sending it.
    fn of_message(&self, message: &Message) -> Timestamp {
        let last = message.created_at + message.policy.validity();
        self.message_until(last, last)
    }

    /// Uses the provider's time alone: the row does not say when it was recorded.
    fn of_received(&self, received: &Received, now: Timestamp) -> Timestamp {
        let at = received.message.at.min(now);
        self.message_until(at, at)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;
    use ulid::Ulid;

    use super::*;
    use crate::samples::at;

    fn past(days: u32) -> Past {
        let last = date(2026, 11, 20);
        Past {
            first: last.saturating_sub(i64::from(days - 1).days()),
            last,
        }
    }

    fn tenant_created_at(at: Timestamp) -> TenantId {
        let ms = u64::try_from(at.as_millisecond()).unwrap();
        TenantId::new(Ulid::from_parts(ms, 7))
    }

    proptest! {
        #[test]
        fn stretches_cover_each_day_once_and_read_few(days in 1_u32..=Past::MAX_DAYS) {
            let past = past(days);
            let stretches = past.stretches();
            let mut next = past.first;
            let mut counted = 0;
            for stretch in &stretches {
                prop_assert_eq!(stretch.first, next);
                next = next.saturating_add(i64::from(stretch.days).days());
                for day in &stretch.counted {
                    prop_assert!(stretch.first <= *day && *day < next);
                }
                // Whole weeks, unless it is every day.
                let read = u32::try_from(stretch.counted.len()).unwrap();
                prop_assert!(read == WEEK || read == stretch.days);
                counted += read;
            }
            prop_assert_eq!(next, past.last.tomorrow().unwrap());
            prop_assert!(counted <= Past::MAX_COUNTED);
            prop_assert_eq!(counted == days, past.is_counted());
        }

        /// Of a business with as many calls and messages each day, nothing is guessed.
        #[test]
        fn even_days_are_estimated_exactly(days in 1_u32..=Past::MAX_DAYS, calls_days in 30_u32..=3_650) {
            let past = past(days);
            let of = |stretch: Stretch| {
                let read = u64::try_from(stretch.counted.len()).unwrap();
                (stretch, Recorded { calls: 3 * read, messages: 5 * read })
            };
            let recorded: Vec<_> = past.stretches().into_iter().map(of).collect();
            let retention = Retention { calls_days, messages_days: 3_650 };
            let estimate = Estimate::of(retention, past.last, &recorded);
            prop_assert_eq!((estimate.calls, estimate.messages), (3 * u64::from(days), 5 * u64::from(days)));
            // Today is the day zero.
            let older = u64::from(days.saturating_sub(1 + calls_days));
            prop_assert_eq!(estimate.expiring_calls, 3 * older);
            let reports = if calls_days < 60 { 3 * u64::from(days.min(61)) } else { 0 };
            prop_assert_eq!(estimate.reports, reports);
        }
    }

    #[test]
    fn the_past_begins_with_the_tenant_and_is_bounded() {
        let now = at("2026-11-20T12:00:00Z");
        let first = |created: TenantId| Past::of(created, now).first;
        assert_eq!(first(tenant_created_at(at("2026-03-01T23:59:59Z"))), date(2026, 3, 1));
        let earliest = date(2026, 11, 20).saturating_sub(i64::from(Past::MAX_DAYS).days());
        assert_eq!(first(tenant_created_at(at("2001-01-01T00:00:00Z"))), earliest);
        // Of an id that names no time of the past, everything is looked at.
        assert_eq!(first(tenant_created_at(at("2027-01-01T00:00:00Z"))), earliest);
        assert_eq!(first(TenantId::new(Ulid(u128::MAX))), earliest);
    }

    #[test]
    fn a_million_messages_cost_what_the_price_list_says() {
        let counters: BTreeMap<String, u64> = [
            ("calls", 0),
            ("calls_missed", 7),
            ("messages", 400_000),
            ("received_sms", 100_000),
            ("received_whatsapp", 500_000),
            ("delivered_sms", 9),
        ]
        .map(|(name, count)| (name.to_owned(), count))
        .into();
        let mut recorded = Recorded::default();
        recorded.add(&counters);
        let stretch = past(1).stretches().remove(0);
        let estimate = Estimate::of(Retention::default(), stretch.first, &[(stretch, recorded)]);
        assert_eq!(estimate.rows(), 1_000_000);
        assert_eq!((estimate.write_units(), estimate.read_units()), (2_000_000, 1_000_001));
        // $1.25 and $0.125.
        assert_eq!(estimate.micro_dollars(), 1_375_001);
        assert_eq!(estimate.seconds(), 3_334);
    }
}
