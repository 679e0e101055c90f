//! Telephone numbers as people and programs write them: national ones, after the prefix of a call abroad, without their plus.
//!
//! What a national number means is a guess by the country of the business, so it must fit that country's plan. The plans are those of
//! Google's libphonenumber, by `rlibphonenumber` (docs/decisions/0095-numbers-as-they-are-written.md).

use domain::terms::{Fault, FaultCode, Phone, fold};
use rlibphonenumber::{
    CountryCodeSource, NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region,
    get_national_significant_number_owned,
};
use serde::Serialize;

use crate::cell::{SHORTENED, is_shortened, plain};
use crate::record::excerpt;
use crate::words::COUNTRIES;

/// Fewest digits of a number that has lost its plus, with the code of another country.
const FEWEST_WITHOUT_PLUS: usize = 11;

/// Fewest digits of a number that is whole without what follows it.
const FEWEST_BEFORE: usize = 7;

/// Fewest digits of a number that is whole where four digits follow it.
const WHOLE: usize = 10;

/// Most digits of a number.
const MOST_BEFORE: usize = 15;

const EXTENSION: &str = "has an extension, to which no message can be sent. Remove it, or write a number without one.";

/// Beginnings of links that may stand before a number.
const SCHEMES: [&str; 5] = ["tel:", "callto:", "sms:", "whatsapp:", "https://wa.me/"];

/// A number that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Found {
    pub phone: Phone,
    /// A sentence for the person who wrote it, if it may be another number.
    pub remark: Option<String>,
}

/// Why a text is not read as a number.
#[derive(Debug, PartialEq, Eq)]
pub struct Unread {
    code: FaultCode,
    /// The fault and what to do, with the text as the subject of the sentence.
    sentence: String,
    /// The two numbers that may be meant.
    pub meanings: Option<[String; 2]>,
}

impl From<&str> for Unread {
    fn from(sentence: &str) -> Self {
        Self {
            code: match sentence {
                SHORTENED => FaultCode::Shortened,
                EXTENSION => FaultCode::Extension,
                _ => FaultCode::Invalid,
            },
            sentence: sentence.to_owned(),
            meanings: None,
        }
    }
}

/// Examples of numbers of a country, as people there write them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Examples {
    /// For calls within the country.
    pub national: String,
    /// With the country's code.
    pub international: String,
}

/// Kind of a telephone number's line, as far as its country's plan tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "NumberKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A mobile.
    Mobile,
    /// A landline.
    Landline,
    /// Free of charge for callers.
    TollFree,
    /// Callers pay more than usual.
    Premium,
    /// Another kind, or one that the plan does not tell.
    Other,
}

impl From<Phone> for Found {
    fn from(phone: Phone) -> Self {
        Self { phone, remark: None }
    }
}

/// A telephone number. National numbers are those of `region`, the ISO 3166 code of a country. `named`: whether the column is called a number.
///
/// With a plus, a number is accepted by its shape, as everywhere: numbering plans change more often than a library, and what an export
/// contains must be importable. Without it, the number must be one of a plan. In a column that is called a number, a national one may also be
/// in a range that is new to the plan, if it is as long as a mobile's.
///
/// # Errors
/// What is wrong and what to do.
pub(crate) fn phone(cell: &str, region: Option<&str>, named: &dyn Fn() -> bool) -> Result<Found, Fault> {
    read(cell, region, named).map_err(|unread| {
        let fault = Fault::new(unread.code, format!("“{}” {}", excerpt(cell), unread.sentence));
        match unread.meanings {
            Some([one, other]) => fault.and("one", one).and("other", other),
            None => fault,
        }
    })
}

