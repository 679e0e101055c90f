//! Operations: long work that users start. A row each, in the due index until it ends, then retained for 30 days. What is too large
//! for that row, or must not be retained with it, is in another row, which only the worker reads: its details.
//!
//! Every write has the version that was read as its condition, so of two workers that claim an operation one loses. A wish to
//! cancel it raises the version, too: the worker reads it when its next checkpoint is refused.

use std::collections::HashMap;

use domain::terms::{Lane, Operation, OperationId, OperationKind, Stamp};
use jiff::{SignedDuration, Timestamp};
use jobs::ToQueue;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::table::database::Index;
use crate::table::keys;
use crate::table::owned::Unwritten;
use crate::table::row::{self, Condition, Row, Write};
use crate::{Page, Part, Store, StoreError, TenantScope, Versioned};

/// The lane of the due index. There are few operations, and a lane of their own would cost 16 queries a minute.
const LANE: Lane = Lane::Answers;

const KIND: &str = "operation";

/// Retention of an operation's details, unless its worker deletes them earlier: more than the longest work takes.
pub const DETAILS_LIFE: SignedDuration = SignedDuration::from_hours(7 * 24);

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
        .due_at(LANE, &key, operation.due)
        .in_state(operation.is_counted().then(|| keys::due_operation(scope, operation.id)));
    Ok(match operation.finished_at {
        Some(at) => row.expires(at, Operation::RETAINED),
        None => row,
    })
}

