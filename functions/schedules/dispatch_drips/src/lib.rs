//! Every minute: queues the steps of drips that are due for `take_steps`, and enrols the contacts whose date has come.
//!
//! Safe to run twice, and twice at the same time: an enrolment is leased by moving its time under the condition that it is unchanged, and a
//! surplus job in the queue finds that the enrolment is due at another time. A process that dies between lease and queue delays the steps
//! until the lease ends.

mod batches;
mod rounds;

use std::time::Duration;

use domain::Timestamp;
use futures::{StreamExt as _, stream};
use jiff::SignedDuration;
use jobs::{EnrolmentRef, TakeSteps};
use kit::schedule::Deadline;
use kit::turns::in_turn;
use kit::{Clock, ConfigError, Entry, Env, JobError, Queue, QueueName, crash, line};
use store::campaigns::{DueRound, DueStep, SHARDS};
use store::tenants::ConfigCache;
use store::{LostRace as _, Store};

use crate::batches::{Batch, make_batches};

/// Due rows read per page.
const PAGE: i32 = 500;

/// Rows of a shard among which the tenants take turns, as a multiple of those that a run takes.
const IN_REACH: usize = 3;

/// Maximum rows that one run takes, for each shard: the next one, a minute later, goes on.
const MAX_PER_SHARD: usize = 6_000;

/// Jobs that the queue holds at most, as far as its count shows: what its workers take in some minutes, long before the leases end. The count
/// may lack what the last runs queued, which is less than as many again.
const MAX_JOBS: u64 = 2_400;

/// Time for which a queued step is leased.
const LEASE: SignedDuration = SignedDuration::from_mins(30);

/// Jobs that are queued together, and rows that are leased at the same time.
const JOBS_AT_ONCE: usize = 40;
const LEASES_AT_ONCE: usize = 32;

/// Nothing more is begun when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(10);

/// Time until the dates of a drip that could not be processed are looked at again.
const LATER: SignedDuration = SignedDuration::from_mins(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    drips: Queue,
    clock: Clock,
    max_per_shard: usize,
    max_jobs: u64,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            config: ConfigCache::default(),
            drips: Queue::new(env, QueueName::Drips)?,
            clock: env.clock().clone(),
            max_per_shard: MAX_PER_SHARD,
            max_jobs: MAX_JOBS,
        })
    }

    /// With so many rows of a shard in a run, and jobs in the queue: a test that needs more than usual would take minutes.
    #[must_use]
    pub fn with_room_for(self, max_per_shard: usize, max_jobs: u64) -> Self {
        Self {
            max_per_shard,
            max_jobs,
            ..self
        }
    }
}

kit::function!(serve_schedule, Context::new, handle);

/// Queues the steps that are due, as far as the time allows; the next run goes on. A drip whose dates fail does not block the others.
///
/// # Errors
/// When the table or the queue does not answer. Leased steps become due again by themselves.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let (begun, mut failed) = (ctx.clock.now(), None);
    // Enough is left for what is read.
    let reading_until = (deadline.remaining(begun) / 2).max(ENOUGH_TIME);
    // Each minute with another shard, in case the time is short.
    let minute = begun.as_second().div_euclid(60);
    let (mut due, mut dates, mut seen) = (Vec::new(), Vec::new(), 0);
    for place in 0..i64::from(SHARDS) {
        let shard = u8::try_from((minute + place).rem_euclid(i64::from(SHARDS))).unwrap_or_default();
        let (mut from, mut steps, mut rounds) = (None, 0, Vec::new());
        while steps < IN_REACH * ctx.max_per_shard && deadline.remaining(ctx.clock.now()) > reading_until {
            let page = match ctx.store.due_steps(shard, begun, from, PAGE).await {
                Ok(page) => page,
                // Steps that were read are queued.
                Err(error) => {
                    failed = Some(error.into());
                    break;
                }
            };
            steps += page.due.len();
            due.extend(page.due);
            rounds.extend(page.rounds);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        dates.push(rounds);
    }
    // The rest is for the steps that were read.
    let entering_until = (reading_until * 2 / 3).max(ENOUGH_TIME);
    for rounds in dates {
        let mut entered = 0;
        for due in in_turn(rounds, DueRound::tenant) {
            // Half is for steps at least.
            if entered >= ctx.max_per_shard / 2 {
                break;
            }
            if deadline.remaining(ctx.clock.now()) < entering_until {
                break;
            }
            match enrol(ctx, &due, deadline).await {
                Ok(read) => entered += 1 + read,
                Err(error) => failed = Some(error),
            }
        }
        seen += entered.min(ctx.max_per_shard / 2);
    }
    if due.is_empty() {
        return failed.map_or(Ok(()), Err);
    }
    let room = usize::try_from(ctx.max_jobs.saturating_sub(ctx.drips.depth().await?)).unwrap_or_default();
    // Whoever has waited longest goes first, in whichever shard; before all, those whom a cap has kept back.
    due.sort_by_cached_key(|step| (!step.was_kept_back(), step.due_at()));
    let mut due = in_turn(due, DueStep::tenant);
    due.truncate((usize::from(SHARDS) * ctx.max_per_shard).saturating_sub(seen));
    let mut batches = make_batches(due);
    batches.truncate(room);
    let mut batches = batches.into_iter().peekable();
    while batches.peek().is_some() && deadline.remaining(ctx.clock.now()) > ENOUGH_TIME {
        let some = batches.by_ref().take(JOBS_AT_ONCE).collect();
        match queue(ctx, some).await {
            Ok(()) => {}
            Err(Unqueued::Lease(error)) => failed = Some(error),
            // Steps of further leases would wait as long, for nothing.
            Err(Unqueued::Queue(error)) => return Err(error),
        }
    }
    failed.map_or(Ok(()), Err)
}

