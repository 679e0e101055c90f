//! Texts from outside, each with a maximum length: they become parts of keys and rows, which have one, too.

use std::fmt;
use std::ops::Deref;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};

/// A provider's id of a message: ASCII letters, digits and signs, which covers all providers. It becomes part of a key.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ProviderRef(String);

impl ProviderRef {
    /// Maximum length in bytes. The longest known ids have about 200.
    pub const MAX_LENGTH: usize = 512;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq<&str> for ProviderRef {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

/// A text is no provider's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a provider's id has 1 to {} letters, digits and signs of ASCII",
    ProviderRef::MAX_LENGTH
)]
pub struct NotAProviderRef;

impl TryFrom<String> for ProviderRef {
    type Error = NotAProviderRef;

    fn try_from(text: String) -> Result<Self, NotAProviderRef> {
        let fit = (1..=Self::MAX_LENGTH).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        fit.then_some(Self(text)).ok_or(NotAProviderRef)
    }
}

impl FromStr for ProviderRef {
    type Err = NotAProviderRef;

    fn from_str(text: &str) -> Result<Self, NotAProviderRef> {
        if text.len() > Self::MAX_LENGTH {
            return Err(NotAProviderRef);
        }
        text.to_owned().try_into()
    }
}

impl<'de> Deserialize<'de> for ProviderRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.try_into().map_err(D::Error::custom)
    }
}

impl Deref for ProviderRef {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProviderRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An id that WhatsApp gives a person for one business (business-scoped user id, BSUID), such as `GB.7000000000000111`. Its documented
/// form is two letters, a dot, and letters and digits. Everything valid in a key is accepted, so that a new form does not cost a
/// customer's message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Bsuid(String);

shown_as!(Bsuid, {
    "type": "string",
    "maxLength": Bsuid::MAX_LENGTH,
    "pattern": r"^[A-Za-z0-9_-]*\.[A-Za-z0-9._-]*$",
    "examples": ["AE.1234567890"],
});

impl Bsuid {
    /// Maximum length in bytes. Known ids are far shorter.
    pub const MAX_LENGTH: usize = 160;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Bsuid> for String {
    fn from(id: Bsuid) -> Self {
        id.0
    }
}

/// A text is no id of WhatsApp's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "an id of WhatsApp's has letters and digits of ASCII around a dot, at most {}",
    Bsuid::MAX_LENGTH
)]
pub struct NotABsuid;

impl FromStr for Bsuid {
    type Err = NotABsuid;

    fn from_str(text: &str) -> Result<Self, NotABsuid> {
        let sign = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        let fit = text.len() <= Self::MAX_LENGTH && text.contains('.') && text.bytes().all(sign);
        fit.then(|| Self(text.to_owned())).ok_or(NotABsuid)
    }
}

parsed!(Bsuid, "whatsapp_id", "AE.1234567890");

/// Sender of an SMS that is not a telephone number: a short code such as `68849`, or a name. Nobody can write to it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct SenderId(String);

impl SenderId {
    /// Maximum length in characters, as in GSM 03.40.
    pub const MAX_LENGTH: usize = 11;

    /// Maximum digits of a short code: more are a number that is not in international form.
    const MAX_CODE_LENGTH: usize = 8;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A text that is neither a short code nor a sender's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "a sender's name has letters or digits, at most {}, and a short code at most 8 digits",
    SenderId::MAX_LENGTH
)]
pub struct NotASenderId;

impl FromStr for SenderId {
    type Err = NotASenderId;

    fn from_str(text: &str) -> Result<Self, NotASenderId> {
        let sign = |sign: char| sign.is_alphanumeric() || " !&'*+,-./_".contains(sign);
        let is_code = text.len() <= Self::MAX_CODE_LENGTH && text.bytes().all(|byte| byte.is_ascii_digit());
        let is_name = text.chars().count() <= Self::MAX_LENGTH && text.chars().any(char::is_alphabetic);
        let fit = text.trim() == text && !text.is_empty() && text.chars().all(sign) && (is_code || is_name);
        fit.then(|| Self(text.to_owned())).ok_or(NotASenderId)
    }
}

parsed!(SenderId, "sender_id", "68849");

/// A person's name as a network or a profile shows it: one line, without invisible characters, shortened if too long.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct ShownName(String);

impl ShownName {
    /// Maximum length in characters. WhatsApp allows 25.
    pub const MAX_LENGTH: usize = 120;

    /// The name in a text; `None` if nothing visible is left.
    pub fn of(text: &str) -> Option<Self> {
        let seen = text
            .chars()
            .take(4 * Self::MAX_LENGTH)
            .map(|sign| if sign.is_whitespace() { ' ' } else { sign })
            .filter(|sign| !sign.is_control() && (!is_unseen(*sign) || changes_its_neighbour(*sign)));
        let name: String = seen.skip_while(|sign| *sign == ' ').take(Self::MAX_LENGTH).collect();
        let name = name.trim_end();
        let shows = name.chars().any(|sign| !is_unseen(sign));
        shows.then(|| Self(name.to_owned()))
    }
}

