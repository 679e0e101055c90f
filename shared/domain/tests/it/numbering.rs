//! Numbers as people write them, compared with libphonenumber.

use std::{collections::BTreeSet, fmt::Write as _};

use domain::base::{country::Country, phone::Phone};
use phonenumber::{
    Mode,
    metadata::{DATABASE, Metadata},
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

/// A new version of `phonenumber` can bring other formats: then this test writes them, and the difference is to be reviewed.
#[test]
fn formats_are_those_of_libphonenumber() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/src/base/numbering.txt");
    let known = std::fs::read_to_string(file).unwrap_or_default();
    let table = table();
    if known != table {
        std::fs::write(file, table).unwrap();
        panic!("{file} was outdated and has been written anew");
    }
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
