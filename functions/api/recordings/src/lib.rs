//! Recordings of calls: links to their sound.
//!
//! The sound stays with the telephone system. Listeners get a link to a copy. The first request fetches the copy, in pieces, and the
//! bucket deletes it after a day. Browsers never meet the telephone system, and it never meets them.

mod fetch;
mod models;

use api::{Allowed, Api, AuditedReads, Path, not_signed, permits, require_found};
use axum::extract::State;
use axum::{Extension, Json, Router};
use domain::accounts::Look;
use domain::terms::{CallId, RecordingId};
use jiff::SignedDuration;
use kit::{ConfigError, Env, FileKey, Files, Problem};
use providers::twilio::recording::MEDIA_TYPE;

use crate::fetch::Fetcher;
use crate::models::RecordingLink;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let served = api::serve(operations(), Api::new(env)?);
    Ok(served
        .layer(Extension(Files::new(env)?))
        .layer(Extension(Fetcher::new(env)?))
        .layer(Extension(AuditedReads::default())))
}

api::operations! {
    "recordings": "Recordings of calls, and voicemails." {
        /// Get a link to a recording
        ///
        /// The link needs no credentials. It is valid for five minutes and, so that a player can go on, for the length of the recording, at
        /// most for one more hour. Players can ask for parts of the sound (`Range`). The first request after a while takes some seconds,
        /// because it fetches the sound from the telephone system: 429 if a tenant fetches more than 300 in an hour. The calls say which
        /// recordings are `available`. The audit log says once a day who got a link to a recording of a contact's.
        GET "/api/v1/calls/{call_id}/recordings/{recording_id}" => get_recording, "A link to the sound",
            409 "There is no sound yet, or only the telephone system has it", 410 "The recording does not exist any more",
            502 "The telephone system failed, or refuses the connection's credentials",
            problems "recording_not_ready" "recording_elsewhere" "recording_gone" "provider_refused" "provider_failed";
    }
}

/// A caller who may listen.
type Listener = Allowed<permits::RecordingsRead>;

/// Validity of links, beside the length of the recording.
const LINKS: SignedDuration = SignedDuration::from_mins(5);

/// The most that the length of a recording adds to it.
const MAX_PLAYED: u32 = 3_600;

async fn get_recording(
    who: Listener,
    State(api): State<Api>,
    Extension(files): Extension<Files>,
    Extension(fetcher): Extension<Fetcher>,
    Extension(reads): Extension<AuditedReads>,
    Path((call_id, recording_id)): Path<(CallId, RecordingId)>,
) -> Result<Json<RecordingLink>, Problem> {
    let known = || Box::pin(require_found(api.store().known_call(who.scope(), call_id, who.now())));
    let before = known().await?;
    let recording = before.call.facts.recordings.find(call_id, recording_id);
    let recording = recording.ok_or_else(Problem::not_found)?;
    let key = FileKey::recording(who.scope(), call_id.contact(), recording_id);
    let bytes = match Box::pin(files.facts(&key)).await? {
        Some(copy) => copy.size,
        None => {
            let fetching = fetcher.fetch(&api, &who, &before.call, recording, files.copy(key.clone()));
            let fetched = Box::pin(fetching).await;
            // The erasure of a contact marks it, then deletes its copies. Whichever comes later sees the other. Fetching may have failed after
            // the copy was complete, if only the bucket's answer was lost.
            if let Err(problem) = known().await {
                Box::pin(files.remove(&key)).await?;
                return Err(problem);
            }
            fetched?
        }
    };
    reads
        .record(&api, &who, Look::Recording, before.contact.contact.id)
        .await?;
    let played = recording.seconds.unwrap_or_default().min(MAX_PLAYED);
    let valid = LINKS + SignedDuration::from_secs(played.into());
    let name = format!("{recording_id}.mp3");
    let link = Box::pin(files.player_link(&key, &name, MEDIA_TYPE, valid.unsigned_abs())).await;
    Ok(Json(RecordingLink {
        url: link.map_err(|error| not_signed(&error))?.url,
        expires_at: who.now() + valid,
        content_type: MEDIA_TYPE,
        bytes,
        duration_seconds: recording.seconds,
    }))
}
