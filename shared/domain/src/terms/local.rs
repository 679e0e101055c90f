//! Local times and days in their written form: `09:00`, `2026-12-02`, `2026-12-02T09:00`.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};
use serde::{Serialize, Serializer};

/// A local time of day, to the minute: `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(Time);

shown_as!(LocalTime, {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:00"]});

impl LocalTime {
    pub const MIDNIGHT: Self = Self(Time::midnight());

    pub const fn get(self) -> Time {
        self.0
    }
}

/// A day: `2026-12-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

shown_as!(Day, {"type": "string", "format": "date"});

impl Day {
    pub const fn get(self) -> Date {
        self.0
    }
}

/// A day with a time, to the minute, as clocks show them: `2026-12-02T09:00`. It is another instant in each time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalDateTime(DateTime);

shown_as!(LocalDateTime, {
    "type": "string",
    "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T([01][0-9]|2[0-3]):[0-5][0-9]$",
    "examples": ["2026-12-02T09:00"],
});

impl LocalDateTime {
    /// The first and the last zone to reach a time, east and west of the date line.
    const FIRST: Offset = Offset::constant(14);
    const LAST: Offset = Offset::constant(-12);

    /// The instant when clocks show it in a time zone: the first one if they show it twice, and if they skip it, as
    /// much later as they are put forward.
    pub fn in_zone(self, rules: &TimeZone) -> Timestamp {
        rules.to_timestamp(self.0).unwrap_or_else(|_| self.last())
    }

    /// The instant when clocks first show it anywhere.
    pub fn first(self) -> Timestamp {
        self.at(Self::FIRST)
    }

    /// The instant when clocks have shown it everywhere.
    pub fn last(self) -> Timestamp {
        self.at(Self::LAST)
    }

    /// The instant at this offset. At the end of all times, it is the last instant.
    fn at(self, offset: Offset) -> Timestamp {
        offset.to_timestamp(self.0).unwrap_or(Timestamp::MAX)
    }
}

/// A text in another form than the example.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected {what} such as {example}")]
pub struct NotLike {
    what: &'static str,
    example: &'static str,
}

impl NotLike {
    const TIME: Self = Self {
        what: "a time of day",
        example: "09:00",
    };
    const DAY: Self = Self {
        what: "a day",
        example: "2026-12-02",
    };
    const DATE_TIME: Self = Self {
        what: "a day with a time",
        example: "2026-12-02T09:00",
    };

    /// Parses a text with digits and separators in the same places as the example. `jiff` alone accepts other forms, too.
    fn parse_like_example<T: FromStr>(self, text: &str) -> Result<T, Self> {
        let same = |(own, other): (u8, u8)| own == other || (own.is_ascii_digit() && other.is_ascii_digit());
        let alike = text.len() == self.example.len() && text.bytes().zip(self.example.bytes()).all(same);
        let value = if alike { text.parse().ok() } else { None };
        value.ok_or(self)
    }
}

impl FromStr for LocalTime {
    type Err = NotLike;

    fn from_str(text: &str) -> Result<Self, NotLike> {
        NotLike::TIME.parse_like_example(text).map(Self)
    }
}

impl fmt::Display for LocalTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%H:%M").fmt(f)
    }
}

impl FromStr for Day {
    type Err = NotLike;

    fn from_str(text: &str) -> Result<Self, NotLike> {
        NotLike::DAY.parse_like_example(text).map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for LocalDateTime {
    type Err = NotLike;

    fn from_str(text: &str) -> Result<Self, NotLike> {
        NotLike::DATE_TIME.parse_like_example(text).map(Self)
    }
}

impl fmt::Display for LocalDateTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.strftime("%Y-%m-%dT%H:%M").fmt(f)
    }
}

parsed!(LocalTime, "time_of_day", "09:00");
parsed!(Day, "day", "2026-12-02");
parsed!(LocalDateTime, "day_and_time", "2026-12-02T09:00");

/// Serializes as the text.
macro_rules! as_text {
    ($($type:ty),+) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }
    )+};
}

as_text!(LocalTime, Day, LocalDateTime);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_time_is_an_instant_in_each_zone() {
        let instant = |local: &str, zone: &str| {
            let zone = TimeZone::get(zone).unwrap();
            local.parse::<LocalDateTime>().unwrap().in_zone(&zone).to_string()
        };
        assert_eq!(instant("2026-12-02T09:00", "Asia/Dubai"), "2026-12-02T05:00:00Z");
        // Clocks skip half past two on this morning, and show it twice on that one.
        assert_eq!(instant("2026-03-29T02:30", "Europe/Berlin"), "2026-03-29T01:30:00Z");
        assert_eq!(instant("2026-10-25T02:30", "Europe/Berlin"), "2026-10-25T00:30:00Z");
        let everywhere = "2026-12-02T09:00".parse::<LocalDateTime>().unwrap();
        let (first, last) = (everywhere.first(), everywhere.last());
        assert_eq!(first.to_string(), "2026-12-01T19:00:00Z");
        assert_eq!(last.to_string(), "2026-12-02T21:00:00Z");
        assert_eq!(instant("2026-12-02T09:00", "Pacific/Kiritimati"), first.to_string());
        assert_eq!(instant("2026-12-02T09:00", "Etc/GMT+12"), last.to_string());
        let never = "9999-12-31T23:59".parse::<LocalDateTime>().unwrap();
        assert_eq!((never.first(), never.last()), (Timestamp::MAX, Timestamp::MAX));
        assert_eq!(never.in_zone(&TimeZone::UTC), Timestamp::MAX);
    }

    #[test]
    fn times_and_days_have_one_written_form() {
        assert_eq!("09:05".parse::<LocalTime>().unwrap().to_string(), "09:05");
        for wrong in ["9:00", "09:00:00", "24:00", "09:60", "0900", "T09:00", "", "٠٩:00"] {
            assert_eq!(wrong.parse::<LocalTime>(), Err(NotLike::TIME), "{wrong}");
        }
        assert_eq!("2026-12-02".parse::<Day>().unwrap().to_string(), "2026-12-02");
        for wrong in ["2026-02-30", "20261202", "2026-12-02T09:00", "+002026-12-02", ""] {
            assert_eq!(wrong.parse::<Day>(), Err(NotLike::DAY), "{wrong}");
        }
        let both = "2026-12-02T09:05".parse::<LocalDateTime>().unwrap();
        assert_eq!(both.to_string(), "2026-12-02T09:05");
        for wrong in [
            "2026-12-02",
            "2026-12-02 09:05",
            "2026-12-02T9:05",
            "2026-12-02T24:00",
            "2026-12-02T09:05Z",
            "",
        ] {
            assert_eq!(wrong.parse::<LocalDateTime>(), Err(NotLike::DATE_TIME), "{wrong}");
        }
    }
}