/// Why some steps were not queued.
enum Unqueued {
    Lease(JobError),
    Queue(JobError),
}

/// Leases the steps of these batches, and queues those that were leased. A batch whose lease fails does not block the others.
async fn queue(ctx: &Context, batches: Vec<Batch>) -> Result<(), Unqueued> {
    let now = ctx.clock.now();
    let until = now + LEASE;
    let leases = batches.iter().flat_map(|batch| &batch.steps);
    let leases = leases.map(|step| ctx.store.lease_step(step, until));
    let leased: Vec<_> = stream::iter(leases).buffered(LEASES_AT_ONCE).collect().await;
    crash::point("dispatch_drips.leased");
    let (mut leased, mut failed, mut entries) = (leased.into_iter(), None, Vec::new());
    for mut batch in batches {
        batch.steps.retain(|_| match leased.next() {
            Some(Ok(leased)) => leased,
            Some(Err(error)) => {
                failed = Some(JobError::from(error));
                false
            }
            None => false,
        });
        if let Some(job) = make_job(&batch, until) {
            line::count("queued", job.enrolments.len() as u64);
            entries.push(Entry::new(&job).map_err(|error| Unqueued::Queue(error.into()))?);
        }
    }
    // Leased steps are queued, even if others failed.
    let sent = ctx.drips.send_all(entries).await;
    sent.map_err(|error| Unqueued::Queue(error.into()))?;
    failed.map_or(Ok(()), |error| Err(Unqueued::Lease(error)))
}

/// The job of a batch of leased steps, unless it is empty.
fn make_job(batch: &Batch, leased_until: Timestamp) -> Option<TakeSteps> {
    let first = batch.steps.first()?;
    let enrolments = batch.steps.iter().map(|step| EnrolmentRef {
        contact: step.contact,
        campaign: step.campaign,
    });
    Some(TakeSteps {
        tenant: first.tenant(),
        correlation_id: first.campaign.to_string(),
        enrolments: enrolments.collect(),
        leased_until,
        first: batch.first,
        of: batch.of,
    })
}

/// Enrols the contacts whose date has come in a drip, which is put off if it fails. Returns how many were read.
async fn enrol(ctx: &Context, due: &DueRound, deadline: Deadline) -> Result<usize, JobError> {
    let error = match Box::pin(rounds::enrol(ctx, due, deadline)).await {
        Ok(read) => return Ok(read),
        // Another run is at it, or the drip was cancelled.
        Err(error) if error.is_lost_race() => return Ok(0),
        Err(error) => error,
    };
    tracing::error!(tenant = %due.tenant(), campaign = %due.campaign, %error, "nobody enters a drip on a date");
    if let Err(error) = ctx.store.put_off_round(due, ctx.clock.now() + LATER).await {
        tracing::error!(error = kit::chain(&error), "nor is it put off");
    }
    Err(error)
}
