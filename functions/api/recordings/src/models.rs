//! Models of requests and responses.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// A link to the sound of a recording. It needs no credentials.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RecordingLink {
    /// URL.
    #[schemars(
        example = "https://files.example.com/recordings/01hq5c1ynyc0000000000000ab/contact/…?X-Amz-Signature=…"
    )]
    pub(crate) url: String,
    /// Time of expiry.
    #[schemars(example = "2026-11-20T10:05:14Z")]
    pub(crate) expires_at: Timestamp,
    /// Content type of the sound.
    #[schemars(with = "String", example = &"audio/mpeg")]
    pub(crate) content_type: &'static str,
    /// Size in bytes.
    #[schemars(example = 56_000)]
    pub(crate) bytes: u64,
    /// Length in seconds. `null` if it was not reported.
    #[schemars(example = 14)]
    pub(crate) duration_seconds: Option<u32>,
}
