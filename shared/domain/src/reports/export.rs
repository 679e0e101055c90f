//! Exports: what a tenant takes out of the table, as a file.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::accounts::Permission;
use crate::terms::CampaignId;

/// Content of an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Exported {
    /// All contacts, except deleted ones.
    Contacts,
    /// Calls of a period.
    Calls,
    /// Messages of a period, in both directions, except those of broadcasts: their recipients are a content of their own.
    Messages,
    /// Changes of consent of all contacts.
    Consent,
    /// The audit log of a period.
    Audit,
    /// Everybody in the audience of a broadcast, with what became of them.
    Recipients,
}

impl Exported {
    /// Whether it is exported by period.
    pub const fn has_period(self) -> bool {
        matches!(self, Self::Calls | Self::Messages | Self::Audit)
    }

    /// The name in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Calls => "calls",
            Self::Messages => "messages",
            Self::Consent => "consent",
            Self::Audit => "audit",
            Self::Recipients => "recipients",
        }
    }

    /// The permission that it needs beside the one for exports.
    pub const fn permission(self) -> Option<Permission> {
        match self {
            Self::Contacts | Self::Calls | Self::Messages | Self::Consent => None,
            Self::Audit => Some(Permission::AuditRead),
            Self::Recipients => Some(Permission::MessagesRead),
        }
    }
}

/// Format of an exported file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    /// CSV for people: in UTF-8, with names of columns, and an apostrophe before cells that spreadsheet programs would calculate.
    #[default]
    Csv,
    /// JSON Lines for programs: one object per line.
    JsonLines,
}

impl FileFormat {
    /// The end of a file's name.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }
}

/// Parameters of the operation `export_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportData {
    pub what: Exported,
    pub format: FileFormat,
    /// Start of the period, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// End of the period, exclusive, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// The broadcast, of recipients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub campaign: Option<CampaignId>,
}

impl ExportData {
    /// Maximum length of a period.
    pub const MAX_SPAN: SignedDuration = SignedDuration::from_hours(400 * 24);

    /// The file's name for a download.
    pub fn file_name(&self) -> String {
        format!("{}.{}", self.what.as_str(), self.format.suffix())
    }
}

/// Result of the operation `export_data`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportResult {
    /// Number of exported rows.
    pub rows: u64,
    /// Number of rows that are larger than a row of a file may be, and missing.
    pub left_out: u64,
    /// Size of the file in bytes.
    pub size: u64,
}
