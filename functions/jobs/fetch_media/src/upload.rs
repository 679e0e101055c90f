//! Uploading an asset to WhatsApp, which then sends it by its id.

use std::time::Duration;

use domain::media::{Asset, AssetState, Turn};
use domain::tenants::{Account, SendSecrets};
use domain::terms::{ConnectionId, FileId, ProviderRef};
use kit::files::{FileError, FileFacts, Piece};
use kit::{Done, FileKey, JobError, TimeLimit, metric};
use providers::media::{MediaError, Sending, outgoing};
use providers::whatsapp::media::Upload;
use store::table::usage;
use store::{TenantScope, Versioned};

use crate::Context;

/// Bytes of a piece. At most three of them are in memory.
const PIECE: u64 = 4 * 1024 * 1024;

/// Attempts until the job is given up: a message that still needs the asset queues another.
const MAX_RECEIVES: u32 = 8;

/// Attempts of a change that loses races, before the queue retries the job.
const MAX_RACES: u32 = 8;

/// Wait after credentials were refused.
const RENEWAL: Duration = Duration::from_secs(900);

/// Does the job of an asset.
pub(crate) async fn work(
    ctx: &Context,
    scope: &TenantScope,
    asset: FileId,
    connection: ConnectionId,
    receive_count: u32,
) -> Result<Done, JobError> {
    let now = ctx.clock.now();
    let Some(Versioned { value: asset, version }) = ctx.store.asset(scope, asset).await? else {
        return Ok(kit::queue::finish_without_subject("asset"));
    };
    if asset.state != AssetState::Ready || !asset.needs_handle(connection, now) {
        return Ok(Done::Already);
    }
    let Some(connection) = ctx.store.connection(scope, connection).await? else {
        return Ok(kit::queue::finish_without_subject("connection"));
    };
    let Account::WhatsApp(account) = &connection.account else {
        // Twilio takes a link.
        return Ok(Done::Already);
    };
    let key = FileKey::asset(scope, asset.id);
    let Some(file) = ctx.files.facts(&key).await? else {
        return Ok(kit::queue::finish_without_subject("file of an asset"));
    };
    let mut turn = Turn::Own;
    let known = Versioned { value: asset, version };
    let taken = Box::pin(change_asset(ctx, scope, known, |asset| {
        turn = asset.take_upload(connection.id, now);
        turn == Turn::Own
    }));
    let Some(known) = taken.await? else {
        return match turn {
            // It may be this one, delivered again after it broke off. Other jobs are not needed.
            Turn::Later(left) if (2..MAX_RECEIVES).contains(&receive_count) => {
                let error = JobError::new("another job uploads the asset, or it was refused just now");
                Err(error.again_after(left.unsigned_abs()))
            }
            _ => Ok(Done::Already),
        };
    };
    let credentials = ctx.credentials(scope, &connection, now).await;
    let sent = match credentials.as_deref() {
        Some(SendSecrets::WhatsApp(own)) => {
            usage::provider("whatsapp.upload");
            let (access_token, phone_number_id) = (&own.access_token, &account.phone_number_id);
            send_file(ctx, &known.value, &key, &file, access_token, phone_number_id).await
        }
        _ => Err(MediaError::Refused { status: 401 }),
    };
    let error = match sent {
        Ok(id) => {
            let kept = |asset: &mut Asset| {
                asset.keep_handle(connection.id, id.clone(), now);
                true
            };
            let kept = Box::pin(change_asset(ctx, scope, known, kept)).await?;
            return Ok(if kept.is_some() { Done::Now } else { Done::Already });
        }
        Err(error) => error,
    };
    tracing::warn!(error = kit::chain(&error), "an asset cannot be uploaded");
    let is_refusal = matches!(error, MediaError::NotTaken { .. });
    let mut rest = None;
    let failed = |asset: &mut Asset| {
        if is_refusal {
            rest = asset.upload_refused(connection.id, now);
        } else {
            asset.upload_failed(connection.id);
        }
        true
    };
    Box::pin(change_asset(ctx, scope, known, failed)).await?;
    if is_refusal {
        let Some(rest) = rest.filter(|_| receive_count < MAX_RECEIVES) else {
            metric::count("asset_not_uploaded", &[]);
            return Ok(Done::Now);
        };
        return Err(JobError::from(error).again_after(rest.unsigned_abs()));
    }
    if receive_count >= MAX_RECEIVES {
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
async fn send_file(
    ctx: &Context,
    asset: &Asset,
    key: &FileKey,
    file: &FileFacts,
    access_token: &str,
    phone_number_id: &str,
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
    let (fed, answer) = tokio::join!(Box::pin(feed_file(ctx, key, file, sending)), answer);
    if let Err(error) = fed {
        tracing::warn!(error = kit::chain(&error), "an asset cannot be read");
    }
    answer.unwrap_or(Err(MediaError::TooSlow))
}

/// Reads a file piece by piece, as long as somebody wants it. If it cannot be read to its end, the upload breaks off.
async fn feed_file(ctx: &Context, key: &FileKey, file: &FileFacts, sending: Sending) -> Result<(), FileError> {
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

/// Writes a change to the asset, whatever else was changed of it meanwhile, unless the change returns false. Returns what is written.
async fn change_asset(
    ctx: &Context,
    scope: &TenantScope,
    known: Versioned<Asset>,
    mut change: impl FnMut(&mut Asset) -> bool,
) -> Result<Option<Versioned<Asset>>, JobError> {
    let id = known.value.id;
    let mut known = Some(known);
    for _attempt in 0..MAX_RACES {
        let Some(Versioned { mut value, version }) = known else {
            let _gone = kit::queue::finish_without_subject("asset");
            return Ok(None);
        };
        // A scanner may have found something in it.
        if value.state != AssetState::Ready || !change(&mut value) {
            return Ok(None);
        }
        match ctx.store.note_asset(scope, version, &value).await {
            Err(error) if error.is_conflict() => known = ctx.store.asset(scope, id).await?,
            Err(error) => return Err(error.into()),
            Ok(()) => {
                let version = version + 1;
                return Ok(Some(Versioned { value, version }));
            }
        }
    }
    Err(JobError::new("an asset is changed all the time"))
}
