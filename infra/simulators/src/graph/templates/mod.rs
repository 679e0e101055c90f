//! Message templates of the Graph API: create, edit, delete and list.

mod fill;
mod review;
mod rules;

use std::collections::HashMap;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::errors::GraphError;
use super::{Access, FieldsQuery, json_of, looking, own_url, refused_after, uploads};
use crate::config::{self, Config};
use crate::world::{Sims, State as WorldState};

pub(super) use fill::fill;
use review::What;
pub(crate) use review::{Change, act, keep_time, run_due};

const DAY: SignedDuration = SignedDuration::from_hours(24);

/// Time for which the name of an approved template is blocked after its deletion.
const DELETION: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A template as Meta keeps it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) category: String,
    pub(crate) status: String,
    pub(crate) components: Vec<Value>,
    named: bool,
    quality: String,
    quality_at: Timestamp,
    rejected_reason: Option<String>,
    previous_category: Option<String>,
    sub_category: Option<String>,
    ttl_seconds: Option<i64>,
    /// The configuration that it stands in.
    configured: Option<config::Template>,
    /// Name and language are blocked after a deletion.
    was_approved: bool,
    /// Last edit while it was approved.
    edited_at: Option<Timestamp>,
    /// Time of the last event; the next is at least a second later, so that events have an order.
    last_event: Option<Timestamp>,
    /// The next change that happens by itself, and its time.
    due: Option<(Timestamp, Change)>,
}

/// The templates of all accounts.
#[derive(Debug, Default)]
pub(crate) struct Templates {
    by_waba: HashMap<String, Vec<Record>>,
    /// Deleted templates of the configuration, each with its account, so that a change of another tenant's brings none back.
    deleted: Vec<(String, config::Template)>,
}

impl Templates {
    pub(crate) fn of(&self, waba: &str) -> &[Record] {
        self.by_waba.get(waba).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn find(&self, waba: &str, id: &str) -> Option<&Record> {
        self.of(waba).iter().find(|record| record.id == id)
    }

    fn find_mut(&mut self, waba: &str, id: &str) -> Option<&mut Record> {
        self.by_waba.get_mut(waba)?.iter_mut().find(|record| record.id == id)
    }

    fn remove(&mut self, waba: &str, id: &str) {
        if let Some(records) = self.by_waba.get_mut(waba) {
            let deleted = records.extract_if(.., |record| record.id == id);
            let configured = deleted.filter_map(|record| record.configured);
            self.deleted
                .extend(configured.map(|template| (waba.to_owned(), template)));
        }
    }

    /// Takes over what is new or different in the configuration; what happened to the others stays.
    pub(crate) fn configure(&mut self, config: &Config, now: Timestamp) {
        for account in config.tenants.iter().filter_map(|tenant| tenant.whatsapp.as_ref()) {
            let wanted: HashMap<_, _> = account
                .templates
                .iter()
                .map(|template| ((template.name.as_str(), template.language.as_str()), template))
                .collect();
            let records = self.by_waba.entry(account.waba_id.clone()).or_default();
            records.retain(|record| {
                record.configured.is_none() || wanted.contains_key(&(record.name.as_str(), record.language.as_str()))
            });
            let mut places = HashMap::new();
            for (place, record) in records.iter().enumerate() {
                places.insert((record.name.clone(), record.language.clone()), place);
            }
            for template in &account.templates {
                let place = places.get(&(template.name.clone(), template.language.clone()));
                match place.and_then(|place| records.get_mut(*place)) {
                    Some(known) if known.configured.as_ref() == Some(template) => {}
                    Some(known) => *known = Record::from_configuration(&account.waba_id, template, now),
                    None if self.deleted.contains(&(account.waba_id.clone(), template.clone())) => {}
                    None => records.push(Record::from_configuration(&account.waba_id, template, now)),
                }
            }
        }
    }
}

impl Record {
    fn new(id: String, name: &str, language: &str, category: &str, components: Vec<Value>, now: Timestamp) -> Self {
        Self {
            id,
            name: name.to_owned(),
            language: language.to_owned(),
            category: category.to_owned(),
            status: "PENDING".to_owned(),
            named: false,
            components,
            quality: "UNKNOWN".to_owned(),
            quality_at: now,
            rejected_reason: None,
            previous_category: None,
            sub_category: None,
            ttl_seconds: None,
            configured: None,
            was_approved: false,
            edited_at: None,
            last_event: None,
            due: None,
        }
    }

