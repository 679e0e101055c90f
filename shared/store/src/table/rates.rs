//! Rate limits: one conditional counter per span of time.

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use domain::terms::Actor;
use jiff::{SignedDuration, Timestamp};

use crate::table::database::run_update;
use crate::table::forms;
use crate::table::keys::{self, Key};
use crate::table::row::{Item, number, text};
use crate::{Store, StoreError, TenantScope};

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

    fn expires(self, now: Timestamp) -> Timestamp {
        now + SignedDuration::from_secs(self.seconds.into()) + OUTLIVES
    }

    /// Its state after this number of uses; `None`: it was reached before.
    fn state(self, count: Option<u32>, now: Timestamp) -> Allowance {
        let ends = self.window(now) + i64::from(self.seconds);
        Allowance {
            limit: self.most,
            remaining: count.map(|count| self.most.saturating_sub(count)),
            resets_in: u32::try_from(ends - now.as_second()).unwrap_or(self.seconds).max(1),
        }
    }
}

/// The state of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
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

/// Before the name of a caller's count, which is the end of its id: with it, some 60 callers of a minute fit into a write unit.
const CALLER: &str = "c";
const LENGTH_OF_CALLER: usize = 10;

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
        self.count_request(&keys::rate(scope, who, limit.window(now)), limit, now)
            .await
    }

    /// Counts a request by a caller of the tenant for two limits per minute, the caller's and the tenant's, unless one of them is reached: one
    /// write. Returns the state of the caller's, or of the one that was reached. A caller over its own uses nothing of its tenant's.
    pub async fn take_request(
        &self,
        scope: &TenantScope,
        caller: Actor,
        own: u32,
        all: u32,
        now: Timestamp,
    ) -> Result<Allowance, StoreError> {
        const DOING: &str = "count a request";
        let (own, all) = (Limit::per_minute(own), Limit::per_minute(all));
        let id = caller.to_string();
        let name = format!("{CALLER}{}", &id[id.len().saturating_sub(LENGTH_OF_CALLER)..]);
        let request = self
            .database
            .update_item(&keys::rate(scope, "requests", all.window(now)))
            .update_expression("ADD n :one, #own :one SET expires_at = :expires, kind = :kind, f = :form")
            .condition_expression(
                "(attribute_not_exists(n) OR n < :all) AND (attribute_not_exists(#own) OR #own < :own)",
            )
            .expression_attribute_names("#own", &name)
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":all", number(all.most.into()))
            .expression_attribute_values(":own", number(own.most.into()))
            .expression_attribute_values(":expires", AttributeValue::N(all.expires(now).as_second().to_string()))
            .expression_attribute_values(":kind", text("rate"))
            .expression_attribute_values(":form", forms::form("rate"))
            .return_values(ReturnValue::UpdatedNew)
            // The failed write says which limit was reached, without another read.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let count = |row: Option<&Item>| {
            let value = row.and_then(|row| row.get(&name)?.as_n().ok());
            value.and_then(|value| value.parse().ok())
        };
        Ok(match run_update(request.send(), DOING).await? {
            Ok(output) => own.state(Some(count(output.attributes()).unwrap_or(own.most)), now),
            Err(found) => {
                let used: Option<u32> = count(found.as_ref());
                let reached = if used.is_some_and(|used| used >= own.most) {
                    own
                } else {
                    all
                };
                reached.state(None, now)
            }
        })
    }

    /// Counts a request by a caller without a tenant. `who` contains the kind and a hash, never an address itself.
    pub async fn take_outside(&self, who: &str, limit: Limit, now: Timestamp) -> Result<Allowance, StoreError> {
        self.count_request(&keys::rate_outside(who, limit.window(now)), limit, now)
            .await
    }

    async fn count_request(&self, key: &Key, limit: Limit, now: Timestamp) -> Result<Allowance, StoreError> {
        let count = self
            .database
            .count_below(key, limit.most, limit.expires(now), "count a rate")
            .await?;
        Ok(limit.state(count, now))
    }
}
