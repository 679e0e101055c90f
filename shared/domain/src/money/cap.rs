//! Caps: maximum numbers of messages in an hour, a day or a month, or maximum costs, so that nobody can make a business spend without end.
//! A message takes its amount before it is sent, and gives it back if it was not sent.
//!
//! Hours, days and months are in UTC.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, Zoned};
use serde::{Deserialize, Serialize};

use crate::money::{Currency, Price};
use crate::terms::{Country, LineId, Purpose, Reason, Refusal};

/// Maximum caps of a tenant.
pub const MAX_CAPS: usize = 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Its number. No other cap of the tenant ever has it.
    pub number: u32,
    /// Period of the count.
    pub period: Period,
    #[serde(default)]
    pub scope: Scope,
    /// The purpose of the messages that it is for. `None`: all that are [counted without being named](Purpose::is_capped).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// The currency of its maximum, if it is of money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    /// Maximum number of messages, or, of money, of the smallest units of the currency, such as cents. 0: no messages.
    pub maximum: u32,
}

/// The name of a cap: its period, its place, its purpose, and its currency, if it is of money. A tenant has one cap of each name.
/// `hour.tenant.follow_up`, `day.abroad.any`, `month.IN.api`, `day.line_01h455vb4pex5vsknk084sn02q.any`, `day.tenant.any.USD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapName {
    /// Period of the count.
    pub period: Period,
    pub scope: Scope,
    /// The purpose of the messages that it is for.
    pub purpose: Option<Purpose>,
    /// The currency, if it is of money.
    pub currency: Option<Currency>,
}

shown_as!(CapName, {
    "type": "string",
    "description": "A cap: its period (`hour`, `day`, `month`), where it applies (`tenant`, `abroad`, a country, a line), and the purpose of \
                    its messages, or `any`. A cap of money also has the currency.",
    "pattern": "^(hour|day|month)\\.(tenant|abroad|[A-Z]{2}|line_[0-7][0-9a-hjkmnp-tv-z]{25})\\.(any|follow_up|reply|auto_reply|campaign|order|\
                payment|one_time_code|feedback|api|stop_confirmation)(\\.[A-Z]{3})?$",
    "examples": ["day.tenant.follow_up"],
});

/// A text that names no cap.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a period, a place, a purpose, and for money a currency, such as hour.tenant.follow_up, day.abroad.any or month.IN.api.USD"
)]
pub struct NotACap;

impl FromStr for CapName {
    type Err = NotACap;

    fn from_str(text: &str) -> Result<Self, NotACap> {
        let mut parts = text.split('.');
        let (Some(period), Some(place), Some(purpose)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NotACap);
        };
        let currency = match (parts.next().map(Currency::from_str), parts.next()) {
            (None, None) => None,
            (Some(Ok(currency)), None) if currency.is_in_use() => Some(currency),
            _ => return Err(NotACap),
        };
        let known = [Period::Hour, Period::Day, Period::Month];
        let purpose = match purpose {
            "any" => None,
            word => Some(
                Purpose::ALL
                    .into_iter()
                    .find(|known| known.as_str() == word)
                    .ok_or(NotACap)?,
            ),
        };
        let scope = match place {
            "tenant" => Scope::Tenant,
            "abroad" => Scope::Abroad,
            place if place.len() == 2 => Scope::Country(place.parse().map_err(|_| NotACap)?),
            place => Scope::Line(place.parse().map_err(|_| NotACap)?),
        };
        Ok(Self {
            period: known
                .into_iter()
                .find(|known| known.as_str() == period)
                .ok_or(NotACap)?,
            scope,
            purpose,
            currency,
        })
    }
}

parsed!(CapName, "cap", "day.tenant.follow_up");

impl fmt::Display for CapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.", self.period.as_str())?;
        match self.scope {
            Scope::Tenant => f.write_str("tenant")?,
            Scope::Abroad => f.write_str("abroad")?,
            Scope::Country(country) => write!(f, "{country}")?,
            Scope::Line(line) => write!(f, "{line}")?,
        }
        write!(f, ".{}", self.purpose.map_or("any", Purpose::as_str))?;
        match &self.currency {
            Some(currency) => write!(f, ".{}", currency.as_str()),
            None => Ok(()),
        }
    }
}

impl Serialize for CapName {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Period of a cap, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CapPeriod"))]
#[serde(rename_all = "snake_case")]
pub enum Period {
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A month.
    Month,
}

impl Period {
    /// The word in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The beginning of the present one.
    pub fn begin(self, now: Timestamp) -> Timestamp {
        timestamp(self.began(now))
    }

