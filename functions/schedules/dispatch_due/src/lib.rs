//! Every minute: queues due rows (again) or starts their operations (again), and sweeps spilled jobs back into their queues.
//!
//! Now and then, checks whether the bucket holds changes of the table that an operator has to replay.
//!
//! Safe to run twice, and twice at the same time: a due row is leased by moving its time under the condition that it is
//! unchanged, and a surplus job in a queue is dropped by its worker.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::terms::{Lane, Timers};
use futures::{StreamExt, stream};
use jiff::SignedDuration;
use jobs::ToQueue;
use kit::enqueue::Entry;
use kit::schedule::Deadline;
use kit::turns::in_turn;
use kit::{Bus, Clock, ConfigError, Env, JobError, Queue, QueueName, Queues, RawBucket, TimeLimit, line, metric};
use store::table::due::{Due, DueRow, Next, Partition};
use store::{Store, StoreError};

/// Maximum rows of a lane that one run queues; the next run, a minute later, continues. The lanes are processed one after
/// the other, the most urgent first, so that none delays a more urgent one.
const fn budget(lane: Lane) -> usize {
    match lane {
        // Below the two-minute rate of a single number (80/s), so that no number's queue grows faster than it can send.
        Lane::Answers => 4_000,
        // Below the rate of its workers per minute.
        Lane::Bulk => 1_600,
    }
}

/// Due rows of one shard read per page.
const PAGE: i32 = 100;

/// Rows of one shard among which the tenants take turns, as a multiple of those that a run queues. More are not looked at: each page costs.
const IN_REACH: usize = 8;

/// Pages of one shard that one run reads, several times those of its budget: rows of unknown kinds use none and stay in place.
const MAX_PAGES: usize = 20;

/// Rows of one shard that are read, leased and queued together.
const AT_ONCE: usize = 100;

/// Shards processed at the same time, and rows leased at the same time within each.
const SHARDS_AT_ONCE: usize = 4;
const LEASES_AT_ONCE: usize = 8;

/// Spilled jobs of one queue swept in one run, and at the same time.
const MAX_SWEPT: u16 = 200;
const SWEEPS_AT_ONCE: usize = 8;

/// Nothing more is started when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(2);

/// Time over which a lane's rows of one run are spread, as far as they are many: in bulk they would otherwise all ask at once for a place
/// among the messages of a second, and most of them in vain.
const fn spread(lane: Lane) -> SignedDuration {
    match lane {
        Lane::Answers => SignedDuration::ZERO,
        Lane::Bulk => SignedDuration::from_secs(50),
    }
}

/// Maximum lease, so that every row is looked at at least this often.
const MAX_LEASE: SignedDuration = SignedDuration::from_hours(1);

/// Interval of a process's looks for changes in the bucket: a listing costs, and no operator reacts within a minute.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// The queues of what can be due.
const QUEUES: [QueueName; 5] = [
    QueueName::Sends,
    QueueName::BulkSends,
    QueueName::Calls,
    QueueName::Media,
    QueueName::WebhookDeliveries,
];

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    queues: Queues,
    calls: Queue,
    provider_events: Queue,
    bucket: RawBucket,
    timers: Timers,
    clock: Clock,
    looked: Mutex<Option<Timestamp>>,
    /// Partitions that the last run did not read to the end, although it queued fewer rows than it may, and where the next one continues.
    unread: Mutex<HashMap<Partition, Next>>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            queues: Queues::new(env, &QUEUES)?.with_bus(Bus::new(env)?),
            calls: Queue::new(env, QueueName::Calls)?,
            provider_events: Queue::new(env, QueueName::ProviderEvents)?,
            bucket: RawBucket::new(env)?,
            timers: env.config().timers()?,
            clock: env.clock().clone(),
            looked: Mutex::default(),
            unread: Mutex::default(),
        })
    }
}

kit::function!(serve_schedule, Context::new, handle);

