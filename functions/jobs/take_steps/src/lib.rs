//! Takes the steps of drips that are due, a job for at most 25 contacts of a tenant. `dispatch_drips` leases and queues them.
//!
//! Safe to run twice, and twice at the same time: the message of a step is written in one transaction with the enrolment behind the step,
//! under the condition that the enrolment is unchanged. Other actions set values, so that one that is done again changes nothing. A job
//! leaves enrolments alone that are due at another time than the end of its lease: they were taken, or are another job's. What was committed
//! and not queued is in the due index.

mod saying;
mod tenant;

use std::collections::BTreeMap;

use flows::messages::Planner;
use jiff::SignedDuration;
use jobs::TakeSteps;
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Pages, QueueName, Queues, line};
use store::Store;
use store::campaigns::DueStep;
use store::money::PriceCache;
use store::tenants::ConfigCache;

use crate::tenant::Tenant;

/// Time until an enrolment that could not be processed is looked at again.
const LATER: SignedDuration = SignedDuration::from_mins(10);

/// Attempts of a job at enrolments that are left: after lost races, and when their drip was paused meanwhile.
const MAX_ROUNDS: usize = 3;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    config: ConfigCache,
    planner: Planner,
    prices: PriceCache,
    queues: Queues,
    clock: Clock,
    ids: Ids,
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
        })
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Takes the steps of a job. An enrolment that fails does not block the others.
///
/// # Errors
/// When an enrolment fails, which is put off, or the table or the queue does not answer.
pub async fn handle(job: Job<TakeSteps>, ctx: &Context) -> Result<Done, JobError> {
    let TakeSteps {
        ref enrolments,
        leased_until,
        first,
        of,
        ..
    } = job.body;
    let (scope, now) = (job.scope(), ctx.clock.now());
    let leased = |one: &jobs::EnrolmentRef| DueStep::of_lease(scope, one.contact, one.campaign, leased_until, now);
    let due: Vec<DueStep> = enrolments.iter().take(TakeSteps::MAX).map(leased).collect();
    let place = InRun { first, of };
    let mut taken = 0;
    for _ in 0..MAX_ROUNDS {
        let round = match attend(ctx, &job, &due, place).await {
            Ok(round) => round,
            Err(error) => {
                tracing::error!(%error, "steps of a tenant are not taken together");
                return one_by_one(ctx, &job, &due, place).await;
            }
        };
        taken += round.taken;
        if round.left == 0 {
            let done = if taken > 0 { Done::Now } else { Done::Already };
            return Ok(done);
        }
    }
    // The next run queues them again.
    for step in &due {
        ctx.store.put_off(step, ctx.clock.now()).await?;
    }
    Ok(Done::Now)
}

/// Place of some steps among those of the tenant that were queued together, in the order of waiting.
#[derive(Clone, Copy)]
pub(crate) struct InRun {
    pub(crate) first: usize,
    /// Number of all of them.
    pub(crate) of: usize,
}

/// Outcome of a round.
struct Round {
    taken: u64,
    /// Enrolments that are still leased for the job.
    left: u64,
}

async fn attend(ctx: &Context, job: &Job<TakeSteps>, due: &[DueStep], place: InRun) -> Result<Round, JobError> {
    let mut tenant = Tenant {
        ctx,
        scope: job.scope().clone(),
        now: ctx.clock.now(),
        place,
        tally: BTreeMap::new(),
    };
    let found = Box::pin(tenant.take(due)).await;
    for (what, count) in &tenant.tally {
        line::count(what, *count);
    }
    let written = |what| tenant.tally.get(what).copied().unwrap_or_default();
    let taken = written("said") + written("moved");
    Ok(Round {
        taken,
        left: found?.saturating_sub(taken),
    })
}

/// Takes steps alone that failed together, and puts off those that fail again, so that they keep nobody waiting.
async fn one_by_one(ctx: &Context, job: &Job<TakeSteps>, due: &[DueStep], all: InRun) -> Result<Done, JobError> {
    let mut failed = None;
    for (number, step) in due.iter().enumerate() {
        let place = InRun {
            first: all.first + number,
            ..all
        };
        let error = match attend(ctx, job, std::slice::from_ref(step), place).await {
            Ok(Round { left: 0, .. }) => continue,
            Ok(_) => {
                ctx.store.put_off(step, ctx.clock.now()).await?;
                continue;
            }
            Err(error) => error,
        };
        tracing::error!(contact = %step.contact, %error, "a step is not taken");
        if let Err(error) = ctx.store.put_off(step, ctx.clock.now() + LATER).await {
            tracing::error!(error = kit::chain(&error), "nor put off");
        }
        failed = Some(error);
    }
    failed.map_or(Ok(Done::Now), Err)
}
