//! Waits between the steps of a drip, by the clocks of the person's place. Correct across changes of the clock.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, civil};
use serde::{Deserialize, Serialize};

use crate::terms::{Fault, FaultCode, LocalTime, Whole};

/// Maximum days of a wait.
pub const MAX_WAIT_DAYS: u32 = 365;

/// A wait. It begins with the end of the step before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DripWait"))]
#[serde(tag = "until", rename_all = "snake_case", deny_unknown_fields)]
pub enum Wait {
    /// For a while.
    Passed {
        /// Days: the same time of day as many days later.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(example = 2))]
        days: Whole<0, MAX_WAIT_DAYS>,
        /// Hours beyond.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(example = 4))]
        hours: Whole<0, 23>,
        /// Minutes beyond.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(example = 30))]
        minutes: Whole<0, 59>,
    },
    /// Until the next time that clocks show this.
    TimeOfDay {
        /// Local time.
        at: LocalTime,
    },
    /// Until the next time that clocks show this on this day.
    Weekday {
        /// Day of the week.
        day: Weekday,
        /// Local time.
        at: LocalTime,
    },
}

/// A day of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Weekday {
    /// Monday.
    Monday,
    /// Tuesday.
    Tuesday,
    /// Wednesday.
    Wednesday,
    /// Thursday.
    Thursday,
    /// Friday.
    Friday,
    /// Saturday.
    Saturday,
    /// Sunday.
    Sunday,
}

impl From<Weekday> for civil::Weekday {
    fn from(day: Weekday) -> Self {
        match day {
            Weekday::Monday => Self::Monday,
            Weekday::Tuesday => Self::Tuesday,
            Weekday::Wednesday => Self::Wednesday,
            Weekday::Thursday => Self::Thursday,
            Weekday::Friday => Self::Friday,
            Weekday::Saturday => Self::Saturday,
            Weekday::Sunday => Self::Sunday,
        }
    }
}

/// Days to search for the next time of a weekday: a zone may skip one.
const DAYS_OF_SEARCH: usize = 16;

impl Wait {
    /// The problem with it, for its author.
    pub fn problem(&self) -> Option<Fault> {
        let Self::Passed { days, hours, minutes } = self else {
            return None;
        };
        let none = days.get() == 0 && hours.get() == 0 && minutes.get() == 0;
        let detail = "A wait of no time would be none. Set some time, or remove the step.";
        none.then(|| {
            Fault::new(FaultCode::OutOfRange, detail)
                .and("minimum", 1_u32)
                .and("maximum", MAX_WAIT_DAYS)
        })
    }

    /// Its end, if it begins at this instant: later than that. A local time that does not exist, because clocks are put forward, is as
    /// much later as they are; one that exists twice is the first of both.
    pub fn until(&self, after: Timestamp, zone: &TimeZone) -> Timestamp {
        match *self {
            Self::Passed { days, hours, minutes } => {
                let local = after.to_zoned(zone.clone());
                let later = local.saturating_add(i64::from(days.get()).days());
                later.timestamp() + i64::from(hours.get()).hours() + i64::from(minutes.get()).minutes()
            }
            Self::TimeOfDay { at } => next(after, zone, at, None),
            Self::Weekday { day, at } => next(after, zone, at, Some(day.into())),
        }
    }
}

/// The first instant after this one when clocks show this time, on this day of the week if one is named.
fn next(after: Timestamp, zone: &TimeZone, time: LocalTime, day: Option<civil::Weekday>) -> Timestamp {
    let fits = |instant: &Timestamp| {
        let weekday = instant.to_zoned(zone.clone()).weekday();
        after < *instant && day.is_none_or(|day| day == weekday)
    };
    let instants = instants_of_local_time(after, zone, time).map(|(instant, _)| instant);
    // In the last days that there are.
    instants.filter(fits).min().unwrap_or(Timestamp::MAX)
}

