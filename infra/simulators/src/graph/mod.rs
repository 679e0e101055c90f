//! Meta's Graph API for WhatsApp: messages, media, the list of templates.

mod errors;
mod media;
mod messages;
mod templates;
mod webhooks;

use axum::Json;
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::{Config, Tenant, WhatsAppAccount};
use crate::faults::{Api, Event};
use crate::interference::{self, Caller};
use crate::world::Sims;

use errors::GraphError;
pub(crate) use media::Media;
pub(crate) use templates::placeholders;
pub(crate) use webhooks::{handshake, preference_webhook, reply, status_webhook};

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/{version}/{id}/messages", post(messages::send_message))
        .route("/{version}/{id}/media", post(media::upload_media))
        .route("/{version}/{id}/message_templates", get(list_templates))
        .route("/{version}/{id}/phone_numbers", get(list_numbers))
        .route("/{version}/{id}/subscribed_apps", get(list_apps))
        .route("/{version}/{id}", get(get_object).delete(media::delete_media))
        .route("/media-downloads/{id}", get(media::download_media))
}

/// An authorized Graph API request: its token is a tenant's.
struct Access<'a> {
    tenant: &'a Tenant,
    account: &'a WhatsAppAccount,
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
    let token = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "))
        .ok_or_else(GraphError::token)?;
    let access = config.tenants.iter().find_map(|tenant| {
        let account = tenant.whatsapp.as_ref()?;
        (account.access_token == token).then_some(Access { tenant, account })
    });
    access.ok_or_else(GraphError::token).and_then(|access| {
        let event = Event {
            api: Api::Graph,
            tenant: &access.tenant.id,
            number: None,
        };
        if interference::credentials_refused(world, event) {
            Err(GraphError::token())
        } else {
            Ok(access)
        }
    })
}

#[derive(Debug, Deserialize)]
struct TemplatesQuery {
    limit: Option<usize>,
    after: Option<String>,
    name: Option<String>,
    status: Option<String>,
    category: Option<String>,
    language: Option<String>,
    fields: Option<String>,
    summary: Option<String>,
}

async fn list_templates(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    Query(query): Query<TemplatesQuery>,
    headers: HeaderMap,
) -> Result<Json<Value>, GraphError> {
    let config = world.config();
    let account = authorise(&world, &config, &headers, &version)?.account;
    if account.waba_id != waba {
        return Err(GraphError::no_object(&waba));
    }
    let wanted = |filter: &Option<String>, value: &str| {
        filter
            .as_deref()
            .is_none_or(|filter| filter.split(',').any(|one| one == value))
    };
    let all: Vec<Value> = account
        .templates
        .iter()
        .enumerate()
        .filter(|(_, template)| {
            // Meta searches names by part.
            query.name.as_deref().is_none_or(|name| template.name.contains(name))
                && wanted(&query.status, &template.status)
                && wanted(&query.category, &template.category)
                && wanted(&query.language, &template.language)
        })
        .map(|(place, template)| {
            let named = template.components.iter().any(|component| {
                let text = component["text"].as_str().unwrap_or_default();
                placeholders(text).any(|name| name.parse::<u32>().is_err())
            });
            let mut item = json!({
                "name": template.name,
                "status": template.status,
                "category": template.category,
                "language": template.language,
                "id": format!("81{:013}", place + 1),
                "quality_score": {"score": "GREEN", "date": world.now().as_second()},
                "parameter_format": if named { "NAMED" } else { "POSITIONAL" },
                "components": template.components,
            });
            if let (Some(fields), Value::Object(item)) = (&query.fields, &mut item) {
                item.retain(|name, _| name == "id" || fields.split(',').any(|field| field == name));
            }
            item
        })
        .collect();

    let cursor = |place: usize| STANDARD.encode(format!("at:{place}"));
    let start = query.after.as_deref().map_or(Some(0), |after| {
        String::from_utf8(STANDARD.decode(after).ok()?)
            .ok()?
            .strip_prefix("at:")?
            .parse::<usize>()
            .ok()
    });
    let start = start
        .ok_or_else(|| GraphError::new(100, "after is not a cursor of this list"))?
        .min(all.len());
    let limit = query.limit.unwrap_or(25).clamp(1, 1000);
    let end = (start + limit).min(all.len());
    let mut answer = json!({
        "data": all[start..end],
        "paging": {"cursors": {"before": cursor(start), "after": cursor(end)}},
    });
    if query.summary.is_some() {
        answer["summary"] = json!({
            "total_count": all.len(),
            "message_template_count": account.templates.len(),
            "message_template_limit": 250,
            "are_translations_complete": true,
        });
    }
    if end < all.len() {
        let next = format!(
            "{}/{version}/{waba}/message_templates?limit={limit}&after={}",
            own_url(&headers),
            cursor(end)
        );
        answer["paging"]["next"] = json!(next);
    }
    Ok(Json(answer))
}

