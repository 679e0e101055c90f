//! Texts that some people write and others read: names, words, sentences.
//!
//! Invisible characters in a name make it possible to impersonate somebody: a control character that turns the direction of
//! writing makes `gpj.exe` of `exe.jpg`, and two names that differ by a character without width look the same. Such
//! characters are therefore refused, except the few that some scripts need, where they have an effect: a joiner between
//! letters of scripts that join (Persian) or beside a virama (Hindi, Sinhala), a joiner within an emoji, a variation
//! selector behind an emoji or an ideograph. The conditions are those of RFC 5892 (appendices A.1 and A.2), widened as far
//! as people write in these scripts, and of UTS #51.

use std::fmt::Write as _;
use std::str::FromStr;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    CanonicalCombiningClass, DefaultIgnorableCodePoint, Emoji, EmojiModifier, ExtendedPictographic, GeneralCategory,
    Ideographic, JoiningType, VariationSelector,
};
use icu_properties::{CodePointMapData, CodePointSetData};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::terms::{Fault, FaultCode, Faulty};

/// Problem of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum WrongText {
    /// The text has no visible characters.
    #[error("must not be empty")]
    Empty,
    /// The text has several lines, or other control characters.
    #[error("must be one line without control characters")]
    Control,
    /// The text has invisible characters.
    #[error("must not contain invisible characters, such as those that change the direction of writing")]
    Invisible,
}

impl WrongText {
    /// The fault with this sentence.
    pub(crate) fn fault_with(self, detail: String) -> Fault {
        match self {
            Self::Empty => Fault::new(FaultCode::TooShort, detail).and("minimum", 1_u32),
            Self::Control => Fault::new(FaultCode::ControlCharacters, detail),
            Self::Invisible => Fault::new(FaultCode::InvisibleCharacters, detail),
        }
    }
}

/// Maximum length of the name of a business, a connection and so on, in characters.
pub const MAX_NAME_LENGTH: usize = 100;

/// A text of one line, such as a name, of `LEAST` to `MAX` characters. Parsing removes spaces around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct OneLine<const LEAST: usize, const MAX: usize>(String);

shown_as!(const LEAST, MAX; OneLine<LEAST, MAX>, {"type": "string", "minLength": LEAST, "maxLength": MAX});

/// Reason why a text of one or several lines is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidLine {
    #[error("must have {least} to {most} characters")]
    Length {
        /// Number of characters, which are not counted beyond the maximum.
        found: usize,
        least: usize,
        most: usize,
    },
    /// Characters that it may not contain.
    #[error(transparent)]
    Wrong(#[from] WrongText),
}

impl Faulty for InvalidLine {
    fn fault(&self) -> Fault {
        let detail = self.to_string();
        match *self {
            Self::Length { found, least, most } => Fault::length(found, least, most, detail),
            Self::Wrong(wrong) => wrong.fault_with(detail),
        }
    }
}

/// Checks the length of a text. Longer texts are not examined.
fn check_length(text: &str, least: usize, most: usize) -> Result<(), InvalidLine> {
    let found = text.chars().take(most + 1).count();
    if (least..=most).contains(&found) {
        Ok(())
    } else {
        Err(InvalidLine::Length { found, least, most })
    }
}

impl<const LEAST: usize, const MAX: usize> OneLine<LEAST, MAX> {
    /// Wraps a text that is already stored, whatever the rules were then.
    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LEAST: usize, const MAX: usize> From<OneLine<LEAST, MAX>> for String {
    fn from(line: OneLine<LEAST, MAX>) -> Self {
        line.0
    }
}

impl<const LEAST: usize, const MAX: usize> FromStr for OneLine<LEAST, MAX> {
    type Err = InvalidLine;

    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        let text = text.trim();
        check_length(text, LEAST, MAX)?;
        if !text.is_empty() {
            check_line(text)?;
        }
        Ok(Self(text.to_owned()))
    }
}

parsed!(const LEAST, MAX; OneLine<LEAST, MAX>, by fault);

/// A text of several lines, such as a note, of `LEAST` to `MAX` characters. Parsing removes blanks around it, and writes
/// every end of a line as a line feed and a tab as a space.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Lines<const LEAST: usize, const MAX: usize>(String);

