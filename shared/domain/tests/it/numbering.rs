//! Numbers as people write them, compared with libphonenumber.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::base::{
    country::Country,
    line_type::{LineType, by_numbering_plan},
    phone::Phone,
};
use phonenumber::{
    Mode, Type,
    metadata::{DATABASE, Descriptor, Metadata},
};

/// Every calling code with the metadata of its main country.
fn countries() -> impl Iterator<Item = (u16, &'static Metadata)> {
    (1..1000).filter_map(|code| Some((code, DATABASE.by_code(&code)?.into_iter().next()?)))
}

/// What `src/numbering.txt` must be.
fn table() -> String {
    let mut table = String::new();
    for (code, country) in countries() {
        let formats = match country.international_formats() {
            [] => country.formats(),
            formats => formats,
        };
        if formats.is_empty() {
            let _ = writeln!(table, "{code}");
        }
        for format in formats {
            let begins = format.leading_digits().last().map(|begins| begins.as_str().to_owned());
            let pattern = |text: &str| text.split_whitespace().collect::<String>();
            let begins = pattern(&begins.unwrap_or_default());
            let groups = pattern(format.pattern().as_str());
            let _ = writeln!(table, "{code}\t{begins}\t{groups}\t{}", format.format());
        }
    }
    table
}

/// The countries of a calling code, in the order in which they are asked for a number.
fn of_code(code: u16) -> Vec<&'static Metadata> {
    let regions = DATABASE.region(&code).unwrap_or_default();
    let shared = || DATABASE.by_code(&code)?.into_iter().next();
    let plan = |region: &str| {
        if region == "001" {
            shared()
        } else {
            DATABASE.by_id(region)
        }
    };
    regions.into_iter().filter_map(plan).collect()
}

/// All numbers of a country, and its kinds of numbers, in the order of the table.
fn kinds(country: &Metadata) -> [Option<&Descriptor>; 11] {
    let of = country.descriptors();
    [
        Some(of.general()),
        of.premium_rate(),
        of.toll_free(),
        of.shared_cost(),
        of.voip(),
        of.personal_number(),
        of.pager(),
        of.uan(),
        of.voicemail(),
        of.fixed_line(),
        of.mobile(),
    ]
}

/// The content that `src/line_types.txt` must have.
fn plans() -> String {
    let mut table = String::new();
    let pattern = |text: &str| text.split_whitespace().collect::<String>();
    let kind = |of: Option<&Descriptor>| {
        let of = of?;
        let lengths: Vec<String> = of.possible_length().iter().map(ToString::to_string).collect();
        let known = pattern(of.national_number().as_str());
        (known != "NA").then(|| format!("{}:{known}", lengths.join(",")))
    };
    for code in 1..1000 {
        for country in of_code(code) {
            let all = kinds(country);
            // Those of all kinds together are not in the database. Pagers and voice mail have no numbers that people write to.
            let counted = all.iter().enumerate().filter(|(place, _)| ![0, 6, 8].contains(place));
            let lengths: Vec<u16> = counted
                .filter_map(|(_, kind)| *kind)
                .flat_map(|kind| kind.possible_length().to_vec())
                .collect();
            let bound = |length: Option<&u16>| length.copied().unwrap_or_default();
            let (fewest, most) = (bound(lengths.iter().min()), bound(lengths.iter().max()));
            let begins = country.leading_digits().map(|begins| pattern(begins.as_str()));
            let texts = all.map(|of| kind(of).unwrap_or_default()).join("\t");
            let _ = writeln!(
                table,
                "{code}\t{}\t{fewest}\t{most}\t{texts}",
                begins.unwrap_or_default()
            );
        }
    }
    table
}

/// A new version of `phonenumber` can bring other plans: then this test writes them, and the difference is to be reviewed.
#[test]
fn formats_and_plans_are_those_of_libphonenumber() {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/base");
    let mut outdated = Vec::new();
    for (name, table) in [("numbering.txt", table()), ("line_types.txt", plans())] {
        let file = format!("{FOLDER}/{name}");
        if std::fs::read_to_string(&file).unwrap_or_default() != table {
            std::fs::write(&file, table).unwrap();
            outdated.push(file);
        }
    }
    assert!(outdated.is_empty(), "outdated and written anew: {outdated:?}");
}

