//! The control API: tests, `cargo stack` and the page use it to act as customers, cause faults and read results. README.md
//! documents it.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::config::{Config, Tenant, TwilioAccount, WhatsAppAccount};
use crate::faults::{Api, Event, Kind, Rule};
use crate::outbox::{Channel, Sent, Shown};
use crate::phones::{Note, Profile, e164, same_number};
use crate::vendors::{self, Vendor};
use crate::world::Sims;
use crate::{graph, statuses, twilio};

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/healthz", get(health))
        .route("/config", put(replace_config))
        .route("/tenants", get(list_tenants).post(put_tenant))
        .route("/calls", post(place_call))
        .route("/preferences", post(set_preference))
        .route("/handshakes", post(shake_hands))
        .route("/phones", get(list_phones))
        .route("/phones/{number}", get(show_phone).put(set_profile))
        .route("/phones/{number}/read", post(read_messages))
        .route("/faults", get(list_faults).put(replace_faults).post(add_fault))
        .route("/faults/{id}", delete(remove_fault))
        .route("/outbox", get(list_outbox))
        .route("/deliveries", get(show_deliveries))
        .route("/idle", get(show_idle))
        .route("/clock", get(show_clock).put(set_clock))
}

/// A request that cannot be executed, with the reason.
#[derive(Debug)]
pub(crate) struct Refused(StatusCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        (self.0, Json(json!({"error": self.1}))).into_response()
    }
}

pub(crate) fn not_found(what: impl Into<String>) -> Refused {
    Refused(StatusCode::NOT_FOUND, what.into())
}

pub(crate) fn bad_request(why: impl Into<String>) -> Refused {
    Refused(StatusCode::BAD_REQUEST, why.into())
}

pub(crate) fn tenant<'a>(config: &'a Config, id: &str) -> Result<&'a Tenant, Refused> {
    config
        .tenant(id)
        .ok_or_else(|| not_found(format!("there is no tenant {id}")))
}

/// A tenant and its WhatsApp account.
pub(crate) fn whatsapp<'a>(config: &'a Config, id: &str) -> Result<(&'a Tenant, &'a WhatsAppAccount), Refused> {
    let tenant = tenant(config, id)?;
    let account = tenant.whatsapp.as_ref();
    let account = account.ok_or_else(|| not_found("this tenant has no WhatsApp account"))?;
    Ok((tenant, account))
}

pub(crate) fn twilio_account(tenant: &Tenant) -> Result<&TwilioAccount, Refused> {
    let account = tenant.twilio.as_ref();
    account.ok_or_else(|| not_found("this tenant has no Twilio account"))
}

pub(crate) fn phone_number(text: &str) -> Result<String, Refused> {
    e164(text).ok_or_else(|| bad_request("a phone number is a + and 7 to 15 digits"))
}

async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn replace_config(State(world): State<Sims>, Json(config): Json<Config>) -> StatusCode {
    world.replace_config(config);
    StatusCode::NO_CONTENT
}

/// Adds a tenant, or replaces the one with its id; the others stay.
async fn put_tenant(State(world): State<Sims>, Json(tenant): Json<Tenant>) -> StatusCode {
    world.put_tenant(tenant);
    StatusCode::NO_CONTENT
}

/// The tenants without their secrets.
async fn list_tenants(State(world): State<Sims>) -> Json<Value> {
    let config = world.config();
    let tenants: Vec<_> = config
        .tenants
        .iter()
        .map(|tenant| {
            json!({
                "id": tenant.id,
                "name": tenant.name,
                "live": tenant.api_key.is_some(),
                "console": format!("{}/app/{}", config.public_base_url, tenant.id),
                "twilio": tenant.twilio.as_ref().map(|account| json!({
                    "numbers": account.numbers, "whatsapp_sender": account.whatsapp_sender,
                })),
                "whatsapp": tenant.whatsapp.as_ref().map(|account| json!({"number": account.display_number})),
                "telephony": tenant.telephony.is_some(),
                "aircall": tenant.aircall.is_some(),
                "vonage": tenant.vonage.is_some(),
                "exotel": tenant.exotel.is_some(),
                "plivo": tenant.plivo.is_some(),
            })
        })
        .collect();
    Json(json!(tenants))
}