shown_as!(const LEAST, MAX; Lines<LEAST, MAX>, {"type": "string", "minLength": LEAST, "maxLength": MAX});

impl<const LEAST: usize, const MAX: usize> Lines<LEAST, MAX> {
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LEAST: usize, const MAX: usize> From<Lines<LEAST, MAX>> for String {
    fn from(lines: Lines<LEAST, MAX>) -> Self {
        lines.0
    }
}

impl<const LEAST: usize, const MAX: usize> FromStr for Lines<LEAST, MAX> {
    type Err = InvalidLine;

    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        // Longer texts are not examined. A line can end with two characters, which count as one.
        let examined: String = text.trim().chars().take(2 * MAX + 1).collect();
        let text = examined.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
        check_length(&text, LEAST, MAX)?;
        if is_visible(&text) {
            Ok(Self(text))
        } else {
            Err(WrongText::Invisible.into())
        }
    }
}

parsed!(const LEAST, MAX; Lines<LEAST, MAX>, by fault);

/// A text as its author wrote it, of `LEAST` to `MAX` characters. Parsing changes nothing, since a message says exactly this.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Verbatim<const LEAST: usize, const MAX: usize>(String);

shown_as!(const LEAST, MAX; Verbatim<LEAST, MAX>, {"type": "string", "minLength": LEAST, "maxLength": MAX});

impl<const LEAST: usize, const MAX: usize> Verbatim<LEAST, MAX> {
    /// Wraps a text that is already stored, whatever the rules were then.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl<const LEAST: usize, const MAX: usize> From<Verbatim<LEAST, MAX>> for String {
    fn from(text: Verbatim<LEAST, MAX>) -> Self {
        text.0
    }
}

impl<const LEAST: usize, const MAX: usize> FromStr for Verbatim<LEAST, MAX> {
    type Err = InvalidLine;

    fn from_str(text: &str) -> Result<Self, InvalidLine> {
        check_length(text, LEAST, MAX)?;
        Ok(Self(text.to_owned()))
    }
}

parsed!(const LEAST, MAX; Verbatim<LEAST, MAX>, by fault);

/// The URL of a page: `http` or `https`, with a host.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct WebUrl(String);

shown_as!(WebUrl, {
    "type": "string", "maxLength": WebUrl::MAX_LENGTH, "pattern": "^https?://[^\\s/?#:@][^\\s]*$",
    "examples": ["https://saffron.example/cake"],
});

/// A text that is not the URL of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be the URL of a page, http:// or https://, of at most {} characters",
    WebUrl::MAX_LENGTH
)]
pub struct NotAUrl;