    fn from_configuration(waba: &str, template: &config::Template, now: Timestamp) -> Self {
        let named = template.components.iter().any(|component| {
            let text = component["text"].as_str().unwrap_or_default();
            placeholders(text).any(|name| name.parse::<u32>().is_err())
        });
        let (name, language) = (template.name.as_str(), template.language.as_str());
        let id = stable_id(waba, name, language);
        Self {
            status: template.status.clone(),
            named,
            quality: "GREEN".to_owned(),
            was_approved: template.status != "PENDING" && template.status != "REJECTED",
            configured: Some(template.clone()),
            ..Self::new(id, name, language, &template.category, template.components.clone(), now)
        }
    }

    /// The template as the API shows it.
    pub(crate) fn resource(&self) -> Value {
        let mut item = json!({
            "name": self.name,
            "status": self.status,
            "category": self.category,
            "language": self.language,
            "id": self.id,
            "quality_score": {"score": self.quality, "date": self.quality_at.as_second()},
            "parameter_format": if self.named { "NAMED" } else { "POSITIONAL" },
            "components": self.components.iter().map(|component| self.component_with_preview(component)).collect::<Vec<_>>(),
        });
        let optional = [
            ("rejected_reason", json!(self.rejected_reason)),
            ("previous_category", json!(self.previous_category)),
            ("sub_category", json!(self.sub_category)),
            ("message_send_ttl_seconds", json!(self.ttl_seconds)),
        ];
        for (name, value) in optional {
            if !value.is_null() {
                item[name] = value;
            }
        }
        item
    }

    /// Instead of a sample's handle, Meta shows an address of a preview.
    fn component_with_preview(&self, component: &Value) -> Value {
        let mut shown = component.clone();
        if let Some(handle) = shown.pointer_mut("/example/header_handle/0") {
            let address = format!(
                "https://scontent.whatsapp.net/v/t61.29466-34/{}_n.jpg?ccb=1&oe=SIMULATED",
                self.id
            );
            *handle = json!(address);
        }
        shown
    }
}

/// A number, as webhooks write it. Configured templates keep theirs when the simulators start again.
fn stable_id(waba: &str, name: &str, language: &str) -> String {
    let hash = Sha256::digest(format!("{waba}/{name}/{language}"));
    let start: [u8; 8] = hash[..8].try_into().expect("eight bytes of a SHA-256");
    format!("81{:013}", u64::from_be_bytes(start) % 10_000_000_000_000)
}

// Parts that all of this reads

/// The names between `{{` and `}}`.
pub(crate) fn placeholders(template: &str) -> impl Iterator<Item = &str> {
    template
        .split("{{")
        .skip(1)
        .filter_map(|rest| rest.split_once("}}"))
        .map(|(name, _)| name.trim())
}

fn kind(value: &Value) -> String {
    text(value, "/type").unwrap_or_default().to_uppercase()
}

fn text<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str)
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

// List and read

#[derive(Debug, Default, Deserialize)]
pub(super) struct ListQuery {
    limit: Option<usize>,
    after: Option<String>,
    name: Option<String>,
    language: Option<String>,
    fields: Option<String>,
}

impl ListQuery {
    fn wants(&self, record: &Record) -> bool {
        // Meta searches names by part.
        self.name.as_deref().is_none_or(|part| record.name.contains(part))
            && self
                .language
                .as_ref()
                .is_none_or(|language| record.language == *language)
    }
}

fn cursor(place: usize) -> String {
    STANDARD.encode(format!("at:{place}"))
}

fn place_of(cursor: &str) -> Result<usize, GraphError> {
    let place = || {
        String::from_utf8(STANDARD.decode(cursor).ok()?)
            .ok()?
            .strip_prefix("at:")?
            .parse()
            .ok()
    };
    place().ok_or_else(|| GraphError::new(100, "This is not a cursor of this list"))
}

