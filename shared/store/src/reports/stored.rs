//! Counts of what a tenant has stored and a plan limits: contacts, and the bytes of assets. It is counted before something is added, and
//! counted anew once a day, which also finds what came otherwise, such as callers, and what is gone.

use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use domain::media::Asset;
use jiff::{SignedDuration, Timestamp};

use crate::table::database::{Index, run_update};
use crate::table::forms;
use crate::table::keys::{self, Key};
use crate::table::row::{self, number, second, text};
use crate::{Store, StoreError, TenantScope};

/// Kinds of stored things that a plan limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Contacts,
    /// Kilobytes of assets.
    AssetKilobytes,
}

impl Stored {
    const ALL: [Self; 2] = [Self::Contacts, Self::AssetKilobytes];

    fn key(self, scope: &TenantScope) -> Key {
        let name = match self {
            Self::Contacts => "contacts",
            Self::AssetKilobytes => "asset_kilobytes",
        };
        keys::stored_amount(scope, name)
    }
}

/// The kilobytes that an asset counts for, rounded up.
pub fn kilobytes(asset: &Asset) -> u64 {
    asset.bytes.div_ceil(1_000)
}

/// Interval between counts: less than a day, since the schedule's runs are not punctual.
const COUNTED_EVERY: SignedDuration = SignedDuration::from_hours(20);

/// Retention of a count that nobody renews, as after the deletion of the tenant.
const KEPT_FOR: SignedDuration = SignedDuration::from_hours(62 * 24);

/// Time of the last count, in seconds.
const COUNTED_AT: &str = "counted_at";

const DOING: &str = "count what is stored";

impl Store {
    /// Takes room for what is to be stored, within this maximum: one write. If there is not enough, the room that is left.
    pub async fn take_room(
        &self,
        scope: &TenantScope,
        what: Stored,
        amount: u64,
        most: u64,
    ) -> Result<Result<(), u64>, StoreError> {
        // Of more than the maximum, the condition is never true.
        let (condition, room) = match most.checked_sub(amount) {
            Some(room) => ("attribute_not_exists(n) OR n <= :room", room),
            None => ("attribute_exists(pk) AND n < :room", 0),
        };
        let amount = i128::from(amount);
        match self.add_stored(&what.key(scope), amount, condition, room).await? {
            None => Ok(Ok(())),
            Some(stored) => Ok(Err(most.saturating_sub(stored))),
        }
    }

    /// Gives room back: what was to be stored was not, or is gone. One write.
    pub async fn give_room_back(&self, scope: &TenantScope, what: Stored, amount: u64) -> Result<(), StoreError> {
        let less = -i128::from(amount);
        self.add_stored(&what.key(scope), less, "n >= :room", amount)
            .await
            .map(drop)
    }

    /// Counts anew what a tenant has stored, unless that was done today. Returns whether it was.
    pub async fn count_stored(&self, scope: &TenantScope, now: Timestamp) -> Result<bool, StoreError> {
        let known = self.database.get(&Stored::Contacts.key(scope), DOING).await?;
        let counted_at = known
            .as_ref()
            .and_then(|row| row.get(COUNTED_AT)?.as_n().ok()?.parse().ok());
        let counted_at = counted_at.and_then(|second| Timestamp::from_second(second).ok());
        if counted_at.is_some_and(|at| now < at + COUNTED_EVERY) {
            return Ok(false);
        }
        for what in Stored::ALL {
            let count = match what {
                Stored::Contacts => {
                    self.database
                        .number_of(Index::ByDay, &keys::contacts(scope), DOING)
                        .await?
                }
                Stored::AssetKilobytes => self.all::<Asset>(scope).await?.iter().map(kilobytes).sum(),
            };
            let counted = "SET n = :n, counted_at = :now, expires_at = :until, kind = :kind, f = :form";
            let request = self
                .updating(&what.key(scope), counted)
                .expression_attribute_values(":n", number(count));
            let request = request.expression_attribute_values(":now", second(now));
            let request = request.expression_attribute_values(":until", second(now + KEPT_FOR));
            send_update(request).await?;
        }
        Ok(true)
    }

    fn updating(&self, key: &Key, update: &str) -> UpdateItemFluentBuilder {
        let request = self.database.update_item(key).update_expression(update);
        let request = request.expression_attribute_values(":kind", text("count"));
        request.expression_attribute_values(":form", forms::form("count"))
    }

    /// Adds to a count, under a condition. If it does not hold, the count.
    async fn add_stored(&self, key: &Key, amount: i128, condition: &str, room: u64) -> Result<Option<u64>, StoreError> {
        let request = self
            .updating(key, "ADD n :amount SET kind = :kind, f = :form")
            .expression_attribute_values(":amount", AttributeValue::N(amount.to_string()))
            .condition_expression(condition)
            .expression_attribute_values(":room", number(room))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        send_update(request).await
    }
}

/// Sends an update. If its condition does not hold, the count.
async fn send_update(request: UpdateItemFluentBuilder) -> Result<Option<u64>, StoreError> {
    let refused = run_update(request.send(), DOING).await?.err();
    Ok(refused.map(|found| found.as_ref().map(row::count).unwrap_or_default()))
}
