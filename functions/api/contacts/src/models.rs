//! Models of requests and responses.

use domain::{
    account::Email,
    contact::OptOut,
    field::{Field, FieldKey},
    filter::Digits,
    ids::{ContactId, StageId, TagId, UserId},
    listing::Day,
    person::{Person, PersonIn, WrittenFields},
    phone::Phone,
    product::Price,
    profile::Origin,
    settings::Language,
    text::OneLine,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A contact.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Contact")]
pub(crate) struct ContactOut {
    /// Id.
    id: ContactId,
    /// Name.
    #[schemars(example = &"Maya Haddad")]
    name: Option<String>,
    /// Telephone numbers, the preferred one first.
    phones: Vec<Phone>,
    /// E-mail addresses, the preferred one first.
    emails: Vec<Email>,
    /// WhatsApp's ids of the person for this business (BSUID), the newest first.
    #[schemars(example = ["AE.1234567890"])]
    whatsapp_ids: Vec<String>,
    /// Language for messages.
    language: Option<Language>,
    /// Tags.
    tags: Vec<TagId>,
    /// Values of the tenant's fields, by their keys.
    #[schemars(example = serde_json::json!({"loyalty_level": "Gold", "visits": 3}))]
    fields: WrittenFields,
    /// Stage of the lead.
    stage: Option<StageId>,
    /// Time at which the lead reached its stage.
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
    /// Time at which the contact was first seen.
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

impl From<OptOut> for RefusalOut {
    fn from(OptOut { at, source }: OptOut) -> Self {
        Self { at, source }
    }
}

impl ContactOut {
    /// A contact with the values of these fields.
    pub(crate) fn of(person: Person, definitions: &[Field]) -> Self {
        let shown = PersonIn::of(&person, definitions);
        let Person { contact, profile } = person;
        Self {
            id: contact.id,
            name: profile.name.as_deref().map(str::to_owned),
            phones: contact.phones,
            emails: contact.emails,
            whatsapp_ids: contact.bsuids,
            language: shown.language,
            tags: shown.tags.into_vec(),
            fields: shown.fields,
            stage: shown.stage,
            stage_since: profile.stage.map(|staged| staged.since),
            owner: profile.owner,
            source: profile.source,
            value: profile.value,
            opted_out: contact.opted_out.map(RefusalOut::from),
            marketing_opted_out: contact.marketing_opted_out.map(RefusalOut::from),
            opted_in_at: contact.opted_in_at,
            calls: contact.calls,
            last_call_at: contact.last_call_at,
            last_message_at: contact.last_inbound_at,
            created_at: contact.created_at,
            updated_at: profile.updated_at.unwrap_or(contact.created_at),
            deleted_at: contact.deleted_at,
        }
    }
}

/// Conditions that the contacts fulfil, all of them.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ContactQuery {
    /// Telephone number.
    pub(crate) phone: Option<Phone>,
    /// E-mail address.
    pub(crate) email: Option<Email>,
    /// Last digits of a telephone number.
    pub(crate) digits: Option<Digits>,
    /// Words of which each begins a word of the name, in any order, without case and accents.
    #[schemars(example = &"maya had")]
    pub(crate) name: Option<OneLine<1, 60>>,
    /// Tag.
    #[schemars(extend("x-refers" = true))]
    pub(crate) tag: Option<TagId>,
    /// Key of a searchable field, for `value`, `from`, `to` or `day`.
    #[schemars(extend("x-refers" = true))]
    pub(crate) field: Option<FieldKey>,
    /// Value of the field, whatever its case.
    #[schemars(example = &"Gold", extend("x-refers" = true))]
    pub(crate) value: Option<OneLine<1, 500>>,
    /// Lowest value of the field.
    #[schemars(example = &"10", extend("x-refers" = true))]
    pub(crate) from: Option<OneLine<1, 500>>,
    /// Highest value of the field.
    #[schemars(example = &"20", extend("x-refers" = true))]
    pub(crate) to: Option<OneLine<1, 500>>,
    /// Day of any year, for a field of the type `date`, such as a birthday.
    #[schemars(extend("x-refers" = true))]
    pub(crate) day: Option<Day>,
    /// Stage of the lead.
    #[schemars(extend("x-refers" = true))]
    pub(crate) stage: Option<StageId>,
    /// Responsible user. Only together with a condition that has a list.
    #[schemars(extend("x-refers" = true))]
    pub(crate) owner: Option<UserId>,
    /// Source of the lead. Only together with a condition that has a list.
    #[schemars(example = &"Web form", extend("x-refers" = true))]
    pub(crate) source: Option<Origin>,
    /// Language. Only together with a condition that has a list.
    #[schemars(extend("x-refers" = true))]
    pub(crate) language: Option<Language>,
    /// Whether to list deleted contacts instead of the others.
    pub(crate) deleted: Option<bool>,
    /// Order of the list that the conditions lead to. Default: `asc`.
    #[schemars(example = &"desc")]
    pub(crate) order: Option<Order>,
}

/// Order of a list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    /// From the lowest or oldest to the highest or newest.
    #[default]
    Asc,
    /// The other way round.
    Desc,
}

/// A telephone number for a contact.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PhoneIn {
    /// Telephone number. No other contact has it.
    #[schemars(extend("x-unique" = true))]
    pub(crate) phone: Phone,
    /// Whether it becomes the preferred number.
    #[serde(default)]
    pub(crate) preferred: bool,
}
