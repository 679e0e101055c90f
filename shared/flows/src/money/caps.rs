//! Follow-up work when messages are counted for caps: telling people, and giving back.

use std::collections::BTreeMap;

use domain::Timestamp;
use domain::money::Cap;
use domain::notices::Notice;
use kit::{chain, metric};
use store::{RACES, Store, TenantScope};

/// Has managers told of caps that are nearly reached. If that fails, messages go out all the same.
pub async fn tell_of_caps(store: &Store, scope: &TenantScope, near: &[Cap], now: Timestamp) {
    for cap in near {
        metric::count("cap_nearly_reached", &[]);
        let notice = Notice::of_cap(cap, now);
        let recorded = RACES.until_won(|| store.record_notice(scope, &notice, now));
        if let Err(error) = Box::pin(recorded).await {
            tracing::warn!(error = chain(&error), "nobody is told that a cap is nearly reached");
        }
    }
}

/// Gives back what was taken from caps at this time. If that fails, it stays counted: a cap is never exceeded.
pub async fn give_back_to_caps(
    store: &Store,
    scope: &TenantScope,
    back: &BTreeMap<u32, i64>,
    taken_at: Timestamp,
    now: Timestamp,
) {
    let given = store.correct_caps(scope, back, taken_at, now);
    if let Err(error) = Box::pin(given).await {
        tracing::warn!(error = chain(&error), "what was not sent stays counted for its caps");
    }
}
