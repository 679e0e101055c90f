//! Line types: whether a number can take an SMS, what a message to it costs, and whether it is in the United States.

use phonenumber::metadata::DATABASE;

use crate::base::phone::Phone;

/// Known type of a number's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineType {
    /// A landline. SMS to it are lost and charged.
    FixedLine,
    /// Premium rate: the caller, or sender, pays many times the usual price.
    Premium,
    /// Shared cost.
    SharedCost,
    /// No number of any country: its calling code is not assigned, or it has too few or too many digits.
    Invalid,
    /// Any other type, or unknown.
    Other,
}

/// A source of line types. [`unknown`] for callers that do not need them.
pub type LineTypes<'a> = &'a dyn Fn(&Phone) -> LineType;

/// A source that knows no number.
pub const fn unknown(_: &Phone) -> LineType {
    LineType::Other
}

/// By the numbering plans of Google's libphonenumber. The first call takes 55 to 70 ms and 7 MB; a binary that never calls
/// it contains nothing of it.
///
/// In countries where landlines and mobiles look alike (the United States), the result is `Other`. Unassigned ranges of a country are not
/// invalid: countries assign new ones all the time.
pub fn by_numbering_plan(phone: &Phone) -> LineType {
    let Ok(number) = phonenumber::parse(None, phone.as_str()) else {
        return LineType::Invalid;
    };
    match number.number_type(&DATABASE) {
        phonenumber::Type::FixedLine => LineType::FixedLine,
        phonenumber::Type::PremiumRate => LineType::Premium,
        phonenumber::Type::SharedCost => LineType::SharedCost,
        phonenumber::Type::Unknown if !has_possible_length(phone, number.country().code()) => LineType::Invalid,
        _ => LineType::Other,
    }
}

/// A country that runs out of numbers adds digits to them, and this table learns it later.
const ADDED_DIGITS: usize = 2;

/// Whether numbers with this calling code have as many digits, or might have by now.
fn has_possible_length(phone: &Phone, code: u16) -> bool {
    let national = phone.digits().len() - code.to_string().len();
    let countries = DATABASE.by_code(&code).unwrap_or_default();
    // Those of all kinds together are not in the table.
    let kinds = countries.iter().flat_map(|country| {
        let of = country.descriptors();
        let usual = [of.fixed_line(), of.mobile(), of.voip(), of.personal_number()];
        usual
            .into_iter()
            .chain([of.toll_free(), of.premium_rate(), of.shared_cost(), of.uan()])
    });
    let lengths = kinds.flatten().flat_map(|kind| kind.possible_length());
    let (fewest, most) = lengths.fold((usize::MAX, 0), |(fewest, most), length| {
        let length = usize::from(*length);
        (fewest.min(length), most.max(length))
    });
    (fewest..=most + ADDED_DIGITS).contains(&national)
}

/// The United States and their territories, whose numbers begin with 1, too.
const UNITED_STATES: [&str; 6] = ["AS", "GU", "MP", "PR", "US", "VI"];

/// Whether a number belongs to the United States: Meta delivers no marketing there (error 131049, Twilio 63049).
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
            ("+99999999999", LineType::Invalid),
        ] {
            assert_eq!(by_numbering_plan(&number.parse().unwrap()), expected, "{number}");
        }
    }
}
