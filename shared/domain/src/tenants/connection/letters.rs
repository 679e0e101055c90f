//! Senders of letters: what recipients of an SMS read instead of a number. Nobody can reply to them, and each country has its own rules for
//! them ([`crate::destinations::RuleKind`]).

use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize};

use crate::destinations::{Origin, takes_letters, takes_numbers};
use crate::terms::{Category, Country, Fault, FaultCode, Findings, Phone, UpTo};

/// Maximum countries with letters per connection.
pub const MAX_LETTERS_COUNTRIES: usize = 100;
/// Maximum characters of a sender.
pub const MAX_LETTERS_LENGTH: usize = 11;
/// Pattern of a sender, which also has a letter. Source: Twilio's AlphaSender resource.
pub const LETTERS_PATTERN: &str = "^[A-Za-z0-9 +_&-]{1,11}$";

/// The letters of a connection, by country.
pub type Letters = UpTo<MAX_LETTERS_COUNTRIES, LettersSender>;

/// Letters that send SMS to a country, instead of a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LettersSender {
    /// Country of the recipients.
    #[cfg_attr(feature = "schema", schemars(example = &"AE"))]
    pub country: Country,
    /// Sender that they see: letters of English, digits, spaces, `+`, `-`, `_` and `&`, at least one of them a letter.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = LETTERS_PATTERN), example = &"SAFFRON"))]
    pub sender: String,
    /// Sender of promotion. Some countries want a mark in it. If omitted, the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(regex(pattern = LETTERS_PATTERN), example = &"AD-SAFFRON"))]
    pub promotion: Option<String>,
    /// Whether the provider has registered them for the country, as the tenant confirms.
    #[serde(default)]
    pub registered: bool,
}

impl LettersSender {
    /// The sender of messages of this category.
    pub fn of(&self, category: Category) -> &str {
        let promotion = self.promotion.as_deref().filter(|_| category == Category::Marketing);
        promotion.unwrap_or(&self.sender)
    }

    /// The sender of messages of this category, as the rules of countries judge it.
    pub fn origin(&self, category: Category) -> Origin<'_> {
        Origin::Letters {
            sender: self.of(category),
            registered: self.registered,
        }
    }
}

/// The letters that send to a country.
pub fn letters_to(letters: &[LettersSender], country: Option<Country>) -> Option<&LettersSender> {
    letters.iter().find(|sender| Some(sender.country) == country)
}

/// The letters that send a message to a country. `others`: whether the connection has another sender. Nobody can write to letters, so it
/// sends answers wherever numbers arrive.
pub fn sending_letters(
    letters: &[LettersSender],
    others: bool,
    country: Option<Country>,
    category: Category,
) -> Option<&LettersSender> {
    let answers = others && category == Category::Service;
    letters_to(letters, country).filter(|letters| !(answers && takes_numbers(letters.country)))
}

/// Whether letters can be a sender.
fn is_sender(text: &str) -> bool {
    let fits = |sign: u8| sign.is_ascii_alphanumeric() || b" +-_&".contains(&sign);
    (1..=MAX_LETTERS_LENGTH).contains(&text.len())
        && text.trim() == text
        && text.bytes().all(fits)
        && text.bytes().any(|sign| sign.is_ascii_alphabetic())
}

/// Advice for letters where something else is expected, as the end of a sentence.
pub(super) fn hint(text: &str) -> &'static str {
    if is_sender(text) {
        " Letters that send SMS belong in `letters`."
    } else {
        ""
    }
}

/// Reports wrong senders, by field.
pub(super) fn check(letters: &[LettersSender], found: &mut Findings) {
    let mut seen = HashSet::new();
    for (index, of) in letters.iter().enumerate() {
        let field = |name: &str| format!("letters[{index}].{name}");
        let twice = Fault::new(FaultCode::GivenTwice, "This country is given twice.");
        found.expect(seen.insert(of.country), field("country"), twice);
        let nobodys = Fault::new(
            FaultCode::NotApplicable,
            format!("No telephone number belongs to {}.", of.country),
        );
        let nobodys = nobodys.and("kind", of.country.as_str());
        found.expect(of.country.calling_code().is_some(), field("country"), nobodys);
        let numbers_only = format!(
            "Letters do not arrive in {}. Leave it out, and a number sends there.",
            of.country
        );
        let fault = Fault::new(FaultCode::NotApplicable, numbers_only).and("kind", of.country.as_str());
        found.expect(takes_letters(of.country), field("country"), fault);
        let given = [("sender", Some(&of.sender)), ("promotion", of.promotion.as_ref())];
        for (name, sender) in given.into_iter().filter_map(|(name, sender)| Some((name, sender?))) {
            let detail = format!(
                "Expected up to {MAX_LETTERS_LENGTH} letters of English, digits, spaces, +, -, _ and &, at least one of them a letter."
            );
            let fault = Fault::format("sender", "SAFFRON", detail);
            found.expect(is_sender(sender), field(name), fault);
        }
    }
}

/// A number of a connection that could also have letters.
struct Number(Phone);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(|error| {
            let detail = match hint(&text) {
                "" => error.to_string(),
                hint => format!("{error}.{hint}"),
            };
            Fault::format("phone", "+442079460000", detail).refuse()
        })
    }
}

/// Numbers, with a word about letters among them.
pub fn numbers_or_letters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Phone>, D::Error> {
    let numbers = Vec::<Number>::deserialize(deserializer)?;
    Ok(numbers.into_iter().map(|Number(phone)| phone).collect())
}

/// Numbers of a change, if they are given, with a word about letters among them.
pub fn given_numbers_or_letters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Phone>>, D::Error> {
    let numbers = Option::<Vec<Number>>::deserialize(deserializer)?;
    Ok(numbers.map(|numbers| numbers.into_iter().map(|Number(phone)| phone).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The country's letters send, by category. Answers come from another sender, where numbers arrive.
    #[test]
    fn letters_of_the_country_send() {
        let letters: Vec<LettersSender> = serde_json::from_value(serde_json::json!([
            {"country": "AE", "sender": "SAFFRON", "promotion": "AD-SAFFRON"},
            {"country": "GB", "sender": "SAFFRON UK"},
        ]))
        .unwrap();
        for (country, category, others, sender) in [
            ("AE", Category::Utility, false, Some("SAFFRON")),
            ("AE", Category::Marketing, true, Some("AD-SAFFRON")),
            ("AE", Category::Service, true, Some("SAFFRON")),
            ("GB", Category::Marketing, true, Some("SAFFRON UK")),
            ("GB", Category::Service, false, Some("SAFFRON UK")),
            ("GB", Category::Service, true, None),
            ("DE", Category::Utility, false, None),
        ] {
            let found = sending_letters(&letters, others, country.parse().ok(), category);
            assert_eq!(found.map(|found| found.of(category)), sender, "{country} {category:?}");
        }
    }

    #[test]
    fn senders_are_letters_that_twilio_takes() {
        for sender in ["SAFFRON", "AD-SAFFRON", "Cafe 24", "a", "B+W_&-0", "ABCDEFGHIJK"] {
            assert!(is_sender(sender), "{sender}");
        }
        for wrong in [
            "",
            "12345",
            "ABCDEFGHIJKL",
            "Café",
            "زعفران",
            " SAFFRON",
            "SAFFRON!",
            "A.B",
            "+971",
        ] {
            assert!(!is_sender(wrong), "{wrong}");
        }
    }
}
