//! Resumable uploads of the Graph API: open, send from an offset, ask for the offset. The handle at the end is the sample of a
//! template's header. Only the number of bytes is kept.

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use futures::StreamExt as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::errors::GraphError;
use super::{Access, looking};
use crate::media;
use crate::world::Sims;

const TYPES: &[&str] = &["application/pdf", "image/jpeg", "image/jpg", "image/png", "video/mp4"];

const MAX_BYTES: u64 = 100 * 1024 * 1024;

/// An upload, finished or not.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    app_id: String,
    mime: String,
    length: u64,
    stored: u64,
    /// After the last byte.
    handle: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct OpenQuery {
    file_name: Option<String>,
    file_length: Option<u64>,
    file_type: Option<String>,
    access_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
pub(super) struct SessionQuery {
    sig: Option<String>,
}

/// `POST /{version}/{app_id}/uploads`.
pub(super) async fn open_upload(
    State(world): State<Sims>,
    Path((version, app_id)): Path<(String, String)>,
    Query(query): Query<OpenQuery>,
    mut headers: HeaderMap,
) -> Result<Response, Response> {
    if let Some(token) = &query.access_token
        && let Ok(value) = format!("Bearer {token}").parse::<HeaderValue>()
    {
        headers.entry(AUTHORIZATION).or_insert(value);
    }
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    let own = &access.account.app_id;
    if app_id != *own && app_id != "app" {
        return Err(GraphError::no_object(&app_id).into());
    }
    if query.file_name.as_ref().is_none_or(String::is_empty) {
        return Err(GraphError::new(100, "The parameter file_name is required.").into());
    }
    let mime = query.file_type.as_deref().map(media::essence).unwrap_or_default();
    if !TYPES.contains(&mime.as_str()) {
        let details = format!("Param file_type must be one of {}", TYPES.join(", "));
        return Err(GraphError::new(100, details).into());
    }
    let length = query
        .file_length
        .filter(|length| (1..=MAX_BYTES).contains(length))
        .ok_or_else(|| GraphError::new(100, "Param file_length must be the number of bytes of the file"))?;
    let session = format!("upload:{}", URL_SAFE.encode(format!("1:attachment:{}", world.hex_id())));
    let upload = Upload {
        app_id: own.clone(),
        mime,
        length,
        stored: 0,
        handle: None,
    };
    world.state().uploads.insert(session.clone(), upload);
    Ok(Json(json!({"id": sign_session(&world, &session)})).into_response())
}

/// The id as clients must use it, with its signature.
fn sign_session(world: &Sims, session: &str) -> String {
    format!("{session}?sig={}", world.proof(session))
}

/// An upload of the caller's app.
fn find(world: &Sims, access: &Access<'_>, session: &str, query: &SessionQuery) -> Result<Upload, GraphError> {
    let state = world.state();
    state
        .uploads
        .get(session)
        .filter(|upload| upload.app_id == access.account.app_id)
        .filter(|_| query.sig == Some(world.proof(session)))
        .cloned()
        .ok_or_else(|| GraphError::no_object(session))
}

/// `GET /{version}/upload:…`: the offset to go on from.
pub(super) fn describe(
    world: &Sims,
    access: &Access<'_>,
    session: &str,
    query: &SessionQuery,
) -> Result<Json<Value>, GraphError> {
    let upload = find(world, access, session, query)?;
    let id = sign_session(world, session);
    Ok(Json(json!({"id": id, "file_offset": upload.stored})))
}

/// `POST /{version}/upload:…`: bytes from the offset on. What arrived before a connection broke stays.
pub(super) async fn send(
    world: &Sims,
    access: &Access<'_>,
    session: &str,
    query: &SessionQuery,
    headers: &HeaderMap,
    body: Body,
) -> Result<Json<Value>, GraphError> {
    let upload = find(world, access, session, query)?;
    let offset = headers
        .get("file_offset")
        .and_then(|offset| offset.to_str().ok()?.parse::<u64>().ok());
    if upload.handle.is_some() || offset != Some(upload.stored) {
        let stored = upload.stored;
        let details = format!("The header file_offset must be {stored}, the number of bytes stored");
        return Err(GraphError::new(100, details));
    }
    let mut parts = body.into_data_stream();
    let mut stored = upload.stored;
    while let Some(Ok(part)) = parts.next().await {
        let after = stored + part.len() as u64;
        if after > upload.length {
            return Err(GraphError::new(100, "The file is longer than file_length"));
        }
        stored = after;
        if let Some(upload) = world.state().uploads.get_mut(session) {
            upload.stored = stored;
        }
    }
    if stored < upload.length {
        return Err(GraphError::new(100, "The file is shorter than file_length"));
    }
    let handle = format!("4::{}:{}", STANDARD.encode(&upload.mime), world.hex_id());
    if let Some(upload) = world.state().uploads.get_mut(session) {
        upload.handle = Some(handle.clone());
    }
    Ok(Json(json!({ "h": handle })))
}

/// The type of the file behind a handle of this app.
pub(super) fn type_of(state: &crate::world::State, app_id: &str, handle: &str) -> Option<String> {
    state
        .uploads
        .values()
        .find(|upload| upload.app_id == app_id && upload.handle.as_deref() == Some(handle))
        .map(|upload| upload.mime.clone())
}
