//! Numbers as people write them, compared with libphonenumber.

use std::collections::BTreeSet;

use domain::people::Digits;
use domain::terms::{Country, LineType, Phone, line_type_by_plan};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, PhoneNumberType, Region};

/// All kinds of numbers that people write to or call.
const KINDS: [PhoneNumberType; 9] = [
    PhoneNumberType::FixedLine,
    PhoneNumberType::Mobile,
    PhoneNumberType::TollFree,
    PhoneNumberType::PremiumRate,
    PhoneNumberType::SharedCost,
    PhoneNumberType::VoIP,
    PhoneNumberType::PersonalNumber,
    PhoneNumberType::UAN,
    PhoneNumberType::VoiceMail,
];

/// Codes with newer tables than the library's: it has version 9.0.42 of the plans, ours have 9.0.43.
const NEWER: [i32; 9] = [40, 49, 86, 229, 251, 263, 593, 856, 995];

/// All calling codes with equal plans.
fn codes() -> BTreeSet<i32> {
    let codes = PHONE_NUMBER_UTIL.get_supported_calling_codes();
    codes.filter(|code| !NEWER.contains(code)).collect()
}

/// The regions of a calling code, the main one first.
fn regions(code: i32) -> Vec<Region> {
    PHONE_NUMBER_UTIL
        .get_regions_for_country_calling_code(code)
        .into_iter()
        .flatten()
        .collect()
}

/// Numbers of a calling code: examples of all kinds of its regions, and numbers that begin otherwise, of these lengths.
fn numbers(code: i32, step: usize, lengths: &[usize]) -> BTreeSet<String> {
    let mut numbers = BTreeSet::new();
    for region in regions(code) {
        let example = |kind| {
            PHONE_NUMBER_UTIL
                .get_example_number_for_type_and_region(region, kind)
                .ok()
        };
        numbers.extend(
            KINDS
                .into_iter()
                .filter_map(example)
                .map(|number| format_number(&number)),
        );
    }
    for begin in (10..100_u64).step_by(step) {
        let digits = format!("{begin}{:08}", begin * 987_653);
        numbers.extend(lengths.iter().map(|length| format!("+{code}{}", &digits[..*length])));
    }
    numbers
}

fn format_number(number: &PhoneNumber) -> String {
    PHONE_NUMBER_UTIL.format(number, PhoneNumberFormat::E164).into_owned()
}

/// Its number, and whether it is written so there: it takes a trunk prefix out of some numbers that begin with it.
fn theirs(number: &str) -> Option<PhoneNumber> {
    let parsed = PHONE_NUMBER_UTIL.parse(number, None).ok()?;
    (format_number(&parsed) == number).then_some(parsed)
}

#[test]
fn line_types_are_those_of_libphonenumber() {
    let mut compared = 0;
    for text in codes().into_iter().flat_map(|code| numbers(code, 7, &[6, 7, 8, 9, 10])) {
        let (Ok(phone), Some(parsed)) = (text.parse::<Phone>(), theirs(&text)) else {
            continue;
        };
        // Forms beside that of the key are judged by that.
        if !phone.is_key() {
            continue;
        }
        let (ours, theirs) = (line_type_by_plan(&phone), PHONE_NUMBER_UTIL.get_number_type(&parsed));
        let fits = match theirs {
            PhoneNumberType::FixedLine => ours == LineType::FixedLine,
            PhoneNumberType::PremiumRate => ours == LineType::Premium,
            PhoneNumberType::SharedCost => ours == LineType::SharedCost,
            PhoneNumberType::Unknown => matches!(ours, LineType::Other | LineType::Invalid),
            _ => ours == LineType::Other,
        };
        assert!(fits, "{text}: {ours:?}, {theirs:?}");
        compared += 1;
    }
    assert!(compared > 5_000, "{compared}");
}

#[test]
fn numbers_are_written_as_by_libphonenumber() {
    // Of this one, it puts groups into numbers that are too long for them.
    const UNFIT: i32 = 888;
    let mut compared = 0;
    let codes = codes().into_iter().filter(|code| *code != UNFIT);
    for text in codes.flat_map(|code| numbers(code, 11, &[7, 8, 9, 10])) {
        let (Ok(phone), Some(parsed)) = (text.parse::<Phone>(), theirs(&text)) else {
            continue;
        };
        let theirs = PHONE_NUMBER_UTIL.format(&parsed, PhoneNumberFormat::International);
        assert_eq!(phone.international(), theirs);
        compared += 1;
    }
    assert!(compared > 5_000, "{compared}");
}

