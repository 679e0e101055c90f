//! Changes from the table's stream: rows before and after a change, parsed.

use std::collections::BTreeSet;

use domain::calls::{Call, Received};
use domain::campaigns::Occasion;
use domain::messages::Message;
use domain::notices::Notice;
use domain::people::{Choice, ConsentEntry, Profile, Record};
use domain::templates::TemplateDefinition;
use domain::tenants::Connection;
use domain::terms::{LineId, Stamp, TenantId};
use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_dynamo::{AttributeValue, Item};
use serde_json::Value;

use crate::contacts::SUPPRESSION;
use crate::table::{compact, forms, keys, row};
use crate::{Owned, StoreError};

/// A change of a row that counters depend on.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// The tenant, read from the row's key.
    pub tenant: TenantId,
    pub what: What,
}

/// A change of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A call was decided.
    CallDecided(Box<Call>),
    /// A call was decided again, once its outcome was known.
    CallDecidedAgain { before: Box<Call>, after: Box<Call> },
    /// A message of ours was planned or changed.
    MessageMoved {
        /// The message before; `None` for a new one.
        before: Option<Box<Message>>,
        after: Box<Message>,
    },
    /// A customer's message was stored.
    Received(Box<Received>),
    /// Something that is counted was recorded about a contact.
    Recorded(Box<Record>),
    /// A refusal was recorded.
    Refused(Box<ConsentEntry>),
}

impl What {
    /// The line that it belongs to, if it belongs to one.
    pub fn line(&self) -> Option<LineId> {
        match self {
            Self::CallDecided(call) | Self::CallDecidedAgain { after: call, .. } => call.grounds.line,
            Self::MessageMoved { after, .. } => after.line,
            Self::Received(received) => received.line,
            Self::Recorded(_) | Self::Refused(_) => None,
        }
    }
}

pub(crate) const DOING: &str = "read a change of a row";

pub(crate) fn text<'a>(image: &'a Item, name: &str) -> Option<&'a str> {
    match image.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

/// The tenant of a row, its partition and its kind; `None` if it is of no tenant.
pub(crate) fn of_tenant(image: &Item) -> Option<(TenantId, &str, &str)> {
    let pk = text(image, "pk")?;
    Some((keys::tenant_of(pk)?, pk, text(image, "kind")?))
}

pub(crate) fn data<T: DeserializeOwned>(image: &Item) -> Result<T, StoreError> {
    row::data(image.clone().into(), DOING)
}

pub(crate) fn message(image: &Item) -> Result<Message, StoreError> {
    compact::message(image.clone().into(), DOING)
}

pub(crate) fn call(image: &Item) -> Result<Call, StoreError> {
    compact::call(image.clone().into(), DOING)
}

