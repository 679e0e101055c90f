//! Meta's Graph API for WhatsApp: messages, media, resumable uploads, templates.

mod contents;
mod errors;
mod inbound;
mod media;
mod messages;
mod templates;
mod uploads;
mod webhooks;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, HOST};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{Config, Tenant, WhatsAppAccount};
use crate::faults::{Api, Event};
use crate::interference::{self, Caller};
use crate::world::Sims;

use errors::GraphError;
pub(crate) use inbound::reply;
pub(crate) use media::receive;
pub(crate) use templates::{Change, Record, Templates, act, keep_time, list, placeholders, run_due};
pub(crate) use uploads::Upload;
pub(crate) use webhooks::{account_webhook, handshake, preference_webhook, status_webhook, webhook};

/// A text about a template, which is far smaller.
const TEMPLATE_BYTES: usize = 1024 * 1024;

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/{version}/{id}/messages", post(messages::send_message))
        .route(
            "/{version}/{id}/marketing_messages",
            post(messages::send_marketing_message),
        )
        .route("/{version}/{id}/media", post(media::upload_media))
        .route("/{version}/{id}/uploads", post(uploads::open_upload))
        .route(
            "/{version}/{id}/message_templates",
            get(templates::list_templates)
                .post(templates::create_template)
                .delete(templates::delete_templates),
        )
        .route("/{version}/{id}/subscribed_apps", get(list_apps))
        .route(
            "/{version}/{id}",
            get(get_object).post(post_object).delete(media::delete_media),
        )
        .route("/media-downloads/{id}", get(media::download_media))
}

/// An authorized Graph API request: its token is a tenant's.
struct Access<'a> {
    tenant: &'a Tenant,
    account: &'a WhatsAppAccount,
}

impl<'a> Access<'a> {
    /// Refuses an account that is not the caller's.
    fn check(&self, waba: &str) -> Result<(), GraphError> {
        if self.account.waba_id == waba {
            return Ok(());
        }
        Err(GraphError::no_object(waba))
    }

    fn event(&self, number: Option<&'a str>) -> Event<'a> {
        Event::new(Api::Graph, &self.tenant.id, number)
    }
}

fn authorise<'a>(
    world: &Sims,
    config: &'a Config,
    headers: &HeaderMap,
    version: &str,
) -> Result<Access<'a>, GraphError> {
    let is_version = version
        .strip_prefix('v')
        .is_some_and(|number| number.parse::<f32>().is_ok());
    if !is_version {
        return Err(GraphError::new(100, "Unknown path components"));
    }
    // Resumable uploads say `OAuth`.
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer ").or_else(|| value.strip_prefix("OAuth ")))
        .ok_or_else(GraphError::unreadable_token)?;
    let access = config.tenants.iter().find_map(|tenant| {
        let account = tenant.whatsapp.as_ref()?;
        (account.access_token == token).then_some(Access { tenant, account })
    });
    access.ok_or_else(GraphError::token).and_then(|access| {
        if interference::credentials_refused(world, access.event(None)) {
            Err(GraphError::token())
        } else {
            Ok(access)
        }
    })
}

fn json_of(body: &[u8]) -> Result<Value, GraphError> {
    serde_json::from_slice(body).map_err(|_| GraphError::new(100, "The request body is not JSON"))
}

#[derive(Debug, Deserialize)]
struct FieldsQuery {
    fields: Option<String>,
}

impl FieldsQuery {
    /// Only the requested fields, and the id. What is asked of a field, in brackets, is not looked at.
    fn select_fields(&self, mut item: Value) -> Value {
        if let (Some(fields), Value::Object(item)) = (&self.fields, &mut item) {
            item.retain(|name, _| {
                name == "id"
                    || fields
                        .split(',')
                        .any(|field| field.split(['.', '{']).next() == Some(name))
            });
        }
        item
    }
}

/// Meta's data of the business's phone number.
fn number(access: &Access<'_>) -> Value {
    json!({
        "id": access.account.phone_number_id,
        "display_phone_number": access.account.display_number,
        "verified_name": access.tenant.name,
        "quality_rating": "GREEN",
        "throughput": {"level": "STANDARD"},
        "whatsapp_business_manager_messaging_limit": "TIER_2K",
        "code_verification_status": "VERIFIED",
        "platform_type": "CLOUD_API",
    })
}

/// Meta's data of the business's account.
fn account(access: &Access<'_>) -> Value {
    let terms = if access.account.marketing_terms {
        "ONBOARDED"
    } else {
        "ELIGIBLE"
    };
    json!({
        "id": access.account.waba_id,
        "name": access.tenant.name,
        "marketing_messages_onboarding_status": terms,
        "phone_numbers": {"data": [{"id": access.account.phone_number_id}]},
    })
}

/// A reading request: returns the caller, unless a fault affects the request.
async fn looking<'a>(
    world: &Sims,
    config: &'a Config,
    headers: &HeaderMap,
    version: &str,
) -> Result<Access<'a>, Response> {
    let access = authorise(world, config, headers, version).map_err(GraphError::into_response)?;
    match interference::before(world, access.event(None), &Caller::new(headers, "", None)).await {
        Some(kind) => Err(messages::refuse(world, kind)),
        None => Ok(access),
    }
}

/// After a change was made: the fault that replaces its answer.
async fn refused_after(world: &Sims, access: &Access<'_>, headers: &HeaderMap) -> Option<Response> {
    let kind = interference::after(world, access.event(None), &Caller::new(headers, "", None)).await?;
    Some(messages::refuse(world, kind))
}

async fn list_apps(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    access.check(&waba)?;
    let app = json!({"whatsapp_business_api_data": {
        "id": "670843887433847", "link": "https://www.facebook.com/games/?app_id=670843887433847", "name": "Ringback",
    }});
    Ok(Json(json!({ "data": [app] })).into_response())
}

/// `GET /{version}/{id}`: a file, the business's account or phone number, a template, or an upload.
async fn get_object(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<FieldsQuery>,
    Query(of_number): Query<media::MediaQuery>,
    Query(session): Query<uploads::SessionQuery>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    if id == access.account.phone_number_id {
        return Ok(Json(query.select_fields(number(&access))).into_response());
    }
    if id == access.account.waba_id {
        return Ok(Json(query.select_fields(account(&access))).into_response());
    }
    if id.starts_with("upload:") {
        return Ok(uploads::describe(&world, &access, &id, &session)?.into_response());
    }
    if let Some(template) = templates::describe(&world, &access, &id, &query) {
        return Ok(Json(template).into_response());
    }
    Ok(media::describe(&world, access.tenant, &id, &of_number, &headers)?.into_response())
}

/// `POST /{version}/{id}`: bytes of an upload, or another text of a template.
async fn post_object(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    Query(session): Query<uploads::SessionQuery>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    if id.starts_with("upload:") {
        let sent = uploads::send(&world, &access, &id, &session, &headers, body).await?;
        return Ok(sent.into_response());
    }
    let unreadable = |_| GraphError::new(100, "The request body cannot be read");
    let body = to_bytes(body, TEMPLATE_BYTES).await.map_err(unreadable)?;
    let edited = templates::edit(&world, &access, &id, &body)?;
    let refused = refused_after(&world, &access, &headers).await;
    Ok(refused.unwrap_or_else(|| edited.into_response()))
}

/// The URL this request came to, for links in answers.
pub(crate) fn own_url(headers: &HeaderMap) -> String {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1");
    format!("http://{host}")
}
