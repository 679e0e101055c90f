//! Functions that a schedule starts.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::tenants::Tenant;
use futures::{FutureExt as _, StreamExt as _, stream};
use jiff::Timestamp;
use store::Store;

use crate::invocation::{Invocation, Outcome};
use crate::log::panic_text;
use crate::{Clock, ConfigError, Env, JobError, process_start};

/// Tenants read per page.
const TENANTS_PAGE: i32 = 100;

/// Tenants that are worked for at the same time.
const TENANTS_AT_ONCE: usize = 16;

/// No further page of tenants is begun when less time than this is left.
const ENOUGH_TIME: Duration = Duration::from_secs(10);

/// Deadline of the invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Timestamp);

impl Deadline {
    /// At this time.
    pub const fn at(time: Timestamp) -> Self {
        Self(time)
    }

    /// Deadline of an invocation.
    pub(crate) fn of(context: &lambda_runtime::Context, clock: &Clock) -> Self {
        let end = i64::try_from(context.deadline).unwrap_or(i64::MAX);
        Self(clock.of_machine(Timestamp::from_millisecond(end).unwrap_or(Timestamp::MAX)))
    }

    /// The time itself.
    pub(crate) const fn time(self) -> Timestamp {
        self.0
    }

    /// Remaining time.
    pub fn remaining(self, now: Timestamp) -> Duration {
        Duration::try_from(self.0.duration_since(now)).unwrap_or_default()
    }
}

/// Runs a function that a schedule starts. `build` creates its context once per process. Numbers are added to the log line by
/// [`crate::line::count`].
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
            let deadline = Deadline::of(&event.context, env.clock());
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

/// Runs the work for every tenant, for several at the same time, page by page while enough time is left. A tenant whose work fails does not
/// block the others.
///
/// # Errors
/// When the table does not answer, or the work for a tenant fails.
pub async fn for_every_tenant<W>(
    store: &Store,
    clock: &Clock,
    deadline: Deadline,
    work: impl Fn(Tenant) -> W,
) -> Result<(), JobError>
where
    W: Future<Output = Result<(), JobError>>,
{
    let (mut after, mut failed) = (None, None);
    loop {
        let page = store.tenants(after, TENANTS_PAGE).await?;
        let works = page.items.into_iter().map(&work);
        let ended: Vec<_> = stream::iter(works).buffer_unordered(TENANTS_AT_ONCE).collect().await;
        failed = ended.into_iter().find_map(Result::err).or(failed);
        after = page.next.and_then(|next| next.parse().ok());
        if after.is_none() {
            return failed.map_or(Ok(()), Err);
        }
        if deadline.remaining(clock.now()) <= ENOUGH_TIME {
            tracing::warn!("not every tenant was reached in time");
            return failed.map_or(Ok(()), Err);
        }
    }
}
