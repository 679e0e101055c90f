//! How often somebody may do something: one conditional counter per span of time.

use jiff::{SignedDuration, Timestamp};

use crate::{Store, StoreError, TenantScope, keys};

/// So often within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// At most this often.
    pub most: u32,
    /// In a span of this many seconds, counted from the full one.
    pub seconds: u32,
}

impl Limit {
    /// So often a minute.
    #[must_use]
    pub const fn per_minute(most: u32) -> Self {
        Self { most, seconds: 60 }
    }

    /// So often an hour.
    #[must_use]
    pub const fn per_hour(most: u32) -> Self {
        Self { most, seconds: 3600 }
    }

    /// So often a day, in UTC.
    #[must_use]
    pub const fn per_day(most: u32) -> Self {
        Self { most, seconds: 86_400 }
    }

    fn window(self, now: Timestamp) -> i64 {
        let seconds = i64::from(self.seconds.max(1));
        now.as_second().div_euclid(seconds) * seconds
    }
}

/// What is left of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The limit.
    pub limit: u32,
    /// What is left of it; `None`: it was reached, and this time does not count.
    pub remaining: Option<u32>,
    /// Seconds until it begins anew.
    pub resets_in: u32,
}

impl Allowance {
    /// Whether this time was within the limit.
    #[must_use]
    pub const fn is_within(&self) -> bool {
        self.remaining.is_some()
    }
}

/// Rows stay a while after their span, for clocks that differ.
const OUTLIVES: SignedDuration = SignedDuration::from_mins(10);

impl Store {
    /// Counts one time of `who` in the tenant, unless the limit is reached: one write, and never one more than the limit
    /// however many ask at once.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take(
        &self,
        scope: &TenantScope,
        who: &str,
        limit: Limit,
        now: Timestamp,
    ) -> Result<Allowance, StoreError> {
        self.counted(&keys::rate(scope, who, limit.window(now)), limit, now)
            .await
    }

    /// The same for who has no tenant yet. `who` names the kind and a hash, never an address itself.
    ///
    /// # Errors
    /// When the table does not answer.
    pub async fn take_outside(&self, who: &str, limit: Limit, now: Timestamp) -> Result<Allowance, StoreError> {
        self.counted(&keys::rate_outside(who, limit.window(now)), limit, now)
            .await
    }

    async fn counted(&self, key: &keys::Key, limit: Limit, now: Timestamp) -> Result<Allowance, StoreError> {
        let ends = limit.window(now) + i64::from(limit.seconds);
        let expires = now + SignedDuration::from_secs(limit.seconds.into()) + OUTLIVES;
        let count = self
            .database
            .count_below(key, limit.most, expires, "count a rate")
            .await?;
        Ok(Allowance {
            limit: limit.most,
            remaining: count.map(|count| limit.most.saturating_sub(count)),
            resets_in: u32::try_from(ends - now.as_second()).unwrap_or(limit.seconds).max(1),
        })
    }
}
