//! Telephone numbers as people write them to find a contact: the last digits, or a number in any spelling.
//!
//! A search compares what was written with the numbers that contacts have, so it needs no plan of the country that a national number is of: only
//! the prefixes that are dialled before it.

use crate::terms::{Country, Phone, calling_code, is_in_numbering_plan, to_ascii_digit, unify_name};

/// Longest text that is read.
const MAX_LENGTH: usize = 40;

/// Most digits of a prefix that is dialled before a number abroad: Korea's 00700.
const MAX_PREFIX_LENGTH: usize = 5;

/// Prefixes of national numbers by calling code, where they are others than 0, which is dropped by the table of
/// [`number_forms`](crate::terms::other_number_form). A test compares them with libphonenumber.
const TRUNKS: [(&str, &str); 5] = [("7", "8"), ("36", "06"), ("375", "8"), ("375", "80"), ("993", "8")];

/// A telephone number, or its last digits, as somebody wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digits {
    digits: String,
    /// Whether a plus stands before them.
    is_whole: bool,
    /// The calling code of the business's country, if they are a national number there; otherwise they may be one of any country.
    home: Option<&'static str>,
}

shown_as!(Digits, {"type": "string", "minLength": 3, "maxLength": MAX_LENGTH, "examples": ["4567"]});

/// A text that is neither a telephone number nor the end of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be a telephone number, or its last 3 to 15 digits")]
pub struct NotDigits;

impl Digits {
    /// The digits as a business in this country writes them: a national number is one of this country if its plan has it.
    #[must_use]
    pub fn at(self, home: Option<Country>) -> Self {
        let home = home.and_then(|home| home.calling_code());
        let home = home.filter(|home| self.number_in_plan(home).is_some());
        Self { home, ..self }
    }

    /// Whether the country of the business counts: where they are as long as a whole number, without a plus.
    pub fn may_be_national(&self) -> bool {
        !self.is_whole && self.digits.len() > Self::LAST - 1
    }

    /// The digits for reading a list, the last one first: as many as numbers have in common with each spelling of theirs.
    pub fn reversed_digits(&self) -> String {
        const FEWEST: usize = 5;
        let own = self.digits.strip_prefix('0').filter(|own| own.len() >= FEWEST);
        let own = own.unwrap_or(&self.digits);
        own.chars().rev().take(Self::LAST).collect()
    }

    /// The digits of a whole number in the form of its key, the last one first, as telephone numbers are listed.
    pub fn of(phone: &Phone) -> String {
        phone.key().trim_start_matches('+').chars().rev().collect()
    }

    /// Digits at the end that are the same in all forms of a number.
    const LAST: usize = 7;

    /// The last digits of a number that two numbers of one person have in common, whatever their form.
    pub fn last(phone: &Phone) -> String {
        phone.digits().chars().rev().take(Self::LAST).collect()
    }

    /// Whether they are the end of a number, or a spelling of it.
    pub fn find(&self, phone: &Phone) -> bool {
        let key = phone.key();
        let own = key.trim_start_matches('+');
        let digits = self.digits.as_str();
        if self.is_whole {
            return is(digits, phone);
        }
        let national = || {
            let code = self.home.or_else(|| calling_code(own));
            code.is_some_and(|code| self.national(code).any(|national| is(&national, phone)))
        };
        let abroad = || digits.strip_suffix(own).is_some_and(is_prefix_abroad);
        own.ends_with(digits) || abroad() || self.after_00().is_some_and(|rest| is(rest, phone)) || national()
    }

    /// The number, if they are a whole one: with a plus, after 00, or in the plan of the business's country.
    pub fn number(&self) -> Option<Phone> {
        let whole = self
            .after_00()
            .or_else(|| self.is_whole.then_some(self.digits.as_str()));
        if let Some(whole) = whole {
            return Phone::from_digits(whole).ok();
        }
        self.home.and_then(|home| self.number_in_plan(home))
    }

    /// The national number in the plan of this calling code.
    fn number_in_plan(&self, code: &str) -> Option<Phone> {
        let key = |digits: String| Phone::from_digits(&digits).ok()?.key().parse().ok();
        self.national(code)
            .find_map(|digits| key(digits).filter(is_in_numbering_plan))
    }

    fn after_00(&self) -> Option<&str> {
        self.digits.strip_prefix("00").filter(|_| !self.is_whole)
    }

    /// The digits with this calling code, and without each prefix of its national numbers.
    fn national<'a>(&'a self, code: &'a str) -> impl Iterator<Item = String> + 'a {
        let trunks = TRUNKS
            .iter()
            .filter(move |(of, _)| *of == code)
            .map(|(_, trunk)| *trunk);
        let own = [""]
            .into_iter()
            .chain(trunks)
            .filter_map(|trunk| self.digits.strip_prefix(trunk));
        own.map(move |own| format!("{code}{own}"))
    }
}

fn is(digits: &str, phone: &Phone) -> bool {
    Phone::from_digits(digits).is_ok_and(|other| other == *phone)
}