impl Store {
    /// Creates an operation. Returns the job that starts it. If it exists already, because the request that creates it came
    /// twice, nothing is written: the id belongs to the request.
    pub async fn create_operation(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<ToQueue, StoreError> {
        const DOING: &str = "create an operation";
        let row = operation_row(scope, operation, Condition::New, 1, DOING)?.with_stamp(stamp);
        self.database.try_put(row, DOING).await?;
        Ok(ToQueue::start(scope.tenant(), operation))
    }

    /// Creates an operation that nobody asked for. The due index starts it.
    pub async fn create_own_operation(&self, scope: &TenantScope, operation: &Operation) -> Result<(), StoreError> {
        const DOING: &str = "create an operation of our own";
        let row = operation_row(scope, operation, Condition::New, 1, DOING)?;
        // A race is lost to one with the same cause.
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// Creates an operation, as [`create_operation`](Self::create_operation) does, with details that only its worker reads, of at most 400
    /// KB with their row. They are deleted after [`DETAILS_LIFE`] at the latest.
    pub async fn create_detailed_operation(
        &self,
        scope: &TenantScope,
        operation: &Operation,
        details: &(impl Serialize + Sync),
        stamp: &Stamp,
    ) -> Result<ToQueue, StoreError> {
        const DOING: &str = "create an operation with details";
        let row = operation_row(scope, operation, Condition::New, 1, DOING)?.with_stamp(stamp);
        let key = keys::operation_details(scope, operation.id);
        let details = Row::new(&key, "operation_details", details, Condition::Always, DOING)?;
        let details = details.expires(operation.created_at, DETAILS_LIFE);
        match self
            .write_until_settled(vec![Write::Put(row), Write::Put(details)], DOING)
            .await
        {
            // The request came twice: the id is its own.
            Err(Unwritten::Lost(lost)) if lost.refused.is_empty() => Err(StoreError::Conflict { doing: DOING }),
            Err(Unwritten::Store(error)) => Err(error),
            Ok(()) | Err(Unwritten::Lost(_)) => Ok(ToQueue::start(scope.tenant(), operation)),
        }
    }

    /// The details of an operation. `None` if they are deleted.
    pub async fn operation_details<D: DeserializeOwned>(
        &self,
        scope: &TenantScope,
        id: OperationId,
        now: Timestamp,
    ) -> Result<Option<D>, StoreError> {
        const DOING: &str = "read the details of an operation";
        let item = self.database.get(&keys::operation_details(scope, id), DOING).await?;
        let item = item.filter(|item| !row::is_expired(item, now));
        row::data_if_any(item, DOING)
    }

    /// Writes the details that the worker of an operation keeps for its next step, in place of those before. They are deleted after
    /// [`DETAILS_LIFE`].
    pub async fn keep_operation_details(
        &self,
        scope: &TenantScope,
        id: OperationId,
        details: &(impl Serialize + Sync),
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "keep the details of an operation";
        let key = keys::operation_details(scope, id);
        let row = Row::new(&key, "operation_details", details, Condition::Always, DOING)?;
        self.database.put(row.expires(now, DETAILS_LIFE), DOING).await
    }

    /// Deletes the details of an operation, if there are any.
    pub async fn delete_operation_details(&self, scope: &TenantScope, id: OperationId) -> Result<(), StoreError> {
        const DOING: &str = "delete the details of an operation";
        self.database.delete(&keys::operation_details(scope, id), DOING).await
    }

    /// An operation with the version that its next change needs, unless its retention is over.
    pub async fn operation(
        &self,
        scope: &TenantScope,
        id: OperationId,
        now: Timestamp,
    ) -> Result<Option<Versioned<Operation>>, StoreError> {
        const DOING: &str = "read an operation";
        let item = self.database.get(&keys::operation(scope, id), DOING).await?;
        row::read_versioned(item, Some(now), DOING)
    }

    /// A page of a tenant's operations, the newest first. `after` is the cursor of the previous page. A page may hold fewer than `limit`
    /// without being the last.
    pub async fn operations(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Versioned<Operation>>, StoreError> {
        self.newest_of(scope, keys::OPERATION, after, limit, now, "list operations")
            .await
    }

    /// A page of the rows with this prefix among a tenant's operations, the newest first.
    pub(crate) async fn newest_of<T: DeserializeOwned>(
        &self,
        scope: &TenantScope,
        prefix: &str,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
        doing: &'static str,
    ) -> Result<Page<Versioned<T>>, StoreError> {
        let partition = keys::part(scope, Part::Operations);
        let after = after.map(|id| format!("{prefix}{id}"));
        let (rows, more) = self
            .database
            .page(&partition, prefix, after.as_deref(), limit, true, doing)
            .await?;
        let last = rows.last().and_then(|item| row::string(item, "sk"));
        let next = last.filter(|_| more).and_then(|sk| sk.strip_prefix(prefix));
        let next = next.map(str::to_owned);
        let items = rows
            .into_iter()
            .filter_map(|item| row::read_versioned(Some(item), Some(now), doing).transpose())
            .collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }

    /// Whether the tenant may have one more operation that is due: one query of keys. The index lags by less than a second, so those that are
    /// created in that time may go beyond the maximum.
    pub async fn has_room_for_operation(&self, scope: &TenantScope) -> Result<bool, StoreError> {
        const DOING: &str = "count the operations of a tenant";
        let partition = keys::due_operations(scope);
        let due = self.database.number_of(Index::ByState, &partition, DOING).await?;
        Ok(due < Operation::MAX_DUE)
    }

    /// The operations among these that exist, with their ids, unless their retention is over. One request per hundred.
    pub async fn operations_by_id(
        &self,
        scope: &TenantScope,
        ids: &[OperationId],
        now: Timestamp,
    ) -> Result<HashMap<OperationId, Operation>, StoreError> {
        const DOING: &str = "read operations";
        let keys: Vec<_> = ids.iter().map(|id| keys::operation(scope, *id)).collect();
        let found = self.database.get_many(&keys, DOING).await?;
        let mut operations = HashMap::with_capacity(found.len());
        for item in found.into_values() {
            if let Some(Versioned { value, .. }) = row::read_versioned::<Operation>(Some(item), Some(now), DOING)? {
                operations.insert(value.id, value);
            }
        }
        Ok(operations)
    }

    /// Writes an operation under the condition of the version that was read. `stamp` is the author, if it is a user and not
    /// the worker. Returns its new version.
    pub async fn write_operation(
        &self,
        scope: &TenantScope,
        before: u64,
        after: &Operation,
        stamp: Option<&Stamp>,
    ) -> Result<u64, StoreError> {
        let doing = match after.kind {
            OperationKind::ApplyRetention => "write the application of a retention policy",
            OperationKind::BackfillConversations => "write the backfill of conversations",
            OperationKind::ArchiveContact => "write an archive of a contact",
            OperationKind::ChangeContacts => "write the change of contacts",
            OperationKind::CountSegment => "write the count of a segment",
            OperationKind::EraseContact => "write the erasure of a contact",
            OperationKind::ImportContacts => "write an import of contacts",
            OperationKind::ExportData => "write an export of data",
            OperationKind::PreflightCampaign => "make the pre-flight of a campaign",
            OperationKind::ReportCampaign => "write the report of a campaign",
            OperationKind::RunCampaign => "write the run of a campaign",
            OperationKind::SyncTemplates => "write a sync of templates",
        };
        let version = before + 1;
        let row = operation_row(scope, after, Condition::Version(before), version, doing)?;
        let row = match stamp {
            Some(stamp) => row.with_stamp(stamp),
            None => row,
        };
        self.database.put(row, doing).await?;
        Ok(version)
    }
}
