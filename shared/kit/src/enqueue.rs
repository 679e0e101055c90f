//! Queueing jobs. Jobs that a queue refuses go to the raw bucket, if there is one.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use jobs::{JobBody, QueueBody};
use store::TenantScope;

use crate::spill::BucketError;
use crate::{ConfigError, Env, QueueName, RawBucket, Spilled, TimeLimit, line};

/// A job on its way into a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    group: String,
    body: String,
    delay_seconds: i32,
}

/// Maximum delay of a queue.
pub const MAX_DELAY: Duration = Duration::from_secs(900);

impl Entry {
    /// A job.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub fn new<T: QueueBody>(job: &T) -> Result<Self, EnqueueError> {
        let body = serde_json::to_string(job).map_err(|error| EnqueueError::new("write a job as JSON", error))?;
        Ok(Self {
            group: job.group(),
            body,
            delay_seconds: 0,
        })
    }

    /// A job read back from the bucket.
    pub fn from_spilled(job: Spilled) -> Self {
        Self {
            group: job.group,
            body: job.body,
            delay_seconds: job.delay_seconds,
        }
    }

    /// Size of its body.
    pub fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Delays the job by at most [`MAX_DELAY`]. Parts of a second count as one.
    pub fn after(mut self, delay: Duration) -> Self {
        let delay = delay.min(MAX_DELAY);
        let seconds = delay.as_secs() + u64::from(delay.subsec_nanos() > 0);
        self.delay_seconds = i32::try_from(seconds).unwrap_or_default().min(900);
        self
    }
}

/// Neither the queue nor the bucket accepted it.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct EnqueueError {
    doing: &'static str,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl EnqueueError {
    pub(crate) fn new(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self {
            doing,
            source: source.into(),
        }
    }
}

/// Storage for jobs that a queue refuses.
trait Spill: Send + Sync {
    fn keep<'a>(&'a self, queue: QueueName, job: &'a Spilled) -> BoxFuture<'a, Result<(), BucketError>>;
}

impl Spill for RawBucket {
    fn keep<'a>(&'a self, queue: QueueName, job: &'a Spilled) -> BoxFuture<'a, Result<(), BucketError>> {
        Box::pin(self.spill(queue, job))
    }
}

/// A queue for our jobs.
#[derive(Clone)]
pub struct Queue {
    env: Env,
    name: QueueName,
    url: String,
    /// Behind a pointer, so that only functions with a bucket carry S3's client.
    spill: Option<Arc<dyn Spill>>,
}

/// Maximum entries of a request.
const BATCH_ENTRIES: usize = 10;
/// Maximum bytes of a request, well below the former limit of 256 KiB.
const BATCH_BYTES: usize = 250 * 1024;
/// Maximum concurrent requests. A large post of a provider fills hundreds.
const BATCHES_AT_ONCE: usize = 8;

impl Queue {
    /// The queue that its variable names.
    ///
    /// # Errors
    /// When its variable is missing.
    pub fn new(env: &Env, name: QueueName) -> Result<Self, ConfigError> {
        Ok(Self {
            env: env.clone(),
            name,
            url: env.config().text(name.variable())?.to_owned(),
            spill: None,
        })
    }

    /// Its name.
    pub const fn name(&self) -> QueueName {
        self.name
    }

    /// Stores jobs that the queue refuses in this bucket, if it is one of [`QueueName::SWEPT`]: jobs of other queues would never
    /// be queued again. For webhooks only, because a failing job is retried by itself.
    pub fn or_bucket(mut self, bucket: &RawBucket) -> Self {
        if QueueName::SWEPT.contains(&self.name) {
            self.spill = Some(Arc::new(bucket.clone()));
        }
        self
    }

    /// Queues one job.
    ///
    /// # Errors
    /// When it is nowhere safe.
    pub async fn send<T: JobBody>(&self, _scope: &TenantScope, job: &T) -> Result<(), EnqueueError> {
        self.send_all(vec![Entry::new(job)?]).await
    }

    /// Queues jobs in as few requests as possible.
    ///
    /// # Errors
    /// When one of them is nowhere safe; others may be in the queue.
    pub async fn send_all(&self, entries: Vec<Entry>) -> Result<(), EnqueueError> {
        self.send_batches(entries, None).await
    }

    /// As [`send_all`](Self::send_all), but a queue that accepts none of them within this time counts as refusing them.
    pub async fn send_all_or_give_up(&self, entries: Vec<Entry>, limit: TimeLimit) -> Result<(), EnqueueError> {
        self.send_batches(entries, Some(limit)).await
    }

    async fn send_batches(&self, entries: Vec<Entry>, limit: Option<TimeLimit>) -> Result<(), EnqueueError> {
        let sending = batches(entries).into_iter().map(|batch| self.send_batch(batch, limit));
        let sent = stream::iter(sending).buffer_unordered(BATCHES_AT_ONCE);
        sent.fold(Ok(()), async |all, one| all.and(one)).await
    }

