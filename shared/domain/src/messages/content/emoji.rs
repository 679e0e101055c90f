//! Emoji, one at a time: by the grammar of UTS #51, without its list of sequences.

use std::str::FromStr;

use icu_properties::CodePointSetData;
use icu_properties::props::{Emoji as IsEmoji, EmojiModifier};
use serde::Serialize;

/// A single emoji, such as the one of a reaction.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Emoji(String);

shown_as!(Emoji, {"type": "string", "minLength": 1, "maxLength": Emoji::MAX_LENGTH, "examples": ["👍"]});

/// A text that is not one emoji.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected one emoji, such as 👍")]
pub struct NotAnEmoji;

const JOINER: char = '\u{200d}';
const AS_EMOJI: char = '\u{fe0f}';
const KEYCAP: char = '\u{20e3}';
const END_OF_TAGS: char = '\u{e007f}';

impl Emoji {
    /// Maximum characters of an emoji: a family of four has 7, with skin tones 11.
    pub const MAX_LENGTH: usize = 16;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whether it is half of a country's flag.
const fn is_regional(character: char) -> bool {
    matches!(character, '\u{1f1e6}'..='\u{1f1ff}')
}

/// The rest behind the emoji at the beginning of these characters. Joiners may connect it to others.
fn behind_one(characters: &[char]) -> Option<&[char]> {
    let (first, rest) = characters.split_first()?;
    if is_regional(*first) {
        let (second, rest) = rest.split_first()?;
        return is_regional(*second).then_some(rest);
    }
    if first.is_ascii() {
        if !first.is_ascii_digit() && !matches!(first, '#' | '*') {
            return None;
        }
        let rest = rest.strip_prefix(&[AS_EMOJI]).unwrap_or(rest);
        return rest.strip_prefix(&[KEYCAP]);
    }
    if !CodePointSetData::new::<IsEmoji>().contains(*first) {
        return None;
    }
    let rest = match rest.split_first() {
        Some((next, behind)) if *next == AS_EMOJI || CodePointSetData::new::<EmojiModifier>().contains(*next) => behind,
        _ => rest,
    };
    // Flags of regions, such as Scotland.
    let tags = rest
        .iter()
        .take_while(|tag| ('\u{e0020}'..='\u{e007e}').contains(*tag))
        .count();
    if tags == 0 {
        return Some(rest);
    }
    rest.get(tags..)?.strip_prefix(&[END_OF_TAGS])
}

impl FromStr for Emoji {
    type Err = NotAnEmoji;

    fn from_str(text: &str) -> Result<Self, NotAnEmoji> {
        let characters: Vec<char> = text.chars().take(Self::MAX_LENGTH + 1).collect();
        if characters.len() > Self::MAX_LENGTH {
            return Err(NotAnEmoji);
        }
        let mut rest = behind_one(&characters).ok_or(NotAnEmoji)?;
        while let Some(joined) = rest.strip_prefix(&[JOINER]) {
            rest = behind_one(joined).ok_or(NotAnEmoji)?;
        }
        if rest.is_empty() {
            Ok(Self(text.to_owned()))
        } else {
            Err(NotAnEmoji)
        }
    }
}

parsed!(Emoji, "emoji", "👍");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_emoji_is_accepted_and_nothing_else() {
        for emoji in [
            "👍",
            "👍🏽",
            "❤️",
            "❤",
            "🇦🇪",
            "1️⃣",
            "👨‍👩‍👧‍👦",
            "👩🏽‍🍳",
            "🏳️‍🌈",
            "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
        ] {
            assert_eq!(emoji.parse::<Emoji>().unwrap().as_str(), emoji);
        }
        for wrong in [
            "",
            " ",
            "ok",
            "1",
            "👍👍",
            "👍 ",
            "👍\u{202e}",
            "\u{200d}",
            "👍\u{200d}",
            "🇦",
            "مرحبا",
            "🏴\u{e0067}",
            &"👩\u{200d}".repeat(1_000_000),
        ] {
            assert_eq!(
                wrong.parse::<Emoji>(),
                Err(NotAnEmoji),
                "{:?}",
                wrong.chars().take(9).collect::<String>()
            );
        }
    }
}
