//! Every minute: queues due rows (again) or starts their operations (again), and sweeps spilled jobs back into their queues.
//!
//! Now and then, checks whether the bucket holds changes of the table that an operator has to replay.
//!
//! Answers go first. Messages to many are queued as far as they are sent soon ([`BulkAhead`]).
//!
//! Safe to run twice, and twice at the same time: a due row is leased by moving its time under the condition that it is
//! unchanged, and a surplus job in a queue is dropped by its worker.

mod bulk;

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use domain::Timestamp;
use domain::tenants::BulkAhead;
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

use crate::bulk::BulkRun;

/// Maximum rows of the lane `answers` that one run queues; the next run, a minute later, continues. Below the two-minute rate of a single
/// number (80/s), so that no number's queue grows faster than it can send.
const MOST_ANSWERS: usize = 4_000;

/// Due rows of one shard read per page.
const PAGE: i32 = 100;

/// Rows of one shard among which the tenants take turns, as a multiple of those that are queued. More are not looked at: each page costs.
const IN_REACH: usize = 8;

/// Pages of one shard that one run reads without queueing any of their rows: those that stay in place, such as rows of unknown kinds.
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

/// As [`ENOUGH_TIME`], for a turn of all partitions of bulk: what is leased and not queued waits for the end of its lease.
const ENOUGH_FOR_BULK: Duration = Duration::from_secs(6);

/// Maximum lease, so that every row is looked at at least this often.
const MAX_LEASE: SignedDuration = SignedDuration::from_hours(1);

/// Interval of a process's looks for changes in the bucket: a listing costs, and no operator reacts within a minute.
const LOOK_EVERY: SignedDuration = SignedDuration::from_mins(15);

