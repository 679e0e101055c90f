//! Retention of what is stored: other times of expiry for calls and messages, and which operation set them last.
//!
//! Only the expiry of a row is written. Its version stays the same, so that a worker that holds a message cannot lose more than one
//! race to it: the write of a call or message has the expiry that was read as its condition, too (`row::Condition::Kept`).

use domain::calls::{Call, Entry};
use domain::messages::Message;
use domain::terms::{Operation, OperationId, Stamp};
use jiff::Timestamp;
use jobs::ToQueue;

use crate::calls::progress_key;
use crate::contacts::REFERENCE_LIFE;
use crate::table::keys;
use crate::table::operations::operation_row;
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope, Versioned};

impl Store {
    /// The operation that applied the tenant's retention policy last, with the version that the next start needs.
    pub async fn retention_applied(&self, scope: &TenantScope) -> Result<Option<Versioned<OperationId>>, StoreError> {
        const DOING: &str = "read the last application of a retention policy";
        let item = self.database.get(&keys::retention(scope), DOING).await?;
        row::read_versioned(item, None, DOING)
    }

    /// Starts an operation that applies the retention policy. It becomes the last one, under the condition of the version of the one
    /// before, if there is any. Returns the job that starts it.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if another one was started meanwhile.
    pub async fn start_retention(
        &self,
        scope: &TenantScope,
        before: Option<u64>,
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<ToQueue, StoreError> {
        const DOING: &str = "start the application of a retention policy";
        let condition = before.map_or(Condition::New, Condition::Version);
        let last = Row::new(&keys::retention(scope), "retention", &operation.id, condition, DOING)?;
        let last = last.version(before.unwrap_or_default() + 1);
        let started = operation_row(scope, operation, Condition::New, 1, DOING)?.with_stamp(stamp);
        self.database.transact(vec![last, started], DOING).await?;
        Ok(ToQueue::start(scope.tenant(), operation))
    }

    /// Keeps a call or message until this time, and the reports of a call no longer. Its row is changed only if it exists and has not
    /// expired. Returns whether it was changed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if a transaction is just writing the row.
    pub async fn keep_until(
        &self,
        scope: &TenantScope,
        entry: &Entry,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "set the expiry of a call or message";
        const STORED: &str = "attribute_exists(pk) AND (attribute_not_exists(expires_at) OR expires_at > :now)";
        let key = match entry {
            Entry::Call(call) => {
                // First: once the call has the right time, nobody looks at it again.
                self.keep_reports_until(scope, call, until, now).await?;
                keys::call(scope, call.id)
            }
            Entry::Sent(message) => {
                // First, for the same reason.
                self.keep_links_until(scope, message, until).await?;
                self.keep_attachments_until(scope, message, until).await?;
                keys::message(scope, message.id)
            }
            Entry::Received(received) => {
                // First, for the same reason.
                self.keep_media_until(scope, received, until).await?;
                keys::message(scope, received.id)
            }
            Entry::Consent(_) | Entry::Record(_) => return Ok(false),
        };
        self.database.set_expiry(&key, until, STORED, Some(now), DOING).await
    }

    /// The reports name the caller as the call does, so they are deleted with it, if not before.
    async fn keep_reports_until(
        &self,
        scope: &TenantScope,
        call: &Call,
        until: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "set the expiry of a call's reports";
        let latest = call.decided_at + REFERENCE_LIFE;
        if until >= latest || now >= latest {
            return Ok(());
        }
        let key = progress_key(scope, call.provider, call.connection, &call.provider_call_id);
        let set = self
            .database
            .set_expiry(&key, until, "expires_at > :until", None, DOING);
        set.await.map(drop)
    }

    /// The tracked links of a message go with it, if not before: nothing else leads to them, also not for the erasure of its contact. Those
    /// of a message that it sends again are that one's.
    async fn keep_links_until(
        &self,
        scope: &TenantScope,
        message: &Message,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "set the expiry of a message's tracked links";
        let person = [message.id.contact()];
        let carried = self.carried_links(scope, &person, &[message], DOING).await?;
        for (key, links) in carried.into_iter().filter(|(_, links)| links.message == message.id) {
            let until = until.min(links.expires_at());
            let set = self
                .database
                .set_expiry(&key, until, "attribute_exists(pk)", None, DOING);
            set.await?;
        }
        Ok(())
    }
}
