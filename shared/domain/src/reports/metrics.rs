//! Reports of counters: periods of days in a tenant's time zone, and reply times of a known range.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::reports::REPLY_TIMES;
use crate::terms::{Day, Fault, FaultCode, Zone};

/// Maximum days of a report: thirteen months.
pub const MAX_METRICS_DAYS: i32 = 397;

const HOUR: i64 = 3_600;

/// Whole days in a time zone. Hours begin in UTC; each belongs to the day of its beginning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Period {
    first: Date,
    last: Date,
    zone: TimeZone,
}

/// Number of days of a period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// If no first day is given.
    pub usual: i32,
    pub most: i32,
}

impl Period {
    /// The days from one to another, which is today if it is not given.
    ///
    /// # Errors
    /// What is wrong with the first day: it is after the last one, or too long before it.
    pub fn of(
        from: Option<Day>,
        to: Option<Day>,
        Length { usual, most }: Length,
        zone: &Zone,
        now: Timestamp,
    ) -> Result<Self, Fault> {
        let zone = zone.rules().clone();
        let last = to.map_or_else(|| now.to_zoned(zone.clone()).date(), Day::get);
        let first = from.map_or_else(|| last.saturating_sub((usual - 1).days()), Day::get);
        if first > last {
            let fault = Fault::new(
                FaultCode::WrongOrder,
                "The first day must not be after the last one, `to`.",
            );
            return Err(fault.and("other", "to"));
        }
        let before = first.until(last).map_or(i32::MAX, |span| span.get_days());
        if before >= most {
            let detail = format!("The period may be at most {most} days long, with the first and the last day.");
            return Err(Fault::out_of_range(1_i64, i64::from(most), detail));
        }
        Ok(Self { first, last, zone })
    }

    pub const fn first(&self) -> Date {
        self.first
    }

    pub const fn last(&self) -> Date {
        self.last
    }

    /// All days, the first one first.
    pub fn days(&self) -> impl Iterator<Item = Date> {
        let last = self.last;
        self.first.series(1.day()).take_while(move |day| *day <= last)
    }

    /// The beginning of the first hour, and the end of the last one.
    pub fn bounds(&self) -> (Timestamp, Timestamp) {
        let after = self.last.saturating_add(1.day());
        (self.begin(self.first), self.begin(after))
    }

    /// The beginnings of all hours, the first one first.
    pub fn hours(&self) -> impl Iterator<Item = Timestamp> {
        let (from, to) = self.bounds();
        let seconds = (from.as_second()..to.as_second()).step_by(usize::try_from(HOUR).unwrap_or(1));
        seconds.filter_map(|second| Timestamp::from_second(second).ok())
    }

    /// The day of an hour.
    pub fn day_of(&self, hour: Timestamp) -> Date {
        hour.to_zoned(self.zone.clone()).date()
    }

    /// The beginning of the first hour of a day.
    fn begin(&self, day: Date) -> Timestamp {
        let begin = day.to_zoned(self.zone.clone());
        let second = begin.map_or(i64::MAX - HOUR, |begin| begin.timestamp().as_second());
        let full = second + (HOUR - second.rem_euclid(HOUR)) % HOUR;
        Timestamp::from_second(full).unwrap_or(Timestamp::MAX)
    }
}

/// Replies by the place of their bound in [`REPLY_TIMES`].
pub type Replies = [u64; REPLY_TIMES.len()];

