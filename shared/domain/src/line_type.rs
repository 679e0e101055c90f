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

/// The United States and their territories, whose numbers begin with 1, too.
const UNITED_STATES: [&str; 6] = ["AS", "GU", "MP", "PR", "US", "VI"];

/// Whether a number belongs to the United States: Meta delivers no marketing there (error 131049, Twilio 63049).
#[must_use]
pub fn in_the_united_states(phone: &Phone) -> bool {
    phone
        .country()
        .is_some_and(|country| UNITED_STATES.contains(&country.as_str()))
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