/// The queues of what can be due.
const QUEUES: [QueueName; 6] = [
    QueueName::Sends,
    QueueName::BulkSends,
    QueueName::Calls,
    QueueName::Media,
    QueueName::WebhookDeliveries,
    QueueName::CommerceEvents,
];

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    queues: Queues,
    calls: Queue,
    provider_events: Queue,
    commerce_events: Queue,
    bucket: RawBucket,
    timers: Timers,
    clock: Clock,
    looked: Mutex<Option<Timestamp>>,
    /// Partitions that the last run did not read to the end, although it queued fewer rows than it may, and where the next one continues.
    unread: Mutex<HashMap<Partition, Next>>,
    bulk_sends: Queue,
    ahead: Mutex<BulkAhead>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let timers = env.config().timers()?;
        let ahead = BulkAhead::new(env.config().bulk_workers()?, timers.first_due_in(Lane::Bulk));
        Ok(Self {
            store: env.store()?,
            queues: Queues::new(env, &QUEUES)?.with_bus(Bus::new(env)?),
            calls: Queue::new(env, QueueName::Calls)?,
            provider_events: Queue::new(env, QueueName::ProviderEvents)?,
            commerce_events: Queue::new(env, QueueName::CommerceEvents)?,
            bucket: RawBucket::new(env)?,
            bulk_sends: Queue::new(env, QueueName::BulkSends)?,
            ahead: Mutex::new(ahead),
            timers,
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
        (QueueName::CommerceEvents, &ctx.commerce_events),
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
    failed = dispatch_answers(deadline, ctx).await.err().or(failed);
    failed = dispatch_bulk(deadline, ctx).await.err().or(failed);
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

/// The partitions of a lane, each minute with another one first, in case the time is short.
fn partitions(lane: Lane, now: Timestamp) -> Vec<Partition> {
    let mut partitions: Vec<Partition> = Partition::of(lane).collect();
    let minute = now.as_second().div_euclid(60);
    partitions.rotate_left(usize::try_from(minute).unwrap_or_default() % Partition::OF_LANE);
    partitions
}

/// Dispatches what answers people, as far as the time allows.
async fn dispatch_answers(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    let most = MOST_ANSWERS / Partition::OF_LANE;
    let partitions = partitions(Lane::Answers, ctx.clock.now()).into_iter();
    let dispatched = partitions.map(async |partition| {
        let mut reading = Reading::new(partition, deadline, ctx);
        let mut seen = 0;
        while seen < most && reading.goes_on() {
            seen += reading.dispatch(most, most - seen, None).await;
        }
        reading.finish(seen < most)
    });
    let ended: Vec<_> = stream::iter(dispatched)
        .buffer_unordered(SHARDS_AT_ONCE)
        .collect()
        .await;
    ended.into_iter().find_map(Result::err).map_or(Ok(()), Err)
}

/// Dispatches messages to many until the time is up, or enough are queued, and what else is due: a hundred of each partition, and then the next
/// ones, so that none is left out when the time ends.
async fn dispatch_bulk(deadline: Deadline, ctx: &Context) -> Result<(), JobError> {
    if deadline.remaining(ctx.clock.now()) <= ENOUGH_FOR_BULK {
        return Ok(());
    }
    let counted = ctx.bulk_sends.depth().await;
    let run = &BulkRun::new(&ctx.ahead, counted.as_ref().ok().copied(), ctx.clock.now());
    let partitions = partitions(Lane::Bulk, ctx.clock.now()).into_iter();
    let mut readings: Vec<_> = partitions
        .map(|partition| Reading::new(partition, deadline, ctx))
        .collect();
    while readings.iter().any(Reading::goes_on) {
        let turns = readings
            .iter_mut()
            .map(async |reading| reading.dispatch(AT_ONCE, AT_ONCE, Some(run)).await);
        stream::iter(turns)
            .buffer_unordered(SHARDS_AT_ONCE)
            .collect::<Vec<_>>()
            .await;
    }
    let has_room = run.has_room();
    let ended = readings.into_iter().map(|reading| reading.finish(has_room));
    let counted = counted.map_or_else(|error| Err(error.into()), |_| Ok(()));
    ended.fold(counted, Result::and)
}

/// A partition in one run.
struct Reading<'a> {
    ctx: &'a Context,
    partition: Partition,
    deadline: Deadline,
    begun_at: Option<Next>,
    /// Cursor of the next page. `None`: at the beginning, or at the end if that was read.
    from: Option<Next>,
    is_read: bool,
    /// Pages since a row was queued.
    pages: usize,
    /// Rows that are read and not dispatched.
    due: Vec<Due>,
    failed: Option<JobError>,
    /// Whether rows could not be dispatched: the next run begins where this one did.
    is_given_up: bool,
}

impl<'a> Reading<'a> {
    fn new(partition: Partition, deadline: Deadline, ctx: &'a Context) -> Self {
        let begun_at = unread(ctx).remove(&partition);
        Self {
            ctx,
            partition,
            deadline,
            from: begun_at.clone(),
            begun_at,
            is_read: false,
            pages: 0,
            due: Vec::new(),
            failed: None,
            is_given_up: false,
        }
    }

    fn remaining(&self) -> Duration {
        self.deadline.remaining(self.ctx.clock.now())
    }

    /// The time that has to be left to begin something.
    const fn time_to_begin(&self) -> Duration {
        match self.partition.lane() {
            Lane::Bulk => ENOUGH_FOR_BULK,
            Lane::Answers => ENOUGH_TIME,
        }
    }

    fn may_read(&self) -> bool {
        !self.is_read && self.pages < MAX_PAGES && self.failed.is_none()
    }

    /// Whether there is time, and something to dispatch or to read.
    fn goes_on(&self) -> bool {
        !self.is_given_up && self.remaining() > self.time_to_begin() && (!self.due.is_empty() || self.may_read())
    }

    /// Reads until there are so many rows.
    async fn read(&mut self, most: usize, bulk: Option<&BulkRun<'_>>) {
        // Enough is left for what is read.
        let reading_until = (self.remaining() / 2).max(self.time_to_begin());
        let takes = |due: &Due| bulk.is_none_or(|run| run.takes(due));
        self.due.retain(takes);
        let (store, clock) = (&self.ctx.store, &self.ctx.clock);
        while self.due.len() < most && self.may_read() && self.remaining() > reading_until {
            match store
                .due_page(self.partition, clock.now(), self.from.clone(), PAGE)
                .await
            {
                Ok(page) => {
                    if page.unknown > 0 {
                        unknown(page.unknown);
                    }
                    self.due.extend(page.due.into_iter().filter(takes));
                    self.from = page.next;
                    self.is_read = self.from.is_none();
                    self.pages += 1;
                }
                // Rows that were read are queued.
                Err(error) => self.failed = Some(error.into()),
            }
        }
    }

    /// Dispatches the next rows, at most so many, among which the tenants take turns. `reach`: those that a run may dispatch. Returns the
    /// number of rows of known kinds.
    async fn dispatch(&mut self, reach: usize, most: usize, bulk: Option<&BulkRun<'_>>) -> usize {
        if !self.goes_on() {
            return 0;
        }
        self.read(reach * IN_REACH, bulk).await;
        let mut due = in_turn(std::mem::take(&mut self.due), Due::tenant);
        self.due = due.split_off(due.len().min(AT_ONCE));
        match Box::pin(dispatch(due, self.partition.lane(), most, bulk, self.ctx)).await {
            Ok(Dispatched { known, queued }) => {
                line::count("dispatched", queued);
                if queued > 0 {
                    self.pages = 0;
                }
                known
            }
            Err(error) => {
                self.failed = Some(error);
                self.is_given_up = true;
                0
            }
        }
    }

    /// Remembers where the next run continues, if this one might have dispatched more.
    fn finish(self, has_room: bool) -> Result<(), JobError> {
        let next = if self.is_given_up {
            self.begun_at
        } else {
            self.from.filter(|_| has_room && self.due.is_empty())
        };
        unread(self.ctx).extend(next.map(|next| (self.partition, next)));
        self.failed.map_or(Ok(()), Err)
    }
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

/// Leases and queues these rows, at most so many of them.
async fn dispatch(
    due: Vec<Due>,
    lane: Lane,
    most: usize,
    bulk: Option<&BulkRun<'_>>,
    ctx: &Context,
) -> Result<Dispatched, JobError> {
    if due.is_empty() {
        return Ok(Dispatched::default());
    }
    let now = ctx.clock.now();
    let (mut rows, mut known) = (ctx.store.due_rows(due).await?, 0);
    rows.retain(|(_, row)| {
        // Rows of unknown kinds use no budget, so they block nobody.
        let counts = !matches!(row, Ok(None));
        let is_over = counts && known == most;
        known += usize::from(counts && !is_over);
        !is_over
    });
    if let Some(run) = bulk {
        let numbers = rows.iter().filter_map(|(due, row)| {
            let number = row.as_ref().ok()?.as_ref()?.number?;
            Some((number, access::job::scope(due.tenant())))
        });
        run.read_rates(&ctx.store, numbers.collect(), now).await?;
    }
    let leased = rows
        .into_iter()
        .map(|(due, row)| lease_row(due, row, lane, bulk, now, ctx));
    // In their order, which is that of their places.
    let leased: Vec<Result<Option<ToQueue>, JobError>> = stream::iter(leased).buffered(LEASES_AT_ONCE).collect().await;
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
    bulk: Option<&BulkRun<'_>>,
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
    let Some(at) = bulk.map_or(Some(now), |run| run.place(&due, &row, now)) else {
        return Ok(None);
    };
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
