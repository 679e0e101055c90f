//! Functions that a schedule starts.

use std::{panic::AssertUnwindSafe, time::Duration};

use futures::FutureExt;
use jiff::Timestamp;

use crate::{
    ConfigError, Env, JobError,
    invocation::{Invocation, Outcome},
    log::panic_text,
    process_start,
};

/// Deadline of the invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// At this time.
    #[must_use]
    pub const fn at(time: Timestamp) -> Self {
        Self(time)
    }

    /// Remaining time.
    #[must_use]
    pub fn remaining(self, now: Timestamp) -> Duration {
        Duration::try_from(self.0.duration_since(now)).unwrap_or_default()
    }
}

/// Runs a function that a schedule starts. `build` creates its context once per process. Numbers are added to the log line by
/// [`crate::line::count`].
///
/// # Errors
/// When the configuration is wrong or Lambda's runtime interface fails.
#[expect(
    clippy::needless_pass_by_value,
    reason = "main hands over a function, and it is never used again"
)]
pub fn serve_schedule<C, H>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    H: AsyncFn(Deadline, &C) -> Result<(), JobError>,
{
    let (env, context) = process_start(function, build)?;
    let (env, context, handle) = (&env, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<serde_json::Value>| {
            let invocation = Invocation::begin(env);
            let end = i64::try_from(event.context.deadline).unwrap_or(i64::MAX);
            let deadline = Deadline(Timestamp::from_millisecond(end).unwrap_or(Timestamp::MAX));
            let result = AssertUnwindSafe(handle(deadline, context)).catch_unwind().await;
            let result =
                result.unwrap_or_else(|panic| Err(JobError::new(format!("panicked: {}", panic_text(&*panic)))));
            if let Err(error) = &result {
                tracing::error!(%error, "schedule failed");
            }
            invocation.finish(env, if result.is_ok() { Outcome::Done } else { Outcome::Error });
            result.map_err(|error| lambda_runtime::Error::from(error.to_string()))
        });
        lambda_runtime::run(service).await
    })
}
