//! Functions that process a queue.

use std::error::Error;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use access::job;
use aws_lambda_events::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures::{FutureExt, StreamExt, stream};
use jobs::{JobBody, QueueBody};
use store::{LostRace, StoreError, TenantScope};

use crate::invocation::{Invocation, Outcome};
use crate::log::{chain, panic_text};
use crate::{ConfigError, Env, QueueName, line, metric, process_start};

/// A job from one of our queues, with the right to process it.
#[derive(Debug, Clone)]
pub struct Job<T, S = TenantScope> {
    scope: S,
    /// Body of the job.
    pub body: T,
    /// Number of deliveries by the queue, including this one.
    pub receive_count: u32,
    correlation_id: String,
}

/// Scope of a [`Job`] that touches no tenant's data, such as sending an e-mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoScope;

/// Scope of a job, by its body.
pub trait ScopeOf<T> {
    /// The scope that the body requires.
    fn of(body: &T) -> Self;
}

impl<T: JobBody> ScopeOf<T> for TenantScope {
    fn of(body: &T) -> Self {
        job::scope(body.tenant())
    }
}

impl<T: QueueBody> ScopeOf<T> for NoScope {
    fn of(_: &T) -> Self {
        Self
    }
}

impl<T: QueueBody, S: ScopeOf<T>> Job<T, S> {
    /// A job as delivered by the queue.
    pub fn new(body: T, receive_count: u32) -> Self {
        Self {
            scope: S::of(&body),
            correlation_id: body.follows().to_owned(),
            body,
            receive_count,
        }
    }
}

impl<T> Job<T> {
    /// Scope of the job.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }
}

impl<T, S> Job<T, S> {
    /// Correlation id of the request that caused the job.
    pub fn correlation_id(&self) -> &str {
        &self.correlation_id
    }

    /// True if the job was delivered before. Then "already done" must ensure that the next step is queued.
    pub const fn was_delivered_before(&self) -> bool {
        self.receive_count > 1
    }
}

/// A job is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Done {
    /// Done now.
    Now,
    /// Done before, or no longer needed.
    Already,
}

/// The subject of a job no longer exists: its tenant, its contact or itself was deleted. Nothing is left to do. Counted, because
/// it is a bug unless something is being deleted.
pub fn finish_without_subject(what: &'static str) -> Done {
    tracing::info!(what, "the subject of a job no longer exists");
    metric::count("job_gone", &[("what", what)]);
    Done::Already
}

/// A job that failed for now. The queue delivers it again.
#[derive(Debug)]
pub struct JobError {
    source: Box<dyn Error + Send + Sync>,
    again_after: Option<Duration>,
}

impl JobError {
    /// An error in words.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            source: text.into().into(),
            again_after: None,
        }
    }

    /// True if the subject of the job is being deleted, so that nothing is left to do.
    pub fn is_gone(&self) -> bool {
        self.source
            .downcast_ref::<StoreError>()
            .is_some_and(StoreError::is_gone)
    }

    /// True if the table refuses the request as invalid, which it will do every time: a bug, not a temporary failure.
    pub fn is_hopeless(&self) -> bool {
        self.source
            .downcast_ref::<StoreError>()
            .is_some_and(StoreError::is_invalid)
    }

    /// Deliver again after this time instead of the usual back-off.
    pub const fn again_after(mut self, delay: Duration) -> Self {
        self.again_after = Some(delay);
        self
    }
}

impl LostRace for JobError {
    fn is_lost_race(&self) -> bool {
        self.source
            .downcast_ref::<StoreError>()
            .is_some_and(StoreError::is_conflict)
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for JobError {
    fn from(error: E) -> Self {
        Self {
            source: Box::new(error),
            again_after: None,
        }
    }
}

impl std::fmt::Display for JobError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&chain(&*self.source))
    }
}

/// Number of records of a batch that are processed at once.
const CONCURRENCY: usize = 8;

/// A failing record is delivered again after 10 s, then 20, 40, … at most 15 minutes.
fn back_off(receive_count: u32) -> Duration {
    let doubled = 10_u64.saturating_mul(1 << receive_count.saturating_sub(1).min(10));
    Duration::from_secs(doubled.min(900))
}

