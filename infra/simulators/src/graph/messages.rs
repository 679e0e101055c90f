//! `POST /{phone_number_id}/messages`: every rule that Meta enforces in its answer, then acceptance.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::errors::{GraphError, server_error};
use super::{Access, authorise, media, templates};
use crate::config::WindowClosed;
use crate::faults::{Api, Event, Kind};
use crate::interference::{self, Caller};
use crate::outbox::{Button, Channel, Content, Sent, Shown, Via, Wire};
use crate::phones::{bsuid, digits, e164};
use crate::statuses::{self, Course};
use crate::world::Sims;

/// The customer service window.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

const TEXT_LIMIT: usize = 4096;

pub(super) async fn send_message(
    State(world): State<Sims>,
    Path((version, id)): Path<(String, String)>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let config = world.config();
    let access = match authorise(&world, &config, &headers, &version) {
        Ok(access) if access.account.phone_number_id == id => access,
        Ok(_) => return GraphError::no_object(&id).into_response(),
        Err(error) => return error.into_response(),
    };
    let Ok(message) = serde_json::from_slice::<Value>(&body) else {
        return GraphError::new(100, "The request body is not JSON").into_response();
    };
    if message["messaging_product"] != "whatsapp" {
        return GraphError::new(100, "The parameter messaging_product is required.").into_response();
    }
    if message["status"] == "read" {
        return mark_read(&world, &access, &message)
            .map_or_else(GraphError::into_response, |answer| answer.into_response());
    }

    let recipient = match Recipient::of(&world, &access, &message) {
        Ok(recipient) => recipient,
        Err(error) => return error.into_response(),
    };
    let key = message["biz_opaque_callback_data"].as_str();
    let event = Event {
        api: Api::Graph,
        tenant: &access.tenant.id,
        number: Some(&recipient.number),
    };
    let caller = Caller::new(&headers, &recipient.number, key);
    if let Some(kind) = interference::before(&world, event, &caller).await {
        return refuse(&world, kind);
    }
    let answer = match accept(&world, &access, &message, &recipient) {
        Ok(answer) => answer,
        Err(error) => return error.into_response(),
    };
    if let Some(kind) = interference::after(&world, event, &caller).await {
        return refuse(&world, kind);
    }
    answer.into_response()
}

pub(super) fn refuse(world: &Sims, kind: Kind) -> Response {
    match kind {
        Kind::BadCredentials => GraphError::token().into_response(),
        Kind::Throttled => GraphError::new(130_429, "Cloud API message throughput has been reached").into_response(),
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
                return Err(GraphError::new(131_021, "Recipient cannot be the sender"));
            }
            return Ok(Self {
                input: to.to_owned(),
                number,
                is_bsuid: false,
            });
        }
        let id = message["recipient"]
            .as_str()
            .ok_or_else(|| GraphError::new(131_008, "Missing to"))?;
        if message["template"].is_object() && category(access, message) == Some("AUTHENTICATION") {
            return Err(GraphError::new(131_062, "Use a phone number for this template"));
        }
        let state = world.state();
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

fn category<'a>(access: &Access<'a>, message: &Value) -> Option<&'a str> {
    let name = message["template"]["name"].as_str()?;
    let template = access.account.templates.iter().find(|template| template.name == name)?;
    Some(&template.category)
}

