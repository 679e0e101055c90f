//! Rate limits: one conditional counter per span of time.

use jiff::{SignedDuration, Timestamp};

use crate::{Store, StoreError, TenantScope, table::keys};

/// A rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Maximum number within the span.
    pub most: u32,
    /// Length of the span in seconds. Spans are aligned to the clock.
    pub seconds: u32,
}

impl Limit {
    /// A limit per minute.
    pub const fn per_minute(most: u32) -> Self {
        Self { most, seconds: 60 }
    }

    /// A limit per hour.
    pub const fn per_hour(most: u32) -> Self {
        Self { most, seconds: 3600 }
    }

    /// A limit per day, in UTC.
    pub const fn per_day(most: u32) -> Self {
        Self { most, seconds: 86_400 }
    }

    fn window(self, now: Timestamp) -> i64 {
        let seconds = i64::from(self.seconds.max(1));
        now.as_second().div_euclid(seconds) * seconds
    }
}

/// The state of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// The limit.
    pub limit: u32,
    /// The remaining number; `None` if the limit was reached and this time does not count.
    pub remaining: Option<u32>,
    /// Seconds until the next span.
    pub resets_in: u32,
}

impl Allowance {
    /// Whether this time was within the limit.
    pub const fn is_within(&self) -> bool {
        self.remaining.is_some()
    }
}

/// Rows outlive their span a little, since clocks differ.
const OUTLIVES: SignedDuration = SignedDuration::from_mins(10);

impl Store {
    /// Counts one use by `who` in the tenant, unless the limit is reached: one write, and never more than the limit,
    /// however many ask at once.
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

    /// The same for callers without a tenant. `who` contains the kind and a hash, never an address itself.
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