/// `GET /{version}/{waba}/message_templates`.
pub(super) async fn list_templates(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    Query(query): Query<ListQuery>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    looking(&world, &config, &headers, &version).await?.check(&waba)?;
    let fields = FieldsQuery {
        fields: query.fields.clone(),
    };
    let state = world.state();
    let records = state.templates.of(&waba).iter();
    let found: Vec<&Record> = records.filter(|record| query.wants(record)).collect();
    let limit = query.limit.unwrap_or(25).clamp(1, 1000);
    let start = query.after.as_deref().map_or(Ok(0), place_of)?.min(found.len());
    let end = (start + limit).min(found.len());
    let data: Vec<Value> = found[start..end]
        .iter()
        .map(|record| fields.select_fields(record.resource()))
        .collect();
    let mut answer = json!({
        "data": data,
        "paging": {"cursors": {"before": cursor(start), "after": cursor(end)}},
    });
    if end < found.len() {
        let mut kept = form_urlencoded::Serializer::new(String::new());
        let filters = [
            ("name", &query.name),
            ("language", &query.language),
            ("fields", &query.fields),
        ];
        for (name, value) in filters {
            if let Some(value) = value {
                kept.append_pair(name, value);
            }
        }
        kept.append_pair("limit", &limit.to_string())
            .append_pair("after", &cursor(end));
        let (base, query) = (own_url(&headers), kept.finish());
        answer["paging"]["next"] = json!(format!("{base}/{version}/{waba}/message_templates?{query}"));
    }
    Ok(Json(answer).into_response())
}

/// `GET /{version}/{template_id}`.
pub(super) fn describe(world: &Sims, access: &Access<'_>, id: &str, fields: &FieldsQuery) -> Option<Value> {
    let state = world.state();
    let record = state.templates.find(&access.account.waba_id, id)?;
    Some(fields.select_fields(record.resource()))
}

// Create

/// `POST /{version}/{waba}/message_templates`.
pub(super) async fn create_template(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    let created = create(&world, &access, &waba, &body)?;
    world.timers_changed();
    let refused = refused_after(&world, &access, &headers).await;
    Ok(refused.unwrap_or_else(|| created.into_response()))
}

fn create(world: &Sims, access: &Access<'_>, waba: &str, body: &[u8]) -> Result<Json<Value>, GraphError> {
    access.check(waba)?;
    let input = json_of(body)?;
    let field = |name: &str| input[name].as_str().unwrap_or_default();
    let (name, language) = (field("name"), field("language"));
    let category = field("category").to_uppercase();
    rules::category(&category)?;
    let now = world.now();
    let mut state = world.state();
    let state = &mut *state;
    let named = field("parameter_format").eq_ignore_ascii_case("NAMED");
    let app = &access.account.app_id;
    let components = rules::components(list(&input["components"]), &category, |handle| {
        uploads::type_of(state, app, handle).is_some()
    })?;
    let same = |record: &Record| record.name == name && record.language == language;
    if state.templates.of(waba).iter().any(same) {
        let title = "Content in this language already exists";
        let text = "There is already content for this template in this language.";
        return Err(GraphError::template(2_388_024, title, text));
    }
    let id = stable_id(waba, &world.hex_id(), language);
    let mut record = Record::new(id, name, language, &category, components, now);
    record.named = named;
    record.sub_category = input["sub_category"].as_str().map(str::to_owned);
    record.ttl_seconds = input["message_send_ttl_seconds"].as_i64();
    record.due = review::due_at(access.account, now);
    let answer = json!({"id": record.id, "status": record.status, "category": record.category});
    state.templates.by_waba.entry(waba.to_owned()).or_default().push(record);
    Ok(Json(answer))
}

// Edit

fn state_error(text: &str) -> GraphError {
    GraphError::template(2_388_039, "Template state does not allow this", text)
}

