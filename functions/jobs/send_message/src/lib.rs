//! # How a message is sent
//!
//! This function takes the next step of one message. The page follows a message from the intent to say something to the status
//! that the customer's phone reports. The terms are those of `docs/glossary.md`.
//!
//! ## Before this function
//!
//! 1. **Intent.** Something happens, such as a missed call. `process_call` finds the rule that matches
//!    ([`domain::automations::Decision`]), which yields an [`Intent`](domain::messages::Intent): the cause, the purpose, the recipient, and what to
//!    say by each channel.
//! 2. **Composing.** [`domain::messages::compose_message`] fills templates and texts with values, chooses a connection for each channel, and
//!    narrows the purpose's row of [`domain::terms::PURPOSE_TABLE`] to a policy. The result is a message with its legs, usually WhatsApp and
//!    then SMS, or a refusal with its sentence. It is a pure function: the same intent in the same world gives the same message.
//! 3. **Commit.** The message is written in one transaction with its cause. Its id follows from the cause, so a second commit finds
//!    the first. Only then is it queued, in `sends` or `bulk-sends` by its lane. A worker that dies in between loses nothing: the
//!    row is in the due index, and `dispatch_due` queues it again.
//!
//! ## In this function
//!
//! A job names a message and the number of the attempt that it is for. A copy of a job whose attempt exists already does nothing.
//! [`Message::next`] says what to do now: try a leg, wait, give up, or look for evidence of an attempt whose outcome is unknown.
//! To try a leg:
//!
//! 1. **Check** ([`domain::messages::check_send`]) against fresh rows: opt-outs, the service window, quiet hours, validity, the connection's health, and
//!    by SMS the rules of the recipient's country ([`domain::destinations::RuleKind`]).
//!    The policy is the one frozen on the message; no rule is read. The answer is to go on, to come back later, to skip the leg,
//!    or never to send.
//!
//!    The asset that a leg carries is read with its connection. WhatsApp gets the id of an upload, so if there is none that is valid, the
//!    leg waits, and `fetch_media` uploads the file: nothing is moved here. Twilio gets a signed link.
//! 2. **Its turn.** By WhatsApp, a message of the bulk lane needs a place in the throughput of its number, and so does every message while
//!    the provider throttles the number ([`domain::tenants::Throughput`]). One without waits in the table, which is no attempt.
//! 3. **Take.** The message is counted for the caps that apply to it ([`domain::reports::takes_of_caps`]), of money by what it is expected to cost, unless one
//!    has no room: then it is blocked. What was taken for an attempt that sent nothing is given back. A worker that dies in between leaves it counted, so a cap is never exceeded.
//! 4. **Claim.** A conditional write on the message's version adds an attempt. It is the last write before the request, and only the
//!    worker whose claim stands in the row goes on, so two copies of a job send once. What sending needs, such as
//!    credentials, is read before the claim.
//! 5. **Look again.** The contact is read once more, so that a STOP between check and claim is obeyed,
//!    and a campaign's message to a contact that was merged meanwhile goes to nobody twice.
//! 6. **Send.** One request to the provider, which ends before the claim does.
//! 7. **Record.** The attempt becomes accepted, refused, failed or unknown. The provider's reference is written first, then the
//!    message, so that a status always finds it. If the worker dies in between, that status settles the attempt.
//!
//! The next step depends on the outcome: a refusal by this channel leads to the next leg; throttling and temporary errors lead to a
//! retry; refused credentials mark the connection unhealthy, and its messages wait; marketing that WhatsApp refuses for its route keeps the
//! messages of a campaign waiting, which `run_campaign` pauses if it is a broadcast. If no channel is left and nothing went out,
//! the message's cooldown ends with it, in the same transaction.
//!
//! **An unknown outcome** (a time-out, a server error, a worker that died after the claim) is never repeated blindly. The provider is
//! asked where it can be asked (`evidence`); otherwise a status may still arrive. After the deadline of the message's policy the
//! attempt is given up, and the policy says whether the next channel is tried.
//!
//! ## After this function
//!
//! Statuses arrive by webhook and go through `process_provider_event`. In whatever order and number they arrive, they only move an
//! attempt forward: accepted, sent, delivered, read, or failed. A status that arrives before our own record is parked under the
//! provider's reference and applied when the record is written. If no delivery is reported by the leg's fallback deadline, the due
//! index brings the message back here, and the next leg is tried.
//!
//! ## Why a message is not sent twice, and not lost
//!
//! * One cause, one id, one row.
//! * One claim per attempt: a conditional write on the version of the message. The worker that loses the race stops.
//! * Unknown outcomes are settled by evidence or deadline, not by another request.
//! * Every state that needs work has a time in the due index, so no step depends on a queue alone.
//! * Processing a job twice is safe at every step, and the chaos test kills workers between all of them.

