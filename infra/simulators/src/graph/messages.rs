//! `POST /{phone_number_id}/messages` and `…/marketing_messages`: every rule that Meta enforces in its answer, then acceptance.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};

use super::errors::{GraphError, require_text, server_error};
use super::{Access, authorise, contents, json_of, templates};
use crate::faults::Kind;
use crate::interference::{self, Caller};
use crate::outbox::{Channel, Content, Sent, Via, Wire};
use crate::phones::{bsuid, digits, e164};
use crate::statuses::{self, Course};
use crate::world::Sims;

/// The edge that a message is sent to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Messages,
    MarketingMessages,
}

pub(super) async fn send_message(
    world: State<Sims>,
    path: Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    send(world, path, Edge::Messages, headers, body).await
}

pub(super) async fn send_marketing_message(
    world: State<Sims>,
    path: Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    send(world, path, Edge::MarketingMessages, headers, body).await
}

async fn send(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    edge: Edge,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Response> {
    let config = world.config();
    let access = authorise(&world, &config, &headers, &version)?;
    if access.account.phone_number_id != id {
        return Err(GraphError::no_object(&id).into());
    }
    let message = json_of(&body)?;
    if message["messaging_product"] != "whatsapp" {
        return Err(GraphError::new(100, "The parameter messaging_product is required.").into());
    }
    if edge == Edge::Messages && message["status"] == "read" {
        return Ok(mark_read(&world, &access, &message)?.into_response());
    }

    let recipient = Recipient::of(&world, &access, &message)?;
    let key = message["biz_opaque_callback_data"].as_str();
    let event = access.event(Some(&recipient.number));
    let caller = Caller::new(&headers, &recipient.number, key);
    if let Some(kind) = interference::before(&world, event, &caller).await {
        return Err(refuse(&world, kind));
    }
    let answer = accept(&world, &access, &message, edge, &recipient)?;
    match interference::after(&world, event, &caller).await {
        Some(kind) => Err(refuse(&world, kind)),
        None => Ok(answer.into_response()),
    }
}

pub(super) fn refuse(world: &Sims, kind: Kind) -> Response {
    match kind {
        Kind::BadCredentials => GraphError::token().into_response(),
        Kind::Throttled => GraphError::new(130429, "Cloud API message throughput has been reached").into_response(),
        _ => server_error(world.state().random.next()),
    }
}

struct Recipient {
    /// The recipient as named in the request.
    input: String,
    /// E.164, or the BSUID of a user without any contact to this account.
    number: String,
    is_bsuid: bool,
}

impl Recipient {
    fn of(world: &Sims, access: &Access<'_>, message: &Value) -> Result<Self, GraphError> {
        if let Some(to) = message["to"].as_str() {
            let number = e164(to).ok_or_else(|| GraphError::new(100, "to must be a phone number"))?;
            if e164(&access.account.display_number).as_ref() == Some(&number) {
                return Err(GraphError::new(131021, "Recipient cannot be the sender"));
            }
            return Ok(Self {
                input: to.to_owned(),
                number,
                is_bsuid: false,
            });
        }
        let id = require_text(&message["recipient"], "to")?;
        let state = world.state();
        let name = message["template"]["name"].as_str();
        let mut templates = state.templates.of(&access.account.waba_id).iter();
        let template = templates.find(|template| Some(template.name.as_str()) == name);
        if template.is_some_and(|template| template.category == "AUTHENTICATION") {
            return Err(GraphError::new(131062, "Use a phone number for this template"));
        }
        let known = state
            .phones
            .keys()
            .find(|number| bsuid(&access.account.waba_id, number) == id);
        Ok(Self {
            input: id.to_owned(),
            number: known.map_or(id, String::as_str).to_owned(),
            is_bsuid: true,
        })
    }
}

fn accept(
    world: &Sims,
    access: &Access<'_>,
    message: &Value,
    edge: Edge,
    recipient: &Recipient,
) -> Result<Json<Value>, GraphError> {
    let config = world.config();
    let is_template = message["type"] == "template";
    if edge == Edge::MarketingMessages && !is_template {
        return Err(GraphError::new(100, "Message must be a template message"));
    }
    let direct_send = message["category"] == "utility";
    let (content, mut shown, category) = if is_template {
        let filled = templates::fill(world, access, &message["template"])?;
        let content = Content::Template {
            name: filled.name,
            language: filled.language,
            parameters: filled.parameters,
        };
        let category = category_for_price(world, access, filled.category, edge, recipient)?;
        (content, filled.shown, category)
    } else {
        if direct_send && !access.account.direct_send {
            return Err(GraphError::new(100, "This account is not eligible for direct send"));
        }
        let (content, shown) = contents::free_form(world, access, message)?;
        let category = if direct_send { "utility" } else { "service" };
        (content, shown, category.to_owned())
    };

    if !message["context"].is_null() {
        let quoted = require_text(&message["context"]["message_id"], "context.message_id")?;
        shown.quotes = Some(quoted.to_owned());
    }

    let now = world.now();
    let mut state = world.state();
    let open = state.window_is_open(&access.account.phone_number_id, &recipient.number, now);
    if !is_template && !direct_send && !open {
        let details = "More than 24 hours have passed since the recipient last replied.";
        return Err(GraphError::new(131047, details));
    }
    // A reaction to a message that is gone is accepted, and fails later.
    let reacts_to = shown.reaction.as_ref().map(|reaction| reaction.to.as_str());
    let lost = reacts_to.is_some_and(|id| !state.knows_message(&access.tenant.id, &recipient.number, id));
    let id = world.wamid();
    let sent = Sent {
        tenant: access.tenant.id.clone(),
        channel: Channel::Whatsapp,
        via: Via::Graph,
        from: access.account.display_number.clone(),
        to: recipient.number.clone(),
        content,
        key: message["biz_opaque_callback_data"].as_str().map(str::to_owned),
        accepted_at: now,
        id: id.clone(),
        statuses: Vec::new(),
        shown,
        wire: Wire {
            category,
            to_bsuid: recipient.is_bsuid,
            delays: config.status_delay_ms,
            ..Wire::default()
        },
    };
    let mut course = Course::decide(&mut state, &sent);
    if lost {
        course.fails = Some(131009);
    }
    statuses::accept(world, &mut state, sent, course);

    let mut contact = json!({"input": recipient.input});
    if recipient.is_bsuid {
        contact["user_id"] = json!(recipient.input);
    } else {
        contact["wa_id"] = json!(digits(&recipient.number));
    }
    let mut accepted = json!({"id": id});
    if is_template {
        accepted["message_status"] = json!("accepted");
    }
    let answer = json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [accepted]});
    Ok(Json(answer))
}

