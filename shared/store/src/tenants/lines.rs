//! Lines: what customers reach a tenant by.

use domain::tenants::{Line, MAX_LINES, Tenant};
use domain::terms::{Phone, Stamp};

use crate::table::owned;
use crate::table::row::Write;
use crate::tenants::tenant_row;
use crate::{Owned, Part, Pointer, Store, StoreError, TenantScope};

impl Owned for Line {
    const KIND: &'static str = "line";
    const PART: Part = Part::Configuration;
    const PREFIX: &'static str = "LINE#";
    const MAX: u32 = MAX_LINES as u32;
    const UNIQUE: &'static str = "number";
    const REMEMBERED: bool = true;

    fn id(&self) -> String {
        self.id.to_string()
    }

    fn pointers(&self, scope: &TenantScope) -> Vec<Pointer> {
        let pointer = |number: &Phone| Pointer::unique(scope, "line", &number.key(), &self.id);
        self.number.as_ref().and_then(pointer).into_iter().collect()
    }
}

impl Store {
    /// Creates or changes a line, if the tenant's configuration is unchanged since `tenant` was read, which has to be the
    /// first read of the decision.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if it has changed.
    pub async fn set_up_line(
        &self,
        scope: &TenantScope,
        tenant: &Tenant,
        line: &Line,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "set up a line";
        let before = self.get::<Line>(scope, &line.id).await?;
        let mut writes = match &before {
            Some(before) => owned::change_writes(scope, before, line, stamp)?,
            None => owned::create_writes(scope, line, stamp)?,
        };
        // Raises the tenant's version from the one that was read, not from the current one.
        writes.retain(|write| !matches!(write, Write::Raise(_)));
        writes.push(Write::Put(tenant_row(scope, tenant, DOING)?));
        self.database.transact_writes(writes, DOING).await
    }
}
