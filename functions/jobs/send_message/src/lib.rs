//! Sends one message's next attempt: check, claim, send, record, in this order.
//!
//! Safe to run twice: the claim is a conditional write on the message's version, the last before the request, and only the
//! worker whose claim stands in the row goes on. What came of a request is recorded by moving the message forward only.

mod channels;
mod evidence;

use std::sync::Arc;

use domain::{
    Timestamp,
    connection::{Connection, Health},
    contact::{Change, Contact},
    ids::SendKey,
    message::{AttemptState, Evidence as Known, Leg, Message, Next, SendOutcome, StatusReport},
    plan::{self, Check},
    record::MessageRef,
    send::{Classified, Effect, ErrorClass, Timers},
    tenant::TenantConfig,
};
use jobs::SendMessage;
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Queue, QueueName, crash, enqueue::Entry, metric};
use store::{
    Store, StoreError, TenantScope,
    config::ConfigCache,
    messages::{MessageAndContact, Reference},
};

use channels::{Channels, Sent};
use evidence::{Evidence, Found};

/// A lost race is read and decided again this often; then the queue tries again.
const MOST_RACES: u32 = 12;

/// One job moves a message at most this many steps: skipping a channel or settling an old claim leads to the next.
const MOST_STEPS: u32 = 6;

/// Credentials that do not open at this receive of a job will not at the next: a passing trouble is over by then.
const RECEIVES_UNTIL_UNHEALTHY: u32 = 3;

/// What the function works with, made once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    sends: Queue,
    channels: Channels,
    evidence: Evidence,
    timers: Timers,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// From the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let timers = env.config().timers()?;
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            config: ConfigCache::default(),
            sends: Queue::new(env, QueueName::Sends)?,
            channels: Channels::new(env, &timers)?,
            evidence: Evidence::new(env)?,
            timers,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

/// Sends, settles or drops.
///
/// # Errors
/// When the table or the queue does not answer: the job comes back.
pub async fn handle(job: Job<SendMessage>, ctx: &Context) -> Result<Done, JobError> {
    let scope = job.scope();
    let (mut races, mut steps) = (0, 0);
    let mut moved = false;
    while steps < MOST_STEPS {
        let found = tokio::try_join!(
            ctx.store.message_and_contact(scope, job.body.message, ctx.clock.now()),
            ctx.store.config(scope, &ctx.config)
        )?;
        let (Some(MessageAndContact { message, contact }), Some(config)) = found else {
            return Err(JobError::new(
                "send a message: the message, its contact or its tenant does not exist",
            ));
        };
        // A copy for an attempt that somebody else has made since.
        if !moved && job.body.attempt != message.next_number() {
            return Ok(Done::Already);
        }
        let work = Work {
            scope,
            ctx,
            config,
            contact,
            receive_count: job.receive_count,
        };
        match work.step(message).await {
            Ok(Step::Again) => {
                moved = true;
                steps += 1;
            }
            Ok(Step::Enough(done)) => return Ok(if moved { Done::Now } else { done }),
            Err(error) if error.is_conflict() && races < MOST_RACES => races += 1,
            Err(error) => return Err(error.into()),
        }
    }
    Err(JobError::new("send a message: it did not come to rest"))
}

/// Whether there is more to do for the message now.
enum Step {
    /// It moved: look again at once.
    Again,
    /// It rests.
    Enough(Done),
}

/// One look at one message.
struct Work<'a> {
    scope: &'a TenantScope,
    ctx: &'a Context,
    config: Arc<TenantConfig>,
    contact: Contact,
    receive_count: u32,
}

