//! Checks the file that was uploaded for an asset, and copies it to where no upload can change it.

use domain::media::{Asset, MediaReason, SNIFFED_BYTES, content_type, why_not_taken};
use kit::files::{FileFacts, Piece};
use kit::{FileKey, Files, Problem};
use sha2::{Digest as _, Sha256};
use store::TenantScope;

/// Bytes that are read at a time.
const PIECE: u64 = 8 * 1024 * 1024;

/// The result of the check.
pub(crate) enum Uploaded {
    /// The stated file, with this SHA-256. It is copied.
    Good(String),
    /// Another problem with the file.
    Bad(MediaReason),
}

pub(crate) fn not_uploaded() -> Problem {
    let detail = "The file is not there: upload it as `upload` of the asset says. It is deleted after a day; then upload it again.";
    Problem::conflict("not_uploaded", detail)
}

/// Reads the file of an asset once, in pieces, and copies it if it is the stated one.
///
/// # Errors
/// 409 if there is none, or it changes meanwhile; 503 when the bucket does not answer.
pub(crate) async fn copy_stated_file(files: &Files, scope: &TenantScope, asset: &Asset) -> Result<Uploaded, Problem> {
    let from = FileKey::upload(scope, asset.id.ulid());
    let FileFacts { size, etag } = files.facts(&from).await?.ok_or_else(not_uploaded)?;
    if size != asset.bytes {
        return Ok(Uploaded::Bad(MediaReason::WrongSize));
    }
    let mut copy = files.copy(FileKey::asset(scope, asset.id));
    let (mut hash, mut offset) = (Sha256::new(), 0);
    while offset < size {
        let piece = match Box::pin(files.piece(&from, &etag, offset, PIECE)).await? {
            Piece::Bytes(piece) if !piece.is_empty() => piece,
            Piece::Bytes(_) | Piece::Changed => return Err(not_uploaded()),
        };
        if offset == 0 {
            let beginning = piece.get(..SNIFFED_BYTES).unwrap_or(&piece);
            let stated = asset.content_type.as_str();
            if content_type(asset.kind, &[stated], beginning) != Some(stated) {
                return Ok(Uploaded::Bad(MediaReason::WrongType));
            }
            if let Some(reason) = why_not_taken(stated, size, beginning) {
                return Ok(Uploaded::Bad(reason));
            }
        }
        offset += piece.len() as u64;
        hash.update(&piece);
        copy.add(&piece).await?;
    }
    let sha256 = hex::encode(hash.finalize());
    if asset.sha256.as_ref().is_some_and(|stated| *stated != sha256) {
        return Ok(Uploaded::Bad(MediaReason::WrongHash));
    }
    Box::pin(copy.complete()).await?;
    Ok(Uploaded::Good(sha256))
}
