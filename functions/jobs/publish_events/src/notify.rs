//! Jobs for notifications on devices, which `send_push` sends: for customers' messages unless somebody reads them soon,
//! and at once for mentions, calls without a follow-up, and notices.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Timestamp;
use domain::inbox::Wrote;
use domain::live::{About, MAX_AGE, TOO_LATE, Told};
use domain::terms::{EventId, TenantId};
use jobs::{JobBody as _, PushJob};
use kit::{Entry, JobError, TimeLimit, line, metric};
use store::TenantScope;
use store::live::AtOnce;

use crate::Context;

/// Maximum time for the queue.
const WITHIN: Duration = Duration::from_secs(3);

/// A job for each conversation with a new message of the customer's.
pub(crate) fn jobs(of_tenants: &BTreeMap<TenantId, Vec<Told>>) -> Vec<PushJob> {
    let told = of_tenants
        .iter()
        .flat_map(|(tenant, told)| told.iter().map(move |told| (*tenant, told)));
    let jobs = told.filter_map(|(tenant, told)| {
        let lately = |wrote: &Wrote| told.event.at.duration_since(wrote.at) < MAX_AGE;
        let wrote = told.wrote.filter(lately)?;
        Some(PushJob {
            tenant,
            correlation_id: told.event.id.to_string(),
            about: About::Message {
                conversation: told.event.conversation_id?,
                seq: wrote.seq,
            },
            at: told.event.at,
            rest: None,
        })
    });
    jobs.collect()
}

/// The job for what is told at once, with the id and the time of its event. What happened long before it became known is no news.
pub(crate) fn at_once(told: AtOnce, event: EventId, at: Timestamp) -> Option<PushJob> {
    (at.duration_since(told.happened_at) < MAX_AGE).then(|| PushJob {
        tenant: told.tenant,
        correlation_id: event.to_string(),
        about: told.about,
        at,
        rest: None,
    })
}

/// Queues the jobs of tenants with at least one device. Most have none, which costs one read for the batch. If that
/// fails, nobody is notified: live events wait for no notification, which nobody wants later.
pub(crate) async fn queue(jobs: Vec<PushJob>, ctx: &Context) {
    let count = u64::try_from(jobs.len()).unwrap_or_default();
    match try_queue(jobs, ctx).await {
        Ok(queued) => line::count("pushes_queued", queued),
        Err(error) => {
            metric::count("pushes_lost", &[]);
            tracing::warn!(error = error.to_string(), count, "nobody is notified on their devices");
        }
    }
}

async fn try_queue(jobs: Vec<PushJob>, ctx: &Context) -> Result<u64, JobError> {
    let now = ctx.clock.now();
    let jobs: Vec<PushJob> = jobs
        .into_iter()
        .filter(|job| now.duration_since(job.at) < TOO_LATE)
        .collect();
    let tenants: BTreeSet<TenantId> = jobs.iter().map(PushJob::tenant).collect();
    if tenants.is_empty() {
        return Ok(0);
    }
    let scopes: Vec<TenantScope> = tenants.into_iter().map(access::job::scope).collect();
    let scopes: Vec<&TenantScope> = scopes.iter().collect();
    let reached = ctx.store.with_reachable(&scopes, now).await?;
    let wanted = jobs
        .iter()
        .filter(|job| reached.iter().any(|scope| scope.tenant() == job.tenant()));
    let entries: Result<Vec<Entry>, _> = wanted
        .map(|job| Entry::new(job).map(|entry| entry.after(job.about.waits().unsigned_abs())))
        .collect();
    let entries = entries?;
    let queued = u64::try_from(entries.len()).unwrap_or_default();
    if !entries.is_empty() {
        ctx.pushes.send_all_or_give_up(entries, TimeLimit::of(WITHIN)).await?;
    }
    Ok(queued)
}
