//! Links to files. They need no credentials, and expire.

use domain::{operation::Operation, permission::permits::Permit};
use jiff::{SignedDuration, Timestamp};
use kit::{FileKey, Files, Problem, files::FileError};
use schemars::JsonSchema;
use serde::Serialize;

use crate::guards::Allowed;

/// Validity of links.
pub const LINKS: SignedDuration = SignedDuration::from_hours(1);

/// Retention of files that operations write. The bucket deletes them then.
const FILES: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A link to a file. It needs no credentials.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FileLinkOut {
    /// URL.
    #[schemars(
        example = "https://files.example.com/results/01hq5c1ynyc0000000000000ab/contacts.csv?X-Amz-Signature=…"
    )]
    url: String,
    /// Time until which it is valid. Read the resource again for a new one.
    #[schemars(example = "2026-11-20T11:00:00Z")]
    expires_at: Timestamp,
}

impl FileLinkOut {
    /// A link to the file of this key, which is downloaded under this name.
    ///
    /// # Errors
    /// 500 when it cannot be signed.
    pub async fn new<P: Permit>(who: &Allowed<P>, files: &Files, key: &FileKey, name: &str) -> Result<Self, Problem> {
        let link = files.download_link(key, name, LINKS.unsigned_abs()).await;
        Ok(Self {
            url: link.map_err(|error| not_signed(&error))?.url,
            expires_at: who.now() + LINKS,
        })
    }
}

/// Whether the files of an operation that has ended are still there.
#[must_use]
pub fn has_files(operation: &Operation, now: Timestamp) -> bool {
    operation.finished_at.is_some_and(|at| now < at + FILES)
}

/// The answer if a link cannot be signed.
#[must_use]
pub fn not_signed(error: &FileError) -> Problem {
    tracing::error!(error = kit::chain(error), "a link cannot be signed");
    Problem::internal()
}
