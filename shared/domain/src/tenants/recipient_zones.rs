//! Possible time zones of a message's recipient, by the telephone number.

use crate::tenants::Tenant;
use crate::terms::{ByCode, Country, Phone, Zone, calling_code};

/// A line per country, and per area with a clock of its own or in a country with several: the calling code, the beginning of the area's
/// numbers (nothing: the country), and the zones, separated by commas. Most people live in the first. `numbering.py` writes and checks it.
const ZONES: &str = include_str!("../terms/zones.txt");

/// Maximum digits of a beginning in a tenant's settings: a calling code and an area.
const MAX_BEGINNING: usize = 7;

/// An area with its zones, or a country.
struct Area {
    begins: &'static str,
    zones: &'static str,
}

impl Area {
    fn read(line: &'static str) -> Option<Self> {
        let (begins, zones) = line.split_once('\t')?.1.split_once('\t')?;
        Some(Self { begins, zones })
    }

    /// Its zones. None if the time zone database of this build lacks one, which a test excludes.
    fn zones(&self) -> Option<Vec<Zone>> {
        self.zones.split(',').map(|zone| zone.parse().ok()).collect()
    }
}

static KNOWN: ByCode<Area> = ByCode::new(ZONES, Area::read);

/// The assumed time zone of a person with this number, for the clock of campaigns and drips: the first of [`recipient_zones`].
pub fn recipient_zone(tenant: &Tenant, phone: Option<&Phone>) -> Zone {
    let mut zones = recipient_zones(tenant, phone);
    zones.swap_remove(0)
}

/// The possible zones of a person with this number, the likeliest first; never empty. By the tenant's setting for the beginning of the
/// number; by its area code, if that tells a place; the tenant's own for numbers of its country; those of the country; otherwise the
/// tenant's.
///
/// Numbers of countries with several zones that tell no place, such as mobiles of Russia and free numbers, have the zones of nine tenths of
/// the people.
pub fn recipient_zones(tenant: &Tenant, phone: Option<&Phone>) -> Vec<Zone> {
    let own = || vec![tenant.time_zone.clone()];
    let Some(phone) = phone else {
        return own();
    };
    let (written, key) = (phone.digits(), phone.in_key_form());
    let wished = tenant.recipient_zones.iter().filter(|(beginning, _)| {
        let digits = beginning.trim_start_matches('+');
        !digits.is_empty() && (key.digits().starts_with(digits) || written.starts_with(digits))
    });
    if let Some((_, zone)) = wished.max_by_key(|(beginning, _)| beginning.trim_start_matches('+').len()) {
        return vec![zone.clone()];
    }
    let Some((_, digits, areas)) = KNOWN.of(key.digits()) else {
        return own();
    };
    let fitting = areas.iter().filter(|area| digits.starts_with(area.begins));
    let Some(area) = fitting.max_by_key(|area| area.begins.len()) else {
        return own();
    };
    let country = phone.country();
    let is_own = country.is_some_and(|country| tenant.default_region.as_deref() == Some(country.as_str()));
    if area.begins.is_empty() && is_own {
        return own();
    }
    area.zones().unwrap_or_else(own)
}

/// The country that is all in this zone. None if it has others, too.
pub fn country_in(zone: &Zone) -> Option<Country> {
    let mut lines = ZONES.lines();
    let code = lines.find_map(|line| {
        let (code, rest) = line.split_once('\t')?;
        (Area::read(line)?.begins.is_empty() && rest.trim_start() == zone.name()).then_some(code)
    })?;
    Country::of_calling_code(code)
}

/// The fault of the beginning of numbers in a tenant's settings, in words that say what to write instead. Digits alone are a whole calling
/// code; with a plus, an area may follow.
pub(crate) fn wrong_beginning(text: &str) -> Option<String> {
    let wrong = |rest: String| Some(format!("{text:?} {rest}"));
    let example = "Write a calling code such as \"971\", or the beginning of numbers such as \"+1604\".";
    let digits = text.strip_prefix('+').unwrap_or(text);
    let shaped = (1..=MAX_BEGINNING).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if !shaped {
        let meant: String = text.chars().filter(char::is_ascii_digit).collect();
        let meant = meant.trim_start_matches('0');
        let known = calling_code(meant).is_some() && meant.len() <= MAX_BEGINNING;
        return wrong(if known {
            format!("is no beginning of numbers. Write \"+{meant}\".")
        } else {
            format!("is no beginning of numbers. {example}")
        });
    }
    let code = calling_code(digits);
    if text.starts_with('+') {
        return match code {
            Some(_) => None,
            None => wrong(format!("begins with no calling code. {example}")),
        };
    }
    match code {
        Some(code) if code == digits => None,
        // An area of North America without its 1.
        _ if digits.len() == 3 && is_area(&format!("1{digits}")) => {
            wrong(format!("is no calling code. Write \"+1{digits}\"."))
        }
        Some(_) => wrong(format!("is no calling code. Write \"+{digits}\".")),
        None => wrong(format!("is no calling code. {example}")),
    }
}

