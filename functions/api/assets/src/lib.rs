//! Assets: files of a tenant, which messages and products can name. Attachments: files for one reply.
//!
//! A file is uploaded by a signed link, and checked when that is said to be done: then it is copied to where nobody can change it. Its
//! object is deleted with the asset, or with the message that carries the attachment.

mod attachments;
mod models;
mod upload;

use api::{
    Allowed, Api, AuditedReads, Body, Created, FileLinkOut, FileScanner, IfMatch, LINKS, Listed, NoContent, Paging,
    Patch, Path, RACES, ScanVerdict, ScannerProof, Setback, Tagged, UploadOut, VerdictIn, permits, require_found,
    setback,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Router};
use domain::accounts::Permission;
use domain::accounts::permits::Permit;
use domain::media::{Asset, AssetIn, AssetState, MediaKind, MediaReason};
use domain::terms::{AssetId, Fault, FileId, Resource as _, Stamp};
use kit::{ConfigError, Env, FileKey, Files, Problem};
use store::reports::{Stored, kilobytes};
use store::table::rates::Limit;
use store::{Store, TenantScope, Versioned};

use crate::models::{AssetOut, NewAsset};
use crate::upload::{Uploaded, copy_stated_file, not_uploaded};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    let scanner = FileScanner::new(env.config())?;
    let served = served.layer(Extension(AuditedReads::default()));
    Ok(served.layer(Extension(Files::new(env)?)).layer(Extension(scanner)))
}

api::operations! {
    "assets": "Files of a tenant, such as pictures and menus, for messages and products, and attachments of replies." {
        /// Create an asset
        ///
        /// Upload the file with the request in the answer, within an hour. Complete the asset then, with
        /// `POST /api/v1/assets/{asset_id}/complete`. A tenant has at most 1,000 assets of together 1,000 megabytes, unless its
        /// plan says otherwise, and creates at most 200 an hour.
        POST "/api/v1/assets" => create_asset, "The asset";

        /// List assets
        ///
        /// Oldest first.
        GET "/api/v1/assets" => list_assets, "A page of assets";

        /// Get an asset
        ///
        /// Until its file is uploaded, the answer has the request for the upload. Once it is ready, the answer has a link to the file,
        /// valid for five minutes. Pictures, sound and videos can be shown in a page; other files are only saved.
        GET "/api/v1/assets/{asset_id}" => get_asset, "The asset";

        /// Rename an asset
        PATCH "/api/v1/assets/{asset_id}" => update_asset, "The renamed asset";

        /// Delete an asset
        ///
        /// Deletes its file, too. Messages that are not sent yet fail if they need it; a product keeps its id.
        DELETE "/api/v1/assets/{asset_id}" => delete_asset, "The asset is deleted";

        /// Complete the upload of an asset
        ///
        /// Checks that the file has the stated size and hash, and that its content is of the stated type. Then the asset is `ready`, or
        /// waits for the scanner of the platform as `scanning`. If a check fails, it is `refused` for good. Completing it again changes
        /// nothing.
        POST "/api/v1/assets/{asset_id}/complete" => complete_asset, "The asset with its new state",
            problems "not_uploaded" "asset_refused";

        /// Judge an asset
        ///
        /// For the scanner of a platform. Judges attachments, too. The verdict `clean` needs the scanner's secret. A harmful file is
        /// deleted, even if the asset is `ready` already. A verdict can be repeated.
        POST "/api/v1/assets/{asset_id}/verdict" => judge_asset, "The asset with its new state",
            problems "not_uploaded" "asset_refused";

        /// Create an attachment
        ///
        /// A file for one reply in the conversation, of the types and sizes of assets. Upload it with the request in the answer, within an
        /// hour. Then complete it, and send it within a day of its creation: the reply names it as `asset_id`. If no reply uses it, it is
        /// deleted after that day, otherwise with its message. At most 100 an hour per person.
        POST "/api/v1/conversations/{conversation_id}/attachments" => attachments::create_attachment, "The attachment",
            problems "conversation_continued";

        /// Get an attachment
        ///
        /// Once it is ready, it has a link to the file, valid for five minutes. The audit log says once a day who got a link to a file of a
        /// contact's.
        GET "/api/v1/conversations/{conversation_id}/attachments/{attachment_id}" => attachments::get_attachment, "The attachment";

        /// Complete the upload of an attachment
        ///
        /// Checks the file like an asset's. Then the attachment is `ready`, or waits for the scanner of the platform as `scanning`. If a
        /// check fails, it is `refused` for good. Completing it again changes nothing, and returns its state.
        POST "/api/v1/conversations/{conversation_id}/attachments/{attachment_id}/complete" => attachments::complete_attachment,
            "The attachment with its new state", problems "not_uploaded" "asset_refused";
    }
}

