//! Fields that a tenant defines for its contacts, which processes cache.

use std::collections::HashMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use domain::people::Field;
use domain::terms::TenantId;

use crate::table::{keys, row};
use crate::{Owned, Part, Pointer, Share, Store, StoreError, TenantScope};

/// Maximum tenants whose fields one process caches.
const CACHED_TENANTS: usize = 256;

impl Owned for Field {
    const KIND: &'static str = "field";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "FIELD#";
    const MAX: u32 = Self::MAX;
    const UNIQUE: &'static str = "key";
    const SHARE: Option<Share> = Some(Share {
        name: "searchable field",
        most: Self::MAX_SEARCHABLE,
    });
    const REMEMBERED: bool = true;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = Pointer::unique(scope, Self::KIND, self.key.as_str(), &self.id);
        pointer.into_iter().collect()
    }

    fn is_of_share(&self) -> bool {
        self.searchable
    }
}

/// A tenant's fields in one version of its configuration.
#[derive(Debug, Clone)]
pub struct Fields {
    version: u64,
    all: Arc<[Field]>,
}

impl Fields {
    /// The version of the configuration. Fields of the same version are the same.
    pub const fn version(&self) -> u64 {
        self.version
    }
}

impl Deref for Fields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        &self.all
    }
}

/// Cache of tenants' fields, each valid for one version of the tenant's configuration.
#[derive(Debug, Default)]
pub struct FieldCache(Mutex<HashMap<TenantId, Fields>>);

impl FieldCache {
    fn get(&self, tenant: TenantId) -> Option<Fields> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&tenant).cloned()
    }

    fn put(&self, tenant: TenantId, fields: Fields) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= CACHED_TENANTS {
            known.clear();
        }
        known.insert(tenant, fields);
    }
}

impl Store {
    /// The current version of a tenant's configuration; 0 if there is no tenant.
    pub(crate) async fn config_version(&self, scope: &TenantScope) -> Result<u64, StoreError> {
        const DOING: &str = "read the version of the tenant's configuration";
        let tenant = self.database.get(&keys::tenant(scope), DOING).await?;
        Ok(tenant.as_ref().map_or(0, row::version_of))
    }

    /// The tenant's current fields: one read, and a query if its configuration has changed since this process read them.
    pub async fn fields(&self, scope: &TenantScope, cache: &FieldCache) -> Result<Fields, StoreError> {
        let version = self.config_version(scope).await?;
        self.fields_as_of(scope, cache, version).await
    }

    /// The fields that this process read last, which may be outdated: whoever uses them compares their version with the current
    /// one. The current fields if this process has read none.
    pub async fn fields_at_hand(&self, scope: &TenantScope, cache: &FieldCache) -> Result<Fields, StoreError> {
        match cache.get(scope.tenant()) {
            Some(known) => Ok(known),
            None => self.fields(scope, cache).await,
        }
    }

    /// The tenant's fields in a version of its configuration that was just read: a query, unless this process has read them.
    pub async fn fields_as_of(
        &self,
        scope: &TenantScope,
        cache: &FieldCache,
        version: u64,
    ) -> Result<Fields, StoreError> {
        if let Some(known) = cache.get(scope.tenant()).filter(|known| known.version == version) {
            return Ok(known);
        }
        let all = self.all::<Field>(scope).await?.into();
        let fields = Fields { version, all };
        cache.put(scope.tenant(), fields.clone());
        Ok(fields)
    }
}
