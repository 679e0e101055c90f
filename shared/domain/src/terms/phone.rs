//! Telephone numbers in E.164, by shape.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;

use crate::terms::other_number_form;

/// A telephone number: `+`, then 7 to 15 digits, the first not zero. It keeps the form that was reported. Two forms of one number are
/// equal, since they have the same [`key`](Phone::key): comparing numbers asks whether they reach the same person.
#[derive(Clone, serde::Serialize)]
pub struct Phone(String);

impl PartialEq for Phone {
    fn eq(&self, other: &Self) -> bool {
        self.is_written_as(other) || self.key() == other.key()
    }
}

impl Eq for Phone {}

impl Hash for Phone {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl PartialOrd for Phone {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Phone {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

shown_as!(Phone, {
    "type": "string",
    "description": "A telephone number in E.164.",
    "pattern": r"^\+[1-9][0-9]{6,14}$",
    "examples": ["+97145550001"],
});

/// A text that is not a telephone number in E.164.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a telephone number in international form, such as +442079460000")]
pub struct InvalidPhone;

impl Phone {
    /// With the `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form of the number that identifies its person, by the table of [`number_forms`]: the same for all of its forms.
    pub fn key(&self) -> Cow<'_, str> {
        other_number_form(self.digits()).map_or(Cow::Borrowed(self.as_str()), Cow::Owned)
    }

    /// Whether it stands in the form of its [`key`](Phone::key).
    pub fn is_key(&self) -> bool {
        matches!(self.key(), Cow::Borrowed(_))
    }

    /// The number in the form of its [`key`](Phone::key).
    pub(crate) fn in_key_form(&self) -> Self {
        Self(self.key().into_owned())
    }

    /// Whether it is the same number in the same form.
    pub fn is_written_as(&self, other: &Self) -> bool {
        self.0 == other.0
    }

    /// The digits without `+`, as Meta writes numbers.
    pub fn digits(&self) -> &str {
        &self.0[1..]
    }

    /// Parses digits without `+`, as Meta writes numbers.
    ///
    /// # Errors
    /// If the digits are not a telephone number.
    pub fn from_digits(digits: &str) -> Result<Self, InvalidPhone> {
        format!("+{digits}").parse()
    }

    /// A number that belongs to nobody, for trying rules.
    pub(crate) fn nobodys() -> Self {
        Self("+15005550006".to_owned())
    }

    /// The number with all but its last three digits hidden, for logs and pages seen by others.
    pub fn masked_number(&self) -> String {
        format!("+…{}", &self.0[self.0.len() - 3..])
    }
}

impl FromStr for Phone {
    type Err = InvalidPhone;

    fn from_str(text: &str) -> Result<Self, InvalidPhone> {
        let digits = text.strip_prefix('+').ok_or(InvalidPhone)?;
        let shaped = (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        if shaped {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPhone)
        }
    }
}

impl fmt::Display for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked_number())
    }
}

parsed!(Phone, "phone", "+442079460000");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_judged_by_shape() {
        for good in ["+15005550006", "+97155500333", "+4477009", "+123456789012345"] {
            assert!(good.parse::<Phone>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "+",
            "15005550006",
            "+05005550006",
            "+123456",
            "+1234567890123456",
            "+1 500 555",
            "sip:a@b",
        ] {
            assert!(bad.parse::<Phone>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_debug_print_hides_the_number() {
        let phone: Phone = "+447700900123".parse().unwrap();
        assert_eq!(format!("{phone:?}"), "+…123");
    }
}
