//! Webhooks of connections that were refused. Their senders are unknown, so of each connection there is at most one row for each hour of the
//! day, written once in it.

use domain::tenants::RefusedWebhook;
use domain::terms::{ConnectionId, TenantId};
use jiff::{SignedDuration, Timestamp};

use crate::table::keys::{self, Part};
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope};

const HOUR: i64 = 3_600;

/// Hours of a day. A row is replaced after them.
const HOURS: i32 = 24;

impl Store {
    /// Records a refused webhook of a connection that exists, unless one was recorded in this hour.
    pub async fn note_refused_webhook_before_scope(
        &self,
        tenant: TenantId,
        connection: ConnectionId,
        refused: RefusedWebhook,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note a refused webhook";
        let hours = refused.at.as_second().div_euclid(HOUR);
        let key = keys::refused_webhook_before_scope(tenant, connection, hours.rem_euclid(HOURS.into()));
        let begun = Timestamp::from_second(hours * HOUR).unwrap_or(refused.at);
        let condition = Condition::NewOrExpired(refused.at);
        let row = Row::new(&key, "refused_webhook", &refused, condition, DOING)?;
        let row = row.expires(begun, SignedDuration::from_hours(HOURS.into()));
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// The refused webhooks of a connection in the last day, at most one of each hour, latest first.
    pub async fn refused_webhooks(
        &self,
        scope: &TenantScope,
        connection: ConnectionId,
        now: Timestamp,
    ) -> Result<Vec<RefusedWebhook>, StoreError> {
        const DOING: &str = "read refused webhooks";
        let (partition, prefix) = (keys::part(scope, Part::Refusals), format!("{connection}#"));
        let mut items = self.database.query(&partition, &prefix, HOURS, false, DOING).await?;
        items.retain(|item| !row::is_expired(item, now));
        let refused = items.into_iter().map(|item| row::data(item, DOING));
        let mut refused: Vec<RefusedWebhook> = refused.collect::<Result<_, _>>()?;
        refused.sort_by_key(|refused| std::cmp::Reverse(refused.at));
        Ok(refused)
    }
}
