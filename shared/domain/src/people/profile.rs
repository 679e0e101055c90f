//! Profiles: data of a contact that deciding and sending do not read each time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::money::Price;
use crate::people::FieldValue;
use crate::terms::{FieldId, OneLine, ShownName, StageId, TagId, UserId};

/// Data of a contact beyond its [`Contact`](crate::people::Contact). Read only where it is shown or its values are used;
/// at most [`Profile::LARGEST`] bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profile {
    /// Name as given by the person, the network or a user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<ShownName>,
    /// Values of the tenant's fields.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<FieldId, FieldValue>,
    /// Fields that list the contact by their values: they had a value and were searchable at the last change.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub listed: BTreeSet<FieldId>,
    /// Tags. At most [`Profile::MAX_TAGS`].
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<TagId>,
    /// Stage, if the contact is a lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<Staged>,
    /// User who is responsible for the contact.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<UserId>,
    /// Source of the lead, such as a web form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<Origin>,
    /// Expected value of the lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<Price>,
    /// Time of the last change by a person, a key or an import.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Raised by every write, and the condition of the next one.
    #[serde(default)]
    pub version: u64,
}

/// Source of a lead in words, such as "Web form".
pub type Origin = OneLine<1, 60>;

/// The stage of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staged {
    pub stage: StageId,
    /// Time of reaching it.
    pub since: Timestamp,
}

impl Profile {
    /// Maximum size as JSON, in bytes.
    pub const LARGEST: usize = 16 * 1024;
    /// Maximum tags of a contact.
    pub const MAX_TAGS: usize = 20;

    /// A profile with a name and nothing else known.
    pub fn from_name(name: Option<ShownName>) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }
}
