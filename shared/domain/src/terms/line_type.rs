//! Line types: whether a number can take an SMS, what a message to it costs, and whether it is in the United States.
//!
//! The numbering plans are those of Google's libphonenumber. They stand in `line_types.txt`, which `numbering.py` writes and checks; only those
//! of the numbers' own countries are read.

use regex_lite::Regex;

use crate::terms::{ByCode, Phone};

/// Known type of a number's line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineType {
    /// A landline. SMS to it are lost and charged.
    FixedLine,
    /// Premium rate: the caller, or sender, pays many times the usual price.
    Premium,
    SharedCost,
    /// No number of any country: its calling code is not assigned, or it has too few or too many digits.
    Invalid,
    /// Any other type, or unknown.
    Other,
}

/// A source of line types. [`unknown_line_type`] for callers that do not need them.
pub type LineTypes<'a> = &'a dyn Fn(&Phone) -> LineType;

/// A source that knows no number.
pub const fn unknown_line_type(_: &Phone) -> LineType {
    LineType::Other
}

/// A line per country: its calling code, how its numbers begin if others share the code, the fewest and the most digits
/// of its numbers, and the kinds of numbers, separated by tabs. A kind is its numbers of digits, separated by commas, a
/// colon, and its pattern. Those that a country does not have are empty. The order of the countries of a code counts.
const PLANS: &str = include_str!("line_types.txt");

/// The kinds in a line, in this order: all numbers, premium, toll-free, shared cost, further ones, landlines, and mobiles. The first that fits
/// counts, but a number that fits landlines and mobiles is neither.
const FIRST_FURTHER: usize = 4;
const FURTHER: usize = 5;

/// A country that runs out of numbers adds digits to them, and this table learns it later.
const ADDED_DIGITS: usize = 2;

/// A kind of a country's numbers.
struct Kind {
    lengths: Vec<usize>,
    pattern: Regex,
}

impl Kind {
    fn read(text: &str) -> Option<Self> {
        let (lengths, pattern) = text.split_once(':')?;
        Some(Self {
            lengths: lengths.split(',').filter_map(|length| length.parse().ok()).collect(),
            pattern: Regex::new(&format!("^(?:{pattern})$")).ok()?,
        })
    }

    fn has(&self, digits: &str) -> bool {
        (self.lengths.is_empty() || self.lengths.contains(&digits.len())) && self.pattern.is_match(digits)
    }
}

/// The numbering plan of a country.
struct Plan {
    begins: Option<Regex>,
    /// The fewest and the most digits.
    digits: (usize, usize),
    kinds: Vec<Option<Kind>>,
}

impl Plan {
    fn read(line: &str) -> Option<Self> {
        let mut fields = line.split('\t').skip(1);
        let (begins, fewest, most) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            begins: match begins {
                "" => None,
                begins => Some(Regex::new(&format!("^(?:{begins})")).ok()?),
            },
            digits: (fewest.parse().ok()?, most.parse().ok()?),
            kinds: fields.map(Kind::read).collect(),
        })
    }

    fn is(&self, kind: usize, digits: &str) -> bool {
        let kind = self.kinds.get(kind).and_then(Option::as_ref);
        kind.is_some_and(|kind| kind.has(digits))
    }

    /// The type of a number of the country; `None` if it is none that the plan knows.
    fn line_type(&self, digits: &str) -> Option<LineType> {
        const FIXED: usize = FIRST_FURTHER + FURTHER;
        if !self.is(0, digits) {
            return None;
        }
        if self.is(1, digits) {
            return Some(LineType::Premium);
        }
        // Toll-free.
        if self.is(2, digits) {
            return Some(LineType::Other);
        }
        if self.is(3, digits) {
            return Some(LineType::SharedCost);
        }
        if (FIRST_FURTHER..FIXED).any(|kind| self.is(kind, digits)) {
            return Some(LineType::Other);
        }
        match (self.is(FIXED, digits), self.is(FIXED + 1, digits)) {
            (true, false) => Some(LineType::FixedLine),
            (true, true) | (false, true) => Some(LineType::Other),
            (false, false) => None,
        }
    }
}

static KNOWN: ByCode<Plan> = ByCode::new(PLANS, Plan::read);

/// By the numbering plans of Google's libphonenumber.
///
/// In countries where landlines and mobiles look alike (the United States), the result is `Other`. Unassigned ranges of a country are not
/// invalid: countries assign new ones all the time. A number is judged in the form of its key, which is the one in the plan, and which is
/// written to: a mobile of Argentina that calls without its 9 is no landline.
pub fn line_type_by_plan(phone: &Phone) -> LineType {
    let phone = phone.in_key_form();
    let Some((_, own, plans)) = KNOWN.of(phone.digits()) else {
        return LineType::Invalid;
    };
    type_by_plans(&plans, own).unwrap_or_else(|| {
        let digits = plans.iter().map(|plan| plan.digits);
        let (fewest, most) = digits.fold((usize::MAX, 0), |(fewest, most), (least, greatest)| {
            (fewest.min(least), most.max(greatest))
        });
        if (fewest..=most + ADDED_DIGITS).contains(&own.len()) {
            LineType::Other
        } else {
            LineType::Invalid
        }
    })
}

/// Whether a number is one of its country's plan, as far as Google's libphonenumber knows.
pub fn is_in_numbering_plan(phone: &Phone) -> bool {
    let phone = phone.in_key_form();
    let known = KNOWN.of(phone.digits());
    known.is_some_and(|(_, own, plans)| type_by_plans(&plans, own).is_some())
}

/// The type of a number by the plans of the countries of its code; `None` if it is in none.
fn type_by_plans(plans: &[Plan], own: &str) -> Option<LineType> {
    if let [only] = plans {
        return only.line_type(own);
    }
    // A country whose numbers begin otherwise is not asked; one that does not say how they begin is the one if it knows the number.
    let known = plans.iter().find_map(|plan| match &plan.begins {
        Some(begins) => begins.is_match(own).then(|| plan.line_type(own)),
        None => plan.line_type(own).map(Some),
    });
    known.flatten()
}

/// The United States and their territories, whose numbers begin with 1, too.
const UNITED_STATES: [&str; 6] = ["AS", "GU", "MP", "PR", "US", "VI"];

/// Whether a number belongs to the United States: Meta delivers no marketing there (error 131049, Twilio 63049).
pub fn is_in_united_states(phone: &Phone) -> bool {
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
            assert_eq!(is_in_united_states(&number.parse().unwrap()), inside, "{number}");
        }
    }

    #[test]
    fn only_a_known_landline_is_a_landline() {
        for (number, expected) in [
            ("+442079460000", LineType::FixedLine),
            ("+97143330000", LineType::FixedLine),
            ("+390612345678", LineType::FixedLine),
            ("+447700900123", LineType::Other),
            ("+971501234567", LineType::Other),
            ("+12125550100", LineType::Other),
            ("+99999999999", LineType::Invalid),
            // Forms of before and beside the plan.
            ("+541134567890", LineType::Other),
            ("+22507080910", LineType::Other),
            ("+5215512345678", LineType::Other),
            ("+5255123456789", LineType::Other),
            ("+9660501234567", LineType::Other),
            ("+9660112345678", LineType::FixedLine),
        ] {
            assert_eq!(line_type_by_plan(&number.parse().unwrap()), expected, "{number}");
        }
    }
}