impl Work<'_> {
    async fn step(&self, message: Message) -> Result<Step, StepError> {
        let now = self.ctx.clock.now();
        match message.next(now, &self.ctx.timers) {
            Next::Done | Next::Wait(_) => Ok(Step::Enough(Done::Already)),
            Next::Try { leg, .. } => self.try_leg(message, leg, now).await,
            Next::Doubt => self.doubt(message, now).await,
            Next::GiveUpWaiting => self.give_up_waiting(message, now).await,
        }
    }

    /// Check, claim, send, record.
    async fn try_leg(&self, mut message: Message, leg: u8, now: Timestamp) -> Result<Step, StepError> {
        let Some(planned) = message.plan.get(usize::from(leg)).cloned() else {
            return Err(StepError::Broken("the plan lacks the channel to be tried"));
        };
        let connection = self.ctx.store.connection(self.scope, planned.connection).await?;
        let check = match &connection {
            None => Check::SkipLeg {
                why: format!("{} is no longer connected", planned.channel.name()),
            },
            Some(connection) => plan::check(&plan::CheckInput {
                config: &self.config,
                message: &message,
                leg,
                contact: &self.contact,
                connection,
                now,
                timers: &self.ctx.timers,
                line_type: &domain::line::by_numbering_plan,
            }),
        };
        match (check, connection) {
            (Check::Probe, Some(connection)) => {
                // The one message that finds out whether the connection works again; the others go on waiting.
                let probe = |current: &Connection| match &current.health {
                    Health::Unhealthy { since, reason, .. } if current.health == connection.health => Some((
                        Health::Unhealthy {
                            since: *since,
                            reason: reason.clone(),
                            tried_at: now,
                        },
                        current.paused_until,
                    )),
                    _ => None,
                };
                let store = &self.ctx.store;
                if !store.change_connection(self.scope, &connection, probe).await? {
                    // Somebody else does, or it works again.
                    return Ok(Step::Again);
                }
                self.claim_and_send(message, leg, &planned, &connection, now).await
            }
            (Check::Go, Some(connection)) => self.claim_and_send(message, leg, &planned, &connection, now).await,
            (Check::Later { until, why }, _) => {
                message.postpone(until, why, now, &self.ctx.timers);
                self.ctx.store.write_message(self.scope, &message).await?;
                self.queue_next(&mut message, now).await?;
                Ok(Step::Enough(Done::Now))
            }
            (Check::Never { why }, _) => {
                message.block(why);
                self.ctx.store.write_message(self.scope, &message).await?;
                metric::count("message_blocked", &[]);
                Ok(Step::Enough(Done::Now))
            }
            (Check::SkipLeg { why }, _) => {
                message.skip_leg(leg, self.ctx.ids.ulid().to_string(), why, now, &self.ctx.timers);
                self.ctx.store.write_message(self.scope, &message).await?;
                Ok(Step::Again)
            }
            (Check::Go | Check::Probe, None) => Err(StepError::Broken("a send was allowed without a connection")),
        }
    }

    async fn claim_and_send(
        &self,
        mut message: Message,
        leg: u8,
        planned: &Leg,
        connection: &Connection,
        now: Timestamp,
    ) -> Result<Step, StepError> {
        let ctx = self.ctx;
        // What sending needs is fetched before the claim: nothing that can fail stands between the claim and the request.
        let credentials = match ctx.channels.credentials(self.scope, connection, now).await {
            Ok(credentials) => credentials,
            Err(error) if self.receive_count >= RECEIVES_UNTIL_UNHEALTHY => {
                return self.cannot_open(connection, &error, now).await;
            }
            Err(error) => return Err(error.into()),
        };
        let claim = ctx.ids.ulid().to_string();
        let key = message.claim(leg, claim.clone(), now, &ctx.timers);
        message.claimed_under(connection.credentials_version);
        match ctx.store.write_message(self.scope, &message).await {
            Ok(()) => message.version += 1,
            // The write may have been ours, retried after an answer that was lost: the row tells.
            Err(error) if error.is_conflict() => match ctx.store.message(self.scope, message.id, now).await? {
                Some(row) if row.last().is_some_and(|last| last.claim == claim) => message = row,
                _ => return Err(StepError::Store(error)),
            },
            Err(error) => return Err(StepError::Store(error)),
        }
        crash::point("send_message.claimed");
        let sent = if ctx.clock.now() > now + ctx.timers.claim - ctx.timers.provider_call {
            Sent {
                outcome: too_late(),
                api: channels::api_name(connection),
            }
        } else {
            let (to, credentials) = (&message.to, credentials.as_deref());
            let send = ctx.channels.send(self.scope, connection, credentials, to, planned, key);
            send.await
        };
        crash::point("send_message.sent");
        self.record(message, key, planned, connection, sent, None).await
    }

    /// Credentials that do not open, time after time: the connection's messages wait as if the provider had refused them,
    /// instead of circling until they are dead letters.
    async fn cannot_open(
        &self,
        connection: &Connection,
        error: &access::SecretsError,
        now: Timestamp,
    ) -> Result<Step, StepError> {
        tracing::error!(connection = %connection.id, error = kit::chain(error), "credentials do not open");
        metric::count("connection_unhealthy", &[]);
        let unhealthy = |current: &Connection| {
            let since = match current.health {
                Health::Unhealthy { since, .. } => since,
                Health::Healthy => now,
            };
            let health = Health::Unhealthy {
                since,
                reason: "its credentials cannot be opened".to_owned(),
                tried_at: now,
            };
            Some((health, current.paused_until))
        };
        let store = &self.ctx.store;
        store.change_connection(self.scope, connection, unhealthy).await?;
        Ok(Step::Again)
    }

    /// Records what came of the request, and what else follows from it.
    async fn record(
        &self,
        mut message: Message,
        key: SendKey,
        planned: &Leg,
        connection: &Connection,
        sent: Sent,
        report: Option<&StatusReport>,
    ) -> Result<Step, StepError> {
        let ctx = self.ctx;
        let now = ctx.clock.now();
        count_outcome(&sent.outcome);
        let mut races = 0;
        loop {
            let moved = message.record(key.attempt, sent.outcome.clone(), now, &ctx.timers);
            if let Some(report) = report {
                message.apply(key.attempt, report.clone(), now, &ctx.timers);
            }
            let written = match &sent.outcome {
                SendOutcome::Accepted { provider_ref, .. } => {
                    self.record_accepted(&mut message, key.attempt, sent.api, provider_ref, now)
                        .await
                }
                _ if moved => ctx.store.write_message(self.scope, &message).await,
                _ => Ok(()),
            };
            match written {
                Ok(()) => break,
                // A status was faster than we are: take the row as it is now and move that forward.
                Err(error) if error.is_conflict() && races < MOST_RACES => {
                    races += 1;
                    message = match ctx.store.message(self.scope, message.id, now).await? {
                        Some(row) => row,
                        None => return Err(StepError::Broken("the message disappeared while it was sent")),
                    };
                }
                Err(error) => return Err(StepError::Store(error)),
            }
        }
        message.version += 1;
        crash::point("send_message.recorded");
        self.follow(planned, connection, &sent.outcome, now).await?;
        self.queue_next(&mut message, now).await?;
        Ok(Step::Enough(Done::Now))
    }

    /// Writes the message with the row that finds it by the provider's id, merging reports that were parked there.
    async fn record_accepted(
        &self,
        message: &mut Message,
        attempt: u32,
        api: &'static str,
        provider_ref: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ctx = self.ctx;
        let mut reference = Reference {
            attempt,
            api,
            provider_ref,
            parked: None,
        };
        match ctx.store.record_message(self.scope, message, &reference, now).await {
            Err(error) if error.is_conflict() => {}
            other => return other,
        }
        match ctx.store.message_ref(self.scope, api, provider_ref, now).await? {
            Some((MessageRef::Parked { reports }, version)) => {
                for report in reports {
                    message.apply(attempt, report, now, &ctx.timers);
                }
                reference.parked = Some(version);
                ctx.store.record_message(self.scope, message, &reference, now).await
            }
            // Ours already: an answer to the write was lost, or it was the message's row that had moved.
            Some((
                MessageRef::Ours {
                    message: known,
                    attempt: number,
                },
                _,
            )) if known == message.id && number == attempt => ctx.store.write_message(self.scope, message).await,
            _ => Err(StoreError::Conflict {
                doing: "record a sent message",
            }),
        }
    }

    /// What an error means beyond the message: for the connection, and for the contact.
    async fn follow(
        &self,
        planned: &Leg,
        connection: &Connection,
        outcome: &SendOutcome,
        now: Timestamp,
    ) -> Result<(), StepError> {
        let ctx = self.ctx;
        let SendOutcome::Refused {
            classified,
            retry_after,
            ..
        } = outcome
        else {
            if matches!(outcome, SendOutcome::Accepted { .. }) && connection.health != Health::Healthy {
                let works = |current: &Connection| Some((Health::Healthy, current.paused_until));
                ctx.store.change_connection(self.scope, connection, works).await?;
            }
            return Ok(());
        };
        if let Some((health, _)) = connection.after_error(classified, *retry_after, now) {
            if health != connection.health {
                ctx.channels.doubt_credentials(self.scope, connection, now);
                metric::count("connection_unhealthy", &[]);
            }
            let learn = |current: &Connection| current.after_error(classified, *retry_after, now);
            ctx.store.change_connection(self.scope, connection, learn).await?;
        }
        let change = |contact: &mut Contact| contact.learn(planned.channel, classified, now);
        if self.contact.clone().learn(planned.channel, classified, now) != Change::Nothing {
            ctx.store
                .change_contact(self.scope, self.contact.id, ctx.ids.ulid(), change)
                .await?;
        }
        Ok(())
    }

    /// The claim has expired: nobody knows whether the provider took it, unless it can be asked.
    async fn doubt(&self, mut message: Message, now: Timestamp) -> Result<Step, StepError> {
        message.doubt(now, &self.ctx.timers);
        self.ctx.store.write_message(self.scope, &message).await?;
        metric::count("send_unknown", &[]);
        message.version += 1;
        self.settle(message, now).await
    }

    /// Asks the provider, where it can be asked.
    async fn settle(&self, message: Message, now: Timestamp) -> Result<Step, StepError> {
        let found = self.found(&message, now).await?;
        self.record_found(message, found).await
    }

    async fn record_found(&self, message: Message, found: Found) -> Result<Step, StepError> {
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

    async fn found(&self, message: &Message, now: Timestamp) -> Result<Found, StepError> {
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
        Ok(self
            .ctx
            .channels
            .find(connection, credentials.as_deref(), message, planned, attempt)
            .await)
    }

    /// Unknown for longer than the deadline: evidence first, then the rule's own choice.
    async fn give_up_waiting(&self, mut message: Message, now: Timestamp) -> Result<Step, StepError> {
        let found = self.found(&message, now).await?;
        let known = match &found {
            Found::Accepted { .. } => return self.record_found(message, found).await,
            Found::Nothing => Known::NotTaken,
            Found::CannotTell => Known::Silence,
        };
        // Reports may still wait in the queue: as long as it holds more than a few, their absence proves nothing. Neither does
        // a list of the provider's on which the message is not yet.
        if !self.ctx.evidence.reports_are_in().await.map_err(StepError::Evidence)? {
            let why = "waiting: reports of the provider are still in the queue".to_owned();
            message.postpone(now, why, now, &self.ctx.timers);
            self.ctx.store.write_message(self.scope, &message).await?;
            return Ok(Step::Enough(Done::Now));
        }
        // A worker whose claim this is does not send any more: see `too_late`. So what Twilio has not taken by now, it never will.
        message.give_up_waiting(known, now, &self.ctx.timers);
        self.ctx.store.write_message(self.scope, &message).await?;
        metric::count("unknown_given_up", &[]);
        Ok(Step::Again)
    }

    /// Queues the next attempt where it is near; the due index has the rest.
    async fn queue_next(&self, message: &mut Message, now: Timestamp) -> Result<(), StepError> {
        let wait = match message.next(now, &self.ctx.timers) {
            Next::Try { .. } => std::time::Duration::ZERO,
            // A retry, not a fallback's deadline: that one is nearly always made needless by a delivery.
            Next::Wait(until) if message.last().is_none_or(|last| last.state == AttemptState::Refused) => {
                std::time::Duration::try_from(until.duration_since(now)).unwrap_or_default()
            }
            _ => return Ok(()),
        };
        if wait > kit::enqueue::LONGEST_DELAY {
            return Ok(());
        }
        let job = SendMessage {
            tenant: self.scope.tenant(),
            correlation_id: message.correlation_id.clone(),
            message: message.id,
            attempt: message.next_number(),
        };
        let entry = Entry::new(&job).map_err(StepError::Queue)?.after(wait);
        self.ctx.sends.send_all(vec![entry]).await.map_err(StepError::Queue)
    }
}

