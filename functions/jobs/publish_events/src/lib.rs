//! Follows the table's stream at once, and keeps events of what changes for those who follow a tenant: the ids, never the words. A batch
//! costs one read, and one write for each tenant that has viewers.
//!
//! Safe to run twice: an event that is published again has the same id, by which clients know it.
//!
//! A change that cannot be read means nothing here; `publish_changes`, which follows the same stream, stores what it cannot read. A batch
//! that fails is repeated for hours, and published late: events say only what to read, so nothing but time is lost.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
};

use aws_lambda_events::dynamodb::EventRecord;
use domain::{
    Timestamp,
    base::ids::{EventId, TenantId, derived},
    live::event::{Event, Meaning},
};
use kit::{
    Clock, ConfigError, Env, JobError, line, metric,
    stream::{Batch, StreamError},
};
use store::{
    Store, StoreError, TenantScope,
    live::{events, published::MAX_TOGETHER},
};

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: Store::new(env.dynamodb(), env.config().text("TABLE_NAME")?),
            clock: env.clock().clone(),
        })
    }
}

/// Publishes the events of a batch.
///
/// # Errors
/// When the table does not answer: the batch is retried.
pub async fn handle(batch: Batch, ctx: &Context) -> Result<(), StreamError> {
    let first = batch.records.first();
    let first = first.and_then(|record| record.change.sequence_number.clone());
    publish(&batch.records, ctx).await.map_err(|error| StreamError {
        from_sequence_number: first.unwrap_or_default(),
        error: JobError::from(error),
    })
}

async fn publish(records: &[EventRecord], ctx: &Context) -> Result<(), StoreError> {
    let mut of_tenants: BTreeMap<TenantId, Vec<Event>> = BTreeMap::new();
    for record in records {
        let meaning = match catch_unwind(AssertUnwindSafe(|| read(record))) {
            Ok(Ok(meaning)) => meaning,
            Ok(Err(error)) => {
                // Without its source, which may quote the content of the row.
                unreadable(record, &error.to_string());
                continue;
            }
            Err(_) => {
                unreadable(record, "reading it panicked");
                continue;
            }
        };
        if let Some((tenant, meaning)) = meaning {
            let at = happened(record, &ctx.clock);
            let event = Event::new(id(record, at), at, meaning);
            of_tenants.entry(tenant).or_default().push(event);
        }
    }
    if of_tenants.is_empty() {
        return Ok(());
    }
    let scopes: Vec<TenantScope> = of_tenants.keys().map(|tenant| access::job::scope(*tenant)).collect();
    let viewed = ctx.store.viewed(scopes.iter(), ctx.clock.now()).await?;
    for scope in viewed {
        let events = of_tenants.remove(&scope.tenant()).unwrap_or_default();
        for together in events.chunks(MAX_TOGETHER) {
            ctx.store.publish(scope, together, ctx.clock.now()).await?;
        }
        line::count("published", u64::try_from(events.len()).unwrap_or_default());
    }
    Ok(())
}

fn read(record: &EventRecord) -> Result<Option<(TenantId, Meaning)>, StoreError> {
    events::meaning(&record.change.old_image, &record.change.new_image)
}

fn unreadable(record: &EventRecord, error: &str) {
    tracing::error!(
        record = record.event_id,
        error,
        "a change without an event cannot be read"
    );
    metric::count("event_unreadable", &[]);
}

/// Time of the change, to the second.
fn happened(record: &EventRecord, clock: &Clock) -> Timestamp {
    let at = Timestamp::from_second(record.change.approximate_creation_date_time.timestamp());
    clock.of_machine(at.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// The id of a change's event: of its row, and its number in the stream, which every delivery repeats.
fn id(record: &EventRecord, at: Timestamp) -> EventId {
    let part = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    let number = record.change.sequence_number.as_deref().unwrap_or_default();
    let key = format!("{}\n{}\n{number}", part("pk"), part("sk"));
    let millisecond = u64::try_from(at.as_millisecond()).unwrap_or_default();
    EventId::new(derived(millisecond, key.as_bytes()))
}