/// Dispatches due rows and sweeps spilled jobs, as far as the time allows.
///
/// # Errors
/// When the table, a queue or the bucket does not answer. Leased rows become due again by themselves.
pub async fn handle(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let mut failed = None;
    // Sweeping comes first, for half of the time at most: spilled jobs were never processed, while due rows are mostly
    // queued already.
    // All of `QueueName::SWEPT`, which a test checks.
    let half = deadline.remaining(ctx.clock.now()) / 2;
    let limit = TimeLimit::of(half);
    for (name, queue) in [
        (QueueName::Calls, &ctx.calls),
        (QueueName::ProviderEvents, &ctx.provider_events),
    ] {
        if half < ENOUGH_TIME {
            break;
        }
        // A bucket that hangs must not delay due rows.
        let swept = limit.keep(sweep(name, queue, deadline, half, ctx)).await;
        match swept.unwrap_or_else(|_| Err(JobError::new("sweep spilled jobs: it took too long"))) {
            Ok(count) => line::count("swept", count),
            Err(error) => failed = Some(error),
        }
    }
    for lane in Lane::ALL {
        let most = budget(lane) / Partition::OF_LANE;
        let mut partitions: Vec<Partition> = Partition::of(lane).collect();
        // Each minute with another one, in case the time is short.
        let minute = ctx.clock.now().as_second().div_euclid(60);
        partitions.rotate_left(usize::try_from(minute).unwrap_or_default() % Partition::OF_LANE);
        let partitions = partitions
            .into_iter()
            .map(|partition| dispatch_partition(partition, most, deadline, ctx));
        let dispatched: Vec<_> = stream::iter(partitions)
            .buffer_unordered(SHARDS_AT_ONCE)
            .collect()
            .await;
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
        // The next run looks. Sweeping, which lists the same bucket, reports one that hangs.
        Err(_) => tracing::warn!("the look for abandoned changes took too long"),
    }
    failed.map_or(Ok(()), Err)
}

/// Counts once, for an alarm, if the bucket holds changes of the table. Returns whether it looked and they exist.
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

/// Time until a queued row is due again: doubles each time, so that a backlog does not multiply jobs.
fn lease(first_due: SignedDuration, dispatches: u32) -> SignedDuration {
    first_due.saturating_mul(1 << dispatches.min(12)).min(MAX_LEASE)
}

async fn dispatch_partition(
    partition: Partition,
    most: usize,
    deadline: Deadline,
    ctx: &Context,
) -> Result<u64, JobError> {
    let remaining = || deadline.remaining(ctx.clock.now());
    // Enough is left for what is read.
    let reading_until = (remaining() / 2).max(ENOUGH_TIME);
    let begun_at = unread(ctx).remove(&partition);
    let mut from = begun_at.clone();
    let (mut due, mut failed): (_, Option<JobError>) = (Vec::new(), None);
    for _ in 0..MAX_PAGES {
        if due.len() >= most * IN_REACH || remaining() <= reading_until {
            break;
        }
        match ctx.store.due_page(partition, ctx.clock.now(), from.clone(), PAGE).await {
            Ok(page) => {
                if page.unknown > 0 {
                    unknown(page.unknown);
                }
                due.extend(page.due);
                from = page.next;
            }
            // Rows that were read are queued.
            Err(error) => failed = Some(error.into()),
        }
        if from.is_none() || failed.is_some() {
            break;
        }
    }
    let (mut dispatched, mut seen, lane) = (0, 0, partition.lane());
    let mut due = in_turn(due, Due::tenant).into_iter().peekable();
    while seen < most && due.peek().is_some() && remaining() > ENOUGH_TIME {
        let some = due.by_ref().take(AT_ONCE).collect();
        let place =
            |row: usize| spread(lane) * i32::try_from(seen + row).unwrap_or(1) / i32::try_from(most).unwrap_or(1);
        match dispatch(some, lane, most - seen, &place, ctx.clock.now(), ctx).await {
            Ok(done) => {
                // Rows of unknown kinds use no budget, so they block nobody.
                seen += done.known;
                dispatched += done.queued;
            }
            Err(error) => {
                // The next run begins where this one did.
                unread(ctx).extend(begun_at.map(|begun_at| (partition, begun_at)));
                return Err(error);
            }
        }
    }
    if seen < most
        && due.peek().is_none()
        && let Some(next) = from
    {
        unread(ctx).insert(partition, next);
    }
    failed.map_or(Ok(dispatched), Err)
}

