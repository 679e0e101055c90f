//! Prices of messages that an operator gives instead of those that come with the code: one row of the platform.

use domain::prices::PriceBook;

use crate::{
    Store, StoreError, Versioned, keys,
    platform::{PlatformAct, act_row},
    row::{self, Condition, Row, Write},
};

impl Store {
    /// The prices that an operator gave, if there are any.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn prices(&self) -> Result<Option<Versioned<PriceBook>>, StoreError> {
        const DOING: &str = "read the prices of messages";
        let item = self.database.get(&keys::prices(), DOING).await?;
        row::versioned(item, None, DOING)
    }

    /// Replaces the prices under the condition of the version that was read; `None` if there were none. Returns the new version. The first
    /// one is the time, so that a version never comes back after the prices were removed.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn replace_prices(
        &self,
        before: Option<u64>,
        book: &PriceBook,
        act: &PlatformAct,
        act_id: &str,
    ) -> Result<u64, StoreError> {
        const DOING: &str = "replace the prices of messages";
        let first = u64::try_from(act.by.at.as_millisecond()).unwrap_or(1);
        let version = before.map_or(first, |before| before + 1);
        let condition = before.map_or(Condition::New, Condition::Version);
        let row = Row::new(&keys::prices(), "prices", book, condition, DOING)?.version(version);
        let rows = vec![row, act_row(act, act_id, DOING)?];
        self.database.transact(rows, DOING).await?;
        Ok(version)
    }

    /// Removes the prices that an operator gave, under the condition of the version that was read.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] after a lost race.
    pub async fn remove_prices(&self, before: u64, act: &PlatformAct, act_id: &str) -> Result<(), StoreError> {
        const DOING: &str = "remove the prices of messages";
        let writes = vec![
            Write::DeleteVersion(keys::prices(), before),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        self.database.transact_writes(writes, DOING).await
    }
}