fn accept(
    world: &Sims,
    access: &Access<'_>,
    message: &Value,
    recipient: &Recipient,
) -> Result<Json<Value>, GraphError> {
    let config = world.config();
    let is_template = message["type"] == "template";
    let direct_send = message["category"] == "utility";
    let (content, shown, category) = if is_template {
        let filled = templates::fill(&message["template"], &access.account.templates)?;
        let content = Content::Template {
            name: filled.name,
            language: filled.language,
            parameters: filled.parameters,
        };
        (content, filled.shown, filled.category)
    } else {
        if direct_send && !access.account.direct_send {
            return Err(GraphError::new(100, "This account is not eligible for direct send"));
        }
        let (content, shown) = free_form(world, access, message)?;
        (
            content,
            shown,
            if direct_send { "utility" } else { "service" }.to_owned(),
        )
    };

    let now = world.now();
    let mut state = world.state();
    let window = (access.account.phone_number_id.clone(), recipient.number.clone());
    let open = state
        .windows
        .get(&window)
        .is_some_and(|last| now.duration_since(*last) < WINDOW);
    let closed = !is_template && !direct_send && !open;
    if closed && config.window_closed == WindowClosed::Answer {
        let details = "More than 24 hours have passed since the recipient last replied.";
        return Err(GraphError::new(131_047, details));
    }
    let id = format!("wamid.{}", STANDARD.encode(format!("SIM:{}", world.hex_id())));
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
    if closed {
        course.fails = Some(131_047);
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
    Ok(Json(
        json!({"messaging_product": "whatsapp", "contacts": [contact], "messages": [accepted]}),
    ))
}

/// Every message type except templates, with the limits that Meta documents.
fn free_form(world: &Sims, access: &Access<'_>, message: &Value) -> Result<(Content, Shown), GraphError> {
    let kind = message["type"].as_str().unwrap_or("text");
    let part = &message[kind];
    let shown = |text: String| Shown {
        text,
        buttons: Vec::new(),
    };
    match kind {
        "text" => {
            let body = part["body"].as_str().filter(|body| !body.is_empty());
            let body = body.ok_or_else(|| GraphError::new(131_008, "Missing text.body"))?;
            if body.chars().count() > TEXT_LIMIT {
                return Err(GraphError::new(
                    100,
                    "Param text['body'] must be at most 4096 characters long.",
                ));
            }
            Ok((Content::Body(body.to_owned()), shown(body.to_owned())))
        }
        "image" | "video" | "audio" | "document" | "sticker" => {
            match (part["id"].as_str(), part["link"].as_str()) {
                (Some(id), _) if !media::exists(world, access.tenant, id) => {
                    return Err(GraphError::new(
                        131_009,
                        format!("{kind}.id is not a media id of this account"),
                    ));
                }
                (None, None) => {
                    return Err(GraphError::new(131_008, format!("Missing {kind}.id or {kind}.link")));
                }
                _ => {}
            }
            let caption = part["caption"].as_str().unwrap_or_default();
            Ok((
                other(kind, part),
                shown(format!("[{kind}] {caption}").trim_end().to_owned()),
            ))
        }
        "location" => {
            let name = part["name"].as_str().unwrap_or_default();
            if !part["latitude"].is_number() || !part["longitude"].is_number() {
                return Err(GraphError::new(
                    131_008,
                    "Missing location.latitude or location.longitude",
                ));
            }
            Ok((
                other(kind, part),
                shown(format!("[location] {name}").trim_end().to_owned()),
            ))
        }
        "contacts" => {
            let name = message["contacts"][0]["name"]["formatted_name"].as_str();
            let name = name.ok_or_else(|| GraphError::new(131_008, "Missing contacts[0].name.formatted_name"))?;
            Ok((other(kind, part), shown(format!("[contact] {name}"))))
        }
        "reaction" => Ok((
            other(kind, part),
            shown(part["emoji"].as_str().unwrap_or("[no reaction]").to_owned()),
        )),
        "interactive" => Ok((other(kind, part), interactive(part)?)),
        _ => Err(GraphError::new(131_051, "Unsupported message type")),
    }
}

fn other(kind: &str, part: &Value) -> Content {
    Content::Other(json!({"type": kind, kind: part}))
}

fn interactive(part: &Value) -> Result<Shown, GraphError> {
    let body = part["body"]["text"]
        .as_str()
        .ok_or_else(|| GraphError::new(131_008, "Missing interactive.body.text"))?;
    within("Body text", body, 1024)?;
    let mut lines = vec![body];
    if let Some(header) = part["header"]["text"].as_str() {
        within("Header text", header, 60)?;
        lines.insert(0, header);
    }
    if let Some(footer) = part["footer"]["text"].as_str() {
        within("Footer text", footer, 60)?;
        lines.push(footer);
    }
    let mut shown = Shown {
        text: lines.join("\n"),
        buttons: Vec::new(),
    };
    let action = &part["action"];
    match part["type"].as_str() {
        Some("button") => {
            let buttons = list(&action["buttons"]);
            if buttons.is_empty() || buttons.len() > 3 {
                return Err(GraphError::new(
                    131_009,
                    "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3",
                ));
            }
            for button in buttons {
                let (id, title) = (required(&button["reply"], "id")?, required(&button["reply"], "title")?);
                within("Button title", title, 20)?;
                within("Button id", id, 256)?;
                shown.buttons.push(tappable(title, id, "button_reply"));
            }
        }
        Some("list") => {
            within("Button text", required(action, "button")?, 20)?;
            let sections = list(&action["sections"]);
            let rows: Vec<_> = sections.iter().flat_map(|section| list(&section["rows"])).collect();
            if sections.len() > 10 || rows.is_empty() || rows.len() > 10 {
                return Err(GraphError::new(131_009, "Total row count exceed max allowed count: 10"));
            }
            for row in rows {
                let (id, title) = (required(row, "id")?, required(row, "title")?);
                within("Row title", title, 24)?;
                within("Row id", id, 200)?;
                within("Row description", row["description"].as_str().unwrap_or_default(), 72)?;
                let description = row["description"].as_str().map(str::to_owned);
                shown.buttons.push(Button {
                    description,
                    ..tappable(title, id, "list_reply")
                });
            }
        }
        Some("cta_url") => {
            let title = required(&action["parameters"], "display_text")?.to_owned();
            required(&action["parameters"], "url")?;
            shown.buttons.push(Button {
                text: title,
                payload: None,
                description: None,
                kind: "button",
            });
        }
        Some(_) => {}
        None => return Err(GraphError::new(131_008, "Missing interactive.type")),
    }
    Ok(shown)
}

fn tappable(title: &str, id: &str, kind: &'static str) -> Button {
    Button {
        text: title.to_owned(),
        payload: Some(id.to_owned()),
        description: None,
        kind,
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn required<'a>(value: &'a Value, field: &str) -> Result<&'a str, GraphError> {
    value[field]
        .as_str()
        .ok_or_else(|| GraphError::new(131_008, format!("Missing interactive {field}")))
}

fn within(what: &str, text: &str, limit: usize) -> Result<(), GraphError> {
    if text.chars().count() <= limit {
        return Ok(());
    }
    Err(GraphError::new(
        131_009,
        format!("{what} length invalid. Min length: 1, Max length: {limit}"),
    ))
}

/// The business has read the customer's message: blue ticks on the phone.
fn mark_read(world: &Sims, access: &Access<'_>, message: &Value) -> Result<Json<Value>, GraphError> {
    let id = message["message_id"]
        .as_str()
        .ok_or_else(|| GraphError::new(131_008, "Missing message_id"))?;
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
    let number = found.ok_or_else(|| GraphError::new(131_009, "message_id is not a message of this account"))?;
    world.changed(&number);
    Ok(Json(json!({"success": true})))
}
