//! Follows the table's stream: counts each day's calls and messages, and writes the audit log of what people and keys change.
//! Both exactly once.
//!
//! Safe to run twice: a tenant's counts of one day and batch are one write, under the condition that the batch comes after all
//! that was counted; what was counted already is left out. An entry of the audit log has the change's own id in its key, and is
//! only written where there is none.

mod audit;
mod counts;

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use aws_lambda_events::dynamodb::EventRecord;
use domain::{Timestamp, audit::Entry, ids::TenantId};
use kit::{ConfigError, Env, JobError, RawBucket, line, metric, stream::Batch, stream::StreamError};
use store::{
    Store, StoreError, changes,
    counters::{Counted, Counters},
};

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

/// Sequence numbers have up to 40 digits; padded they compare as text.
fn padded(sequence: &str) -> String {
    format!("{sequence:0>40}")
}

/// Works a batch. A record that cannot be read is kept in the bucket and never blocks its shard.
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
    let result = publish(&batch, ctx).await;
    result.map_err(|error| StreamError {
        from_sequence_number: first,
        error,
    })
}

/// What a record says.
struct Said {
    counted: Option<(TenantId, Counters)>,
    audited: Option<(TenantId, Entry)>,
}

async fn publish(batch: &Batch, ctx: &Context) -> Result<(), JobError> {
    let mut days: BTreeMap<(TenantId, String), Vec<Counted>> = BTreeMap::new();
    for record in &batch.records {
        let said = match catch_unwind(AssertUnwindSafe(|| read(record))) {
            Ok(Ok(said)) => said,
            Ok(Err(error)) => {
                // Without its source, which may quote what the row holds.
                spill(record, &error.to_string(), ctx).await?;
                continue;
            }
            Err(_) => {
                spill(record, "reading it panicked", ctx).await?;
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
        let Some((tenant, counters)) = said.counted.filter(|(_, counters)| !counters.is_empty()) else {
            continue;
        };
        let sequence = padded(record.change.sequence_number.as_deref().unwrap_or_default());
        let day = days.entry((tenant, store::day(happened(record)))).or_default();
        day.push(Counted { sequence, counters });
    }
    for ((tenant, day), changes) in days {
        let scope = access::job::scope(tenant);
        let applied = ctx.store.count_day(&scope, &day, &batch.shard, &changes).await?;
        line::count("applied", u64::try_from(applied).unwrap_or_default());
    }
    Ok(())
}

fn read(record: &EventRecord) -> Result<Said, StoreError> {
    Ok(Said {
        counted: counted(record)?,
        audited: audit::entry(record)?,
    })
}

/// Whose counters a change raises. `None` where it is of no counted kind.
fn counted(record: &EventRecord) -> Result<Option<(TenantId, Counters)>, StoreError> {
    let Some(change) = changes::read(&record.change.old_image, &record.change.new_image)? else {
        return Ok(None);
    };
    let mut counters = Counters::new();
    for name in counts::of(&change.what) {
        *counters.entry(name).or_default() += 1;
    }
    Ok(Some((change.tenant, counters)))
}

/// When the table changed, to the second.
fn happened(record: &EventRecord) -> Timestamp {
    Timestamp::from_second(record.change.approximate_creation_date_time.timestamp()).unwrap_or(Timestamp::UNIX_EPOCH)
}

async fn spill(record: &EventRecord, error: &str, ctx: &Context) -> Result<(), JobError> {
    tracing::error!(
        record = record.event_id,
        error,
        "a change that cannot be read is kept in the bucket"
    );
    metric::count("change_unreadable", &[]);
    let bytes = serde_json::to_vec(record)?;
    ctx.bucket.spill_raw("changes", bytes).await?;
    Ok(())
}
