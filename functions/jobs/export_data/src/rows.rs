//! Rows of exported files: for CSV the cells of fixed columns, for JSON Lines an object.

use std::collections::HashMap;

use domain::calls::{Call, Received};
use domain::campaigns::{Campaign, Recipient};
use domain::messages::{Content, Ended, InboundMessage, Message};
use domain::people::{ConsentEntry, Field, Person, PersonIn, Written};
use domain::telephony::Party;
use domain::terms::{ContactId, FieldKey, Language, LineId, OneLine, StageId, TagId, UserId};
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use sheet::parts;
use store::accounts::Recorded;

/// The tenant's own names of what rows refer to.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub(crate) fields: Vec<Field>,
    pub(crate) tags: HashMap<TagId, String>,
    pub(crate) stages: HashMap<StageId, String>,
    pub(crate) users: HashMap<UserId, String>,
    pub(crate) lines: HashMap<LineId, String>,
    /// The campaign whose recipients are exported.
    pub(crate) campaign: Option<Campaign>,
}

/// A row of a file.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Exported {
    pub(crate) cells: Vec<String>,
    /// Object of JSON Lines.
    pub(crate) json: Value,
}

fn text<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

impl Exported {
    /// The row whose cells are the object's values of these names.
    fn of(columns: &[&str], json: Value) -> Self {
        debug_assert!(
            columns.iter().all(|name| json.get(name).is_some()),
            "a column of {columns:?} is missing in {json}"
        );
        let cells = cells(columns, &json);
        Self { cells, json }
    }
}

/// An object's values of these names, as cells show them.
fn cells(names: &[&str], object: &Value) -> Vec<String> {
    let shown = |name: &&str| match &object[*name] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(value) => yes(*value),
        other => other.to_string(),
    };
    names.iter().map(shown).collect()
}

fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

fn join_values<T: ToString>(values: &[T]) -> String {
    let values: Vec<String> = values.iter().map(ToString::to_string).collect();
    values.join("; ")
}

/// Columns of contacts. Those that an import knows have the names that it recognises. The tenant's fields follow, by their keys.
pub(crate) const CONTACTS: [&str; 18] = [
    "id",
    "name",
    "phone",
    "email",
    "language",
    "tags",
    "stage",
    "owner",
    "source",
    "value",
    "opted_in_at",
    "refuses",
    "calls",
    "last_call_at",
    "last_message_at",
    "created_at",
    "updated_at",
    "whatsapp_ids",
];

/// A contact. `keys`: the fields that have columns.
pub(crate) fn contact(person: &Person, keys: &[FieldKey], names: &Names) -> Exported {
    let shown = PersonIn::of(person, &names.fields);
    let Person { contact, profile } = person;
    let tags: Vec<&str> = profile
        .tags
        .iter()
        .filter_map(|tag| names.tags.get(tag).map(String::as_str))
        .collect();
    let stage = profile.stage.and_then(|staged| names.stages.get(&staged.stage));
    let owner = profile.owner.and_then(|owner| names.users.get(&owner));
    let emails: Vec<&str> = contact.emails.iter().map(domain::terms::Email::as_str).collect();
    let wishes: Vec<Value> = contact
        .consent
        .all()
        .map(|wish| {
            json!({
                "choice": wish.choice, "channel": wish.channel, "category": wish.category, "party": wish.by.party(),
                "at": wish.at, "source": wish.source,
            })
        })
        .collect();
    let refusals: Vec<String> = contact.consent.refusals().map(domain::people::Wish::sentence).collect();
    let updated_at = profile.updated_at.unwrap_or(contact.created_at);
    let mut cells = vec![
        contact.id.to_string(),
        text(shown.name.as_ref().map(OneLine::as_str)),
        join_values(&contact.phones),
        join_values(&emails),
        // An import would set one that was detected, and it would be detected no more.
        text(shown.language.as_ref().map(Language::as_str)),
        parts::join_values(tags.iter().copied()),
        text(stage),
        text(owner),
        text(profile.source.as_ref().map(OneLine::as_str)),
        text(profile.value.as_ref()),
        text(contact.opted_in_at().map(|at| at.to_zoned(TimeZone::UTC).date())),
        join_values(&refusals),
        contact.calls.to_string(),
        text(contact.last_call_at),
        text(contact.last_inbound_at),
        contact.created_at.to_string(),
        updated_at.to_string(),
        join_values(&contact.bsuids),
    ];
    cells.extend(
        keys.iter()
            .map(|key| shown.fields.0.get(key).map(cell).unwrap_or_default()),
    );
    let json = json!({
        "id": contact.id, "name": shown.name, "phones": contact.phones, "emails": contact.emails,
        "whatsapp_ids": contact.bsuids, "language": contact.language, "language_detected": contact.language_detected,
        "tags": tags, "fields": shown.fields, "stage": stage, "owner": owner, "source": profile.source,
        "value": profile.value, "consent": wishes, "calls": contact.calls, "last_call_at": contact.last_call_at,
        "last_message_at": contact.last_inbound_at, "created_at": contact.created_at, "updated_at": updated_at,
    });
    Exported { cells, json }
}

