//! Faults: why a value that somebody wrote is refused, as a sentence in English, a code and facts.

use std::fmt;

use serde::de;

use crate::terms::{Fact, Facts};

codes! {
    /// Code of a fault. Codes are added, never changed.
    pub enum FaultCode {
        /// The field is required.
        Required = "required" [],
        /// There is no such field or parameter.
        Unknown = "unknown" ["expected"],
        /// The field, or an item of a list, is given twice.
        GivenTwice = "given_twice" [],
        /// The value has another type.
        WrongType = "wrong_type" ["expected"],
        /// The value is none of the possible ones.
        NotOneOf = "not_one_of" ["expected"],
        /// The text has another form.
        Format = "format" ["expected", "example"],
        /// The text may be either of two values.
        TwoMeanings = "two_meanings" ["one", "other"],
        /// The text has too few characters.
        TooShort = "too_short" ["minimum", "maximum"],
        /// The text has too many characters.
        TooLong = "too_long" ["minimum", "maximum"],
        /// The text contains control characters or has several lines.
        ControlCharacters = "control_characters" [],
        /// The text contains invisible characters.
        InvisibleCharacters = "invisible_characters" [],
        /// The number, time or period is outside its bounds.
        OutOfRange = "out_of_range" ["minimum", "maximum"],
        /// There are too many items.
        TooMany = "too_many" ["maximum"],
        /// There are too few items.
        TooFew = "too_few" ["minimum"],
        /// The whole is too large.
        TooLarge = "too_large" ["bytes", "maximum_bytes"],
        /// The name is reserved.
        Reserved = "reserved" [],
        /// Something else has this value, which must be unique.
        Taken = "taken" ["by"],
        /// The value refers to something that does not exist.
        NotFound = "not_found" ["id"],
        /// No connection that reports calls has the number.
        NotConnected = "not_connected" [],
        /// The field, or this value of it, does not belong to things of this kind.
        NotApplicable = "not_applicable" ["kind"],
        /// Calls would ring at the number that they came to.
        RingsItself = "rings_itself" [],
        /// The value cannot change.
        Fixed = "fixed" [],
        /// The field excludes another one.
        Excludes = "excludes" ["others"],
        /// The field needs another one.
        Requires = "requires" ["others"],
        /// The end comes before the beginning.
        WrongOrder = "wrong_order" ["other"],
        /// Periods overlap.
        Overlaps = "overlaps" [],
        /// The time is in the past.
        InPast = "in_past" [],
        /// The time is in the future.
        InFuture = "in_future" [],
        /// The caller may not give as much, or for as long.
        NotPermitted = "not_permitted" ["until_at"],
        /// The password is easy to guess.
        WeakPassword = "weak_password" ["reason", "minimum", "maximum"],
        /// The password, code or secret is not the right one.
        WrongSecret = "wrong_secret" [],
        /// A spreadsheet program has shortened the number, so that digits are lost.
        Shortened = "shortened" [],
        /// The telephone number has an extension.
        Extension = "extension" [],
        /// The telephone number is in no range that is known in its country. It was taken as it is.
        UnknownRange = "unknown_range" [],
        /// The person is a contact already.
        IsContact = "is_contact" [],
        /// The person was erased.
        Erased = "erased" [],
        /// The contact was deleted.
        Deleted = "deleted" [],
        /// The numbers and addresses belong to different contacts.
        Several = "several" [],
        /// The file, or the part of it that is meant, is damaged.
        Damaged = "damaged" [],
        /// The row has more cells than the table has columns.
        MoreCells = "more_cells" [],
        /// The card is no person.
        NoPerson = "no_person" [],
        /// The file is a workbook of a spreadsheet program.
        Workbook = "workbook" [],
        /// The value is not valid for another reason, which the sentence says.
        Invalid = "invalid" [],
    }
}

/// Why a value is refused.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fault {
    pub code: FaultCode,
    /// The facts of the sentence.
    pub facts: Facts,
    /// Problem and remedy, in words. Never the value itself.
    pub detail: String,
}

impl Fault {
    /// A fault without facts.
    pub fn new(code: FaultCode, detail: impl Into<String>) -> Self {
        Self {
            code,
            facts: Facts::NONE,
            detail: detail.into(),
        }
    }

    /// Adds a fact, which the table of codes must know.
    pub fn and(mut self, name: &'static str, fact: impl Into<Fact>) -> Self {
        debug_assert!(self.code.facts().contains(&name), "{} has no fact {name}", self.code);
        self.facts = self.facts.and(name, fact);
        self
    }

    /// A required field is missing.
    pub fn missing_field() -> Self {
        Self::new(FaultCode::Required, "This field is required.")
    }

    /// A text has another form.
    pub fn format(expected: &str, example: &str, detail: impl Into<String>) -> Self {
        let fault = Self::new(FaultCode::Format, detail);
        fault.and("expected", expected).and("example", example)
    }

