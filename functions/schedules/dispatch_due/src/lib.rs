//! Every minute: whatever in the table is due goes (again) into its queue, and what a queue once refused is swept back.
//!
//! Now and then it looks whether changes of the table lie in the bucket, which an operator has worked again.
//!
//! Safe to run twice, and twice at the same time: a due row is leased by moving its time out under the condition that it is
//! unchanged, and a copy too many in a queue is dropped by its worker.

use std::{
    ops::Range,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use domain::{Timestamp, ids::TenantId};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use jobs::{CallJob, SendMessage};
use kit::{
    Clock, ConfigError, Env, JobError, Queue, QueueName, RawBucket, TimeLimit, enqueue::Entry, line, metric,
    schedule::Deadline,
};
use store::{
    Store, StoreError,
    due::{DUE_SHARDS, Due, DueRow},
};

/// A kind of due work with a budget of its own, so that none keeps another waiting.
struct Lane {
    /// Its partitions of the due index.
    shards: Range<u8>,
    /// Rows that a run works at most; the next run, a minute later, goes on.
    most: usize,
}

/// In the order of their urgency.
const LANES: [Lane; 1] = [
    // What answers a person. Below two minutes' rate of a single number (80/s), so that no number's queue runs ahead of what it
    // can send.
    Lane {
        shards: 0..DUE_SHARDS,
        most: 4_000,
    },
];

/// Due rows of one shard read at once.
const PAGE: i32 = 100;

/// Shards worked at the same time, and rows leased at the same time within each.
const SHARDS_AT_ONCE: usize = 4;
const LEASES_AT_ONCE: usize = 8;

/// Spilled jobs of one queue swept in a run, and at the same time.
const MOST_SWEPT: u16 = 200;
const SWEEPS_AT_ONCE: usize = 8;

/// No new page is begun when less than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(2);

/// No row is looked at less often than this.
const LONGEST_LEASE: SignedDuration = SignedDuration::from_hours(1);

/// A process looks for changes in the bucket as often as this: a listing costs, and an operator is not there every minute.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// What the function works with, made once per process.
pub struct Context {
    store: Store,
    sends: Queue,
    calls: Queue,
    provider_events: Queue,
    bucket: RawBucket,
    first_due: SignedDuration,
    clock: Clock,
    looked: Mutex<Option<Timestamp>>,
}

impl Context {
    /// From the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            sends: Queue::new(env, QueueName::Sends)?,
            calls: Queue::new(env, QueueName::Calls)?,
            provider_events: Queue::new(env, QueueName::ProviderEvents)?,
            bucket: RawBucket::new(env)?,
            first_due: env.config().timers()?.first_due,
            clock: env.clock().clone(),
            looked: Mutex::default(),
        })
    }
}

/// Dispatches what is due and sweeps what was spilled, as far as the time allows.
///
/// # Errors
/// When the table, a queue or the bucket does not answer. What was leased comes up again by itself.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let mut failed = None;
    // First, and for half of the time at most: what was spilled has never been worked, what is due is mostly in its queue already.
    // All of `QueueName::SWEPT`; a test holds it.
    let half = deadline.remaining(ctx.clock.now()) / 2;
    let limit = TimeLimit::of(half);
    for (name, queue) in [
        (QueueName::Calls, &ctx.calls),
        (QueueName::ProviderEvents, &ctx.provider_events),
    ] {
        // A bucket that hangs must not keep what is due.
        let swept = limit
            .keep(sweep(name, queue, deadline, half.max(ENOUGH_TIME), ctx))
            .await;
        match swept.unwrap_or_else(|_| Err(JobError::new("sweep what was spilled: it took too long"))) {
            Ok(count) => line::count("swept", count),
            Err(error) => failed = Some(error),
        }
    }
    for lane in LANES {
        let per_shard = lane.most / lane.shards.len();
        let shards = lane.shards.map(|shard| dispatch_shard(shard, per_shard, deadline, ctx));
        let dispatched: Vec<_> = stream::iter(shards).buffer_unordered(SHARDS_AT_ONCE).collect().await;
        for result in dispatched {
            match result {
                Ok(count) => line::count("dispatched", count),
                Err(error) => failed = Some(error),
            }
        }
    }
    let looked = TimeLimit::of(deadline.remaining(ctx.clock.now()).min(ENOUGH_TIME)).keep(look_for_changes(ctx));
    match looked.await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => failed = Some(error),
        Err(up) => failed = Some(up.into()),
    }
    failed.map_or(Ok(()), Err)
}

/// Counts once, for an alarm, if changes of the table lie in the bucket. Returns whether it looked and they do.
///
/// # Errors
/// When the bucket does not answer.
pub async fn look_for_changes(ctx: &Context) -> Result<bool, JobError> {
    let now = ctx.clock.now();
    let looked = *ctx.looked.lock().unwrap_or_else(PoisonError::into_inner);
    if looked.is_some_and(|looked| now.duration_since(looked) < LOOK_EVERY) {
        return Ok(false);
    }
    let found = ctx.bucket.has_changes().await?;
    *ctx.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    if found {
        metric::count("changes_spilled", &[]);
        line::count("changes_spilled", 1);
    }
    Ok(found)
}

