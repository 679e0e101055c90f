//! Caps: how many messages may be sent in an hour, a day or a month, so that nobody can make a business spend without end. What is counted
//! is taken before the message is sent, and given back if it was not.
//!
//! Hours, days and months are those of UTC.

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan as _, Zoned, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    country::Country,
    ids::LineId,
    purpose::Purpose,
    refusal::{Reason, Refusal},
};

/// Maximum caps of a tenant.
pub const MAX_CAPS: usize = 20;

/// A cap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cap {
    /// Its number, by which it is counted. No other cap of the tenant ever has it.
    pub number: u32,
    /// What it is counted for.
    pub period: Period,
    /// Where it applies.
    #[serde(default)]
    pub scope: Scope,
    /// The purpose of the messages that it is for. `None`: all that are [counted without being named](Purpose::is_capped).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<Purpose>,
    /// Maximum number of messages. 0: none.
    pub maximum: u32,
}

/// What a cap is counted for, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The beginning of the next one.
    fn next(self, now: Timestamp) -> Timestamp {
        let now = now.to_zoned(TimeZone::UTC);
        let date = now.date();
        let begins = match self {
            Self::Hour => Some(date.at(now.hour(), 0, 0, 0).saturating_add(1.hour())),
            Self::Day => Some(date.saturating_add(1.day()).into()),
            Self::Month => Some(date.first_of_month().saturating_add(1.month()).into()),
        };
        let begins = begins.and_then(|begins| begins.to_zoned(TimeZone::UTC).ok());
        begins.as_ref().map_or(Timestamp::MAX, Zoned::timestamp)
    }
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
#[must_use]
pub fn usual() -> Vec<Cap> {
    let cap = |((period, scope, purpose, maximum), number)| Cap {
        number,
        period,
        scope,
        purpose,
        maximum,
    };
    USUAL.into_iter().zip(1..).map(cap).collect()
}

/// The hour of the day, in UTC.
#[must_use]
pub fn hour_of(at: Timestamp) -> u8 {
    u8::try_from(at.as_second().rem_euclid(86_400) / 3_600).unwrap_or_default()
}

/// What is counted of a day, up to the present.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counts {
    /// The hour to which the counts of hours belong.
    pub hour: u8,
    /// By [`Cap::counter`].
    pub counts: BTreeMap<String, u32>,
}

impl Cap {
    /// The name of its counter within a day: `h1`, `d2`, `m3`.
    #[must_use]
    pub fn counter(&self) -> String {
        let letter = match self.period {
            Period::Hour => 'h',
            Period::Day => 'd',
            Period::Month => 'm',
        };
        format!("{letter}{}", self.number)
    }

    /// Why nothing more is sent.
    #[must_use]
    pub fn reached(&self, now: Timestamp) -> Refusal {
        let what = self.purpose.map_or("messages", Purpose::plural);
        let (country, place) = match self.scope {
            Scope::Tenant => (None, String::new()),
            Scope::Line(_) => (None, " from this line".to_owned()),
            Scope::Country(country) => (Some(country), format!(" to {country}")),
            Scope::Abroad => (None, " to countries of none of its lines".to_owned()),
        };
        let (maximum, period) = (self.maximum, self.period.as_str());
        let sentence = format!("the cap of {maximum} {what} per {period}{place} is reached");
        let refusal = Refusal::new(Reason::CapReached, sentence).and("maximum", maximum);
        let refusal = refusal.and("period", period).and("resets_at", self.period.next(now));
        let refusal = refusal.and_if("purpose", self.purpose.map(Purpose::as_str));
        refusal.and_if("country", country.as_ref().map(Country::as_str))
    }
}

impl Counts {
    /// The first of these caps that is reached, at this time of the day.
    #[must_use]
    pub fn first_reached<'a>(&self, caps: &'a [Cap], now: Timestamp) -> Option<&'a Cap> {
        self.reached_in(caps, hour_of(now))
    }

    /// The same in an hour of the day.
    #[must_use]
    pub fn reached_in<'a>(&self, caps: &'a [Cap], hour: u8) -> Option<&'a Cap> {
        caps.iter().find(|cap| self.of(cap, hour) >= cap.maximum)
    }

    /// What is counted for a cap.
    fn of(&self, cap: &Cap, hour: u8) -> u32 {
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
    fn counts_of_an_hour_end_with_it() {
        let caps = usual();
        let (now, later) = (at("2026-11-20T12:59:59Z"), at("2026-11-20T13:00:00Z"));
        let counted = |counts: &[(&str, u32)]| Counts {
            hour: 12,
            counts: counts
                .iter()
                .map(|(name, count)| ((*name).to_owned(), *count))
                .collect(),
        };
        let hour = counted(&[("h1", 200), ("d2", 999)]);
        assert_eq!(hour.first_reached(&caps, now), Some(&caps[0]));
        assert_eq!(hour.first_reached(&caps, later), None);
        let day = counted(&[("h1", 0), ("d2", 1_000)]);
        assert_eq!(day.first_reached(&caps, later), Some(&caps[1]));
    }

    #[test]
    fn reached_cap_says_until_when() {
        let mut cap = usual().remove(4);
        let now = at("2026-12-31T23:15:00Z");
        for (period, ends) in [
            (Period::Hour, "2027-01-01T00:00:00Z"),
            (Period::Day, "2027-01-01T00:00:00Z"),
            (Period::Month, "2027-01-01T00:00:00Z"),
        ] {
            cap.period = period;
            let refusal = cap.reached(now);
            assert_eq!(refusal.facts.get("resets_at"), Some(&at(ends).into()), "{period:?}");
        }
        assert_eq!(
            cap.reached(now).sentence,
            "the cap of 20 messages per month to countries of none of its lines is reached"
        );
        assert_eq!(
            usual()[0].reached(now).sentence,
            "the cap of 200 follow-ups per hour is reached"
        );
    }
}
