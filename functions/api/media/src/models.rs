//! Models of requests and responses.

use domain::media::MediaKind;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Place of a file in its message, from 0.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(inline, example = 0)]
pub(crate) struct MediumIndex(pub(crate) u8);

/// A link to a picture or another file of a customer's message. It needs no credentials.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct MediumLink {
    /// URL.
    #[schemars(example = "https://files.example.com/media/01hq5c1ynyc0000000000000ab/contact/…?X-Amz-Signature=…")]
    pub(crate) url: String,
    /// Time of expiry.
    #[schemars(example = "2026-11-20T10:05:00Z")]
    pub(crate) expires_at: Timestamp,
    /// Kind at WhatsApp.
    pub(crate) kind: MediaKind,
    /// Content type, as found in the content.
    #[schemars(example = "image/jpeg")]
    pub(crate) content_type: String,
    /// Size in bytes.
    #[schemars(example = 61_901)]
    pub(crate) bytes: u64,
    /// SHA-256 of the content in hexadecimal digits.
    #[schemars(example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    pub(crate) sha256: String,
}