impl WebUrl {
    /// Maximum length in characters.
    pub const MAX_LENGTH: usize = 2_000;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for WebUrl {
    type Err = NotAUrl;

    fn from_str(text: &str) -> Result<Self, NotAUrl> {
        if text.chars().take(Self::MAX_LENGTH + 1).count() > Self::MAX_LENGTH {
            return Err(NotAUrl);
        }
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#', ':', '@']));
        let fit = host && !text.contains(char::is_whitespace) && is_visible(text);
        fit.then(|| Self(text.to_owned())).ok_or(NotAUrl)
    }
}

parsed!(WebUrl, "web_url", "https://saffron.example/cake");

const ZERO_WIDTH_NON_JOINER: char = '\u{200c}';
const ZERO_WIDTH_JOINER: char = '\u{200d}';

/// Maximum marks on a letter. Examining more would make hostile texts expensive.
const MAX_MARKS: usize = 8;

/// The one blank that is not a space in Unicode.
const BRAILLE_BLANK: char = '\u{2800}';

/// Checks a name, or another text of one line. Its length is checked separately.
///
/// # Errors
/// If it has no visible characters, or some invisible ones.
pub fn check_line(text: &str) -> Result<(), WrongText> {
    if text.trim().is_empty() {
        return Err(WrongText::Empty);
    }
    if text.chars().any(char::is_control) {
        return Err(WrongText::Control);
    }
    if is_visible(text) {
        Ok(())
    } else {
        Err(WrongText::Invisible)
    }
}

/// The form in which two names are one name: Unicode's compatibility form (NFKC) without differences of case, without characters that
/// are not seen, and with single spaces. Keys are made of it, so it never changes; texts are searched for in their
/// [`folded`](crate::terms::fold) form.
pub fn unify_name(name: &str) -> String {
    // Most names; ASCII is its own compatibility form, and none of it is ignorable.
    if name.is_ascii() {
        let words: Vec<&str> = name.split_whitespace().collect();
        return words.join(" ").to_ascii_lowercase();
    }
    let nfkc = ComposingNormalizerBorrowed::new_nfkc();
    let mut unified = String::with_capacity(name.len());
    for character in nfkc.normalize(name).chars().flat_map(char::to_lowercase) {
        match character {
            // Two lower-case spellings of one capital.
            'ß' => unified.push_str("ss"),
            'ς' => unified.push('σ'),
            unseen if CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(unseen) => {}
            other => unified.push(other),
        }
    }
    let words: Vec<&str> = unified.split_whitespace().collect();
    nfkc.normalize(&words.join(" ")).into_owned()
}

/// A hash of a name's [`unify_name`] form, for keys: a name can contain their separators, and the form can be eighteen times as
/// long.
pub fn name_fingerprint(name: &str) -> String {
    to_hex(&Sha256::digest(unify_name(name)))
}

/// Bytes as hexadecimal digits, in lower case.
pub fn to_hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            // Writing to a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// Whether each character of a text is visible or affects its neighbours. Line feeds are allowed.
pub fn is_visible(text: &str) -> bool {
    // Most names; in ASCII, only control characters are invisible.
    if text.is_ascii() {
        return !text.chars().any(is_hidden);
    }
    let characters: Vec<char> = text.chars().collect();
    (0..characters.len()).all(|index| is_seen(&characters, index))
}

/// The text as a sentence quotes it: on one line, with a space for each character that is neither visible nor affects its neighbours.
/// Otherwise, a quoted text could change the direction of the sentence around it.
pub fn quotable(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let quoted = characters.iter().enumerate().map(|(index, character)| {
        let seen = *character != '\n' && is_seen(&characters, index);
        if seen { *character } else { ' ' }
    });
    quoted.collect()
}

/// Whether the character at this place is visible or affects its neighbours.
fn is_seen(characters: &[char], index: usize) -> bool {
    let (before, after) = (&characters[..index], &characters[index + 1..]);
    match characters[index] {
        ZERO_WIDTH_NON_JOINER => joins_letters(before, after),
        ZERO_WIDTH_JOINER => joins_letters(before, after) || joins_emoji(before, after),
        other if CodePointSetData::new::<VariationSelector>().contains(other) => varies(before),
        other => !is_hidden(other),
    }
}

/// The text without characters that are not seen by themselves. What is left [`is_visible`].
pub fn visible_text(text: &str) -> String {
    text.chars().filter(|character| !is_hidden(*character)).collect()
}

fn is_hidden(character: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(character);
    let hidden = matches!(
        category,
        GeneralCategory::Control
            | GeneralCategory::Format
            | GeneralCategory::LineSeparator
            | GeneralCategory::ParagraphSeparator
            | GeneralCategory::PrivateUse
    );
    (hidden && character != '\n')
        || character == BRAILLE_BLANK
        || CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(character)
        // The last two code points of each plane are never characters.
        || u32::from(character) & 0xfffe == 0xfffe
}

fn is_virama(character: char) -> bool {
    CodePointMapData::<CanonicalCombiningClass>::new().get(character) == CanonicalCombiningClass::Virama
}

/// Whether a joiner at this place joins letters.
fn joins_letters(before: &[char], after: &[char]) -> bool {
    let joining = |character: char| CodePointMapData::<JoiningType>::new().get(character);
    // Vowel signs and other marks belong to a letter.
    let letter = |character: &&char| joining(**character) != JoiningType::Transparent;
    let joins = |character: &char| {
        matches!(
            joining(*character),
            JoiningType::DualJoining | JoiningType::RightJoining | JoiningType::LeftJoining
        )
    };
    let (Some(last), Some(next)) = (before.last(), after.first()) else {
        return false;
    };
    let left = before.iter().rev().take(MAX_MARKS).find(letter);
    let right = after.iter().take(MAX_MARKS).find(letter);
    is_virama(*last) || is_virama(*next) || (left.is_some_and(joins) && right.is_some_and(joins))
}

/// Whether a joiner at this place joins two emoji into one.
fn joins_emoji(before: &[char], after: &[char]) -> bool {
    let pictographic = |character: &char| CodePointSetData::new::<ExtendedPictographic>().contains(*character);
    let coloured = |character: &char| CodePointSetData::new::<EmojiModifier>().contains(*character);
    let selector = |character: &&char| CodePointSetData::new::<VariationSelector>().contains(**character);
    let last = before.iter().rev().take(2).find(|character| !selector(character));
    last.is_some_and(|last| pictographic(last) || coloured(last)) && after.first().is_some_and(pictographic)
}

/// Whether a variation selector at this place chooses between forms.
fn varies(before: &[char]) -> bool {
    before.last().is_some_and(|last| {
        CodePointSetData::new::<Emoji>().contains(*last) || CodePointSetData::new::<Ideographic>().contains(*last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_has_limits_and_no_surrounding_blanks() {
        let read = |text: &str| text.parse::<OneLine<1, 5>>().map(String::from);
        let length = |found: usize| {
            Err(InvalidLine::Length {
                least: 1,
                most: 5,
                found,
            })
        };
        assert_eq!(read(" مايا "), Ok("مايا".to_owned()));
        assert_eq!(read("Mayaa"), Ok("Mayaa".to_owned()));
        assert_eq!(read("  "), length(0));
        assert_eq!(read("Maya H"), length(6));
        assert_eq!(read("a\nb"), Err(WrongText::Control.into()));
        assert_eq!("".parse::<OneLine<0, 5>>().map(String::from), Ok(String::new()));
    }

    #[test]
    fn several_lines_have_limits_and_one_kind_of_end() {
        let read = |text: &str| text.parse::<Lines<1, 7>>().map(String::from);
        let length = |found: usize| {
            Err(InvalidLine::Length {
                least: 1,
                most: 7,
                found,
            })
        };
        let invisible = WrongText::Invisible.into();
        assert_eq!(read(" a\r\nb\rc\n\td \n"), length(8));
        assert_eq!(read("\n a\r\nb\rc\td \n"), Ok("a\nb\nc d".to_owned()));
        assert_eq!(read("\r\n\t "), length(0));
        assert_eq!(read("a\r\nb\r\nc\r\nd"), Ok("a\nb\nc\nd".to_owned()));
        assert_eq!(read("a\r\nb\r\nc\r\nde"), length(8));
        assert_eq!(read(&"a\r\n".repeat(1_000_000)), length(8));
        for hidden in [
            "a\u{202e}b",
            "a\u{2066}b",
            "a\0b",
            "a\u{2028}b",
            "\u{200b}",
            "a\u{200d}",
        ] {
            assert_eq!(read(hidden), Err(invisible), "{hidden:?}");
        }
    }

    #[test]
    fn names_that_look_alike_are_compared_as_one() {
        for (one, other) in [
            ("Regular", " REGULAR "),
            ("Big  spender", "big spender"),
            ("VIP\u{a0}1", "vip 1"),
            ("ＶＩＰ", "vip"),
            ("ﬁne", "Fine"),
            ("Straße", "STRASSE"),
            ("ΟΔΟΣ", "οδος"),
            ("Jose\u{301}", "JOSÉ"),
            ("❤\u{fe0f}", "❤"),
            ("ﷺ", "صلى الله عليه وسلم"),
        ] {
            assert_eq!(unify_name(one), unify_name(other), "{one} and {other}");
            assert_eq!(name_fingerprint(one), name_fingerprint(other), "{one} and {other}");
        }
        for (one, other) in [("Regular", "Regulars"), ("vip1", "vip 1"), ("kır", "kir"), ("é", "e")] {
            assert_ne!(name_fingerprint(one), name_fingerprint(other), "{one} and {other}");
        }
        // Applying it twice changes nothing.
        for name in ["İstanbul", "ΟΔΟΣ", "㍿ Ⅷ", "ẞ", "مايا"] {
            assert_eq!(unify_name(&unify_name(name)), unify_name(name), "{name}");
        }
        let key = name_fingerprint(&"ﷺ".repeat(60));
        assert!(
            key.len() == 64 && key.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{key}"
        );
    }

    #[test]
    fn page_url_needs_http_and_a_host() {
        let longest = format!("https://a/{}", "x".repeat(WebUrl::MAX_LENGTH - 10));
        for good in ["https://saffron.example/cake?a=1#b", "http://كعك.example", &longest] {
            assert_eq!(good.parse::<WebUrl>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "saffron.example",
            "javascript:alert(1)",
            "HTTPS://a",
            "https://",
            "https:///a",
            "http://a b",
            "https://a\n",
            "https://a\u{202e}b",
            &format!("{longest}x"),
        ] {
            assert_eq!(bad.parse::<WebUrl>(), Err(NotAUrl), "{bad:?}");
        }
    }

    #[test]
    fn names_in_all_scripts_are_accepted() {
        for name in [
            "Maya Haddad",
            "O'Brien & Söhne, 2. Stock (rear)",
            "Joe\u{301}",
            "Nguyễn Thị Ánh",
            "مايا حدّاد",
            // Persian: a non-joiner within a word, after a letter that joins on both sides, and after one that does not.
            "می\u{200c}خواهم",
            "کار\u{200c}ها",
            "مُ\u{200c}ها",
            // Hindi, Bengali, Sinhala: joiners beside a virama.
            "क्\u{200d}ष",
            "र\u{200d}\u{9cd}य",
            "ශ්\u{200d}රී ලංකා",
            "山田太郎",
            "葛\u{e0100}飾",
            "ร้านอาหาร",
            "Pizza 🍕",
            "👩\u{200d}🍳 Café ❤\u{fe0f}",
            "👩🏽\u{200d}🍳",
            "❤\u{fe0f}\u{200d}🔥",
            "3\u{fe0f}\u{20e3} Brothers",
        ] {
            assert_eq!(check_line(name), Ok(()), "{name:?}");
        }
    }

    #[test]
    fn invisible_characters_are_refused() {
        for hidden in [
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200c}',
            '\u{200d}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2063}',
            '\u{2066}',
            '\u{2069}',
            '\u{2800}',
            '\u{3164}',
            '\u{e000}',
            '\u{fe0f}',
            '\u{feff}',
            '\u{ffa0}',
            '\u{fff9}',
            '\u{fffe}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0041}',
            '\u{e0100}',
            '\u{10ffff}',
        ] {
            let within = format!("Ma{hidden}ya");
            assert_eq!(check_line(&within), Err(WrongText::Invisible), "{hidden:?}");
            let behind = format!("Maya{hidden}");
            assert_eq!(check_line(&behind), Err(WrongText::Invisible), "{hidden:?}");
        }
        for joiner in ['\u{200c}', '\u{200d}'] {
            for text in [
                format!("می{joiner}"),
                format!("{joiner}می"),
                format!("می{joiner}{joiner}خ"),
                format!("می{joiner} خ"),
                format!("م{joiner}a"),
                format!("e\u{301}{joiner}e"),
                format!("🍕{joiner}a"),
            ] {
                assert_eq!(check_line(&text), Err(WrongText::Invisible), "{text:?}");
            }
        }
        for (text, wrong) in [
            ("", WrongText::Empty),
            (" \u{a0}\u{3000} ", WrongText::Empty),
            ("a\nb", WrongText::Control),
            ("a\u{7f}", WrongText::Control),
            ("a\u{85}b", WrongText::Control),
        ] {
            assert_eq!(check_line(text), Err(wrong), "{text:?}");
        }
    }

    #[test]
    fn quoted_texts_change_no_direction_of_writing() {
        for (text, quoted) in [
            ("Maya\u{202e}ayaM\u{2066}", "Maya ayaM "),
            ("a\nb\tc\0d", "a b c d"),
            ("M\u{200b}a\u{200d}ya", "M a ya"),
            ("می\u{200c}خواهم", "می\u{200c}خواهم"),
            ("👩\u{200d}🍳 ❤\u{fe0f}", "👩\u{200d}🍳 ❤\u{fe0f}"),
        ] {
            assert_eq!(quotable(text), quoted);
        }
    }
}
