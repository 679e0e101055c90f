//! Callers, as telephone systems write them.

use domain::{call::Party, phone::Phone};

/// What networks put in place of a hidden number: words, and the same words typed on a keypad, which have the shape of a
/// number (`+266696687` is ANONYMOUS). The keypad spellings are reported by users of Twilio, not by its documentation.
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

/// A SIP address that is longer is no address.
const LONGEST_SIP: usize = 256;

/// Whether a text stands for a number that the caller hides.
pub(crate) fn is_hidden(text: &str) -> bool {
    let bare = text.strip_prefix('+').unwrap_or(text);
    bare.is_empty() || HIDDEN.iter().any(|word| bare.eq_ignore_ascii_case(word))
}

/// Reads a party. What is neither a telephone number nor a SIP address counts as withheld: nobody can be messaged by it.
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
            if is_hidden(user) || address.len() > LONGEST_SIP || address.chars().any(char::is_control) {
                Party::Withheld
            } else {
                Party::Sip(format!("{scheme}:{address}"))
            }
        }
        _ => Party::Withheld,
    }
}

/// The same, for providers that write international numbers without `+`.
pub(crate) fn of_digits(text: &str) -> Party {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) && !is_hidden(text) {
        parse(&format!("+{text}"))
    } else {
        parse(text)
    }
}

#[cfg(test)]
mod tests {
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
    fn others_are_known_by_number_or_address() {
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
