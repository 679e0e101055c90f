//! Country calling codes, and numbers as they are dialled within a country.

use std::str::FromStr;

use serde::Serialize;

use crate::terms::Phone;

/// A country's calling code, such as 44: the digits after the `+`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(into = "String")]
pub struct CallingCode(u16);

shown_as!(CallingCode, {"type": "string", "pattern": "^[1-9][0-9]{0,2}$", "examples": ["91"]});

/// A text that is no country calling code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a country calling code of 1 to 3 digits without +, such as 91")]
pub struct InvalidCallingCode;

impl FromStr for CallingCode {
    type Err = InvalidCallingCode;

    fn from_str(text: &str) -> Result<Self, InvalidCallingCode> {
        let shaped =
            (1..=3).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
        match text.parse() {
            Ok(code) if shaped => Ok(Self(code)),
            _ => Err(InvalidCallingCode),
        }
    }
}

parsed!(CallingCode, "calling_code", "91");

impl From<CallingCode> for String {
    fn from(code: CallingCode) -> Self {
        code.to_string()
    }
}

impl std::fmt::Display for CallingCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl CallingCode {
    /// India, Exotel's home market.
    pub const INDIA: Self = Self(91);

    /// A number as it is dialled in this country: with the trunk prefix `0`, with `+` or `00` and a country, or bare. `None`
    /// if it is ambiguous: the wrong reading would reach a stranger.
    pub fn phone(self, text: &str) -> Option<Phone> {
        let text = text.trim();
        if text.starts_with('+') {
            return text.parse().ok();
        }
        if let Some(international) = text.strip_prefix("00") {
            return Phone::from_digits(international).ok();
        }
        let national = |digits: &str| {
            // Shorter ones are the network's own services.
            (digits.len() >= SHORTEST_NATIONAL).then(|| Phone::from_digits(&format!("{self}{digits}")).ok())?
        };
        if let Some(digits) = text.strip_prefix('0') {
            return national(digits);
        }
        if !text.starts_with(&self.to_string()) {
            return national(text);
        }
        match text.len() {
            // No national number is longer than ten digits where this form is in use.
            11.. => Phone::from_digits(text).ok(),
            // India's mobile numbers begin with 91, too; all its numbers have ten digits.
            10 if self == Self::INDIA => national(text),
            _ => None,
        }
    }
}

const SHORTEST_NATIONAL: usize = 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_could_be_two_is_none() {
        let read = |code: u16, text: &str| CallingCode(code).phone(text).map(|phone| phone.to_string());
        for (code, text, expected) in [
            (91, "09876543210", Some("+919876543210")),
            (91, "9876543210", Some("+919876543210")),
            (91, "9198765432", Some("+919198765432")),
            (91, "919876543210", Some("+919876543210")),
            (91, "+447700900111", Some("+447700900111")),
            (91, "00447700900111", Some("+447700900111")),
            (44, "07700900111", Some("+447700900111")),
            (65, "91234567", Some("+6591234567")),
            (65, "6591234567", None),
            (65, "65123456", None),
            (91, "100", None),
            (91, "0198", None),
            (91, "", None),
            (91, "anonymous", None),
            (91, "0987654321012345", None),
        ] {
            assert_eq!(read(code, text).as_deref(), expected, "{code} {text}");
        }
    }

    #[test]
    fn a_calling_code_has_one_to_three_digits() {
        let code = |text: &str| text.parse::<CallingCode>();
        assert_eq!(code("44"), Ok(CallingCode(44)));
        for bad in ["", "0", "+44", "044", "4444", "x"] {
            assert!(code(bad).is_err(), "{bad}");
        }
    }
}
