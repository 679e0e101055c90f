//! Corrections of caps of money, whose counters hold expected costs, once the prices of messages are known.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::reports::priced_attempts;
use store::table::changes::What;
use store::{StoreError, TenantScope};

use crate::Context;

/// Differences of prices from expected costs: by the time of the attempt, then by the number of the cap.
pub(crate) type Corrections = BTreeMap<Timestamp, BTreeMap<u32, i64>>;

/// The corrections that follow from a change.
pub(crate) async fn corrections(what: &What, ctx: &Context) -> Result<Corrections, StoreError> {
    let mut corrections = Corrections::new();
    let What::MessageMoved {
        before: Some(before),
        after,
    } = what
    else {
        return Ok(corrections);
    };
    for priced in priced_attempts(before, after) {
        let taken_at = priced.attempt.claimed_at;
        let book = ctx.store.price_book(&ctx.prices, ctx.clock.now()).await?;
        let differences: BTreeMap<u32, i64> = priced.differences(&book).collect();
        if !differences.is_empty() {
            corrections.insert(taken_at, differences);
        }
    }
    Ok(corrections)
}

/// Corrects the counters, with one write for all messages that were sent in the same hour. What cannot be corrected stays as it was expected.
pub(crate) async fn correct(scope: &TenantScope, all: impl Iterator<Item = Corrections>, ctx: &Context) {
    let mut hours: BTreeMap<i64, (Timestamp, BTreeMap<u32, i64>)> = BTreeMap::new();
    for (taken_at, differences) in all.flatten() {
        let hour = taken_at.as_second().div_euclid(3_600);
        let (_, sum) = hours.entry(hour).or_insert_with(|| (taken_at, BTreeMap::new()));
        for (cap, difference) in differences {
            *sum.entry(cap).or_default() += difference;
        }
    }
    for (taken_at, differences) in hours.into_values() {
        let corrected = ctx.store.correct_caps(scope, &differences, taken_at, ctx.clock.now());
        if let Err(error) = corrected.await {
            tracing::warn!(
                error = kit::chain(&error),
                "what messages cost is not corrected for caps"
            );
        }
    }
}
