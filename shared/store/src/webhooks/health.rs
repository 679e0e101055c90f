//! The health of an endpoint: the row that is due while deliveries wait for it.

use domain::terms::{Lane, WebhookEndpointId};
use domain::webhooks::{DisabledReason, EndpointHealth, WebhookEndpoint};
use jiff::{SignedDuration, Timestamp};

use crate::table::keys::{self, Key};
use crate::table::owned;
use crate::table::row::{self, Condition, Row, Write};
use crate::{RACES, Store, StoreError, TenantScope, Versioned};

/// Retention of a health after its last change. Without its row, an endpoint is healthy.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(90 * 24);

/// An endpoint with its health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownEndpoint {
    pub endpoint: Versioned<WebhookEndpoint>,
    /// Its health; of the version 0 if it has no row.
    pub health: Versioned<EndpointHealth>,
}

fn read(item: Option<row::Item>, now: Timestamp, doing: &'static str) -> Result<Versioned<EndpointHealth>, StoreError> {
    let version = item.as_ref().map_or(0, row::version_of);
    let known = row::read_versioned(item, Some(now), doing)?;
    // One that has expired still has a version to be replaced.
    Ok(known.unwrap_or(Versioned {
        value: EndpointHealth::default(),
        version,
    }))
}

/// The row of a health over what was read. It is due when the health says so.
pub(super) fn health_row(
    scope: &TenantScope,
    endpoint: WebhookEndpointId,
    before: u64,
    after: &EndpointHealth,
    now: Timestamp,
) -> Result<Row, StoreError> {
    const DOING: &str = "write the health of a webhook endpoint";
    let key = keys::webhook_health(scope, endpoint);
    let due = after.due_at();
    let health = EndpointHealth {
        due,
        dispatches: 0,
        ..after.clone()
    };
    let condition = if before == 0 {
        Condition::New
    } else {
        Condition::Version(before)
    };
    let row = Row::new(&key, "webhook_health", &health, condition, DOING)?.version(before + 1);
    Ok(row.due_at(Lane::Bulk, &key, due).expires(now, KEPT_FOR))
}

impl Store {
    /// Reads an endpoint with its health, in one request. `None`: there is no such endpoint.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read_webhook_endpoint(
        &self,
        scope: &TenantScope,
        id: WebhookEndpointId,
        now: Timestamp,
    ) -> Result<Option<KnownEndpoint>, StoreError> {
        const DOING: &str = "read a webhook endpoint with its health";
        let own = owned::key::<WebhookEndpoint>(scope, &id);
        let health = keys::webhook_health(scope, id);
        let mut found = self.database.get_many(&[own.clone(), health.clone()], DOING).await?;
        let Some(endpoint) = row::read_versioned(found.remove(&own), None, DOING)? else {
            return Ok(None);
        };
        Ok(Some(KnownEndpoint {
            endpoint,
            health: read(found.remove(&health), now, DOING)?,
        }))
    }

    /// The health of these endpoints, in their order. One request per hundred.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read_healths(
        &self,
        scope: &TenantScope,
        endpoints: &[WebhookEndpointId],
        now: Timestamp,
    ) -> Result<Vec<EndpointHealth>, StoreError> {
        const DOING: &str = "read the health of webhook endpoints";
        let wanted: Vec<Key> = endpoints.iter().map(|id| keys::webhook_health(scope, *id)).collect();
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let known = wanted.iter().map(|key| read(found.remove(key), now, DOING));
        known.map(|known| known.map(|known| known.value)).collect()
    }

    /// The health of an endpoint, whether or not there is one.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn read_health(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        now: Timestamp,
    ) -> Result<Versioned<EndpointHealth>, StoreError> {
        const DOING: &str = "read the health of a webhook endpoint";
        let item = self.database.get(&keys::webhook_health(scope, endpoint), DOING).await?;
        read(item, now, DOING)
    }

    /// Writes a health under the condition of the version that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn write_health(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        before: u64,
        after: &EndpointHealth,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let row = health_row(scope, endpoint, before, after, now)?;
        self.database.put(row, "write the health of a webhook endpoint").await
    }

    /// Changes a health, again after a lost race. Nothing is written if that is the health already. Returns it after the change.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn change_health(
        &self,
        scope: &TenantScope,
        endpoint: WebhookEndpointId,
        now: Timestamp,
        change: impl Fn(&EndpointHealth) -> EndpointHealth + Sync,
    ) -> Result<EndpointHealth, StoreError> {
        let change = &change;
        RACES
            .until_won(async || {
                let before = self.read_health(scope, endpoint, now).await?;
                let after = change(&before.value);
                if after != before.value {
                    self.write_health(scope, endpoint, before.version, &after, now).await?;
                }
                Ok(after)
            })
            .await
    }

    /// Forgets the health of an endpoint that does not exist any more, so that nothing is due for it.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn forget_health(&self, scope: &TenantScope, endpoint: WebhookEndpointId) -> Result<(), StoreError> {
        let key = keys::webhook_health(scope, endpoint);
        self.database
            .delete(&key, "forget the health of a webhook endpoint")
            .await
    }

    /// Disables an endpoint, for a reason that no user has. Returns it after the change; `None`: there is no such endpoint. One that is disabled
    /// already keeps its reason.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn disable_webhook_endpoint(
        &self,
        scope: &TenantScope,
        id: WebhookEndpointId,
        reason: DisabledReason,
        now: Timestamp,
    ) -> Result<Option<WebhookEndpoint>, StoreError> {
        RACES
            .until_won(async || {
                let Some(KnownEndpoint { endpoint, health }) = self.read_webhook_endpoint(scope, id, now).await? else {
                    return Ok(None);
                };
                let after = endpoint.value.disable(reason, now);
                if after == endpoint.value {
                    return Ok(Some(after));
                }
                let mut writes = vec![Write::Put(owned::change_row(scope, endpoint.version, &after)?)];
                writes.extend(self.write_following(scope, id, None).await?);
                let row = health_row(scope, id, health.version, &health.value.stop_trying(), now)?;
                writes.push(Write::Put(row));
                self.database
                    .transact_writes(writes, "disable a webhook endpoint")
                    .await?;
                Ok(Some(after))
            })
            .await
    }
}