type Reading = Allowed<permits::AssetsRead>;
type Writing = Allowed<permits::AssetsWrite>;
type Scanner = Allowed<permits::MediaScan>;

/// Assets that a tenant creates per hour.
const CREATED: Limit = Limit::per_hour(200);

async fn create_asset(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Body(new): Body<NewAsset>,
) -> Result<Created<AssetOut>, Problem> {
    let asset = Asset::new(who.ulid(), AssetIn { name: new.name.clone() }, who.now());
    let asset = asset_to_upload(asset, new)?;
    api.limit(&who, "ASSETS", CREATED).await?;
    let (room, most) = (kilobytes(&asset), who.principal().limits().asset_megabytes());
    let most = u64::from(most) * 1_000;
    api.take_room(&who, Stored::AssetKilobytes, room, most, "kilobytes of assets")
        .await?;
    let created = api.create_this(&who, "/api/v1/assets", asset).await;
    if created.is_err() {
        api.give_room_back(&who, Stored::AssetKilobytes, room).await;
    }
    let Created {
        location,
        version,
        body: asset,
    } = created?;
    let upload = upload(&who, &files, &asset).await?;
    Ok(Created {
        location,
        version,
        body: AssetOut::from(asset).with_upload(upload),
    })
}

/// The file as it is to be uploaded.
fn asset_to_upload(mut asset: Asset, new: NewAsset) -> Result<Asset, Problem> {
    let (kind, bytes) = (new.content_type.kind(), new.bytes.get());
    let most = kind.most_bytes();
    if u64::from(bytes) > most {
        return Err(Problem::field("bytes", too_large(kind, most)));
    }
    new.content_type.as_str().clone_into(&mut asset.content_type);
    (asset.kind, asset.bytes, asset.sha256) = (kind, bytes.into(), new.sha256.map(String::from));
    Ok(asset)
}

fn too_large(kind: MediaKind, most: u64) -> Fault {
    let kind = kind.as_str();
    Fault::out_of_range(
        1_u64,
        most,
        format!("A file of the kind {kind} has at most {most} bytes."),
    )
}

async fn list_assets(who: Reading, State(api): State<Api>, paging: Paging) -> Result<Listed<AssetOut>, Problem> {
    let page = api.store().page(who.scope(), paging.after(), paging.limit()).await?;
    Ok(Listed::of(page, |found: Versioned<Asset>| found.value.into()))
}

async fn get_asset(
    who: Reading,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<AssetId>,
) -> Result<Tagged<AssetOut>, Problem> {
    let asset = require_found(api.store().asset(who.scope(), id)).await?;
    show_asset(&who, &files, asset).await
}

async fn update_asset(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<AssetId>,
    if_match: IfMatch,
    patch: Patch<AssetIn>,
) -> Result<Tagged<AssetOut>, Problem> {
    let Tagged { version, body: value } = api.update::<Asset, _>(&who, &id, &if_match, &patch).await?;
    show_asset(&who, &files, Versioned { version, value }).await
}

