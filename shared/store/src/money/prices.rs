//! Prices of messages that an operator gives instead of those that come with the code: one row of the platform.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use domain::money::PriceBook;
use jiff::{SignedDuration, Timestamp};

use crate::table::keys;
use crate::table::row::{self, Condition, Row, Write};
use crate::tenants::{PlatformAct, act_row};
use crate::{Store, StoreError, Versioned};

/// Lifetime of the current prices in a process.
const KEPT: SignedDuration = SignedDuration::from_secs(60);

/// The prices that hold, as a process read them last.
#[derive(Debug, Default)]
pub struct PriceCache(Mutex<Option<(Timestamp, Arc<Cow<'static, PriceBook>>)>>);

impl Store {
    /// The prices that hold: those that an operator gave, or those that come with the code.
    pub async fn current_prices(&self) -> Result<Cow<'static, PriceBook>, StoreError> {
        let given = self.prices().await?.map(|given| Cow::Owned(given.value));
        Ok(given.unwrap_or(Cow::Borrowed(PriceBook::shipped_prices())))
    }

    /// The prices that hold, at most a minute old.
    pub async fn price_book(
        &self,
        cache: &PriceCache,
        now: Timestamp,
    ) -> Result<Arc<Cow<'static, PriceBook>>, StoreError> {
        let known = || cache.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((read_at, book)) = &*known()
            && (*read_at..*read_at + KEPT).contains(&now)
        {
            return Ok(Arc::clone(book));
        }
        let book = Arc::new(self.current_prices().await?);
        *known() = Some((now, Arc::clone(&book)));
        Ok(book)
    }

    /// The prices that an operator gave, if there are any.
    pub async fn prices(&self) -> Result<Option<Versioned<PriceBook>>, StoreError> {
        const DOING: &str = "read the prices of messages";
        let item = self.database.get(&keys::prices(), DOING).await?;
        row::read_versioned(item, None, DOING)
    }

    /// Replaces the prices under the condition of the version that was read; `None` if there were none. Returns the new version. The first
    /// one is the time, so that a version never comes back after the prices were removed.
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
    pub async fn remove_prices(&self, before: u64, act: &PlatformAct, act_id: &str) -> Result<(), StoreError> {
        const DOING: &str = "remove the prices of messages";
        let writes = vec![
            Write::DeleteVersion(keys::prices(), before),
            Write::Put(act_row(act, act_id, DOING)?),
        ];
        self.database.transact_writes(writes, DOING).await
    }
}
