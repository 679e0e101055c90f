//! Runs: what the token of a callback allows, by the token's hash. They expire with their tokens and are found by these alone, so nothing lists
//! them, and no erasure has to delete them.

use domain::terms::TenantId;
use domain::webhooks::WebhookRun;
use jiff::Timestamp;

use crate::table::keys;
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope};

/// A run with the hash of its token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HashedRun {
    /// SHA-256 of the token, in hex.
    pub sha256: String,
    pub run: WebhookRun,
}

impl Store {
    /// Writes runs, 25 per request: one write unit each.
    ///
    /// # Errors
    /// When the table does not answer. Some may be written.
    pub async fn write_runs(&self, scope: &TenantScope, runs: &[HashedRun]) -> Result<(), StoreError> {
        const DOING: &str = "write runs of webhooks";
        let row = |HashedRun { sha256, run }: &HashedRun| {
            let key = keys::webhook_run_before_scope(scope.tenant(), sha256);
            let row = Row::new(&key, "webhook_run", run, Condition::Always, DOING)?;
            Ok(row.expires_at(run.expires_at))
        };
        let rows: Vec<Row> = runs.iter().map(row).collect::<Result<_, StoreError>>()?;
        self.database.put_many(rows, DOING).await
    }

    /// The run whose token has this hash. `None` if there is none, or its token is valid no more.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn webhook_run_before_scope(
        &self,
        tenant: TenantId,
        sha256: &str,
        now: Timestamp,
    ) -> Result<Option<WebhookRun>, StoreError> {
        const DOING: &str = "look up a run of a webhook";
        let item = self
            .database
            .get(&keys::webhook_run_before_scope(tenant, sha256), DOING)
            .await?;
        let run: Option<WebhookRun> = row::data_if_any(item, DOING)?;
        Ok(run.filter(|run| !run.is_over(now)))
    }
}
