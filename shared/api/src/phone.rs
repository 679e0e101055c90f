//! Telephone numbers as answers show them.

use domain::terms::Phone;
use schemars::JsonSchema;
use serde::Serialize;

/// A telephone number, for software and for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PhoneOut {
    /// The number.
    number: Phone,
    /// The number in international format, for display. A user interface needs no rules of its own for it.
    #[schemars(length(max = 40), example = &"+971 4 555 0001")]
    formatted: String,
}

impl From<Phone> for PhoneOut {
    fn from(number: Phone) -> Self {
        Self {
            formatted: number.international(),
            number,
        }
    }
}