async fn delete_asset(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Path(id): Path<AssetId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let known = api.store().asset(who.scope(), id).await?;
    let removed = api.remove::<Asset, _>(&who, &id, &if_match).await;
    if let (Ok(_), Some(asset)) = (&removed, known) {
        api.give_room_back(&who, Stored::AssetKilobytes, kilobytes(&asset.value))
            .await;
    }
    // Also when there is none: an earlier request may have been interrupted between the two.
    let is_gone = match &removed {
        Ok(_) => true,
        Err(problem) => problem.status() == StatusCode::NOT_FOUND,
    };
    if is_gone {
        Box::pin(files.remove(&FileKey::asset(who.scope(), id))).await?;
    }
    removed
}

async fn complete_asset(
    who: Writing,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(scanner): Extension<FileScanner>,
    Path(id): Path<AssetId>,
) -> Result<Tagged<AssetOut>, Problem> {
    let known = require_found(api.store().asset(who.scope(), id)).await?;
    let asset = Box::pin(complete(&who, &api, &files, &scanner, known)).await?;
    show_asset(&who, &files, asset).await
}

/// Checks the file that was uploaded for an asset or attachment, unless that was done, and notes what was found.
async fn complete<P: Permit>(
    who: &Allowed<P>,
    api: &Api,
    files: &Files,
    scanner: &FileScanner,
    known: Versioned<Asset>,
) -> Result<Versioned<Asset>, Problem> {
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let id = known.value.id;
    match known.value.state {
        AssetState::AwaitingUpload => {}
        AssetState::Scanning | AssetState::Ready => return Ok(known),
        AssetState::Refused => return Err(asset_refused_problem(&known.value)),
    }
    let (uploaded, key) = (
        Box::pin(copy_stated_file(files, scope, &known.value)).await?,
        FileKey::asset(scope, id),
    );
    let (uploaded, scanned) = (&uploaded, scanner.exists());
    let read = || require_found(store.asset(scope, id));
    let write = |before: Versioned<Asset>| async move {
        match asset_after_upload(&before.value, uploaded, scanned) {
            Some(after) => write_change(store, scope, &before, after, stamp).await,
            None => Ok(before),
        }
    };
    let noted = RACES.until_won_from(known, read, write).await;
    let has_file = match &noted {
        Ok(asset) => asset.value.state != AssetState::Refused,
        // Deleted meanwhile, with or without the copy.
        Err(problem) => problem.status() != StatusCode::NOT_FOUND,
    };
    if !has_file {
        Box::pin(files.remove(&key)).await?;
    }
    let asset = noted?;
    if asset.value.state == AssetState::Refused {
        return Err(asset_refused_problem(&asset.value));
    }
    Ok(asset)
}

/// Writes a change of an asset or attachment. The audit log records changes of assets only.
async fn write_change(
    store: &Store,
    scope: &TenantScope,
    before: &Versioned<Asset>,
    after: Asset,
    stamp: &Stamp,
) -> Result<Versioned<Asset>, Setback> {
    let value = after.changed_at(stamp.at);
    let version = match value.id {
        FileId::Asset(_) => {
            let version = store.change(scope, before, &value, stamp).await;
            version.map_err(setback::<Asset>)?
        }
        FileId::Attachment(_) => {
            store.note_asset(scope, before.version, &value).await?;
            before.version + 1
        }
    };
    Ok(Versioned { version, value })
}

/// The asset after its upload; `None` if it is complete already. If two requests found different files, one may have overwritten the
/// other's: then nobody knows which it is.
fn asset_after_upload(asset: &Asset, uploaded: &Uploaded, scanned: bool) -> Option<Asset> {
    let mut after = asset.clone();
    match (asset.state, uploaded) {
        (AssetState::AwaitingUpload, Uploaded::Good(sha256)) => {
            after.record_upload(&asset.content_type, asset.bytes, sha256.clone(), scanned);
        }
        (AssetState::AwaitingUpload, Uploaded::Bad(reason)) => after.refuse(*reason),
        (AssetState::Scanning | AssetState::Ready, Uploaded::Good(sha256)) if asset.sha256.as_ref() != Some(sha256) => {
            after.refuse(MediaReason::WrongHash);
        }
        _ => return None,
    }
    Some(after)
}

