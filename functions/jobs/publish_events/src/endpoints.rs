//! Jobs for endpoints of webhooks, which `deliver_webhook` delivers: the events of a batch that each of them wants.

use std::time::Duration;

use domain::live::{Event, Told};
use domain::terms::TenantId;
use domain::webhooks::FollowingEndpoint;
use jobs::DeliveryJob;
use kit::{Entry, JobError, TimeLimit, line};

use crate::Context;

/// Maximum time for the queue. The batch is repeated if it takes longer.
const WITHIN: Duration = Duration::from_secs(5);

/// A job for each endpoint of a tenant that wants some of these events; several, if there are many.
pub(crate) fn jobs(tenant: TenantId, endpoints: &[FollowingEndpoint], told: &[Told]) -> Vec<DeliveryJob> {
    let jobs = endpoints.iter().flat_map(|endpoint| {
        let wants = |event: &&Event| endpoint.events.contains(&event.kind);
        let events: Vec<Event> = told.iter().map(|told| &told.event).filter(wants).cloned().collect();
        let parts: Vec<Vec<Event>> = events.chunks(DeliveryJob::MAX_EVENTS).map(<[Event]>::to_vec).collect();
        parts.into_iter().map(|events| DeliveryJob::Publish {
            tenant,
            correlation_id: events.first().map(|first| first.id.to_string()).unwrap_or_default(),
            endpoint: endpoint.id,
            events,
        })
    });
    jobs.collect()
}

/// Queues the jobs. Whatever the queue refuses, the whole batch is published again: each endpoint knows events by their ids.
pub(crate) async fn queue(jobs: Vec<DeliveryJob>, ctx: &Context) -> Result<(), JobError> {
    if jobs.is_empty() {
        return Ok(());
    }
    let entries: Result<Vec<Entry>, _> = jobs.iter().map(Entry::new).collect();
    let entries = entries?;
    let queued = u64::try_from(entries.len()).unwrap_or_default();
    ctx.deliveries
        .send_all_or_give_up(entries, TimeLimit::of(WITHIN))
        .await?;
    line::count("deliveries_queued", queued);
    Ok(())
}
