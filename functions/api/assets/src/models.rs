//! Models of requests and responses.

use api::{FileLinkOut, UploadOut};
use domain::media::{Asset, AssetState, FileHash, FileName, MediaKind, MediaReason, MediaType};
use domain::terms::{FileId, Whole};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Maximum size of a file in bytes: the maximum for a document.
pub(crate) const LARGEST: u32 = MediaKind::Document.most_bytes() as u32;

/// A new asset, or a new attachment.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAsset {
    /// Name of the file.
    #[schemars(example = "cake.jpg")]
    pub(crate) name: FileName,
    /// Content type of the file. Its kind follows from it.
    pub(crate) content_type: MediaType,
    /// Size of the file in bytes: at most 5 MB for pictures, 16 MB for sound and videos, 100 MB for documents, and 500 KB for stickers.
    #[schemars(example = 61_901)]
    pub(crate) bytes: Whole<1, LARGEST>,
    /// SHA-256 of the file in hexadecimal digits, if it is to be compared with what arrives.
    #[serde(default)]
    pub(crate) sha256: Option<FileHash>,
}

/// A file of a tenant.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Asset")]
pub(crate) struct AssetOut {
    /// Id of the asset, or of the attachment.
    id: FileId,
    /// Name of the file.
    name: FileName,
    /// Kind at WhatsApp.
    kind: MediaKind,
    /// Content type.
    #[schemars(example = "image/jpeg")]
    content_type: String,
    /// Size in bytes.
    #[schemars(example = 61_901)]
    bytes: u64,
    /// SHA-256 of the content in hexadecimal digits. `null` until the file is uploaded, unless it was stated.
    #[schemars(example = &"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    sha256: Option<String>,
    /// State.
    state: AssetState,
    /// Why it is refused. `null` if it is not.
    reason: Option<MediaReason>,
    /// Request that uploads the file. `null` once the file is uploaded, in lists, and for callers who may not upload it.
    upload: Option<UploadOut>,
    /// Link to the file. `null` unless the asset is ready, in lists, and for scanners.
    download: Option<FileLinkOut>,
    /// Time of creation.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of the last change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    updated_at: Timestamp,
}

impl From<Asset> for AssetOut {
    fn from(asset: Asset) -> Self {
        Self {
            id: asset.id,
            name: asset.name,
            kind: asset.kind,
            content_type: asset.content_type,
            bytes: asset.bytes,
            sha256: asset.sha256,
            state: asset.state,
            reason: asset.reason,
            upload: None,
            download: None,
            created_at: asset.created_at,
            updated_at: asset.updated_at,
        }
    }
}

impl AssetOut {
    pub(crate) fn with_upload(self, upload: Option<UploadOut>) -> Self {
        Self { upload, ..self }
    }

    pub(crate) fn with_download(self, download: Option<FileLinkOut>) -> Self {
        Self { download, ..self }
    }
}
