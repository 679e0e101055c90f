//! The recipient of a message.

use serde::{Deserialize, Serialize};

use crate::terms::{Country, Phone};

/// The recipient of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The telephone number, which SMS needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// Meta's business-scoped user id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bsuid: Option<String>,
}

impl Recipient {
    /// The user that a message goes to: whoever has the number. An id beside it is not proven to be the same user's.
    pub fn addressed_user(&self) -> Self {
        Self {
            phone: self.phone.clone(),
            bsuid: self.bsuid.clone().filter(|_| self.phone.is_none()),
        }
    }

    /// The country of the number, or of the id if no number is known.
    pub fn country(&self) -> Option<Country> {
        let phone = self.phone.as_ref().and_then(Phone::country);
        phone.or_else(|| Country::of_bsuid(self.bsuid.as_deref()?))
    }
}