/// Whether these digits can be dialled before a whole number: 00, 011 in America, 010 in Japan, 0011 in Australia, 810 in Russia.
fn is_prefix_abroad(prefix: &str) -> bool {
    prefix.len() <= MAX_PREFIX_LENGTH && (["00", "01"].iter().any(|begin| prefix.starts_with(begin)) || prefix == "810")
}

impl std::str::FromStr for Digits {
    type Err = NotDigits;

    fn from_str(text: &str) -> Result<Self, NotDigits> {
        if text.chars().nth(MAX_LENGTH).is_some() {
            return Err(NotDigits);
        }
        let text = unify_name(text);
        let text = text.strip_prefix("tel:").unwrap_or(&text).trim_start();
        let (is_whole, text) = text.strip_prefix('+').map_or((false, text), |text| (true, text));
        let mut digits = String::new();
        for sign in text.chars().map(to_ascii_digit) {
            match sign {
                digit if digit.is_ascii_digit() => digits.push(digit),
                ' ' | '-' | '.' | '(' | ')' | '/' | '~' | '\u{2010}'..='\u{2015}' | '−' => {}
                _ => return Err(NotDigits),
            }
        }
        let home = None;
        let fit = (3..=20).contains(&digits.len());
        fit.then_some(Self { digits, is_whole, home }).ok_or(NotDigits)
    }
}

parsed!(Digits, "last_digits", "4567");

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, home: &str) -> Digits {
        text.parse::<Digits>().unwrap().at(home.parse().ok())
    }

    fn phone(text: &str) -> Phone {
        text.parse().unwrap()
    }

    #[test]
    fn a_number_is_found_by_every_spelling() {
        let mayas = "1220|0502381220|050 238 1220|502381220|(050) 238-1220|971502381220|+971502381220|+971 (50) 238-1220\
                     |+971 (0)50 238 1220|00971502381220|00971 050 238 1220|011 971 50 238 1220|8~10 971 50 238 1220|٠٥٠٢٣٨١٢٢٠|۰۵۰ ۲۳۸ ۱۲۲۰\
                     |tel:+971-50-238-1220|TEL:050/2381220|\u{202a}+971 50 238 1220\u{202c}|050\u{a0}238\u{2011}1220|＋９７１５０２３８１２２０";
        for text in mayas.split('|') {
            let digits = read(text, "AE");
            assert!(digits.find(&phone("+971502381220")), "{text}");
            let listed = Digits::of(&phone("+971502381220"));
            assert!(listed.starts_with(&digits.reversed_digits()), "{text}");
            for other in ["+966502381221", "+971502381221", "+97150238122", "+44502381220"] {
                let ends = other.ends_with(text);
                assert_eq!(digits.find(&phone(other)), ends, "{text} and {other}");
            }
        }
        // What is written, the country of the business, and the number, which may be another country's.
        let found = "8 912 345-67-89|RU|+79123456789, 06 1 234 5678|HU|+3612345678, 1-212-555-0100|US|+12125550100, \
                     06 698 12345|IT|+390669812345, 011 6123-4567|BR|+5511961234567, 0044 7400 123456|AE|+447400123456, \
                     07400 123456||+447400123456, 07400 123456|AE|+447400123456, 050 238 1220|GB|+971502381220, 012345|DE|+4989012345, 0123|AE|+97150000123";
        // Of the business's country instead, behind a prefix that the number's does not have, or another whole number.
        let others = "0502381220|AE|+966502381220, 096512345|AE|+96596512345, 0145550001|AE|+97145550001, \
                      +502381220|AE|+971502381220, 00502381220|AE|+971502381220";
        for (table, is_found) in [(found, true), (others, false)] {
            for line in table.split(", ") {
                let [text, home, number] = line.split('|').collect::<Vec<_>>()[..] else {
                    panic!("{line}");
                };
                assert_eq!(read(text, home).find(&phone(number)), is_found, "{line}");
            }
        }
    }

    #[test]
    fn a_whole_number_is_read() {
        let lines = "+971 50 238 1220||+971502381220, +971 (0)50 238 1220||+9710502381220, 00971502381220||+971502381220, \
                     050 238 1220|AE|+971502381220, 502381220|AE|+971502381220, 8 (912) 345-67-89|RU|+79123456789, \
                     0501234567|GB|, 050 238 1220||, 1220|AE|";
        for line in lines.split(", ") {
            let [text, home, number] = line.split('|').collect::<Vec<_>>()[..] else {
                panic!("{line}");
            };
            let read = read(text, home).number();
            assert_eq!(read.as_ref().map_or("", Phone::as_str), number, "{line}");
        }
    }

    #[test]
    fn other_texts_are_no_numbers() {
        let long = "1".repeat(21);
        for text in [
            "",
            "12",
            "12a4",
            "++971",
            "97+1502",
            "0501234567;ext=1",
            &long,
            &" 1".repeat(21),
        ] {
            assert_eq!(text.parse::<Digits>(), Err(NotDigits), "{text}");
        }
    }
}
