//! Uploading an asset to WhatsApp, which then sends it by its id.

use std::time::Duration;

use domain::{
    asset::{Asset, AssetState},
    connection::{Account, SendSecrets},
    ids::{AssetId, ConnectionId},
    media::MediaReason,
    outside::ProviderRef,
};
use kit::{
    Done, FileKey, JobError, TimeLimit,
    files::{FileError, FileFacts, Piece},
    metric,
};
use providers::{
    media::{MediaError, Sending, outgoing},
    whatsapp::media::Upload,
};
use store::{StoreError, TenantScope, Versioned, usage};

use crate::{Context, RACES};

/// Bytes of a piece. At most three of them are in memory.
const PIECE: u64 = 4 * 1024 * 1024;

/// Attempts until the job is given up: a message that still needs the asset queues another.
const MOST_RECEIVES: u32 = 8;

/// Receives of a job from which on WhatsApp is believed that it does not take a file: the code may also mean that something went wrong.
const MOST_REFUSALS: u32 = 2;

/// Wait after credentials were refused.
const RENEWAL: Duration = Duration::from_secs(900);

/// Does the job of an asset.
pub(crate) async fn work(
    ctx: &Context,
    scope: &TenantScope,
    (asset, connection): (AssetId, ConnectionId),
    receive_count: u32,
) -> Result<Done, JobError> {
    let now = ctx.clock.now();
    let Some(Versioned { value: asset, version }) = ctx.store.asset(scope, asset).await? else {
        return Ok(kit::queue::gone("asset"));
    };
    if asset.state != AssetState::Ready || !asset.needs_handle(connection, now) {
        return Ok(Done::Already);
    }
    let Some(connection) = ctx.store.connection(scope, connection).await? else {
        return Ok(kit::queue::gone("connection"));
    };
    let Account::WhatsApp(account) = &connection.account else {
        // Twilio takes a link.
        return Ok(Done::Already);
    };
    let key = FileKey::asset(scope, asset.id);
    let Some(file) = ctx.files.facts(&key).await? else {
        return Ok(kit::queue::gone("file of an asset"));
    };
    let credentials = ctx.credentials(scope, &connection, now).await;
    let sent = match credentials.as_deref() {
        Some(SendSecrets::WhatsApp(own)) => {
            usage::provider("whatsapp.upload");
            let to = (own.access_token.as_str(), account.phone_number_id.as_str());
            sent(ctx, &asset, (&key, &file), to).await
        }
        _ => Err(MediaError::Refused { status: 401 }),
    };
    let error = match sent {
        Ok(id) => {
            let kept = |asset: &mut Asset| asset.keep_handle(connection.id, id.clone(), now);
            return noted(ctx, scope, Versioned { value: asset, version }, kept).await;
        }
        Err(error) => error,
    };
    tracing::warn!(error = kit::chain(&error), "an asset cannot be uploaded");
    if matches!(error, MediaError::NotTaken { .. }) && receive_count >= MOST_REFUSALS {
        let refused = |asset: &mut Asset| asset.refuse(MediaReason::WrongType);
        return noted(ctx, scope, Versioned { value: asset, version }, refused).await;
    }
    if receive_count >= MOST_RECEIVES {
        metric::count("asset_not_uploaded", &[]);
        return Ok(Done::Already);
    }
    let refused = matches!(error, MediaError::Refused { .. });
    if refused {
        ctx.credentials.doubt(scope, connection.id, now);
    }
    let error = JobError::from(error);
    Err(if refused { error.again_after(RENEWAL) } else { error })
}

/// Sends a file as it is read.
async fn sent(
    ctx: &Context,
    asset: &Asset,
    (key, file): (&FileKey, &FileFacts),
    (access_token, phone_number_id): (&str, &str),
) -> Result<ProviderRef, MediaError> {
    let (sending, body) = outgoing(file.size);
    let (name, sha256) = (asset.saved_as(), asset.sha256.clone().unwrap_or_default());
    let upload = Upload {
        content_type: &asset.content_type,
        name: &name,
        sha256: &sha256,
    };
    let answer = ctx.graph.upload_medium(access_token, phone_number_id, upload, body);
    let answer = TimeLimit::of(ctx.within).keep(Box::pin(answer));
    let (fed, answer) = tokio::join!(Box::pin(fed(ctx, key, file, sending)), answer);
    if let Err(error) = fed {
        tracing::warn!(error = kit::chain(&error), "an asset cannot be read");
    }
    answer.unwrap_or(Err(MediaError::TooSlow))
}

/// Reads a file piece by piece, as long as somebody wants it. If it cannot be read to its end, the upload breaks off.
async fn fed(ctx: &Context, key: &FileKey, file: &FileFacts, sending: Sending) -> Result<(), FileError> {
    let mut offset = 0;
    while offset < file.size {
        let Piece::Bytes(piece) = ctx.files.piece(key, &file.etag, offset, PIECE).await? else {
            break;
        };
        offset += piece.len() as u64;
        if piece.is_empty() || !sending.add(piece).await {
            break;
        }
    }
    Ok(())
}

/// Writes to the asset what was found out, whatever else was changed of it meanwhile.
async fn noted(
    ctx: &Context,
    scope: &TenantScope,
    known: Versioned<Asset>,
    change: impl Fn(&mut Asset),
) -> Result<Done, JobError> {
    let (store, id, change) = (&ctx.store, known.value.id, &change);
    let read = || store.asset(scope, id);
    let write = |known: Option<Versioned<Asset>>| async move {
        let Some(Versioned { mut value, version }) = known else {
            return Ok(kit::queue::gone("asset"));
        };
        if value.state != AssetState::Ready {
            // A scanner has found something in it.
            return Ok(Done::Already);
        }
        change(&mut value);
        store.note_asset(scope, version, &value).await?;
        Ok::<_, StoreError>(Done::Now)
    };
    Ok(RACES.until_won_from(Some(known), read, write).await?)
}
