//! Consequences of attempts: further jobs, notices to people, and the end of an endpoint.

use domain::Timestamp;
use domain::notices::Notice;
use domain::webhooks::{DisabledReason, EndpointHealth, EndpointTrouble, HealthStep};
use kit::{JobError, line};
use store::RACES;

use crate::attempts::Round;
use crate::endpoint::Endpoint;

impl Endpoint<'_> {
    /// Goes on after a round of attempts: queues those that come soon, tells people what they should know, and looks at what waits if the endpoint
    /// takes more.
    pub(crate) async fn go_on(
        &self,
        round: &Round,
        health: &EndpointHealth,
        correlation_id: &str,
    ) -> Result<(), JobError> {
        if let Some(at) = round.gone_at() {
            return self.end(EndpointTrouble::Gone, at, at, DisabledReason::Gone).await;
        }
        if self.take_step(health).await? {
            return Ok(());
        }
        self.queue_retries(&round.tried, health, correlation_id).await?;
        let now = self.now();
        if health.may_send(now) && health.due_at().is_some_and(|due| due <= now) {
            self.queue_look().await?;
        }
        Ok(())
    }

    /// Takes the step that is due for an endpoint that fails for days, if one is. Returns whether the endpoint is disabled now.
    pub(crate) async fn take_step(&self, health: &EndpointHealth) -> Result<bool, JobError> {
        let now = self.now();
        let Some((step, since)) = health.step_due(now).zip(health.failing_since) else {
            return Ok(false);
        };
        let (trouble, at) = (step.trouble(), step.time_after(since));
        if step == HealthStep::Disable {
            self.end(trouble, since, at, DisabledReason::Failing).await?;
            return Ok(true);
        }
        self.tell(trouble, since, at).await?;
        let store = &self.ctx.store;
        let change = |health: &EndpointHealth| {
            if health.failing_since == Some(since) {
                health.after_step(step, now)
            } else {
                health.clone()
            }
        };
        store.change_health(self.scope, self.row.id, now, change).await?;
        Ok(false)
    }

    /// Tells people, then disables the endpoint: if this is interrupted in between, the next attempt to do so tells them of the same.
    async fn end(
        &self,
        trouble: EndpointTrouble,
        since: Timestamp,
        at: Timestamp,
        reason: DisabledReason,
    ) -> Result<(), JobError> {
        self.tell(trouble, since, at).await?;
        let (store, now) = (&self.ctx.store, self.now());
        store
            .disable_webhook_endpoint(self.scope, self.row.id, reason, now)
            .await?;
        line::count("disabled", 1);
        Ok(())
    }

    /// Notes for people that the endpoint is in trouble.
    pub(crate) async fn tell(&self, trouble: EndpointTrouble, since: Timestamp, at: Timestamp) -> Result<(), JobError> {
        let notice = Notice::of_endpoint(self.row, trouble, since, at);
        let (store, now) = (&self.ctx.store, self.now());
        RACES
            .until_won(async || store.record_notice(self.scope, &notice, now).await)
            .await?;
        Ok(())
    }
}
