//! The Graph API: sending messages. Nothing is retried here. Templates are in [`super::templates`].
//! Source: developers.facebook.com, "Messages" of the Cloud API, which has no idempotency key; "Route template messages by category", which
//! sends marketing templates elsewhere with the same body and answer.

use domain::media::{AssetUse, FileName, MediaKind};
use domain::messages::{Action, Card, Content, Emoji, Header, Interactive, List, Media, PhoneKind, SendOutcome};
use domain::people::first_name;
use domain::templates::{FilledTemplate, TemplateValue};
use domain::terms::{Api, ErrorClass, Recipient, SendKey};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use serde_json::{Value, json};

use super::error;
use crate::http::{Answer, Http};
use crate::outcome::{self, Unsendable};
use crate::outgoing::Outgoing;

/// A client of the Graph API.
#[derive(Debug, Clone)]
pub struct GraphClient {
    pub(super) http: Http,
    /// With the version, without a trailing slash.
    pub(super) base: String,
}

impl GraphClient {
    /// A client of `{base_url}/{version}`, such as `https://graph.facebook.com` and `v26.0`.
    pub fn new(http: Http, base_url: &str, version: &str) -> Self {
        Self {
            http,
            base: format!("{}/{version}", base_url.trim_end_matches('/')),
        }
    }

    /// Sends a message once. The key is returned with its statuses.
    pub async fn send(
        &self,
        access_token: &str,
        phone_number_id: &str,
        to: &Recipient,
        outgoing: impl Into<Outgoing<'_>>,
        key: SendKey,
    ) -> SendOutcome {
        let outgoing = outgoing.into();
        // Whether Meta takes one to an id is not known, but it refuses some.
        let edge = match outgoing.as_marketing && to.phone.is_some() {
            true => "marketing_messages",
            false => "messages",
        };
        let body = match body(to, outgoing, key) {
            Ok(body) => body,
            Err((class, meaning)) => return outcome::refused_here(class, meaning),
        };
        if !is_id(phone_number_id) {
            return outcome::refused_here(
                ErrorClass::TenantMustAct,
                "the connection's phone number id is not one of Meta's",
            );
        }
        let Some(bearer) = bearer(access_token) else {
            return outcome::refused_here(ErrorClass::TenantMustAct, "the access token is not one of Meta's");
        };
        let url = format!("{}/{phone_number_id}/{edge}", self.base);
        let answer = self
            .http
            .send(|client| client.post(url).header(AUTHORIZATION, bearer).json(&body))
            .await;
        match answer {
            Ok(answer) if answer.is_success() => outcome_of_success(&answer),
            Ok(answer) => error::outcome(&answer),
            Err(failure) => outcome::of_failure(Api::WhatsAppCloud, &failure),
        }
    }
}

