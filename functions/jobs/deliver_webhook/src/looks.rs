//! Looks at what waits for an endpoint, and attempts that have a job of their own.

use domain::Timestamp;
use domain::terms::EventId;
use domain::webhooks::{Delivery, DeliveryState, EndpointHealth, WaitingLook, next_attempt};
use jiff::SignedDuration;
use kit::{Done, JobError};
use store::{RACES, StoreError, Versioned};

use crate::attempts::Round;
use crate::endpoint::{Endpoint, looked_at_from, number, waiting};

/// Deliveries that one look tries. The next one continues.
const PAGE: usize = 50;

/// Time for which a look has its endpoint to itself, longer than the function may take.
const CLAIM: SignedDuration = SignedDuration::from_secs(90);

/// A look that finds nothing to try, although something should be, is repeated after this time: the list lags, and expired rows are listed until
/// the table removes them.
const LOOK_AGAIN: SignedDuration = SignedDuration::from_mins(1);

impl Endpoint<'_> {
    /// Tries what waits and is due: a page, or the delivery that waits for the longest if the endpoint is down.
    ///
    /// # Errors
    /// When the table, the queue or the key service does not answer.
    pub(crate) async fn look(&self, known: Versioned<EndpointHealth>, correlation_id: &str) -> Result<Done, JobError> {
        if self.take_step(&known.value).await? {
            return Ok(Done::Now);
        }
        let Some(health) = self.claim(known).await? else {
            return Ok(Done::Already);
        };
        let (store, now, is_down) = (&self.ctx.store, self.now(), health.is_down());
        let (until, most) = if is_down { (None, 1) } else { (Some(now), PAGE) };
        let waiting_deliveries = store.waiting_deliveries(self.scope, self.row.id, until, most, now);
        let found = waiting_deliveries.await?;
        // The list lags: some have another time by now.
        let is_due = |delivery: &Delivery| is_down || looked_at_from(delivery) <= now;
        let (mut due, later): (Vec<Delivery>, Vec<Delivery>) = found.deliveries.into_iter().partition(is_due);
        let round = match due.pop() {
            Some(oldest) if is_down => self.try_one(oldest).await?,
            Some(last) => {
                due.push(last);
                self.try_all(due, &health).await?
            }
            None => Round::default(),
        };
        store.write_deliveries(self.scope, self.row.id, &round.tried).await?;
        let left = waiting(&round.tried).chain(&round.untried).chain(&later);
        let first = left.map(looked_at_from).chain(found.next_at).min();
        let settled = round.tried.len() - waiting(&round.tried).count();
        let nothing = round.tried.is_empty();
        let look = WaitingLook {
            at: now,
            known: health.waits,
            settled: number(settled),
            first: first.map(|first| if nothing { first.max(now + LOOK_AGAIN) } else { first }),
        };
        let after = self
            .change_health(&health, |health| {
                let after = self.after_attempts(health, &round.outcomes).after_look(look);
                if is_down && nothing {
                    after.without_probe()
                } else {
                    after
                }
            })
            .await?;
        self.go_on(&round, &after, correlation_id).await?;
        Ok(Done::Now)
    }

    /// Takes the endpoint for a look, if something is due: another look at the same time would try the same deliveries. Of a probe there may be two,
    /// which change its time once.
    async fn claim(&self, known: Versioned<EndpointHealth>) -> Result<Option<EndpointHealth>, StoreError> {
        let (store, now) = (&self.ctx.store, self.now());
        let read = async || store.read_health(self.scope, self.row.id, now).await;
        RACES
            .until_won_from(known, read, async |known: Versioned<EndpointHealth>| {
                let health = known.value;
                if health.due_at().is_none_or(|due| due > now) {
                    return Ok(None);
                }
                if health.is_down() {
                    return Ok(Some(health));
                }
                let claimed = EndpointHealth {
                    next_try: Some(now + CLAIM),
                    ..health
                };
                let written = store.write_health(self.scope, self.row.id, known.version, &claimed, now);
                written.await.map(|()| Some(claimed))
            })
            .await
    }

    /// Tries a delivery whose time has come, or that a user asked for.
    ///
    /// # Errors
    /// When the table, the queue or the key service does not answer.
    pub(crate) async fn retry(
        &self,
        event: EventId,
        health: &EndpointHealth,
        correlation_id: &str,
    ) -> Result<Done, JobError> {
        let (store, now) = (&self.ctx.store, self.now());
        let found = store.read_delivery(self.scope, self.row.id, event, now).await?;
        let is_due = |delivery: &Delivery| delivery.state == DeliveryState::Waiting && delivery.waits_since() <= now;
        let Some(delivery) = found.filter(is_due) else {
            return Ok(Done::Already);
        };
        // Otherwise a look tries it: the health is due.
        let is_paused = health.paused_until.is_some_and(|until| until > now);
        let is_tried = health.may_send(now) || is_asked_for(&delivery) && !is_paused;
        if !is_tried {
            return Ok(Done::Already);
        }
        let round = self.try_one(delivery).await?;
        store.write_deliveries(self.scope, self.row.id, &round.tried).await?;
        let first = waiting(&round.tried).map(looked_at_from).min();
        let after = self
            .change_health(health, |health| {
                let after = self.after_attempts(health, &round.outcomes);
                match first {
                    Some(first) => after.with_more_waiting(0, first),
                    // When the next look comes, it finds out whether others wait.
                    None => EndpointHealth {
                        waiting: after.waiting.saturating_sub(1),
                        ..after
                    },
                }
            })
            .await?;
        self.go_on(&round, &after, correlation_id).await?;
        Ok(Done::Now)
    }
}

/// Whether a user asked for the next attempt: it has another time than the schedule's.
fn is_asked_for(delivery: &Delivery) -> bool {
    let planned = |at: Timestamp| next_attempt(delivery.event.id, delivery.attempts.len(), at);
    let last = delivery.attempts.last().map(|last| last.at);
    delivery.next_at != last.and_then(planned)
}