/// The range of the median of reply times, in seconds, with both its ends. The median of an even number is between the two in the middle.
pub fn median_reply_time(replies: &Replies) -> Option<(u32, u32)> {
    let count: u64 = replies.iter().sum();
    let place_of = |rank: u64| {
        let mut before = 0;
        replies.iter().position(|replies| {
            before += replies;
            rank < before
        })
    };
    let lower = place_of(count.checked_sub(1)? / 2)?;
    let upper = place_of(count / 2)?;
    let above = lower.checked_sub(1).map_or(0, |place| REPLY_TIMES[place] + 1);
    Some((above, REPLY_TIMES[upper]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::at;

    fn day(text: &str) -> Option<Day> {
        Some(text)
            .filter(|text| !text.is_empty())
            .map(|text| text.parse().unwrap())
    }

    fn period(from: &str, to: &str, zone: &str) -> Result<Period, Fault> {
        let length = Length {
            usual: 7,
            most: MAX_METRICS_DAYS,
        };
        let zone = zone.parse().unwrap();
        Period::of(day(from), day(to), length, &zone, at("2026-11-20T20:30:00Z"))
    }

    #[test]
    fn period_has_full_days_of_the_zone_up_to_today() {
        for (from, to, zone, days, begin, end) in [
            (
                "",
                "",
                "UTC",
                "2026-11-14 2026-11-20",
                "2026-11-14T00:00:00Z",
                "2026-11-21T00:00:00Z",
            ),
            // It is the next day there.
            (
                "",
                "",
                "Asia/Dubai",
                "2026-11-15 2026-11-21",
                "2026-11-14T20:00:00Z",
                "2026-11-21T20:00:00Z",
            ),
            (
                "2026-11-20",
                "2026-11-20",
                "Asia/Kolkata",
                "2026-11-20 2026-11-20",
                "2026-11-19T19:00:00Z",
                "2026-11-20T19:00:00Z",
            ),
            // The day has 25 hours.
            (
                "2026-10-25",
                "2026-10-25",
                "Europe/London",
                "2026-10-25 2026-10-25",
                "2026-10-24T23:00:00Z",
                "2026-10-26T00:00:00Z",
            ),
            (
                "2025-10-20",
                "",
                "UTC",
                "2025-10-20 2026-11-20",
                "2025-10-20T00:00:00Z",
                "2026-11-21T00:00:00Z",
            ),
        ] {
            let period = period(from, to, zone).unwrap();
            assert_eq!(format!("{} {}", period.first(), period.last()), days, "{zone}");
            assert_eq!(period.bounds(), (at(begin), at(end)), "{zone}");
            let named: Vec<Date> = period.days().collect();
            assert_eq!((named.first(), named.last()), (Some(&period.first), Some(&period.last)));
            let hours: Vec<Timestamp> = period.hours().collect();
            assert_eq!(hours.first(), Some(&at(begin)));
            assert!(hours.iter().all(|hour| named.contains(&period.day_of(*hour))), "{zone}");
        }
    }

    #[test]
    fn period_of_years_or_backwards_is_refused() {
        for (from, to, code) in [
            ("2016-11-20", "2026-11-20", FaultCode::OutOfRange),
            ("2025-10-19", "", FaultCode::OutOfRange),
            ("0000-01-01", "9999-12-31", FaultCode::OutOfRange),
            ("2026-11-21", "", FaultCode::WrongOrder),
            ("2026-11-20", "2026-11-19", FaultCode::WrongOrder),
        ] {
            let fault = period(from, to, "UTC").unwrap_err();
            assert_eq!(fault.code, code, "{from} {to}");
        }
        let fault = period("2016-11-20", "", "UTC").unwrap_err();
        assert_eq!(
            fault.detail,
            "The period may be at most 397 days long, with the first and the last day."
        );
    }

    /// At the ends of the calendar, too.
    #[test]
    fn period_anywhere_has_bounds() {
        for (from, to) in [("9999-12-31", "9999-12-31"), ("0000-01-01", "0000-01-01")] {
            for zone in ["UTC", "Asia/Dubai", "America/New_York"] {
                let (begin, end) = period(from, to, zone).unwrap().bounds();
                assert!(begin <= end, "{from} {zone}");
            }
        }
    }

    #[test]
    fn median_is_within_its_bounds() {
        let of = |counts: &[(usize, u64)]| {
            let mut replies = [0; REPLY_TIMES.len()];
            for (place, count) in counts {
                replies[*place] = *count;
            }
            median_reply_time(&replies)
        };
        assert_eq!(of(&[]), None);
        assert_eq!(of(&[(0, 1)]), Some((0, 15)));
        assert_eq!(of(&[(0, 1), (4, 2)]), Some((121, 300)));
        // Between the second and the third.
        assert_eq!(of(&[(1, 2), (4, 2)]), Some((16, 300)));
        assert_eq!(of(&[(17, 3)]), Some((432_001, 604_800)));
    }
}
