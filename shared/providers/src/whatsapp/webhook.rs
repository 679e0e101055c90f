//! Meta's webhooks: a post contains accounts, an account changes, a change messages and statuses.
//!
//! [`split`] cuts a post into changes without touching their bytes, and a very large change into several; [`updates`]
//! parses one change. Every field is optional there: an unreadable item becomes [`Update::Unknown`] and does not affect the
//! others.
//! Source of the formats: developers.facebook.com, "Webhooks reference"; the fixtures contain one of each kind.

mod pieces;

use domain::Timestamp;
use domain::media::{FileName, InboundMedia, MediaKind};
use domain::messages::{
    AttemptState, Cost, EDIT, InboundMessage, MAX_CARDS, MAX_OF_CARD, REACTION, REVOCATION, Sender, Shared, SharedCard,
    SharedLocation, Stage, Status, StatusReport, TEMPLATE, Update, classify_error, is_notice,
};
use domain::money::Money;
use domain::templates::{ReportedContent, TemplateButton, TemplateKey, TemplateReport, reason_line};
use domain::tenants::{Dated, Quality, Reported};
use domain::terms::{Api, Channel, ErrorClass, MAX_FOREIGN_TEXT_LENGTH, Phone, ProviderRef, ShownName, cut_to_bytes};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::check::{self, HIGH_THROUGHPUT, limit};
use super::{bsuid, templates};
use crate::label;
use crate::media::sha256;
use crate::outcome::given_up;
use crate::times::unix_seconds;

/// A change of a webhook's post, with the ids of its owner. Travels whole through a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The WhatsApp Business Account, `entry[].id`; empty if the entry has no valid one.
    pub waba_id: String,
    /// The business's number, `value.metadata.phone_number_id`; account and template events have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone_number_id: Option<String>,
    /// The webhook field, such as `messages`.
    pub field: String,
    /// `entry[].time`, which only account and template events have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// Time of receipt, for items without a time of their own. [`split`] has no clock: the receiver sets it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub received_at: Option<Timestamp>,
    /// Place of its first item among all items of the post.
    #[serde(default)]
    pub place: u32,
    /// The change's JSON, `{"value", "field"}`, byte for byte; for a large one a piece, with the items byte for byte. A text and not
    /// nested JSON, because a queue's tagged job could not preserve the bytes of nested JSON.
    pub raw: String,
}

/// A signed post that is not a WhatsApp webhook. It is stored raw and answered with 200, because a provider must not
/// retry it forever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Not the JSON of an envelope. The parser's message is omitted, because it quotes the input.
    #[error("the webhook's body is not the JSON that Meta describes (line {line}, column {column})")]
    NotJson { line: usize, column: usize },
    /// JSON of another product.
    #[error("the webhook is not about a WhatsApp account")]
    OtherObject,
    /// More changes than any number of events that fits in a post.
    #[error("the webhook contains more or larger changes than possible")]
    TooMuch,
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    object: Option<&'a RawValue>,
    #[serde(borrow, default)]
    entry: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow, default)]
    id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    time: Option<&'a RawValue>,
    #[serde(borrow, default)]
    changes: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Peek<'a> {
    #[serde(borrow, default)]
    field: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct PeekValue<'a> {
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    /// In its place, where a conversation passes to another responder.
    #[serde(borrow, default)]
    recipient: Option<&'a RawValue>,
}