/// Examples of all kinds of all countries, and numbers that begin otherwise.
#[test]
fn line_types_are_those_of_libphonenumber() {
    let mut numbers = BTreeSet::new();
    for code in 1..1000 {
        for country in of_code(code) {
            let [_, kinds @ ..] = kinds(country);
            let examples = kinds.into_iter().flatten().filter_map(|kind| kind.example());
            numbers.extend(examples.map(|example| format!("+{code}{example}")));
            for begin in (10..100_u64).step_by(7) {
                let digits = format!("{begin}{:08}", begin * 987_653);
                numbers.extend([6, 7, 8, 9, 10].map(|length| format!("+{code}{}", &digits[..length])));
            }
        }
    }
    let mut compared = 0;
    for text in &numbers {
        let (Ok(phone), Ok(parsed)) = (text.parse::<Phone>(), phonenumber::parse(None, text)) else {
            continue;
        };
        // It takes a trunk prefix out of some numbers that begin with it, and leading zeros out of those of Italy. Forms beside that of the
        // key are judged by that.
        if !phone.is_key() || format!("+{}{}", parsed.country().code(), parsed.national().value()) != *text {
            continue;
        }
        let (ours, theirs) = (by_numbering_plan(&phone), parsed.number_type(&DATABASE));
        let fits = match theirs {
            Type::FixedLine => ours == LineType::FixedLine,
            Type::PremiumRate => ours == LineType::Premium,
            Type::SharedCost => ours == LineType::SharedCost,
            Type::Unknown => matches!(ours, LineType::Other | LineType::Invalid),
            _ => ours == LineType::Other,
        };
        assert!(fits, "{text}: {ours:?}, {theirs:?}");
        compared += 1;
    }
    assert!(compared > 5_000, "{compared}");
}

fn theirs(number: &str) -> Option<String> {
    let parsed = phonenumber::parse(None, number).ok()?;
    // It takes a trunk prefix out of some numbers that begin with it.
    let whole = format!("+{}{}", parsed.country().code(), parsed.national()) == number;
    whole.then(|| parsed.format().mode(Mode::International).to_string())
}

/// Examples of all countries, and numbers that begin otherwise.
#[test]
fn numbers_are_written_as_by_libphonenumber() {
    // Of this one, it puts groups into numbers that are too long for them.
    const UNFIT: u16 = 888;
    let mut numbers = BTreeSet::new();
    for (code, country) in countries().filter(|(code, _)| *code != UNFIT) {
        let kinds = country.descriptors();
        let kinds = [
            Some(kinds.general()),
            kinds.fixed_line(),
            kinds.mobile(),
            kinds.toll_free(),
        ];
        let examples = kinds.into_iter().flatten().filter_map(|kind| kind.example());
        numbers.extend(examples.map(|example| format!("+{code}{example}")));
        for begin in (10..100_u64).step_by(11) {
            let digits = format!("{begin}{:08}", begin * 987_653);
            numbers.extend([7, 8, 9, 10].map(|length| format!("+{code}{}", &digits[..length])));
        }
    }
    let numbers = numbers.iter().filter_map(|text| text.parse::<Phone>().ok());
    let compared = numbers.filter_map(|phone| Some((phone.international(), theirs(phone.as_str())?)));
    let compared = compared.map(|(ours, theirs)| assert_eq!(ours, theirs)).count();
    assert!(compared > 5_000, "{compared}");
}

/// Of calling codes that several countries share, the main one; those of no country have none.
#[test]
fn numbers_are_of_the_country_that_libphonenumber_names() {
    let mut compared = 0;
    for (code, country) in countries() {
        let kinds = country.descriptors();
        let kinds = [kinds.fixed_line(), kinds.mobile()].into_iter().flatten();
        for example in kinds.filter_map(|kind| kind.example()) {
            let Ok(phone) = format!("+{code}{example}").parse::<Phone>() else {
                continue;
            };
            assert_eq!(phone.country(), country.id().parse::<Country>().ok(), "{phone}");
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

/// Numbers in another form than that of their key: of each code with several forms, by all first digits and lengths.
fn numbers_with_two_forms() -> impl Iterator<Item = (&'static str, Phone)> {
    let table = include_str!("../../src/base/number_forms.txt");
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
    let parsed = phonenumber::parse(None, number).ok();
    parsed
        .is_some_and(|parsed| phonenumber::is_valid(&parsed) && parsed.format().mode(Mode::E164).to_string() == number)
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
