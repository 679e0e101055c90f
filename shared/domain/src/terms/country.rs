//! Countries by ISO 3166, and the country of a telephone number.

use std::fmt;
use std::str::FromStr;

use crate::terms::{Phone, calling_code};

/// Beginnings of telephone numbers without `+`, each with its country, separated by a tab. The longest one that fits counts. Calling codes
/// that several countries share belong to the main one, except 1 and 7, whose countries are told apart by their area codes. `numbering.py` writes
/// and checks it.
const PREFIXES: &str = include_str!("countries.txt");

/// Length of the longest beginning: a calling code of one digit and an area code.
const MAX_PREFIX_LENGTH: usize = 4;

/// A country or territory, by its two letters in ISO 3166.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

shown_as!(Country, {
    "type": "string",
    "description": "A country by ISO 3166.",
    "pattern": "^[A-Z]{2}$",
    "examples": ["AE"],
});

/// A text that is no country code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected two capital letters of ISO 3166, such as AE")]
pub struct NotACountry;

impl FromStr for Country {
    type Err = NotACountry;

    fn from_str(text: &str) -> Result<Self, NotACountry> {
        match text.as_bytes() {
            [first, second] if first.is_ascii_uppercase() && second.is_ascii_uppercase() => Ok(Self([*first, *second])),
            _ => Err(NotACountry),
        }
    }
}

parsed!(Country, "country", "AE");

impl Country {
    pub fn as_str(&self) -> &str {
        // Both are letters of ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The country with this calling code; the main one, if several share it.
    pub fn of_calling_code(code: &str) -> Option<Self> {
        let mut lines = PREFIXES.lines().filter_map(|line| line.split_once('\t'));
        lines.find(|(prefix, _)| *prefix == code)?.1.parse().ok()
    }

    /// The calling code of its numbers; `None` for a territory whose numbers another country's table has.
    pub fn calling_code(&self) -> Option<&'static str> {
        let mut lines = PREFIXES.lines().filter_map(|line| line.split_once('\t'));
        let (prefix, _) = lines.find(|(_, country)| *country == self.as_str())?;
        calling_code(prefix)
    }

    /// The country in one of Meta's business-scoped user ids, which begins with it: `AE.13491208655302741918`.
    pub fn of_bsuid(bsuid: &str) -> Option<Self> {
        bsuid.split_once('.')?.0.parse().ok()
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl serde::Serialize for Country {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Phone {
    /// The country of the number. `None` if no country has its calling code.
    pub fn country(&self) -> Option<Country> {
        let digits = self.digits();
        let of = |prefix: &str| {
            let mut lines = PREFIXES.lines().filter_map(|line| line.split_once('\t'));
            let found = lines.find(|(known, _)| *known == prefix);
            found.and_then(|(_, country)| country.parse().ok())
        };
        let prefixes = (1..=MAX_PREFIX_LENGTH).rev().filter_map(|length| digits.get(..length));
        prefixes.into_iter().find_map(of)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn country(number: &str) -> Option<String> {
        let phone: Phone = number.parse().unwrap();
        phone.country().map(|country| country.to_string())
    }

    #[test]
    fn a_number_is_of_the_country_of_its_longest_beginning() {
        for (number, expected) in [
            ("+971501234567", Some("AE")),
            ("+447700900111", Some("GB")),
            ("+12025550143", Some("US")),
            ("+16135550143", Some("CA")),
            ("+18765550143", Some("JM")),
            ("+17875550143", Some("PR")),
            ("+18005550143", Some("US")),
            ("+78005550143", Some("RU")),
            ("+77015550143", Some("KZ")),
            ("+3725550143", Some("EE")),
            ("+353205550143", Some("IE")),
            ("+99999999999", None),
            ("+88812345678", None),
        ] {
            assert_eq!(country(number).as_deref(), expected, "{number}");
        }
    }

    #[test]
    fn user_id_of_meta_names_its_country() {
        let of = |id| Country::of_bsuid(id).map(|country| country.to_string());
        assert_eq!(of("AE.13491208655302741918").as_deref(), Some("AE"));
        for other in ["", "AE", "ae.1", "123.4", ".1"] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
