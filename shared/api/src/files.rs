//! Links to files. They need no credentials, and expire.

use std::collections::BTreeMap;

use domain::accounts::permits::Permit;
use domain::media::is_shown_inline;
use domain::terms::Operation;
use jiff::{SignedDuration, Timestamp};
use kit::files::FileError;
use kit::{FileKey, Files, Problem};
use schemars::JsonSchema;
use serde::Serialize;

use crate::guards::Allowed;

/// Validity of links to files: long enough to follow one, too short to be of use to others who get it.
pub const LINKS: SignedDuration = SignedDuration::from_mins(5);

/// Validity of uploads. Somebody may still have to find the file.
const UPLOADS: SignedDuration = SignedDuration::from_hours(1);

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
    /// Time of expiry. Read the resource again for a new one.
    #[schemars(example = "2026-11-20T10:05:00Z")]
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

    /// A link to a file of this content type: browsers show it in a page if that is safe, and save it otherwise, under the chosen name if
    /// there is one.
    ///
    /// # Errors
    /// 500 when it cannot be signed.
    pub async fn for_file<P: Permit>(
        who: &Allowed<P>,
        files: &Files,
        key: &FileKey,
        name: &str,
        chosen: Option<&str>,
        content_type: &str,
        valid: SignedDuration,
    ) -> Result<Self, Problem> {
        let within = valid.unsigned_abs();
        let link = if is_shown_inline(content_type) {
            Box::pin(files.page_link(key, name, content_type, within)).await
        } else {
            Box::pin(files.named_link(key, name, chosen, content_type, within)).await
        };
        Ok(Self {
            url: link.map_err(|error| not_signed(&error))?.url,
            expires_at: who.now() + valid,
        })
    }

    /// URL and time of expiry.
    pub fn into_parts(self) -> (String, Timestamp) {
        (self.url, self.expires_at)
    }
}

/// A request that uploads a file. It needs no credentials.
#[derive(Debug, Serialize, JsonSchema)]
pub struct UploadOut {
    /// Method.
    #[schemars(example = &"PUT")]
    method: &'static str,
    /// URL.
    #[schemars(example = "https://files.example.com/uploads/01hq5c1ynyc0000000000000ab?X-Amz-Signature=…")]
    url: String,
    /// Headers that the request must have.
    #[schemars(example = serde_json::json!({"content-length": "48213", "content-type": "text/csv"}))]
    headers: BTreeMap<String, String>,
    /// Time of expiry.
    #[schemars(example = "2026-11-20T11:00:00Z")]
    expires_at: Timestamp,
}

impl UploadOut {
    /// The upload of a file of this content type and length to this key.
    ///
    /// # Errors
    /// 500 when it cannot be signed.
    pub async fn new<P: Permit>(
        who: &Allowed<P>,
        files: &Files,
        key: &FileKey,
        content_type: &str,
        length: u64,
    ) -> Result<Self, Problem> {
        let link = files
            .upload_link(key, content_type, length, UPLOADS.unsigned_abs())
            .await;
        let link = link.map_err(|error| not_signed(&error))?;
        let mut headers = link.headers;
        headers.entry("content-length".to_owned()).or_insert(length.to_string());
        Ok(Self {
            method: "PUT",
            url: link.url,
            headers,
            expires_at: who.now() + UPLOADS,
        })
    }
}

/// Whether the files of an operation that has ended are still there.
pub fn has_files(operation: &Operation, now: Timestamp) -> bool {
    operation.finished_at.is_some_and(|at| now < at + FILES)
}

/// The answer if a link cannot be signed.
pub fn not_signed(error: &FileError) -> Problem {
    tracing::error!(error = kit::chain(error), "a link cannot be signed");
    Problem::internal()
}