// Calls

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum CallVia {
    Twilio,
    #[serde(untagged)]
    Vendor(Vendor),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CallIn {
    tenant: String,
    /// Null, absent or `anonymous`: withheld.
    from: Option<String>,
    outcome: String,
    via: Option<CallVia>,
    to: Option<String>,
    ring_seconds: Option<u32>,
    talk_seconds: Option<u32>,
    direction: Option<String>,
    call_id: Option<String>,
    #[serde(default)]
    own_flow: bool,
    repeat: Option<u32>,
    #[serde(default)]
    shuffle: bool,
    #[serde(default = "yes")]
    wait: bool,
}

pub(crate) fn yes() -> bool {
    true
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    /// `None` if the caller withholds the number.
    pub(crate) from: Option<String>,
    pub(crate) to: String,
    pub(crate) direction: String,
    pub(crate) outcome: String,
    pub(crate) ring_seconds: Option<u32>,
    pub(crate) talk_seconds: Option<u32>,
    /// The number has its own call flow at Twilio: Ringback gets only the final status, and the recording of a voicemail.
    pub(crate) own_flow: bool,
    pub(crate) repeat: u32,
    pub(crate) shuffle: bool,
}

/// A webhook of a call and the last answer to it (0: none).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct CallEvent {
    pub(crate) what: String,
    pub(crate) status: u16,
}

async fn place_call(State(world): State<Sims>, Json(input): Json<CallIn>) -> Result<Response, Refused> {
    let config = world.config();
    let tenant = tenant(&config, &input.tenant)?.clone();
    let from = match input.from.as_deref() {
        None | Some("" | "anonymous") => None,
        Some(from) if from.starts_with("sip:") => Some(from.to_owned()),
        Some(from) => Some(phone_number(from)?),
    };
    let via = input.via.unwrap_or(if tenant.twilio.is_some() {
        CallVia::Twilio
    } else {
        CallVia::Vendor(Vendor::Telephony)
    });
    let api = match via {
        CallVia::Twilio => Api::Twilio,
        CallVia::Vendor(_) => Api::Telephony,
    };
    let event = Event::new(api, &tenant.id, from.as_deref());
    let (copies, reordered) = {
        let mut state = world.state();
        (state.copies(event), state.fault(event, &[Kind::ReorderedWebhooks]))
    };
    let (own_number, new_id) = match via {
        CallVia::Vendor(vendor) => {
            let number = vendor.number(&tenant);
            let number = number.ok_or_else(|| not_found("this tenant has no such telephone system"))?;
            (number, vendor.call_id(&world))
        }
        CallVia::Twilio => {
            let number = twilio_account(&tenant)?.numbers.first().or(input.to.as_ref());
            let number = number.ok_or_else(|| bad_request("this tenant has no Twilio number to call"))?;
            (number.as_str(), format!("CA{}", world.hex_id()))
        }
    };
    let to = input.to.clone().unwrap_or_else(|| own_number.to_owned());
    let call = Call {
        id: input.call_id.unwrap_or(new_id),
        from,
        to,
        direction: input.direction.unwrap_or_else(|| "inbound".to_owned()),
        outcome: input.outcome,
        ring_seconds: input.ring_seconds,
        talk_seconds: input.talk_seconds,
        own_flow: input.own_flow,
        repeat: input.repeat.unwrap_or(copies).clamp(1, 20),
        shuffle: input.shuffle || reordered.is_some(),
    };
    let webhooks = match via {
        CallVia::Vendor(vendor) => vendor.webhooks(&world, &config, &tenant, &call).map_err(bad_request)?,
        // Each depends on the answer to the one before.
        CallVia::Twilio => Vec::new(),
    };
    if let Some(number) = call.from.as_deref().filter(|number| number.starts_with('+')) {
        let shown = Shown::text(&call.outcome);
        let note = note(&world, &tenant, None, "call", shown, call.id.clone());
        world.state().note(number, note);
        world.notify_viewers(number);
    }

    let (task_world, busy, call_id) = (Arc::clone(&world), world.busy(), call.id.clone());
    let task = tokio::spawn(async move {
        let config = task_world.config();
        let events = match (via, &tenant.twilio) {
            (CallVia::Twilio, Some(account)) => twilio::place(&task_world, &config, &tenant, account, &call).await,
            _ => vendors::place(&task_world, webhooks, &call).await,
        };
        drop(busy);
        events
    });
    if !input.wait {
        return Ok((StatusCode::ACCEPTED, Json(json!({"call_id": call_id, "events": []}))).into_response());
    }
    let events = task.await.map_err(|error| {
        let why = format!("the simulator failed during the call: {error}");
        Refused(StatusCode::INTERNAL_SERVER_ERROR, why)
    })?;
    Ok(Json(json!({"call_id": call_id, "events": events})).into_response())
}