    async fn send_batch(&self, batch: Vec<Entry>, limit: Option<TimeLimit>) -> Result<(), EnqueueError> {
        const DOING: &str = "put jobs into their queue";
        let mut request = self.env.sqs().send_message_batch().queue_url(&self.url);
        for (index, entry) in batch.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(index.to_string())
                .message_group_id(&entry.group)
                .message_body(&entry.body)
                .delay_seconds(entry.delay_seconds)
                .build()
                .map_err(|error| EnqueueError::new(DOING, error))?;
            request = request.entries(entry);
        }
        let sent = match limit {
            Some(limit) => limit.keep(request.send()).await,
            None => Ok(request.send().await),
        };
        let (refused, why): (Vec<usize>, EnqueueError) = match sent {
            Ok(Ok(output)) if output.failed.is_empty() => return Ok(()),
            Ok(Ok(output)) => {
                let code = output
                    .failed
                    .first()
                    .map(|entry| entry.code.clone())
                    .unwrap_or_default();
                let indexes = output.failed.iter().filter_map(|entry| entry.id.parse().ok()).collect();
                (
                    indexes,
                    EnqueueError::new(DOING, format!("the queue refused entries: {code}")),
                )
            }
            Ok(Err(error)) => ((0..batch.len()).collect(), EnqueueError::new(DOING, error)),
            Err(error) => ((0..batch.len()).collect(), EnqueueError::new(DOING, error)),
        };
        tracing::warn!(
            queue = self.name.as_str(),
            refused = refused.len(),
            error = crate::log::chain(&why),
            "jobs refused by their queue"
        );
        let Some(bucket) = &self.spill else { return Err(why) };
        for index in refused {
            let Some(entry) = batch.get(index) else { continue };
            let job = Spilled {
                group: entry.group.clone(),
                body: entry.body.clone(),
                delay_seconds: entry.delay_seconds,
            };
            let spilled = bucket.keep(self.name, &job).await;
            spilled.map_err(|error| EnqueueError::new("put jobs into their queue, or spill them", error))?;
            line::count("spilled", 1);
        }
        Ok(())
    }

    /// Approximate number of jobs in the queue, including those being processed.
    pub async fn depth(&self) -> Result<u64, EnqueueError> {
        depth(&self.env, &self.url).await
    }
}

/// Approximate number of messages in a queue, including those being processed and delayed ones.
pub async fn depth(env: &Env, queue_url: &str) -> Result<u64, EnqueueError> {
    let all = [
        QueueAttributeName::ApproximateNumberOfMessages,
        QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        QueueAttributeName::ApproximateNumberOfMessagesDelayed,
    ];
    count(env, queue_url, all).await
}

/// Approximate number of messages that are waiting in a queue.
pub async fn waiting(env: &Env, queue_url: &str) -> Result<u64, EnqueueError> {
    count(env, queue_url, [QueueAttributeName::ApproximateNumberOfMessages]).await
}

async fn count<const N: usize>(env: &Env, queue_url: &str, of: [QueueAttributeName; N]) -> Result<u64, EnqueueError> {
    const DOING: &str = "read a queue's depth";
    let output = env
        .sqs()
        .get_queue_attributes()
        .queue_url(queue_url)
        .set_attribute_names(Some(of.to_vec()))
        .send()
        .await
        .map_err(|error| EnqueueError::new(DOING, error))?;
    let counts = output.attributes.unwrap_or_default();
    let numbers = counts.values().map(|count| count.parse::<u64>());
    numbers
        .sum::<Result<u64, _>>()
        .map_err(|error| EnqueueError::new(DOING, error))
}

fn batches(entries: Vec<Entry>) -> Vec<Vec<Entry>> {
    let mut batches: Vec<Vec<Entry>> = Vec::new();
    let mut bytes = 0;
    for entry in entries {
        let size = entry.body.len();
        match batches.last_mut() {
            Some(batch) if batch.len() < BATCH_ENTRIES && bytes + size <= BATCH_BYTES => {
                bytes += size;
                batch.push(entry);
            }
            _ => {
                bytes = size;
                batches.push(vec![entry]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(bytes: usize) -> Entry {
        Entry {
            group: String::new(),
            body: "x".repeat(bytes),
            delay_seconds: 0,
        }
    }

    #[test]
    fn batches_respect_limits_and_order() {
        let sizes = |entries: Vec<Entry>| batches(entries).iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(sizes(vec![]), Vec::<usize>::new());
        assert_eq!(sizes(vec![entry(1); 23]), [10, 10, 3]);
        assert_eq!(sizes(vec![entry(190_000), entry(100_000), entry(1)]), [1, 2]);
    }

    #[test]
    fn delay_is_rounded_up_and_limited() {
        assert_eq!(entry(1).after(Duration::from_millis(1001)).delay_seconds, 2);
        assert_eq!(entry(1).after(Duration::from_secs(2000)).delay_seconds, 900);
        assert_eq!(entry(1).after(Duration::ZERO).delay_seconds, 0);
    }
}
