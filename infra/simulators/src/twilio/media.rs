//! Media at Twilio: what customers sent, to be fetched with the account's credentials, and what a message's `MediaUrl` names.

use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Redirect, Response};
use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::json;

use super::account::looking;
use super::errors::TwilioError;
use crate::config::{Tenant, TwilioAccount};
use crate::faults::Kind as Fault;
use crate::media::{Blob, Kind, Medium, Owner, essence};
use crate::outbox::{Content, ShownMedia};
use crate::world::Sims;

/// The largest file of a WhatsApp message through Twilio.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Validity of an address at the file server.
const URL_SECONDS: i64 = 5 * 60;

/// The file could not be fetched, or is too large.
const NOT_FETCHED: u32 = 63019;
/// Its type cannot be sent.
const WRONG_TYPE: u32 = 12_300;

/// A customer's file, as it waits to be fetched. Returns its id.
pub(crate) fn receive(
    world: &Sims,
    tenant: &Tenant,
    account: &TwilioAccount,
    number: &str,
    mime: &str,
    blob: Blob,
) -> (String, Medium) {
    let owner = Owner::Twilio {
        account_sid: account.account_sid.clone(),
        message_sid: format!("MM{}", world.hex_id()),
    };
    let medium = Medium::new(&tenant.id, mime, blob, owner).sent_by(number);
    let id = format!("ME{}", world.hex_id());
    world.state().media.insert(id.clone(), medium.clone());
    (id, medium)
}

/// `GET /2010-04-01/Accounts/{account}/Messages/{message}/Media/{media}`: leads to the file server, as Twilio does.
pub(super) async fn download_media(
    State(world): State<Sims>,
    Path((account_sid, message_sid, id)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Redirect, Response> {
    let config = world.config();
    looking(&world, &config, &headers, &account_sid).await?;
    let found = world.state().media.get(&id).cloned();
    let found = found.filter(|medium| match &medium.owner {
        Owner::Twilio {
            account_sid: account,
            message_sid: message,
        } => *account == account_sid && *message == message_sid,
        Owner::Graph { .. } => false,
    });
    let medium = found.ok_or_else(|| TwilioError::new(20404))?;
    let unavailable = world.state().fault(medium.event(), &[Fault::MediaUnavailable]);
    if unavailable.is_some() {
        return Err(TwilioError::new(20503).into());
    }
    let until = world.now().as_second() + URL_SECONDS;
    let hash = proof(&world, &id, until);
    Ok(Redirect::temporary(&format!(
        "/twilio-files/{id}?until={until}&hash={hash}"
    )))
}

/// The proof that an address of a file was given out.
fn proof(world: &Sims, id: &str, until: i64) -> String {
    world.proof(&format!("twilio/{id}/{until}"))
}

#[derive(Debug, Deserialize)]
pub(super) struct FileQuery {
    until: i64,
    hash: String,
}

/// `GET /twilio-files/{media}`: the file server, which wants no credentials. The address is the right to read.
pub(super) async fn serve_file(
    State(world): State<Sims>,
    Path(id): Path<String>,
    Query(query): Query<FileQuery>,
) -> Response {
    let valid = world.now().as_second() < query.until && query.hash == proof(&world, &id, query.until);
    let found = world.state().media.get(&id).cloned().filter(|_| valid);
    match found {
        Some(medium) => medium.download(&world),
        None => StatusCode::FORBIDDEN.into_response(),
    }
}

/// Fetches the file of an accepted message. Otherwise returns the code that the message fails with.
pub(crate) async fn fetch_media(world: &Sims, sid: &str, url: &str) -> Result<(), u32> {
    let request = world.http.get(url).timeout(Duration::from_secs(15));
    let mut answer = request.send().await.map_err(|_| NOT_FETCHED)?;
    if !answer.status().is_success() {
        return Err(NOT_FETCHED);
    }
    let mime = answer.headers().get(CONTENT_TYPE).and_then(|mime| mime.to_str().ok());
    let mime = essence(mime.unwrap_or_default());
    let kind = Kind::of(&mime).ok_or(WRONG_TYPE)?;
    let most = kind.most_bytes(true).min(MAX_BYTES);
    let mut bytes = Vec::new();
    while let Some(part) = answer.chunk().await.map_err(|_| NOT_FETCHED)? {
        bytes.extend_from_slice(&part);
        if bytes.len() as u64 > most {
            return Err(NOT_FETCHED);
        }
    }
    if bytes.is_empty() {
        return Err(NOT_FETCHED);
    }
    keep(world, sid, kind, &mime, Blob::Held(bytes.into()));
    Ok(())
}

fn keep(world: &Sims, sid: &str, kind: Kind, mime: &str, blob: Blob) {
    let id = format!("ME{}", world.hex_id());
    let mut state = world.state();
    let Some(sent) = state.sent_mut(sid) else {
        return;
    };
    let owner = Owner::Twilio {
        account_sid: String::new(),
        message_sid: sid.to_owned(),
    };
    let medium = Medium::new(&sent.tenant, mime, blob, owner);
    sent.shown.media = Some(ShownMedia {
        kind: kind.as_str(),
        url: format!("shown-media/{id}"),
        mime: Some(mime.to_owned()),
        bytes: Some(medium.blob.size()),
        ..ShownMedia::default()
    });
    if let Content::Other(value) = &mut sent.content {
        value["media"]["content_type"] = json!(mime);
        value["media"]["bytes"] = json!(medium.blob.size());
        value["media"]["sha256"] = json!(medium.sha256_hex());
    }
    let number = sent.to.clone();
    state.media.insert(id, medium);
    drop(state);
    world.notify_viewers(&number);
}