#[derive(Debug, Deserialize)]
struct FieldsQuery {
    fields: Option<String>,
}

impl FieldsQuery {
    /// Only the requested fields, and the id.
    fn only(&self, mut item: Value) -> Value {
        if let (Some(fields), Value::Object(item)) = (&self.fields, &mut item) {
            item.retain(|name, _| name == "id" || fields.split(',').any(|field| field == name));
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

/// A reading request: returns the caller, unless a fault affects the request.
async fn looking<'a>(
    world: &Sims,
    config: &'a Config,
    headers: &HeaderMap,
    version: &str,
) -> Result<Access<'a>, Response> {
    let access = authorise(world, config, headers, version).map_err(GraphError::into_response)?;
    let event = Event {
        api: Api::Graph,
        tenant: &access.tenant.id,
        number: None,
    };
    match interference::before(world, event, &Caller::new(headers, "", None)).await {
        Some(kind) => Err(messages::refuse(world, kind)),
        None => Ok(access),
    }
}

async fn list_numbers(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    Query(query): Query<FieldsQuery>,
    headers: HeaderMap,
) -> Response {
    let config = world.config();
    match looking(&world, &config, &headers, &version).await {
        Ok(access) if access.account.waba_id == waba => Json(
            json!({"data": [query.only(number(&access))], "paging": {"cursors": {"before": "QVFI", "after": "QVFI"}}}),
        )
        .into_response(),
        Ok(_) => GraphError::no_object(&waba).into_response(),
        Err(refused) => refused,
    }
}

async fn list_apps(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let config = world.config();
    match looking(&world, &config, &headers, &version).await {
        Ok(access) if access.account.waba_id == waba => {
            let app = json!({"whatsapp_business_api_data": {
                "id": "670843887433847", "link": "https://www.facebook.com/games/?app_id=670843887433847", "name": "Ringback",
            }});
            Json(json!({ "data": [app] })).into_response()
        }
        Ok(_) => GraphError::no_object(&waba).into_response(),
        Err(refused) => refused,
    }
}

/// `GET /{version}/{id}`: a media id or the business's phone number.
async fn get_object(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    Query(query): Query<FieldsQuery>,
    headers: HeaderMap,
) -> Response {
    let config = world.config();
    let access = match looking(&world, &config, &headers, &version).await {
        Ok(access) => access,
        Err(refused) => return refused,
    };
    if id == access.account.phone_number_id {
        return Json(query.only(number(&access))).into_response();
    }
    media::describe(&world, access.tenant, &id, &own_url(&headers)).map_or_else(
        || GraphError::no_object(&id).into_response(),
        |described| (StatusCode::OK, Json(described)).into_response(),
    )
}

/// The URL this request came to, for links in answers.
fn own_url(headers: &HeaderMap) -> String {
    let host = headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or("127.0.0.1");
    format!("http://{host}")
}