/// A change's own fields. Nothing that Meta describes is longer; longer values count as missing.
fn short(raw: Option<&RawValue>) -> Value {
    const MAX_LENGTH: usize = 1024;
    let text = raw.map(RawValue::get).filter(|text| text.len() <= MAX_LENGTH);
    text.and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The number of a change's value: none if it names none, and an invalid one if it cannot be parsed.
fn number(value: Option<&RawValue>) -> Result<Option<String>, NoNumber> {
    let Some(value) = value.filter(|value| value.get().starts_with('{')) else {
        return Ok(None);
    };
    let said = serde_json::from_str::<PeekValue<'_>>(value.get()).map_err(|_| NoNumber)?;
    let said = said.metadata.or(said.recipient);
    let metadata = short(said);
    if said.is_some() && metadata.is_null() {
        return Err(NoNumber);
    }
    match &metadata["phone_number_id"] {
        Value::Null => Ok(None),
        named => id(named).map(Some).ok_or(NoNumber),
    }
}

/// A number that cannot exist.
struct NoNumber;

/// The field of a change that could not be parsed at all.
const UNREADABLE: &str = "unreadable";

/// Fields that contain items, as many as fit in a post. Their changes are cut.
const OF_ITEMS: [&str; 5] = ["messages", "calls", "user_preferences", "standby", "smb_message_echoes"];

/// Maximum changes of a post, including pieces: as many as fit in 3 MB if each has one status and nothing else.
const MAX_CHANGES: usize = 10_000;
/// Maximum bytes of all changes together. Shared members are part of each piece.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// Places of a change's items in its post. A piece has at most 50, each with an event of an unknown kind beside it.
const PLACES: u32 = 128;

/// Cuts a post into its changes. A change with more than 50 items, or too large for a queue's message, is cut into several that
/// together give the same result.
///
/// # Errors
/// When the whole is not a WhatsApp webhook, or contains more than is possible. A single unreadable entry or change only becomes a
/// change of its own.
pub fn split(body: &[u8]) -> Result<Vec<Change>, Unreadable> {
    let envelope: Envelope<'_> = serde_json::from_slice(body).map_err(|error| Unreadable::NotJson {
        line: error.line(),
        column: error.column(),
    })?;
    if short(envelope.object) != "whatsapp_business_account" {
        return Err(Unreadable::OtherObject);
    }
    let mut found = Vec::new();
    let mut bytes = 0;
    let mut add = |change: Change| {
        bytes += change.raw.len();
        let place = u32::try_from(found.len()).unwrap_or(u32::MAX).saturating_mul(PLACES);
        found.push(Change { place, ..change });
        let fits = found.len() <= MAX_CHANGES && bytes <= MAX_BYTES;
        fits.then_some(()).ok_or(Unreadable::TooMuch)
    };
    for raw in envelope.entry {
        // An array would be parsed field by field.
        let entry = raw
            .get()
            .starts_with('{')
            .then(|| serde_json::from_str::<Entry<'_>>(raw.get()).ok());
        let Some(entry) = entry.flatten() else {
            add(Change {
                waba_id: String::new(),
                phone_number_id: None,
                field: UNREADABLE.to_owned(),
                time: None,
                received_at: None,
                place: 0,
                raw: raw.get().to_owned(),
            })?;
            continue;
        };
        let waba_id = id(&short(entry.id)).unwrap_or_default();
        let time = unix_seconds(&short(entry.time));
        for raw in entry.changes {
            let peek = serde_json::from_str::<Peek<'_>>(raw.get()).ok();
            let field = peek.as_ref().and_then(|peek| short(peek.field).as_str().map(label));
            let number = peek.map_or(Err(NoNumber), |peek| number(peek.value));
            // Without its number, it would be an event of the whole account.
            let field = field.filter(|_| number.is_ok());
            let field = field.unwrap_or_else(|| UNREADABLE.to_owned());
            let number = number.unwrap_or_default();
            let pieces = OF_ITEMS.contains(&field.as_str()).then(|| pieces::of(raw)).flatten();
            let change = |raw: String| Change {
                waba_id: waba_id.clone(),
                phone_number_id: number.clone(),
                field: field.clone(),
                time,
                received_at: None,
                place: 0,
                raw,
            };
            match pieces {
                Some(pieces) => pieces.map(change).try_for_each(&mut add)?,
                None => add(change(raw.get().to_owned()))?,
            }
        }
    }
    Ok(found)
}

