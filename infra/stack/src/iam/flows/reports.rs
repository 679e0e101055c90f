//! Counters, and the reports that are made of them.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use domain::Timestamp;
use jiff::SignedDuration;
use serde_json::json;
use store::counters::{Counted, Place, Source};

use super::{new_ulid, scope, succeeded};
use crate::{endpoints::Tenant, iam::Audit};

impl Audit<'_> {
    /// A day that is over is rolled up.
    pub(super) async fn rolled_up(&self, business: &Tenant) -> Result<()> {
        let (store, now) = (&self.play.store, Timestamp::now());
        let counted = Counted {
            sequence: format!("{:0>40}", 1),
            counters: [("calls".to_owned(), 1)].into(),
            after_gap: false,
        };
        let source = Source {
            // In a row of its own.
            shard: &new_ulid()?.to_string(),
            oldest: now,
            retried_since: now,
            again: false,
            keep_until: now + SignedDuration::from_hours(24),
        };
        let place = Place::of(now - SignedDuration::from_hours(4 * 24), None);
        let applied = store.count(&scope(business)?, place, source, &[counted]).await?;
        ensure!(applied == 1, "nothing is counted");
        // Otherwise, a day that is rolled up already is none to roll up.
        let days = BTreeSet::from([place.day()]);
        store.roll_up_again(&scope(business)?, &days).await?;
        self.invoke("roll_up_counters", json!({})).await
    }

    /// Metrics and usage are read, also by line.
    pub(super) async fn reports(&self, business: &Tenant) -> Result<()> {
        for path in [
            "/api/v1/metrics",
            "/api/v1/metrics?by=line",
            "/api/v1/metrics/overview",
            "/api/v1/usage?by=line",
        ] {
            succeeded(&self.api(business, "GET", path, None).await?, path)?;
        }
        Ok(())
    }
}