/// A telephone number, by the rules for those of cells.
///
/// # Errors
/// What is wrong with it.
pub fn read(cell: &str, region: Option<&str>, named: &dyn Fn() -> bool) -> Result<Found, Unread> {
    fn refusal_of(detail: &str) -> Result<Found, Unread> {
        Err(detail.into())
    }
    let two = |one: String, other: String, advice: &str| {
        Err(Unread {
            code: FaultCode::TwoMeanings,
            sentence: format!("may be {one} or {other}. {advice}"),
            meanings: Some([one, other]),
        })
    };
    let text = plain(cell).to_ascii_lowercase();
    let text = text.trim_start_matches('\'').trim_start();
    let scheme = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
    let text = scheme.unwrap_or(text).trim();
    let bracketed = text.strip_prefix("(+").and_then(|rest| rest.split_once(')'));
    let unbracketed = bracketed.map(|(code, rest)| format!("+{code} {rest}"));
    let text = unbracketed.as_deref().unwrap_or(text);
    if is_shortened(text) {
        return refusal_of(SHORTENED);
    }
    if text.contains(['x', '#', ',', ';']) && text.contains(|sign: char| sign.is_ascii_digit()) {
        return refusal_of(EXTENSION);
    }
    // Programs that take numbers for decimal ones add decimal places.
    let text = match text.rsplit_once('.') {
        Some((whole, "0" | "00")) if whole.len() >= 7 && !whole.contains('.') => whole,
        _ => text,
    };
    if let Some([one, other]) = two_meanings(text) {
        let number = |text: &str| {
            // Further ends, as in 4127550/1/2, are not tried.
            let found = two_meanings(text).is_none().then(|| read(text, region, &|| false).ok());
            found
                .flatten()
                .map_or_else(|| excerpt(text), |found| found.phone.to_string())
        };
        let advice = "Write each number in full, with a semicolon between two.";
        return two(number(&one), number(&other), advice);
    }
    let Some(digits) = digits(text) else {
        return refusal_of("is not a telephone number. Write digits, such as +971501234567.");
    };
    if !(3..=20).contains(&digits.len()) {
        return refusal_of("is not a telephone number: it has too few or too many digits. Write it as +971501234567.");
    }
    if text.starts_with('+') {
        // The zero of +44 (0)20 is only for calls within the country, that of +39 (0)6 is not.
        let without = self::digits(&text.replacen("(0)", "", 1)).unwrap_or_default();
        let known = find_planned(&digits).or_else(|| find_planned(&without));
        return match known.or_else(|| Phone::from_digits(&without).ok()) {
            Some(phone) => Ok(phone.into()),
            None => refusal_of("is not a telephone number. Check the country code and the number of digits."),
        };
    }
    let plan = region.and_then(|region| region.parse::<Region>().ok());
    let parsed = plan.and_then(|plan| PHONE_NUMBER_UTIL.parse_and_keep_raw_input(&digits, Some(plan)).ok());
    let (by_prefix, national) = match parsed {
        Some(number) if number.country_code_source() == CountryCodeSource::FromNumberWithIdd => (e164(&number), None),
        other => (None, other),
    };
    // Some countries have valid numbers that are longer than E.164 allows, which cannot be written to.
    let own = national
        .as_ref()
        .filter(|number| PHONE_NUMBER_UTIL.is_valid_number(number));
    let own = own.map(|number| PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164));
    let with_code = "Write it with a plus and its country code.";
    // Two numbers are none with a plus that is lost.
    let lost_plus = |plan| without_plus(&digits, plan).filter(|_| !text.contains('/'));
    match (&abroad(&digits, by_prefix)[..], own) {
        ([only], None) => return Ok(only.clone().into()),
        ([one, other, ..], _) => return two(one.to_string(), other.to_string(), with_code),
        ([other], Some(own)) => return two(own.into_owned(), other.to_string(), with_code),
        ([], Some(own)) => {
            return match own.parse::<Phone>() {
                Ok(phone) => Ok(phone.into()),
                Err(_) => match plan.and_then(lost_plus) {
                    Some(other) => refusal_of(&format!(
                        "may be {own}, which is too long to be written to. If {other} is meant, write it with its plus."
                    )),
                    None => refusal_of(&not_in(region.unwrap_or_default())),
                },
            };
        }
        ([], None) if digits.starts_with("00") => {
            return refusal_of(
                "begins as a call abroad does, but no country has this number. Check it, or write it with a plus.",
            );
        }
        ([], None) => {}
    }
    let (Some(region), Some(plan)) = (region, plan) else {
        return match region {
            None => {
                refusal_of("has no country code. Write it as +971501234567, or set the country of your business first.")
            }
            Some(region) => refusal_of(&not_in(region)),
        };
    };
    if let Some(phone) = lost_plus(plan) {
        return Ok(phone.into());
    }
    let new = national.and_then(|number| in_new_range(&number, plan));
    match new.filter(|_| named()) {
        Some(phone) => Ok(Found {
            remark: Some(format!(
                "“{}” is in no range of numbers that is known in {}. It was read as {phone}. Check it.",
                excerpt(cell),
                excerpt(region)
            )),
            phone,
        }),
        None => refusal_of(&not_in(region)),
    }
}

