//! API keys.

use domain::accounts::{ApiKey, KeySecret, LastUsed};
use domain::terms::{ApiKeyId, IpRange, Stamp, TenantId};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::table::row::{self, Condition, Row, Write};
use crate::table::{keys, owned};
use crate::{Owned, Page, Part, Pointer, Store, StoreError, TenantScope, Versioned};

/// Look-up from an API key to its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyOwner {
    pub tenant: TenantId,
    pub key: ApiKeyId,
}

impl Owned for ApiKey {
    const KIND: &'static str = "api_key";
    const NAME: &'static str = "API key";
    const PART: Part = Part::People;
    const PREFIX: &'static str = "APIKEY#";
    const MAX: u32 = Self::MAX as u32;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let owner = ApiKeyOwner {
            tenant: scope.tenant(),
            key: self.id,
        };
        let pointer = |secret: &KeySecret| Pointer::new(keys::api_key_owner(&secret.sha256), "api_key_owner", &owner);
        self.secrets.iter().filter_map(pointer).collect()
    }

    fn last_state(&self, at: Timestamp) -> Self {
        Self {
            revoked_at: Some(at),
            ..self.clone()
        }
    }
}

impl Store {
    /// The tenant of an API key, by its SHA-256 in hex. Does not tell whether the key is still valid.
    pub async fn api_key_owner_before_scope(&self, sha256: &str) -> Result<Option<ApiKeyOwner>, StoreError> {
        const DOING: &str = "look up an API key";
        let item = self.database.get(&keys::api_key_owner(sha256), DOING).await?;
        row::data_if_any(item, DOING)
    }

    /// An API key and its last use, in one read.
    pub async fn api_key_and_use(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
    ) -> Result<Option<(Versioned<ApiKey>, Option<LastUsed>)>, StoreError> {
        const DOING: &str = "read an API key and its use";
        let wanted = [owned::key::<ApiKey>(scope, &id), keys::key_use(scope, id)];
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let [key, used] = wanted.map(|key| found.remove(&key));
        let Some(key) = row::read_versioned(key, None, DOING)? else {
            return Ok(None);
        };
        let used = row::data_if_any(used, DOING)?;
        Ok(Some((key, used)))
    }

    /// A page of the tenant's keys, by id, each with its last use: two reads.
    pub async fn api_keys(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<(Versioned<ApiKey>, Option<LastUsed>)>, StoreError> {
        const DOING: &str = "list API keys";
        let page = self.page::<ApiKey>(scope, after, limit).await?;
        let uses = page.items.iter().map(|key| keys::key_use(scope, key.value.id));
        let uses: Vec<_> = uses.collect();
        let mut found = self.database.get_many(&uses, DOING).await?;
        let mut items = Vec::with_capacity(page.items.len());
        for (key, at) in page.items.into_iter().zip(uses) {
            let used = row::data_if_any(found.remove(&at), DOING)?;
            items.push((key, used));
        }
        Ok(Page { items, next: page.next })
    }

    /// Revokes a key under the condition of the version that was read, at once and for good. The record of its
    /// last use is deleted, too.
    pub async fn revoke_api_key(
        &self,
        scope: &TenantScope,
        before: &Versioned<ApiKey>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        let unused = Write::Clear(keys::key_use(scope, before.value.id));
        self.remove_with(scope, before, stamp, vec![unused]).await
    }

    /// Records the day and the network of a key's use. Called once per process, key, day and network.
    pub async fn note_key_use(
        &self,
        scope: &TenantScope,
        key: ApiKeyId,
        network: Option<IpRange>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "record the use of an API key";
        let used = LastUsed {
            day: now.to_zoned(TimeZone::UTC).date(),
            network,
        };
        let row = Row::new(&keys::key_use(scope, key), "key_use", &used, Condition::Always, DOING)?;
        self.database.put(row, DOING).await
    }
}