async fn judge_asset(
    who: Scanner,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(scanner): Extension<FileScanner>,
    Path(id): Path<FileId>,
    proof: ScannerProof,
    Body(VerdictIn { verdict }): Body<VerdictIn>,
) -> Result<Tagged<AssetOut>, Problem> {
    scanner.check(verdict, &proof)?;
    let (store, scope, stamp) = (api.store(), who.scope(), &who.stamp());
    let (files, key) = (&files, &FileKey::asset(scope, id));
    let judged = RACES.until_won(|| async move {
        let before = require_found(store.asset(scope, id)).await?;
        let mut after = before.value.clone();
        match (verdict, before.value.state, before.value.reason) {
            // Given before.
            (ScanVerdict::Harmful, AssetState::Refused, Some(MediaReason::Harmful))
            | (ScanVerdict::Clean, AssetState::Ready, _) => return Ok(before),
            (ScanVerdict::Clean, AssetState::Scanning, _) => after.state = AssetState::Ready,
            (ScanVerdict::Harmful, AssetState::Scanning | AssetState::Ready, _) => {
                // First, because nothing leads to it any more afterwards.
                files.remove(key).await.map_err(Problem::from)?;
                after.refuse(MediaReason::Harmful);
            }
            (_, AssetState::AwaitingUpload, _) => return Err(not_uploaded().into()),
            (_, AssetState::Refused, _) => return Err(asset_refused_problem(&before.value).into()),
        }
        write_change(store, scope, &before, after, stamp).await
    });
    judged.await.map(Tagged::of)
}

fn asset_refused_problem(asset: &Asset) -> Problem {
    let detail = asset.reason.map_or("The file is refused.", MediaReason::sentence);
    let advice = match asset.id {
        FileId::Asset(_) => "Create a new asset.",
        FileId::Attachment(_) => "Create a new attachment.",
    };
    Problem::conflict("asset_refused", format!("{detail} {advice}"))
}

/// An asset with the request for its upload, or the link to its file.
async fn show_asset<P: Permit>(
    who: &Allowed<P>,
    files: &Files,
    Versioned { version, value: asset }: Versioned<Asset>,
) -> Result<Tagged<AssetOut>, Problem> {
    let upload = if asset.state == AssetState::AwaitingUpload && who.principal().may(Permission::AssetsWrite) {
        upload(who, files, &asset).await?
    } else {
        None
    };
    let download = download(who, files, &asset).await?;
    let body = AssetOut::from(asset).with_upload(upload).with_download(download);
    Ok(Tagged { version, body })
}

/// The link to the file of an asset or attachment, if it is ready.
async fn download<P: Permit>(who: &Allowed<P>, files: &Files, asset: &Asset) -> Result<Option<FileLinkOut>, Problem> {
    if asset.state != AssetState::Ready {
        return Ok(None);
    }
    let (key, name) = (FileKey::asset(who.scope(), asset.id), asset.saved_as());
    let link = FileLinkOut::for_file(who, files, &key, &name, None, &asset.content_type, LINKS);
    Box::pin(link).await.map(Some)
}

/// The request that uploads the file of an asset or attachment.
async fn upload<P: Permit>(who: &Allowed<P>, files: &Files, asset: &Asset) -> Result<Option<UploadOut>, Problem> {
    let key = FileKey::upload(who.scope(), asset.id.ulid());
    let upload = UploadOut::new(who, files, &key, &asset.content_type, asset.bytes);
    Box::pin(upload).await.map(Some)
}
