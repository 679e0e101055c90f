//! What a provider said of an account when it was asked whether the connection works.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The outcome of testing a connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkup {
    /// When.
    pub at: Timestamp,
    /// What came of it.
    pub result: CheckResult,
    /// For people: what was found, or what to do.
    pub message: String,
    /// Meta's rating of the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// The name under which customers see the number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verified_name: Option<String>,
    /// How many messages a second the number takes, in and out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub messages_per_second: Option<u32>,
    /// To how many customers the business may write first within 24 hours; 0: no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customers_per_day: Option<u32>,
}

/// What came of a test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckResult {
    /// The provider knows the account and its numbers.
    Passed,
    /// Somebody must act; the message says who and how.
    Failed,
    /// The provider did not answer, so that nothing is known.
    Unclear,
    /// There is nothing to ask: the first event tells.
    Waiting,
}

/// Meta's rating of a number, from what its recipients report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quality {
    /// Good.
    Green,
    /// Middling.
    Yellow,
    /// Bad: Meta may restrict the number.
    Red,
    /// Not rated yet.
    Unknown,
}

impl Checkup {
    /// A result with its sentence, and nothing else known.
    #[must_use]
    pub fn new(result: CheckResult, message: impl Into<String>, at: Timestamp) -> Self {
        Self {
            at,
            result,
            message: message.into(),
            quality: None,
            verified_name: None,
            messages_per_second: None,
            customers_per_day: None,
        }
    }
}
