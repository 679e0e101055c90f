//! Callers, in the formats of telephone systems.

use domain::telephony::Party;
use domain::terms::Phone;

/// Replacements for a hidden number: words, and the same words typed on a keypad, which look like a number (`+266696687` is
/// ANONYMOUS). The keypad forms are reported by users of Twilio, not by its documentation.
const HIDDEN: [&str; 12] = [
    "anonymous",
    "restricted",
    "blocked",
    "unknown",
    "unavailable",
    "private",
    "withheld",
    "266696687",
    "7378742833",
    "2562533",
    "8656696",
    "86282452253",
];

/// Maximum length of a SIP address.
const MAX_SIP_LENGTH: usize = 256;

/// True if a text stands for a hidden number.
pub(crate) fn is_hidden(text: &str) -> bool {
    let bare = text.strip_prefix('+').unwrap_or(text);
    bare.is_empty() || HIDDEN.iter().any(|word| bare.eq_ignore_ascii_case(word))
}

/// Parses a party. Anything that is neither a telephone number nor a SIP address counts as withheld, because it cannot be
/// messaged.
pub(crate) fn parse(text: &str) -> Party {
    let text = text.trim();
    if is_hidden(text) {
        return Party::Withheld;
    }
    if let Ok(phone) = text.parse::<Phone>() {
        return Party::Phone(phone);
    }
    let scheme = text
        .split_once(':')
        .map(|(scheme, rest)| (scheme.to_ascii_lowercase(), rest));
    match scheme {
        Some((scheme, rest)) if matches!(scheme.as_str(), "sip" | "sips" | "client") => {
            // Parameters (`;transport=udp`) belong to the way, not to the person.
            let address = rest.split([';', '?']).next().unwrap_or_default();
            let user = address.split_once('@').map_or(address, |(user, _)| user);
            if is_hidden(user) || address.len() > MAX_SIP_LENGTH || address.chars().any(char::is_control) {
                Party::Withheld
            } else {
                Party::Sip(format!("{scheme}:{address}"))
            }
        }
        _ => Party::Withheld,
    }
}

/// For providers that write international numbers without `+`.
pub(crate) fn of_digits(text: &str) -> Party {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !is_hidden(text) {
        parse(&format!("+{text}"))
    } else {
        parse(text)
    }
}

/// For providers that format international numbers for people, `+1 (800) 123-4567`. Only punctuation may stand between
/// the digits: a letter or a dialled sign begins an extension, which would turn it into a stranger's number.
pub(crate) fn of_written(text: &str) -> Party {
    let mark = |sign: char| !sign.is_alphanumeric() && !"+*#,;:@".contains(sign);
    match text.trim_start_matches(mark).strip_prefix('+') {
        Some(written) if written.chars().all(|sign| sign.is_ascii_digit() || mark(sign)) => {
            let digits: String = written.chars().filter(char::is_ascii_digit).collect();
            parse(&format!("+{digits}"))
        }
        _ => parse(text),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hidden_callers_are_withheld_in_every_spelling() {
        for hidden in [
            "anonymous",
            "Anonymous",
            "RESTRICTED",
            "",
            "+266696687",
            "266696687",
            "+7378742833",
            "+2562533",
            "+8656696",
            "+86282452253",
            "sip:anonymous@anonymous.invalid",
            "12345",
            "07700 900111",
        ] {
            assert_eq!(parse(hidden), Party::Withheld, "{hidden}");
        }
    }

    #[test]
    fn formatted_numbers_are_parsed() {
        let number = |text: &str| Party::Phone(text.parse().unwrap());
        for (written, expected) in [
            ("+1 800-123-4567", number("+18001234567")),
            ("+1 (800) 123-4567", number("+18001234567")),
            ("+44 7700 900111", number("+447700900111")),
            ("+33.1.76.36.06.95 ", number("+33176360695")),
            ("+49 30/901820", number("+4930901820")),
            ("(+1) 800 123 4567", number("+18001234567")),
            (
                "\u{202a}+971\u{a0}50\u{2011}123\u{2011}4567\u{202c}",
                number("+971501234567"),
            ),
            ("+447700900111", number("+447700900111")),
            // Hidden, however it is written.
            ("+266 696-687", Party::Withheld),
            ("+ anonymous", Party::Withheld),
            ("anonymous", Party::Withheld),
            ("", Party::Withheld),
            ("+", Party::Withheld),
            // Nobody's, or somebody else's with a few digits more.
            ("800-123-4567", Party::Withheld),
            ("+1 800-123-4567 ext. 89", Party::Withheld),
            ("+1 800-123-4567,89", Party::Withheld),
            ("+1 800-123-4567;ext=89", Party::Withheld),
            ("+1 800-FLOWERS", Party::Withheld),
            ("+971 ٥٠ 123 4567", Party::Withheld),
            ("+1 800-123-4567 +1 800-123-4568", Party::Withheld),
        ] {
            assert_eq!(of_written(written), expected, "{written}");
        }
    }

    proptest! {
        #[test]
        fn punctuation_never_changes_a_number(
            digits in "[1-9][0-9]{6,14}",
            marks in prop::collection::vec("[-() ./\u{a0}\u{2010}\u{2011}\u{202c}]{0,3}", 15),
        ) {
            let marked = digits.chars().zip(&marks).map(|(digit, marks)| format!("{marks}{digit}"));
            let written = format!("{}+{}", marks[0], marked.collect::<String>());
            prop_assert_eq!(of_written(&written), parse(&format!("+{digits}")), "{}", written);
        }
    }

    #[test]
    fn parties_have_a_number_or_sip_address() {
        assert_eq!(parse("+447700900111"), Party::Phone("+447700900111".parse().unwrap()));
        assert_eq!(
            parse("sip:alice@pbx.example.test;transport=udp"),
            Party::Sip("sip:alice@pbx.example.test".to_owned())
        );
        assert_eq!(parse("client:alice"), Party::Sip("client:alice".to_owned()));
        assert_eq!(of_digits("447700900111"), parse("+447700900111"));
        assert_eq!(of_digits("+447700900111"), parse("+447700900111"));
        for hidden in ["", "anonymous", "266696687", "07700900111", "101"] {
            assert_eq!(of_digits(hidden), Party::Withheld, "{hidden}");
        }
    }
}
