//! Operations: long work that users start. A row each, in the due index until it ends, then retained for 30 days.
//!
//! Every write has the version that was read as its condition, so of two workers that claim an operation one loses. A wish to
//! cancel it raises the version, too: the worker reads it when its next checkpoint is refused.

use domain::{
    actor::Stamp,
    ids::OperationId,
    operation::{Operation, OperationKind},
    purpose::Lane,
};
use jiff::Timestamp;
use jobs::ToQueue;

use crate::{
    Page, Part, Store, StoreError, TenantScope, Versioned, keys,
    row::{self, Condition, Row},
};

/// The lane of the due index. There are few operations, and a lane of their own would cost 16 queries a minute.
const LANE: Lane = Lane::Answers;

const KIND: &str = "operation";

pub(crate) fn operation_row(
    scope: &TenantScope,
    operation: &Operation,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = keys::operation(scope, operation.id);
    let row = Row::new(&key, KIND, operation, condition, doing)?
        .version(version)
        .due(LANE, &key, operation.due);
    Ok(match operation.finished_at {
        Some(at) => row.expires(at, Operation::RETAINED),
        None => row,
    })
}

impl Store {
    /// Creates an operation. Returns the job that starts it. If it exists already, because the request that creates it came
    /// twice, nothing is written: the id belongs to the request.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn create_operation(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<ToQueue, StoreError> {
        const DOING: &str = "create an operation";
        let row = operation_row(scope, operation, Condition::New, 1, DOING)?.stamped(stamp);
        match self.database.put(row, DOING).await {
            Err(error) if !error.is_conflict() => Err(error),
            Ok(()) | Err(_) => Ok(ToQueue::start(scope.tenant(), operation)),
        }
    }

    /// An operation with the version that its next change needs, unless its retention is over.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn operation(
        &self,
        scope: &TenantScope,
        id: OperationId,
        now: Timestamp,
    ) -> Result<Option<Versioned<Operation>>, StoreError> {
        const DOING: &str = "read an operation";
        let item = self.database.get(&keys::operation(scope, id), DOING).await?;
        row::versioned(item, Some(now), DOING)
    }

    /// One page of a tenant's operations, the newest first. `after` is the cursor of the previous page. A page may hold fewer
    /// than `limit` without being the last.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn operations(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Versioned<Operation>>, StoreError> {
        const DOING: &str = "list operations";
        let partition = keys::part(scope, Part::Operations);
        let after = after.map(|id| format!("{}{id}", keys::OPERATION));
        let (rows, more) = self
            .database
            .page(&partition, keys::OPERATION, after.as_deref(), limit, true, DOING)
            .await?;
        let last = rows.last().and_then(|item| row::string(item, "sk"));
        let next = last.filter(|_| more).and_then(|sk| sk.strip_prefix(keys::OPERATION));
        let next = next.map(str::to_owned);
        let items = rows
            .into_iter()
            .filter_map(|item| row::versioned(Some(item), Some(now), DOING).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Writes an operation under the condition of the version that was read. `stamp` is the author, if it is a user and not
    /// the worker. Returns its new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn write_operation(
        &self,
        scope: &TenantScope,
        before: u64,
        after: &Operation,
        stamp: Option<&Stamp>,
    ) -> Result<u64, StoreError> {
        let doing = match after.kind {
            OperationKind::EraseContact => "write the erasure of a contact",
        };
        let version = before + 1;
        let row = operation_row(scope, after, Condition::Version(before), version, doing)?;
        let row = match stamp {
            Some(stamp) => row.stamped(stamp),
            None => row,
        };
        self.database.put(row, doing).await?;
        Ok(version)
    }
}