/// Runs a function that processes a queue. `build` creates its context once per process.
#[expect(
    clippy::needless_pass_by_value,
    reason = "main hands over a function, and it is never used again"
)]
pub fn serve_queue<T, S, C, H>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    T: QueueBody,
    S: ScopeOf<T>,
    H: AsyncFn(Job<T, S>, &C) -> Result<Done, JobError>,
{
    let (env, context) = process_start(function, build)?;
    let (env, context, handle) = (&env, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<SqsEvent>| {
            let invocation = Invocation::begin(env);
            let response = work_batch(env, event.payload, context, handle).await;
            let failed = !response.batch_item_failures.is_empty();
            invocation.finish(env, if failed { Outcome::Failed } else { Outcome::Done });
            Ok::<_, lambda_runtime::Error>(response)
        });
        lambda_runtime::run(service).await
    })
}

/// Processes a batch and returns the records to deliver again. An error or panic of one record does not affect the others.
pub async fn work_batch<T, S, C, H>(env: &Env, event: SqsEvent, context: &C, handle: &H) -> SqsBatchResponse
where
    T: QueueBody,
    S: ScopeOf<T>,
    H: AsyncFn(Job<T, S>, &C) -> Result<Done, JobError>,
{
    let works = in_turns(event.records).into_iter().map(async |turns| {
        let mut failed = Vec::new();
        for (record, body) in turns {
            failed.extend(work_record(env, record, body, context, handle).await);
        }
        failed
    });
    let outcomes: Vec<_> = stream::iter(works).buffer_unordered(CONCURRENCY).collect().await;
    let mut response = SqsBatchResponse::default();
    for failed in outcomes.into_iter().flatten() {
        let mut failure = BatchItemFailure::default();
        failure.item_identifier = failed;
        response.batch_item_failures.push(failure);
    }
    response
}

/// A record with its parsed body.
type Read<T> = (SqsMessage, Result<T, serde_json::Error>);

/// The records of a batch, grouped by those that must run in turn, in their order.
fn in_turns<T: QueueBody>(records: Vec<SqsMessage>) -> Vec<Vec<Read<T>>> {
    let mut all: Vec<(Option<String>, Vec<Read<T>>)> = Vec::with_capacity(records.len());
    for record in records {
        let body = serde_json::from_str::<T>(record.body.as_deref().unwrap_or_default());
        let turn = body
            .as_ref()
            .ok()
            .and_then(|body| body.takes_turns().map(str::to_owned));
        match all.iter_mut().find(|(known, _)| turn.is_some() && *known == turn) {
            Some((_, together)) => together.push((record, body)),
            None => all.push((turn, vec![(record, body)])),
        }
    }
    all.into_iter().map(|(_, together)| together).collect()
}

/// Processes one record. Returns its id if it must be delivered again.
async fn work_record<T, S, C, H>(
    env: &Env,
    record: SqsMessage,
    body: Result<T, serde_json::Error>,
    context: &C,
    handle: &H,
) -> Option<String>
where
    T: QueueBody,
    S: ScopeOf<T>,
    H: AsyncFn(Job<T, S>, &C) -> Result<Done, JobError>,
{
    let attribute = record.attributes.get("ApproximateReceiveCount");
    let receive_count = attribute.and_then(|count| count.parse().ok()).unwrap_or(1);
    let id = record.message_id.clone().unwrap_or_default();
    let body = match body {
        Ok(body) => body,
        Err(error) => {
            // Never dropped: it ends in the dead-letter queue, from which a fixed version can redrive it. The error names
            // the place, not the content.
            tracing::error!(record = id, line = error.line(), column = error.column(), kind = ?error.classify(), "unreadable job");
            metric::count("job_unreadable", &[]);
            line::count("failed", 1);
            hand_out_again(env, &record, back_off(receive_count)).await;
            return Some(id);
        }
    };
    let job = Job::<T, S>::new(body, receive_count);
    let (tenant, correlation_id) = (job.body.owner(), job.correlation_id().to_owned());
    line::owner(tenant);
    line::correlation_id(&correlation_id);
    let tenant = tenant.map(tracing::field::display);
    let error = match AssertUnwindSafe(handle(job, context)).catch_unwind().await {
        Ok(Ok(done)) => {
            line::count(if done == Done::Now { "done" } else { "already" }, 1);
            tracing::debug!(tenant, correlation_id, record = id, outcome = ?done, "record");
            return None;
        }
        Ok(Err(error)) => error,
        Err(panic) => JobError::new(format!("panicked: {}", panic_text(&*panic))),
    };
    tracing::warn!(tenant, correlation_id, record = id, receive_count, %error, "record failed");
    metric::count("job_failed", &[("function", env.function())]);
    line::count("failed", 1);
    if error.is_hopeless() && lay_aside(env, &record).await {
        return None;
    }
    hand_out_again(
        env,
        &record,
        error.again_after.unwrap_or_else(|| back_off(receive_count)),
    )
    .await;
    Some(id)
}

