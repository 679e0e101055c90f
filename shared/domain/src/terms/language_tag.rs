//! BCP 47 language tags, by shape.

use std::str::FromStr;

use serde::Serialize;

/// A BCP 47 language tag, by shape.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Language(String);

shown_as!(Language, {"type": "string", "minLength": 2, "maxLength": MAX_LANGUAGE_LENGTH, "description": "A BCP 47 language tag.", "examples": ["en"]});

/// A text that is not a language tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a BCP 47 language tag, such as en or ar-AE")]
pub struct InvalidLanguage;

impl Language {
    /// Wraps a tag that is already stored, whatever the rules were then.
    pub fn from_stored(tag: &str) -> Self {
        Self(tag.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.0
    }
}

impl FromStr for Language {
    type Err = InvalidLanguage;

    fn from_str(text: &str) -> Result<Self, InvalidLanguage> {
        let language = is_language(text).then(|| Self(text.to_owned()));
        language.ok_or(InvalidLanguage)
    }
}

parsed!(Language, "language", "ar-AE");

/// Maximum length of a language tag in characters.
pub const MAX_LANGUAGE_LENGTH: usize = 35;

/// Whether a text has the form of a BCP 47 language tag: a language of two or three letters, then optional script, region
/// and variants.
pub fn is_language(tag: &str) -> bool {
    let letters = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphabetic());
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = tag.split('-').peekable();
    let language = parts.next().unwrap_or_default();
    if tag.len() > MAX_LANGUAGE_LENGTH || !(2..=3).contains(&language.len()) || !letters(language) {
        return false;
    }
    parts.next_if(|part| part.len() == 4 && letters(part));
    parts.next_if(|part| (part.len() == 2 && letters(part)) || (part.len() == 3 && digits(part)));
    parts.all(|part| {
        let plain = part.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let marked = part.starts_with(|first: char| first.is_ascii_digit());
        plain && ((5..=8).contains(&part.len()) || (part.len() == 4 && marked))
    })
}

/// The language without its region: Meta writes `en_GB`, BCP 47 writes `en-GB`.
pub(crate) fn primary_language(language: &str) -> String {
    language
        .split(['_', '-'])
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_tag_is_checked_by_its_form() {
        for good in [
            "en",
            "ar",
            "fil",
            "pt-BR",
            "zh-Hant",
            "zh-Hant-TW",
            "es-419",
            "sl-rozaj",
            "de-1996",
        ] {
            assert!(is_language(good), "{good}");
        }
        for bad in [
            "", "e", "english", "en_GB", "en-", "-en", "en--GB", "en-G", "en GB", "é", "en-GB-x",
        ] {
            assert!(!is_language(bad), "{bad}");
        }
    }
}