mod channels;
mod evidence;
mod turns;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use domain::calls::MessageRef;
use domain::media::Asset;
use domain::messages::{
    Attempt, AttemptState, Check, CheckInput, Leg, Message, Next, SendOutcome, StatusReport, check_frequency,
    check_send, country_remarks, is_about_file, messages_to_read_before, wait_beyond_cap, wait_beyond_throughput,
    wait_of_step_beyond_cap,
};
use domain::money::{Cap, Take};
use domain::people::{Change, Contact, Tried, consent_id};
use domain::reports::all_caps_of;
use domain::tenants::{Connection, Health, TenantConfig};
use domain::terms::{Classified, Effect, ErrorClass, ProviderRef, Reason, Refusal, Timers};
use flows::money::{give_back_to_caps, tell_of_caps};
use jiff::SignedDuration;
use jobs::{SendMessage, ToQueue};
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, QueueName, Queues, TimeLimit, crash, metric};
use store::contacts::ContactWrite;
use store::messages::{LegMaterial, Reference, ToSend};
use store::money::{Countable, PriceCache};
use store::table::effects::Effects;
use store::tenants::ConfigCache;
use store::{Along, Races, Store, StoreError, TenantScope, Versioned};

use channels::{Channels, Sending};
use evidence::Evidence;
use turns::Turns;

/// Attempts of a change that loses races, before the queue retries the job.
const RACES: Races = Races::of_attempts(13);

/// Maximum steps of a message in one job: skipping a channel or settling an old claim leads to the next.
const MAX_STEPS: u32 = 6;

/// Receives of a job until credentials that cannot be opened count as broken: temporary problems are over by then.
const RECEIVES_UNTIL_UNHEALTHY: u32 = 3;

/// Maximum times that this function queues a copy again. Then the dispatcher does, whose copies start at zero.
pub const MAX_ROUNDS: u8 = 8;

/// The dispatcher looks once a minute, so a longer wait for a connection needs no copy in the queue.
const MAX_QUEUED_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// Pause between two attempts to record the outcome of a send.
const BETWEEN_RECORDS: Duration = Duration::from_millis(500);

/// Maximum time for recording: the function's own time-out would fail the batch's other records, too.
const MAX_RECORDING: Duration = Duration::from_secs(12);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    prices: PriceCache,
    queues: Queues,
    channels: Channels,
    evidence: Evidence,
    turns: Turns,
    timers: Timers,
    clock: Clock,
    ids: Ids,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let timers = env.config().timers()?;
        Ok(Self {
            store: env.store()?,
            config: ConfigCache::default(),
            prices: PriceCache::default(),
            queues: Queues::new(env, &[QueueName::Sends, QueueName::BulkSends, QueueName::Media])?,
            channels: Channels::new(env, &timers)?,
            evidence: Evidence::new(env)?,
            turns: Turns::default(),
            timers,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
        })
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Takes the next step of a message, or drops the job.
pub async fn handle(job: Job<SendMessage>, ctx: &Context) -> Result<Done, JobError> {
    let mut moved = false;
    for _step in 0..MAX_STEPS {
        let step = RACES.until_won(|| Box::pin(take_step(&job, moved, ctx)));
        match step.await? {
            Step::Again => moved = true,
            Step::Enough(done) => return Ok(if moved { Done::Now } else { done }),
        }
    }
    Err(JobError::new("send a message: it did not come to rest"))
}

/// Reads the message and takes its next step. `moved`: this job has taken one already.
async fn take_step(job: &Job<SendMessage>, moved: bool, ctx: &Context) -> Result<Step, JobError> {
    let (scope, wanted) = (job.scope(), &job.body);
    let with = wanted.with.as_ref().filter(|_| !moved);
    let read = ctx.store.to_send(scope, wanted.message, with, ctx.clock.now());
    let Some(ToSend {
        message,
        contact,
        tenant,
        along,
    }) = read.await?
    else {
        return Ok(Step::Enough(kit::queue::finish_without_subject("message")));
    };
    let Some(config) = ctx.store.config_of(scope, &ctx.config, tenant).await? else {
        return Ok(Step::Enough(kit::queue::finish_without_subject("message")));
    };
    let work = Work {
        scope,
        ctx,
        config,
        contact,
        along,
        receive_count: job.receive_count,
        rounds: job.body.rounds,
    };
    // A copy for an attempt that was made since: by another worker, or by one that died right after.
    if !moved && job.body.attempt != message.next_number() {
        if job.was_delivered_before() {
            work.follow_again(&message, job.body.attempt).await?;
            work.queue_next(&message, ctx.clock.now()).await?;
        }
        return Ok(Step::Enough(Done::Already));
    }
    Box::pin(work.step(message)).await
}

/// Outcome of an attempt's request, to be recorded.
#[derive(Clone, Copy)]
struct Requested<'a> {
    number: u32,
    api: &'static str,
    outcome: &'a SendOutcome,
    /// The provider's own report, if it was asked.
    report: Option<&'a StatusReport>,
}

/// An attempt with the leg and connection that it used.
#[derive(Clone, Copy)]
struct Attempted<'a> {
    message: &'a Message,
    number: u32,
    planned: &'a Leg,
    connection: &'a Connection,
    claimed_at: Timestamp,
}

/// The owner of a provider's id.
enum Whose {
    /// The message that is being recorded.
    Ours,
    Other,
}