/// Examples of a country's numbers; `None` for one without a plan.
pub fn examples(region: &str) -> Option<Examples> {
    let region = region.parse::<Region>().ok()?;
    let mobile = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, PhoneNumberType::Mobile);
    let number = mobile.or_else(|_| PHONE_NUMBER_UTIL.get_example_number(region)).ok()?;
    let format = |format| PHONE_NUMBER_UTIL.format(&number, format).into_owned();
    Some(Examples {
        national: format(PhoneNumberFormat::National),
        international: format(PhoneNumberFormat::International),
    })
}

/// The kind of a number.
pub fn kind(phone: &Phone) -> Kind {
    let number = PHONE_NUMBER_UTIL.parse(phone.as_str(), None);
    match number.map(|number| PHONE_NUMBER_UTIL.get_number_type(&number)) {
        Ok(PhoneNumberType::Mobile) => Kind::Mobile,
        Ok(PhoneNumberType::FixedLine) => Kind::Landline,
        Ok(PhoneNumberType::TollFree) => Kind::TollFree,
        Ok(PhoneNumberType::PremiumRate) => Kind::Premium,
        _ => Kind::Other,
    }
}

/// The country of a cell: its two letters, its calling code or its name.
pub(crate) fn country(cell: &str) -> Option<Region> {
    let text = plain(cell);
    // A spreadsheet program may have taken it for a number: 971.0.
    let text = text.strip_suffix(".0").unwrap_or(&text);
    let code = text.trim_start_matches(['+', '0']).parse().ok();
    let by_code = code.and_then(|code| PHONE_NUMBER_UTIL.get_region_for_country_code(code));
    let by_letters = || text.to_ascii_uppercase().parse::<Region>().ok();
    let named = || {
        let name = fold(text);
        let known = COUNTRIES.iter().find(|(_, names)| names.contains(&name.as_str()));
        known.and_then(|(letters, _)| letters.parse().ok())
    };
    let region = by_code.or_else(by_letters).or_else(named)?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region).map(|_| region)
}

/// The two numbers that may be meant where few digits follow a whole one: 04 412 7550/8 may be two telephones, 04 412 7550 (2) a second try or
/// an extension.
fn two_meanings(text: &str) -> Option<[String; 2]> {
    let (begin, end) = match text.strip_suffix(')') {
        Some(text) => text.rsplit_once('(')?,
        None => text.rsplit_once('/')?,
    };
    let (begin, end) = (begin.trim_end(), end.trim());
    let before = digits(begin).map_or(0, |digits| digits.len());
    // Of four digits, the other one is whole only behind one that is: +1 212-555/0100 is one number.
    let behind = end.bytes().all(|byte| byte.is_ascii_digit())
        && ((1..=3).contains(&end.len()) || end.len() == 4 && before >= WHOLE);
    let whole = (FEWEST_BEFORE..=MOST_BEFORE).contains(&before);
    if !behind || !whole {
        return None;
    }
    let other = if text.ends_with(')') {
        format!("{begin}{end}")
    } else {
        format!("{}{end}", begin.get(..begin.len().checked_sub(end.len())?)?)
    };
    Some([begin.to_owned(), other])
}

fn not_in(region: &str) -> String {
    format!(
        "is not a telephone number in {}. Check it, or write it with its country code, such as +971501234567.",
        excerpt(region)
    )
}

/// The digits of a text that has only digits, a plus before them, and what people write between them.
fn digits(text: &str) -> Option<String> {
    let mut digits = String::new();
    for (index, sign) in text.chars().enumerate() {
        match sign {
            digit if digit.is_ascii_digit() => digits.push(digit),
            '+' if index == 0 => {}
            // Who calls abroad from Russia waits after the 8: 8~10.
            ' ' | '-' | '.' | '(' | ')' | '/' | '_' | '~' => {}
            _ => return None,
        }
    }
    Some(digits)
}

