//! Imports of contacts: a row each, beside the operations that work through them, retained for 30 days.

use domain::people::Import;
use domain::terms::{ImportId, Operation, Stamp};
use jiff::Timestamp;
use jobs::ToQueue;

use crate::table::keys;
use crate::table::operations::operation_row;
use crate::table::row::{self, Condition, Row};
use crate::{Page, Store, StoreError, TenantScope, Versioned};

fn import_row(
    scope: &TenantScope,
    import: &Import,
    condition: Condition,
    version: u64,
    doing: &'static str,
) -> Result<Row, StoreError> {
    let row = Row::new(&keys::import(scope, import.id), "import", import, condition, doing)?;
    Ok(row.version(version).expires(import.created_at, Import::RETAINED))
}

impl Store {
    /// Creates an import. If it exists already, because the request that creates it came twice, nothing is written: the id
    /// belongs to the request.
    pub async fn create_import(&self, scope: &TenantScope, import: &Import, stamp: &Stamp) -> Result<(), StoreError> {
        const DOING: &str = "create an import";
        let row = import_row(scope, import, Condition::New, 1, DOING)?.with_stamp(stamp);
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// An import with the version that its next change needs, unless its retention is over.
    pub async fn import(
        &self,
        scope: &TenantScope,
        id: ImportId,
        now: Timestamp,
    ) -> Result<Option<Versioned<Import>>, StoreError> {
        const DOING: &str = "read an import";
        let item = self.database.get(&keys::import(scope, id), DOING).await?;
        row::read_versioned(item, Some(now), DOING)
    }

    /// A page of a tenant's imports, the newest first. `after` is the cursor of the previous page. A page may hold fewer than `limit`
    /// without being the last.
    pub async fn imports(
        &self,
        scope: &TenantScope,
        after: Option<&str>,
        limit: i32,
        now: Timestamp,
    ) -> Result<Page<Versioned<Import>>, StoreError> {
        self.newest_of(scope, keys::IMPORT, after, limit, now, "list imports")
            .await
    }

    /// Starts an operation that works through an import, which `after` names. Both are written, under the condition of the import's
    /// version that was read, or none. Returns the job that starts it.
    pub async fn start_import(
        &self,
        scope: &TenantScope,
        before: u64,
        after: &Import,
        operation: &Operation,
        stamp: &Stamp,
    ) -> Result<ToQueue, StoreError> {
        const DOING: &str = "start an import";
        let import = import_row(scope, after, Condition::Version(before), before + 1, DOING)?;
        let started = operation_row(scope, operation, Condition::New, 1, DOING)?.with_stamp(stamp);
        self.database.transact(vec![import, started], DOING).await?;
        Ok(ToQueue::start(scope.tenant(), operation))
    }
}