/// The category that prices a template, or the reason why it may not take this edge. Codes by others' pages.
fn category_for_price(
    world: &Sims,
    access: &Access<'_>,
    category: String,
    edge: Edge,
    recipient: &Recipient,
) -> Result<String, GraphError> {
    let is_marketing = category == "marketing";
    match edge {
        Edge::Messages => {
            let event = access.event(Some(&recipient.number));
            if is_marketing && world.state().fault(event, &[Kind::MarketingOff]).is_some() {
                return Err(GraphError::new(131063, "Send it as a marketing message"));
            }
            Ok(category)
        }
        Edge::MarketingMessages if !is_marketing => {
            Err(GraphError::new(131055, "Only marketing templates can be sent here"))
        }
        Edge::MarketingMessages if !access.account.marketing_terms => {
            Err(GraphError::new(134102, "The business has not accepted the terms"))
        }
        Edge::MarketingMessages => Ok("marketing_lite".to_owned()),
    }
}

/// The business has read the customer's message: blue ticks on the phone.
fn mark_read(world: &Sims, access: &Access<'_>, message: &Value) -> Result<Json<Value>, GraphError> {
    let id = require_text(&message["message_id"], "message_id")?;
    let mut state = world.state();
    let found = state.phones.iter_mut().find_map(|(number, phone)| {
        let note = phone
            .notes
            .iter_mut()
            .find(|note| note.id == id && note.tenant == access.tenant.id)?;
        note.seen = true;
        Some(number.clone())
    });
    drop(state);
    let number = found.ok_or_else(|| GraphError::new(131009, "message_id is not a message of this account"))?;
    world.notify_viewers(&number);
    Ok(Json(json!({"success": true})))
}
