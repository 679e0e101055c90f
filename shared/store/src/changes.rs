//! What the table's stream tells: rows before and after a change, read back into what they mean.

use domain::{
    ids::TenantId,
    message::Message,
    record::{Call, Received},
};
use serde::Deserialize;
use serde_dynamo::{AttributeValue, Item};

use crate::{StoreError, compact, keys};

/// A change of a row that counters are made from.
#[derive(Debug, Clone, PartialEq)]
pub struct RowChange {
    /// Whose row, read from its key.
    pub tenant: TenantId,
    /// What happened.
    pub what: What,
}

/// What happened to a row.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// A call was decided.
    CallDecided(Box<Call>),
    /// A message of ours was planned or moved.
    MessageMoved {
        /// As it was; `None` for a new one.
        before: Option<Box<Message>>,
        /// As it is.
        after: Box<Message>,
    },
    /// A customer's message was stored.
    Received(Box<Received>),
}

const DOING: &str = "read a change of a row";

fn text<'a>(image: &'a Item, name: &str) -> Option<&'a str> {
    match image.get(name) {
        Some(AttributeValue::S(text)) => Some(text),
        _ => None,
    }
}

fn data<T: for<'de> Deserialize<'de>>(image: &Item) -> Result<T, StoreError> {
    let data = image.get("data").cloned().unwrap_or(AttributeValue::Null(true));
    serde_dynamo::from_attribute_value(data).map_err(|why| StoreError::Form { doing: DOING, why })
}

fn message(image: &Item) -> Result<Message, StoreError> {
    compact::message(image.clone().into(), DOING)
}

/// Reads one change. `None` where nothing is counted: deletions, and rows of other kinds.
///
/// # Errors
/// When a row of a counted kind does not have the form that the code expects.
pub fn read(before: &Item, after: &Item) -> Result<Option<RowChange>, StoreError> {
    let (Some(pk), Some(kind)) = (text(after, "pk"), text(after, "kind")) else {
        return Ok(None);
    };
    let Some(tenant) = keys::tenant_of(pk) else {
        return Ok(None);
    };
    let inserted = before.is_empty();
    let what = match (kind, inserted) {
        ("call", true) => What::CallDecided(Box::new(data(after)?)),
        ("received", true) => What::Received(Box::new(data(after)?)),
        ("message", _) => What::MessageMoved {
            before: if inserted {
                None
            } else {
                Some(Box::new(message(before)?))
            },
            after: Box::new(message(after)?),
        },
        _ => return Ok(None),
    };
    Ok(Some(RowChange { tenant, what }))
}
