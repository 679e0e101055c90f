//! API keys.

use domain::{
    actor::Stamp,
    api_key::{ApiKey, LastUsed},
    ids::{ApiKeyId, TenantId},
};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::{
    Page, Store, StoreError, TenantScope, Versioned, keys,
    row::{self, Condition, Item, Row, Write},
};

/// The way from an API key to its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyOwner {
    /// The tenant.
    pub tenant: TenantId,
    /// The key.
    pub key: ApiKeyId,
}

fn key_row(
    scope: &TenantScope,
    key: &ApiKey,
    condition: Condition,
    version: u64,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let at = keys::configured(scope, keys::API_KEY, &key.id.to_string());
    Ok(Row::new(&at, "api_key", key, condition, doing)?
        .version(version)
        .stamped(stamp))
}

impl Store {
    /// Whose API key this is, by its SHA-256 in hex. Says nothing of whether it is still valid.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn api_key_owner_before_scope(&self, sha256: &str) -> Result<Option<ApiKeyOwner>, StoreError> {
        const DOING: &str = "look up an API key";
        let item = self.database.get(&keys::api_key_owner(sha256), DOING).await?;
        item.map(|item| row::data(item, DOING)).transpose()
    }

    /// An API key.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn api_key(&self, scope: &TenantScope, id: ApiKeyId) -> Result<Option<Versioned<ApiKey>>, StoreError> {
        const DOING: &str = "read an API key";
        let key = keys::configured(scope, keys::API_KEY, &id.to_string());
        row::versioned(self.database.get(&key, DOING).await?, None, DOING)
    }

    /// An API key and the day on which it was last used, in one read.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn api_key_and_use(
        &self,
        scope: &TenantScope,
        id: ApiKeyId,
    ) -> Result<Option<(Versioned<ApiKey>, Option<LastUsed>)>, StoreError> {
        const DOING: &str = "read an API key and its use";
        let wanted = [
            keys::configured(scope, keys::API_KEY, &id.to_string()),
            keys::key_use(scope, id),
        ];
        let mut found = self.database.get_many(&wanted, DOING).await?;
        let [key, used] = wanted.map(|key| found.remove(&key));
        let Some(key) = row::versioned(key, None, DOING)? else {
            return Ok(None);
        };
        let used = used.map(|item| row::data(item, DOING)).transpose()?;
        Ok(Some((key, used)))
    }

    /// One page of the tenant's keys, by id, each with the day on which it was last used: one read, in which a key's use
    /// follows the key.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn api_keys(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
    ) -> Result<Page<(Versioned<ApiKey>, Option<LastUsed>)>, StoreError> {
        const DOING: &str = "list API keys";
        let partition = keys::tenant_partition(scope);
        let after = after.map(|id| format!("{}{id}{}", keys::API_KEY, keys::KEY_USE));
        let asked = limit.saturating_mul(2);
        let (mut rows, mut more) = self
            .database
            .page(&partition, keys::API_KEY, after.as_deref(), asked, false, DOING)
            .await?;
        // Its use may be the first row of the next page.
        if more && rows.last().is_some_and(is_key) && rows.len() > 1 {
            rows.pop();
        }
        let most = usize::try_from(limit).unwrap_or_default();
        let mut items: Vec<(Versioned<ApiKey>, Option<LastUsed>)> = Vec::new();
        let mut last: Option<String> = None;
        for item in rows {
            let Some(id) = key_id(&item).map(str::to_owned) else {
                continue;
            };
            if !is_key(&item) {
                if let Some((_, used)) = items.last_mut().filter(|(key, _)| key.value.id.to_string() == id) {
                    *used = Some(row::data(item, DOING)?);
                }
            } else if items.len() == most {
                more = true;
                break;
            } else if let Some(key) = row::versioned(Some(item), None, DOING)? {
                items.push((key, None));
            }
            last = Some(id);
        }
        Ok(Page {
            items,
            next: last.filter(|_| more),
        })
    }

    /// Makes a key, with the way to it by each of its secrets.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when it is there already.
    pub async fn create_api_key(&self, scope: &TenantScope, key: &ApiKey, stamp: &Stamp) -> Result<(), StoreError> {
        const DOING: &str = "make an API key";
        self.database.transact(new_rows(scope, key, stamp, DOING)?, DOING).await
    }

    /// Changes a key that nobody else has changed since it was read: its secrets too, where they differ from those before.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn change_api_key(
        &self,
        scope: &TenantScope,
        before: &Versioned<ApiKey>,
        after: &ApiKey,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "change an API key";
        let condition = Condition::Version(before.version);
        let row = key_row(scope, after, condition, before.version + 1, stamp, DOING)?;
        let mut writes = vec![Write::Put(row)];
        let has = |key: &ApiKey, sha256: &str| key.secrets.iter().any(|secret| secret.sha256 == sha256);
        for secret in &after.secrets {
            if !has(&before.value, &secret.sha256) {
                writes.push(Write::Put(owner_row(scope, after.id, &secret.sha256, DOING)?));
            }
        }
        for secret in &before.value.secrets {
            if !has(after, &secret.sha256) {
                writes.push(Write::Delete(keys::api_key_owner(&secret.sha256)));
            }
        }
        self.database.transact_writes(writes, DOING).await
    }

    /// Ends a key that nobody else has changed since it was read, at once and for good. What tells of its use goes, too.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody has.
    pub async fn revoke_api_key(
        &self,
        scope: &TenantScope,
        before: &Versioned<ApiKey>,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "revoke an API key";
        let mut revoked = before.value.clone();
        revoked.revoked_at = Some(stamp.at);
        let condition = Condition::Version(before.version);
        let row = key_row(scope, &revoked, condition, before.version + 1, stamp, DOING)?;
        let mut writes = vec![
            Write::Put(row.gone(stamp.at)),
            Write::Clear(keys::key_use(scope, revoked.id)),
        ];
        for secret in &revoked.secrets {
            writes.push(Write::Delete(keys::api_key_owner(&secret.sha256)));
        }
        self.database.transact_writes(writes, DOING).await
    }

    /// Notes the day on which a key is used. Call it once per process, key and day.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn note_key_use(
        &self,
        scope: &TenantScope,
        key: ApiKeyId,
        now: jiff::Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "note an API key's use";
        let used = LastUsed {
            day: now.to_zoned(TimeZone::UTC).date(),
        };
        let row = Row::new(&keys::key_use(scope, key), "key_use", &used, Condition::Always, DOING)?;
        self.database.put(row, DOING).await
    }
}

