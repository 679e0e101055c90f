//! Contacts as the API shows them.

use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use domain::money::Price;
use domain::people::{Contact, Field, Origin, Person, PersonIn, Wish, WrittenFields};
use domain::terms::{ContactId, ConversationId, Email, Language, Phone, StageId, TagId, UserId};
use jiff::Timestamp;
use kit::Problem;
use schemars::JsonSchema;
use serde::Serialize;

/// Refuses the id of a contact that was merged into the one that was read.
///
/// # Errors
/// 404 `merged` with the id and place of the survivor.
pub fn itself(id: ContactId, read: &Contact) -> Result<(), Problem> {
    if read.id == id {
        return Ok(());
    }
    let survivor = read.id;
    let detail = format!("The contact was merged into {survivor}. Use that id.");
    let problem = Problem::new(StatusCode::NOT_FOUND, "merged", "Merged", detail);
    Err(with_location(problem, &format!("/api/v1/contacts/{survivor}")))
}

/// The 409 of this kind for a conversation that goes on in another one, with the id and place of that one.
pub fn continuation_problem(kind: &str, on: ConversationId) -> Problem {
    let detail = format!("The contact was merged into another, and the conversation goes on as {on}. Use that id.");
    with_location(Problem::conflict(kind, detail), &format!("/api/v1/conversations/{on}"))
}

fn with_location(problem: Problem, path: &str) -> Problem {
    match HeaderValue::from_str(path) {
        Ok(place) => problem.with_header(LOCATION, place),
        Err(_) => problem,
    }
}

/// A contact.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Contact")]
pub struct ContactOut {
    /// Id.
    id: ContactId,
    /// Name.
    #[schemars(example = &"Maya Haddad")]
    name: Option<String>,
    /// Telephone numbers, the preferred one first.
    phones: Vec<Phone>,
    /// `phones` in international format, for display.
    #[schemars(example = ["+971 4 555 0001"])]
    formatted_phones: Vec<String>,
    /// E-mail addresses, the preferred one first.
    emails: Vec<Email>,
    /// WhatsApp's ids of the person for this business (BSUID), the newest first. They are learnt from what the person writes.
    #[schemars(example = ["AE.1234567890"])]
    whatsapp_ids: Vec<String>,
    /// Language for messages.
    language: Option<Language>,
    /// Whether the language was detected from what the person wrote. Otherwise it was set, or is not known.
    #[schemars(example = false)]
    language_detected: bool,
    /// Tags.
    tags: Vec<TagId>,
    /// Values of the tenant's fields, by their keys.
    #[schemars(example = serde_json::json!({"loyalty_level": "Gold", "visits": 3}))]
    fields: WrittenFields,
    /// Stage of the lead.
    stage: Option<StageId>,
    /// Time when the lead reached its stage.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    stage_since: Option<Timestamp>,
    /// User who is responsible for the contact.
    owner: Option<UserId>,
    /// Source of the lead.
    #[schemars(example = &"Web form")]
    source: Option<Origin>,
    /// Expected value of the lead.
    value: Option<Price>,
    /// Refusal of all messages.
    opted_out: Option<RefusalOut>,
    /// Refusal of marketing, while other messages are still welcome.
    marketing_opted_out: Option<RefusalOut>,
    /// Time of the last opt-in, beyond having called.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    opted_in_at: Option<Timestamp>,
    /// Number of calls by the contact.
    #[schemars(example = 3)]
    calls: u32,
    /// Time of the contact's last call.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    last_call_at: Option<Timestamp>,
    /// Time of the contact's last message.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    last_message_at: Option<Timestamp>,
    /// Time when the contact was first seen.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of the last change by a user or a key.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    updated_at: Timestamp,
    /// Time of deletion. The contact is hidden from then on.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    deleted_at: Option<Timestamp>,
}

/// A refusal of messages.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct RefusalOut {
    /// Time of the refusal.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// Source of the refusal.
    #[schemars(example = &"asked for no more messages by SMS")]
    source: String,
}

impl From<&Wish> for RefusalOut {
    fn from(wish: &Wish) -> Self {
        Self {
            at: wish.at,
            source: wish.source.clone(),
        }
    }
}

impl ContactOut {
    /// A contact with the values of these fields.
    pub fn of(person: Person, definitions: &[Field]) -> Self {
        let shown = PersonIn::of(&person, definitions);
        let Person { contact, profile } = person;
        let opted_out = contact.opted_out().map(RefusalOut::from);
        let marketing_opted_out = contact.marketing_opted_out().map(RefusalOut::from);
        let opted_in_at = contact.opted_in_at();
        Self {
            id: contact.id,
            name: shown.name.map(String::from),
            formatted_phones: contact.phones.iter().map(Phone::international).collect(),
            phones: contact.phones,
            emails: contact.emails,
            whatsapp_ids: contact.bsuids,
            language: contact.language.as_deref().map(Language::from_stored),
            language_detected: contact.language_detected,
            tags: shown.tags.into_vec(),
            fields: shown.fields,
            stage: shown.stage,
            stage_since: profile.stage.map(|staged| staged.since),
            owner: profile.owner,
            source: profile.source,
            value: profile.value,
            opted_out,
            marketing_opted_out,
            opted_in_at,
            calls: contact.calls,
            last_call_at: contact.last_call_at,
            last_message_at: contact.last_inbound_at,
            created_at: contact.created_at,
            updated_at: profile.updated_at.unwrap_or(contact.created_at),
            deleted_at: contact.deleted_at,
        }
    }
}
