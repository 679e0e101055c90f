//! Follows the table's stream: counts each hour's calls, messages, refusals and counted records, and each template's messages, corrects what
//! messages were expected to cost, writes the audit log of what people and keys change, records what people may have to be told, and lets
//! contacts enter drips. All exactly once.
//!
//! Safe to run twice: the counts of one tenant, hour, line and batch (or template, day and batch) are one write, under the condition that
//! the batch comes after everything counted before; changes that were counted already are left out. An entry of the audit log has the change's
//! own id in its key, and is only written if it does not exist. A notice is only written if it is newer than the known one, and an
//! enrolment if there was none in the day before. What a cap of money was charged too much or too little is corrected after the message's
//! charge is counted, at most once: if this function dies in between, the expected cost stands until the cap's period ends.
//!
//! Batches that Lambda gives up and changes that cannot be read are stored in the bucket. An operator replays them (`cargo
//! stack dlq --redrive changes`), which is equally safe: docs/decisions/0030-changes-worked-again.md.

mod audit;
mod caps;
mod counts;
mod notices;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_lambda_events::dynamodb::EventRecord;
use domain::Timestamp;
use domain::accounts::AuditEntry;
use domain::campaigns::Occasion;
use domain::notices::Notice;
use domain::terms::TenantId;
use jiff::SignedDuration;
use jiff::civil::Date;
use kit::stream::{Batch, StreamError, changed_at};
use kit::{Clock, ConfigError, Env, JobError, RawBucket, line, metric};
use serde_json::json;
use store::money::PriceCache;
use store::reports::{Counted, Counters, Place, Source, TemplateDay, join_counts, may_be_rolled};
use store::table::changes::{self, RowChange};
use store::{Store, StoreError};

/// Minimum retry time of a batch: less than the mapping's `MaximumRecordAgeInSeconds`, which a test checks.
pub const RETRIED_FOR: SignedDuration = SignedDuration::from_hours(11);

/// Retention of what says which changes were counted, beyond that of batches that can be replayed: those are at most a day old when
/// they are given up.
const LONGER: SignedDuration = SignedDuration::from_hours(48);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    bucket: RawBucket,
    clock: Clock,
    /// Retention of the rows of counters.
    kept: SignedDuration,
    /// Maximum age of a call for counting in its hour: all rows of that hour's day are there.
    counted_for: SignedDuration,
    known: notices::Known,
    prices: PriceCache,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            bucket: RawBucket::new(env)?,
            clock: env.clock().clone(),
            kept: replayable(env)? + LONGER,
            counted_for: replayable(env)?,
            known: notices::Known::default(),
            prices: PriceCache::default(),
        })
    }
}

/// Retention of replayable records in the bucket.
fn replayable(env: &Env) -> Result<SignedDuration, ConfigError> {
    const VARIABLE: &str = "RAW_RETENTION_DAYS";
    match env.config().text(VARIABLE)?.parse::<u32>() {
        Ok(days) if days > 0 => Ok(SignedDuration::from_hours(24 * i64::from(days))),
        _ => Err(ConfigError::new(VARIABLE, "must be a whole number of days above zero")),
    }
}

/// Sequence numbers have up to 40 digits. Padded ones can be compared as text.
fn pad_sequence(sequence: &str) -> String {
    format!("{sequence:0>40}")
}

kit::function!(serve_stream, Context::new, handle);

/// Processes a batch. An unreadable record is stored in the bucket and never blocks its shard. In a replayed batch it is an
/// error, since the bucket has it already.
///
/// # Errors
/// When the table or the bucket does not answer: the batch is retried.
pub async fn handle(batch: Batch, ctx: &Context) -> Result<(), StreamError> {
    let Some(first) = batch
        .records
        .first()
        .and_then(|record| record.change.sequence_number.clone())
    else {
        return Ok(());
    };
    let result = publish(&batch, ctx).await;
    result.map_err(|error| StreamError {
        from_sequence_number: first,
        error,
    })
}

/// The parsed content of a record.
struct Said {
    changed: Option<RowChange>,
    audited: Option<(TenantId, AuditEntry)>,
    noticed: Option<(TenantId, Notice)>,
    occasion: Option<(TenantId, Occasion)>,
}

/// Counts of one place: its changes, and the number of unreadable records that preceded the last one.
#[derive(Default)]
struct Counts {
    changes: Vec<Counted>,
    gaps: usize,
    /// Corrections of caps of money, by the position of the change.
    corrections: Vec<(usize, caps::Corrections)>,
}

impl Counts {
    /// Adds a change, which this many unreadable records precede.
    fn add(&mut self, record: &EventRecord, counters: Counters, gaps: usize) {
        self.changes.push(Counted {
            sequence: pad_sequence(record.change.sequence_number.as_deref().unwrap_or_default()),
            counters,
            after_gap: !self.changes.is_empty() && self.gaps < gaps,
        });
        self.gaps = gaps;
    }
}