pub(crate) fn note(
    world: &Sims,
    tenant: &Tenant,
    channel: Option<Channel>,
    kind: &'static str,
    shown: Shown,
    id: String,
) -> Note {
    Note {
        tenant: tenant.id.clone(),
        channel,
        kind,
        shown,
        at: world.now(),
        id,
        seen: false,
    }
}

// Preferences and handshakes

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PreferenceIn {
    tenant: String,
    from: String,
    /// Either `stop` or `resume`.
    value: String,
}

/// The customer stops or resumes marketing messages in WhatsApp's settings.
async fn set_preference(State(world): State<Sims>, Json(input): Json<PreferenceIn>) -> Result<StatusCode, Refused> {
    let config = world.config();
    let (tenant, account) = whatsapp(&config, &input.tenant)?;
    let number = phone_number(&input.from)?;
    let pair = (tenant.id.clone(), number.clone());
    let name = {
        let mut state = world.state();
        match input.value.as_str() {
            "stop" => drop(state.marketing_stopped.insert(pair)),
            "resume" => drop(state.marketing_stopped.remove(&pair)),
            _ => return Err(bad_request("value must be stop or resume")),
        }
        state.phone(&number).name(&number)
    };
    let webhook = graph::preference_webhook(&world, &config, tenant, account, &number, &name, &input.value);
    world.deliver_later(&webhook, Duration::ZERO, 1);
    Ok(StatusCode::ACCEPTED)
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct HandshakeIn {
    tenant: String,
}

/// Meta's handshake when a webhook URL is saved.
async fn shake_hands(State(world): State<Sims>, Json(input): Json<HandshakeIn>) -> Result<Json<Value>, Refused> {
    let config = world.config();
    let (tenant, account) = whatsapp(&config, &input.tenant)?;
    let (status, echoed) = graph::handshake(&world, tenant, account).await;
    Ok(Json(json!({"status": status, "challenge_echoed": echoed})))
}

// Phones

async fn list_phones(State(world): State<Sims>) -> Json<Value> {
    let state = world.state();
    let phones: Vec<_> = state
        .phones
        .iter()
        .map(|(number, phone)| {
            let last = state.outbox.iter().rev().find(|sent| sent.to == *number);
            let written = last.map(|sent| sent.accepted_at);
            let noted = phone.notes.last().map(|note| note.at);
            json!({"number": number, "name": phone.name(number), "last_at": written.max(noted)})
        })
        .collect();
    Json(json!(phones))
}

/// An item of a chat, oldest first.
#[derive(Debug, Serialize)]
struct Item {
    id: String,
    /// `out` (the business wrote), `in`, `call`, `notice`.
    kind: &'static str,
    #[serde(flatten)]
    shown: Shown,
    at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u32>,
    seen: bool,
}

async fn show_phone(State(world): State<Sims>, Path(number): Path<String>) -> Result<Json<Value>, Refused> {
    let number = phone_number(&number)?;
    let config = world.config();
    let state = world.state();
    let unknown = crate::phones::Phone::default();
    let phone = state.phones.get(&number).unwrap_or(&unknown);
    let chats: Vec<_> = config
        .tenants
        .iter()
        .map(|tenant| {
            let items = |channel: Channel| {
                let sent = state
                    .outbox
                    .iter()
                    .filter(|sent| sent.to == number && sent.tenant == tenant.id && sent.channel == channel)
                    .map(|sent| Item {
                        id: sent.id.clone(),
                        kind: "out",
                        shown: sent.shown.clone(),
                        at: sent.accepted_at,
                        status: Some(sent.failure_status().map_or(sent.latest(), |failed| failed.status)),
                        code: sent.failure_status().and_then(|failed| failed.code),
                        seen: false,
                    });
                let noted = phone
                    .notes
                    .iter()
                    .filter(|note| note.tenant == tenant.id && note.channel.is_none_or(|of| of == channel))
                    .map(|note| Item {
                        id: note.id.clone(),
                        kind: note.kind,
                        shown: note.shown.clone(),
                        at: note.at,
                        status: None,
                        code: None,
                        seen: note.seen,
                    });
                let mut items: Vec<_> = sent.chain(noted).collect();
                items.sort_by_key(|item| item.at);
                items
            };
            json!({
                "tenant": tenant.id,
                "name": tenant.name,
                "whatsapp": items(Channel::Whatsapp),
                "sms": items(Channel::Sms),
            })
        })
        .collect();
    let rules = state.faults.rules().iter();
    let rules: Vec<_> = rules
        .filter(|rule| rule.number.as_ref().is_none_or(|of| same_number(of, &number)))
        .cloned()
        .collect();
    Ok(Json(json!({
        "number": number,
        "name": phone.name(&number),
        "profile": phone.profile,
        "faults": rules,
        "chats": chats,
    })))
}

async fn set_profile(
    State(world): State<Sims>,
    Path(number): Path<String>,
    Json(profile): Json<Profile>,
) -> Result<StatusCode, Refused> {
    let number = phone_number(&number)?;
    world.state().phone(&number).profile = profile;
    world.notify_viewers(&number);
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Debug, Default, Deserialize)]
struct ReadQuery {
    tenant: Option<String>,
}