fn unread(ctx: &Context) -> MutexGuard<'_, HashMap<Partition, Next>> {
    ctx.unread.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Outcome of some rows.
#[derive(Default)]
struct Dispatched {
    /// Rows of known kinds.
    known: usize,
    queued: u64,
}

/// Leases and queues these rows, at most so many of them. `wait`: that of the row at this place.
async fn dispatch(
    due: Vec<Due>,
    lane: Lane,
    most: usize,
    wait: &impl Fn(usize) -> SignedDuration,
    now: Timestamp,
    ctx: &Context,
) -> Result<Dispatched, JobError> {
    if due.is_empty() {
        return Ok(Dispatched::default());
    }
    let (mut rows, mut known) = (ctx.store.due_rows(due).await?, 0);
    rows.retain(|(_, row)| {
        let counts = !matches!(row, Ok(None));
        let is_over = counts && known == most;
        known += usize::from(counts && !is_over);
        !is_over
    });
    let leased = rows.into_iter().enumerate();
    let leased = leased.map(|(place, (due, row))| lease_row(due, row, lane, wait(place), now, ctx));
    let leased: Vec<Result<Option<ToQueue>, JobError>> =
        stream::iter(leased).buffer_unordered(LEASES_AT_ONCE).collect().await;
    let mut jobs = Vec::new();
    let mut failed = None;
    for job in leased {
        match job {
            Ok(job) => jobs.extend(job),
            Err(error) => failed = Some(error),
        }
    }
    // Leased rows are queued, even if others failed.
    let queued = ctx.queues.enqueue(jobs, now).await?;
    failed.map_or(Ok(Dispatched { known, queued }), Err)
}

/// Counts rows of unknown kinds, such as those of a later version. They are left as they are.
fn unknown(rows: u64) {
    tracing::warn!(rows, "due rows of an unknown kind");
    metric::add("due_unknown", rows, &[]);
    line::count("due_unknown", rows);
}

async fn lease_row(
    due: Due,
    row: Result<Option<DueRow>, StoreError>,
    lane: Lane,
    wait: SignedDuration,
    now: Timestamp,
    ctx: &Context,
) -> Result<Option<ToQueue>, JobError> {
    let row = match row {
        Ok(Some(row)) => row,
        Ok(None) => {
            unknown(1);
            return Ok(None);
        }
        Err(error) => {
            // Leased for the maximum time: at the head of its shard, it would block the others.
            tracing::error!(tenant = %due.tenant(), error = %error, "a due row that cannot be read");
            metric::count("due_unreadable", &[]);
            ctx.store.lease(&due, now + MAX_LEASE).await?;
            return Ok(None);
        }
    };
    // Its due time was set before its fallback deadline was known.
    if let Some(until) = row.not_before.filter(|until| now < *until) {
        ctx.store.lease(&due, until).await?;
        return Ok(None);
    }
    let at = now + wait;
    let again = at + lease(ctx.timers.first_due_in(lane), row.dispatches);
    let leased = ctx.store.lease(&due, again).await?;
    Ok(leased.then(|| row.job.at(at)))
}

/// Puts spilled jobs back into their queue. An object is deleted only after the queue has the job.
async fn sweep(
    name: QueueName,
    queue: &Queue,
    deadline: Deadline,
    leave: Duration,
    ctx: &Context,
) -> Result<u64, JobError> {
    let keys = ctx.bucket.list_spilled_jobs(name, MAX_SWEPT).await?;
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
            // It stays where it is, and the following ones continue.
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
