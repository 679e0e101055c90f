//! Telling people of caps.

use domain::{Timestamp, accounts::notice::Notice, money::cap::Cap};
use store::{RACES, Store, TenantScope};

use crate::{chain, metric};

/// Has managers told of caps that are nearly reached. If that fails, messages go out all the same.
pub async fn tell(store: &Store, scope: &TenantScope, near: &[Cap], now: Timestamp) {
    for cap in near {
        metric::count("cap_nearly_reached", &[]);
        let notice = Notice::of_cap(cap, now);
        let recorded = RACES.until_won(|| store.record_notice(scope, &notice, now));
        if let Err(error) = Box::pin(recorded).await {
            tracing::warn!(error = chain(&error), "nobody is told that a cap is nearly reached");
        }
    }
}
