//! Media of the Graph API: uploaded by a tenant or sent by a customer, visible to the tenant's number only.

use axum::Json;
use axum::extract::{Multipart, Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::GraphError;
use super::{looking, own_url};
use crate::config::{Tenant, WhatsAppAccount};
use crate::faults::Kind as Fault;
use crate::media::{Blob, Kind, Medium, Owner, allowed_types, essence};
use crate::outbox::ShownMedia;
use crate::world::{Sims, State as WorldState};

/// Validity of an id: uploaded by the business, or sent by a customer.
const UPLOADED: SignedDuration = SignedDuration::from_hours(30 * 24);
const RECEIVED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Validity of a download's address.
const URL_SECONDS: i64 = 5 * 60;

#[derive(Debug, Default, Deserialize)]
pub(super) struct MediaQuery {
    pub(super) phone_number_id: Option<String>,
}

pub(super) async fn upload_media(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    if access.account.phone_number_id != id {
        return Err(GraphError::no_object(&id).into());
    }
    let (mut file, mut mime_type, mut product) = (None, None, None);
    let unreadable = |_| GraphError::new(100, "The multipart body cannot be read");
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        match field.name() {
            Some("file") => {
                mime_type = mime_type.or_else(|| field.content_type().map(str::to_owned));
                file = Some(field.bytes().await.map_err(unreadable)?);
            }
            Some("type") => mime_type = Some(field.text().await.map_err(unreadable)?),
            Some("messaging_product") => product = Some(field.text().await.map_err(unreadable)?),
            _ => {}
        }
    }
    if product.as_deref() != Some("whatsapp") {
        return Err(GraphError::new(100, "The parameter messaging_product is required").into());
    }
    let (Some(bytes), Some(mime)) = (file, mime_type) else {
        return Err(GraphError::missing("file or type").into());
    };
    let Some(kind) = Kind::of(&mime) else {
        let details = format!(
            "Param file must be a file with one of the following types: {}. Received file of type '{mime}'.",
            allowed_types()
        );
        return Err(GraphError::new(100, details).into());
    };
    let blob = Blob::Held(bytes);
    let most = kind.most_bytes(blob.is_animated());
    if blob.size() == 0 || blob.size() > most {
        let (size, kind) = (blob.size(), kind.as_str());
        let details = format!("The file has {size} bytes. Min: 1, max for {kind}: {most}");
        return Err(GraphError::new(131053, details).into());
    }
    let owner = Owner::Graph {
        phone_number_id: id,
        expires_at: world.now() + UPLOADED,
    };
    let media = Medium::new(&access.tenant.id, &mime, blob, owner);
    let id = world.numeric_id();
    world.state().media.insert(id.clone(), media);
    Ok(Json(json!({ "id": id })).into_response())
}

/// A customer's file, as it waits to be fetched. Returns its id.
pub(crate) fn receive(
    world: &Sims,
    tenant: &Tenant,
    account: &WhatsAppAccount,
    number: &str,
    mime: &str,
    blob: Blob,
) -> (String, Medium) {
    let owner = Owner::Graph {
        phone_number_id: account.phone_number_id.clone(),
        expires_at: world.now() + RECEIVED,
    };
    let medium = Medium::new(&tenant.id, mime, blob, owner).sent_by(number);
    let id = world.numeric_id();
    world.state().media.insert(id.clone(), medium.clone());
    (id, medium)
}

/// A file of this tenant whose id is still valid.
pub(super) fn find(world: &Sims, state: &WorldState, tenant: &Tenant, id: &str) -> Option<Medium> {
    let medium = state.media.get(id).filter(|medium| medium.tenant == tenant.id)?;
    match &medium.owner {
        Owner::Graph { expires_at, .. } if world.now() < *expires_at => Some(medium.clone()),
        _ => None,
    }
}

/// Like [`find`], and it is the file of this number, if one is named.
fn of_number(world: &Sims, tenant: &Tenant, id: &str, query: &MediaQuery) -> Result<Medium, GraphError> {
    let medium = find(world, &world.state(), tenant, id).ok_or_else(|| GraphError::no_object(id))?;
    match (&medium.owner, &query.phone_number_id) {
        (Owner::Graph { phone_number_id, .. }, Some(asked)) if phone_number_id != asked => {
            Err(GraphError::no_object(id))
        }
        _ => Ok(medium),
    }
}