async fn publish(batch: &Batch, ctx: &Context) -> Result<(), JobError> {
    let mut places: BTreeMap<(TenantId, Place), Counts> = BTreeMap::new();
    let mut templates: BTreeMap<(TenantId, TemplateDay), Counts> = BTreeMap::new();
    let mut unreadable = Vec::new();
    let mut called = notices::Days::new();
    let mut occasions = triggers::Occasions::new();
    for record in &batch.records {
        let said = match catch_unwind(AssertUnwindSafe(|| read(record, &ctx.clock))) {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                // Without its source, which may quote the content of the row.
                unreadable.push((record, error.to_string()));
                continue;
            }
            Err(_) => {
                unreadable.push((record, "reading it panicked".to_owned()));
                continue;
            }
        };
        if let Some((tenant, entry)) = said.audited {
            let scope = access::job::scope(tenant);
            let id = audit::id(record, &batch.shard);
            if ctx.store.record_audit(&scope, &id, &entry).await? {
                line::count("audited", 1);
            }
        }
        if let Some((tenant, notice)) = said.noticed
            && Box::pin(notices::record(tenant, &notice, ctx)).await?
        {
            line::count("noticed", 1);
        }
        if let Some((tenant, occasion)) = said.occasion {
            occasions.entry(tenant).or_default().push(occasion);
        }
        let Some(change) = said.changed else {
            continue;
        };
        let (tenant, at) = (change.tenant, changed_at(record, &ctx.clock));
        if let Some((day, rule)) = notices::call_day(&change) {
            called.entry((tenant, day)).or_default().extend(rule);
        }
        for (of, counters) in counts::of_templates(&change.what) {
            let place = (tenant, TemplateDay::of(of, at));
            templates
                .entry(place)
                .or_default()
                .add(record, counters, unreadable.len());
        }
        let counted = counters_by_place(&change, at, batch.again, ctx);
        let mut corrections = caps::Corrections::default();
        if !counted.is_empty() {
            corrections = Box::pin(caps::corrections(&change.what, ctx)).await?;
        }
        for (place, counters) in counted {
            let counts = places.entry((tenant, place)).or_default();
            // Once, with whichever of its places comes first.
            let corrections = std::mem::take(&mut corrections);
            if !corrections.is_empty() {
                counts.corrections.push((counts.changes.len(), corrections));
            }
            counts.add(record, counters, unreadable.len());
        }
    }
    let now = ctx.clock.now();
    let source = Source {
        shard: &batch.shard,
        oldest: batch
            .records
            .iter()
            .map(|record| changed_at(record, &ctx.clock))
            .min()
            .unwrap_or(Timestamp::UNIX_EPOCH),
        retried_since: now - RETRIED_FOR,
        again: batch.again,
        keep_until: now + ctx.kept,
    };
    let mut late: BTreeMap<TenantId, BTreeSet<Date>> = BTreeMap::new();
    for ((tenant, place), Counts { changes, .. }) in templates {
        let scope = access::job::scope(tenant);
        ctx.store.count_template(&scope, &place, source, &changes).await?;
    }
    for ((tenant, place), counts) in places {
        let scope = access::job::scope(tenant);
        let applied = ctx.store.count(&scope, place, source, &counts.changes).await?;
        line::count("applied", u64::try_from(applied.len()).unwrap_or_default());
        let corrections = counts.corrections.into_iter();
        let corrections = corrections.filter(|(position, _)| applied.contains(position));
        Box::pin(caps::correct(&scope, corrections.map(|(_, these)| these), ctx)).await;
        // Also if nothing was applied: an attempt may have died between the two writes.
        if may_be_rolled(place.day(), now) {
            late.entry(tenant).or_default().insert(place.day());
        }
    }
    for (tenant, days) in late {
        let scope = access::job::scope(tenant);
        ctx.store.roll_up_again(&scope, &days).await?;
    }
    Box::pin(notices::record_days(called, ctx)).await?;
    Box::pin(triggers::enrol(occasions, ctx)).await?;
    if batch.again && !unreadable.is_empty() {
        let (count, (_, error)) = (unreadable.len(), &unreadable[0]);
        return Err(JobError::new(format!(
            "{count} changes still cannot be read, the first: {error}"
        )));
    }
    // The last step: a record that is stored here and then processed after all, because the batch is retried, would count
    // twice.
    for (record, error) in unreadable {
        spill(record, &error, batch, ctx).await?;
    }
    Ok(())
}

/// The counter rows for a change stored at this time.
fn counters_by_place(change: &RowChange, stored: Timestamp, again: bool, ctx: &Context) -> BTreeMap<Place, Counters> {
    let mut placed: BTreeMap<Place, Counters> = BTreeMap::new();
    for (at, counters) in counts::of(&change.what, stored, ctx.counted_for) {
        // The rows of that hour's day may be going: one alone would stand for the day.
        if again && at < stored && ctx.clock.now().duration_since(at) >= ctx.counted_for {
            continue;
        }
        join_counts(placed.entry(Place::of(at, change.what.line())).or_default(), &counters);
    }
    placed
}

fn read(record: &EventRecord, clock: &Clock) -> Result<Said, StoreError> {
    let (before, after) = (&record.change.old_image, &record.change.new_image);
    Ok(Said {
        changed: changes::read(before, after)?,
        audited: audit::entry(record)?,
        noticed: changes::notice_of_change(before, after, changed_at(record, clock))?,
        occasion: changes::occasion(before, after, changed_at(record, clock))?,
    })
}

/// Stores a record as a batch of one, ready for replay.
async fn spill(record: &EventRecord, error: &str, batch: &Batch, ctx: &Context) -> Result<(), JobError> {
    tracing::error!(
        record = record.event_id,
        error,
        "a change that cannot be read is stored in the bucket"
    );
    metric::count("change_unreadable", &[]);
    let bytes = serde_json::to_vec(&json!({ "Records": [record], "shardId": batch.shard }))?;
    ctx.bucket.spill_raw("changes", bytes).await?;
    Ok(())
}
