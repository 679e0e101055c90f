//! Archives: all that is known of one contact, as a file for the person.

use serde::{Deserialize, Serialize};

use crate::terms::ContactId;

/// Parameters of the operation `archive_contact`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveContact {
    pub contact: ContactId,
}

impl ArchiveContact {
    /// Name of the file to download.
    pub const FILE: &str = "contact.json";
}

/// Result of the operation `archive_contact`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveResult {
    /// Number of entries beside the contact itself: calls, messages, notes and so on.
    pub entries: u64,
    /// Size of the file in bytes.
    pub size: u64,
}
