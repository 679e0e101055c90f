//! Verdicts of a scanner.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a scanner says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScanVerdict {
    /// It has found nothing.
    Clean,
    /// It has found something, such as a virus.
    Harmful,
}

/// The verdict of a scanner.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerdictIn {
    /// What it says of the file.
    pub verdict: ScanVerdict,
}
