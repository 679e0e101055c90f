//! Keys of the fields that a tenant defines for its contacts.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Identifier of a field within its tenant. It becomes part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct FieldKey(String);

shown_as!(FieldKey, {"type": "string", "pattern": "^[a-z][a-z0-9_]{0,39}$", "examples": ["loyalty_level"]});

impl FieldKey {
    /// Maximum length in bytes.
    pub const MAX_LENGTH: usize = 40;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is not the key of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the key of a field has 1 to {} lower-case letters and digits of ASCII, and _, and begins with a letter",
    FieldKey::MAX_LENGTH
)]
pub struct NotAFieldKey;

impl FromStr for FieldKey {
    type Err = NotAFieldKey;

    fn from_str(text: &str) -> Result<Self, NotAFieldKey> {
        let sign = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let fit = text.len() <= Self::MAX_LENGTH
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(sign);
        fit.then(|| Self(text.to_owned())).ok_or(NotAFieldKey)
    }
}

parsed!(FieldKey, "field_key", "loyalty_level");

impl fmt::Display for FieldKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_a_field_is_an_identifier() {
        for good in ["a", "loyalty_level", "x2", "a__", &"x".repeat(40)] {
            assert_eq!(good.parse::<FieldKey>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "2x",
            "_a",
            "A",
            "aB",
            "a b",
            "a-b",
            "a.b",
            "a#b",
            "ä",
            &"x".repeat(41),
        ] {
            assert_eq!(bad.parse::<FieldKey>(), Err(NotAFieldKey), "{bad:?}");
        }
    }
}
