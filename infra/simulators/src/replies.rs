//! `POST /replies`: customers write, in every way that WhatsApp and SMS carry.

use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::config::Tenant;
use crate::control::{Refused, bad_request, not_found, note, phone_number, tenant, whatsapp};
use crate::faults::{Api, Event};
use crate::media::{Blob, Kind, Medium};
use crate::outbox::{Button, Channel, Reaction, Sent, Shown, ShownMedia, Via};
use crate::phones::{Profile, e164};
use crate::world::Sims;
use crate::{graph, twilio};

/// The largest file that is made up.
const MAX_BYTES: u64 = 1024 * 1024 * 1024;

pub(crate) fn routes() -> Router<Sims> {
    Router::new()
        .route("/replies", post(send_reply))
        .route("/webhooks", post(send_webhook))
        .route("/shown-media/{id}", get(show_media))
}

/// Content of a customer's message.
#[derive(Debug)]
pub(crate) enum Said {
    Text(String),
    /// A button or a row of a message.
    Tapped(Box<Sent>, Button),
    Media(Box<SaidMedia>),
    Location(Value),
    /// Contacts in Meta's shape.
    Contacts(Vec<Value>),
    Reaction(Reaction),
    /// Something that WhatsApp does not hand over, by Meta's word for it.
    Unsupported(Option<String>),
    /// Any type, also one that does not exist yet.
    Other(String, Value),
}

#[derive(Debug)]
pub(crate) struct SaidMedia {
    pub(crate) id: String,
    pub(crate) medium: Medium,
    pub(crate) kind: Kind,
    pub(crate) caption: Option<String>,
    pub(crate) file_name: Option<String>,
    pub(crate) voice: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct MediaIn {
    mime: String,
    /// Default: by the type, or else a document.
    kind: Option<String>,
    /// The file in base64.
    bytes: Option<String>,
    /// Instead of `bytes`: a made-up file of this size.
    size: Option<u64>,
    caption: Option<String>,
    file_name: Option<String>,
    voice: Option<bool>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReactionIn {
    to: String,
    emoji: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ReplyIn {
    tenant: String,
    from: String,
    channel: Option<Channel>,
    /// The number of the business. Default: the one that wrote last, or else the first.
    to: Option<String>,
    repeat: Option<u32>,
    #[serde(default)]
    wait: bool,

    // One of these.
    #[serde(default)]
    text: String,
    /// The label or payload of a button of the business's messages.
    button: Option<String>,
    media: Option<MediaIn>,
    /// `latitude`, `longitude`, `name`, `address`, `url`.
    location: Option<Value>,
    contacts: Option<Vec<Value>>,
    reaction: Option<ReactionIn>,
    unsupported: Option<String>,
    /// A message of any type: `type`, and the field of that name.
    other: Option<Map<String, Value>>,

    /// Id of the message that it refers to.
    reply_to: Option<String>,
}

impl ReplyIn {
    /// The one thing that is said.
    fn take_content(&mut self, world: &Sims, tenant: &Tenant, from: &Sender<'_>) -> Result<Said, Refused> {
        let mut said = Vec::new();
        if !self.text.is_empty() {
            said.push(Said::Text(std::mem::take(&mut self.text)));
        }
        if let Some(label) = self.button.take() {
            said.push(from.tap(world, tenant, &label)?);
        }
        if let Some(media) = self.media.take() {
            said.push(Said::Media(Box::new(from.medium(world, tenant, media)?)));
        }
        if let Some(location) = self.location.take() {
            if !location["latitude"].is_number() || !location["longitude"].is_number() {
                return Err(bad_request("a location has a latitude and a longitude"));
            }
            said.push(Said::Location(location));
        }
        said.extend(self.contacts.take().map(Said::Contacts));
        if let Some(ReactionIn { to, emoji }) = self.reaction.take() {
            said.push(Said::Reaction(Reaction { to, emoji }));
        }
        if let Some(kind) = self.unsupported.take() {
            said.push(Said::Unsupported(Some(kind).filter(|kind| !kind.is_empty())));
        }
        if let Some(mut other) = self.other.take() {
            let kind = other.remove("type").and_then(|kind| kind.as_str().map(str::to_owned));
            let kind = kind.ok_or_else(|| bad_request("other needs a type"))?;
            let part = other.remove(&kind).unwrap_or_else(|| json!({}));
            said.push(Said::Other(kind, part));
        }
        match (said.pop(), said.is_empty()) {
            (Some(only), true) => Ok(only),
            _ => Err(bad_request(
                "a reply says one thing: a text, a button, media, a location …",
            )),
        }
    }
}

/// A customer's message, and who writes it.
pub(crate) struct Inbound<'a> {
    pub(crate) number: &'a str,
    pub(crate) name: &'a str,
    pub(crate) profile: &'a Profile,
    pub(crate) said: &'a Said,
    /// Id of the message that it answers.
    pub(crate) reply_to: Option<&'a str>,
}

/// Who writes, and how.
struct Sender<'a> {
    number: &'a str,
    channel: Channel,
    through_graph: bool,
}

impl Sender<'_> {
    fn tap(&self, world: &Sims, tenant: &Tenant, label: &str) -> Result<Said, Refused> {
        let state = world.state();
        let found = state
            .outbox
            .iter()
            .rev()
            .filter(|sent| sent.to == self.number && sent.tenant == tenant.id && sent.channel == self.channel)
            .find_map(|sent| {
                let wanted = |button: &&Button| button.text == label || button.payload.as_deref() == Some(label);
                let button = sent.shown.buttons.iter().find(wanted)?;
                Some(Said::Tapped(Box::new(sent.clone()), button.clone()))
            });
        found.ok_or_else(|| not_found("no message to this customer has this button"))
    }