/// The authorization header; `None` if a token cannot be part of a header.
pub(super) fn bearer(access_token: &str) -> Option<HeaderValue> {
    if access_token.is_empty() {
        return None;
    }
    let mut value = HeaderValue::from_str(&format!("Bearer {access_token}")).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// Meta's ids are part of the address, and anything else could lead elsewhere.
pub(super) fn is_id(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// The request, or the reason why there is none. A known number is preferred, because the id does not work in authentication templates.
fn body(to: &Recipient, outgoing: Outgoing<'_>, key: SendKey) -> Result<Value, Unsendable> {
    let mut body = json!({
        "messaging_product": "whatsapp",
        "recipient_type": "individual",
        "biz_opaque_callback_data": key.to_string(),
    });
    match (&to.phone, &to.bsuid) {
        (Some(phone), _) => body["to"] = phone.digits().into(),
        (None, Some(bsuid)) => body["recipient"] = bsuid.as_str().into(),
        (None, None) => {
            let meaning = "the recipient has neither a telephone number nor a WhatsApp id";
            return Err((ErrorClass::FallBack, meaning));
        }
    }
    if let Some(message) = outgoing.reply_to {
        body["context"] = json!({ "message_id": message });
    }
    let (kind, part) = match outgoing.content {
        Content::Text(text) => ("text", json!({ "preview_url": false, "body": text })),
        Content::Template(filled) => ("template", template(filled, &outgoing)?),
        Content::Media(sent) => (sent.asset.kind.as_str(), media(sent, outgoing.file()?)),
        Content::Interactive(sent) => ("interactive", interactive(sent, &outgoing)?),
        Content::Location(place) => ("location", json!(place)),
        Content::Contacts(cards) => ("contacts", cards.iter().map(card).collect()),
        Content::Reaction(reaction) => {
            // An empty emoji takes the reaction back.
            let emoji = reaction.emoji.as_ref().map_or("", Emoji::as_str);
            ("reaction", json!({ "message_id": reaction.to, "emoji": emoji }))
        }
    };
    body["type"] = kind.into();
    body[kind] = part;
    Ok(body)
}

/// An uploaded file. Only documents have a name.
fn file(asset: &AssetUse, id: &str) -> Value {
    let mut file = json!({ "id": id });
    let name = asset.file_name.as_ref().filter(|_| asset.kind == MediaKind::Document);
    if let Some(name) = name.map(FileName::as_str) {
        file["filename"] = name.into();
    }
    file
}

fn media(media: &Media, id: &str) -> Value {
    let mut file = file(&media.asset, id);
    if let Some(caption) = &media.caption {
        file["caption"] = caption.as_str().into();
    }
    if media.voice {
        file["voice"] = true.into();
    }
    file
}

/// A file in a header.
fn file_header(asset: &AssetUse, id: &str) -> Value {
    let kind = asset.kind.as_str();
    let mut header = json!({ "type": kind });
    header[kind] = file(asset, id);
    header
}

fn interactive(interactive: &Interactive, outgoing: &Outgoing<'_>) -> Result<Value, Unsendable> {
    let (kind, action) = match &interactive.action {
        Action::Buttons(buttons) => {
            let buttons = buttons.iter().map(|button| {
                let reply = json!({ "id": button.id, "title": button.title });
                json!({ "type": "reply", "reply": reply })
            });
            ("button", json!({ "buttons": buttons.collect::<Vec<_>>() }))
        }
        Action::List(list) => ("list", menu(list)),
        Action::Link(link) => {
            let parameters = json!({ "display_text": link.title, "url": link.url });
            ("cta_url", json!({ "name": "cta_url", "parameters": parameters }))
        }
        Action::RequestLocation => ("location_request_message", json!({ "name": "send_location" })),
    };
    let mut part = json!({ "type": kind, "body": { "text": interactive.body }, "action": action });
    match &interactive.header {
        Some(Header::Text(text)) => part["header"] = json!({ "type": "text", "text": text }),
        Some(Header::Media(asset)) => part["header"] = file_header(asset, outgoing.file()?),
        None => {}
    }
    if let Some(footer) = &interactive.footer {
        part["footer"] = json!({ "text": footer });
    }
    Ok(part)
}

fn menu(list: &List) -> Value {
    let sections = list.sections.iter().map(|section| {
        let rows = section.rows.iter().map(|row| {
            let mut shown = json!({ "id": row.id, "title": row.title });
            if let Some(description) = &row.description {
                shown["description"] = description.as_str().into();
            }
            shown
        });
        let mut shown = json!({ "rows": rows.collect::<Vec<_>>() });
        if let Some(title) = &section.title {
            shown["title"] = title.as_str().into();
        }
        shown
    });
    json!({ "button": list.button, "sections": sections.collect::<Vec<_>>() })
}

/// A card. Meta wants a part of the name beside the whole.
fn card(card: &Card) -> Value {
    let name = card.name.as_str();
    let first = first_name(name).unwrap_or(name);
    let mut shown = json!({ "name": { "formatted_name": name, "first_name": first } });
    if !card.phones.is_empty() {
        let phones = card.phones.iter().map(|phone| {
            let mut shown = json!({ "phone": phone.number });
            if let Some(kind) = phone.kind {
                shown["type"] = match kind {
                    PhoneKind::Mobile => "CELL",
                    PhoneKind::Home => "HOME",
                    PhoneKind::Work => "WORK",
                }
                .into();
            }
            shown
        });
        shown["phones"] = phones.collect();
    }
    if !card.emails.is_empty() {
        let emails = card.emails.iter().map(|email| json!({ "email": email }));
        shown["emails"] = emails.collect();
    }
    if let Some(organization) = &card.organization {
        shown["org"] = json!({ "company": organization });
    }
    shown
}

fn template(filled: &FilledTemplate, outgoing: &Outgoing<'_>) -> Result<Value, Unsendable> {
    let mut components = Vec::new();
    if let Some(asset) = &filled.header_media {
        let parameter = file_header(asset, outgoing.file()?);
        components.push(json!({ "type": "header", "parameters": [parameter] }));
    }
    if let Some(header) = &filled.header {
        components.push(json!({ "type": "header", "parameters": [parameter(header)] }));
    }
    if !filled.body.is_empty() {
        let parameters: Vec<Value> = filled.body.iter().map(parameter).collect();
        components.push(json!({ "type": "body", "parameters": parameters }));
    }
    for (index, text) in &filled.buttons {
        let (kind, parameter) = if filled.offer_codes.contains(index) {
            ("copy_code", json!({ "type": "coupon_code", "coupon_code": text }))
        } else {
            ("url", json!({ "type": "text", "text": text }))
        };
        components.push(json!({
            "type": "button",
            "sub_type": kind,
            "index": index.to_string(),
            "parameters": [parameter],
        }));
    }
    let mut template = json!({ "name": filled.name, "language": { "code": filled.language } });
    if !components.is_empty() {
        template["components"] = components.into();
    }
    Ok(template)
}

fn parameter(value: &TemplateValue) -> Value {
    let mut parameter = json!({ "type": "text", "text": value.text });
    if let Some(name) = &value.name {
        parameter["parameter_name"] = name.as_str().into();
    }
    parameter
}

/// Only an id proves that the message was accepted.
fn outcome_of_success(answer: &Answer) -> SendOutcome {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match body["messages"][0]["id"].as_str().and_then(|id| id.parse().ok()) {
        Some(provider_ref) => SendOutcome::Accepted {
            provider_ref,
            segments: None,
        },
        None => outcome::of_unreadable_success(Api::WhatsAppCloud),
    }
}
