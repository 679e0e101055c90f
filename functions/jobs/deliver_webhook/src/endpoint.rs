//! Common parts of an endpoint's jobs: the health, further jobs, and the times of waiting deliveries.

use domain::Timestamp;
use domain::terms::TenantId;
use domain::webhooks::{Delivery, DeliveryState, EndpointHealth, WebhookEndpoint};
use jiff::SignedDuration;
use jobs::DeliveryJob;
use kit::enqueue::MAX_DELAY;
use kit::{Entry, JobError, TimeLimit};
use store::TenantScope;

use crate::Context;

/// Attempts after which the queue holds back the next one. Others wait in the table.
const HELD_BACK_BY_QUEUE: usize = 2;

/// A delivery whose job the queue holds back is left to it for this time after its own. Then the job counts as lost.
const LEFT_TO_QUEUE: SignedDuration = SignedDuration::from_secs(60);

/// An endpoint, and the limit for the work of a job.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    pub(crate) ctx: &'a Context,
    pub(crate) scope: &'a TenantScope,
    pub(crate) row: &'a WebhookEndpoint,
    /// No attempt begins after it.
    pub(crate) limit: TimeLimit,
}

/// Whether the next attempt of a delivery has a job of its own.
fn has_own_job(delivery: &Delivery) -> bool {
    let soon = |next: Timestamp| {
        delivery
            .attempts
            .last()
            .is_some_and(|last| next.duration_since(last.at) <= max_delay())
    };
    delivery.attempts.len() <= HELD_BACK_BY_QUEUE && delivery.next_at.is_some_and(soon)
}

fn max_delay() -> SignedDuration {
    SignedDuration::try_from(MAX_DELAY).unwrap_or(SignedDuration::ZERO)
}

/// The time from which a look tries a waiting delivery.
pub(crate) fn looked_at_from(delivery: &Delivery) -> Timestamp {
    let from = delivery.waits_since();
    if has_own_job(delivery) {
        from + LEFT_TO_QUEUE
    } else {
        from
    }
}

/// The waiting ones among deliveries.
pub(crate) fn waiting(deliveries: &[Delivery]) -> impl Iterator<Item = &Delivery> {
    deliveries
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Waiting)
}

impl Endpoint<'_> {
    pub(crate) fn now(&self) -> Timestamp {
        self.ctx.clock.now()
    }

    const fn tenant(&self) -> TenantId {
        self.scope.tenant()
    }

    /// Changes the health of the endpoint. If it was just read, and stays as it is, nothing is read or written.
    pub(crate) async fn change_health(
        &self,
        known: &EndpointHealth,
        change: impl Fn(&EndpointHealth) -> EndpointHealth + Sync,
    ) -> Result<EndpointHealth, JobError> {
        if change(known) == *known {
            return Ok(known.clone());
        }
        let store = &self.ctx.store;
        Ok(store.change_health(self.scope, self.row.id, self.now(), change).await?)
    }

    /// Queues the next attempts of those deliveries that the queue holds back. While the endpoint is down, looks try them.
    pub(crate) async fn queue_retries(
        &self,
        deliveries: &[Delivery],
        health: &EndpointHealth,
        correlation_id: &str,
    ) -> Result<(), JobError> {
        if health.is_down() {
            return Ok(());
        }
        let now = self.now();
        let mut entries = Vec::new();
        for delivery in waiting(deliveries).filter(|delivery| has_own_job(delivery)) {
            let job = DeliveryJob::Retry {
                tenant: self.tenant(),
                correlation_id: correlation_id.to_owned(),
                endpoint: self.row.id,
                event: delivery.event.id,
            };
            let wait = delivery.waits_since().duration_since(now).max(SignedDuration::ZERO);
            entries.push(Entry::new(&job)?.after(wait.unsigned_abs()));
        }
        Ok(self.ctx.queue.send_all(entries).await?)
    }

    /// Queues another look at once.
    pub(crate) async fn queue_look(&self) -> Result<(), JobError> {
        let look = DeliveryJob::Run {
            tenant: self.tenant(),
            correlation_id: self.row.id.to_string(),
            endpoint: self.row.id,
        };
        Ok(self.ctx.queue.send(self.scope, &look).await?)
    }
}

/// The number of a list, as far as a health counts.
pub(crate) fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
