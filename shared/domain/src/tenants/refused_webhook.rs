//! Webhooks of a connection that were refused.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Reason why a webhook of a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "WebhookRefusal")
)]
#[serde(rename_all = "snake_case")]
pub enum RefusedBecause {
    /// The connection has no secret to verify with.
    NoSecret,
    /// It was not signed.
    Unsigned,
    /// It was signed with another secret.
    OtherSecret,
    /// The handshake had another verify token.
    OtherToken,
}

/// The first webhook of an hour that was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RefusedWebhook {
    /// Time of the first one in an hour.
    pub at: Timestamp,
    /// Reason for that one.
    pub reason: RefusedBecause,
}
