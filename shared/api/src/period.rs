//! Periods of lists, by days.

use domain::terms::{Day, Fault, FaultCode};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use kit::Problem;

/// Maximum days of a period.
const MAX_DAYS: i32 = 31;

/// Days of a period if the caller names no first one.
const USUAL_DAYS: i32 = 7;

fn out_of_range() -> Problem {
    Problem::field("to", Fault::new(FaultCode::OutOfRange, "The day is out of range."))
}

/// The beginning of a day.
fn begins(day: Date, zone: &TimeZone) -> Result<Timestamp, Problem> {
    let midnight = day.to_zoned(zone.clone()).map_err(|_| out_of_range())?;
    Ok(midnight.timestamp())
}

/// The beginning of the first day and the end of the last one. Without a last day, it is today; without a first one, the period has
/// seven days.
///
/// # Errors
/// 422 that names the day: the last one is before the first one, or too long after it, or no calendar has it.
pub(crate) fn of_days(
    from: Option<Day>,
    to: Option<Day>,
    zone: &TimeZone,
    now: Timestamp,
) -> Result<(Timestamp, Timestamp), Problem> {
    let last = to.map_or_else(|| now.to_zoned(zone.clone()).date(), Day::get);
    let first = from.map_or_else(|| last.saturating_sub((USUAL_DAYS - 1).days()), Day::get);
    if first > last {
        let detail = "The first day must not be after the last one. Give an earlier `from`, or a later `to`.";
        let fault = Fault::new(FaultCode::WrongOrder, detail).and("other", "to");
        return Err(Problem::field("from", fault));
    }
    let length = first.until(last).map_err(|_| out_of_range())?.get_days() + 1;
    if length > MAX_DAYS {
        let detail = format!("The period may have at most {MAX_DAYS} days. Give a later `from`, or an earlier `to`.");
        let fault = Fault::out_of_range(1_i64, i64::from(MAX_DAYS), detail);
        return Err(Problem::field("from", fault));
    }
    let after = last.tomorrow().map_err(|_| out_of_range())?;
    Ok((begins(first, zone)?, begins(after, zone)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The period as a text, or the field that is wrong.
    fn of(from: &str, to: &str, zone: &str) -> Result<String, String> {
        let day = |text: &str| (!text.is_empty()).then(|| text.parse::<Day>().unwrap());
        let now = "2026-11-20T21:00:00Z".parse().unwrap();
        let period = of_days(day(from), day(to), &TimeZone::get(zone).unwrap(), now);
        let period = period.map(|(from, to)| format!("{from} {to}"));
        period.map_err(|problem| {
            let problem = serde_json::to_value(problem).unwrap();
            let error = &problem["errors"][0];
            format!("{} {}", error["field"], error["code"]).replace('"', "")
        })
    }

    #[test]
    fn days_are_those_of_the_time_zone() {
        for (from, to, zone, expected) in [
            (
                "2026-11-20",
                "2026-11-20",
                "UTC",
                "2026-11-20T00:00:00Z 2026-11-21T00:00:00Z",
            ),
            (
                "2026-11-20",
                "2026-11-20",
                "Asia/Dubai",
                "2026-11-19T20:00:00Z 2026-11-20T20:00:00Z",
            ),
            // Today is tomorrow there.
            ("", "", "Asia/Dubai", "2026-11-14T20:00:00Z 2026-11-21T20:00:00Z"),
            ("", "", "UTC", "2026-11-14T00:00:00Z 2026-11-21T00:00:00Z"),
            ("2026-11-19", "", "UTC", "2026-11-19T00:00:00Z 2026-11-21T00:00:00Z"),
            ("", "2026-11-01", "UTC", "2026-10-26T00:00:00Z 2026-11-02T00:00:00Z"),
            // The longest one, over the end of summer time.
            (
                "2026-10-01",
                "2026-10-31",
                "Europe/London",
                "2026-09-30T23:00:00Z 2026-11-01T00:00:00Z",
            ),
            // A day that begins at one o'clock.
            (
                "2026-04-24",
                "2026-04-24",
                "Africa/Cairo",
                "2026-04-23T22:00:00Z 2026-04-24T21:00:00Z",
            ),
            (
                "0001-01-01",
                "0001-01-02",
                "UTC",
                "0001-01-01T00:00:00Z 0001-01-03T00:00:00Z",
            ),
        ] {
            assert_eq!(of(from, to, zone).as_deref(), Ok(expected), "{from} {to} {zone}");
        }
    }

    #[test]
    fn wrong_period_names_the_day() {
        for (from, to, expected) in [
            ("2026-11-21", "2026-11-20", "from wrong_order"),
            ("2026-11-21", "", "from wrong_order"),
            ("2026-10-01", "2026-11-01", "from out_of_range"),
            ("2016-11-20", "2026-11-20", "from out_of_range"),
            ("2016-11-20", "", "from out_of_range"),
            ("9999-12-31", "9999-12-31", "to out_of_range"),
        ] {
            assert_eq!(of(from, to, "UTC"), Err(expected.to_owned()), "{from} {to}");
        }
    }
}