/// Variable with the queue for jobs that can never succeed. Without it, such a record circles until the queue gives it up.
pub const DEAD_LETTERS: &str = "DEAD_LETTERS_URL";

/// Variable with the queue for jobs of [`QueueName::BulkSends`] that can never succeed.
pub const BULK_DEAD_LETTERS: &str = "BULK_DEAD_LETTERS_URL";

/// The dead letters of the queue that handed out the record.
fn dead_letters<'a>(env: &'a Env, record: &SqsMessage) -> Option<&'a str> {
    let name = record
        .event_source_arn
        .as_deref()
        .and_then(|arn| arn.rsplit(':').next());
    let bulk = env.config().optional(QueueName::BulkSends.variable());
    let of_bulk = name.is_some() && name == bulk.and_then(|url| url.rsplit('/').next());
    let variable = if of_bulk { BULK_DEAD_LETTERS } else { DEAD_LETTERS };
    env.config().optional(variable)
}

/// Moves a record to the dead letters at once. Returns false if that is not possible.
async fn lay_aside(env: &Env, record: &SqsMessage) -> bool {
    let Some(url) = dead_letters(env, record) else {
        return false;
    };
    let send = env
        .sqs()
        .send_message()
        .queue_url(url)
        .set_message_group_id(record.attributes.get("MessageGroupId").cloned())
        .set_message_body(record.body.clone());
    match send.send().await {
        Ok(_) => true,
        Err(error) => {
            tracing::warn!(
                error = chain(&error),
                "could not move an impossible record to the dead letters"
            );
            false
        }
    }
}

/// Sets the time of the next delivery. If that fails, the queue's own time-out applies.
async fn hand_out_again(env: &Env, record: &SqsMessage, after: Duration) {
    let Some((url, handle)) = record
        .event_source_arn
        .as_deref()
        .and_then(|arn| queue_url(arn, env.aws_endpoint()))
        .zip(record.receipt_handle.as_deref())
    else {
        return;
    };
    let seconds = i32::try_from(after.as_secs()).unwrap_or(900).min(43_200);
    let change = env
        .sqs()
        .change_message_visibility()
        .queue_url(url)
        .receipt_handle(handle);
    if let Err(error) = change.visibility_timeout(seconds).send().await {
        tracing::warn!(error = chain(&error), "could not delay a failed record");
    }
}

/// A queue's URL by its ARN.
fn queue_url(arn: &str, endpoint: Option<&str>) -> Option<String> {
    let mut parts = arn.split(':').skip(3);
    let (region, account, name) = (parts.next()?, parts.next()?, parts.next()?);
    Some(match endpoint {
        Some(endpoint) => format!("{endpoint}/{account}/{name}"),
        None => format!("https://sqs.{region}.amazonaws.com/{account}/{name}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_record_waits_longer_each_time() {
        let waits: Vec<u64> = [1, 2, 3, 7, 8, 40].map(|count| back_off(count).as_secs()).into();
        assert_eq!(waits, [10, 20, 40, 640, 900, 900]);
    }

    #[test]
    fn queue_url_is_derived_from_the_arn() {
        let arn = "arn:aws:sqs:eu-west-1:123456789012:sends";
        let aws = "https://sqs.eu-west-1.amazonaws.com/123456789012/sends";
        assert_eq!(queue_url(arn, None).as_deref(), Some(aws));
        let local = "http://127.0.0.1:4566/123456789012/sends";
        assert_eq!(queue_url(arn, Some("http://127.0.0.1:4566")).as_deref(), Some(local));
        assert_eq!(queue_url("nonsense", None), None);
    }
}
