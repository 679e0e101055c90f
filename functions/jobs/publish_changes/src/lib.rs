//! Follows the table's stream and counts each day's calls and messages, exactly once.
//!
//! Safe to run twice: a tenant's counts of one batch are one conditional write on the stream's sequence number.

mod counts;

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use domain::{Timestamp, ids::TenantId};
use kit::{ConfigError, Env, JobError, RawBucket, line, metric, stream::Batch, stream::StreamError};
use store::{Store, changes, counters::Counters};

/// What the function works with, made once per process.
pub struct Context {
    store: Store,
    bucket: RawBucket,
}

impl Context {
    /// From the function's environment.
    ///
    /// # Errors
    /// When a variable is missing or wrong.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            bucket: RawBucket::new(env)?,
        })
    }
}

/// One tenant's counts of one day, and the last change that they hold.
#[derive(Default)]
struct Day {
    counters: Counters,
    last_sequence: String,
}

/// Sequence numbers have up to 40 digits; padded they compare as text.
fn padded(sequence: &str) -> String {
    format!("{sequence:0>40}")
}

/// Counts a batch. A record that cannot be read is kept in the bucket and never blocks its shard.
///
/// # Errors
/// When the table or the bucket does not answer: the batch comes again.
pub async fn handle(batch: Batch, ctx: &Context) -> Result<(), StreamError> {
    let Some(first) = batch
        .records
        .first()
        .and_then(|record| record.change.sequence_number.clone())
    else {
        return Ok(());
    };
    let result = count(&batch, ctx).await;
    result.map_err(|error| StreamError {
        from_sequence_number: first,
        error,
    })
}

async fn count(batch: &Batch, ctx: &Context) -> Result<(), JobError> {
    let mut days: BTreeMap<(TenantId, String), Day> = BTreeMap::new();
    for record in &batch.records {
        let change = match changes::read(&record.change.old_image, &record.change.new_image) {
            Ok(Some(change)) => change,
            Ok(None) => continue,
            Err(error) => {
                spill(record, &error, ctx).await?;
                continue;
            }
        };
        let counted = counts::of(&change.what);
        if counted.is_empty() {
            continue;
        }
        let day = days.entry((change.tenant, store::day(happened(record)))).or_default();
        for name in counted {
            *day.counters.entry(name).or_default() += 1;
        }
        let sequence = padded(record.change.sequence_number.as_deref().unwrap_or_default());
        day.last_sequence = std::mem::take(&mut day.last_sequence).max(sequence);
    }
    for ((tenant, name), day) in days {
        let scope = access::job::scope(tenant);
        let applied = ctx
            .store
            .count_day(&scope, &name, &batch.shard, &day.last_sequence, &day.counters)
            .await?;
        line::count(if applied { "applied" } else { "already" }, 1);
    }
    Ok(())
}

/// When the table changed, to the second.
fn happened(record: &EventRecord) -> Timestamp {
    Timestamp::from_second(record.change.approximate_creation_date_time.timestamp()).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn spill(record: &EventRecord, error: &store::StoreError, ctx: &Context) -> Result<(), JobError> {
    tracing::error!(
        record = record.event_id,
        error = %error,
        "a change that cannot be read is kept in the bucket"
    );
    metric::count("change_unreadable", &[]);
    let bytes = serde_json::to_vec(record)?;
    ctx.bucket.spill_raw("changes", bytes).await?;
    Ok(())
}