/// The numbers of a plan that may be called abroad by these digits, all different: `by_prefix`, the one after a prefix of the region, and
/// that after 00. Hong Kong calls 001, so its 0016587654321 may be Singapore's or Jamaica's.
fn abroad(digits: &str, by_prefix: Option<Phone>) -> Vec<Phone> {
    let usual = digits.strip_prefix("00").and_then(|rest| Phone::from_digits(rest).ok());
    let usual = usual.filter(|usual| by_prefix.as_ref() != Some(usual));
    let mut numbers = Vec::new();
    for number in [by_prefix, usual].into_iter().flatten() {
        let number = find_planned_in_any_form(number.digits()).filter(|number| !numbers.contains(number));
        numbers.extend(number);
    }
    numbers
}

/// The number with the code of another country, if a spreadsheet program has removed its plus. Digits that begin as the
/// region's own national numbers do are none.
fn without_plus(digits: &str, region: Region) -> Option<Phone> {
    let begins = digits.starts_with('0') || trunk_digit(region).is_some_and(|trunk| digits.starts_with(trunk));
    let whole = digits.len() >= FEWEST_WITHOUT_PLUS && !begins;
    whole.then(|| find_planned_in_any_form(digits)).flatten()
}

/// The first digit that people of the region dial before a number of their own country, if they do: what it has more when written nationally.
fn trunk_digit(region: Region) -> Option<char> {
    let number = PHONE_NUMBER_UTIL.get_example_number(region).ok()?;
    let national = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::National);
    let dialled = PHONE_NUMBER_UTIL.normalize_digits_only(&national);
    let prefix = dialled.strip_suffix(&get_national_significant_number_owned(&number))?;
    prefix.chars().next()
}

/// The national number, if it is as long as the region's mobiles, in whatever range.
fn in_new_range(number: &PhoneNumber, region: Region) -> Option<Phone> {
    let own = PHONE_NUMBER_UTIL.get_country_code_for_region(region) == Some(number.country_code);
    let length = PHONE_NUMBER_UTIL.is_possible_number_for_type_with_reason(number, PhoneNumberType::Mobile);
    (own && length == Ok(NumberLengthType::IsPossible))
        .then(|| e164(number))
        .flatten()
}

/// The number with this code, also in the other form of such a number, as WhatsApp writes some.
fn find_planned_in_any_form(digits: &str) -> Option<Phone> {
    let other = || {
        let phone = Phone::from_digits(digits).ok()?;
        find_planned(phone.key().trim_start_matches('+'))
            .is_some()
            .then_some(phone)
    };
    find_planned(digits).or_else(other)
}

/// The number with these digits, which begin with a country's code, if it is one of a numbering plan.
fn find_planned(digits: &str) -> Option<Phone> {
    let parsed = || {
        let number = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).ok()?;
        let valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
        valid.then(|| e164(&number)).flatten()
    };
    find_planned_as_written(digits).or_else(parsed)
}

/// As [`find_planned`] for digits without a trunk prefix behind the country's code, in a fifth of the time.
fn find_planned_as_written(digits: &str) -> Option<Phone> {
    let (code, national) = (1..=3).find_map(|length| {
        let (code, national) = digits.split_at_checked(length)?;
        let code = code.parse().ok()?;
        PHONE_NUMBER_UTIL
            .get_region_for_country_code(code)
            .map(|_| (code, national))
    })?;
    // Belarus dials 8 before numbers, and has some that begin with it.
    let may_have_trunk = national.starts_with('0') || code == 375 && national.starts_with('8');
    if digits.starts_with('0') || may_have_trunk {
        return None;
    }
    let number = PhoneNumber {
        country_code: code,
        national_number: national.parse().ok()?,
        ..PhoneNumber::default()
    };
    let valid = PHONE_NUMBER_UTIL.is_valid_number(&number);
    valid.then(|| Phone::from_digits(digits).ok()).flatten()
}

