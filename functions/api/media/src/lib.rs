//! Media of customers' messages: links to their files, and verdicts of a scanner.
//!
//! A file is fetched from the provider after its message was stored, by `fetch_media`. Viewers get a link to the bucket, with the content
//! type that was found in the file: content that could run in a page is only saved.

mod models;

use api::{
    Allowed, Api, AuditedReads, Body, FileLinkOut, FileScanner, LINKS, MediumOut, Path, RACES, ScanVerdict,
    ScannerProof, Setback, VerdictIn, permits, require_found,
};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::{Extension, Json, Router};
use domain::accounts::Look;
use domain::media::{MediaReason, Medium, MediumState, file_ending};
use domain::terms::MessageId;
use kit::{ConfigError, Env, FileKey, Files, Problem};

use crate::models::{MediumIndex, MediumLink};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    Ok(served
        .layer(Extension(Files::new(env)?))
        .layer(Extension(FileScanner::new(env.config())?))
        .layer(Extension(AuditedReads::default())))
}

api::operations! {
    "media": "Pictures and other files of customers' messages." {
        /// Get a link to a file of a message
        ///
        /// The link needs no credentials and is valid for five minutes. It answers with the content type that was found in the content.
        /// Pictures, sound and videos can be shown in a page; other files are only saved. A request can ask for a part of a file
        /// (`Range`). The messages say in `media` which files are `ready`. The audit log says once a day who got a link to a file of a
        /// contact's.
        GET "/api/v1/messages/{message_id}/media/{index}" => get_medium, "A link to the file",
            409 "The file is still being fetched, or waits for the scanner", 410 "The file is refused, or is not to be had",
            problems "media_not_ready" "media_gone";

        /// Judge a file of a message
        ///
        /// For the scanner of a platform: files wait for its verdict in the state `scanning`. The verdict `clean` needs the scanner's
        /// secret. A harmful file is deleted, even if it is `ready` already. A verdict can be repeated.
        POST "/api/v1/messages/{message_id}/media/{index}/verdict" => judge_medium, "The file with its new state",
            409 "The file is still being fetched", 410 "The file is refused, or is not to be had",
            problems "media_not_ready" "media_gone";
    }
}

/// A caller who may see files.
type Viewer = Allowed<permits::MediaRead>;

type Scanner = Allowed<permits::MediaScan>;

/// Seconds to wait before the next request for a file that is on its way.
const AGAIN_AFTER: u32 = 15;

async fn get_medium(
    who: Viewer,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(reads): Extension<AuditedReads>,
    Path((message_id, MediumIndex(index))): Path<(MessageId, MediumIndex)>,
) -> Result<Json<MediumLink>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    // The one is hidden with its contact, the other is not.
    let message = require_found(store.known_message(scope, message_id, now));
    let medium = async { Ok::<_, Problem>(store.medium(scope, message_id, index, now).await?) };
    let (message, medium) = tokio::try_join!(Box::pin(message), Box::pin(medium))?;
    let reported = message.customer_message();
    let reported = reported.and_then(|received| received.message.media.get(usize::from(index)));
    let reported = reported.ok_or_else(Problem::not_found)?;
    let medium = medium
        .map(|known| known.medium)
        .ok_or_else(|| file_gone_problem(Some(MediaReason::Expired)))?;
    if medium.state != MediumState::Ready {
        return Err(not_to_be_had(&medium));
    }
    let (Some(content_type), Some(bytes), Some(sha256)) = (medium.mime, medium.bytes, medium.sha256) else {
        return Err(Problem::internal());
    };
    reads
        .record(&api, &who, Look::Media, message.contact.contact.id)
        .await?;
    let key = FileKey::medium(scope, message_id, index);
    let name = format!("{message_id}-{index}.{}", file_ending(&content_type));
    let chosen = reported
        .file_name
        .as_ref()
        .map(|chosen| chosen.name_to_save(&content_type));
    let link = FileLinkOut::for_file(&who, &files, &key, &name, chosen.as_deref(), &content_type, LINKS).await?;
    let (url, expires_at) = link.into_parts();
    Ok(Json(MediumLink {
        url,
        expires_at,
        kind: medium.kind,
        content_type,
        bytes,
        sha256,
    }))
}

async fn judge_medium(
    who: Scanner,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(scanner): Extension<FileScanner>,
    Path((message_id, MediumIndex(index))): Path<(MessageId, MediumIndex)>,
    proof: ScannerProof,
    Body(VerdictIn { verdict }): Body<VerdictIn>,
) -> Result<Json<MediumOut>, Problem> {
    scanner.check(verdict, &proof)?;
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let (files, key) = (&files, &FileKey::medium(scope, message_id, index));
    let judged = RACES.until_won(|| async move {
        let known = require_found(store.medium(scope, message_id, index, now)).await?;
        let message = known.message.ok_or_else(Problem::not_found)?;
        let reported = message.message.media.get(usize::from(index));
        let reported = reported.ok_or_else(Problem::not_found)?;
        let medium = known.medium;
        let shown = |medium: &Medium| Ok::<_, Setback>(Json(MediumOut::of(index, reported, Some(medium))));
        match (verdict, medium.state, medium.reason) {
            // Given before.
            (ScanVerdict::Harmful, MediumState::Refused, Some(MediaReason::Harmful))
            | (ScanVerdict::Clean, MediumState::Ready, _) => shown(&medium),
            (ScanVerdict::Clean, MediumState::Scanning, _) => {
                let mut medium = medium;
                medium.pass();
                store.write_medium(scope, &medium).await?;
                shown(&medium)
            }
            (ScanVerdict::Harmful, MediumState::Scanning | MediumState::Ready, _) => {
                // First, because nothing leads to it any more afterwards.
                files.remove(key).await.map_err(Problem::from)?;
                let mut medium = medium;
                medium.refuse(MediaReason::Harmful);
                store.write_medium(scope, &medium).await?;
                shown(&medium)
            }
            _ => Err(not_to_be_had(&medium).into()),
        }
    });
    judged.await
}

/// Why there is no file.
fn not_to_be_had(medium: &Medium) -> Problem {
    match medium.state {
        MediumState::Pending => not_ready("The file is being fetched from the provider. Try again in some seconds."),
        MediumState::Scanning | MediumState::Ready => not_ready("The file waits for the verdict of the scanner."),
        MediumState::Refused | MediumState::Gone => file_gone_problem(medium.reason),
    }
}

fn not_ready(detail: &'static str) -> Problem {
    Problem::conflict("media_not_ready", detail).with_header(RETRY_AFTER, AGAIN_AFTER.into())
}

fn file_gone_problem(reason: Option<MediaReason>) -> Problem {
    let detail = reason.map_or("There is no such file any more.", MediaReason::sentence);
    Problem::new(StatusCode::GONE, "media_gone", "Gone", detail)
}