/// Whether there is more to do for the message now.
enum Step {
    /// It changed: take the next step at once.
    Again,
    /// Nothing more to do now.
    Enough(Done),
}

/// A step of a message.
struct Work<'a> {
    scope: &'a TenantScope,
    ctx: &'a Context,
    config: Arc<TenantConfig>,
    contact: Contact,
    along: Along,
    receive_count: u32,
    rounds: u8,
}

impl Work<'_> {
    async fn step(&self, message: Message) -> Result<Step, JobError> {
        let now = self.ctx.clock.now();
        match message.next(now, &self.ctx.timers) {
            Next::Done | Next::Wait(_) => Ok(Step::Enough(Done::Already)),
            Next::Try { leg, .. } => Box::pin(self.try_leg(message, leg, now)).await,
            Next::Doubt => Box::pin(self.doubt(message, now)).await,
            Next::GiveUpWaiting => self.give_up_waiting(message, now).await,
        }
    }

    fn check_input<'a>(
        &'a self,
        message: &'a Message,
        leg: u8,
        connection: &'a Connection,
        material: &'a LegMaterial,
        now: Timestamp,
    ) -> CheckInput<'a> {
        CheckInput {
            config: &self.config,
            message,
            leg,
            contact: &self.contact,
            open: &[],
            connection,
            template: material.template.as_ref(),
            asset: material.asset.as_ref().map(|asset| &asset.value),
            campaign: material.campaign,
            now,
            timers: &self.ctx.timers,
            line_type: &domain::terms::line_type_by_plan,
        }
    }

    /// The check before a send, and whether the number or id still leads to this contact: whoever has it now may have refused messages.
    async fn check(&self, input: &CheckInput<'_>) -> Result<Check, StoreError> {
        let check = check_send(input);
        let (store, to) = (&self.ctx.store, &input.message.to);
        let is_own = matches!(check, Check::Never { .. }) || store.is_recipient(self.scope, input.contact, to).await?;
        Ok(if is_own {
            check
        } else {
            let sentence = "the number or id was taken off the contact since it was planned";
            let why = Refusal::new(Reason::RecipientRemoved, sentence);
            Check::Never { why }
        })
    }

    /// Writes a message after a step. If it has ended and nothing of it went out, the person was not messaged: the cooldown
    /// before it is restored in the same transaction. The contact is the one that was read with the message, so this reads
    /// nothing; after a lost race for either, the caller reads both again.
    async fn write_step(&self, message: &Message, contact: &Contact) -> Result<(), StoreError> {
        let store = &self.ctx.store;
        let mut contact = contact.clone();
        let restored = message.ended.is_some() && message.nothing_went_out() && contact.close(message);
        if !restored {
            return store.write_message(self.scope, message).await;
        }
        let effects = Effects {
            people: vec![ContactWrite::from(contact)],
            ended: vec![message.clone()],
            ..Effects::default()
        };
        store.commit(self.scope, effects, self.ctx.clock.now()).await.map(drop)
    }

    /// Check, claim, send, record.
    async fn try_leg(&self, mut message: Message, leg: u8, now: Timestamp) -> Result<Step, JobError> {
        let Some(planned) = message.plan.get(usize::from(leg)).cloned() else {
            return Err(JobError::new("send a message: the plan lacks the channel to be tried"));
        };
        let others = messages_to_read_before(&message, &self.contact);
        let (mut material, open) = tokio::try_join!(
            self.ctx
                .store
                .leg_material(self.scope, &planned, message.cause.campaign(), &self.along),
            self.ctx.store.messages(self.scope, &others, now),
        )?;
        message.behind = Message::ahead_of(message.behind.map(|behind| behind.message), &open);
        let connection = material.connection.take();
        let check = match &connection {
            None => Check::SkipLeg {
                why: Refusal::new(
                    Reason::NotCarried,
                    format!("{} is no longer connected", planned.channel.name()),
                )
                .and("channel", planned.channel.as_str()),
            },
            Some(connection) => {
                let input = CheckInput {
                    open: &open,
                    ..self.check_input(&message, leg, connection, &material, now)
                };
                self.check(&input).await?
            }
        };
        let connection = match (check, connection) {
            (Check::Go, Some(connection)) => connection,
            (Check::Probe, Some(connection)) => {
                // A message that a cap would block sends nothing, so it says nothing about the connection.
                let takes = self.takes(&message, &planned, now).await?;
                let takes = message.still_to_take(&takes, now);
                let counts = Box::pin(self.ctx.store.cap_counts(self.scope, now)).await?;
                if let Some(reached) = counts.first_reached(&takes, now) {
                    return Box::pin(self.beyond(message, leg, reached, now)).await;
                }
                // The one message that probes the connection; all others keep waiting.
                let probe = |mut current: Connection| {
                    if current.health == connection.health
                        && let Health::Unhealthy { tried_at, .. } = &mut current.health
                    {
                        *tried_at = now;
                    }
                    current
                };
                if !self.change_connection(&connection, probe).await? {
                    // Another message probes it, or it works again.
                    return Ok(Step::Again);
                }
                connection
            }
            (against, _) => {
                if let Check::Wait { why, .. } = &against
                    && why.reason == Reason::AssetUploading
                {
                    self.upload(&mut message, leg, &planned, now).await?;
                }
                return Box::pin(self.hold_back(message, leg, against, now)).await;
            }
        };
        Box::pin(self.claim_and_send(message, leg, &planned, &connection, &material, now)).await
    }

    /// Does what the check of a leg says that may not be sent now.
    async fn hold_back(&self, mut message: Message, leg: u8, against: Check, now: Timestamp) -> Result<Step, JobError> {
        let timers = &self.ctx.timers;
        match against {
            Check::Later { until, why } => {
                let waits_in_the_table = matches!(
                    why.reason,
                    Reason::Throughput | Reason::CampaignPaused | Reason::CapReached
                );
                if waits_in_the_table {
                    // A pause of the number that follows is another wait: the message keeps its channel.
                    message.waiting = None;
                }
                message.postpone(until, why, now, timers);
                self.ctx.store.write_message(self.scope, &message).await?;
                if !waits_in_the_table {
                    self.queue_next(&message, now).await?;
                }
                Ok(Step::Enough(Done::Now))
            }
            Check::Wait { until, why } => {
                message.wait_for_connection(leg, until, why, now, timers);
                self.ctx.store.write_message(self.scope, &message).await?;
                self.queue_next(&message, now).await?;
                Ok(Step::Enough(Done::Now))
            }
            // Nothing is wrong: the customer was faster, or the campaign is over.
            Check::Never { why }
                if why.reason == Reason::CampaignCancelled
                    || message.cause.is_step() && why.reason == Reason::Unnecessary =>
            {
                message.cancel(why);
                Box::pin(self.write_step(&message, &self.contact)).await?;
                Ok(Step::Enough(Done::Now))
            }
            Check::Never { why } => {
                message.block(why);
                Box::pin(self.write_step(&message, &self.contact)).await?;
                metric::count("message_blocked", &[]);
                Ok(Step::Enough(Done::Now))
            }
            Check::SkipLeg { why } => {
                message.skip_leg(leg, self.ctx.ids.ulid().to_string(), why, now, timers);
                Box::pin(self.write_step(&message, &self.contact)).await?;
                Ok(Step::Again)
            }
            Check::Go | Check::Probe => Err(JobError::new("send a message: a send was allowed without a connection")),
        }
    }

    async fn claim_and_send(
        &self,
        mut message: Message,
        leg: u8,
        planned: &Leg,
        connection: &Connection,
        material: &LegMaterial,
        now: Timestamp,
    ) -> Result<Step, JobError> {
        let ctx = self.ctx;
        // Everything that sending needs is read before the claim, so that nothing can fail between the claim and the
        // request.
        let credentials = match ctx.channels.credentials.of(self.scope, connection, now).await {
            Ok(credentials) => credentials,
            Err(error) if self.receive_count >= RECEIVES_UNTIL_UNHEALTHY => {
                return self.cannot_open(connection, &error, now).await;
            }
            Err(error) => return Err(error.into()),
        };
        let asset = material.asset.as_ref();
        let file = match asset {
            Some(asset) => {
                let file = ctx.channels.file(self.scope, connection, planned, &asset.value, now);
                file.await?
            }
            None => None,
        };
        if let Some((throughput, until)) = self.waits_its_turn(&message, planned, connection).await? {
            let input = self.check_input(&message, leg, connection, material, now);
            let against = wait_beyond_throughput(&input, &throughput, until);
            metric::count("throughput_reached", &[("lane", message.policy.lane().as_str())]);
            return Box::pin(self.hold_back(message, leg, against, now)).await;
        }
        let takes = self.takes(&message, planned, now).await?;
        let all = all_caps_of(&self.config.tenant);
        // The places taken when it was made are its own, whichever worker sends it.
        let still = message.still_to_take(&takes, now);
        let taken = ctx.store.take_from_caps(self.scope, &still, &all, now);
        match Box::pin(taken).await? {
            Ok(near) => Box::pin(tell_of_caps(&ctx.store, self.scope, &near, now)).await,
            Err(reached) => return Box::pin(self.beyond(message, leg, &reached, now)).await,
        }
        crash::point("send_message.taken");
        if let Some(template) = &material.template {
            message.sends_edition(leg, template.edition);
        }
        let remarks = country_remarks(&self.check_input(&message, leg, connection, material, now));
        for why in remarks {
            message.note(now, why);
        }
        let claim = ctx.ids.ulid().to_string();
        let key = message.claim(leg, claim.clone(), now, &ctx.timers);
        message.claimed_under(connection.credentials_version);
        message.claimed_within(&takes);
        // The provider is asked about this number after a lost response, whatever form is learnt in between.
        let to = self.contact.recipient_on(planned.channel, &message.to);
        message.claimed_for(&to);
        match ctx.store.write_message(self.scope, &message).await {
            Ok(()) => message.version += 1,
            // After a lost response, the SDK may have repeated our own write: the row tells.
            Err(error) if error.is_conflict() => match ctx.store.message(self.scope, message.id, now).await? {
                Some(row) if row.last().is_some_and(|last| last.claim == claim) => message = row,
                _ => {
                    self.give_back(Take::given_back(&still), now).await;
                    return Err(error.into());
                }
            },
            Err(error) => return Err(error.into()),
        }
        crash::point("send_message.claimed");
        let wished = self.wished_meanwhile(&message, leg, connection, material).await;
        let outcome = match wished.unwrap_or_else(|error| Some(unread(&error))) {
            Some(outcome) => outcome,
            None if ctx.clock.now() > now + ctx.timers.claim - ctx.timers.provider_call => too_late(),
            None => {
                let sending = Sending {
                    leg: planned,
                    to: &to,
                    category: message.policy.category(),
                    template: material.template.as_ref(),
                    file: file.as_deref(),
                };
                ctx.channels
                    .send(self.scope, connection, credentials.as_deref(), sending, key)
                    .await
            }
        };
        crash::point("send_message.sent");
        let outcome = match asset {
            Some(asset) => self.without_file(&message, connection, asset, outcome).await,
            None => outcome,
        };
        self.record(message, key.attempt, planned, connection, outcome, None)
            .await
    }

    /// A message's share of each cap that applies to it.
    async fn takes(&self, message: &Message, planned: &Leg, now: Timestamp) -> Result<Vec<Take>, StoreError> {
        let (store, prices) = (&self.ctx.store, &self.ctx.prices);
        let of = Countable {
            policy: &message.policy,
            line: message.line,
            to: &message.to,
            leg: planned,
        };
        Box::pin(store.takes(&self.config, of, prices, now)).await
    }

    /// Blocks a message because a cap is reached. A message of a broadcast waits until somebody resumes that; a message
    /// of a drip waits for the next hour. Managers were told at four fifths of the cap, unless its maximum was lowered
    /// since, or the cost of messages was corrected.
    async fn beyond(&self, message: Message, leg: u8, reached: &Cap, now: Timestamp) -> Result<Step, JobError> {
        if reached.maximum > 0 {
            let told = tell_of_caps(&self.ctx.store, self.scope, std::slice::from_ref(reached), now);
            Box::pin(told).await;
        }
        metric::count("cap_reached", &[]);
        let why = reached.refusal_when_reached(now);
        let against = match message.cause.campaign() {
            Some(_) if message.cause.is_step() => wait_of_step_beyond_cap(&message, why, now),
            Some(_) => wait_beyond_cap(&why, now),
            None => Check::Never { why },
        };
        Box::pin(self.hold_back(message, leg, against, now)).await
    }

    /// Gives back to the caps what an attempt was counted for that has sent nothing.
    pub(crate) async fn give_back_of(&self, attempt: Option<&Attempt>) {
        let Some(attempt) = attempt else {
            return;
        };
        let taken = attempt.cap_amounts().into_iter();
        let back = taken.map(|(cap, amount)| (cap, 0_i64.saturating_sub_unsigned(amount)));
        self.give_back(back.collect(), attempt.claimed_at).await;
    }

    /// Gives back to the caps what was taken at this time.
    async fn give_back(&self, back: BTreeMap<u32, i64>, taken_at: Timestamp) {
        let now = self.ctx.clock.now();
        give_back_to_caps(&self.ctx.store, self.scope, &back, taken_at, now).await;
    }

    /// Has the file of a leg uploaded to the provider of its connection, unless that was asked for a short while ago: another job would
    /// do the same work.
    async fn upload(&self, message: &mut Message, leg: u8, planned: &Leg, now: Timestamp) -> Result<(), JobError> {
        let wanted = planned.content.asset().filter(|_| message.asks_for_upload(leg, now));
        let Some(used) = wanted else {
            return Ok(());
        };
        let (tenant, cause) = (self.scope.tenant(), &message.correlation_id);
        let job = ToQueue::upload(tenant, used.asset_id, planned.connection, cause, now);
        self.ctx.queues.enqueue(vec![job], now).await?;
        message.upload_asked = Some(now);
        Ok(())
    }

    /// The outcome of a request with a file. If the provider does not know the file any more, its id is forgotten and the message is tried
    /// once more, which has the file uploaded again. Whoever was faster has forgotten it. Not if the file was uploaded since the message was
    /// planned and refused before: it is not what the provider takes.
    async fn without_file(
        &self,
        message: &Message,
        connection: &Connection,
        asset: &Versioned<Asset>,
        mut outcome: SendOutcome,
    ) -> SendOutcome {
        let about_it = match (&outcome, connection.account.api()) {
            (SendOutcome::Refused { code: Some(code), .. }, Some(api)) => is_about_file(api, *code),
            _ => false,
        };
        let first = message.last().is_some_and(|last| last.tries == 1);
        let is_old = asset.value.uploaded_before(connection.id, message.created_at);
        if !about_it || !(first || is_old) {
            return outcome;
        }
        let forgotten = self.ctx.store.forget_upload(self.scope, asset, connection.id).await;
        let again = match forgotten {
            Ok(forgotten) => forgotten,
            Err(error) if error.is_conflict() => true,
            Err(error) => {
                tracing::warn!(asset = %asset.value.id, error = kit::chain(&error), "the id of a file is not forgotten");
                false
            }
        };
        if let SendOutcome::Refused { classified, .. } = &mut outcome
            && again
        {
            (classified.class, classified.first_wait) = (ErrorClass::RetryAfter, 1);
        }
        outcome
    }

    /// Reads the contact once more, so that a refusal between the check and the claim is obeyed. The claim exists by then,
    /// so any later refusal comes after the request.
    async fn wished_meanwhile(
        &self,
        message: &Message,
        leg: u8,
        connection: &Connection,
        material: &LegMaterial,
    ) -> Result<Option<SendOutcome>, StoreError> {
        let contact = match self.ctx.store.contact(self.scope, self.contact.id).await? {
            // It may have been merged into another meanwhile.
            Some(contact) if (contact.id, contact.version) == (self.contact.id, self.contact.version) => {
                return Ok(None);
            }
            Some(contact) => contact,
            None => {
                let why = Refusal::new(Reason::ContactDeleted, "the contact was deleted");
                return Ok(Some(refused_outcome(ErrorClass::Blocked, why)));
            }
        };
        let now = self.ctx.clock.now();
        let input = CheckInput {
            contact: &contact,
            ..self.check_input(message, leg, connection, material, now)
        };
        match self.check(&input).await? {
            Check::Never { why } => return Ok(Some(refused_outcome(ErrorClass::Blocked, why))),
            Check::SkipLeg { why } => return Ok(Some(refused_outcome(ErrorClass::FallBack, why))),
            Check::Go | Check::Probe | Check::Later { .. } | Check::Wait { .. } => {}
        }
        // Messages of a contact that was merged meanwhile have not been compared with this one.
        let mut unclaimed = message.clone();
        unclaimed.attempts.pop();
        let others = messages_to_read_before(&unclaimed, &contact);
        let open = self.ctx.store.messages(self.scope, &others, now).await?;
        let input = CheckInput {
            message: &unclaimed,
            open: &open,
            ..input
        };
        Ok(match check_frequency(&input) {
            Check::Never { why } => Some(refused_outcome(ErrorClass::Blocked, why)),
            Check::Later { why, .. } => Some(refused_outcome(ErrorClass::RetryAfter, why)),
            _ => None,
        })
    }

    /// Handles credentials that repeatedly cannot be opened: the connection's messages wait as if the provider had refused
    /// them, instead of becoming dead letters.
    async fn cannot_open(
        &self,
        connection: &Connection,
        error: &access::SecretsError,
        now: Timestamp,
    ) -> Result<Step, JobError> {
        tracing::error!(connection = %connection.id, error = kit::chain(error), "credentials cannot be opened");
        metric::count("connection_unhealthy", &[]);
        let unhealthy = |current: Connection| {
            let since = match current.health {
                Health::Unhealthy { since, .. } => since,
                Health::Healthy => now,
            };
            let health = Health::Unhealthy {
                since,
                reason: "its credentials cannot be opened".to_owned(),
                tried_at: now,
            };
            Connection { health, ..current }
        };
        self.change_connection(connection, unhealthy).await?;
        Ok(Step::Again)
    }

    /// As [`Store::change_connection`], again after each lost race.
    async fn change_connection(
        &self,
        seen: &Connection,
        change: impl Fn(Connection) -> Connection,
    ) -> Result<bool, StoreError> {
        let store = &self.ctx.store;
        let changed = RACES.until_won(|| store.change_connection(self.scope, seen, &change));
        changed.await
    }

    /// Records the outcome of the request, with its further effects.
    async fn record(
        &self,
        message: Message,
        number: u32,
        planned: &Leg,
        connection: &Connection,
        outcome: SendOutcome,
        report: Option<&StatusReport>,
    ) -> Result<Step, JobError> {
        let (ctx, id, api) = (self.ctx, message.id, connection.account.kind());
        let now = ctx.clock.now();
        count_outcome(&outcome);
        let limit = TimeLimit::of(MAX_RECORDING);
        let attempted = message.attempts.iter().find(|attempt| attempt.number == number);
        let attempted = attempted.cloned();
        // A status may be faster, and the customer may write meanwhile: then the outcome is applied to the current rows. The
        // request is not repeated for that.
        let requested = Requested {
            number,
            api,
            outcome: &outcome,
            report,
        };
        let known = (message, self.contact.clone());
        let read = async || {
            let read = ctx.store.to_send(self.scope, id, None, now).await;
            read.map(|read| read.map(|read| (read.message, read.contact)))
        };
        let record = async |found: Option<(Message, Contact)>| {
            let Some((mut message, contact)) = found else {
                return Ok(None);
            };
            let moved = message.record(number, outcome.clone(), now, &ctx.timers);
            if let Some(report) = report {
                message.apply(number, report.clone(), now, &ctx.timers);
            }
            loop {
                let written = self.write_record(&mut message, &contact, requested, moved, now);
                match written.await {
                    // Without a record, the outcome counts as unknown once the claim expires, so keep trying until then.
                    Err(error)
                        if !error.is_conflict()
                            && !error.is_invalid()
                            && !limit.is_up()
                            && self.may_still_record(&message, number) =>
                    {
                        tracing::warn!(error = kit::chain(&error), "the outcome of a send is not recorded yet");
                        tokio::time::sleep(BETWEEN_RECORDS).await;
                    }
                    written => return written.map(|whose| Some((message, whose, moved))),
                }
            }
        };
        let recorded: Result<_, StoreError> = Box::pin(RACES.until_won_from(Some(known), read, record)).await;
        let (mut message, moved) = match recorded? {
            Some((message, Whose::Ours, moved)) => (message, moved),
            // The result of a search that in the meantime proved to belong to another message.
            Some((_, Whose::Other, _)) => return Ok(Step::Again),
            None => return Ok(Step::Enough(kit::queue::finish_without_subject("message"))),
        };
        message.version += 1;
        crash::point("send_message.recorded");
        let attempt = message.attempts.iter().find(|attempt| attempt.number == number);
        if moved && attempt.is_some_and(|attempt| attempt.state == AttemptState::Refused) {
            self.give_back_of(attempted.as_ref()).await;
        }
        let claimed_at = attempt.map_or(now, |attempt| attempt.claimed_at);
        let tried = Attempted {
            message: &message,
            number,
            planned,
            connection,
            claimed_at,
        };
        self.follow(tried, &outcome, now).await?;
        if let (SendOutcome::Refused { code: Some(code), .. }, Some(api)) = (&outcome, connection.account.api()) {
            let doubted = ctx
                .store
                .doubt_template_of(self.scope, planned, api, *code, claimed_at, now);
            if Box::pin(doubted).await? {
                metric::count("template_doubted", &[]);
            }
        }
        self.queue_next(&message, now).await?;
        Ok(Step::Enough(Done::Now))
    }

    /// Writes a message after applying the outcome of the request. `moved`: the outcome changed it.
    async fn write_record(
        &self,
        message: &mut Message,
        contact: &Contact,
        requested: Requested<'_>,
        moved: bool,
        now: Timestamp,
    ) -> Result<Whose, StoreError> {
        let store = &self.ctx.store;
        let Requested {
            number,
            api,
            outcome,
            report,
        } = requested;
        let SendOutcome::Accepted { provider_ref, .. } = outcome else {
            if moved {
                Box::pin(self.write_step(message, contact)).await?;
            }
            return Ok(Whose::Ours);
        };
        let written = self.record_accepted(message, number, api, provider_ref, now);
        let whose = written.await?;
        if matches!(whose, Whose::Other) && report.is_none() {
            tracing::error!(message = %message.id, "the provider gave an id that another message has");
            metric::count("reference_taken", &[]);
            store.write_message(self.scope, message).await?;
            return Ok(Whose::Ours);
        }
        Ok(whose)
    }

    /// Repeats the further effects of a refusal, for a worker that died right after recording it. Effects that exist
    /// already are not repeated.
    async fn follow_again(&self, message: &Message, since: u32) -> Result<(), StoreError> {
        for attempt in message.attempts.iter().filter(|attempt| attempt.number >= since) {
            let Some(planned) = message.plan.get(usize::from(attempt.leg)) else {
                continue;
            };
            let Some(connection) = self.ctx.store.connection(self.scope, planned.connection).await? else {
                continue;
            };
            let Some(outcome) = channels::refusal(attempt, &connection) else {
                continue;
            };
            let tried = Attempted {
                message,
                number: attempt.number,
                planned,
                connection: &connection,
                claimed_at: attempt.claimed_at,
            };
            // A refusal under other credentials says nothing about the connection, but still something about the person.
            if attempt.credentials == Some(connection.credentials_version) {
                self.follow(tried, &outcome, attempt.claimed_at).await?;
            } else if let SendOutcome::Refused { classified, .. } = &outcome {
                self.teach(tried, classified, attempt.claimed_at).await?;
            }
        }
        Ok(())
    }

    fn may_still_record(&self, message: &Message, number: u32) -> bool {
        let attempt = message.attempts.iter().find(|attempt| attempt.number == number);
        attempt.is_some_and(|attempt| self.ctx.clock.now() < attempt.claimed_at + self.ctx.timers.claim)
    }

    /// Writes the message with the row that leads to it from the provider's id, merging parked reports. Writes nothing if
    /// that row belongs to another message.
    async fn record_accepted(
        &self,
        message: &mut Message,
        attempt: u32,
        api: &'static str,
        provider_ref: &ProviderRef,
        now: Timestamp,
    ) -> Result<Whose, StoreError> {
        let ctx = self.ctx;
        let mut reference = Reference {
            attempt,
            api,
            provider_ref,
            parked: None,
        };
        match ctx.store.record_message(self.scope, message, &reference, now).await {
            Err(error) if error.is_conflict() => {}
            other => return other.map(|()| Whose::Ours),
        }
        match ctx.store.message_ref(self.scope, api, provider_ref, now).await? {
            Some((MessageRef::Parked { reports }, version)) => {
                for report in reports {
                    message.apply(attempt, report, now, &ctx.timers);
                }
                reference.parked = Some(version);
                ctx.store.record_message(self.scope, message, &reference, now).await?;
                Ok(Whose::Ours)
            }
            // Already ours: the response to the write was lost, or the message's own row had changed.
            Some((
                MessageRef::Ours {
                    message: known,
                    attempt: number,
                    ..
                },
                _,
            )) if known == message.id && number == attempt => {
                ctx.store.write_message(self.scope, message).await?;
                Ok(Whose::Ours)
            }
            Some((MessageRef::Ours { .. } | MessageRef::Theirs { .. }, _)) => Ok(Whose::Other),
            None => Err(StoreError::Conflict {
                doing: "record a sent message",
            }),
        }
    }

    /// Effects of an error beyond the message: on the connection, and on the contact.
    async fn follow(&self, attempted: Attempted<'_>, outcome: &SendOutcome, at: Timestamp) -> Result<(), StoreError> {
        let Attempted {
            connection, claimed_at, ..
        } = attempted;
        let times = (claimed_at, at);
        let SendOutcome::Refused {
            classified,
            retry_after,
            ..
        } = outcome
        else {
            if matches!(outcome, SendOutcome::Accepted { .. }) && connection.health != Health::Healthy {
                let works = |current: Connection| Connection {
                    health: Health::Healthy,
                    ..current
                };
                self.change_connection(connection, works).await?;
            }
            return Ok(());
        };
        if let Some(after) = connection.after_error(classified, *retry_after, times.0, times.1) {
            if after.health != connection.health {
                let credentials = &self.ctx.channels.credentials;
                credentials.doubt(self.scope, connection.id, at);
                metric::count("connection_unhealthy", &[]);
            }
            let learn = |current: Connection| {
                let after = current.after_error(classified, *retry_after, times.0, times.1);
                after.unwrap_or(current)
            };
            self.change_connection(connection, learn).await?;
        }
        self.teach(attempted, classified, at).await
    }

    /// Effect of an error on the contact. A refusal reaches all contacts of the person ([`Store::change_contact`]).
    async fn teach(&self, attempted: Attempted<'_>, error: &Classified, at: Timestamp) -> Result<(), StoreError> {
        let Attempted {
            message,
            number,
            planned,
            connection,
            claimed_at,
        } = attempted;
        let tried = Tried {
            channel: planned.channel,
            to: &message.to,
            from: connection.whatsapp_number(),
            claimed_at,
        };
        if self.contact.clone().learn(tried, error, at) == Change::Nothing {
            return Ok(());
        }
        let consent = consent_id(at, &format!("failed#{}#{number}", message.id));
        let (store, contact) = (&self.ctx.store, self.contact.id);
        let change = |contact: &mut Contact| contact.learn(tried, error, at).proven_by(&message.id);
        RACES
            .until_won(|| Box::pin(store.change_contact(self.scope, contact, consent, change)))
            .await
            .map(drop)
    }

    /// Queues the next attempt if it is near; the due index covers all others: messages that wait for their connection, and
    /// those queued too often, since Lambda ends loops between a function and its queue after about 16 rounds.
    async fn queue_next(&self, message: &Message, now: Timestamp) -> Result<(), JobError> {
        let until = match message.next(now, &self.ctx.timers) {
            Next::Try { .. } => now,
            // A retry, not a fallback deadline, which a delivery nearly always makes unnecessary.
            Next::Wait(until) if message.last().is_none_or(is_retried_soon) => until,
            _ => return Ok(()),
        };
        let is_long = message.waiting.is_some() && until > now + MAX_QUEUED_WAIT;
        if is_long || self.rounds >= MAX_ROUNDS {
            return Ok(());
        }
        let next = ToQueue::send(self.scope.tenant(), message)
            .at(until)
            .with_rounds(self.rounds + 1);
        self.ctx.queues.enqueue(vec![next], now).await?;
        Ok(())
    }
}

