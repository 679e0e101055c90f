//! Folding: brings texts into a form for searching, and names in tables into a form for finding them. Whoever types a name does not repeat
//! how somebody else typed it.
//!
//! Case, width and invisible characters go by Unicode ([`unify_name`]), marks by its decompositions (NFKD). Keyboards and habits also mix
//! spellings of one letter that no decomposition equates: those that Lucene's `ArabicNormalizer` (ة and ه, ى and ي), `PersianNormalizer`
//! and `SoraniNormalizer` (letters that Persian, Urdu and Kurdish keyboards have in place of Arabic ones), and `ASCIIFoldingFilter` (ı, ł,
//! ø and others) make one, and digits of other scripts. Hamza on its carrier is a mark.
//!
//! Entries of lists are made of the folded text, so a changed folding is a new form of profiles
//! ([decision 0097](../../../../docs/decisions/0097-one-folding.md)).

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};
use icu_properties::CodePointMapData;
use icu_properties::props::CanonicalCombiningClass;

use crate::terms::unify_name;

/// Spellings of letters that are one, by the last one of each line.
const LETTERS: [(&str, &str); 15] = [
    ("ٱ", "ا"),
    ("ةۃہھە", "ه"),
    ("ىیے", "ي"),
    ("کڪ", "ك"),
    ("ں", "ن"),
    ("ı", "i"),
    ("ł", "l"),
    ("ø", "o"),
    ("đð", "d"),
    ("ħ", "h"),
    ("ŧ", "t"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("þ", "th"),
    // The line that makes words longer.
    ("ـ", ""),
];

/// The zeros of scripts that have digits of their own, each followed by the other nine.
const ZEROS: [char; 16] = [
    '٠', '۰', '०', '০', '੦', '૦', '୦', '௦', '౦', '೦', '൦', '๐', '໐', '༠', '၀', '០',
];

/// Folds a text for searching.
pub fn fold(text: &str) -> String {
    // Most names; ASCII has no marks and one spelling of each letter.
    if text.is_ascii() {
        return unify_name(text);
    }
    let mut folded = String::with_capacity(text.len());
    for letter in without_marks(&unify_name(text)).chars() {
        let one = LETTERS.iter().find(|(spellings, _)| spellings.contains(letter));
        match one {
            Some((_, one)) => folded.push_str(one),
            None => folded.push(to_ascii_digit(letter)),
        }
    }
    unify_name(&folded)
}

/// The digit in ASCII, if it is one of another script.
pub fn to_ascii_digit(sign: char) -> char {
    let value = |zero: &char| {
        u32::from(sign)
            .checked_sub(u32::from(*zero))
            .filter(|value| *value < 10)
    };
    let digit = ZEROS
        .iter()
        .find_map(value)
        .and_then(|value| char::from_digit(value, 10));
    digit.unwrap_or(sign)
}

/// The unified text without marks above and below letters and without Arabic's lengthening sign.
fn without_marks(unified: &str) -> String {
    let classes = CodePointMapData::<CanonicalCombiningClass>::new();
    let decomposed = DecomposingNormalizerBorrowed::new_nfkd().normalize(unified);
    let kept = decomposed
        .chars()
        .filter(|sign| *sign != '\u{640}' && classes.get(*sign) == CanonicalCombiningClass::NotReordered);
    let kept: String = kept.collect();
    ComposingNormalizerBorrowed::new_nfkc().normalize(&kept).into_owned()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn spellings_of_a_name_are_one() {
        let table = "فاطمة|فاطمه|فَاطِمَة|فــاطمة|ﻓﺎﻃﻤﺔ, على|علي|علی|عَلِيّ, أحمد|احمد|إحمد|آحمد|ٱحمد, \
                     رؤى|روي|رُؤَى, رائد|رايد|ر\u{627}\u{649}\u{654}د, کریم|كريم|ڪريم, \
                     علی\u{200c}رضا|عليرضا, ہما|هما|ھما, خاں|خان, \
                     İstanbul|ISTANBUL|istanbul|ıstanbul, Straße|STRASSE|strasse, ΟΔΟΣ|οδος|οδός, \
                     Łukasz Đorđe|lukasz dorde|ŁUKASZ ĐORĐE, Søren Æbelø|soren aebelo, José|jose|Jose\u{301}|ＪＯＳＥ, \
                     Ёлкин|елкин, Unit ١٢|unit ۱۲|UNIT 12|unit १२|unit １２";
        for names in table.split(", ") {
            let mut spellings = names.split('|');
            let one = fold(spellings.next().unwrap());
            for other in spellings {
                assert_eq!(fold(other), one, "{other}");
            }
        }
        // All of these differ.
        let others = "سارة|سار|هدى|هدا|علاء|علا|گل|كل|Lukas|Lukasz|o|oe|🍕|🍔";
        let different: BTreeSet<String> = others.split('|').map(fold).collect();
        assert_eq!(different.len(), others.split('|').count(), "{different:?}");
    }

    #[test]
    fn folding_twice_changes_nothing() {
        let hangul = ('\u{ac00}'..='\u{ac20}').chain('\u{3041}'..='\u{30ff}');
        for sign in ('\0'..='\u{2fff}').chain(hangul).chain('\u{fb00}'..='\u{ffff}') {
            let text = format!("a{sign}\u{301} {sign}");
            let once = fold(&text);
            assert_eq!(fold(&once), once, "{sign:?}");
        }
    }

    /// Every letter that the table names is folded, and each zero has nine digits behind it.
    #[test]
    fn no_letter_of_the_table_remains() {
        for (letters, one) in LETTERS {
            for letter in letters.chars() {
                assert_eq!(fold(&letter.to_string()), one, "{letter}");
            }
        }
        for zero in ZEROS {
            let nine = char::from_u32(u32::from(zero) + 9).unwrap();
            assert!(zero.is_numeric() && nine.is_numeric(), "{zero}");
            assert_eq!((to_ascii_digit(zero), to_ascii_digit(nine)), ('0', '9'));
        }
    }
}