/// Whether the table has an area that begins so.
fn is_area(digits: &str) -> bool {
    let known = KNOWN.of(digits);
    known.is_some_and(|(_, own, areas)| areas.iter().any(|area| !area.begins.is_empty() && area.begins == own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tenant;

    fn zones(tenant: &Tenant, phone: &str) -> String {
        let zones = recipient_zones(tenant, Some(&phone.parse().unwrap()));
        zones.iter().map(Zone::name).collect::<Vec<_>>().join(",")
    }

    #[test]
    fn every_zone_of_the_table_exists() {
        for line in ZONES.lines() {
            let area = Area::read(line).unwrap();
            assert!(area.zones().is_some(), "{line}");
        }
    }

    #[test]
    fn zones_of_a_recipient_follow_from_the_number() {
        let tenant = tenant();
        assert_eq!(recipient_zone(&tenant, None).name(), "Asia/Dubai");
        for (number, expected) in [
            ("+971501234567", "Asia/Dubai"),
            ("+447700900123", "Europe/London"),
            ("+35312345678", "Europe/Dublin"),
            ("+37061234567", "Europe/Vilnius"),
            ("+6795551234", "Pacific/Fiji"),
            ("+80012345678", "Asia/Dubai"),
            ("+12125550100", "America/New_York"),
            ("+18085550100", "Pacific/Honolulu"),
            ("+18765550100", "America/Jamaica"),
            ("+17875550100", "America/Puerto_Rico"),
            ("+12085550100", "America/Boise,America/Los_Angeles"),
            ("+18005550100", "America/Chicago,America/New_York,America/Los_Angeles"),
            ("+5215512345678", "America/Mexico_City"),
            ("+5216641234567", "America/Tijuana"),
            ("+526141234567", "America/Chihuahua"),
            ("+5592912345678", "America/Manaus"),
            ("+559291234567", "America/Manaus"),
            ("+5591912345678", "America/Sao_Paulo"),
            ("+5581912345678", "America/Sao_Paulo"),
            ("+74012345678", "Europe/Kaliningrad"),
            ("+74232345678", "Asia/Vladivostok"),
            (
                "+79123456789",
                "Europe/Moscow,Europe/Samara,Asia/Yekaterinburg,Asia/Krasnoyarsk",
            ),
            ("+77012345678", "Asia/Almaty"),
            ("+61891234567", "Australia/Perth"),
            ("+61731234567", "Australia/Brisbane"),
            ("+61412345678", "Australia/Sydney,Australia/Brisbane,Australia/Perth"),
            ("+62361123456", "Asia/Makassar"),
            ("+6281234567890", "Asia/Jakarta,Asia/Makassar"),
            ("+34928123456", "Atlantic/Canary"),
            ("+34612345678", "Europe/Madrid"),
        ] {
            assert_eq!(zones(&tenant, number), expected, "{number}");
        }
    }

    /// An area tells more than the country, and the business knows its own country better than the table.
    #[test]
    fn own_country_has_the_zones_of_areas_and_the_business() {
        for (region, zone, number, expected) in [
            ("US", "America/Los_Angeles", "+12125550100", "America/New_York"),
            ("US", "America/Los_Angeles", "+18005550100", "America/Los_Angeles"),
            ("JM", "America/Jamaica", "+18765550100", "America/Jamaica"),
            ("AU", "Australia/Perth", "+61412345678", "Australia/Perth"),
            ("AU", "Australia/Perth", "+61212345678", "Australia/Sydney"),
            ("RU", "Asia/Vladivostok", "+79123456789", "Asia/Vladivostok"),
            ("RU", "Asia/Vladivostok", "+77012345678", "Asia/Almaty"),
        ] {
            let mut tenant = tenant();
            tenant.default_region = Some(region.to_owned());
            tenant.time_zone = zone.parse().unwrap();
            assert_eq!(zones(&tenant, number), expected, "{number} in {region}");
        }
    }

    #[test]
    fn longest_beginning_of_the_tenants_counts() {
        let mut tenant = tenant();
        for (beginning, zone) in [
            ("44", "Atlantic/Azores"),
            ("+1604", "Asia/Tokyo"),
            ("+1", "Asia/Seoul"),
            ("604", "Asia/Aden"),
        ] {
            tenant
                .recipient_zones
                .insert(beginning.to_owned(), zone.parse().unwrap());
        }
        for (number, expected) in [
            ("+447700900123", "Atlantic/Azores"),
            ("+16045550100", "Asia/Tokyo"),
            ("+12125550100", "Asia/Seoul"),
            // Stored before beginnings were checked.
            ("+60412345678", "Asia/Aden"),
            ("+60312345678", "Asia/Kuala_Lumpur"),
        ] {
            assert_eq!(zones(&tenant, number), expected, "{number}");
        }
    }

    #[test]
    fn wrong_beginnings_name_what_is_meant() {
        for good in ["1", "971", "+1", "+1604", "+971", "+4420", "+7423", "888", "+5511"] {
            assert_eq!(wrong_beginning(good), None, "{good}");
        }
        for (wrong, meant) in [
            ("604", "\"+1604\""),
            ("1604", "\"+1604\""),
            ("00971", "\"+971\""),
            ("+1 604", "\"+1604\""),
            ("+1-604", "\"+1604\""),
            ("4420", "\"+4420\""),
            ("9", "such as"),
            ("+999", "such as"),
            ("", "such as"),
            ("+", "such as"),
            ("AE", "such as"),
            ("+123456789", "such as"),
        ] {
            let detail = wrong_beginning(wrong).unwrap();
            assert!(detail.contains(meant), "{wrong}: {detail}");
        }
    }
}