/// The write of the claim took so long that a request would outlast the claim. It is not made: whoever settles the claim must be
/// able to rely on that nothing goes out any more.
fn too_late() -> SendOutcome {
    let meaning = "the claim was nearly over before the request could be made";
    SendOutcome::Refused {
        code: None,
        classified: Classified {
            class: ErrorClass::RetryAfter,
            effect: Effect::None,
            first_wait: 1,
            meaning,
        },
        reason: meaning.to_owned(),
        retry_after: None,
    }
}

fn count_outcome(outcome: &SendOutcome) {
    match outcome {
        SendOutcome::Accepted { .. } => metric::count("send_accepted", &[]),
        SendOutcome::Refused { classified, .. } => {
            metric::count("send_failed", &[("class", classified.class.as_str())]);
        }
        SendOutcome::Unknown { .. } => metric::count("send_unknown", &[]),
    }
}

/// Why a step could not be made.
#[derive(Debug, thiserror::Error)]
enum StepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("queue the next attempt")]
    Queue(#[source] kit::enqueue::EnqueueError),
    #[error("see how many reports are still queued")]
    Evidence(#[source] kit::enqueue::EnqueueError),
    #[error("open the connection's credentials")]
    Credentials(#[from] access::SecretsError),
    #[error("send a message: {0}")]
    Broken(&'static str),
}

impl StepError {
    const fn is_conflict(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_conflict())
    }
}
