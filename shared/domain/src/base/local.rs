//! Local times and days in their written form: `09:00`, `2026-12-02`.

use std::{fmt, str::FromStr};

use jiff::civil::{Date, Time};
use serde::{Serialize, Serializer};

/// A local time of day, to the minute: `09:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LocalTime(Time);

shown_as!(LocalTime, {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$", "examples": ["09:00"]});

impl LocalTime {
    /// Midnight.
    pub const MIDNIGHT: Self = Self(Time::midnight());

    /// The time.
    pub const fn get(self) -> Time {
        self.0
    }
}

/// A day: `2026-12-02`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

shown_as!(Day, {"type": "string", "format": "date"});

impl Day {
    /// The date.
    pub const fn get(self) -> Date {
        self.0
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

    /// Parses a text with digits and separators in the same places as the example. `jiff` alone accepts other forms, too.
    fn parsed<T: FromStr>(self, text: &str) -> Result<T, Self> {
        let same = |(own, other): (u8, u8)| own == other || (own.is_ascii_digit() && other.is_ascii_digit());
        let alike = text.len() == self.example.len() && text.bytes().zip(self.example.bytes()).all(same);
        let value = if alike { text.parse().ok() } else { None };
        value.ok_or(self)
    }
}

impl FromStr for LocalTime {
    type Err = NotLike;

    fn from_str(text: &str) -> Result<Self, NotLike> {
        NotLike::TIME.parsed(text).map(Self)
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
        NotLike::DAY.parsed(text).map(Self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

parsed!(LocalTime, "time_of_day", "09:00");
parsed!(Day, "day", "2026-12-02");

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

as_text!(LocalTime, Day);

#[cfg(test)]
mod tests {
    use super::*;

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
    }
}
