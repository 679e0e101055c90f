//! Notices that people may need: refused connections, stopped templates, and the days with calls matched by each
//! automation (those without a match are found by them).
//!
//! Safe to run twice: an occurrence is written only if it is newer than the known one, and a day only if it is later.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use domain::notices::{Notice, day_of};
use domain::terms::{RuleId, TenantId};
use jiff::civil::Date;
use store::table::changes::{RowChange, What};
use store::{RACES, StoreError};

use crate::Context;

/// Maximum marks that a process remembers.
const MAX_KNOWN: usize = 50_000;

/// The tenants with calls, and the automations that matched some of them, by days.
pub(crate) type Days = BTreeMap<(TenantId, Date), BTreeSet<RuleId>>;

/// A tenant with calls, or one of its automations that matched some.
type Mark = (TenantId, Option<RuleId>);

/// Records that this process has written already for the latest day, so that a busy tenant's calls cost nothing.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<Marks>);

#[derive(Debug, Default)]
struct Marks {
    day: Option<Date>,
    marks: HashSet<Mark>,
}

impl Known {
    /// Whether all of this is known.
    fn has(&self, tenant: TenantId, day: Date, rules: &BTreeSet<RuleId>) -> bool {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.day == Some(day)
            && known.marks.contains(&(tenant, None))
            && rules.iter().all(|rule| known.marks.contains(&(tenant, Some(*rule))))
    }

    fn learn(&self, tenant: TenantId, day: Date, rules: &BTreeSet<RuleId>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.day < Some(day) || known.marks.len() >= MAX_KNOWN {
            known.marks.clear();
            known.day = Some(day);
        }
        if known.day == Some(day) {
            known.marks.insert((tenant, None));
            known.marks.extend(rules.iter().map(|rule| (tenant, Some(*rule))));
        }
    }
}

/// The day of a call's decision, with the automation that matched.
pub(crate) fn call_day(change: &RowChange) -> Option<(Date, Option<RuleId>)> {
    match &change.what {
        What::CallDecided(call) | What::CallDecidedAgain { after: call, .. } => {
            Some((day_of(call.decided_at), call.grounds.rule))
        }
        What::MessageMoved { .. } | What::Received(_) | What::Recorded(_) | What::Refused(_) => None,
    }
}

/// Records an occurrence. Returns whether it was new.
pub(crate) async fn record(tenant: TenantId, notice: &Notice, ctx: &Context) -> Result<bool, StoreError> {
    let scope = access::job::scope(tenant);
    let now = ctx.clock.now();
    RACES.until_won(|| ctx.store.record_notice(&scope, notice, now)).await
}

/// Records days with calls that this process does not know yet.
pub(crate) async fn record_days(days: Days, ctx: &Context) -> Result<(), StoreError> {
    for ((tenant, day), rules) in days {
        if ctx.known.has(tenant, day, &rules) {
            continue;
        }
        let scope = access::job::scope(tenant);
        let now = ctx.clock.now();
        let recorded = RACES.until_won(|| ctx.store.note_calls(&scope, day, &rules, now));
        recorded.await?;
        ctx.known.learn(tenant, day, &rules);
    }
    Ok(())
}