    /// The beginning of the next one.
    pub fn next(self, now: Timestamp) -> Timestamp {
        let began = self.began(now);
        timestamp(match self {
            Self::Hour => began.saturating_add(1.hour()),
            Self::Day => began.saturating_add(1.day()),
            Self::Month => began.saturating_add(1.month()),
        })
    }

    fn began(self, now: Timestamp) -> DateTime {
        let now = now.to_zoned(TimeZone::UTC);
        let date = now.date();
        match self {
            Self::Hour => date.at(now.hour(), 0, 0, 0),
            Self::Day => date.into(),
            Self::Month => date.first_of_month().into(),
        }
    }
}

fn timestamp(at: DateTime) -> Timestamp {
    at.to_zoned(TimeZone::UTC)
        .as_ref()
        .map_or(Timestamp::MAX, Zoned::timestamp)
}

/// Where a cap applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// To all messages.
    #[default]
    Tenant,
    /// To those from a line.
    Line(LineId),
    /// To those to numbers of a country.
    Country(Country),
    /// To those to countries of none of the tenant's lines.
    Abroad,
}

/// The caps of a tenant that has set none: period, place, purpose, maximum.
const USUAL: [(Period, Scope, Option<Purpose>, u32); 6] = [
    (Period::Hour, Scope::Tenant, Some(Purpose::FollowUp), 200),
    (Period::Day, Scope::Tenant, Some(Purpose::FollowUp), 1_000),
    (Period::Hour, Scope::Tenant, Some(Purpose::Api), 500),
    (Period::Day, Scope::Tenant, Some(Purpose::Api), 2_000),
    (Period::Hour, Scope::Abroad, None, 20),
    (Period::Day, Scope::Abroad, None, 50),
];

/// The caps of a tenant that has set none.
pub fn usual_caps() -> Vec<Cap> {
    let cap = |((period, scope, purpose, maximum), number)| Cap {
        number,
        period,
        scope,
        purpose,
        currency: None,
        maximum,
    };
    USUAL.into_iter().zip(1..).map(cap).collect()
}

/// The numbers of the caps of a tenant's plan: of a day, of a month. The numbers of caps that tenants set are times.
const OF_PLAN: [(u32, Period); 2] = [(101, Period::Day), (102, Period::Month)];

/// The caps of a plan, which its tenant cannot change: all messages of a day and of a month.
pub fn caps_of_plan([day, month]: [u32; 2]) -> [Cap; 2] {
    let [of_day, of_month] = OF_PLAN;
    [(of_day, day), (of_month, month)].map(|((number, period), maximum)| Cap {
        number,
        period,
        scope: Scope::Tenant,
        purpose: None,
        currency: None,
        maximum,
    })
}

/// Sets a cap: the one of that name has this maximum, or there is another one. Returns whether there is room for it.
pub fn put_cap(caps: &mut Vec<Cap>, name: &CapName, maximum: u32, now: Timestamp) -> bool {
    if let Some(known) = caps.iter_mut().find(|cap| cap.name() == *name) {
        known.maximum = maximum;
        return true;
    }
    if caps.len() >= MAX_CAPS {
        return false;
    }
    // Of the time, so that none has the number of one that was removed.
    let time = u32::try_from(now.as_second()).unwrap_or(u32::MAX);
    let next = caps
        .iter()
        .map(|cap| cap.number.saturating_add(1))
        .max()
        .unwrap_or_default();
    caps.push(Cap {
        number: next.max(time),
        period: name.period,
        scope: name.scope,
        purpose: name.purpose,
        currency: name.currency.clone(),
        maximum,
    });
    true
}

/// The cap that was raised, with its new maximum, or that was removed, with `None`. A change is of one cap.
pub fn loosened_cap<'a>(before: &'a [Cap], after: &[Cap]) -> Option<(&'a Cap, Option<u32>)> {
    let now = |cap: &Cap| {
        after
            .iter()
            .find(|known| known.name() == cap.name())
            .map(|cap| cap.maximum)
    };
    let mut all = before.iter().map(|cap| (cap, now(cap)));
    all.find(|(cap, now)| now.is_none_or(|now| now > cap.maximum))
}

/// The day, in UTC.
pub fn day_of(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// The hour of the day, in UTC.
pub fn hour_of(at: Timestamp) -> u8 {
    u8::try_from(at.as_second().rem_euclid(86_400) / 3_600).unwrap_or_default()
}

/// Counts of a day, up to the present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// Hour of the hourly counts.
    pub hour: u8,
    /// Counts by [`Cap::counter`]: messages, or millionths of a currency's unit.
    pub counts: BTreeMap<String, u64>,
}

