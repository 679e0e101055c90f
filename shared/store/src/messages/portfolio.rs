//! Places for customers that a tenant's campaigns write to first: one row. Each write takes or returns several places.

use domain::messages::{FirstWritten, Places};
use jiff::Timestamp;

use crate::table::keys;
use crate::table::row::{self, Condition, Row};
use crate::{RACES, Store, StoreError, TenantScope, Versioned};

const DOING: &str = "take places of the customers to whom a business writes first";

impl Store {
    /// Takes up to so many places of those that WhatsApp allows, unless there is none before the time that is returned. A read and a write, of
    /// one unit; a lost race costs both again.
    pub async fn take_first_places(
        &self,
        scope: &TenantScope,
        wanted: u32,
        allowed: u32,
        now: Timestamp,
    ) -> Result<Result<Places, Timestamp>, StoreError> {
        RACES
            .until_won(|| async {
                let mut known = self.first_written(scope).await?;
                let places = match known.value.take(wanted, allowed, now) {
                    Ok(places) => places,
                    Err(until) => return Ok(Err(until)),
                };
                self.write_first_written(scope, &known, now).await?;
                Ok(Ok(places))
            })
            .await
    }

    /// Returns places that nobody needed. The same costs.
    pub async fn return_first_places(
        &self,
        scope: &TenantScope,
        places: Places,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        RACES
            .until_won(|| async {
                let mut known = self.first_written(scope).await?;
                known.value.give_back(places);
                self.write_first_written(scope, &known, now).await
            })
            .await
    }

    async fn first_written(&self, scope: &TenantScope) -> Result<Versioned<FirstWritten>, StoreError> {
        let item = self.database.get(&keys::portfolio_limit(scope), DOING).await?;
        // One that has expired, and is not deleted yet, has no hours that count.
        let found = row::read_versioned(item, None, DOING)?;
        Ok(found.unwrap_or_else(|| Versioned {
            value: FirstWritten::default(),
            version: 0,
        }))
    }

    async fn write_first_written(
        &self,
        scope: &TenantScope,
        known: &Versioned<FirstWritten>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let condition = match known.version {
            0 => Condition::New,
            known => Condition::Version(known),
        };
        let key = keys::portfolio_limit(scope);
        let row = Row::new(&key, "portfolio_limit", &known.value, condition, DOING)?;
        let row = row.version(known.version + 1).expires(now, FirstWritten::RETAINED);
        self.database.put(row, DOING).await
    }
}