    /// A fault for a list, or another set of things, that exceeds its maximum.
    pub fn too_many(maximum: usize, detail: impl Into<String>) -> Self {
        Self::new(FaultCode::TooMany, detail).and("maximum", maximum)
    }

    /// A number is not within its bounds.
    pub fn out_of_range(minimum: impl Into<Fact>, maximum: impl Into<Fact>, detail: impl Into<String>) -> Self {
        let fault = Self::new(FaultCode::OutOfRange, detail);
        fault.and("minimum", minimum).and("maximum", maximum)
    }

    /// The number of characters of a text is not within its bounds.
    pub fn length(characters: usize, minimum: usize, maximum: usize, detail: impl Into<String>) -> Self {
        let code = if characters < minimum {
            FaultCode::TooShort
        } else {
            FaultCode::TooLong
        };
        Self::new(code, detail).and("minimum", minimum).and("maximum", maximum)
    }

    /// A field needs one of these others.
    pub fn requires(others: &[&str], detail: impl Into<String>) -> Self {
        Self::new(FaultCode::Requires, detail).and("others", others.iter().collect::<Fact>())
    }

    /// A field excludes these others.
    pub fn excludes(others: &[&str], detail: impl Into<String>) -> Self {
        Self::new(FaultCode::Excludes, detail).and("others", others.iter().collect::<Fact>())
    }

    /// The fault as an error of serde, whose only content is a text: code and facts follow the sentence, and [`Fault::read`] finds
    /// them.
    pub fn refuse<E: de::Error>(self) -> E {
        E::custom(Marked(&self))
    }

    /// The fault in the text of an error of serde, if [`Fault::refuse`] wrote it.
    pub fn from_marked_text(text: &str) -> Option<Self> {
        let text = text.strip_suffix(')')?;
        let mut places = text.rmatch_indices(" (");
        places.find_map(|(at, begin)| {
            let mark = &text[at + begin.len()..];
            let (code, facts) = mark.split_once(' ').unwrap_or((mark, "{}"));
            Some(Self {
                code: FaultCode::named(code)?,
                facts: serde_json::from_str(facts).ok()?,
                detail: text[..at].to_owned(),
            })
        })
    }

    /// Reads a marked text. Any other text becomes a fault of the code `invalid`.
    pub fn read(text: &str) -> Self {
        Self::from_marked_text(text).unwrap_or_else(|| text.into())
    }
}

/// A fault with code and facts behind its sentence.
struct Marked<'a>(&'a Fault);

impl fmt::Display for Marked<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { code, facts, detail } = self.0;
        write!(f, "{detail} ({code}")?;
        if !facts.is_empty() {
            write!(f, " {}", serde_json::to_string(facts).map_err(|_| fmt::Error)?)?;
        }
        f.write_str(")")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// A sentence alone. Another code says more.
impl From<&str> for Fault {
    fn from(detail: &str) -> Self {
        Self::new(FaultCode::Invalid, detail)
    }
}

impl From<String> for Fault {
    fn from(detail: String) -> Self {
        Self::new(FaultCode::Invalid, detail)
    }
}

/// An error of parsing that is a fault of several possible codes.
pub trait Faulty {
    fn fault(&self) -> Fault;
}

#[cfg(test)]
mod tests {
    use serde::de::Error as _;

    use super::*;

    #[test]
    fn fault_survives_an_error_of_serde() {
        let long = Fault::length(81, 1, 80, "must have 1 to 80 characters");
        let odd = Fault::format("name", "a (b) \"c\"", "expected a name (of any kind)");
        for fault in [long, odd, Fault::new(FaultCode::Reserved, "reserved (unknown)")] {
            let error: serde_json::Error = fault.clone().refuse();
            assert_eq!(Fault::read(&error.to_string()), fault);
        }
        let error: serde_json::Error = Fault::length(0, 1, 80, "must have 1 to 80 characters").refuse();
        let shown = r#"must have 1 to 80 characters (too_short {"maximum":80,"minimum":1})"#;
        assert_eq!(error.to_string(), shown);
    }

    #[test]
    fn text_without_a_code_is_the_sentence() {
        for text in [
            "",
            ")",
            "must be even",
            "must be even (two)",
            "odd (too_long {)",
            "odd (too_long 1)",
        ] {
            let error = serde_json::Error::custom(text);
            assert_eq!(Fault::read(&error.to_string()), text.into(), "{text}");
        }
    }

    #[test]
    fn every_code_and_fact_is_a_word() {
        let word = |text: &&str| text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        for code in FaultCode::ALL {
            assert_eq!(FaultCode::named(code.as_str()), Some(*code));
            assert!(word(&code.as_str()) && code.facts().iter().all(word), "{code}");
            assert!(code.means().ends_with('.'), "{code}");
        }
    }
}
