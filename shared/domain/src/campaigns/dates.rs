//! Drips that contacts enter when a date of theirs comes round: a birthday every year, or an appointment once.

use jiff::{Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use serde::{Deserialize, Serialize};

use crate::{
    base::{ids::FieldId, local::LocalTime},
    campaigns::wait::next,
    contacts::listing::{Day, Listing},
};

/// Maximum days before or after a date.
pub const MAX_DAYS: i16 = 180;

/// How often a date comes round.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "DateRecurrence")
)]
#[serde(rename_all = "snake_case")]
pub enum Recurrence {
    /// On that day of each year. 29 February is 28 February where there is none.
    Yearly,
    /// On that date only.
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
    /// How often it comes round.
    pub recurrence: Recurrence,
    /// Days after the date; negative: before it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = -MAX_DAYS, max = MAX_DAYS), example = -3))]
    pub days: i16,
    /// Local time of the tenant at which contacts enter.
    pub at: LocalTime,
}

impl DateTrigger {
    /// The lists of the contacts who enter on this day of the tenant, two of them on 28 February of most years.
    pub fn lists(&self, today: Date) -> Vec<Listing> {
        let Ok(date) = today.checked_sub(i64::from(self.days).days()) else {
            return Vec::new();
        };
        match self.recurrence {
            Recurrence::Once => vec![Listing::Value(self.field, date.to_string())],
            Recurrence::Yearly => {
                let ends_february = (date.month(), date.day()) == (2, 28) && !date.in_leap_year();
                let leap_day = Date::new(2024, 2, 29).ok().filter(|_| ends_february);
                let days = std::iter::once(date).chain(leap_day).map(Day::of);
                days.map(|day| Listing::DayOfYear(self.field, day)).collect()
            }
        }
    }

    /// The next time behind this one at which contacts enter.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Timestamp {
        next(after, zone, self.at, None)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use serde_json::{from_value, json};
    use ulid::Ulid;

    use super::*;
    use crate::samples::at;

    fn trigger(recurrence: &str, days: i16) -> DateTrigger {
        let field = FieldId::new(Ulid(7));
        from_value(json!({"field": field, "recurrence": recurrence, "days": days, "at": "09:00"})).unwrap()
    }

    fn listed(trigger: DateTrigger, today: Date) -> Vec<String> {
        let lists = trigger.lists(today).into_iter();
        lists
            .map(|listing| match listing {
                Listing::DayOfYear(field, day) if field == trigger.field => day.to_string(),
                Listing::Value(field, value) if field == trigger.field => value,
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
                listed(trigger(recurrence, days), today),
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
        for days in [-MAX_DAYS, -1, 0, 1, MAX_DAYS] {
            let trigger = trigger("yearly", days);
            let mut entered = std::collections::BTreeMap::<String, usize>::new();
            for today in date(2025, 6, 1).series(1.day()).take(4 * 365 + 1) {
                for day in listed(trigger, today) {
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
        for (zone, after, expected) in [
            ("Asia/Dubai", "2026-11-20T04:59:59Z", "2026-11-20T05:00:00Z"),
            ("Asia/Dubai", "2026-11-20T05:00:00Z", "2026-11-21T05:00:00Z"),
            // Clocks are put back in the night.
            ("Europe/Berlin", "2026-10-24T07:00:00Z", "2026-10-25T08:00:00Z"),
        ] {
            let zone = TimeZone::get(zone).unwrap();
            assert_eq!(trigger.next(at(after), &zone), at(expected), "{after}");
        }
    }
}
