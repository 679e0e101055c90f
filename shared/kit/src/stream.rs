//! Functions that follow the table's stream.

use aws_lambda_events::{
    dynamodb::{Event, EventRecord},
    streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse},
};

use crate::{ConfigError, Env, JobError, invocation::Invocation, line, metric, process_start};

/// Records from this one on must come again. Those before it are done.
#[derive(Debug)]
pub struct StreamError {
    /// The sequence number of the first record that is not done.
    pub from_sequence_number: String,
    /// Why.
    pub error: JobError,
}

/// Runs a function that follows the table's stream. `build` makes its context once per process. A record that cannot ever
/// be worked is the handler's to spill: an error blocks its shard until the mapping's retries are used up.
///
/// # Errors
/// When the configuration is wrong or Lambda's runtime interface fails.
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
    H: AsyncFn(Vec<EventRecord>, &C) -> Result<(), StreamError>,
{
    let (env, context) = process_start(function, build)?;
    let (env, context, handle) = (&env, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<Event>| {
            let invocation = Invocation::begin(env);
            line::count("records", u64::try_from(event.payload.records.len()).unwrap_or(0));
            let mut response = DynamoDbEventResponse::default();
            if let Err(StreamError {
                from_sequence_number,
                error,
            }) = handle(event.payload.records, context).await
            {
                tracing::error!(from_sequence_number, %error, "stream batch failed");
                metric::count("job_failed", &[("function", env.function())]);
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = Some(from_sequence_number);
                response.batch_item_failures.push(failure);
            }
            let failed = !response.batch_item_failures.is_empty();
            invocation.finish(env, if failed { "failed" } else { "done" });
            Ok::<_, lambda_runtime::Error>(response)
        });
        lambda_runtime::run(service).await
    })
}