fn cell(written: &Written) -> String {
    match written {
        Written::Text(text) => text.as_str().to_owned(),
        Written::Number(number) => number.to_string(),
        Written::YesNo(value) => yes(*value),
    }
}

pub(crate) const CALLS: [&str; 16] = [
    "id",
    "contact",
    "at",
    "direction",
    "from",
    "to",
    "line",
    "outcome",
    "started_at",
    "ended_at",
    "talk_seconds",
    "voicemail_seconds",
    "decision",
    "code",
    "decided_at",
    "message",
];

fn party(party: Option<&Party>) -> Option<String> {
    Some(match party? {
        Party::Phone(phone) => phone.to_string(),
        Party::Sip(address) => address.clone(),
        Party::Withheld => "withheld".to_owned(),
    })
}

pub(crate) fn call(call: &Call, names: &Names) -> Exported {
    let facts = &call.facts;
    let line = call.grounds.line.and_then(|line| names.lines.get(&line));
    let direction = call.direction();
    let (from, to) = (party(facts.from.as_ref()), party(facts.to.as_ref()));
    let at = call.happened_at();
    let json = json!({
        "id": call.id, "contact": call.id.contact(), "at": at, "direction": direction, "from": from, "to": to, "line": line,
        "outcome": call.outcome, "started_at": facts.started_at, "ended_at": facts.ended_at,
        "talk_seconds": facts.talk_seconds, "voicemail_seconds": facts.voicemail_seconds, "decision": call.decision,
        "code": call.reason, "decided_at": call.decided_at, "message": call.message,
    });
    Exported::of(&CALLS, json)
}

pub(crate) const MESSAGES: [&str; 14] = [
    "id",
    "contact",
    "at",
    "direction",
    "channel",
    "line",
    "number",
    "text",
    "template",
    "state",
    "reason",
    "delivered_at",
    "read_at",
    "content",
];

/// A message of the business.
pub(crate) fn sent_message(message: &Message, names: &Names) -> Exported {
    let message = &message.clone().mask_links();
    let line = message.line.and_then(|line| names.lines.get(&line));
    let last = message.last();
    let leg = message.current_leg();
    let content = leg.map(|leg| &leg.content);
    let words = content.and_then(Content::words);
    let template = content.and_then(Content::template).map(|filled| &filled.name);
    let kind = content.map(|content| content.kind().as_str());
    let reason = message.ended.as_ref().map(|ended| match ended {
        Ended::Cancelled(why) | Ended::Blocked(why) | Ended::Failed(why) => why,
    });
    let delivered_at = last.and_then(|attempt| attempt.delivered_at);
    let read_at = last.and_then(|attempt| attempt.read_at);
    let channel = leg.map(|leg| leg.channel);
    let json = json!({
        "id": message.id, "contact": message.id.contact(), "at": message.created_at, "direction": "outbound",
        "channel": channel, "line": line, "number": message.to.phone, "text": words, "template": template,
        "state": message.state(), "reason": reason, "delivered_at": delivered_at, "read_at": read_at, "content": kind,
    });
    let mut row = Exported::of(&MESSAGES, json);
    // Content with more parts than a text stands under the name of its kind. A customer's message may have several files.
    match content {
        None | Some(Content::Text(_) | Content::Template(_)) => {}
        Some(Content::Media(media)) => row.json["media"] = json!([media]),
        Some(content) => {
            if let (Value::Object(all), Ok(Value::Object(parts))) = (&mut row.json, serde_json::to_value(content)) {
                all.extend(parts);
            }
        }
    }
    row
}