/// Parses a change. Items are in the order of the change; a change of a known field without any item is one
/// [`Update::Unknown`].
pub fn updates(change: &Change) -> Vec<Update> {
    let mut raw: Value = serde_json::from_str(&change.raw).unwrap_or_default();
    let value = &flat(raw.get_mut("value").map(Value::take).unwrap_or_default());
    let fallback_time = change.time.or(change.received_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let found = match change.field.as_str() {
        "messages" | "calls" | "user_preferences" | "smb_message_echoes" => conversation(value, false, fallback_time),
        "standby" => conversation(value, true, fallback_time),
        "messaging_handovers" => vec![handover(value, fallback_time)],
        field => {
            let at = change
                .received_at
                .map_or(fallback_time, |heard| fallback_time.min(heard));
            template(field, value, at)
                .or_else(|| account(field, value))
                .into_iter()
                .chain(limits(field, value, at))
                .collect()
        }
    };
    if found.is_empty() {
        return vec![unknown(&change.field)];
    }
    found
}

/// Whether a change holds reports on messages and nothing else. What cannot be read may be anything.
pub fn only_statuses(change: &Change) -> bool {
    change.field == "messages" && pieces::only_statuses(&change.raw)
}

fn unknown(kind: &str) -> Update {
    Update::Unknown { kind: label(kind) }
}

/// A value that Meta writes as text or as a number.
fn text_or_number(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// An id of an account or number. It is part of a table key that leads to its owner, so it is ignored if it is too long or has other
/// characters than digits.
fn id(value: &Value) -> Option<String> {
    const MAX_LENGTH: usize = 64;
    text_or_number(value).filter(|text| text.len() <= MAX_LENGTH && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn text(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(ToOwned::to_owned)
}

/// The id of a message or call, unless it is too long.
fn reference(value: &Value) -> Option<ProviderRef> {
    value.as_str()?.parse().ok()
}

fn phone(value: &Value) -> Option<Phone> {
    // Only if all characters are digits: an identifier never becomes a number by dropping other characters.
    Phone::from_digits(value.as_str()?).ok()
}

fn user_id(value: &Value) -> Option<String> {
    value.as_str().and_then(bsuid)
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().map_or(&[], Vec::as_slice)
}

/// Meta's reference has the lists of a copy within `standby`, beside the metadata; they are read as if they stood in its place.
fn flat(mut value: Value) -> Value {
    if let Some(members) = value.as_object_mut()
        && members.get("standby").is_some_and(Value::is_object)
        && let Some(Value::Object(copied)) = members.remove("standby")
    {
        members.extend(copied);
    }
    value
}

/// Everything about one person: messages, statuses, WhatsApp calls, preferences.
fn conversation(value: &Value, standby: bool, fallback_time: Timestamp) -> Vec<Update> {
    let people = items(value, "contacts");
    let mut found = Vec::new();
    for item in items(value, "messages").iter().chain(items(value, "standby")) {
        found.extend(message(item, people, standby, fallback_time));
    }
    for item in items(value, "message_echoes") {
        found.extend(by_phone(item, standby, fallback_time));
    }
    for item in items(value, "statuses") {
        found.push(status(item, people, fallback_time));
    }
    for item in items(value, "calls") {
        found.push(call(item, people, fallback_time));
    }
    for item in items(value, "user_preferences") {
        found.push(preference(item, people, fallback_time));
    }
    for item in items(value, "errors") {
        found.push(value_error(item));
    }
    // Reactions to marketing messages: kept with the whole change.
    found.extend(items(value, "user_actions").iter().map(|_| unknown("user_actions")));
    found
}

/// The person, joined with their entry in `contacts[]`. `None` if neither number nor id is known.
fn sender(people: &[Value], phone: Option<Phone>, bsuid: Option<String>) -> Option<Sender> {
    let same = |person: &&Value| {
        let by_id = bsuid.is_some() && user_id(&person["user_id"]) == bsuid;
        let by_phone = phone.is_some() && self::phone(&person["wa_id"]) == phone;
        by_id || by_phone
    };
    let person = people.iter().find(same).or(match people {
        [only] if phone.is_none() && bsuid.is_none() => Some(only),
        _ => None,
    });
    let sender = Sender {
        phone: phone.or_else(|| self::phone(&person?["wa_id"])),
        bsuid: bsuid.or_else(|| user_id(&person?["user_id"])),
        sender_id: None,
        name: person.and_then(|person| ShownName::of(person["profile"]["name"].as_str()?)),
    };
    (sender.phone.is_some() || sender.bsuid.is_some()).then_some(sender)
}

/// A message written in the app of the business's own phone: as any other, but its person is in `to`. The form is that
/// of client libraries and of copies of Meta's reference; no such webhook of Meta's has been seen. `timestamp` is taken
/// for the time of sending, though the copies call it the time of triggering the webhook: a report that is late moves
/// the message with it.
///
/// A message of another responder (`standby`) has its request within `message`, whose `recipient` can be an id. A
/// template is shown by its name.
fn by_phone(item: &Value, standby: bool, fallback_time: Timestamp) -> Vec<Update> {
    let Some(members) = item.as_object() else {
        return vec![unknown("message_echoes")];
    };
    let mut turned = members.clone();
    if let Some(Value::Object(request)) = turned.remove("message") {
        turned.extend(request);
    }
    // Sent as the app has it, so perhaps with a plus sign.
    let to = turned.get("to").or(turned.get("recipient")).and_then(Value::as_str);
    let to = to.map(|to| Value::from(to.strip_prefix('+').unwrap_or(to)));
    let user = turned.get("to_user_id").or(turned.get("recipient")).cloned();
    turned.insert("from".to_owned(), to.into());
    turned.insert("from_user_id".to_owned(), user.into());
    let is_template = turned.get("type").is_some_and(|kind| kind == TEMPLATE);
    if is_template {
        let name = item["message"][TEMPLATE]["name"].clone();
        turned.insert("type".to_owned(), "text".into());
        turned.insert("text".to_owned(), json!({ "body": name }));
    }
    let read = message(&Value::Object(turned), &[], standby, fallback_time);
    let read = read.into_iter().map(|update| match update {
        Update::Message(message) if is_template => Update::ByPhone(InboundMessage {
            kind: TEMPLATE.to_owned(),
            ..message
        }),
        Update::Message(message) => Update::ByPhone(message),
        Update::Unknown { kind } => Update::Unknown { kind },
        _ => unknown("message_echoes"),
    });
    read.collect()
}

/// A message of a type that is not known is stored as unsupported, and is an unknown event beside.
fn message(item: &Value, people: &[Value], standby: bool, fallback_time: Timestamp) -> Vec<Update> {
    let named = item["type"].as_str().map(label).filter(|kind| !kind.is_empty());
    if named.as_deref() == Some("system") {
        return vec![system(item)];
    }
    let known = named.as_deref().and_then(|kind| content(kind, item));
    let strange = known.is_none().then(|| match &named {
        Some(kind) => unknown(&format!("messages/{kind}")),
        None => unknown("messages/without type"),
    });
    let kind = match named {
        Some(kind) if kind == UNSUPPORTED => unsupported_type(item),
        Some(kind) if known.is_some() || is_notice(&kind) => kind,
        Some(_) | None => UNSUPPORTED.to_owned(),
    };
    if !item["group_id"].is_null() {
        // A group is not one customer, so neither its window nor its STOP applies to anybody.
        return vec![unknown("messages/group")];
    }
    let Some(provider_ref) = reference(&item["id"]) else {
        return vec![strange.unwrap_or_else(|| unknown("messages/without id"))];
    };
    let Some(from) = sender(people, phone(&item["from"]), user_id(&item["from_user_id"])) else {
        return vec![strange.unwrap_or_else(|| unknown("messages/without sender"))];
    };
    let content = known.unwrap_or_default();
    let (text, text_cut) = cut_text(content.text);
    let (payload, payload_cut) = cut_text(content.payload);
    let message = Update::Message(InboundMessage {
        channel: Channel::WhatsApp,
        provider_ref,
        from,
        // The connection is the number's.
        to: None,
        at: unix_seconds(&item["timestamp"]).unwrap_or(fallback_time),
        cut: text_cut || payload_cut,
        text,
        payload,
        media: content.media.into_iter().collect(),
        shared: content.shared,
        reply_to: content.about.or_else(|| reference(&item["context"]["id"])),
        opt_flag: None,
        standby,
        opens_window: opens_window(&kind),
        kind,
    });
    [Some(message), strange].into_iter().flatten().collect()
}

/// Meta's word for a message whose content the API does not show.
pub(crate) const UNSUPPORTED: &str = "unsupported";

/// The type of an item that the API shows by its type alone, if it is no message, or the edit of one.
fn unsupported_type(item: &Value) -> String {
    let kind = item[UNSUPPORTED]["type"].as_str();
    let kind = kind.filter(|kind| matches!(*kind, REACTION | REVOCATION | EDIT) || is_notice(kind));
    kind.unwrap_or(UNSUPPORTED).to_owned()
}

fn cut_text(text: Option<String>) -> (Option<String>, bool) {
    match text.map(|text| cut_to_bytes(text, MAX_FOREIGN_TEXT_LENGTH)) {
        Some((text, cut)) => (Some(text), cut),
        None => (None, false),
    }
}

/// Only a message that the user certainly wrote opens the window. Whether a reaction does is not documented; an edit or a revocation
/// is not a new message; an unsupported one may be a notice of the platform. If wrongly closed, a template is sent; if wrongly open,
/// a message is refused.
pub(crate) fn opens_window(kind: &str) -> bool {
    !matches!(kind, REACTION | EDIT | REVOCATION | UNSUPPORTED) && !is_notice(kind)
}

/// Whether a type of messages is known. Through Twilio, they have the same names.
pub(crate) fn is_known(kind: &str) -> bool {
    content(kind, &Value::Null).is_some()
}

/// The content of a message, by type.
#[derive(Default)]
struct Carried {
    text: Option<String>,
    payload: Option<String>,
    media: Option<InboundMedia>,
    shared: Option<Shared>,
    /// The message that it reacts to, edits or revokes.
    about: Option<ProviderRef>,
}

/// `None` for an unknown type.
fn content(kind: &str, item: &Value) -> Option<Carried> {
    let own = &item[kind];
    let carried = match kind {
        "text" => Carried {
            text: text(&own["body"]),
            ..Carried::default()
        },
        "image" | "video" | "audio" | "document" | "sticker" => Carried {
            // Some phones send the file's name as its caption.
            text: text(&own["caption"]).filter(|caption| own["filename"] != **caption),
            media: medium(MediaKind::from_name(kind), own),
            ..Carried::default()
        },
        "location" => Carried {
            text: location(own),
            shared: place(own).map(Shared::Location),
            ..Carried::default()
        },
        "contacts" => Carried {
            text: shared_contacts(own),
            shared: cards(own).map(Shared::Contacts),
            ..Carried::default()
        },
        "interactive" => interactive(own),
        "button" => Carried {
            text: text(&own["text"]),
            payload: text(&own["payload"]),
            ..Carried::default()
        },
        REACTION => Carried {
            text: text(&own["emoji"]),
            about: reference(&own["message_id"]),
            ..Carried::default()
        },
        "order" => Carried {
            text: order(own),
            ..Carried::default()
        },
        EDIT => {
            let message = &own["message"];
            // A typed message can be edited.
            let edited = message["type"].as_str();
            let edited = edited.filter(|kind| *kind == "text" || MediaKind::from_name(kind).is_some());
            Carried {
                about: reference(&own["original_message_id"]),
                ..edited.and_then(|kind| content(kind, message)).unwrap_or_default()
            }
        }
        REVOCATION => Carried {
            about: reference(&own["original_message_id"]),
            ..Carried::default()
        },
        UNSUPPORTED | "request_welcome" => Carried::default(),
        _ => return None,
    };
    Some(carried)
}

/// A medium, unless what names it is too long.
fn medium(kind: Option<MediaKind>, own: &Value) -> Option<InboundMedia> {
    let fits = |text: &String| text.len() <= InboundMedia::MAX_LENGTH;
    let source = text_or_number(&own["id"]).or_else(|| text(&own["url"])).filter(fits)?;
    Some(InboundMedia {
        kind,
        mime: text(&own["mime_type"]).filter(fits),
        sha256: own["sha256"].as_str().and_then(sha256),
        file_name: own["filename"].as_str().and_then(FileName::of),
        voice: own["voice"] == true,
        animated: own["animated"] == true,
        ..InboundMedia::new(source)
    })
}

fn interactive(own: &Value) -> Carried {
    let reply = own["type"].as_str().map_or(&Value::Null, |kind| &own[kind]);
    let said = ["title", "body", "response"]
        .into_iter()
        .find_map(|name| text(&reply[name]));
    // A message of another responder has the form of a request.
    let said = said.or_else(|| text(&own["body"]["text"]));
    let sent_back = ["id", "response_json"].into_iter().find_map(|name| text(&reply[name]));
    Carried {
        text: said,
        payload: sent_back,
        ..Carried::default()
    }
}

fn join_parts(parts: impl IntoIterator<Item = Option<String>>) -> Option<String> {
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join(", "))
}

fn location(own: &Value) -> Option<String> {
    let position = match (own["latitude"].as_f64(), own["longitude"].as_f64()) {
        (Some(latitude), Some(longitude)) => Some(format!("{latitude}, {longitude}")),
        _ => None,
    };
    join_parts([text(&own["name"]), text(&own["address"]), position])
}

fn place(own: &Value) -> Option<SharedLocation> {
    let (latitude, longitude) = (own["latitude"].as_f64()?, own["longitude"].as_f64()?);
    SharedLocation::of(latitude, longitude, own["name"].as_str(), own["address"].as_str())
}

/// The first cards, as far as something can be read on them.
fn cards(own: &Value) -> Option<Vec<SharedCard>> {
    let read = |value: &Value| ShownName::of(value.as_str()?);
    let parts = |card: &Value, list: &str, part: &str| {
        let parts = items(card, list).iter().take(MAX_OF_CARD);
        parts.filter_map(|entry| read(&entry[part])).collect()
    };
    let cards = own.as_array()?.iter().take(MAX_CARDS).map(|card| SharedCard {
        name: read(&card["name"]["formatted_name"]),
        organization: read(&card["org"]["company"]),
        phones: parts(card, "phones", "phone"),
        emails: parts(card, "emails", "email"),
    });
    let mut bytes = 0;
    let cards = cards.filter(|card| card.bytes() > 0).take_while(|card| {
        bytes += card.bytes();
        bytes <= SharedCard::MAX_BYTES
    });
    let cards: Vec<_> = cards.collect();
    (!cards.is_empty()).then_some(cards)
}

/// Names and numbers of the contacts that the customer shares, for people to read.
fn shared_contacts(own: &Value) -> Option<String> {
    let cards = own.as_array()?.iter().map(|card| {
        let numbers = items(card, "phones").iter().map(|entry| text(&entry["phone"]));
        join_parts([text(&card["name"]["formatted_name"])].into_iter().chain(numbers))
    });
    join_parts(cards)
}

fn order(own: &Value) -> Option<String> {
    let wanted = items(own, "product_items").iter().map(|product| {
        let what = text_or_number(&product["product_retailer_id"])?;
        Some(
            text_or_number(&product["quantity"])
                .map_or_else(|| what.clone(), |quantity| format!("{quantity} × {what}")),
        )
    });
    join_parts([text(&own["text"])].into_iter().chain(wanted))
}

/// A customer got a new number or id. Older webhooks use other names and contain no ids. The sender is the number of before.
fn system(item: &Value) -> Update {
    let own = &item["system"];
    let kind = own["type"].as_str().map(label).unwrap_or_default();
    let before = phone(&item["from"]).or_else(|| phone(&own["customer"]));
    let previous = sender(&[], before, user_id(&own["previous_user_id"]));
    let phone = phone(&own["wa_id"]).or_else(|| phone(&own["new_wa_id"]));
    let now = sender(&[], phone, user_id(&own["user_id"]));
    match (kind.as_str(), previous, now) {
        ("user_changed_number" | "user_changed_user_id" | "customer_changed_number", Some(previous), Some(now)) => {
            Update::IdentityChanged { previous, now }
        }
        _ => unknown(&format!("system/{kind}")),
    }
}

fn status(item: &Value, people: &[Value], fallback_time: Timestamp) -> Update {
    let word = item["status"].as_str().map(label).unwrap_or_default();
    let state = match word.as_str() {
        "sent" => AttemptState::Sent,
        "delivered" => AttemptState::Delivered,
        "read" | "played" => AttemptState::Read,
        "failed" => AttemptState::Failed,
        _ => return unknown(&format!("statuses/{word}")),
    };
    // Only the id identifies the message for certain: a failed status may lack the recipient.
    let Some(provider_ref) = reference(&item["id"]) else {
        return unknown("statuses/without id");
    };
    let to_group = item["recipient_type"] == "group";
    let phone = phone(&item["recipient_id"]).filter(|_| !to_group);
    let people = if to_group { &[] } else { people };
    let error_code = items(item, "errors").iter().find_map(|error| error["code"].as_i64());
    let error = (state == AttemptState::Failed).then(|| given_up(Api::WhatsAppCloud, error_code));
    Update::Status(Status {
        key: item["biz_opaque_callback_data"]
            .as_str()
            .and_then(|key| key.parse().ok()),
        report: StatusReport {
            state,
            at: unix_seconds(&item["timestamp"]).unwrap_or(fallback_time),
            provider_ref,
            error,
            cost: cost(&item["pricing"]),
        },
        recipient: sender(people, phone, user_id(&item["recipient_user_id"])).unwrap_or_default(),
        error_code,
    })
}

/// `billable` is deprecated and may be missing: only the type `regular` is billed, and types named `free_…` are free.
/// For new types, this is unknown. Before July 2025 (model CBP) there was no type. Templates with a maximum price carry
/// an estimate of their cost.
fn cost(pricing: &Value) -> Option<Cost> {
    let category = pricing["category"].as_str().map(label)?;
    let kind = pricing["type"].as_str().map(label);
    let billable = match kind.as_deref() {
        Some("regular") => Some(true),
        Some(kind) => kind.starts_with("free_").then_some(false),
        None => pricing["billable"].as_bool(),
    };
    Some(Cost {
        category,
        kind,
        billable,
        units: 1,
        amount: amount(&pricing["cost"]),
    })
}

/// The amount is a number or a text.
fn amount(cost: &Value) -> Option<Money> {
    let amount = match &cost["amount"] {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return None,
    };
    Money::from_report(&amount, cost["currency"].as_str()?)
}

fn call(item: &Value, people: &[Value], fallback_time: Timestamp) -> Update {
    let direction = item["direction"].as_str().map(label).unwrap_or_default();
    if direction != "USER_INITIATED" {
        return unknown(&format!("calls/{direction}"));
    }
    let from = sender(people, phone(&item["from"]), user_id(&item["from_user_id"]));
    match (from, reference(&item["id"])) {
        (Some(from), Some(provider_ref)) => Update::WhatsAppCall {
            from,
            provider_ref,
            at: unix_seconds(&item["timestamp"]).unwrap_or(fallback_time),
        },
        _ => unknown("calls/without sender or id"),
    }
}

fn preference(item: &Value, people: &[Value], fallback_time: Timestamp) -> Update {
    let category = item["category"].as_str().map(label).unwrap_or_default();
    let wish = item["value"].as_str().map(label).unwrap_or_default();
    let welcome = match (category.as_str(), wish.as_str()) {
        ("marketing_messages", "stop") => false,
        ("marketing_messages", "resume" | "signup") => true,
        _ => return unknown(&format!("user_preferences/{category}/{wish}")),
    };
    let Some(from) = sender(people, phone(&item["wa_id"]), user_id(&item["user_id"])) else {
        return unknown("user_preferences/without user");
    };
    Update::MarketingPreference {
        from,
        welcome,
        at: unix_seconds(&item["timestamp"]).unwrap_or(fallback_time),
    }
}

/// Who answers a conversation from now on. Meta tells the new responder that it was passed, and the former one that it was taken. Passed to
/// its own agent, it is not ours in any case.
fn handover(value: &Value, fallback_time: Timestamp) -> Update {
    let kind = value["type"].as_str().map(label).unwrap_or_default();
    let passed = match kind.as_str() {
        "control_passed" => value[&kind]["new_owner_role"] != "ai_agent",
        "control_taken" => false,
        _ => return unknown(&format!("messaging_handovers/{kind}")),
    };
    let user = &value["sender"];
    let number = user["phone_number"]
        .as_str()
        .or(user["wa_id"].as_str())
        .unwrap_or_default();
    let number = Phone::from_digits(number.strip_prefix('+').unwrap_or(number)).ok();
    match sender(items(value, "contacts"), number, user_id(&user["user_id"])) {
        Some(from) => Update::Handover {
            from,
            passed,
            at: unix_seconds(&value["timestamp"]).unwrap_or(fallback_time),
        },
        None => unknown("messaging_handovers/without sender"),
    }
}

/// An error about the number as a whole, without a message.
fn value_error(item: &Value) -> Update {
    let Some(code) = item["code"].as_i64() else {
        return unknown("errors/without code");
    };
    let class = classify_error(Api::WhatsAppCloud, Stage::Status, None, Some(code)).class;
    Update::Account {
        field: "errors".to_owned(),
        event: code.to_string(),
        restricts: class == ErrorClass::TenantMustAct,
    }
}

/// Reports about a template itself.
fn template(field: &str, value: &Value, at: Timestamp) -> Option<Update> {
    let word = |name: &str| value[name].as_str().map(label).filter(|word| !word.is_empty());
    let named = |name: &str| value[name].as_str();
    let key = TemplateKey::new(named("message_template_name")?, named("message_template_language")?)?;
    let report = TemplateReport {
        provider_id: templates::id_of(&value["message_template_id"]),
        ..TemplateReport::of(key, at)
    };
    let report = match field {
        "message_template_status_update" => TemplateReport {
            status: Some(templates::status(&word("event")?)),
            reason: status_reason(value),
            category: word("message_template_category").as_deref().and_then(super::category),
            ..report
        },
        // An announced change names the future category.
        "template_category_update" if value["correct_category"].is_null() => TemplateReport {
            category: Some(super::category(&word("new_category")?)?),
            ..report
        },
        "message_template_quality_update" => TemplateReport {
            quality: Some(super::quality(&word("new_quality_score")?)),
            ..report
        },
        "message_template_components_update" => TemplateReport {
            content: Some(reported_content(value)?),
            ..report
        },
        _ => return None,
    };
    Some(Update::Template(report))
}

/// Why a template has its new state: of a rejection Meta's advice, of a pause its title.
fn status_reason(value: &Value) -> Option<String> {
    let texts = |object: &str, names: [&str; 2]| {
        let texts = names.iter().filter_map(|name| text(&value[object][*name]));
        let joined = texts.collect::<Vec<_>>().join(" ");
        (!joined.is_empty()).then_some(joined)
    };
    let word = || text(&value["reason"]).filter(|reason| reason != "NONE");
    let told =
        texts("rejection_info", ["reason", "recommendation"]).or_else(|| texts("other_info", ["title", "description"]));
    reason_line(&told.or_else(word)?)
}

/// The new texts and buttons of a template.
fn reported_content(value: &Value) -> Option<ReportedContent> {
    const MAX_LENGTH: usize = 4_000;
    const MAX: usize = 20;
    let bounded = |value: &Value| text(value).filter(|text| text.chars().count() <= MAX_LENGTH);
    let part = |name: &str| bounded(&value[name]);
    let button = |item: &Value| {
        let part = |name: &str| bounded(&item[name]);
        Some(TemplateButton {
            kind: super::button_kind(item["message_template_button_type"].as_str()?)?,
            text: part("message_template_button_text").unwrap_or_default(),
            url: part("message_template_button_url"),
            sample: None,
            phone_number: part("message_template_button_phone_number"),
        })
    };
    let buttons = items(value, "message_template_buttons");
    Some(ReportedContent {
        header: part("message_template_title"),
        body: part("message_template_element")?,
        footer: part("message_template_footer"),
        buttons: buttons.iter().take(MAX).map(button).collect::<Option<_>>()?,
    })
}

/// Template, number and account events.
fn account(field: &str, value: &Value) -> Option<Update> {
    let word = |name: &str| value[name].as_str().map(label).filter(|word| !word.is_empty());
    // An event that does not name a template is unknown, and is stored whole.
    let template = || {
        let named = |key: &str| value[key].as_str();
        let (name, language) = (named("message_template_name")?, named("message_template_language")?);
        TemplateKey::new(name, language).map(|_| format!("{name}, {language}"))
    };
    let (event, restricts) = match field {
        "template_category_update" => (category_change(&template()?, value)?, false),
        "phone_number_quality_update" | "security" => (word("event")?, false),
        "phone_number_name_update" => (word("decision")?, false),
        "business_capability_update" => (
            word("max_daily_conversations_per_business")
                .or_else(|| text_or_number(&value["max_daily_conversation_per_phone"]))?,
            false,
        ),
        "account_review_update" => {
            let decision = word("decision")?;
            let restricts = decision == "REJECTED";
            (decision, restricts)
        }
        "account_alerts" => {
            let alert = value["alert_info"]["alert_type"]
                .as_str()
                .or(value["alert_type"].as_str());
            (label(alert?), false)
        }
        "account_update" => {
            let event = word("event")?;
            let restricts = restricts(&event, value);
            (event, restricts)
        }
        _ => return None,
    };
    Some(Update::Account {
        field: field.to_owned(),
        event,
        restricts,
    })
}

/// A number's rating and limits in an event. Source: developers.facebook.com, "phone_number_quality_update" and
/// "business_capability_update". An earlier edition, which other providers still quote, describes `FLAGGED` as a bad rating.
fn limits(field: &str, value: &Value, at: Timestamp) -> Option<Update> {
    let word = |name: &str| value[name].as_str();
    let (event, older_limit) = match field {
        "phone_number_quality_update" => (word("event"), word("current_limit").and_then(limit)),
        "business_capability_update" => (None, finite_count(&value["max_daily_conversation_per_phone"])),
        _ => return None,
    };
    let customers_per_day = word("max_daily_conversations_per_business").and_then(limit);
    let quality = match event {
        Some("FLAGGED") => Some(Quality::Red),
        // Better, but Meta does not say how much.
        Some("UNFLAGGED") => Some(Quality::Unknown),
        _ => None,
    };
    let reported = Reported {
        quality: quality.map(|value| Dated { at, value }),
        messages_per_second: (event == Some("THROUGHPUT_UPGRADE")).then_some(Dated {
            at,
            value: HIGH_THROUGHPUT,
        }),
        customers_per_day: customers_per_day.or(older_limit).map(|value| Dated { at, value }),
    };
    (!reported.is_empty()).then(|| Update::Limits {
        number: word("display_phone_number").and_then(check::phone),
        reported,
    })
}

/// A count, unless it is one of those that mean "no limit".
fn finite_count(value: &Value) -> Option<u32> {
    value
        .as_u64()
        .filter(|count| *count > 0)
        .and_then(|count| u32::try_from(count).ok())
}

/// Meta first announces a correction (`correct_category`), then reports it (`previous_category`).
fn category_change(template: &str, value: &Value) -> Option<String> {
    let word = |name: &str| value[name].as_str().map(label);
    match (
        word("correct_category"),
        word("previous_category"),
        word("new_category"),
    ) {
        (Some(correct), _, _) => Some(format!("{template}: will be {correct}")),
        (None, Some(previous), Some(new)) => Some(format!("{template}: {previous} became {new}")),
        (None, _, Some(new)) => Some(format!("{template}: {new}")),
        (None, _, None) => None,
    }
}

/// True if an account event forbids sending. The reactions are our policy.
fn restricts(event: &str, value: &Value) -> bool {
    match event {
        // A list of restrictions: some, such as adding numbers, do not concern sending.
        "ACCOUNT_RESTRICTION" => {
            let kinds = items(value, "restriction_info");
            kinds.is_empty()
                || kinds.iter().any(|kind| {
                    kind["restriction_type"]
                        .as_str()
                        .is_none_or(|kind| kind.contains("MESSAGING"))
                })
        }
        "DISABLED_UPDATE" => !matches!(
            value["ban_info"]["waba_ban_state"].as_str(),
            Some("REINSTATE" | "SCHEDULE_FOR_DISABLE")
        ),
        "ACCOUNT_VIOLATION"
        | "ACCOUNT_DELETED"
        | "PARTNER_REMOVED"
        | "PARTNER_APP_UNINSTALLED"
        | "ACCOUNT_OFFBOARDED" => true,
        _ => false,
    }
}