impl Cap {
    pub fn name(&self) -> CapName {
        CapName {
            period: self.period,
            scope: self.scope,
            purpose: self.purpose,
            currency: self.currency.clone(),
        }
    }

    /// Whether it is of the tenant's plan.
    pub fn is_of_plan(&self) -> bool {
        OF_PLAN.iter().any(|(number, _)| *number == self.number)
    }

    /// The maximum in what is counted: messages, or millionths of the currency's unit.
    pub fn maximum_in_units(&self) -> u64 {
        u64::from(self.maximum) * self.currency.as_ref().map_or(1, Currency::smallest_in_millionths)
    }

    /// The maximum for people: `200 follow-ups`, `25.00 USD for messages`.
    pub fn maximum_shown(&self) -> String {
        let what = self.purpose.map_or("messages", Purpose::plural);
        match self.price() {
            None => format!("{} {what}", self.maximum),
            Some(price) => format!("{price} for {what}"),
        }
    }

    /// The maximum of money.
    pub fn price(&self) -> Option<Price> {
        let currency = self.currency.clone()?;
        let amount = self.maximum.into();
        Some(Price { amount, currency })
    }

    /// The number of its counter: its own, or the number of the plan's cap that counts the same. So such a cap counts from the beginning of
    /// its period, whenever it was set.
    pub fn counted_as(&self) -> u32 {
        let is_general = self.scope == Scope::Tenant && self.purpose.is_none() && self.currency.is_none();
        let of_plan = OF_PLAN.iter().find(|(_, period)| is_general && *period == self.period);
        of_plan.map_or(self.number, |(number, _)| *number)
    }

    /// The name of its counter within a day: `h1`, `d2`, `m3`.
    pub fn counter(&self) -> String {
        let letter = match self.period {
            Period::Hour => 'h',
            Period::Day => 'd',
            Period::Month => 'm',
        };
        format!("{letter}{}", self.counted_as())
    }

    /// Why nothing more is sent.
    pub fn refusal_when_reached(&self, now: Timestamp) -> Refusal {
        let (country, place) = match self.scope {
            Scope::Tenant => (None, String::new()),
            Scope::Line(_) => (None, " from this line".to_owned()),
            Scope::Country(country) => (Some(country), format!(" to {country}")),
            Scope::Abroad => (None, " to countries of none of its lines".to_owned()),
        };
        let (maximum, period) = (self.maximum_shown(), self.period.as_str());
        let plan = if self.is_of_plan() { " of the plan" } else { "" };
        let sentence = format!("the cap{plan} of {maximum}{place} per {period} is reached");
        let refusal = Refusal::new(Reason::CapReached, sentence).and("maximum", self.maximum);
        let refusal = refusal.and_if("currency", self.currency.as_ref().map(Currency::as_str));
        let refusal = refusal.and("period", period).and("resets_at", self.period.next(now));
        let refusal = refusal.and_if("purpose", self.purpose.map(Purpose::as_str));
        refusal.and_if("country", country.as_ref().map(Country::as_str))
    }
}

/// Amount that a message takes of a cap: one message, or its expected cost in millionths of the currency's unit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Take {
    pub cap: Cap,
    pub amount: u64,
}

impl Take {
    /// The highest count that leaves room for it, if any does.
    pub fn room(&self) -> Option<u64> {
        let room = self.cap.maximum_in_units().checked_sub(self.amount);
        room.filter(|_| self.cap.maximum > 0)
    }

    /// These together: of each cap, their sum.
    pub fn together<'a>(takes: impl IntoIterator<Item = &'a Self>) -> Vec<Self> {
        let mut together: BTreeMap<u32, Self> = BTreeMap::new();
        for take in takes {
            match together.entry(take.cap.number) {
                Entry::Occupied(known) => {
                    let sum = &mut known.into_mut().amount;
                    *sum = sum.saturating_add(take.amount);
                }
                Entry::Vacant(new) => {
                    new.insert(take.clone());
                }
            }
        }
        together.into_values().collect()
    }

    /// The changes of what is counted, by the numbers of caps, that give these back.
    pub fn given_back(takes: &[Self]) -> BTreeMap<u32, i64> {
        let less = |take: &Self| (take.cap.counted_as(), 0_i64.saturating_sub_unsigned(take.amount));
        takes.iter().map(less).collect()
    }

    /// Whether four fifths of the cap are used with it, and were not without it. The count includes it.
    pub fn nearly_reaches(&self, count: u64) -> bool {
        let near = |count: u64| count * 5 >= self.cap.maximum_in_units() * 4;
        near(count) && !near(count.saturating_sub(self.amount))
    }
}

