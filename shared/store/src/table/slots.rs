//! Slots of operations that run ([0110](../../../../docs/decisions/0110-slots-of-operations.md)): a row for each of the deployment, and one
//! for those of a tenant. Rows of the deployment are written over, never deleted, so that a function needs a single permission for them.

use domain::terms::{SlotWish, TakenSlot, TenantSlots, Waiting};
use jiff::{SignedDuration, Timestamp};
use ulid::Ulid;

use crate::table::keys;
use crate::table::row::{self, Condition, Row};
use crate::{Store, StoreError, TenantScope, Versioned};

/// Time to live is in whole seconds: a slot must not end before its run.
const ROUNDING: SignedDuration = SignedDuration::from_secs(1);

/// Attempts to write the slots of a tenant, which many runs may do at once.
const ATTEMPTS: u32 = 8;

/// The version of a slot's row: that of its holder, so that nobody else gives it back.
fn version_of_holder(holder: Ulid) -> u64 {
    u64::try_from(holder.random() & u128::from(u64::MAX)).unwrap_or_default()
}

impl Store {
    /// Takes this slot of the deployment for an attempt, unless somebody has it. One write.
    pub async fn take_slot(
        &self,
        number: u32,
        holder: Ulid,
        slot: &TakenSlot,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "take a slot for an operation";
        let row = Row::new(&keys::slot(number), "slot", slot, Condition::NewOrExpired(now), DOING)?;
        let row = row.version(version_of_holder(holder));
        self.database.try_put(row.expires(slot.until, ROUNDING), DOING).await
    }

    /// Gives a slot of the deployment back. It stays as it is if its time is over and somebody else has it.
    pub async fn give_slot_back(
        &self,
        number: u32,
        holder: Ulid,
        slot: &TakenSlot,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        const DOING: &str = "give a slot of an operation back";
        let version = version_of_holder(holder);
        let row = Row::new(&keys::slot(number), "slot", slot, Condition::Version(version), DOING)?;
        let row = row.version(version).expires_at(now);
        self.database.try_put(row, DOING).await.map(drop)
    }

    /// Takes a slot of the tenant. Returns false if it has none for it: the operation waits then, if it is one of those that have waited
    /// longest.
    pub async fn take_slot_of_tenant(
        &self,
        scope: &TenantScope,
        wish: &SlotWish,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        const DOING: &str = "take a slot of a tenant";
        let taken = self
            .change_slots(scope, now, DOING, |slots| slots.take(wish, now))
            .await?;
        Ok(taken.unwrap_or(false))
    }

    /// Gives a slot of the tenant back. `goes_on`: the operation waits for the next one if others do. Returns the operation that may have
    /// the slot now.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] if every attempt loses.
    pub async fn give_slot_of_tenant_back(
        &self,
        scope: &TenantScope,
        wish: &SlotWish,
        goes_on: bool,
        now: Timestamp,
    ) -> Result<Option<Waiting>, StoreError> {
        const DOING: &str = "give a slot of a tenant back";
        let given = self.change_slots(scope, now, DOING, |slots| slots.give_back(wish, goes_on, now));
        given.await?.ok_or(StoreError::Conflict { doing: DOING })
    }

    /// Changes the slots of a tenant. `None` if every attempt lost a race.
    async fn change_slots<T>(
        &self,
        scope: &TenantScope,
        now: Timestamp,
        doing: &'static str,
        change: impl Fn(&mut TenantSlots) -> T,
    ) -> Result<Option<T>, StoreError> {
        let key = keys::slots(scope);
        for _attempt in 0..ATTEMPTS {
            let item = self.database.get(&key, doing).await?;
            let before: Option<Versioned<TenantSlots>> = row::read_versioned(item, Some(now), doing)?;
            let (condition, version) = match &before {
                Some(before) => (Condition::Version(before.version), before.version + 1),
                None => (Condition::NewOrExpired(now), 1),
            };
            let before = before.map(|before| before.value).unwrap_or_default();
            let mut after = before.clone();
            let changed = change(&mut after);
            if after == before {
                return Ok(Some(changed));
            }
            let row = Row::new(&key, "slots", &after, condition, doing)?.version(version);
            let row = row.expires(after.ends_at().unwrap_or(now), ROUNDING);
            if self.database.try_put(row, doing).await? {
                return Ok(Some(changed));
            }
        }
        Ok(None)
    }
}
