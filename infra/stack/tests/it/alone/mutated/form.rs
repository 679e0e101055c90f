//! Mutates forms and queries without knowledge of their meaning.

use stack::random::Random;

/// A field in its encoded form.
pub(super) type Field = (String, String);

pub(super) fn parse(text: &str) -> Vec<Field> {
    let halves = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    text.trim_end().split('&').map(halves).collect()
}

pub(super) fn write(fields: &[Field]) -> String {
    let pairs: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// Mutates one field; returns a description.
pub(super) fn damage(random: &mut Random, fields: &mut Vec<Field>) -> String {
    if fields.is_empty() {
        return "nothing".to_owned();
    }
    let at = random.below(fields.len());
    let (name, own) = fields[at].clone();
    let other = random.pick(fields).1.clone();
    let one = |value: String| vec![(name.clone(), value)];
    let (what, new) = match random.below(15).saturating_sub(2) {
        0 => ("long", one(own + &random.letters(2_000))),
        1 => (
            "longer",
            one(random.letters(*random.clone().pick(&[201, 5_000, 20_000]))),
        ),
        2 => ("missing", Vec::new()),
        3 => ("empty", one(String::new())),
        4 => ("twice, first another", vec![(name.clone(), other), (name.clone(), own)]),
        5 => ("twice, then another", vec![(name.clone(), own), (name.clone(), other)]),
        6 => {
            let numbers = [
                "-1",
                "0",
                "1e308",
                "99999999999999999999",
                "4294967296",
                "1.5",
                "NaN",
                "007",
            ];
            ("a number", one((*random.pick(&numbers)).to_owned()))
        }
        7 => {
            let strange = [
                "%E2%80%AE",
                "%00",
                "%ff%fe",
                "%zz",
                "%",
                "%EF%BB%BF",
                "%F0%9F%A6%80",
                "%0D%0A",
                "%D9%85%D8%B1",
                "%ED%A0%80",
            ];
            ("strange characters", one(format!("{}{own}", random.pick(&strange))))
        }
        8 => {
            let times = [
                "0",
                "99999999999",
                "2999-12-31+23%3A59%3A59",
                "1969-12-31",
                "Fri%2C+31+Dec+9999+23%3A59%3A59+%2B0000",
            ];
            ("another time", one((*random.pick(&times)).to_owned()))
        }
        9 => {
            let more = (0..300).map(|number| (format!("Extra{number}"), number.to_string()));
            ("many more", one(own).into_iter().chain(more).collect())
        }
        10 => {
            let people = [
                "anonymous",
                "%2B",
                "%2B97150",
                "sip%3A%40",
                "whatsapp%3A",
                "whatsapp%3A%2B1",
                "client%3A%0A",
                "%2B000000000000",
            ];
            ("another person", one((*random.pick(&people)).to_owned()))
        }
        11 => ("another name", vec![(format!("{name}%5B%5D"), own)]),
        _ => ("another's", one(other)),
    };
    fields.splice(at..=at, new);
    format!("{name}: {what}")
}
