//! # How changes are told to those who follow them
//!
//! Follows the table's stream at once. For every change that people or software can follow, it keeps an event: the ids of what changed, never
//! the words.
//!
//! 1. **Event.** Each record of a batch becomes at most one event. The batch costs one read, of a read unit per tenant for its followers and one
//!    for its endpoints, and one write for each tenant that has followers. `GET /live/events` reads them by cursor.
//! 2. **Sockets** ([`fan_out`]). Open sockets are told at once, in frames of at most 30 KB.
//! 3. **Endpoints of webhooks** ([`endpoints`]). Each gets a job with those of the batch's events that it wants. `deliver_webhook` sends them.
//! 4. **Devices** ([`notify`]). People's devices are told of mentions, missed calls and notices at once, and of customers' messages a little
//!    later, since somebody may read them meanwhile. `send_push` sends what is queued here.
//!
//! Safe to run twice: an event that is published again has the same id, so clients recognize it.
//!
//! A batch that fails is repeated for hours and published late. Events say only what to read, so nothing but time is lost. After that it is
//! stored in the raw bucket, and `cargo stack dlq --redrive events` publishes it. A row that only a newer version can read is repeated, too,
//! since a deployment may be under way. Others that cannot be read are logged and counted, and have no event.

mod endpoints;
mod fan_out;
mod notify;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use aws_lambda_events::dynamodb::EventRecord;
use domain::Timestamp;
use domain::live::{Event, Meaning, Told};
use domain::terms::{EventId, TenantId, derive_id};
use jiff::SignedDuration;
use jobs::PushJob;
use kit::stream::{Batch, StreamError, changed_at};
use kit::{Clock, ConfigError, Env, JobError, Queue, QueueName, Sockets, line, metric};
use store::live::{AtOnce, Followed, MAX_TOGETHER, ends_rights, event_meaning, told_at_once};
use store::{Store, StoreError, TenantScope};

use crate::fan_out::Unreached;

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    clock: Clock,
    sockets: Sockets,
    unreached: Unreached,
    pushes: Queue,
    deliveries: Queue,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            clock: env.clock().clone(),
            sockets: Sockets::of(env, "CONNECTIONS_URL")?,
            unreached: Unreached::default(),
            pushes: Queue::new(env, QueueName::Pushes)?,
            deliveries: Queue::new(env, QueueName::WebhookDeliveries)?,
        })
    }
}

/// Maximum duration of a deployment. After it, every instance reads what the newest one writes.
const DEPLOYED_WITHIN: SignedDuration = SignedDuration::from_mins(10);

kit::function!(serve_stream, Context::new, handle);

/// Publishes the events of a batch.
///
/// # Errors
/// When the table does not answer, or only a newer version can read a change: from there on the batch is retried.
pub async fn handle(batch: Batch, ctx: &Context) -> Result<(), StreamError> {
    let again = |place: usize, error: JobError| StreamError {
        from_sequence_number: number(&batch.records[place]).to_owned(),
        error,
    };
    let mut of_tenants: BTreeMap<TenantId, Vec<Told>> = BTreeMap::new();
    // Sockets of those whose rights ended are closed, whatever is before it in the batch.
    for EventRecord { change, .. } in &batch.records {
        if let Some(tenant) = ends_rights(&change.old_image, &change.new_image) {
            of_tenants.entry(tenant).or_default();
        }
    }
    let (mut jobs, mut newer) = (Vec::new(), None);
    for (place, record) in batch.records.iter().enumerate() {
        let at = changed_at(record, &ctx.clock);
        match catch_unwind(AssertUnwindSafe(|| read(record, at))) {
            Ok(Ok((meaning, told))) => {
                jobs.extend(told.and_then(|told| notify::at_once(told, id(record, at), at)));
                if let Some((tenant, meaning)) = meaning {
                    let events = of_tenants.entry(tenant).or_default();
                    Told::new(id(record, at), at, meaning).join(events);
                }
            }
            Ok(Err(error @ StoreError::NewerForm { .. })) if ctx.clock.now().duration_since(at) < DEPLOYED_WITHIN => {
                newer = Some((place, error));
                break;
            }
            // Without its source, which may quote the content of the row.
            Ok(Err(error)) => unreadable(record, &error.to_string()),
            Err(_) => unreadable(record, "reading it panicked"),
        }
    }
    publish(of_tenants, jobs, ctx).await.map_err(|error| again(0, error))?;
    newer.map_or(Ok(()), |(place, error)| Err(again(place, JobError::from(error))))
}