/// Unicode's default ignorable characters, and the one blank that Unicode does not count as a space: they are invisible,
/// and some change the direction of the following text. A table of its own, since Unicode's whole table would be in every
/// function.
const fn is_unseen(sign: char) -> bool {
    matches!(
        sign,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{2800}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

/// Whether it joins emoji or letters of some scripts, or chooses their form.
const fn changes_its_neighbour(sign: char) -> bool {
    matches!(sign, '\u{200c}' | '\u{200d}' | '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}')
}

impl<'de> Deserialize<'de> for ShownName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // A row from before the rules for names is still readable.
        Ok(Self::of(&text).unwrap_or_else(|| Self(text.chars().take(Self::MAX_LENGTH).collect())))
    }
}

impl Deref for ShownName {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// Maximum stored length of a message's text in bytes: far above what people write (WhatsApp allows 4,096 characters), far
/// below the size of a row.
pub const MAX_FOREIGN_TEXT_LENGTH: usize = 64 * 1024;

/// Cuts a text to at most this many bytes, at the end of a character. Returns whether something was cut.
pub fn cut_to_bytes(mut text: String, most: usize) -> (String, bool) {
    if text.len() <= most {
        return (text, false);
    }
    let mut end = most;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    (text, true)
}

#[cfg(test)]
mod tests {
    use icu_properties::CodePointSetData;
    use icu_properties::props::DefaultIgnorableCodePoint;

    use super::*;

    #[test]
    fn a_reference_is_a_short_word() {
        let most = "x".repeat(ProviderRef::MAX_LENGTH);
        assert_eq!(&*most.parse::<ProviderRef>().unwrap(), most);
        for text in [
            "wamid.HBgLNDQ3NzAwOTAwMTExFQIAERgSRkE=",
            "SM0123456789abcdef0123456789abcdef",
        ] {
            assert_eq!(&*text.parse::<ProviderRef>().unwrap(), text);
        }
        let strange = ["SM 1", "SM\r\n1", "SM1\0", "مرحبا", "\u{202e}SM1"].map(str::to_owned);
        for wrong in [String::new(), format!("{most}x")].into_iter().chain(strange) {
            assert_eq!(wrong.parse::<ProviderRef>(), Err(NotAProviderRef));
            assert_eq!(ProviderRef::try_from(wrong.clone()), Err(NotAProviderRef));
            assert!(serde_json::from_value::<ProviderRef>(wrong.into()).is_err());
        }
    }

    #[test]
    fn an_id_of_whatsapp_fits_in_a_key() {
        let longest = format!("AE.{}", "x".repeat(Bsuid::MAX_LENGTH - 3));
        for good in ["GB.7000000000000111", "GB.ENT.7000000000000111", "US.a_b-c", &longest] {
            assert_eq!(good.parse::<Bsuid>().unwrap().as_str(), good);
        }
        let longer = format!("{longest}x");
        for wrong in [
            "",
            "971501234567",
            "AE.1#2",
            "AE.1 2",
            "AE./",
            "AE.\u{202e}1",
            "АE.1",
            &longer,
        ] {
            assert_eq!(wrong.parse::<Bsuid>(), Err(NotABsuid), "{wrong}");
        }
    }

    #[test]
    fn name_is_one_line_without_invisible_characters() {
        for (text, name) in [
            ("Layla Haddad", Some("Layla Haddad")),
            ("  Layla\n\tHaddad ", Some("Layla  Haddad")),
            ("ليلى حدّاد", Some("ليلى حدّاد")),
            ("\u{202e}reversed", Some("reversed")),
            // Joiners of emoji and of letters of some scripts.
            ("👩\u{200d}🍳", Some("👩\u{200d}🍳")),
            ("Zoe\u{200b}\u{e0041}", Some("Zoe")),
            ("", None),
            (" \u{202e}\0 ", None),
            ("\u{200b}", None),
            ("\u{200d}\u{fe0f}", None),
            ("\u{3164} \u{ad}", None),
        ] {
            assert_eq!(ShownName::of(text).as_deref(), name, "{text:?}");
        }
        let long = ShownName::of(&"ß".repeat(2_000_000)).unwrap();
        assert_eq!(long.chars().count(), ShownName::MAX_LENGTH);
    }

    #[test]
    fn invisible_characters_are_those_of_unicode() {
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        for sign in '\0'..=char::MAX {
            assert_eq!(
                is_unseen(sign),
                sign == '\u{2800}' || ignorable.contains(sign),
                "{sign:?}"
            );
        }
    }

    #[test]
    fn a_cut_text_ends_with_a_whole_character() {
        assert_eq!(cut_to_bytes("abc".to_owned(), 3), ("abc".to_owned(), false));
        assert_eq!(cut_to_bytes("abcd".to_owned(), 3), ("abc".to_owned(), true));
        assert_eq!(cut_to_bytes("aß".to_owned(), 2), ("a".to_owned(), true));
        assert_eq!(cut_to_bytes("👩".to_owned(), 3), (String::new(), true));
    }
}