/// Whether the next attempt follows a refusal as soon as it may. One after a refused route waits in the table.
fn is_retried_soon(last: &Attempt) -> bool {
    let waits = last
        .error
        .as_ref()
        .is_some_and(|error| error.class == ErrorClass::RouteRefused);
    last.state == AttemptState::Refused && !waits
}

/// The outcome if writing the claim took so long that a request would outlast it. No request is made: whoever settles the
/// claim must be able to rely on nothing going out any more.
fn too_late() -> SendOutcome {
    refused_outcome(
        ErrorClass::RetryAfter,
        "the claim was nearly over before the request could be made",
    )
}

/// The contact cannot be judged again, so nothing is sent for now.
fn unread(error: &StoreError) -> SendOutcome {
    tracing::warn!(error = kit::chain(error), "a contact could not be read before a send");
    refused_outcome(ErrorClass::RetryAfter, "the contact could not be read before the send")
}

/// No request was made, for a reason of our own.
fn refused_outcome(class: ErrorClass, why: impl Into<Refusal>) -> SendOutcome {
    let (reason, because) = why.into().split();
    SendOutcome::Refused {
        code: None,
        classified: Classified {
            class,
            effect: Effect::None,
            first_wait: 1,
            meaning: "no request was made",
        },
        reason,
        because,
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
