//! Every minute: takes the steps of drips that are due, and enrols the contacts whose date has come.
//!
//! Safe to run twice, and twice at the same time: the message of a step is written in one transaction with the enrolment behind the step,
//! under the condition that the enrolment is unchanged. Other actions set values, so that one that is done again changes nothing. Whoever
//! loses a race leaves the enrolment as it is: if it is still due, the next run takes it. What was committed and not queued is in the due
//! index.

mod rounds;
mod saying;
mod tenant;

use std::collections::BTreeMap;
use std::time::Duration;

use domain::terms::TenantId;
use flows::messages::Planner;
use jiff::SignedDuration;
use kit::schedule::Deadline;
use kit::turns::in_turn;
use kit::{Clock, ConfigError, Env, Ids, JobError, Pages, QueueName, Queues, line};
use store::campaigns::{DueRound, DueStep, SHARDS};
use store::money::PriceCache;
use store::tenants::ConfigCache;
use store::{LostRace as _, Store};

use crate::tenant::{InRun, Tenant};

/// Due rows read per page.
const PAGE: i32 = 100;

/// Steps of a tenant that are read and taken together.
const AT_ONCE: usize = 100;

/// Rows of a shard among which the tenants take turns, as a multiple of those that a run takes.
const IN_REACH: usize = 10;

/// Maximum rows that one run takes, for each shard: the next one, a minute later, goes on. Four shards make as many messages as a number of
/// WhatsApp sends in a minute.
const MAX_PER_SHARD: usize = 1_200;

/// No further tenant is begun when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(20);

/// Time until an enrolment that could not be processed is looked at again.
const LATER: SignedDuration = SignedDuration::from_mins(10);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    planner: Planner,
    prices: PriceCache,
    queues: Queues,
    clock: Clock,
    ids: Ids,
    max_per_shard: usize,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let store = env.store()?;
        let timers = env.config().timers()?;
        Ok(Self {
            planner: Planner::new(store.clone(), Pages::new(env)?, timers),
            store,
            config: ConfigCache::default(),
            prices: PriceCache::default(),
            queues: Queues::new(env, &[QueueName::BulkSends])?,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
            max_per_shard: MAX_PER_SHARD,
        })
    }

    /// With so many rows of a shard in a run: a test that needs more than usual would take minutes.
    #[must_use]
    pub fn taking(self, max_per_shard: usize) -> Self {
        Self { max_per_shard, ..self }
    }
}

kit::function!(serve_schedule, Context::new, handle);

/// Takes the steps that are due, as far as the time allows; the next run goes on. A tenant that fails does not block the others.
///
/// # Errors
/// When the table or the queue does not answer.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let (begun, mut failed) = (ctx.clock.now(), None);
    // Enough is left for what is read.
    let reading_until = (deadline.remaining(begun) / 2).max(ENOUGH_TIME);
    // Each minute with another shard, in case the time is short.
    let minute = begun.as_second().div_euclid(60);
    let (mut due, mut seen) = (Vec::new(), 0);
    for place in 0..i64::from(SHARDS) {
        let shard = u8::try_from((minute + place).rem_euclid(i64::from(SHARDS))).unwrap_or_default();
        let (mut from, mut steps, mut rounds) = (None, 0, Vec::new());
        while steps < IN_REACH * ctx.max_per_shard && deadline.remaining(ctx.clock.now()) > reading_until {
            let page = match ctx.store.due_steps(shard, begun, from, PAGE).await {
                Ok(page) => page,
                // Steps that were read are taken.
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
        let mut entered = 0;
        for due in in_turn(rounds, DueRound::tenant) {
            // Half is for steps at least.
            if entered >= ctx.max_per_shard / 2 {
                break;
            }
            if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
                return failed.map_or(Ok(()), Err);
            }
            match enrol(ctx, &due, deadline).await {
                Ok(read) => entered += 1 + read,
                Err(error) => failed = Some(error),
            }
        }
        seen += entered.min(ctx.max_per_shard / 2);
    }
    // Whoever has waited longest goes first, in whichever shard; before all, those whom a cap has kept back.
    due.sort_by_cached_key(|step| (!step.was_kept_back(), step.due_at()));
    let mut due = in_turn(due, DueStep::tenant);
    due.truncate((usize::from(SHARDS) * ctx.max_per_shard).saturating_sub(seen));
    let of = due.len();
    for (chunk, some) in due.chunks(AT_ONCE).enumerate() {
        let mut by_tenant: BTreeMap<TenantId, Vec<DueStep>> = BTreeMap::new();
        for step in some {
            by_tenant.entry(step.tenant()).or_default().push(step.clone());
        }
        for (tenant, due) in by_tenant {
            if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
                return failed.map_or(Ok(()), Err);
            }
            let place = InRun {
                first: chunk * AT_ONCE,
                of,
            };
            if let Err(error) = attend(ctx, tenant, &due, place).await {
                tracing::error!(%tenant, %error, "steps of a tenant are not taken together");
                failed = one_by_one(ctx, tenant, &due, place, deadline).await.or(Some(error));
            }
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn attend(ctx: &Context, tenant: TenantId, due: &[DueStep], place: InRun) -> Result<(), JobError> {
    let mut tenant = Tenant {
        ctx,
        scope: access::job::scope(tenant),
        now: ctx.clock.now(),
        place,
        tally: BTreeMap::new(),
    };
    let taken = Box::pin(tenant.take(due)).await;
    for (what, count) in tenant.tally {
        line::count(what, count);
    }
    taken
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

/// Takes steps alone that failed together, and puts off those that fail again, so that they keep nobody waiting.
async fn one_by_one(
    ctx: &Context,
    tenant: TenantId,
    due: &[DueStep],
    all: InRun,
    deadline: Deadline,
) -> Option<JobError> {
    let mut failed = None;
    for (number, step) in due.iter().enumerate() {
        if deadline.remaining(ctx.clock.now()) < ENOUGH_TIME {
            break;
        }
        let place = InRun {
            first: all.first + number,
            ..all
        };
        let Err(error) = attend(ctx, tenant, std::slice::from_ref(step), place).await else {
            continue;
        };
        tracing::error!(%tenant, contact = %step.contact, %error, "a step is not taken");
        if let Err(error) = ctx.store.put_off(step, ctx.clock.now() + LATER).await {
            tracing::error!(error = kit::chain(&error), "nor put off");
        }
        failed = Some(error);
    }
    failed
}