fn unavailable(world: &Sims, medium: &Medium) -> Result<(), GraphError> {
    match world.state().fault(medium.event(), &[Fault::MediaUnavailable]) {
        Some(_) => Err(GraphError::new(2, "")),
        None => Ok(()),
    }
}

/// The address of a download, which the token opens for five minutes.
fn download_url(world: &Sims, own_url: &str, id: &str) -> String {
    let until = world.now().as_second() + URL_SECONDS;
    let hash = world.proof(&format!("{id}/{until}"));
    format!("{own_url}/media-downloads/{id}?ext={until}&hash={hash}")
}

pub(super) fn describe(
    world: &Sims,
    tenant: &Tenant,
    id: &str,
    query: &MediaQuery,
    headers: &HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let medium = of_number(world, tenant, id, query)?;
    unavailable(world, &medium)?;
    let longer = world.state().fault(medium.event(), &[Fault::MediaWrongLength]);
    let size = medium.blob.size() + u64::from(longer.is_some());
    Ok(Json(json!({
        "messaging_product": "whatsapp",
        "url": download_url(world, &own_url(headers), id),
        "mime_type": medium.mime,
        "sha256": medium.sha256_hex(),
        // Meta sends a number or a string; the string finds clients that expect only a number.
        "file_size": size.to_string(),
        "id": id,
    })))
}

#[derive(Debug, Deserialize)]
pub(super) struct DownloadQuery {
    ext: Option<i64>,
    hash: Option<String>,
}

pub(super) async fn download_media(
    State(world): State<Sims>,
    Path(id): Path<String>,
    Query(query): Query<DownloadQuery>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let tenant = looking(&world, &config, &headers, "v1.0").await?.tenant;
    let valid = query.ext.is_some_and(|until| {
        world.now().as_second() < until && query.hash == Some(world.proof(&format!("{id}/{until}")))
    });
    let medium = find(&world, &world.state(), tenant, &id).filter(|_| valid);
    let medium = medium.ok_or_else(|| GraphError::no_object(&id))?;
    unavailable(&world, &medium)?;
    Ok(medium.download(&world))
}

pub(super) async fn delete_media(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<MediaQuery>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let tenant = looking(&world, &config, &headers, &version).await?.tenant;
    of_number(&world, tenant, &id, &query)?;
    world.state().media.remove(&id);
    Ok(Json(json!({"success": true})).into_response())
}

/// Whether a message may carry this file as this kind: an id of the account whose type fits, or a link.
pub(super) fn usable(world: &Sims, tenant: &Tenant, kind: Kind, part: &Value) -> Result<(), GraphError> {
    let name = kind.as_str();
    if let Some(id) = part["id"].as_str() {
        let Some(medium) = find(world, &world.state(), tenant, id) else {
            let details = format!("{name}.id is not a media id of this account");
            return Err(GraphError::new(131009, details));
        };
        if Kind::of(&medium.mime) != Some(kind) {
            let mime = essence(&medium.mime);
            let details = format!("{name}: a file of type {mime} cannot be sent as {name}");
            return Err(GraphError::new(131053, details));
        }
        return Ok(());
    }
    match part["link"].as_str() {
        Some(link) if link.starts_with("https://") || link.starts_with("http://") => Ok(()),
        Some(_) => Err(GraphError::new(131009, format!("{name}.link is not a valid URI"))),
        None => Err(GraphError::missing(&format!("{name}.id or {name}.link"))),
    }
}

/// The file on the phone.
pub(super) fn media_on_phone(world: &Sims, tenant: &Tenant, kind: Kind, part: &Value) -> ShownMedia {
    let id = part["id"].as_str();
    let medium = id.and_then(|id| find(world, &world.state(), tenant, id));
    let link = || part["link"].as_str().unwrap_or_default().to_owned();
    ShownMedia {
        kind: kind.as_str(),
        url: id.map_or_else(link, |id| format!("shown-media/{id}")),
        mime: medium.as_ref().map(|medium| medium.mime.clone()),
        bytes: medium.as_ref().map(|medium| medium.blob.size()),
        file_name: part["filename"].as_str().map(str::to_owned),
        voice: part["voice"].as_bool().unwrap_or_default(),
    }
}