/// `POST /{version}/{template_id}`.
pub(super) fn edit(world: &Sims, access: &Access<'_>, id: &str, body: &[u8]) -> Result<Json<Value>, GraphError> {
    let waba = &access.account.waba_id;
    let now = world.now();
    let mut state = world.state();
    let record = state
        .templates
        .find(waba, id)
        .cloned()
        .ok_or_else(|| GraphError::no_object(id))?;
    let input = json_of(body)?;
    if input.get("name").or_else(|| input.get("language")).is_some() {
        let details = "The name and the language of a template never change";
        return Err(GraphError::new(100, details));
    }
    if !matches!(record.status.as_str(), "APPROVED" | "REJECTED" | "PAUSED") {
        return Err(state_error("The template cannot be edited in its present state."));
    }
    let approved = record.status == "APPROVED";
    if approved && record.edited_at.is_some_and(|at| now.duration_since(at) < DAY) {
        return Err(state_error("An approved template is edited once in 24 hours."));
    }
    let category = input["category"]
        .as_str()
        .map_or_else(|| record.category.clone(), str::to_uppercase);
    rules::category(&category)?;
    if approved && category != record.category {
        return Err(state_error("The category of an approved template cannot change."));
    }
    let components = match input.get("components") {
        None => record.components,
        Some(given) => {
            let app = &access.account.app_id;
            rules::components(list(given), &category, |handle| {
                uploads::type_of(&state, app, handle).is_some()
            })?
        }
    };
    if let Some(record) = state.templates.find_mut(waba, id) {
        if approved {
            record.edited_at = Some(now);
        }
        record.category = category;
        record.components = components;
        record.ttl_seconds = input["message_send_ttl_seconds"].as_i64().or(record.ttl_seconds);
        record.rejected_reason = None;
        record.status = "PENDING".to_owned();
        record.due = review::due_at(access.account, now);
    }
    drop(state);
    world.timers_changed();
    Ok(Json(json!({"success": true})))
}

// Delete

#[derive(Debug, Default, Deserialize)]
pub(super) struct DeleteQuery {
    name: Option<String>,
    hsm_id: Option<String>,
}

/// `DELETE /{version}/{waba}/message_templates`.
pub(super) async fn delete_templates(
    State(world): State<Sims>,
    Path((version, waba)): Path<(String, String)>,
    Query(query): Query<DeleteQuery>,
    headers: HeaderMap,
) -> Result<Response, Response> {
    let config = world.config();
    let access = looking(&world, &config, &headers, &version).await?;
    access.check(&waba)?;
    let chosen = records_to_delete(&world.state(), &waba, &query)?;
    if chosen.iter().any(|record| record.status == "DISABLED") {
        return Err(state_error("A disabled template cannot be deleted.").into());
    }
    for record in &chosen {
        if record.was_approved {
            // Its name is blocked, and messages on their way are still tried.
            let change = Change::of(What::PendingDeletion);
            review::apply_and_tell(&world, access.account, &record.id, &change);
        } else {
            world.state().templates.remove(&waba, &record.id);
        }
    }
    world.timers_changed();
    Ok(Json(json!({"success": true})).into_response())
}

fn records_to_delete(state: &WorldState, waba: &str, query: &DeleteQuery) -> Result<Vec<Record>, GraphError> {
    let records = state.templates.of(waba);
    let alive = |record: &&Record| record.status != "PENDING_DELETION";
    let by_id = |id: &str| {
        let found = records.iter().filter(alive).find(|record| record.id == id);
        found.ok_or_else(|| GraphError::no_object(id))
    };
    let name = query.name.as_deref();
    let name = name.ok_or_else(|| GraphError::new(100, "The parameter name is required."))?;
    if let Some(id) = &query.hsm_id {
        let record = by_id(id)?;
        if record.name != name {
            return Err(GraphError::no_object(id));
        }
        return Ok(vec![record.clone()]);
    }
    let found: Vec<Record> = records
        .iter()
        .filter(alive)
        .filter(|record| record.name == name)
        .cloned()
        .collect();
    if found.is_empty() {
        return Err(GraphError::no_object(name));
    }
    Ok(found)
}
