//! Profiles: what is known of a contact beyond what deciding and sending read each time.

use serde::{Deserialize, Serialize};

use crate::outside::ShownName;

/// What is known of a contact beyond its [`Contact`](crate::contact::Contact). Read only where it is shown or its values are
/// used; at most 16 KiB.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// As the person or the network gives it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
    /// Raised by every write; the condition of the next.
    #[serde(default)]
    pub version: u64,
}

impl Profile {
    /// A profile of which only the name is known.
    #[must_use]
    pub fn named(name: Option<ShownName>) -> Self {
        Self { name, version: 0 }
    }
}