/// Publishes events. `jobs`: for what devices are told of besides.
async fn publish(
    mut of_tenants: BTreeMap<TenantId, Vec<Told>>,
    mut jobs: Vec<PushJob>,
    ctx: &Context,
) -> Result<(), JobError> {
    jobs.extend(notify::jobs(&of_tenants));
    if of_tenants.is_empty() {
        notify::queue(jobs, ctx).await;
        return Ok(());
    }
    let scopes: Vec<TenantScope> = of_tenants.keys().map(|tenant| access::job::scope(*tenant)).collect();
    let followed = ctx.store.read_followers(scopes.iter(), ctx.clock.now()).await?;
    let (mut published, mut deliveries) = (Vec::new(), Vec::new());
    for Followed {
        scope,
        is_kept,
        endpoints,
    } in followed
    {
        let told = of_tenants.remove(&scope.tenant()).unwrap_or_default();
        match &endpoints {
            Some(endpoints) => deliveries.extend(endpoints::jobs(scope.tenant(), endpoints, &told)),
            None => {
                tracing::error!(tenant = %scope.tenant(), "endpoints of webhooks cannot be read, and get no events");
                metric::count("event_unreadable", &[]);
            }
        }
        if !is_kept {
            continue;
        }
        if told.is_empty() {
            published.push((scope, ctx.clock.now(), Vec::new()));
        }
        for together in told.chunks(MAX_TOGETHER) {
            let events: Vec<Event> = together.iter().map(|told| told.event.clone()).collect();
            let at = ctx.clock.now();
            ctx.store.publish(scope, &events, at).await?;
            published.push((scope, at, together.to_vec()));
        }
        line::count("published", u64::try_from(told.len()).unwrap_or_default());
    }
    // None of them waits for another, and what one of them fails at keeps nothing from the others.
    let told = fan_out::tell(&published, ctx);
    let (told, queued) = futures::join!(told, endpoints::queue(deliveries, ctx));
    notify::queue(jobs, ctx).await;
    told?;
    queued
}

/// Meaning of a change for those who follow the tenant, and for those who have no page open.
type Read = (Option<(TenantId, Meaning)>, Option<AtOnce>);

fn read(record: &EventRecord, at: Timestamp) -> Result<Read, StoreError> {
    let (before, after) = (&record.change.old_image, &record.change.new_image);
    Ok((event_meaning(before, after)?, told_at_once(before, after, at)?))
}

fn unreadable(record: &EventRecord, error: &str) {
    tracing::error!(
        record = record.event_id,
        error,
        "a change without an event cannot be read"
    );
    metric::count("event_unreadable", &[]);
}

/// Its number in the stream.
fn number(record: &EventRecord) -> &str {
    record.change.sequence_number.as_deref().unwrap_or_default()
}

/// The id of a change's event: of its row, and its number in the stream, which every delivery repeats.
fn id(record: &EventRecord, at: Timestamp) -> EventId {
    let part = |name: &str| match record.change.keys.get(name) {
        Some(serde_dynamo::AttributeValue::S(text)) => text.clone(),
        _ => String::new(),
    };
    let key = format!("{}\n{}\n{}", part("pk"), part("sk"), number(record));
    let millisecond = u64::try_from(at.as_millisecond()).unwrap_or_default();
    EventId::new(derive_id(millisecond, key.as_bytes()))
}
