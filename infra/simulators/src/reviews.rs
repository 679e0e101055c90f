//! The control API's part for templates: what Meta and Twilio decide about them.

use axum::extract::{Query, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::control::{Refused, bad_request, not_found, tenant, twilio_account, whatsapp, yes};
use crate::graph::{self, Change, Record};
use crate::twilio;
use crate::world::Sims;

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/templates", get(list_templates))
        .route("/templates/events", post(change_template))
        .route("/contents/review", post(review_content))
}

#[derive(Debug, Deserialize)]
struct TenantQuery {
    tenant: String,
    name: Option<String>,
}

/// The templates of a tenant as Meta has them.
async fn list_templates(
    State(world): State<Sims>,
    Query(query): Query<TenantQuery>,
) -> Result<Json<Vec<Value>>, Refused> {
    let config = world.config();
    let (_, account) = whatsapp(&config, &query.tenant)?;
    let state = world.state();
    let records = state.templates.of(&account.waba_id).iter();
    let wanted = |record: &&Record| query.name.as_ref().is_none_or(|name| record.name == *name);
    Ok(Json(records.filter(wanted).map(Record::resource).collect()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EventsIn {
    tenant: String,
    /// Meta's id; or the name, with the language if the name has several.
    id: Option<String>,
    name: Option<String>,
    language: Option<String>,
    events: Vec<Change>,
    /// False: the webhooks are lost.
    #[serde(default = "yes")]
    deliver: bool,
}

/// Lets events happen to a template, and delivers their webhooks one after the other.
async fn change_template(State(world): State<Sims>, Json(input): Json<EventsIn>) -> Result<Json<Value>, Refused> {
    let config = world.config();
    let (tenant, account) = whatsapp(&config, &input.tenant)?;
    let waba = &account.waba_id;
    let id = {
        let state = world.state();
        let wanted = |record: &&Record| {
            input.id.as_ref().is_none_or(|id| record.id == *id)
                && input.name.as_ref().is_none_or(|name| record.name == *name)
                && input
                    .language
                    .as_ref()
                    .is_none_or(|language| record.language == *language)
        };
        let found: Vec<&Record> = state.templates.of(waba).iter().filter(wanted).collect();
        match found.as_slice() {
            [only] => only.id.clone(),
            [] => return Err(not_found("there is no such template")),
            _ => return Err(bad_request("several templates are meant: name the language or the id")),
        }
    };
    let webhooks = graph::act(&world, tenant, account, &id, &input.events).map_err(bad_request)?;
    let template = world.state().templates.find(waba, &id).map(Record::resource);
    if !input.deliver {
        return Ok(Json(json!({"template": template, "webhooks": []})));
    }
    let mut delivered = Vec::new();
    let _busy = world.busy();
    for webhook in &webhooks {
        let status = world.deliver(webhook).await.status;
        delivered.push(json!({"what": webhook.what, "status": status}));
    }
    Ok(Json(json!({"template": template, "webhooks": delivered})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReviewIn {
    tenant: String,
    sid: String,
    /// `received`, `pending`, `approved`, `rejected`, `paused` or `disabled`.
    status: String,
    /// Reason of a rejection.
    #[serde(default)]
    reason: String,
}

/// Decides about a content that was submitted. Twilio sends no webhook.
async fn review_content(State(world): State<Sims>, Json(input): Json<ReviewIn>) -> Result<Json<Value>, Refused> {
    let config = world.config();
    let account = twilio_account(tenant(&config, &input.tenant)?)?;
    let reviewed = twilio::review(&world, account, &input.sid, &input.status, &input.reason);
    reviewed.map(Json).map_err(bad_request)
}