fn e164(number: &PhoneNumber) -> Option<Phone> {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(cell: &str, region: &str) -> Result<String, String> {
        let found = phone(cell, Some(region), &|| false).map_err(|fault| fault.detail)?;
        Ok(found.phone.as_str().to_owned())
    }

    #[test]
    fn national_numbers_are_read_by_region() {
        let mayas = "050 123 4567|50 123 4567|971501234567|00971 50 123 4567|+971 050 123 4567|٠٥٠ ١٢٣ ٤٥٦٧|۰۵۰۱۲۳۴۵۶۷\
                     |\u{202a}+971 50 123 4567\u{202c}|050\u{ad}123\u{ad}4567|0\u{fe0f}\u{20e3}50 123 4567|'+971501234567|tel:+971-50-123-4567|971501234567.0";
        let mayas = mayas.split('|').map(|cell| (cell, "AE", "+971501234567"));
        let others = [
            ("00971501234567", "DE", "+971501234567"),
            ("+971 (0)50-123-4567", "DE", "+971501234567"),
            ("(020) 7946 0000", "GB", "+442079460000"),
            ("07400 123456", "GB", "+447400123456"),
            ("447400123456", "AE", "+447400123456"),
            ("5215512345678", "AE", "+5215512345678"),
            ("5511934567890", "AE", "+5511934567890"),
            ("06 12 34 56 78", "FR", "+33612345678"),
            ("0171/1234567", "DE", "+491711234567"),
            ("06 698 12345", "IT", "+390669812345"),
            ("(212) 555-0100", "US", "+12125550100"),
            ("1-212-555-0100", "US", "+12125550100"),
            ("+15005550006", "AE", "+15005550006"),
            ("+1 500 555 0006", "AE", "+15005550006"),
            ("+39 (0)6 698 12345", "IT", "+390669812345"),
            // They begin with their own calling code, and some of them with their trunk prefix.
            ("9651 2345", "KW", "+96596512345"),
            ("9681 2345", "OM", "+96896812345"),
            ("91234 56789", "IN", "+919123456789"),
            ("(55) 99123-4567", "BR", "+5555991234567"),
            ("8(863)2401234", "RU", "+78632401234"),
            ("8 912 345-67-89", "RU", "+79123456789"),
            ("06 1 234 5678", "HU", "+3612345678"),
        ];
        for (cell, region, expected) in mayas.chain(others) {
            assert_eq!(read(cell, region).as_deref(), Ok(expected), "{cell} in {region}");
        }
    }

    /// Sixty spellings of numbers of ten countries, each read in its own country, as people write and paste them.
    #[test]
    fn spellings_of_ten_countries_are_read() {
        for (region, expected, spellings) in [
            (
                "AE",
                "+971501234567",
                "050 123 4567|0501234567|00971501234567|+971.50.123.4567|tel:+971-50-123-4567|\u{202a}+971 50 123 4567\u{202c}|٠٥٠١٢٣٤٥٦٧\
                 |501234567|+971 (0)50 123 4567|TEL: 050-123-4567",
            ),
            (
                "SA",
                "+966512345678",
                "051 234 5678|00966 51 234 5678|966512345678|\u{200f}٠٥١٢٣٤٥٦٧٨|whatsapp:+966512345678|https://wa.me/966512345678",
            ),
            (
                "KW",
                "+96550012345",
                "50012345|5001 2345|00965 5001 2345|+965-5001-2345|96550012345",
            ),
            (
                "EG",
                "+201001234567",
                "010 0123 4567|01001234567|+20 100 123 4567|0020 100 123 4567|٠١٠٠١٢٣٤٥٦٧|20 100 123 4567",
            ),
            (
                "IN",
                "+918123456789",
                "081234 56789|81234 56789|+91-81234-56789|0091 8123456789|918123456789|(+91) 8123456789",
            ),
            (
                "GB",
                "+447400123456",
                "07400 123456|+44 (0)7400 123456|0044 7400 123456|(07400) 123 456|07400\u{a0}123\u{2011}456|'07400123456",
            ),
            (
                "DE",
                "+4915123456789",
                "01512 3456789|0151/23456789|+49 151 23456789|0049 (0)151 23456789|+49\u{2013}151\u{2013}23456789",
            ),
            (
                "US",
                "+12015550123",
                "(201) 555-0123|201.555.0123|1-201-555-0123|+1 201 555 0123|011 1 201 555 0123|sms:+12015550123",
            ),
            (
                "FR",
                "+33612345678",
                "06 12 34 56 78|06.12.34.56.78|0033 6 12 34 56 78|+33 (0)6 12 34 56 78|33612345678|＋３３６１２３４５６７８",
            ),
            (
                "RU",
                "+79123456789",
                "8 (912) 345-67-89|8 912 345 67 89|+7 912 345-67-89|912 345 67 89|007 912 345 67 89",
            ),
        ] {
            for text in spellings.split('|') {
                assert_eq!(
                    super::read(text, Some(region), &|| true),
                    Ok(Found::from(expected.parse::<Phone>().unwrap())),
                    "{text}"
                );
            }
            let examples = examples(region).unwrap();
            for example in [examples.national, examples.international] {
                assert!(super::read(&example, Some(region), &|| false).is_ok(), "{example}");
            }
        }
    }

    #[test]
    fn kinds_are_those_of_the_plan() {
        for (number, expected) in [
            ("+971501234567", Kind::Mobile),
            ("+97142234567", Kind::Landline),
            ("+97180012345", Kind::TollFree),
            ("+12015550123", Kind::Other),
        ] {
            assert_eq!(kind(&number.parse().unwrap()), expected, "{number}");
        }
    }

    #[test]
    fn wrong_numbers_are_explained() {
        for (expected, cells) in [
            ("shortened", "9.71501E+11|9,71501e+11"),
            (
                "extension",
                "04 123 4567 ext. 12|+97141234567x12|04 123 4567 #9|+97141234567;ext=1",
            ),
            ("not a telephone number", "Maya|1+2 345 678"),
            ("digits", "12|+"),
            ("in AE", "050 123|99999999999|0590 123 456"),
            ("country code", "+0501234567"),
        ] {
            for cell in cells.split('|') {
                let detail = read(cell, "AE").unwrap_err();
                assert!(detail.contains(expected), "{cell}: {detail}");
            }
        }
        let homeless = phone("050 123 4567", None, &|| true).unwrap_err();
        assert!(homeless.detail.contains("country"));
        assert!(
            phone("050 123 4567", Some("XX"), &|| true)
                .unwrap_err()
                .detail
                .contains("in XX")
        );
    }

    #[test]
    fn countries_are_known_by_letters_codes_and_names() {
        for (cell, expected) in [
            ("AE", "AE"),
            ("ae", "AE"),
            ("971", "AE"),
            ("+971", "AE"),
            ("00971", "AE"),
            ("1", "US"),
            ("United Arab Emirates", "AE"),
            ("السعودية", "SA"),
            ("Germany", "DE"),
        ] {
            assert_eq!(
                country(cell).map(|region| region.to_string()).as_deref(),
                Some(expected),
                "{cell}"
            );
        }
        for cell in ["", "0", "999", "XX", "800", "Atlantis", "Dubai"] {
            assert_eq!(country(cell), None, "{cell}");
        }
    }

    #[test]
    fn number_with_a_second_end_names_both() {
        for (cell, one, other) in [
            ("+97144127550/8", "+97144127550", "+97144127558"),
            ("04 412 7550 / 58", "+97144127550", "+97144127558"),
            ("+971 4 412 7550 (2)", "+97144127550", "+971441275502"),
            ("050 123 4567 (1)", "+971501234567", "050 123 45671"),
        ] {
            let detail = read(cell, "AE").unwrap_err();
            assert!(detail.contains(&format!("may be {one} or {other}.")), "{detail}");
        }
        // A whole row of ends is not followed, and the sentence is short.
        for ends in [3, 8, 40, 4_000] {
            let detail = read(&format!("4127550{}", "/1".repeat(ends)), "AE").unwrap_err();
            assert!(detail.chars().count() <= 260, "{detail}");
        }
        let spaced = read(&format!("412{}7550/1", " ".repeat(4_000)), "AE").unwrap_err();
        assert!(spaced.chars().count() <= 260, "{spaced}");
        assert_eq!(read("0171/1234567", "DE").as_deref(), Ok("+491711234567"));
        assert_eq!(read("(020) 7946 0000", "GB").as_deref(), Ok("+442079460000"));
    }

    /// By the prefix of the region, and by 00.
    #[test]
    fn number_after_a_prefix_is_read_both_ways() {
        for (cell, region, expected) in [
            ("0011971501234567", "AU", "+971501234567"),
            ("011 971 50 123 4567", "US", "+971501234567"),
            ("010 971 50 123 4567", "JP", "+971501234567"),
            ("002971501234567", "KR", "+971501234567"),
            ("00971501234567", "KR", "+971501234567"),
            ("008971501234567", "ID", "+971501234567"),
            ("810971501234567", "RU", "+971501234567"),
            ("001971501234567", "HK", "+971501234567"),
            ("0044 (0)20 7946 0000", "AE", "+442079460000"),
            ("005215512345678", "AE", "+5215512345678"),
        ] {
            assert_eq!(read(cell, region).as_deref(), Ok(expected), "{cell} in {region}");
        }
        let two = read("0016587654321", "HK").unwrap_err();
        assert!(two.contains("may be +6587654321 or +16587654321"), "{two}");
        let none = read("00971 50 123", "AE").unwrap_err();
        assert!(none.contains("no country has this number"), "{none}");
        let unknown = phone("00971501234567", None, &|| false).unwrap();
        assert_eq!(unknown.phone.as_str(), "+971501234567");
    }

    /// German and Japanese numbers that are valid there, and with other countries' codes as well.
    #[test]
    fn number_with_two_meanings_names_both() {
        let free = read("0066918058613", "JP").unwrap_err();
        assert!(free.contains("may be +810066918058613 or +66918058613."), "{free}");
        let longer = read("35293635927810", "DE").unwrap_err();
        assert!(
            longer.contains("+4935293635927810, which is too long to be written to. If +35293635927810"),
            "{longer}"
        );
        let too_long = read("080238986752908", "DE").unwrap_err();
        assert!(too_long.contains("in DE"), "{too_long}");
    }

    /// Digits that begin as the region's own numbers do are no other country's.
    #[test]
    fn lost_plus_is_not_seen_behind_a_trunk_prefix() {
        for (cell, region) in [
            ("886 24 1234567", "RU"),
            ("8 86 324 01 2345", "RU"),
            ("1 999 555 0100 1", "US"),
            ("81 92 997 1260", "BY"),
        ] {
            assert!(read(cell, region).unwrap_err().contains("in "), "{cell} in {region}");
        }
        assert_eq!(read("886 24 1234567", "AE").as_deref(), Ok("+886241234567"));
    }

    /// In a column that is called a number, and as long as a mobile's.
    #[test]
    fn number_in_a_new_range_is_taken_with_a_remark() {
        for (cell, region, expected) in [
            ("0590 123 456", "AE", "+971590123456"),
            ("06123 456789", "GB", "+446123456789"),
            ("0 582 123 45 67", "TR", "+905821234567"),
        ] {
            assert!(phone(cell, Some(region), &|| false).is_err(), "{cell} in {region}");
            let found = phone(cell, Some(region), &|| true).unwrap();
            assert_eq!(found.phone.as_str(), expected);
            let remark = found.remark.unwrap();
            assert!(remark.contains(expected) && remark.contains(region), "{remark}");
        }
        for (cell, region) in [("050 123", "AE"), ("050 123 456 78", "AE"), ("0582 123 45", "TR")] {
            assert!(phone(cell, Some(region), &|| true).is_err(), "{cell} in {region}");
        }
    }

    /// Examples of all regions and kinds, by `tests/numbers.py`.
    #[test]
    fn numbers_are_read_as_by_libphonenumber() {
        let examples = include_str!("../tests/numbers.txt").lines();
        let mut wrong = Vec::new();
        for line in examples {
            let mut fields = line.split('\t');
            let (Some(region), Some(text), Some(number)) = (fields.next(), fields.next(), fields.next()) else {
                panic!("{line}");
            };
            for text in [text, number] {
                let found = read(text, region);
                if found.as_deref() != Ok(number) {
                    wrong.push(format!("{line}: {found:?}"));
                }
            }
        }
        assert!(wrong.is_empty(), "{} of them: {}", wrong.len(), wrong.join("\n"));
    }

    proptest::proptest! {
        /// Numbers taken as they are written equal the parsed ones.
        #[test]
        fn number_as_written_is_the_parsed_one(digits in "[1-9][0-9]{5,14}") {
            if let Some(phone) = find_planned_as_written(&digits) {
                let parsed = PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).unwrap();
                proptest::prop_assert_eq!(e164(&parsed), Some(phone));
            }
        }

        #[test]
        fn any_cell_has_a_number_or_a_short_sentence(
            cell in proptest::prop_oneof!["\\PC{0,80}", "[-0-9+()., /eExX#'٠-٩]{0,60}", "(\\+|00)?[0-9]{0,22}"],
            region in "[A-Z]{2}",
        ) {
            for region in [Some(region.as_str()), None, Some("AE")] {
                let detail = match phone(&cell, region, &|| true) {
                    Ok(found) => found.remark,
                    Err(fault) => Some(fault.detail),
                };
                proptest::prop_assert!(detail.iter().all(|detail| detail.chars().count() <= 260), "{:?}", detail);
            }
        }
    }
}
