//! Line types: whether a number can take an SMS, and whether it is in the United States.

use crate::phone::Phone;

/// Known type of a number's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineType {
    /// A landline. SMS to it are lost and charged.
    FixedLine,
    /// Any other type, or unknown.
    Other,
}

/// A source of line types. [`unknown`] for callers that do not need them.
pub type LineTypes<'a> = &'a dyn Fn(&Phone) -> LineType;

/// A source that knows no number.
#[must_use]
pub const fn unknown(_: &Phone) -> LineType {
    LineType::Other
}

/// By the numbering plans of Google's libphonenumber. The first call takes 55 to 70 ms and 7 MB; a binary that never calls
/// it contains nothing of it.
///
/// In countries where landlines and mobiles look alike (the United States), the result is `Other`.
#[must_use]
pub fn by_numbering_plan(phone: &Phone) -> LineType {
    let parsed = phonenumber::parse(None, phone.as_str());
    match parsed.map(|number| number.number_type(&phonenumber::metadata::DATABASE)) {
        Ok(phonenumber::Type::FixedLine) => LineType::FixedLine,
        _ => LineType::Other,
    }
}

/// Area codes under +1 that are not in the United States: Canada, then the Caribbean and Bermuda (NANPA).
#[rustfmt::skip]
const NOT_IN_THE_UNITED_STATES: &[&str] = &[
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382", "387", "403",
    "416", "418", "428", "431", "437", "438", "450", "460", "468", "474", "506", "514", "519", "537", "548", "568", "579",
    "581", "584", "587", "600", "604", "613", "622", "639", "647", "672", "683", "705", "709", "742", "753", "778", "780",
    "782", "807", "819", "825", "867", "873", "879", "902", "905", "942",
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809", "829",
    "849", "868", "869", "876",
];

/// Whether a number belongs to the United States: Meta delivers no marketing there (error 131049, Twilio 63049).
#[must_use]
pub fn in_the_united_states(phone: &Phone) -> bool {
    phone
        .digits()
        .strip_prefix('1')
        .is_some_and(|rest| !NOT_IN_THE_UNITED_STATES.iter().any(|code| rest.starts_with(code)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_united_states_end_at_their_area_codes() {
        for (number, inside) in [
            ("+12125550100", true),
            ("+15005550006", true),
            ("+14165550100", false),
            ("+18765550100", false),
            ("+447700900123", false),
        ] {
            assert_eq!(in_the_united_states(&number.parse().unwrap()), inside, "{number}");
        }
    }

    #[test]
    fn only_a_known_landline_is_a_landline() {
        for (number, expected) in [
            ("+442079460000", LineType::FixedLine),
            ("+97143330000", LineType::FixedLine),
            ("+447700900123", LineType::Other),
            ("+971501234567", LineType::Other),
            ("+12125550100", LineType::Other),
            ("+99999999999", LineType::Other),
        ] {
            assert_eq!(by_numbering_plan(&number.parse().unwrap()), expected, "{number}");
        }
    }
}
