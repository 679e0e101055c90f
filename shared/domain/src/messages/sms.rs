//! Segments of an SMS, its unit of billing, as Twilio counts them with its smart encoding: equal to sms-segments-calculator 1.3.0 (npm;
//! MIT, © 2021 Twilio Inc). Its table is in `smart_encoding.txt`, and the table of grapheme-splitter 1.0.4 (MIT, © 2015 Orlin Georgiev),
//! which it uses, in `graphemes.txt`.

use std::sync::LazyLock;

/// The characters of GSM 03.38 that take one unit. All others of it take two.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ!\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿\
                     abcdefghijklmnopqrstuvwxyzäöñüà";
const EXTENDED: &str = "^{}\\[~]|€\u{c}";

/// Units of a message that is sent whole, and of a part of a longer one, whose header takes six bytes.
const GSM: Room = Room { whole: 160, part: 153 };
const UTF_16: Room = Room { whole: 70, part: 67 };

/// Characters that fit into an SMS.
#[derive(Debug, Clone, Copy)]
struct Room {
    /// Into an SMS of one segment.
    whole: usize,
    /// Into each of several segments.
    part: usize,
}

/// The number of segments that a text is sent in: at least one. Smart encoding replaces what GSM 03.38 has something similar for. With any
/// character outside of it left, the text is sent in UTF-16. No segment ends within a character as people see it, unless it has no end.
pub fn sms_segments(text: &str) -> u32 {
    let text = encode_text(text);
    let units = |sign| match sign {
        _ if BASIC.contains(sign) => Some(1),
        _ if EXTENDED.contains(sign) => Some(2),
        _ => None,
    };
    let gsm: Option<Vec<usize>> = text.chars().map(units).collect();
    match gsm {
        Some(units) => parts(&units, GSM),
        None => parts(&graphemes(&text), UTF_16),
    }
}

/// The number of segments for characters of these lengths. Characters that the header of the first segment displaces go to the second one,
/// and so does the character that did not fit.
fn parts(lengths: &[usize], Room { whole, part }: Room) -> u32 {
    let mut kept = Vec::new();
    let (mut segments, mut used, mut room) = (1_u32, 0, whole);
    for length in lengths {
        if used + length > room {
            segments = segments.saturating_add(1);
            let mut displaced = 0;
            while room == whole && used - displaced > part {
                displaced += kept.pop().unwrap_or_default();
            }
            (used, room) = (displaced, part);
        }
        if room == whole {
            kept.push(*length);
        }
        used += length;
    }
    segments
}

/// Characters that smart encoding replaces, with what replaces them, in the order of the former. A line of the table has the replacement, `-`
/// for none, and the characters.
static REPLACED: LazyLock<Vec<(char, String)>> = LazyLock::new(|| {
    let sign = |hex: &str| u32::from_str_radix(hex, 16).ok().and_then(char::from_u32);
    let lines = include_str!("smart_encoding.txt").lines();
    let lines = lines.filter_map(|line| line.split_once(' '));
    let pairs = lines.flat_map(|(by, signs)| {
        let by: String = by.split('+').filter_map(sign).collect();
        signs.split(' ').filter_map(move |hex| Some((sign(hex)?, by.clone())))
    });
    let mut all: Vec<_> = pairs.collect();
    all.sort();
    all
});

fn encode_text(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for sign in text.chars() {
        match REPLACED.binary_search_by_key(&sign, |(known, _)| *known) {
            Ok(place) => encoded.push_str(&REPLACED[place].1),
            Err(_) => encoded.push(sign),
        }
    }
    encoded
}

/// Classes of characters that tell where graphemes end. Source: Unicode 10, UAX 29.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Break,
    Extend,
    Prepend,
    Spacing,
    L,
    V,
    T,
    Lv,
    Lvt,
    Base,
    Modifier,
    Joiner,
    /// Continues a joined emoji.
    Glued,
    /// A base that continues one.
    GluedBase,
    Regional,
    Other,
}

/// First and last character of each range with its class, in their order. A line of the table has a class and its ranges.
static CLASSES: LazyLock<Vec<(u32, u32, Class)>> = LazyLock::new(|| {
    let code = |hex: &str| u32::from_str_radix(hex, 16).ok();
    let lines = include_str!("graphemes.txt").lines();
    let lines = lines.filter_map(|line| line.split_once(' '));
    let ranges = lines.flat_map(|(class, ranges)| {
        let class = match class {
            "C" => Class::Break,
            "E" => Class::Extend,
            "P" => Class::Prepend,
            "S" => Class::Spacing,
            "L" => Class::L,
            "V" => Class::V,
            "T" => Class::T,
            "B" => Class::Base,
            "M" => Class::Modifier,
            "Z" => Class::Joiner,
            "G" => Class::Glued,
            "D" => Class::GluedBase,
            "R" => Class::Regional,
            _ => Class::Other,
        };
        ranges.split(' ').filter_map(move |range| {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            Some((code(first)?, code(last)?, class))
        })
    });
    let mut all: Vec<_> = ranges.collect();
    all.sort_by_key(|(first, ..)| *first);
    all
});

