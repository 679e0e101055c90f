//! What the table's stream tells: rows before and after a change, read back into what they mean.

use domain::{
    ids::TenantId,
    message::Message,
    record::{Call, Received},
};
use serde::Deserialize;
use serde_dynamo::{AttributeValue, Item};

use crate::{StoreError, keys};

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

#[derive(Deserialize)]
struct RowForm {
    pk: String,
    kind: String,
    data: AttributeValue,
}

const DOING: &str = "read a change of a row";

fn form(image: &Item) -> Result<Option<RowForm>, StoreError> {
    if image.is_empty() {
        return Ok(None);
    }
    serde_dynamo::from_item(image.clone())
        .map(Some)
        .map_err(|source| StoreError::Form { doing: DOING, source })
}

fn data<T: for<'de> Deserialize<'de>>(row: RowForm) -> Result<T, StoreError> {
    serde_dynamo::from_attribute_value(row.data).map_err(|source| StoreError::Form { doing: DOING, source })
}

/// Reads one change. `None` where nothing is counted: deletions, and rows of other kinds.
///
/// # Errors
/// When a row of a counted kind does not have the form that the code expects.
pub fn read(before: &Item, after: &Item) -> Result<Option<RowChange>, StoreError> {
    let Some(new) = form(after)? else { return Ok(None) };
    let Some(tenant) = keys::tenant_of(&new.pk) else {
        return Ok(None);
    };
    let inserted = before.is_empty();
    let what = match (new.kind.as_str(), inserted) {
        ("call", true) => What::CallDecided(Box::new(data(new)?)),
        ("received", true) => What::Received(Box::new(data(new)?)),
        ("message", _) => What::MessageMoved {
            before: form(before)?.map(data).transpose()?.map(Box::new),
            after: Box::new(data(new)?),
        },
        _ => return Ok(None),
    };
    Ok(Some(RowChange { tenant, what }))
}