    fn medium(&self, world: &Sims, tenant: &Tenant, input: MediaIn) -> Result<SaidMedia, Refused> {
        let kind = match &input.kind {
            None => Kind::of(&input.mime).unwrap_or(Kind::Document),
            Some(name) => Kind::of_name(name).ok_or_else(|| bad_request(format!("{name} is not a kind of media")))?,
        };
        let blob = match (&input.bytes, input.size) {
            (Some(_), Some(_)) => return Err(bad_request("media have bytes or a size")),
            (Some(bytes), None) => {
                let bytes = STANDARD
                    .decode(bytes)
                    .map_err(|_| bad_request("bytes are not base64"))?;
                Blob::Held(bytes.into())
            }
            (None, size) if size.is_some_and(|size| size > MAX_BYTES) => {
                return Err(bad_request("a made-up file has 1 GiB at most"));
            }
            (None, size) => Blob::of_type(&input.mime, size),
        };
        let (id, medium) = match (&tenant.whatsapp, &tenant.twilio) {
            (Some(account), _) if self.through_graph => {
                graph::receive(world, tenant, account, self.number, &input.mime, blob)
            }
            (_, Some(account)) => twilio::receive(world, tenant, account, self.number, &input.mime, blob),
            _ => return Err(not_found("this tenant has no such channel")),
        };
        Ok(SaidMedia {
            id,
            medium,
            kind,
            caption: input.caption,
            file_name: input.file_name,
            voice: input.voice.or((kind == Kind::Audio).then_some(false)),
        })
    }
}

impl Said {
    /// The message on the phone.
    fn message_on_phone(&self, reply_to: Option<&str>) -> Shown {
        let mut shown = match self {
            Self::Text(text) => Shown::text(text),
            Self::Tapped(sent, button) => Shown {
                quotes: Some(sent.id.clone()),
                ..Shown::text(&button.text)
            },
            Self::Media(media) => Shown {
                media: Some(ShownMedia {
                    kind: media.kind.as_str(),
                    url: format!("shown-media/{}", media.id),
                    mime: Some(media.medium.mime.clone()),
                    bytes: Some(media.medium.blob.size()),
                    file_name: media.file_name.clone(),
                    voice: media.voice.unwrap_or_default(),
                }),
                ..Shown::text(media.caption.as_deref().unwrap_or_default())
            },
            Self::Location(location) => Shown {
                location: Some(location.clone()),
                ..Shown::default()
            },
            Self::Contacts(contacts) => Shown {
                contacts: contacts.clone(),
                ..Shown::default()
            },
            Self::Reaction(reaction) => Shown {
                reaction: Some(reaction.clone()),
                ..Shown::default()
            },
            Self::Unsupported(kind) => Shown::text(format!("[{}]", kind.as_deref().unwrap_or("unsupported"))),
            Self::Other(kind, _) => Shown::text(format!("[{kind}]")),
        };
        shown.quotes = shown.quotes.or_else(|| reply_to.map(str::to_owned));
        shown
    }
}