impl Class {
    fn of(sign: char) -> Self {
        let code = u32::from(sign);
        match code {
            0xA | 0xD => return Self::Break,
            // Syllables of Hangul: 28 for each pair of a consonant and a vowel, the first without a final consonant.
            0xAC00..=0xD7A3 if (code - 0xAC00).is_multiple_of(28) => return Self::Lv,
            0xAC00..=0xD7A3 => return Self::Lvt,
            _ => {}
        }
        let after = CLASSES.partition_point(|(first, ..)| *first <= code);
        let found = after.checked_sub(1).map(|place| CLASSES[place]);
        found
            .filter(|(_, last, _)| code <= *last)
            .map_or(Self::Other, |(.., class)| class)
    }
}

/// Lengths in UTF-16 of the characters as people see them.
fn graphemes(text: &str) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut classes: Vec<Class> = Vec::new();
    for sign in text.chars() {
        classes.push(Class::of(sign));
        if classes.len() == 1 || begins(&classes) {
            classes.drain(..classes.len() - 1);
            lengths.push(0);
        }
        if let Some(last) = lengths.last_mut() {
            *last += sign.len_utf16();
        }
    }
    lengths
}

/// Whether the last of these begins a grapheme, if the first does and none between them. As in grapheme-splitter, whose modifiers of emoji differ a
/// little from Unicode's rules.
fn begins(all: &[Class]) -> bool {
    use Class::{
        Base, Break, Extend, Glued, GluedBase, Joiner, L, Lv, Lvt, Modifier, Prepend, Regional, Spacing, T, V,
    };
    let ([start, between @ .., next], Some(previous)) = (all, all.iter().rev().nth(1)) else {
        return true;
    };
    let only = |wanted: Class, until: usize| all[1..until].iter().all(|class| *class == wanted);
    let place = |wanted: Class| all.iter().rposition(|class| *class == wanted);
    if place(Modifier).is_some_and(|place| place > 1 && only(Extend, place))
        && !matches!(start, Extend | Base | GluedBase)
    {
        return true;
    }
    if place(Regional).is_some_and(|place| place > 0 && only(Regional, place))
        && !matches!(previous, Prepend | Regional)
    {
        return true;
    }
    match (previous, next) {
        (Break, _) | (_, Break) => true,
        (L, L | V | Lv | Lvt)
        | (Lv | V, V | T)
        | (Lvt | T, T)
        | (_, Extend | Joiner | Spacing)
        | (Prepend, _)
        | (Joiner, Glued | GluedBase) => false,
        (_, Modifier) => {
            let base = place(Extend).map_or(Some(all.len() - 2), |place| place.checked_sub(1));
            !base.is_some_and(|place| {
                let extended = all[place + 1..all.len() - 1].iter().all(|class| *class == Extend);
                extended && matches!(all[place], Base | GluedBase)
            })
        }
        (Regional, Regional) => between.contains(&Regional),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::sms_segments;

    #[test]
    fn segments_depend_on_length_and_characters() {
        for (text, expected) in [
            (String::new(), 1),
            ("x".repeat(160), 1),
            ("x".repeat(161), 2),
            ("x".repeat(306), 2),
            ("x".repeat(307), 3),
            ("€".repeat(80), 1),
            ("€".repeat(81), 2),
            ("€".repeat(153), 3),
            ("ش".repeat(70), 1),
            ("ش".repeat(71), 2),
            ("🙂".repeat(35), 1),
            ("🙂".repeat(36), 2),
            // Smart encoding: an apostrophe, three dots, a wide space, what is not seen, a fraction.
            (format!("{}’", "x".repeat(150)), 1),
            (format!("{}…", "ش".repeat(69)), 2),
            (format!("{}\u{a0}", "x".repeat(159)), 2),
            (format!("{}\u{200b}", "x".repeat(160)), 1),
            (format!("{}½", "x".repeat(158)), 2),
            // No character is divided: a family, a flag, a letter with its vowel sign.
            ("👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(25), 5),
            ("🙂".repeat(67), 3),
            ("🇦🇪".repeat(33), 3),
            (format!("{}🇦🇪", "ش".repeat(131)), 3),
            ("كَ".repeat(34), 1),
            ("كَ".repeat(67), 3),
            ("\r\n".repeat(80), 1),
        ] {
            assert_eq!(sms_segments(&text), expected, "{} characters", text.chars().count());
        }
    }
}