/// How long a row is left alone after it was queued: doubles with every time, so that a backlog does not multiply copies.
fn lease(first_due: SignedDuration, dispatches: u32) -> SignedDuration {
    first_due.saturating_mul(1 << dispatches.min(12)).min(LONGEST_LEASE)
}

async fn dispatch_shard(shard: u8, most: usize, deadline: Deadline, ctx: &Context) -> Result<u64, JobError> {
    let (mut dispatched, mut seen) = (0, 0);
    let mut from = None;
    while seen < most && deadline.remaining(ctx.clock.now()) > ENOUGH_TIME {
        let now = ctx.clock.now();
        let page = ctx.store.due(shard, now, from, PAGE).await?;
        seen += page.due.len();
        dispatched += dispatch(page.due, now, ctx).await?;
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    Ok(dispatched)
}

/// What is to be queued for one row.
enum Work {
    Send(SendMessage),
    Decide(Box<CallJob>),
}

async fn dispatch(due: Vec<Due>, now: Timestamp, ctx: &Context) -> Result<u64, JobError> {
    if due.is_empty() {
        return Ok(0);
    }
    let rows = ctx.store.due_rows(due).await?;
    let leased = rows.into_iter().map(|(due, row)| lease_row(due, row, now, ctx));
    let works: Vec<Result<Option<Work>, JobError>> =
        stream::iter(leased).buffer_unordered(LEASES_AT_ONCE).collect().await;
    let (mut sends, mut calls) = (Vec::new(), Vec::new());
    let mut failed = None;
    for work in works {
        match work {
            Ok(Some(Work::Send(job))) => sends.push(Entry::new(&job)?),
            Ok(Some(Work::Decide(job))) => calls.push(Entry::new(&*job)?),
            Ok(None) => {}
            Err(error) => failed = Some(error),
        }
    }
    let count = u64::try_from(sends.len() + calls.len()).unwrap_or_default();
    // Each queue on its own: one that does not answer must not keep the other's jobs until their lease ends.
    let queued = [ctx.sends.send_all(sends).await, ctx.calls.send_all(calls).await];
    for result in queued {
        if let Err(error) = result {
            failed = Some(error.into());
        }
    }
    failed.map_or(Ok(count), Err)
}

async fn lease_row(
    due: Due,
    row: Result<DueRow, StoreError>,
    now: Timestamp,
    ctx: &Context,
) -> Result<Option<Work>, JobError> {
    let row = match row {
        Ok(row) => row,
        Err(error) => {
            // Out of the way for as long as a lease can be: at the head of its shard it would keep the others.
            tracing::error!(tenant = %due.tenant(), error = %error, "a due row that cannot be read");
            metric::count("due_unreadable", &[]);
            ctx.store.lease(&due, now + LONGEST_LEASE).await?;
            return Ok(None);
        }
    };
    // Its look was set before it was known how long its channel has.
    if let DueRow::Message(message) = &row
        && let Some(until) = message.waits_for_delivery(now)
    {
        ctx.store.lease(&due, until).await?;
        return Ok(None);
    }
    let dispatches = match &row {
        DueRow::Message(message) => message.dispatches,
        DueRow::Call(progress) => progress.dispatches,
    };
    if !ctx.store.lease(&due, now + lease(ctx.first_due, dispatches)).await? {
        return Ok(None);
    }
    Ok(Some(work(due.tenant(), row)))
}

fn work(tenant: TenantId, row: DueRow) -> Work {
    match row {
        DueRow::Message(message) => Work::Send(SendMessage::next_of(tenant, &message)),
        DueRow::Call(progress) => Work::Decide(Box::new(CallJob::look(tenant, *progress))),
    }
}

/// Puts spilled jobs back into their queue. A job is forgotten only after its queue has it.
async fn sweep(
    name: QueueName,
    queue: &Queue,
    deadline: Deadline,
    leave: Duration,
    ctx: &Context,
) -> Result<u64, JobError> {
    let keys = ctx.bucket.spilled(name, MOST_SWEPT).await?;
    let sweeps = keys.into_iter().map(async |key| {
        let in_time = deadline.remaining(ctx.clock.now()) > leave;
        if in_time {
            sweep_one(&key, queue, ctx).await
        } else {
            Ok(false)
        }
    });
    let outcomes: Vec<_> = stream::iter(sweeps).buffered(SWEEPS_AT_ONCE).collect().await;
    let mut swept = 0;
    let mut failed = None;
    for outcome in outcomes {
        match outcome {
            Ok(done) => swept += u64::from(done),
            // It stays where it is; those after it go on.
            Err(error) => failed = Some(error),
        }
    }
    failed.map_or(Ok(swept), Err)
}

async fn sweep_one(key: &str, queue: &Queue, ctx: &Context) -> Result<bool, JobError> {
    let Some(job) = ctx.bucket.read_spilled(key).await? else {
        return Ok(false);
    };
    queue.send_all(vec![Entry::from_spilled(job)]).await?;
    ctx.bucket.delete_spilled(key).await?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_doubles_up_to_an_hour() {
        let first = SignedDuration::from_secs(90);
        let seconds: Vec<i64> = [0, 1, 2, 5, 6, 40].map(|count| lease(first, count).as_secs()).into();
        assert_eq!(seconds, [90, 180, 360, 2880, 3600, 3600]);
    }
}