async fn send_reply(State(world): State<Sims>, Json(mut input): Json<ReplyIn>) -> Result<Json<Value>, Refused> {
    let config = world.config();
    let tenant = tenant(&config, &input.tenant)?;
    let number = phone_number(&input.from)?;
    let channel = input.channel.unwrap_or(Channel::Whatsapp);
    let (last, name, profile) = {
        let mut state = world.state();
        let thread = |sent: &&Sent| sent.to == number && sent.tenant == tenant.id && sent.channel == channel;
        let last = state.outbox.iter().rev().find(thread).cloned();
        let phone = state.phone(&number);
        (last, phone.name(&number), phone.profile.clone())
    };
    let wrote_through = last.as_ref().map(|sent| sent.via);
    let through_graph = channel == Channel::Whatsapp && tenant.whatsapp.is_some() && wrote_through != Some(Via::Twilio);
    let sender = Sender {
        number: &number,
        channel,
        through_graph,
    };
    let said = input.take_content(&world, tenant, &sender)?;
    let reply_to = input.reply_to.as_deref();
    let inbound = Inbound {
        number: &number,
        name: &name,
        profile: &profile,
        said: &said,
        reply_to,
    };
    let last_number = || {
        last.as_ref()
            .map(|sent| sent.from.clone())
            .filter(|from| from.starts_with('+'))
    };
    let to_number = input.to.as_deref().and_then(e164).or_else(last_number);
    let (webhook, id, notice, window) = match (channel, &tenant.whatsapp, &tenant.twilio) {
        (Channel::Whatsapp, Some(account), _) if through_graph => {
            let (webhook, id) = graph::reply(&world, &config, tenant, account, &inbound);
            (webhook, id, None, Some(account.phone_number_id.clone()))
        }
        (Channel::Whatsapp, _, Some(account)) => {
            let to = account.whatsapp_sender.clone();
            let to = to.ok_or_else(|| not_found("this tenant has no WhatsApp number"))?;
            let sent = twilio::reply(&world, &config, tenant, account, &inbound, channel, &to);
            let (webhook, id, _) = sent.map_err(bad_request)?;
            (webhook, id, None, Some(to))
        }
        (Channel::Sms, _, Some(account)) => {
            let to = to_number.or_else(|| account.numbers.first().cloned());
            let to = to.ok_or_else(|| not_found("this tenant has no SMS number"))?;
            let sent = twilio::reply(&world, &config, tenant, account, &inbound, channel, &to);
            let (webhook, id, notice) = sent.map_err(bad_request)?;
            (webhook, id, notice, None)
        }
        _ => return Err(not_found("this tenant has no such channel")),
    };

    let copies = {
        let mut state = world.state();
        let shown = said.message_on_phone(reply_to);
        state.note(&number, note(&world, tenant, Some(channel), "in", shown, id.clone()));
        if let Some(notice) = notice {
            let (shown, id) = (Shown::text(notice), format!("{id}-notice"));
            state.note(&number, note(&world, tenant, Some(channel), "notice", shown, id));
        }
        // A reaction opens none.
        if let Some(sender) = window.filter(|_| !matches!(said, Said::Reaction(_))) {
            state.windows.insert((sender, number.clone()), world.now());
        }
        let api = if through_graph { Api::Graph } else { Api::Twilio };
        let copies = state.copies(Event::new(api, &tenant.id, Some(&number)));
        input.repeat.unwrap_or(copies).clamp(1, 20)
    };
    world.notify_viewers(&number);
    if !input.wait {
        world.deliver_later(&webhook, Duration::ZERO, copies);
        return Ok(Json(json!({"id": id})));
    }
    let _busy = world.busy();
    let mut status = 0;
    for _ in 0..copies {
        status = world.deliver(&webhook).await.status;
    }
    Ok(Json(json!({"id": id, "status": status})))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WebhookIn {
    tenant: String,
    /// `messages`, `standby`, `calls` …
    field: String,
    /// The fields beside the number's metadata.
    value: Map<String, Value>,
    /// Time of an event of the account, such as of a template, which has no metadata of a number.
    at: Option<Timestamp>,
    #[serde(default)]
    wait: bool,
}

/// A signed webhook of the tenant's number at Meta, or of its account, with any content.
async fn send_webhook(State(world): State<Sims>, Json(input): Json<WebhookIn>) -> Result<Json<Value>, Refused> {
    let config = world.config();
    let (tenant, account) = whatsapp(&config, &input.tenant)?;
    let value = Value::Object(input.value);
    let field = input.field.as_str();
    let webhook = match input.at {
        Some(at) => graph::account_webhook(&config, tenant, account, field, &value, at),
        None => graph::webhook(&config, tenant, account, field, field, value),
    };
    if !input.wait {
        world.deliver_later(&webhook, Duration::ZERO, 1);
        return Ok(Json(json!({})));
    }
    let _busy = world.busy();
    let status = world.deliver(&webhook).await.status;
    Ok(Json(json!({ "status": status })))
}

/// A file for the page. Whatever a customer sent stays harmless: nothing in it runs.
async fn show_media(State(world): State<Sims>, Path(id): Path<String>) -> Response {
    let Some(medium) = world.state().media.get(&id).cloned() else {
        return (StatusCode::NOT_FOUND, "gone").into_response();
    };
    let mut answer = medium.answer();
    let headers = answer.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(
        CONTENT_SECURITY_POLICY,
        HeaderValue::from_static("default-src 'none'; sandbox"),
    );
    if Kind::of(&medium.mime).is_none_or(|kind| kind == Kind::Document) {
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
    }
    answer
}
