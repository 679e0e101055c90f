//! Endpoints of outgoing webhooks. Their rows hold sealed secrets, so they have a partition of their own. Publishers of events read a row without
//! secrets instead, `ENDPOINTS` beside the followers of live events, which changes in the same transaction.

use domain::tenants::Sealed;
use domain::terms::{Stamp, WebhookEndpointId};
use domain::webhooks::{FollowingEndpoint, WebhookEndpoint};
use jiff::Timestamp;

use crate::table::keys;
use crate::table::row::{self, Condition, Row, Write};
use crate::webhooks::health::health_row;
use crate::{Owned, OwnedError, Part, Store, StoreError, TenantScope, Versioned};

impl Owned for WebhookEndpoint {
    const KIND: &'static str = "webhook_endpoint";
    const NAME: &'static str = "webhook endpoint";
    const PART: Part = Part::Webhooks;
    const PREFIX: &'static str = "ENDPOINT#";
    const MAX: u32 = Self::MAX;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn last_state(&self, _at: Timestamp) -> Self {
        let mut last = self.clone();
        last.secrets.clear();
        if let Some(header) = &mut last.header {
            header.sealed = Sealed(String::new());
        }
        last
    }
}

impl Store {
    /// The endpoints of a tenant that get events, without their secrets.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn following_endpoints(&self, scope: &TenantScope) -> Result<Vec<FollowingEndpoint>, StoreError> {
        let following = self.read_following(scope).await?;
        Ok(following.map(|following| following.value).unwrap_or_default())
    }

    async fn read_following(
        &self,
        scope: &TenantScope,
    ) -> Result<Option<Versioned<Vec<FollowingEndpoint>>>, StoreError> {
        const DOING: &str = "read the endpoints that get events";
        let item = self.database.get(&keys::following_endpoints(scope), DOING).await?;
        row::read_versioned(item, None, DOING)
    }

    /// The writes after which publishers find an endpoint by this entry. `None`: by none. Nothing is written if that is so already.
    pub(super) async fn write_following(
        &self,
        scope: &TenantScope,
        id: WebhookEndpointId,
        entry: Option<FollowingEndpoint>,
    ) -> Result<Vec<Write>, StoreError> {
        const DOING: &str = "write the endpoints that get events";
        let (condition, version, known) = match self.read_following(scope).await? {
            Some(before) => (Condition::Version(before.version), before.version + 1, before.value),
            None => (Condition::New, 1, Vec::new()),
        };
        let others = known.iter().filter(|following| following.id != id).cloned();
        let mut after: Vec<FollowingEndpoint> = others.chain(entry).collect();
        after.sort_by_key(|following| following.id);
        if after == known {
            return Ok(Vec::new());
        }
        let key = keys::following_endpoints(scope);
        let row = Row::new(&key, "following_endpoints", &after, condition, DOING)?;
        Ok(vec![Write::Put(row.version(version))])
    }

    /// Creates an endpoint, unless the tenant has the maximum number.
    ///
    /// # Errors
    /// [`OwnedError`]; [`StoreError::Conflict`] if the id exists, and after a lost race.
    pub async fn create_webhook_endpoint(
        &self,
        scope: &TenantScope,
        endpoint: &WebhookEndpoint,
        stamp: &Stamp,
    ) -> Result<(), OwnedError> {
        let more = self.write_following(scope, endpoint.id, endpoint.following()).await?;
        self.create_with(scope, endpoint, stamp, more).await
    }

    /// Changes an endpoint under the condition of the version that was read. Returns its new version.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn change_webhook_endpoint(
        &self,
        scope: &TenantScope,
        before: &Versioned<WebhookEndpoint>,
        after: &WebhookEndpoint,
        stamp: &Stamp,
    ) -> Result<u64, StoreError> {
        let mut more = self.write_following(scope, after.id, after.following()).await?;
        more.extend(self.write_health_of_change(scope, &before.value, after, stamp).await?);
        Ok(self.change_with(scope, before, after, stamp, more).await?)
    }

    /// The write of the health of an endpoint that was disabled or enabled, or whose requests change: while it is disabled, nothing is due;
    /// afterwards, all that waits is tried at once.
    async fn write_health_of_change(
        &self,
        scope: &TenantScope,
        before: &WebhookEndpoint,
        after: &WebhookEndpoint,
        stamp: &Stamp,
    ) -> Result<Option<Write>, StoreError> {
        let is_same_request = before.url == after.url && before.header == after.header;
        if is_same_request && before.disabled.is_some() == after.disabled.is_some() {
            return Ok(None);
        }
        let known = self.read_health(scope, after.id, stamp.at).await?;
        let health = if after.disabled.is_some() {
            known.value.stop_trying()
        } else {
            known.value.reset(stamp.at)
        };
        if health == known.value {
            return Ok(None);
        }
        let row = health_row(scope, after.id, known.version, &health, stamp.at)?;
        Ok(Some(Write::Put(row)))
    }

    /// Deletes an endpoint under the condition of the version that was read. Its secrets and its health are removed at once; its deliveries
    /// expire.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn remove_webhook_endpoint(
        &self,
        scope: &TenantScope,
        before: &Versioned<WebhookEndpoint>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let mut more = self.write_following(scope, before.value.id, None).await?;
        more.push(Write::Clear(keys::webhook_health(scope, before.value.id)));
        self.remove_with(scope, before, stamp, more).await
    }
}
