//! Media of the Graph API: uploaded by a tenant, visible to that tenant only.

use axum::Json;
use axum::extract::{Multipart, Path, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::errors::GraphError;
use super::{Access, authorise};
use crate::config::Tenant;
use crate::world::Sims;

#[derive(Clone, Debug)]
pub(crate) struct Media {
    tenant: String,
    mime_type: String,
    bytes: Vec<u8>,
}

pub(super) async fn upload_media(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    mut form: Multipart,
) -> Result<Json<Value>, GraphError> {
    let config = world.config();
    let Access { tenant, account } = authorise(&world, &config, &headers, &version)?;
    if account.phone_number_id != id {
        return Err(GraphError::no_object(&id));
    }
    let (mut file, mut mime_type, mut product) = (None, None, None);
    let unreadable = |_| GraphError::new(100, "The multipart body cannot be read");
    while let Some(field) = form.next_field().await.map_err(unreadable)? {
        match field.name() {
            Some("file") => {
                mime_type = mime_type.or_else(|| field.content_type().map(str::to_owned));
                file = Some(field.bytes().await.map_err(unreadable)?.to_vec());
            }
            Some("type") => mime_type = Some(field.text().await.map_err(unreadable)?),
            Some("messaging_product") => product = Some(field.text().await.map_err(unreadable)?),
            _ => {}
        }
    }
    if product.as_deref() != Some("whatsapp") {
        return Err(GraphError::new(100, "The parameter messaging_product is required"));
    }
    let (Some(bytes), Some(mime_type)) = (file, mime_type) else {
        return Err(GraphError::new(131_008, "Missing file or type"));
    };
    let media = Media {
        tenant: tenant.id.clone(),
        mime_type,
        bytes,
    };
    let id = world.numeric_id();
    world.state().media.insert(id.clone(), media);
    Ok(Json(json!({ "id": id })))
}

pub(super) fn describe(world: &Sims, tenant: &Tenant, id: &str, own_url: &str) -> Option<Value> {
    let state = world.state();
    let media = state.media.get(id).filter(|media| media.tenant == tenant.id)?;
    Some(json!({
        "messaging_product": "whatsapp",
        "url": format!("{own_url}/media-downloads/{id}"),
        "mime_type": media.mime_type,
        "sha256": hex::encode(Sha256::digest(&media.bytes)),
        // Meta sends a number or a string; the string finds clients that expect only a number.
        "file_size": media.bytes.len().to_string(),
        "id": id,
    }))
}

pub(super) async fn download_media(
    State(world): State<Sims>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, GraphError> {
    let config = world.config();
    let tenant = authorise(&world, &config, &headers, "v1.0")?.tenant;
    let state = world.state();
    let media = state.media.get(&id).filter(|media| media.tenant == tenant.id);
    let media = media.ok_or_else(|| GraphError::no_object(&id))?;
    Ok(([(CONTENT_TYPE, media.mime_type.clone())], media.bytes.clone()).into_response())
}

pub(super) async fn delete_media(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let config = world.config();
    let tenant = authorise(&world, &config, &headers, &version)?.tenant;
    let mut state = world.state();
    if state.media.get(&id).is_none_or(|media| media.tenant != tenant.id) {
        return Err(GraphError::no_object(&id));
    }
    state.media.remove(&id);
    Ok(Json(json!({"success": true})))
}

/// Whether a message may name this media id.
pub(super) fn exists(world: &Sims, tenant: &Tenant, id: &str) -> bool {
    world
        .state()
        .media
        .get(id)
        .is_some_and(|media| media.tenant == tenant.id)
}
