//! Profiles: data of a contact that deciding and sending do not read each time.

use serde::{Deserialize, Serialize};

use crate::outside::ShownName;

/// Data of a contact beyond its [`Contact`](crate::contact::Contact). Read only where it is shown or its values are used;
/// at most 16 KiB.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Name as given by the person or the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
    /// Raised by every write, and the condition of the next one.
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
