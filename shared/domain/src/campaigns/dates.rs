//! Drips that contacts enter when a date of theirs comes round: a birthday every year, or an appointment once.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use serde::{Deserialize, Serialize};

use crate::campaigns::instants_of_local_time;
use crate::people::{Day, FieldValue, Filter, Search, Test};
use crate::terms::{FieldId, LocalTime};

/// Maximum days before or after a date.
pub const MAX_DATE_OFFSET_DAYS: i16 = 180;

/// Maximum delay for entering late. Contacts of an earlier day do not enter any more.
const LATE: SignedDuration = SignedDuration::from_hours(24);

/// Recurrence of a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "DateRecurrence")
)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    /// Every year on that day. 29 February is 28 February in a year without it.
    Yearly,
    /// Only on that date.
    Once,
}

/// A trigger by the dates that contacts have in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "DripDateTrigger")
)]
#[serde(deny_unknown_fields)]
pub struct DateTrigger {
    /// The field, a searchable one of the type `date`.
    #[cfg_attr(feature = "schema", schemars(extend("x-refers" = true)))]
    pub field: FieldId,
    /// Recurrence.
    pub recurrence: Recurrence,
    /// Days after the date; negative: before it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = -MAX_DATE_OFFSET_DAYS, max = MAX_DATE_OFFSET_DAYS), example = -3))]
    pub days: i16,
    /// Local time of the tenant when contacts enter.
    pub at: LocalTime,
}

impl DateTrigger {
    /// The contacts who enter on this day of the tenant. They stand in two lists on 28 February of most years.
    fn searches(&self, today: Date) -> Vec<Search> {
        let Ok(date) = today.checked_sub(i64::from(self.days).days()) else {
            return Vec::new();
        };
        let tests = match self.recurrence {
            Recurrence::Once => vec![Test::Equals(FieldValue::Date(date))],
            Recurrence::Yearly => {
                let ends_february = (date.month(), date.day()) == (2, 28) && !date.in_leap_year();
                let leap_day = Date::new(2024, 2, 29).ok().filter(|_| ends_february);
                let days = std::iter::once(date).chain(leap_day).map(Day::of);
                days.map(Test::OnDay).collect()
            }
        };
        let search = |test| {
            let field = Some((self.field, test));
            Filter {
                field,
                ..Filter::default()
            }
            .search()
        };
        tests.into_iter().filter_map(search).collect()
    }
}

