//! Functions that process the table's stream.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::DynamoDbBatchItemFailure;
use futures::FutureExt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::invocation::{Invocation, Outcome};
use crate::log::panic_text;
use crate::{Clock, ConfigError, Env, JobError, line, process_start};

/// Records of one shard, in order.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The shard, if the mapping has a window: sequence numbers can be compared within it only.
    pub shard: String,
    pub records: Vec<EventRecord>,
    /// True if the stream has given up these changes and an operator retries them.
    pub again: bool,
}

/// An event of the stream. Plain events do not name their shard, but those of a mapping with a tumbling window do: the template sets one for
/// a function that compares sequence numbers.
#[derive(Debug, Deserialize)]
struct StreamEvent {
    #[serde(rename = "Records", default)]
    records: Vec<EventRecord>,
    #[serde(rename = "shardId", default)]
    shard: Option<String>,
    /// Our own field, set by `cargo stack dlq --redrive changes`.
    #[serde(default)]
    again: bool,
}

/// The shard of events that name none: those of mappings without a window, and the emulator's, whose tables have only one.
const SINGLE_SHARD: &str = "single";

/// An answer within a tumbling window returns its state. We have none.
#[derive(Debug, Serialize)]
struct StreamAnswer {
    state: BTreeMap<String, String>,
    #[serde(rename = "batchItemFailures")]
    failures: Vec<DynamoDbBatchItemFailure>,
}

/// Time of a record's change, to the second.
pub fn changed_at(record: &EventRecord, clock: &Clock) -> Timestamp {
    let at = Timestamp::from_second(record.change.approximate_creation_date_time.timestamp());
    clock.of_machine(at.unwrap_or(Timestamp::UNIX_EPOCH))
}

/// A failure: the records from this one on must be delivered again. Those before it are done.
#[derive(Debug)]
pub struct StreamError {
    /// The sequence number of the first record that is not done.
    pub from_sequence_number: String,
    /// Reason.
    pub error: JobError,
}

/// Runs a function that processes the table's stream. `build` creates its context once per process. The handler must not fail
/// because of a record that can never be processed: an error blocks its shard until the mapping's retries are used up.
#[expect(
    clippy::needless_pass_by_value,
    reason = "main hands over a function, and it is never used again"
)]
pub fn serve_stream<C, H>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    H: AsyncFn(Batch, &C) -> Result<(), StreamError>,
{
    let (env, context) = process_start(function, build)?;
    let (env, context, handle) = (&env, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<StreamEvent>| {
            let invocation = Invocation::begin(env);
            let StreamEvent { records, shard, again } = event.payload;
            line::count("records", u64::try_from(records.len()).unwrap_or(0));
            let batch = Batch {
                shard: shard.unwrap_or_else(|| SINGLE_SHARD.to_owned()),
                records,
                again,
            };
            // A panic cannot tell how far processing came, so all records are delivered again.
            let first = batch
                .records
                .first()
                .and_then(|record| record.change.sequence_number.clone());
            let result = AssertUnwindSafe(handle(batch, context)).catch_unwind().await;
            let result = result.unwrap_or_else(|panic| {
                Err(StreamError {
                    from_sequence_number: first.unwrap_or_default(),
                    error: JobError::new(format!("panicked: {}", panic_text(&*panic))),
                })
            });
            let mut failures = Vec::new();
            if let Err(StreamError {
                from_sequence_number,
                error,
            }) = result
            {
                tracing::error!(from_sequence_number, %error, "stream batch failed");
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = Some(from_sequence_number);
                failures.push(failure);
            }
            invocation.finish(
                env,
                if failures.is_empty() {
                    Outcome::Done
                } else {
                    Outcome::Failed
                },
            );
            Ok::<_, lambda_runtime::Error>(StreamAnswer {
                state: BTreeMap::new(),
                failures,
            })
        });
        lambda_runtime::run(service).await
    })
}
