//! Hours: when a business is open. Correct across daylight-saving changes.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::tenants::{BusinessHours, Span, Tenant};
use crate::terms::LocalTime;

/// Whether the business is open. `own` are the hours of the called line, if it has any: they replace the tenant's. A span
/// that began yesterday counts until its end, even on a holiday.
pub fn is_business_open(tenant: &Tenant, own: Option<&BusinessHours>, at: Timestamp) -> bool {
    let today = at.to_zoned(tenant.time_zone.rules().clone()).date();
    let yesterday = today.yesterday().unwrap_or(today);
    [yesterday, today].into_iter().any(|day| {
        spans_on(tenant, own, day)
            .iter()
            .any(|span| instants(tenant.time_zone.rules(), day, *span).is_some_and(|(from, to)| from <= at && at < to))
    })
}

/// The next opening: `at` itself if the business is open then. `None` if it stays closed for a year.
pub fn next_opening(tenant: &Tenant, own: Option<&BusinessHours>, at: Timestamp) -> Option<Timestamp> {
    if is_business_open(tenant, own, at) {
        return Some(at);
    }
    let zone = tenant.time_zone.rules();
    let today = at.to_zoned(zone.clone()).date();
    today.series(1.day()).take(367).find_map(|day| {
        spans_on(tenant, own, day)
            .iter()
            .filter_map(|span| instants(zone, day, *span))
            .filter(|(from, to)| at <= *from && from < to)
            .map(|(from, _)| from)
            .min()
    })
}

/// The whole day, for tenants that are always open.
const ALWAYS: &[Span] = &[Span {
    from: LocalTime::MIDNIGHT,
    to: LocalTime::MIDNIGHT,
}];

fn spans_on<'a>(tenant: &'a Tenant, own: Option<&'a BusinessHours>, day: Date) -> &'a [Span] {
    // The last matching entry counts: it was added because the earlier one was wrong for this day.
    if let Some(holiday) = tenant.holidays.iter().rev().find(|holiday| holiday.covers(day)) {
        return &holiday.hours;
    }
    match own.or(tenant.business_hours.as_ref()) {
        Some(hours) => hours.on(day.weekday()),
        None => ALWAYS,
    }
}

fn instants(zone: &TimeZone, day: Date, span: Span) -> Option<(Timestamp, Timestamp)> {
    let last = if span.to <= span.from {
        day.tomorrow().ok()?
    } else {
        day
    };
    let from = zone.to_ambiguous_timestamp(DateTime::from_parts(day, span.from.get()));
    let to = zone.to_ambiguous_timestamp(DateTime::from_parts(last, span.to.get()));
    Some((from.compatible().ok()?, to.compatible().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{at, tenant};

    #[test]
    fn open_hours_know_spans_midnight_and_holidays() {
        let tenant = tenant();
        // Dubai is at +04. 2026-11-23 is a Monday.
        for (instant, open) in [
            ("2026-11-23T08:59:59+04", false),
            ("2026-11-23T09:00:00+04", true),
            ("2026-11-23T12:59:59+04", true),
            ("2026-11-23T13:00:00+04", false),
            ("2026-11-23T16:30:00+04", true),
            ("2026-11-24T10:00:00+04", false),
            ("2026-11-27T23:00:00+04", true),
            ("2026-11-28T01:59:00+04", true),
            ("2026-11-28T02:00:00+04", false),
            // A Monday with hours of its own.
            ("2026-12-07T09:30:00+04", false),
            ("2026-12-07T10:30:00+04", true),
        ] {
            assert_eq!(is_business_open(&tenant, None, at(instant)), open, "{instant}");
        }
        for (instant, opening) in [
            ("2026-11-23T10:00:00+04", "2026-11-23T10:00:00+04"),
            ("2026-11-23T13:00:00+04", "2026-11-23T16:00:00+04"),
            ("2026-11-23T21:00:00+04", "2026-11-27T18:00:00+04"),
            ("2026-12-05T12:00:00+04", "2026-12-07T10:00:00+04"),
        ] {
            assert_eq!(next_opening(&tenant, None, at(instant)), Some(at(opening)), "{instant}");
        }
    }

    #[test]
    fn without_hours_a_business_is_open_except_on_holidays() {
        let mut tenant = tenant();
        tenant.business_hours = None;
        assert!(is_business_open(&tenant, None, at("2026-11-24T03:00:00+04")));
        assert!(!is_business_open(&tenant, None, at("2026-12-02T12:00:00+04")));
        assert_eq!(
            next_opening(&tenant, None, at("2026-12-02T12:00:00+04")),
            Some(at("2026-12-04T00:00:00+04"))
        );
        tenant.business_hours = Some(BusinessHours::default());
        tenant.holidays = Vec::new().into();
        assert_eq!(next_opening(&tenant, None, at("2026-12-02T12:00:00+04")), None);
    }

    /// Hours of a line replace the tenant's; holidays remain the tenant's.
    #[test]
    fn hours_of_a_line_replace_the_tenants() {
        let tenant = tenant();
        let own: BusinessHours = serde_json::from_str(r#"{"tuesday": [{"from": "20:00", "to": "04:00"}]}"#).unwrap();
        for (instant, usual, of_line) in [
            ("2026-11-23T10:00:00+04", true, false),
            ("2026-11-24T21:00:00+04", false, true),
            ("2026-11-25T03:59:00+04", false, true),
            ("2026-12-07T10:30:00+04", true, true),
        ] {
            assert_eq!(is_business_open(&tenant, None, at(instant)), usual, "{instant}");
            assert_eq!(is_business_open(&tenant, Some(&own), at(instant)), of_line, "{instant}");
        }
        assert_eq!(
            next_opening(&tenant, Some(&own), at("2026-11-23T10:00:00+04")),
            Some(at("2026-11-24T20:00:00+04"))
        );
        let always = Tenant {
            business_hours: None,
            ..tenant
        };
        assert!(!is_business_open(&always, Some(&own), at("2026-11-23T10:00:00+04")));
    }
}