/// The day whose contacts enter a drip next, with the place that was reached among them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round {
    /// Time of entry.
    pub at: Timestamp,
    /// Time of the next look: behind each part of them, others have their turn.
    pub look: Timestamp,
    /// The day. `None`: the first one is not chosen yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<Date>,
    /// The list to read next, among the lists of the day.
    #[serde(default)]
    pub list: usize,
    /// Position in it that the next page begins after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl Round {
    /// The round of a drip that begins at this time.
    pub const fn new(at: Timestamp) -> Self {
        Self {
            at,
            look: at,
            day: None,
            list: 0,
            after: None,
        }
    }

    /// Whether it is too late for its contacts to enter.
    pub fn is_over(&self, now: Timestamp) -> bool {
        self.at + LATE < now
    }

    /// The contacts who are read next. `None`: all of the day have been.
    pub fn search(&self, trigger: &DateTrigger) -> Option<Search> {
        trigger.searches(self.day?).into_iter().nth(self.list)
    }

    /// Goes on behind a page that ends here, or else to the next list.
    pub fn go_on(&mut self, after: Option<String>, now: Timestamp) {
        self.list += usize::from(after.is_none());
        self.after = after;
        self.look = now;
    }

    /// The round of the next day, by the clocks of the tenant.
    #[must_use]
    pub fn next(&self, trigger: &DateTrigger, zone: &TimeZone, now: Timestamp) -> Self {
        let last = self.at.max(now - LATE);
        let later = instants_of_local_time(last, zone, trigger.at).filter(|(at, _)| last < *at);
        // In the last days that there are, none.
        let (at, day) = later.min().unwrap_or((Timestamp::MAX, Date::MAX));
        Self {
            day: Some(day),
            ..Self::new(at)
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::people::Driver;
    use crate::samples::at;

    fn trigger(recurrence: &str, days: i16) -> DateTrigger {
        let field = FieldId::new(Ulid(7));
        from_value(json!({"field": field, "recurrence": recurrence, "days": days, "at": "09:00"})).unwrap()
    }

    fn searched_days(trigger: DateTrigger, today: Date) -> Vec<String> {
        let searches = trigger.searches(today).into_iter();
        searches
            .map(|search| match search.driver {
                Driver::OnDay(field, day) if field == trigger.field => day.to_string(),
                Driver::Values(field, from, to) if field == trigger.field && from == to => from,
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn contacts_enter_on_the_day_of_their_date() {
        for (recurrence, days, today, expected) in [
            ("yearly", 0, date(2026, 11, 20), &["11-20"][..]),
            ("yearly", -3, date(2026, 12, 30), &["01-02"]),
            ("yearly", 14, date(2027, 1, 5), &["12-22"]),
            ("once", 0, date(2026, 11, 20), &["2026-11-20"]),
            ("once", -1, date(2026, 12, 31), &["2027-01-01"]),
            ("once", 180, date(2027, 1, 1), &["2026-07-05"]),
            // Whoever was born on 29 February.
            ("yearly", 0, date(2027, 2, 28), &["02-28", "02-29"]),
            ("yearly", 0, date(2028, 2, 28), &["02-28"]),
            ("yearly", 0, date(2028, 2, 29), &["02-29"]),
            ("yearly", -1, date(2027, 2, 27), &["02-28", "02-29"]),
            ("yearly", -1, date(2100, 2, 27), &["02-28", "02-29"]),
            ("once", 0, date(2027, 2, 28), &["2027-02-28"]),
            ("yearly", 0, date(2027, 3, 1), &["03-01"]),
            ("yearly", 180, Date::MIN, &[]),
        ] {
            assert_eq!(
                searched_days(trigger(recurrence, days), today),
                expected,
                "{recurrence} {days} {today}"
            );
        }
    }

    /// Over any four years, everybody enters once a year.
    #[test]
    fn everybody_enters_once_a_year() {
        let all = date(2024, 1, 1).series(1.day()).take(366).map(Day::of);
        let birthdays: Vec<String> = all.map(|day| day.to_string()).collect();
        for days in [-MAX_DATE_OFFSET_DAYS, -1, 0, 1, MAX_DATE_OFFSET_DAYS] {
            let trigger = trigger("yearly", days);
            let mut entered = std::collections::BTreeMap::<String, usize>::new();
            for today in date(2025, 6, 1).series(1.day()).take(4 * 365 + 1) {
                for day in searched_days(trigger, today) {
                    *entered.entry(day).or_default() += 1;
                }
            }
            for birthday in &birthdays {
                assert_eq!(entered.get(birthday), Some(&4), "{birthday} and {days} days");
            }
        }
    }

    #[test]
    fn entries_are_at_the_time_of_the_tenant() {
        let trigger = trigger("yearly", 0);
        let [dubai, auckland, berlin] =
            ["Asia/Dubai", "Pacific/Auckland", "Europe/Berlin"].map(|name| TimeZone::get(name).unwrap());
        for (zone, last, now, expected, day) in [
            (&dubai, "11-20T04:59:59", "11-20T04:59:59", "11-20T05:00:00", (11, 20)),
            (&dubai, "11-20T05:00:00", "11-20T05:00:40", "11-21T05:00:00", (11, 21)),
            // The day there is not that of UTC.
            (
                &auckland,
                "11-19T20:00:00",
                "11-19T20:01:00",
                "11-20T20:00:00",
                (11, 21),
            ),
            // Clocks are put back in the night.
            (&berlin, "10-24T07:00:00", "10-24T07:00:01", "10-25T08:00:00", (10, 25)),
            // Nothing ran for a few days.
            (&dubai, "11-20T05:00:00", "11-24T06:00:00", "11-24T05:00:00", (11, 24)),
            (&dubai, "11-20T05:00:00", "11-24T04:00:00", "11-23T05:00:00", (11, 23)),
        ] {
            let [last, now, expected] = [last, now, expected].map(|second| at(&format!("2026-{second}Z")));
            let next = Round::new(last).next(&trigger, zone, now);
            let day = date(2026, day.0, day.1);
            assert_eq!((next.at, next.day), (expected, Some(day)), "{last}");
        }
    }

    /// In Nuuk, clocks are put forward from 23:00 to midnight: the time of that Saturday is half an hour into Sunday.
    #[test]
    fn day_whose_time_does_not_exist_has_its_round() {
        let (zone, at_night) = (TimeZone::get("America/Nuuk").unwrap(), "23:30".parse().unwrap());
        let trigger = DateTrigger {
            at: at_night,
            ..trigger("yearly", 0)
        };
        let mut round = Round::new(at("2026-03-28T01:30:00Z"));
        for (expected, day) in [
            ("2026-03-29T01:30:00Z", date(2026, 3, 28)),
            ("2026-03-30T00:30:00Z", date(2026, 3, 29)),
            ("2026-03-31T00:30:00Z", date(2026, 3, 30)),
        ] {
            round = round.next(&trigger, &zone, round.at);
            assert_eq!((round.at, round.day), (at(expected), Some(day)));
        }
    }

    #[test]
    fn round_goes_through_all_lists_of_its_day() {
        let (trigger, zone) = (trigger("yearly", 0), TimeZone::UTC);
        let first = Round::new(at("2027-02-27T12:00:00Z"));
        assert_eq!(first.search(&trigger), None, "the first day is not chosen yet");
        let mut round = first.next(&trigger, &zone, first.at);
        let mut read = Vec::new();
        for after in [Some("a"), None, Some("b"), None] {
            let driver = round.search(&trigger).map(|search| search.driver);
            let Some(Driver::OnDay(_, day)) = driver else {
                panic!("{driver:?}")
            };
            read.push((day.to_string(), round.after.clone()));
            round.go_on(after.map(str::to_owned), at("2027-02-28T09:01:00Z"));
        }
        let place = |day: &str, after: Option<&str>| (day.to_owned(), after.map(str::to_owned));
        let expected = [
            place("02-28", None),
            place("02-28", Some("a")),
            place("02-29", None),
            place("02-29", Some("b")),
        ];
        assert_eq!((read.as_slice(), round.search(&trigger)), (&expected[..], None));
        let hour = SignedDuration::from_hours(1);
        assert_eq!(
            [LATE, LATE + hour].map(|late| round.is_over(round.at + late)),
            [false, true]
        );
    }
}