impl Counts {
    /// The first cap that has no room for what is to be taken of it, at this time of the day.
    pub fn first_reached<'a>(&self, takes: &'a [Take], now: Timestamp) -> Option<&'a Cap> {
        self.reached_in(takes, hour_of(now))
    }

    /// The first cap without room, in an hour of the day.
    pub fn reached_in<'a>(&self, takes: &'a [Take], hour: u8) -> Option<&'a Cap> {
        let fits = |take: &Take| take.room().is_some_and(|room| self.of(&take.cap, hour) <= room);
        takes.iter().find(|take| !fits(take)).map(|take| &take.cap)
    }

    /// Counts these, too, at this time of the day.
    pub fn add(&mut self, takes: &[Take], now: Timestamp) {
        let hour = hour_of(now);
        if self.hour < hour {
            self.counts.retain(|counter, _| !counter.starts_with('h'));
            self.hour = hour;
        }
        for take in takes {
            let count = self.counts.entry(take.cap.counter()).or_default();
            *count = count.saturating_add(take.amount);
        }
    }

    /// The count for a cap, in an hour of the day.
    pub fn of(&self, cap: &Cap, hour: u8) -> u64 {
        if cap.period == Period::Hour && self.hour < hour {
            return 0;
        }
        self.counts.get(&cap.counter()).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    #[test]
    fn what_is_made_together_is_counted_together() {
        let cap = |number, period| Cap {
            number,
            period,
            maximum: 5,
            ..usual_caps().remove(0)
        };
        let (hour, day) = (cap(1, Period::Hour), cap(2, Period::Day));
        let take = |cap: &Cap, amount| Take {
            cap: cap.clone(),
            amount,
        };
        let each = [take(&hour, 1), take(&day, 1), take(&hour, 1), take(&day, 2)];
        let together = Take::together(&each);
        assert_eq!(together, [take(&hour, 2), take(&day, 3)]);
        assert_eq!(Take::given_back(&together), [(1, -2), (2, -3)].into());
        let (ten, eleven) = (at("2026-11-20T10:59:00Z"), at("2026-11-20T11:00:00Z"));
        let mut counts = Counts::default();
        counts.add(&together, ten);
        assert_eq!((counts.of(&hour, 10), counts.of(&day, 10)), (2, 3));
        assert_eq!(counts.first_reached(&[take(&day, 3)], ten), Some(&day));
        counts.add(&each[..2], eleven);
        assert_eq!((counts.of(&hour, 11), counts.of(&day, 11)), (1, 4));
    }

    #[test]
    fn names_are_read_as_they_are_written() {
        for name in [
            "hour.tenant.follow_up",
            "day.abroad.any",
            "month.IN.api",
            "day.line_01h455vb4pex5vsknk084sn02q.one_time_code",
            "month.tenant.any.KWD",
        ] {
            assert_eq!(name.parse::<CapName>().unwrap().to_string(), name);
        }
        for wrong in [
            "",
            "day.tenant",
            "week.tenant.any",
            "day.india.any",
            "day.in.any",
            "day.tenant.calls",
            "day.tenant.any.usd",
            "day.tenant.any.XXX",
            "day.tenant.any.USD.more",
        ] {
            assert!(wrong.parse::<CapName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn cap_of_a_name_is_set_once_and_keeps_its_number() {
        let mut caps = usual_caps();
        let now = at("2026-11-20T12:00:00Z");
        assert!(put_cap(&mut caps, &"day.tenant.follow_up".parse().unwrap(), 7, now));
        assert_eq!((caps.len(), caps[1].number, caps[1].maximum), (6, 2, 7));
        for hour in ["month.AE.any", "month.IN.any"] {
            assert!(put_cap(&mut caps, &hour.parse().unwrap(), 1, now));
        }
        let numbers: Vec<u32> = caps.iter().map(|cap| cap.number).collect();
        let time = u32::try_from(now.as_second()).unwrap();
        assert_eq!(numbers, [1, 2, 3, 4, 5, 6, time, time + 1]);
        let full =
            ('A'..='Z').filter(|letter| put_cap(&mut caps, &format!("day.X{letter}.any").parse().unwrap(), 1, now));
        assert_eq!(full.count(), MAX_CAPS - 8);
    }

    #[test]
    fn counts_of_an_hour_end_with_it() {
        let takes: Vec<Take> = usual_caps().into_iter().map(|cap| Take { cap, amount: 1 }).collect();
        let (now, later) = (at("2026-11-20T12:59:59Z"), at("2026-11-20T13:00:00Z"));
        let counted = |counts: &[(&str, u64)]| Counts {
            hour: 12,
            counts: counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        };
        let hour = counted(&[("h1", 200), ("d2", 999)]);
        assert_eq!(hour.first_reached(&takes, now), Some(&takes[0].cap));
        assert_eq!(hour.first_reached(&takes, later), None);
        let day = counted(&[("h1", 0), ("d2", 1_000)]);
        assert_eq!(day.first_reached(&takes, later), Some(&takes[1].cap));
    }

    fn dollars(cents: u32) -> Cap {
        Cap {
            currency: "USD".parse().ok(),
            maximum: cents,
            ..usual_caps().remove(1)
        }
    }

    #[test]
    fn there_is_room_up_to_the_maximum_and_none_in_a_cap_of_nothing() {
        let messages = |maximum, amount| {
            let cap = Cap {
                maximum,
                ..usual_caps().remove(0)
            };
            Take { cap, amount }.room()
        };
        assert_eq!(
            [messages(0, 1), messages(1, 1), messages(200, 1)],
            [None, Some(0), Some(199)]
        );
        let money = |cents, amount| {
            Take {
                cap: dollars(cents),
                amount,
            }
            .room()
        };
        assert_eq!(money(25, 15_700), Some(234_300));
        assert_eq!(money(1, 10_000), Some(0));
        assert_eq!([money(1, 10_001), money(0, 0), money(500, u64::MAX)], [None; 3]);
        let thousandths = Cap {
            currency: "KWD".parse().ok(),
            ..dollars(7)
        };
        assert_eq!(thousandths.maximum_in_units(), 7_000);
    }

    #[test]
    fn cap_is_nearly_reached_once() {
        for (maximum, expected) in [(1, 1), (2, 2), (5, 4), (10, 8), (12, 10), (200, 160)] {
            let cap = Cap {
                maximum,
                ..usual_caps().remove(0)
            };
            let take = Take { cap, amount: 1 };
            let near: Vec<u64> = (1..=maximum.into())
                .filter(|count| take.nearly_reaches(*count))
                .collect();
            assert_eq!(near, [expected], "{maximum}");
        }
        let take = Take {
            cap: dollars(100),
            amount: 300_000,
        };
        let near: Vec<u64> = [300_000, 600_000, 900_000]
            .into_iter()
            .filter(|sum| take.nearly_reaches(*sum))
            .collect();
        assert_eq!(near, [900_000]);
    }

    #[test]
    fn reached_cap_says_until_when() {
        let mut cap = usual_caps().remove(4);
        let now = at("2026-12-31T23:15:00Z");
        for (period, ends) in [
            (Period::Hour, "2027-01-01T00:00:00Z"),
            (Period::Day, "2027-01-01T00:00:00Z"),
            (Period::Month, "2027-01-01T00:00:00Z"),
        ] {
            cap.period = period;
            let refusal = cap.refusal_when_reached(now);
            assert_eq!(refusal.facts.get("resets_at"), Some(&at(ends).into()), "{period:?}");
        }
        assert_eq!(
            cap.refusal_when_reached(now).sentence,
            "the cap of 20 messages to countries of none of its lines per month is reached"
        );
        assert_eq!(
            usual_caps()[0].refusal_when_reached(now).sentence,
            "the cap of 200 follow-ups per hour is reached"
        );
        assert_eq!(
            dollars(2_505).refusal_when_reached(now).sentence,
            "the cap of 25.05 USD for follow-ups per day is reached"
        );
        assert_eq!(
            caps_of_plan([7, 8])[0].refusal_when_reached(now).sentence,
            "the cap of the plan of 7 messages per day is reached"
        );
    }

    #[test]
    fn only_raised_and_removed_caps_are_loosened() {
        let now = "2026-11-20T12:00:00Z".parse().unwrap();
        let before = usual_caps();
        let told = |name: &str, maximum: Option<u32>| {
            let (mut after, name) = (before.clone(), name.parse().unwrap());
            match maximum {
                Some(maximum) => assert!(put_cap(&mut after, &name, maximum, now)),
                None => after.retain(|cap| cap.name() != name),
            }
            loosened_cap(&before, &after).map(|(cap, maximum)| (cap.name().to_string(), cap.maximum, maximum))
        };
        let daily = "day.tenant.follow_up";
        for (name, maximum, expected) in [
            (daily, Some(1_001), true),
            (daily, None, true),
            (daily, Some(1_000), false),
            (daily, Some(0), false),
            // A new one allows less.
            ("day.tenant.any", Some(7), false),
            ("day.tenant.any", None, false),
        ] {
            let expected = expected.then(|| (daily.to_owned(), 1_000, maximum));
            assert_eq!(told(name, maximum), expected, "{name} {maximum:?}");
        }
    }
}
