//! The raw bucket: signed events that could not be read or queued, stored until somebody or something can process them.

use aws_sdk_s3::primitives::ByteStream;
use serde::{Deserialize, Serialize};

use crate::{ConfigError, Env, Ids, QueueName, metric};

#[derive(Clone)]
pub struct RawBucket {
    client: Env,
    bucket: String,
    ids: Ids,
}

/// A request to the bucket failed.
#[derive(Debug, thiserror::Error)]
#[error("could not {doing}")]
pub struct BucketError {
    doing: &'static str,
    forbidden: bool,
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl BucketError {
    fn new(doing: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            doing,
            forbidden: false,
            source: Box::new(source),
        }
    }
}

/// A job that its queue refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spilled {
    pub group: String,
    pub body: String,
    /// Delay in seconds that the queue should have applied.
    #[serde(default)]
    pub delay_seconds: i32,
}

const SPILL: &str = "spill/";

/// Prefixes of changes of the table that are retried by hand only: those that Lambda gave up, under names that it chooses, and
/// those that [`RawBucket::spill_raw`] stores for `publish_changes`.
const CHANGES: [&str; 2] = ["aws/lambda/", "spill/changes/"];

impl RawBucket {
    /// The bucket that `RAW_BUCKET` names.
    ///
    /// # Errors
    /// When it names none.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            client: env.clone(),
            bucket: env.config().text("RAW_BUCKET")?.to_owned(),
            ids: env.ids().clone(),
        })
    }

    /// Stores bytes for people to look at, under `raw/<reason>/<provider>/<id>`. Returns the object's key.
    ///
    /// # Errors
    /// When the bucket does not take them.
    pub async fn keep_raw(&self, reason: &str, provider: &str, bytes: Vec<u8>) -> Result<String, BucketError> {
        let key = format!("raw/{reason}/{provider}/{}", self.new_name());
        self.put(&key, bytes, "store a raw event").await?;
        Ok(key)
    }

    /// Reads what [`RawBucket::keep_raw`] stored. `None` if it is gone.
    pub async fn read_raw(&self, key: &str) -> Result<Option<Vec<u8>>, BucketError> {
        self.get(key, "read a raw event").await
    }

    /// Stores a job that its queue refused, until `dispatch_due` queues it again.
    ///
    /// # Errors
    /// When the bucket does not take it either.
    pub async fn spill(&self, queue: QueueName, job: &Spilled) -> Result<(), BucketError> {
        const DOING: &str = "spill a job";
        let bytes = serde_json::to_vec(job).map_err(|error| BucketError::new(DOING, error))?;
        let key = format!("{SPILL}{}/{}", queue.as_str(), self.new_name());
        self.put(&key, bytes, DOING).await?;
        metric::count("job_spilled", &[("queue", queue.as_str())]);
        Ok(())
    }

    /// Stores anything that a consumer gives up, under `spill/<what>/…`.
    ///
    /// # Errors
    /// When the bucket does not take it.
    pub async fn spill_raw(&self, what: &str, bytes: Vec<u8>) -> Result<(), BucketError> {
        let key = format!("{SPILL}{what}/{}", self.new_name());
        self.put(&key, bytes, "spill a record").await?;
        metric::count("job_spilled", &[("queue", what)]);
        Ok(())
    }

    /// Keys of at most `most` spilled jobs of one queue, oldest first.
    pub async fn list_spilled_jobs(&self, queue: QueueName, most: u16) -> Result<Vec<String>, BucketError> {
        let listed = self
            .client
            .s3()
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(format!("{SPILL}{}/", queue.as_str()))
            .max_keys(most.into())
            .send()
            .await
            .map_err(|error| BucketError::new("list spilled jobs", error))?;
        let keys = listed.contents.unwrap_or_default().into_iter();
        Ok(keys.filter_map(|object| object.key).collect())
    }

    /// True if there are changes of the table: counters and the audit log lack them until they are processed.
    pub async fn has_changes(&self) -> Result<bool, BucketError> {
        for prefix in CHANGES {
            let list = self.client.s3().list_objects_v2().bucket(&self.bucket);
            let listed = list.prefix(prefix).max_keys(1).send().await;
            let listed = listed.map_err(|error| BucketError::new("list spilled changes", error))?;
            if listed.key_count.unwrap_or_default() > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads a spilled job. `None` if another sweep was faster.
    ///
    /// # Errors
    /// When the bucket does not answer, or the object is not a spilled job.
    pub async fn read_spilled(&self, key: &str) -> Result<Option<Spilled>, BucketError> {
        const DOING: &str = "read a spilled job";
        let bytes = match self.get(key, DOING).await {
            // S3 answers like this for a missing object if the role may not list the bucket.
            Err(error) if error.forbidden => {
                tracing::warn!(
                    error = crate::log::chain(&error),
                    "a spilled job does not exist, or may not be read"
                );
                None
            }
            read => read?,
        };
        let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes);
        bytes
            .map(read)
            .transpose()
            .map_err(|error| BucketError::new(DOING, error))
    }

    /// Deletes a spilled job that has been queued again.
    pub async fn delete_spilled(&self, key: &str) -> Result<(), BucketError> {
        let delete = self.client.s3().delete_object().bucket(&self.bucket).key(key);
        let deleted = delete.send().await;
        deleted
            .map(drop)
            .map_err(|error| BucketError::new("delete a spilled job", error))
    }

    /// Objects are named by ULID, so that listing them is oldest first.
    fn new_name(&self) -> String {
        self.ids.ulid().to_string().to_ascii_lowercase()
    }

    async fn put(&self, key: &str, bytes: Vec<u8>, doing: &'static str) -> Result<(), BucketError> {
        let put = self.client.s3().put_object().bucket(&self.bucket).key(key);
        let done = put.body(ByteStream::from(bytes)).send().await;
        done.map(drop).map_err(|error| BucketError::new(doing, error))
    }

    async fn get(&self, key: &str, doing: &'static str) -> Result<Option<Vec<u8>>, BucketError> {
        let got = match self.client.s3().get_object().bucket(&self.bucket).key(key).send().await {
            Ok(got) => got,
            Err(error) if error.as_service_error().is_some_and(|error| error.is_no_such_key()) => return Ok(None),
            Err(error) => {
                let forbidden = error
                    .raw_response()
                    .is_some_and(|answer| answer.status().as_u16() == 403);
                return Err(BucketError {
                    forbidden,
                    ..BucketError::new(doing, error)
                });
            }
        };
        let bytes = got
            .body
            .collect()
            .await
            .map_err(|error| BucketError::new(doing, error))?;
        Ok(Some(bytes.to_vec()))
    }
}