/// A message of a customer.
pub(crate) fn received_message(received: &Received, names: &Names) -> Exported {
    let received = &received.clone().with_masked_links();
    let message = &received.message;
    let line = received.line.and_then(|line| names.lines.get(&line));
    let json = json!({
        "id": received.id, "contact": received.id.contact(), "at": message.at, "direction": "inbound",
        "channel": message.channel, "line": line, "number": message.from.phone, "text": message.text,
        "content": message.kind, "media": media(message),
    });
    // A customer's message has no template, state or time of delivery.
    let cells = cells(&MESSAGES, &json);
    let mut row = Exported { cells, json };
    // The names of the parts are those of messages of the business.
    let shared = message
        .shared
        .as_ref()
        .and_then(|shared| serde_json::to_value(shared).ok());
    if let (Value::Object(all), Some(Value::Object(parts))) = (&mut row.json, shared) {
        all.extend(parts);
    }
    match &message.reply_to {
        Some(other) if message.kind == "reaction" => row.json["reaction"] = json!({"to": other, "emoji": message.text}),
        Some(other) => row.json["reply_to"] = json!(other),
        None => {}
    }
    row
}

/// The files of a message. Their content is behind links, which expire: the id of the message leads to them.
fn media(message: &InboundMessage) -> Value {
    let shown = message.media.iter().map(|media| {
        json!({"kind": media.kind(), "content_type": media.mime, "name": media.file_name, "voice": media.voice})
    });
    shown.collect()
}

/// Columns of changes of consent.
pub(crate) const CONSENT: [&str; 13] = [
    "contact",
    "at",
    "change",
    "choice",
    "channel",
    "category",
    "party",
    "method",
    "source",
    "wording",
    "wording_version",
    "evidence",
    "actor",
];

/// A change of consent.
pub(crate) fn consent(contact: ContactId, entry: &ConsentEntry) -> Exported {
    let wording = entry.wording.as_ref();
    let json = json!({
        "contact": contact, "at": entry.at, "change": entry.what(), "choice": entry.choice, "channel": entry.channel,
        "category": entry.category, "party": entry.by.party(), "method": entry.by.method(), "source": entry.source,
        "wording": wording, "evidence": entry.evidence, "actor": entry.actor,
        "recorded_at": entry.recorded_at.unwrap_or(entry.at),
    });
    let mut flat = json.clone();
    flat["wording"] = json!(wording.map(|wording| &wording.text));
    flat["wording_version"] = json!(wording.map(|wording| &wording.version));
    let cells = cells(&CONSENT, &flat);
    Exported { cells, json }
}

/// Columns of the audit log.
pub(crate) const AUDIT: [&str; 8] = [
    "id",
    "at",
    "actor",
    "action",
    "kind",
    "object",
    "changes",
    "correlation_id",
];

/// An entry of the audit log.
pub(crate) fn audit(recorded: &Recorded) -> Exported {
    let entry = &recorded.entry;
    let json = json!({
        "id": recorded.id, "at": entry.by.at, "actor": entry.by.actor, "action": entry.action, "kind": entry.kind,
        "object": entry.object, "changes": entry.changes, "correlation_id": entry.by.correlation_id,
    });
    Exported::of(&AUDIT, json)
}

pub(crate) const RECIPIENTS: [&str; 9] = [
    "contact_id",
    "state",
    "code",
    "detail",
    "message_id",
    "variant",
    "replied",
    "clicked",
    "opted_out",
];

/// Somebody in the audience of a campaign.
pub(crate) fn recipient(campaign: &Campaign, recipient: &Recipient) -> Exported {
    let (code, detail) = recipient.reason().unzip();
    let message = recipient.message.as_ref().map(|message| message.id);
    let variant = campaign.variant_of(recipient.contact);
    let state = recipient.state();
    let (replied, clicked, opted_out) = (recipient.has_replied(), recipient.has_clicked(), recipient.opted_out());
    let json = json!({
        "contact_id": recipient.contact, "state": state, "code": code, "detail": detail, "message_id": message,
        "variant": variant, "replied": replied, "clicked": clicked, "opted_out": opted_out,
    });
    Exported::of(&RECIPIENTS, json)
}
