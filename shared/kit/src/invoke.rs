//! Functions that an operator invokes by hand, with AWS credentials: a JSON document in, a JSON document out.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::invocation::{Invocation, Outcome};
use crate::log::panic_text;
use crate::{ConfigError, Env, JobError, process_start};

/// Runs a function that an operator invokes. `build` creates its context once per process. An invalid request is refused with the
/// reason, which the operator reads in the answer.
#[expect(
    clippy::needless_pass_by_value,
    reason = "main hands over a function, and it is never used again"
)]
pub fn serve_invoke<C, I, O, H>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    I: DeserializeOwned,
    O: Serialize,
    H: AsyncFn(I, &C) -> Result<O, JobError>,
{
    let (env, context) = process_start(function, build)?;
    let (env, context, handle) = (&env, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<serde_json::Value>| {
            let invocation = Invocation::begin(env);
            let result = match serde_json::from_value::<I>(event.payload) {
                Ok(request) => {
                    let result = AssertUnwindSafe(handle(request, context)).catch_unwind().await;
                    result.unwrap_or_else(|panic| Err(JobError::new(format!("panicked: {}", panic_text(&*panic)))))
                }
                Err(error) => Err(JobError::new(format!("the request cannot be parsed: {error}"))),
            };
            if let Err(error) = &result {
                tracing::error!(%error, "invocation failed");
            }
            invocation.finish(env, if result.is_ok() { Outcome::Done } else { Outcome::Error });
            let answer = result.map_err(|error| lambda_runtime::Error::from(error.to_string()))?;
            Ok::<_, lambda_runtime::Error>(serde_json::to_value(answer)?)
        });
        lambda_runtime::run(service).await
    })
}