async fn read_messages(
    State(world): State<Sims>,
    Path(number): Path<String>,
    Query(query): Query<ReadQuery>,
) -> Result<Json<Value>, Refused> {
    let number = phone_number(&number)?;
    let read = statuses::read_all(&world, &number, query.tenant.as_deref());
    Ok(Json(json!({"read": read})))
}

// Faults

async fn list_faults(State(world): State<Sims>) -> Json<Vec<Rule>> {
    Json(world.state().faults.rules().to_vec())
}

async fn replace_faults(State(world): State<Sims>, Json(rules): Json<Vec<Rule>>) -> Json<Vec<Rule>> {
    world.state().faults.replace(rules);
    world.faults_changed();
    Json(world.state().faults.rules().to_vec())
}

async fn add_fault(State(world): State<Sims>, Json(rule): Json<Rule>) -> (StatusCode, Json<Value>) {
    let id = world.state().faults.add(rule);
    world.faults_changed();
    (StatusCode::CREATED, Json(json!({"id": id})))
}

async fn remove_fault(State(world): State<Sims>, Path(id): Path<u64>) -> Result<StatusCode, Refused> {
    if !world.state().faults.remove(id) {
        return Err(not_found(format!("there is no fault {id}")));
    }
    world.faults_changed();
    Ok(StatusCode::NO_CONTENT)
}

// Inspection

#[derive(Debug, Default, Deserialize)]
struct OutboxQuery {
    tenant: Option<String>,
    to: Option<String>,
}

async fn list_outbox(State(world): State<Sims>, Query(query): Query<OutboxQuery>) -> Json<Vec<Sent>> {
    let state = world.state();
    let sent = state
        .outbox
        .iter()
        .filter(|sent| query.tenant.as_ref().is_none_or(|tenant| *tenant == sent.tenant))
        .filter(|sent| query.to.as_ref().is_none_or(|to| same_number(to, &sent.to)));
    Json(sent.cloned().collect())
}

async fn show_deliveries(State(world): State<Sims>) -> Json<Value> {
    Json(json!(world.deliveries.counts()))
}

async fn show_idle(State(world): State<Sims>) -> Json<Value> {
    let counts = world.deliveries.counts();
    let busy = world.busy_count();
    Json(json!({
        "idle": busy == 0 && counts.pending == 0,
        "pending_webhooks": counts.pending,
        "busy": busy,
        "held_messages": world.held_count(),
        "delivered_webhooks": counts.delivered,
        "failed_webhooks": counts.failed,
    }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ClockIn {
    offset_seconds: i64,
}

async fn show_clock(State(world): State<Sims>) -> Json<Value> {
    Json(json!({"now": world.now(), "offset_seconds": world.clock.offset_seconds()}))
}

async fn set_clock(State(world): State<Sims>, Json(input): Json<ClockIn>) -> Json<Value> {
    world.clock.set_offset(input.offset_seconds);
    // What became due has happened when this is answered.
    graph::run_due(&world);
    world.timers_changed();
    show_clock(State(world)).await
}