/// Whether it is a key's own row, and not that of its use.
pub(crate) fn is_key(item: &Item) -> bool {
    row::string(item, "kind") == Some("api_key")
}

/// Which key a row of the list is about.
fn key_id(item: &Item) -> Option<&str> {
    let id = row::string(item, "sk")?.strip_prefix(keys::API_KEY)?;
    Some(id.strip_suffix(keys::KEY_USE).unwrap_or(id))
}

/// The rows of a new key: itself, and the way to it by each of its secrets.
pub(crate) fn new_rows(
    scope: &TenantScope,
    key: &ApiKey,
    stamp: &Stamp,
    doing: &'static str,
) -> Result<Vec<Row>, StoreError> {
    let mut rows = vec![key_row(scope, key, Condition::New, 1, stamp, doing)?];
    for secret in &key.secrets {
        rows.push(owner_row(scope, key.id, &secret.sha256, doing)?);
    }
    Ok(rows)
}

fn owner_row(scope: &TenantScope, key: ApiKeyId, sha256: &str, doing: &'static str) -> Result<Row, StoreError> {
    let owner = ApiKeyOwner {
        tenant: scope.tenant(),
        key,
    };
    Row::new(
        &keys::api_key_owner(sha256),
        "api_key_owner",
        &owner,
        Condition::New,
        doing,
    )
}
