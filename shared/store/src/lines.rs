//! Lines: what customers reach a tenant by. Every change raises the tenant's version in the same transaction.

use domain::{actor::Stamp, line::Line, tenant::Tenant};

use crate::{
    Store, StoreError, TenantScope, Versioned,
    config::{line_row, tenant_row},
    keys, row,
};

impl Store {
    /// The tenant's lines.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn lines(&self, scope: &TenantScope) -> Result<Vec<Line>, StoreError> {
        self.configured(scope, keys::LINE).await
    }

    /// Writes a line, if nothing of the tenant's configuration has changed since `tenant` was read, before all that the line was
    /// decided from.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when something has.
    pub async fn set_up_line(
        &self,
        scope: &TenantScope,
        tenant: &Tenant,
        line: &Line,
        stamp: &Stamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "set up a line";
        let key = keys::configured(scope, keys::LINE, &line.id.to_string());
        let before: Option<Versioned<Line>> = row::versioned(self.database.get(&key, DOING).await?, None, DOING)?;
        let before = before.map(|before| before.version);
        let rows = vec![
            line_row(scope, line, before, stamp, DOING)?,
            tenant_row(scope, tenant, DOING)?,
        ];
        self.database.transact(rows, DOING).await
    }
}
