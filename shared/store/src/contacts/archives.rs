//! Archives of contacts: one at a time of each. A row beside the operations names a contact's newest one, and both are written together.

use domain::{
    base::{
        actor::Stamp,
        ids::{ContactId, OperationId},
        operation::Operation,
    },
    contacts::{contact::Contact, history::HistoryKind},
};
use jiff::Timestamp;

use crate::{
    Page, Store, StoreError, TenantScope, Versioned,
    contacts::timeline::{Order, Placed, Position, Wanted, entry},
    table::{
        keys,
        operations::operation_row,
        owned::Unwritten,
        row::{self, Condition, Row, Write},
    },
};

impl Store {
    /// The newest archive of a contact, with the version of the row that names it.
    pub async fn newest_archive(
        &self,
        scope: &TenantScope,
        contact: ContactId,
        now: Timestamp,
    ) -> Result<Option<Versioned<OperationId>>, StoreError> {
        const DOING: &str = "look for an archive of a contact";
        let item = self.database.get(&keys::archive(scope, contact), DOING).await?;
        row::versioned(item, Some(now), DOING)
    }

    /// Creates an operation that archives a contact, as its newest one. `before` is the version of the row that names the former
    /// one.
    pub async fn create_archive(
        &self,
        scope: &TenantScope,
        (contact, before): (ContactId, Option<u64>),
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "start an archive of a contact";
        let condition = before.map_or(Condition::NewOrExpired(stamp.at), Condition::Version);
        let key = keys::archive(scope, contact);
        let newest = Row::new(&key, "archive", &operation.id, condition, DOING)?;
        let newest = newest.version(before.unwrap_or_default() + 1);
        let newest = newest.expires(operation.created_at, Operation::RETAINED);
        let row = operation_row(scope, operation, Condition::New, 1, DOING)?.stamped(stamp);
        match self.settled(vec![Write::Put(row), Write::Put(newest)], DOING).await {
            Ok(()) => Ok(()),
            Err(Unwritten::Store(error)) => Err(error),
            Err(Unwritten::Lost(_)) => Err(StoreError::Conflict { doing: DOING }),
        }
    }

    /// One page of what happened with a contact, the newest first, also of a deleted one, with that of the contacts that were merged
    /// into it: entries of this kind behind this position. A page may hold fewer than `limit` without being the last. At most four
    /// queries, one for each contact.
    pub async fn history_page(
        &self,
        scope: &TenantScope,
        contact: &Contact,
        (kind, after): (HistoryKind, Option<Position>),
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Placed>, StoreError> {
        const DOING: &str = "read the history of a contact";
        let wanted = Wanted {
            only: Some(kind),
            order: Order::NewestFirst,
            after,
            limit,
            now,
            doing: DOING,
        };
        let (items, next) = self.items_of_known(scope, contact, wanted).await?;
        let mut placed = Vec::with_capacity(items.len());
        for (position, item) in items {
            placed.extend(entry(item, DOING)?.map(|entry| Placed { position, entry }));
        }
        Ok(Page {
            items: placed,
            next: next.map(|position| position.to_string()),
        })
    }
}