/// Reads one change. `None` if it is not counted: deletions, and rows of other kinds.
///
/// # Errors
/// If a row of a counted kind does not have the expected form.
pub fn read(before: &Item, after: &Item) -> Result<Option<RowChange>, StoreError> {
    let Some((tenant, _, kind)) = of_tenant(after) else {
        return Ok(None);
    };
    let inserted = before.is_empty();
    let what = match (kind, inserted) {
        ("call", true) => What::CallDecided(Box::new(call(after)?)),
        ("call", false) => {
            let (before, after) = (call(before)?, call(after)?);
            if before.decided_again == after.decided_again {
                return Ok(None);
            }
            What::CallDecidedAgain {
                before: Box::new(before),
                after: Box::new(after),
            }
        }
        ("received", true) => What::Received(Box::new(data(after)?)),
        ("consent", true) => {
            let entry: ConsentEntry = data(after)?;
            if entry.choice != Choice::Refused {
                return Ok(None);
            }
            What::Refused(Box::new(entry))
        }
        ("message", _) => What::MessageMoved {
            before: if inserted {
                None
            } else {
                Some(Box::new(message(before)?))
            },
            after: Box::new(message(after)?),
        },
        (word, true) => match row::record(after.clone().into(), word, DOING)? {
            Some(record) if !record.counters().is_empty() => What::Recorded(Box::new(record)),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(RowChange { tenant, what }))
}

/// The row in an image, unless there is none, or it is marked as deleted.
pub(crate) fn visible_row<T: DeserializeOwned>(image: &Item) -> Result<Option<T>, StoreError> {
    let absent = image.is_empty() || image.contains_key("gone");
    (!absent).then(|| data(image)).transpose()
}

/// The notice of a change made at this time, if people may have to be told: of a connection or a template.
///
/// # Errors
/// If a row of these kinds does not have the expected form.
pub fn notice_of_change(before: &Item, after: &Item, at: Timestamp) -> Result<Option<(TenantId, Notice)>, StoreError> {
    let Some((tenant, _, kind)) = of_tenant(after) else {
        return Ok(None);
    };
    let notice = match kind {
        Connection::KIND => {
            let (before, after) = (visible_row::<Connection>(before)?, visible_row::<Connection>(after)?);
            after.and_then(|after| Notice::of_connection(before.as_ref(), &after))
        }
        TemplateDefinition::KIND => {
            let (before, after) = (
                visible_row::<TemplateDefinition>(before)?,
                visible_row::<TemplateDefinition>(after)?,
            );
            after.and_then(|after| Notice::of_template(before.as_ref(), &after, at))
        }
        _ => None,
    };
    Ok(notice.map(|notice| (tenant, notice)))
}

/// The occasion of a change of a contact at this time, which may let it enter drips. Imports are none.
///
/// # Errors
/// If the row of a contact or profile does not have the expected form.
pub fn occasion(before: &Item, after: &Item, at: Timestamp) -> Result<Option<(TenantId, Occasion)>, StoreError> {
    let Some((tenant, pk, kind)) = of_tenant(after) else {
        return Ok(None);
    };
    let Some(contact) = keys::contact_of(pk) else {
        return Ok(None);
    };
    // Those of imports name no author.
    let authored = after.contains_key("by");
    let mut occasion = Occasion {
        contact,
        at,
        new: false,
        tags: BTreeSet::new(),
        stage: None,
    };
    match kind {
        "contact" if before.is_empty() => {
            let contact = compact::contact(after.clone().into(), DOING)?;
            occasion.new = authored || contact.last_call_at.is_some() || contact.last_written_at.is_some();
        }
        "profile" if authored => {
            let (before, after) = (
                visible_row::<Profile>(before)?.unwrap_or_default(),
                visible_row::<Profile>(after)?,
            );
            let after = after.unwrap_or_default();
            occasion.tags = after.tags.difference(&before.tags).copied().collect();
            let stages = [before, after].map(|profile| profile.stage.map(|staged| staged.stage));
            occasion.stage = stages[1].filter(|_| stages[0] != stages[1]);
        }
        _ => {}
    }
    Ok(occasion.is_any().then_some((tenant, occasion)))
}

/// A change made by a person or a key, of a row that names its author.
#[derive(Debug, Clone, PartialEq)]
pub struct Stamped {
    /// The tenant, read from the row's key.
    pub tenant: TenantId,
    /// Author, time and request.
    pub by: Stamp,
    pub kind: String,
    /// The object's id: the part of its key after the kind, or the tenant.
    pub object: String,
    /// The row before; `None` if readers saw none.
    pub before: Option<Value>,
    /// The row after; `None` if it was deleted.
    pub after: Option<Value>,
}

fn attribute<T: for<'de> Deserialize<'de>>(image: &Item, name: &str) -> Result<Option<T>, StoreError> {
    let value = image.get(name).cloned().map(serde_dynamo::from_attribute_value);
    value.transpose().map_err(|why| StoreError::Form { doing: DOING, why })
}

fn visible_value(image: &Item) -> Result<Option<Value>, StoreError> {
    // An identity's row only leads to a contact. It may become the suppression of its address.
    if image.contains_key("gone") || text(image, "kind") == Some("identity") {
        return Ok(None);
    }
    if text(image, "kind") == Some("contact") {
        let contact = compact::contact(image.clone().into(), DOING)?;
        return Ok(serde_json::to_value(contact).ok());
    }
    if text(image, "kind") == Some("conversation") {
        let conversation = compact::conversation(image.clone().into(), DOING)?;
        return Ok(serde_json::to_value(conversation.value).ok());
    }
    forms::readable(&image.clone().into(), DOING)?;
    attribute(image, "data")
}

/// The id that a row's item holds.
fn id_within(image: &Item) -> Result<String, StoreError> {
    let data: Option<Value> = attribute(image, "data")?;
    let id = data.as_ref().and_then(|data| data["id"].as_str());
    Ok(id.unwrap_or_default().to_owned())
}

/// Reads one change of a tenant's row that names its author. `None` if it names nobody: deletions by time to live, our own
/// writes, and rows of no tenant.
///
/// # Errors
/// If a row that names its author does not have the expected form.
pub fn read_stamped_change(before: &Item, after: &Item) -> Result<Option<Stamped>, StoreError> {
    let (Some((tenant, pk, kind)), Some(sk)) = (of_tenant(after), text(after, "sk")) else {
        return Ok(None);
    };
    let Some(by) = attribute::<Stamp>(after, "by")? else {
        return Ok(None);
    };
    // The first version of a contact says nothing that its profile, which is written with it, does not.
    if kind == "contact" && before.is_empty() {
        return Ok(None);
    }
    // A stamp left over from an earlier write does not sign this one.
    if before.get("by") == after.get("by") && before.get("v") == after.get("v") {
        return Ok(None);
    }
    let object = match sk.split_once('#') {
        // The id of a template has all parts of its key.
        Some(_) if kind == TemplateDefinition::KIND => sk.replace('#', "."),
        // Its key has only its own part of the id, since the contact's is the partition.
        Some((_, id)) => keys::record_id(pk, sk)
            .or_else(|| Some(keys::conversation_of(pk, sk)?.to_string()))
            .unwrap_or_else(|| id.to_owned()),
        None if sk == keys::TENANT => tenant.to_string(),
        // Its key is the address, which an entry must not repeat.
        None if kind == SUPPRESSION => id_within(after)?,
        None => keys::contact_of(pk).map_or_else(|| sk.to_owned(), |contact| contact.to_string()),
    };
    // A contact is one thing for people, though it has two rows.
    let kind = if kind == "profile" { "contact" } else { kind };
    Ok(Some(Stamped {
        tenant,
        by,
        kind: kind.to_owned(),
        object,
        before: visible_value(before)?,
        after: visible_value(after)?,
    }))
}
