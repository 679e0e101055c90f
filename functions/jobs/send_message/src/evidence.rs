//! Evidence about sends with an unknown outcome.

use domain::{
    Timestamp,
    base::ids::SendKey,
    messages::{
        message::{AttemptState, Evidence as Known, Leg, Message, SendOutcome, StatusReport},
        refusal::{Reason, Refusal},
    },
    tenants::connection::Connection,
};
use jiff::SignedDuration;
use kit::{
    ConfigError, Done, Env, JobError, QueueName,
    enqueue::{EnqueueError, waiting},
    metric,
};

use crate::{
    Step, Work,
    channels::{self, Sent},
};

/// The provider's answer about a message.
pub(crate) enum Found {
    /// It accepted the message.
    Accepted {
        /// Its report.
        report: Box<StatusReport>,
        /// The channel.
        leg: Box<Leg>,
        /// The connection that sent it.
        connection: Box<Connection>,
        /// The attempt.
        number: u32,
    },
    /// It was asked, and its list leaves no room for the message: it never accepted it.
    Nothing,
    /// It cannot be asked, did not answer, or its answer proves nothing.
    CannotTell,
}

/// With more reports than this in the queues, a missing one proves nothing.
const NEARLY_EMPTY: u64 = 10;

/// Maximum time for which queued reports are waited for, once the outcome is known to be unknown: twice the purpose's own wait
/// for evidence. The queue belongs to all tenants and lanes, so a broadcast of another tenant may fill it for much longer.
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
        self.settle(message, now).await
    }

    /// Asks the provider, if it can be asked.
    async fn settle(&self, message: Message, now: Timestamp) -> Result<Step, JobError> {
        let found = self.found(&message, now).await?;
        self.record_found(message, found).await
    }

    async fn record_found(&self, message: Message, found: Found) -> Result<Step, JobError> {
        let Found::Accepted {
            report,
            leg,
            connection,
            number,
        } = found
        else {
            return Ok(Step::Enough(Done::Now));
        };
        let outcome = SendOutcome::Accepted {
            provider_ref: report.provider_ref.clone(),
            segments: None,
        };
        let key = SendKey {
            message: message.id,
            attempt: number,
        };
        let sent = Sent {
            outcome,
            api: channels::api_name(&connection),
        };
        self.record(message, key, &leg, &connection, sent, Some(&report)).await
    }

    async fn found(&self, message: &Message, now: Timestamp) -> Result<Found, JobError> {
        let Some(attempt) = message.last().filter(|attempt| attempt.state == AttemptState::Unknown) else {
            return Ok(Found::CannotTell);
        };
        let Some(planned) = message.plan.get(usize::from(attempt.leg)) else {
            return Ok(Found::CannotTell);
        };
        let Some(connection) = self.ctx.store.connection(self.scope, planned.connection).await? else {
            return Ok(Found::CannotTell);
        };
        let credentials = match self.ctx.channels.credentials(self.scope, &connection, now).await {
            Ok(credentials) => credentials,
            Err(error) => {
                tracing::warn!(error = kit::chain(&error), "could not ask the provider about a message");
                return Ok(Found::CannotTell);
            }
        };
        let find = self.ctx.channels.find(
            (self.scope, &self.ctx.store, now),
            connection,
            credentials.as_deref(),
            message,
            planned,
            attempt,
        );
        Ok(find.await)
    }

    /// Settles an attempt that is unknown for longer than the deadline: first by evidence, then by the message's policy.
    pub(crate) async fn give_up_waiting(&self, mut message: Message, now: Timestamp) -> Result<Step, JobError> {
        let found = self.found(&message, now).await?;
        if let Found::Accepted { .. } = &found {
            return self.record_found(message, found).await;
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
            self.give_back(before.as_ref()).await;
        }
        metric::count("unknown_given_up", &[]);
        Ok(Step::Again)
    }
}
