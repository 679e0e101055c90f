//! Hours: when a business is open, and in which time zone its customers live. Correct across daylight-saving changes.

use jiff::{
    Timestamp, ToSpan,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use crate::{
    base::{local::LocalTime, phone::Phone, zone::Zone},
    tenants::tenant::{BusinessHours, Span, Tenant},
};

/// Whether the business is open. `own` are the hours of the called line, if it has any: they replace the tenant's. A span
/// that began yesterday counts until its end, even on a holiday.
pub fn is_open(tenant: &Tenant, own: Option<&BusinessHours>, at: Timestamp) -> bool {
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
    if is_open(tenant, own, at) {
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

/// The assumed time zone of a person with this number: the tenant's setting for the calling code; the tenant's own zone for
/// numbers of its own country; the country's main zone; otherwise the tenant's.
pub fn recipient_zone<'a>(tenant: &'a Tenant, phone: Option<&Phone>) -> std::borrow::Cow<'a, Zone> {
    use std::borrow::Cow;

    let own = Cow::Borrowed(&tenant.time_zone);
    let Some(digits) = phone.map(Phone::digits) else {
        return own;
    };
    // Calling codes are prefix-free, so the tenant's settings and the table cannot contradict each other.
    let wish = tenant
        .recipient_zones
        .iter()
        .find(|(code, _)| !code.is_empty() && digits.starts_with(code.as_str()));
    if let Some((_, zone)) = wish {
        return Cow::Borrowed(zone);
    }
    let Some((_, regions, zone)) = COUNTRIES.iter().find(|(code, _, _)| digits.starts_with(code)) else {
        return own;
    };
    if tenant
        .default_region
        .as_deref()
        .is_some_and(|region| regions.contains(&region))
    {
        return own;
    }
    zone.parse().map_or(own, Cow::Owned)
}

/// Calling code (ITU-T E.164), the ISO 3166 regions that share it, and the main time zone, where most of the people live.
/// Small on purpose: numbers of a country that is not listed get the tenant's own zone.
#[rustfmt::skip]
pub(crate) const COUNTRIES: &[(&str, &[&str], &str)] = &[
    ("1", &["US", "CA"], "America/Chicago"),
    ("20", &["EG"], "Africa/Cairo"),
    ("212", &["MA"], "Africa/Casablanca"),
    ("213", &["DZ"], "Africa/Algiers"),
    ("216", &["TN"], "Africa/Tunis"),
    ("218", &["LY"], "Africa/Tripoli"),
    ("233", &["GH"], "Africa/Accra"),
    ("234", &["NG"], "Africa/Lagos"),
    ("249", &["SD"], "Africa/Khartoum"),
    ("251", &["ET"], "Africa/Addis_Ababa"),
    ("254", &["KE"], "Africa/Nairobi"),
    ("255", &["TZ"], "Africa/Dar_es_Salaam"),
    ("256", &["UG"], "Africa/Kampala"),
    ("27", &["ZA"], "Africa/Johannesburg"),
    ("30", &["GR"], "Europe/Athens"),
    ("31", &["NL"], "Europe/Amsterdam"),
    ("32", &["BE"], "Europe/Brussels"),
    ("33", &["FR"], "Europe/Paris"),
    ("34", &["ES"], "Europe/Madrid"),
    ("351", &["PT"], "Europe/Lisbon"),
    ("353", &["IE"], "Europe/Dublin"),
    ("358", &["FI"], "Europe/Helsinki"),
    ("36", &["HU"], "Europe/Budapest"),
    ("380", &["UA"], "Europe/Kyiv"),
    ("39", &["IT"], "Europe/Rome"),
    ("40", &["RO"], "Europe/Bucharest"),
    ("41", &["CH"], "Europe/Zurich"),
    ("420", &["CZ"], "Europe/Prague"),
    ("43", &["AT"], "Europe/Vienna"),
    ("44", &["GB"], "Europe/London"),
    ("45", &["DK"], "Europe/Copenhagen"),
    ("46", &["SE"], "Europe/Stockholm"),
    ("47", &["NO"], "Europe/Oslo"),
    ("48", &["PL"], "Europe/Warsaw"),
    ("49", &["DE"], "Europe/Berlin"),
    ("52", &["MX"], "America/Mexico_City"),
    ("54", &["AR"], "America/Argentina/Buenos_Aires"),
    ("55", &["BR"], "America/Sao_Paulo"),
    ("56", &["CL"], "America/Santiago"),
    ("57", &["CO"], "America/Bogota"),
    ("51", &["PE"], "America/Lima"),
    ("60", &["MY"], "Asia/Kuala_Lumpur"),
    ("61", &["AU"], "Australia/Sydney"),
    ("62", &["ID"], "Asia/Jakarta"),
    ("63", &["PH"], "Asia/Manila"),
    ("64", &["NZ"], "Pacific/Auckland"),
    ("65", &["SG"], "Asia/Singapore"),
    ("66", &["TH"], "Asia/Bangkok"),
    ("7", &["RU", "KZ"], "Europe/Moscow"),
    ("81", &["JP"], "Asia/Tokyo"),
    ("82", &["KR"], "Asia/Seoul"),
    ("84", &["VN"], "Asia/Ho_Chi_Minh"),
    ("852", &["HK"], "Asia/Hong_Kong"),
    ("86", &["CN"], "Asia/Shanghai"),
    ("880", &["BD"], "Asia/Dhaka"),
    ("886", &["TW"], "Asia/Taipei"),
    ("90", &["TR"], "Europe/Istanbul"),
    ("91", &["IN"], "Asia/Kolkata"),
    ("92", &["PK"], "Asia/Karachi"),
    ("93", &["AF"], "Asia/Kabul"),
    ("94", &["LK"], "Asia/Colombo"),
    ("95", &["MM"], "Asia/Yangon"),
    ("961", &["LB"], "Asia/Beirut"),
    ("962", &["JO"], "Asia/Amman"),
    ("963", &["SY"], "Asia/Damascus"),
    ("964", &["IQ"], "Asia/Baghdad"),
    ("965", &["KW"], "Asia/Kuwait"),
    ("966", &["SA"], "Asia/Riyadh"),
    ("967", &["YE"], "Asia/Aden"),
    ("968", &["OM"], "Asia/Muscat"),
    ("970", &["PS"], "Asia/Hebron"),
    ("971", &["AE"], "Asia/Dubai"),
    ("972", &["IL"], "Asia/Jerusalem"),
    ("973", &["BH"], "Asia/Bahrain"),
    ("974", &["QA"], "Asia/Qatar"),
    ("977", &["NP"], "Asia/Kathmandu"),
    ("98", &["IR"], "Asia/Tehran"),
];

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
            assert_eq!(is_open(&tenant, None, at(instant)), open, "{instant}");
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
        assert!(is_open(&tenant, None, at("2026-11-24T03:00:00+04")));
        assert!(!is_open(&tenant, None, at("2026-12-02T12:00:00+04")));
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
            assert_eq!(is_open(&tenant, None, at(instant)), usual, "{instant}");
            assert_eq!(is_open(&tenant, Some(&own), at(instant)), of_line, "{instant}");
        }
        assert_eq!(
            next_opening(&tenant, Some(&own), at("2026-11-23T10:00:00+04")),
            Some(at("2026-11-24T20:00:00+04"))
        );
        let always = Tenant {
            business_hours: None,
            ..tenant
        };
        assert!(!is_open(&always, Some(&own), at("2026-11-23T10:00:00+04")));
    }

    #[test]
    fn every_zone_of_the_table_exists_and_codes_are_prefix_free() {
        for (code, regions, zone) in COUNTRIES {
            assert!(zone.parse::<Zone>().is_ok(), "{zone}");
            assert!(!regions.is_empty());
            for (other, _, _) in COUNTRIES {
                assert!(code == other || !other.starts_with(code), "{code} {other}");
            }
        }
    }

    #[test]
    fn time_zone_of_a_recipient_follows_from_the_number() {
        let mut tenant = tenant();
        let zone =
            |tenant: &Tenant, phone: &str| recipient_zone(tenant, Some(&phone.parse().unwrap())).name().to_owned();
        assert_eq!(zone(&tenant, "+447700900123"), "Europe/London");
        assert_eq!(zone(&tenant, "+971501234567"), "Asia/Dubai");
        assert_eq!(zone(&tenant, "+35312345678"), "Europe/Dublin");
        // A calling code that is not in the table.
        assert_eq!(zone(&tenant, "+6795551234"), "Asia/Dubai");
        assert_eq!(recipient_zone(&tenant, None).name(), "Asia/Dubai");
        tenant
            .recipient_zones
            .insert("44".to_owned(), "Atlantic/Azores".parse().unwrap());
        assert_eq!(zone(&tenant, "+447700900123"), "Atlantic/Azores");
        // A business in California knows better than the table where its callers live.
        tenant.default_region = Some("US".to_owned());
        tenant.time_zone = "America/Los_Angeles".parse().unwrap();
        assert_eq!(zone(&tenant, "+12135550100"), "America/Los_Angeles");
    }
}
