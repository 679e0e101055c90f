//! Evidence about sends with an unknown outcome.

use domain::Timestamp;
use domain::messages::{AttemptState, Evidence as Known, Message, SendOutcome, StatusReport};
use domain::tenants::Connection;
use domain::terms::{Reason, Refusal};
use jiff::SignedDuration;
use kit::enqueue::{EnqueueError, waiting};
use kit::{ConfigError, Done, Env, JobError, QueueName, metric};

use crate::channels::Doubted;
use crate::{Step, Work};

/// The provider's answer about a message.
pub(crate) enum Found {
    /// It accepted the message, with its report.
    Accepted(Box<StatusReport>),
    /// It was asked, and its list leaves no room for the message: it never accepted it.
    Nothing,
    /// It cannot be asked, did not answer, or its answer proves nothing.
    CannotTell,
}

/// With more reports than this in the queues, a missing one proves nothing.
const NEARLY_EMPTY: u64 = 10;

/// Maximum wait for queued reports once the outcome is known to be unknown: twice the purpose's own wait for evidence.
/// The queue belongs to all tenants and lanes, so a broadcast of another tenant may fill it for much longer.
fn longest_backlog(message: &Message) -> SignedDuration {
    message.policy.unknown_after().saturating_mul(2)
}

/// The queue of providers' reports.
pub(crate) struct Evidence {
    env: Env,
    queue: String,
}

impl Evidence {
    pub(crate) fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            env: env.clone(),
            queue: env.config().text(QueueName::ProviderEvents.variable())?.to_owned(),
        })
    }

    /// Whether all arrived reports are processed, so that a missing one means something. Reports in progress do not count,
    /// since there are always some under load. Nor do failed ones, which say nothing until somebody fixes them.
    async fn reports_are_in(&self) -> Result<bool, EnqueueError> {
        Ok(waiting(&self.env, &self.queue).await? <= NEARLY_EMPTY)
    }
}

impl Work<'_> {
    /// The claim has expired: the outcome is unknown, unless the provider can be asked.
    pub(crate) async fn doubt(&self, mut message: Message, now: Timestamp) -> Result<Step, JobError> {
        message.doubt(now, &self.ctx.timers);
        self.ctx.store.write_message(self.scope, &message).await?;
        metric::count("send_unknown", &[]);
        message.version += 1;
        let (found, connection) = self.find_answer(&message, now).await?;
        match (found, connection) {
            (Found::Accepted(report), Some(connection)) => {
                Box::pin(self.record_found(message, &connection, &report)).await
            }
            _ => Ok(Step::Enough(Done::Now)),
        }
    }

    /// Records that the provider accepted the last attempt.
    async fn record_found(
        &self,
        message: Message,
        connection: &Connection,
        report: &StatusReport,
    ) -> Result<Step, JobError> {
        let (Some(attempt), Some(planned)) = (message.last(), message.current_leg().cloned()) else {
            return Ok(Step::Enough(Done::Now));
        };
        let number = attempt.number;
        let outcome = SendOutcome::Accepted {
            provider_ref: report.provider_ref.clone(),
            segments: None,
        };
        self.record(message, number, &planned, connection, outcome, Some(report))
            .await
    }

    /// The answer about the last attempt, if its outcome is unknown, and the connection that was asked.
    async fn find_answer(&self, message: &Message, now: Timestamp) -> Result<(Found, Option<Connection>), JobError> {
        let unknown = message.last().filter(|attempt| attempt.state == AttemptState::Unknown);
        let (Some(attempt), Some(planned)) = (unknown, message.current_leg()) else {
            return Ok((Found::CannotTell, None));
        };
        let Some(connection) = self.ctx.store.connection(self.scope, planned.connection).await? else {
            return Ok((Found::CannotTell, None));
        };
        let credentials = match self.ctx.channels.credentials.of(self.scope, &connection, now).await {
            Ok(credentials) => credentials,
            Err(error) => {
                tracing::warn!(error = kit::chain(&error), "could not ask the provider about a message");
                return Ok((Found::CannotTell, None));
            }
        };
        let find = self.ctx.channels.find(
            self.scope,
            &self.ctx.store,
            &connection,
            credentials.as_deref(),
            Doubted {
                message,
                leg: planned,
                attempt,
            },
            now,
        );
        Ok((find.await, Some(connection)))
    }

    /// Settles an attempt that is unknown for longer than the deadline: first by evidence, then by the message's policy.
    pub(crate) async fn give_up_waiting(&self, mut message: Message, now: Timestamp) -> Result<Step, JobError> {
        let (found, connection) = self.find_answer(&message, now).await?;
        if let (Found::Accepted(report), Some(connection)) = (&found, &connection) {
            return Box::pin(self.record_found(message, connection, report)).await;
        }
        // Reports may still be queued: while there are more than a few, a missing one proves nothing. Neither does a
        // provider's list without the message.
        // The claim of a dead worker may be found only long after it: in the bulk lane, half an hour.
        let since = message
            .last()
            .map_or(now, |attempt| attempt.unknown_at.unwrap_or(attempt.claimed_at));
        let waited_enough = now >= since + longest_backlog(&message);
        let reports_are_in = self.ctx.evidence.reports_are_in().await?;
        if !waited_enough && !reports_are_in {
            let why = "waiting: reports of the provider are still in the queue";
            let why = Refusal::new(Reason::AwaitsReports, why);
            message.wait_for_evidence(why, now, &self.ctx.timers);
            self.ctx.store.write_message(self.scope, &message).await?;
            return Ok(Step::Enough(Done::Now));
        }
        // Then the policy decides, but nothing is proved that the queued reports could still contradict.
        let known = match found {
            Found::Nothing if reports_are_in => Known::NotTaken,
            _ => Known::Silence,
        };
        // The worker of this claim does not send any more (see `too_late`), so a message that Twilio has not accepted by
        // now never will be.
        let before = message.last().cloned();
        message.give_up_waiting(known, now, &self.ctx.timers);
        self.ctx.store.write_message(self.scope, &message).await?;
        if known == Known::NotTaken {
            self.give_back_of(before.as_ref()).await;
        }
        metric::count("unknown_given_up", &[]);
        Ok(Step::Again)
    }
}