/// A calling code that several countries share belongs to the main one; a code of no country has none.
#[test]
fn numbers_are_of_the_country_that_libphonenumber_names() {
    let mut compared = 0;
    for region in codes().into_iter().filter_map(|code| regions(code).into_iter().next()) {
        for kind in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile] {
            let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
            let Some(phone) = example
                .ok()
                .and_then(|number| format_number(&number).parse::<Phone>().ok())
            else {
                continue;
            };
            assert_eq!(phone.country(), region.to_string().parse::<Country>().ok(), "{phone}");
            compared += 1;
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn a_number_is_shown_in_groups() {
    for (number, shown) in [
        ("+971501234567", "+971 50 123 4567"),
        ("+97143330000", "+971 4 333 0000"),
        ("+442079460000", "+44 20 7946 0000"),
        ("+12125550100", "+1 212-555-0100"),
        ("+390612345678", "+39 06 1234 5678"),
        // Of no plan.
        ("+97155500333", "+971 55500333"),
        ("+99999999999", "+99999999999"),
    ] {
        assert_eq!(number.parse::<Phone>().unwrap().international(), shown);
    }
}

/// A search finds each region's landlines and mobiles as they are written there, and as whoever is abroad dials them.
#[test]
fn numbers_are_found_as_they_are_written_nationally() {
    let mut compared = 0;
    for region in codes().into_iter().flat_map(regions) {
        for kind in [PhoneNumberType::FixedLine, PhoneNumberType::Mobile] {
            let example = PHONE_NUMBER_UTIL.get_example_number_for_type_and_region(region, kind);
            let Ok(number) = example else { continue };
            let Ok(phone) = format_number(&number).parse::<Phone>() else {
                continue;
            };
            let national = PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::National);
            let home: Option<Country> = region.to_string().parse().ok();
            let abroad = format!("00{}", phone.digits());
            for text in [&*national, &abroad] {
                let digits = text.parse::<Digits>().map(|digits| digits.at(home));
                let found = digits.as_ref().is_ok_and(|digits| digits.find(&phone));
                let listed = digits.is_ok_and(|digits| Digits::of(&phone).starts_with(&digits.reversed_digits()));
                // Argentina writes 15 into its mobiles, behind the area.
                let is_apart = phone.as_str().starts_with("+549");
                assert!(found && listed || is_apart, "{phone} as {text} in {region}");
            }
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared}");
}

/// Numbers in another form than their key's: of each code with several forms, by all first digits and lengths.
fn numbers_with_two_forms() -> impl Iterator<Item = (&'static str, Phone)> {
    let table = include_str!("../../src/terms/number_forms.txt");
    let codes: BTreeSet<&str> = table.lines().filter_map(|line| line.split('\t').next()).collect();
    let begins = |code: &'static str| {
        // Where more differs than a zero, all first digits are compared; otherwise those behind the zero.
        let most = match code {
            "52" | "54" | "55" | "225" | "229" => 1000,
            _ => 100,
        };
        (4..=12).flat_map(move |length| (0..most).map(move |first| (code, length, first)))
    };
    let numbers = codes.into_iter().flat_map(begins);
    let numbers = numbers.filter_map(|(code, length, first)| {
        let digits = &format!("{first:03}234567890123")[..length];
        Some((code, format!("+{code}{digits}").parse().ok()?))
    });
    numbers.filter(|(_, phone): &(_, Phone)| !phone.is_key())
}

/// Whether a country has the number, as it is written.
fn is_in_plan(number: &str) -> bool {
    theirs(number).is_some_and(|parsed| PHONE_NUMBER_UTIL.is_valid_number(&parsed))
}

/// Two people have two keys: if both forms of a key were numbers of a country, two people could have them.
#[test]
fn at_most_one_of_two_forms_is_in_the_plan() {
    let mut confirmed = BTreeSet::new();
    let mut codes = BTreeSet::new();
    for (code, other) in numbers_with_two_forms() {
        codes.insert(code);
        let key: Phone = other.key().parse().unwrap();
        assert!(key.is_key(), "{} leads on to {}", other.as_str(), key.key());
        if !is_in_plan(&key.key()) {
            continue;
        }
        confirmed.insert(code);
        // A mobile, and a landline that may have the other digits: the same person's, as far as WhatsApp tells.
        let is_landline = code == "54" && !other.digits().starts_with("540");
        // Radios, switched off in 2018, which libphonenumber still knows.
        let is_radio = code == "55" && other.digits().get(4..5) == Some("7");
        assert!(
            is_landline || is_radio || !is_in_plan(other.as_str()),
            "{} and {}",
            other.as_str(),
            key.as_str()
        );
    }
    // Of each code, some numbers are real: otherwise, nothing would be compared.
    assert_eq!(confirmed, codes);
}
