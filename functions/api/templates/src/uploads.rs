//! Samples of media headers, from our bucket to WhatsApp.

use std::time::Duration;

use api::Allowed;
use domain::accounts::permits::Permit;
use domain::media::Asset;
use domain::templates::LARGEST_SAMPLE;
use domain::terms::{Fault, FaultCode};
use kit::files::{FileError, FileFacts, Piece};
use kit::{FileKey, Problem, TimeLimit};
use providers::media::Sending;
use providers::templates::TemplateError;
use providers::whatsapp::templates::SampleFile;
use store::table::usage;

use crate::Context;
use crate::submit::Outcome;

/// Maximum time for uploading a sample, in a function that has thirty seconds.
pub(crate) const WITHIN: Duration = Duration::from_secs(15);

/// Bytes of a piece. At most three of them are in memory.
const PIECE: u64 = 4 * 1024 * 1024;

impl Context {
    /// Uploads an asset as a sample. Returns its handle.
    pub(crate) async fn upload_asset<P: Permit>(
        &self,
        who: &Allowed<P>,
        asset: &Asset,
        access_token: &str,
    ) -> Result<String, Outcome> {
        let key = FileKey::asset(who.scope(), asset.id);
        let file = Box::pin(self.files.facts(&key)).await.map_err(Problem::from)?;
        let file = file.filter(|file| (1..=LARGEST_SAMPLE).contains(&file.size));
        let Some(file) = file else {
            let fault = Fault::new(FaultCode::NotFound, "The file of the asset is gone. Upload another.");
            let fault = fault.and("id", asset.id.to_string());
            return Err(Problem::field("content.header.sample_asset_id", fault).into());
        };
        let (name, key, file) = (asset.saved_as(), &key, &file);
        let sample = SampleFile {
            name: &name,
            mime: &asset.content_type,
            bytes: file.size,
        };
        let feed = |offset: u64, sending: Sending| async move {
            if let Err(error) = self.feed_file(key, file, offset, sending).await {
                tracing::warn!(error = kit::chain(&error), "a sample cannot be read");
            }
        };
        usage::provider("whatsapp.samples");
        let uploading = self.uploads.upload_sample(access_token, sample, feed);
        let uploaded = TimeLimit::of(WITHIN).keep(Box::pin(uploading)).await;
        // Whatever WhatsApp has of it, it has no template yet.
        match uploaded.unwrap_or(Err(TemplateError::NoSample)) {
            Ok(handle) => Ok(handle),
            Err(error) => Err(Outcome::nothing_done(&error)),
        }
    }

    /// Reads a file piece by piece, as long as somebody wants it.
    async fn feed_file(&self, key: &FileKey, file: &FileFacts, from: u64, sending: Sending) -> Result<(), FileError> {
        let mut offset = from;
        while offset < file.size {
            let Piece::Bytes(piece) = self.files.piece(key, &file.etag, offset, PIECE).await? else {
                break;
            };
            offset += piece.len() as u64;
            if piece.is_empty() || !sending.add(piece).await {
                break;
            }
        }
        Ok(())
    }
}