/// The instants of this local time on the day of an instant and on some further ones, each with its day: where clocks are put forward
/// at midnight, it can be an instant of the next one.
pub(crate) fn instants_of_local_time(
    from: Timestamp,
    zone: &TimeZone,
    time: LocalTime,
) -> impl Iterator<Item = (Timestamp, civil::Date)> {
    let today = from.to_zoned(zone.clone()).date();
    today.series(1.day()).take(DAYS_OF_SEARCH).filter_map(move |date| {
        let local = civil::DateTime::from_parts(date, time.get());
        Some((zone.to_ambiguous_timestamp(local).compatible().ok()?, date))
    })
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use proptest::prelude::*;

    use super::*;
    use crate::samples::at;

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    fn read(wait: serde_json::Value) -> Wait {
        serde_json::from_value(wait).unwrap()
    }

    #[test]
    fn waits_end_by_the_clocks_of_the_place() {
        let passed = |days: u32, hours: u32| read(serde_json::json!({"until": "passed", "days": days, "hours": hours}));
        let time = |at: &str| read(serde_json::json!({"until": "time_of_day", "at": at}));
        let day = |day: &str, at: &str| read(serde_json::json!({"until": "weekday", "day": day, "at": at}));
        let [dubai, berlin, samoa] = ["Asia/Dubai", "Europe/Berlin", "Pacific/Apia"].map(zone);
        for (zone, after, wait, expected) in [
            (&dubai, "2026-11-20T10:00", passed(0, 4), "2026-11-20T14:00"),
            (&dubai, "2026-11-20T10:00", passed(2, 0), "2026-11-22T10:00"),
            // Clocks are put forward in the night: the same time of day is an hour earlier.
            (&berlin, "2026-03-28T09:00", passed(1, 0), "2026-03-29T08:00"),
            (&berlin, "2026-03-28T09:00", passed(0, 23), "2026-03-29T08:00"),
            (&berlin, "2026-03-28T01:30", passed(1, 0), "2026-03-29T01:30"),
            // They are put back: an hour later.
            (&berlin, "2026-10-24T08:00", passed(1, 0), "2026-10-25T09:00"),
            (&dubai, "2026-11-20T05:00", time("10:00"), "2026-11-20T06:00"),
            // The present minute is over.
            (&dubai, "2026-11-20T06:00", time("10:00"), "2026-11-21T06:00"),
            // 02:30 does not exist on that day, and exists twice on this one.
            (&berlin, "2026-03-28T23:00", time("02:30"), "2026-03-29T01:30"),
            (&berlin, "2026-10-24T22:00", time("02:30"), "2026-10-25T00:30"),
            (&berlin, "2026-10-25T00:30", time("02:30"), "2026-10-26T01:30"),
            (&dubai, "2026-11-20T05:00", day("friday", "10:00"), "2026-11-20T06:00"),
            (&dubai, "2026-11-20T06:00", day("friday", "10:00"), "2026-11-27T06:00"),
            (&dubai, "2026-11-20T06:00", day("monday", "00:00"), "2026-11-22T20:00"),
            // Samoa had no Friday in that week.
            (&samoa, "2011-12-29T12:00", day("friday", "10:00"), "2012-01-05T20:00"),
        ] {
            let [after, expected] = [after, expected].map(|minute| at(&format!("{minute}:00Z")));
            assert_eq!(wait.until(after, zone), expected, "{zone:?} {after} {wait:?}");
        }
    }

    #[test]
    fn a_wait_of_no_time_is_a_problem() {
        assert!(read(serde_json::json!({"until": "passed"})).problem().is_some());
        assert_eq!(
            read(serde_json::json!({"until": "passed", "minutes": 1})).problem(),
            None
        );
        assert_eq!(
            read(serde_json::json!({"until": "time_of_day", "at": "00:00"})).problem(),
            None
        );
        for wrong in [
            serde_json::json!({"until": "passed", "days": 366}),
            serde_json::json!({"until": "passed", "hours": 24}),
            serde_json::json!({"until": "weekday", "day": "someday", "at": "10:00"}),
            serde_json::json!({"until": "time_of_day", "at": "24:00"}),
        ] {
            assert!(serde_json::from_value::<Wait>(wrong.clone()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn next_time_of_day_is_within_two_days_and_shown_by_clocks(
            second in 1_700_000_000_i64..1_900_000_000,
            minute in 0_i64..1440,
            name in prop::sample::select(vec!["Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "Africa/Cairo", "Asia/Kathmandu"]),
        ) {
            let (zone, after) = (zone(name), Timestamp::from_second(second).unwrap());
            let time: LocalTime = format!("{:02}:{:02}", minute / 60, minute % 60).parse().unwrap();
            let until = Wait::TimeOfDay { at: time }.until(after, &zone);
            prop_assert!(after < until && until <= after + SignedDuration::from_hours(49));
            let shown = until.to_zoned(zone.clone()).time();
            let early = (until - SignedDuration::from_hours(2)).to_zoned(zone.clone()).offset();
            prop_assert!(shown == time.get() || early != until.to_zoned(zone).offset(), "{shown} {time}");
        }
    }
}
