//! The due index: whatever waits for a time. The safety net of the whole system.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use domain::{ids::TenantId, message::Message, record::CallProgress};
use jiff::Timestamp;

use crate::{
    Store, StoreError, compact,
    keys::{self, Key},
    row::{self, Item, key_item, string},
    usage,
};

pub use crate::keys::DUE_SHARDS;

/// A row whose time has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    key: Key,
    place: String,
    tenant: TenantId,
    /// When it was found: the row behind it must still be kept then.
    found: Timestamp,
}

/// One page of what is due.
#[derive(Debug, Clone, PartialEq)]
pub struct DuePage {
    /// The rows, oldest first.
    pub due: Vec<Due>,
    /// Where the next page begins; `None` where this was the last.
    pub next: Option<Next>,
}

/// Where a page begins.
#[derive(Debug, Clone, PartialEq)]
pub struct Next(HashMap<String, AttributeValue>);

impl Due {
    /// Whose row.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// What a due row is.
#[derive(Debug, Clone, PartialEq)]
pub enum DueRow {
    /// A message with work left.
    Message(Box<Message>),
    /// A call that waits for a report.
    Call(Box<CallProgress>),
}

impl Store {
    /// Rows of one shard whose time has come, oldest first, at most `limit`, from where the page before ended. One query of keys.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn due(&self, shard: u8, now: Timestamp, from: Option<Next>, limit: i32) -> Result<DuePage, StoreError> {
        const DOING: &str = "read what is due";
        usage::count(&["dynamodb:Query"]);
        let output = self
            .database
            .client
            .query()
            .table_name(&self.database.table)
            .index_name("due")
            .key_condition_expression("gsi2pk = :shard AND gsi2sk <= :now")
            .expression_attribute_values(":shard", AttributeValue::S(keys::due_partition(shard)))
            // `~` sorts after the `#` between time and id.
            .expression_attribute_values(":now", AttributeValue::S(format!("{}~", keys::sortable(now))))
            .set_exclusive_start_key(from.map(|Next(key)| key))
            .limit(limit)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| StoreError::answered(DOING, error))?;
        if let Some(capacity) = output.consumed_capacity() {
            usage::capacity(capacity.capacity_units().unwrap_or_default(), 0.0);
        }
        Ok(DuePage {
            due: output.items().iter().filter_map(|item| due_of(item, now)).collect(),
            next: output.last_evaluated_key.map(Next),
        })
    }

    /// The rows behind due keys, in one request per hundred. Rows that are gone or past their time are left out; one that cannot
    /// be read does not keep the others.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn due_rows(&self, due: Vec<Due>) -> Result<Vec<(Due, Result<DueRow, StoreError>)>, StoreError> {
        const DOING: &str = "read due rows";
        let keys: Vec<Key> = due.iter().map(|due| due.key.clone()).collect();
        let mut items = self.database.get_many(&keys, DOING).await?;
        let mut rows = Vec::with_capacity(due.len());
        for due in due {
            let item = items.remove(&due.key);
            let Some(item) = item.and_then(|item| row::kept(item, due.found)) else {
                continue;
            };
            let row = match string(&item, "kind") {
                Some("message") => compact::message(item, DOING).map(|message| DueRow::Message(Box::new(message))),
                Some("call_progress") => row::data(item, DOING).map(|progress| DueRow::Call(Box::new(progress))),
                _ => Err(StoreError::database(
                    DOING,
                    std::io::Error::other("a row of no known kind"),
                )),
            };
            rows.push((due, row));
        }
        Ok(rows)
    }

    /// Leases a due row: moves its time out to `again`. Returns false where somebody else did so or the work is done.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn lease(&self, due: &Due, again: Timestamp) -> Result<bool, StoreError> {
        const DOING: &str = "lease a due row";
        usage::count(&["dynamodb:UpdateItem"]);
        let (_, place) = keys::due(&due.key, again);
        let result = self
            .database
            .client
            .update_item()
            .table_name(&self.database.table)
            .set_key(Some(key_item(&due.key)))
            // The version stays: a worker that holds the row must not lose its write to the dispatcher.
            .update_expression(
                "SET gsi2sk = :again, #data.#due = :due, \
                 #data.dispatches = if_not_exists(#data.dispatches, :none) + :one",
            )
            .condition_expression("gsi2sk = :place")
            .expression_attribute_names("#data", "data")
            .expression_attribute_names("#due", "due")
            .expression_attribute_values(":again", AttributeValue::S(place))
            .expression_attribute_values(":due", AttributeValue::S(again.to_string()))
            .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
            .expression_attribute_values(":none", AttributeValue::N("0".to_owned()))
            .expression_attribute_values(":place", AttributeValue::S(due.place.clone()))
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await;
        let output = match result {
            Ok(output) => output,
            Err(error)
                if error
                    .as_service_error()
                    .is_some_and(|error| error.is_conditional_check_failed_exception()) =>
            {
                return Ok(false);
            }
            Err(error) => return Err(StoreError::answered(DOING, error)),
        };
        if let Some(capacity) = output.consumed_capacity() {
            usage::capacity(0.0, capacity.capacity_units().unwrap_or_default());
        }
        Ok(true)
    }
}

fn due_of(item: &Item, found: Timestamp) -> Option<Due> {
    let (pk, sk) = (string(item, "pk")?, string(item, "sk")?);
    Some(Due {
        key: Key {
            pk: pk.to_owned(),
            sk: sk.to_owned(),
        },
        place: string(item, "gsi2sk")?.to_owned(),
        tenant: keys::tenant_of(pk)?,
        found,
    })
}
