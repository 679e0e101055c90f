//! Calls: their reports until the decision, and the decided calls.

use domain::calls::{Call, CallProgress};
use domain::people::Identity;
use domain::telephony::CallProvider;
use domain::terms::{CallId, ConnectionId, Lane};
use jiff::{SignedDuration, Timestamp};

use crate::contacts::{Begun, sort_key_by_time};
use crate::table::compact;
use crate::table::keys::{self, Key};
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope};

/// Retention of the merged reports of a call. They name the caller, and a deleted tenant's are left to their expiry, so it is only just
/// longer than the 14 days of a queue's redeliveries.
pub(crate) const PROGRESS_LIFE: SignedDuration = SignedDuration::from_hours(16 * 24);

pub(crate) fn progress_key(scope: &TenantScope, provider: CallProvider, connection: ConnectionId, id: &str) -> Key {
    // The connection is part of the key: two telephone systems of one tenant may use the same call ids.
    keys::reference(
        scope,
        &format!("call-{}", provider.as_str()),
        &format!("{connection}:{id}"),
    )
}

pub(crate) fn progress_row(
    scope: &TenantScope,
    progress: &CallProgress,
    now: Timestamp,
    life: SignedDuration,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let key = progress_key(
        scope,
        progress.provider,
        progress.connection,
        &progress.provider_call_id,
    );
    let condition = if progress.version == 0 {
        Condition::NewOrExpired(now)
    } else {
        Condition::Version(progress.version)
    };
    let mut next = progress.clone();
    next.version += 1;
    Ok(Row::new(&key, "call_progress", &next, condition, doing)?
        .version(next.version)
        .due_at(Lane::Answers, &key, next.due)
        .expires(now, life))
}

pub(crate) fn call_row(
    scope: &TenantScope,
    call: &Call,
    condition: Condition,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let at = call.happened_at();
    Ok(Row::new(&keys::call(scope, call.id), "call", call, condition, doing)?
        .keep_until(call.keep_until)
        .data(compact::shrink_call)
        .version(call.version)
        .in_list(
            keys::calls_of(scope, &keys::day(at)),
            sort_key_by_time(at, call.id.own()),
        )
        .list_field("outcome", call.outcome.as_str())
        .list_field("direction", call.direction().as_str()))
}

impl Store {
    /// The rows needed first for a report of a call, in one request: its other reports, the tenant, and the rows of the caller's identity
    /// if it names one.
    pub async fn begun_call(
        &self,
        scope: &TenantScope,
        provider: CallProvider,
        connection: ConnectionId,
        provider_call_id: &str,
        caller: Option<Identity>,
        now: Timestamp,
    ) -> Result<Begun<Option<CallProgress>>, StoreError> {
        const DOING: &str = "read the reports of a call";
        let key = progress_key(scope, provider, connection, provider_call_id);
        let mut begun = self.begun_with(scope, Some(key), caller.as_slice(), DOING).await?;
        let progress = begun.own.take().filter(|item| !row::is_expired(item, now));
        let progress = row::data_if_any(progress, DOING)?;
        Ok(begun.with(progress))
    }

    /// A decided call, unless its retention is over.
    pub async fn call(&self, scope: &TenantScope, id: CallId, now: Timestamp) -> Result<Option<Call>, StoreError> {
        const DOING: &str = "read a call";
        let item = self.database.get(&keys::call(scope, id), DOING).await?;
        item.and_then(|item| row::unexpired_item(item, now))
            .map(|item| compact::call(item, DOING))
            .transpose()
    }

    /// Writes later facts of a decided call.
    pub async fn write_call(&self, scope: &TenantScope, call: &Call) -> Result<(), StoreError> {
        const DOING: &str = "write a call";
        let mut next = call.clone();
        next.version += 1;
        self.database
            .put(call_row(scope, &next, Condition::Version(call.version), DOING)?, DOING)
            .await
    }
}
