//! Functions that do operations: long work that users start.
//!
//! ```text
//! event on the bus ─▶ claim ─▶ step ─▶ checkpoint ─▶ step ─▶ checkpoint ─▶ … ─▶ end
//!        ▲                                   │ no time left: an event, for the next invocation
//!        └── due index, if anything died ────┘
//! ```
//!
//! A claim is a lease of a minute, which each checkpoint renews; a step is given up after three quarters of that. So two workers
//! never make steps of one operation at the same time, and a worker that dies delays it by a minute or two. A step may be made
//! twice, by a worker that died before its checkpoint and by the next one: it must be safe to repeat.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::terms::{Claim, Data, Operation, OperationId, OperationState, Progress};
use futures::FutureExt;
use jiff::Timestamp;
use jobs::StartOperation;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use store::{Store, TenantScope, Versioned};
use ulid::Ulid;

use crate::invocation::{Invocation, Outcome};
use crate::log::panic_text;
use crate::schedule::Deadline;
use crate::{Bus, Clock, ConfigError, Env, Ids, JobError, TimeLimit, line, metric, process_start};

/// The next step of an operation, with the right to make it.
#[derive(Debug, Clone)]
pub struct Turn {
    scope: TenantScope,
    operation: Operation,
}

impl Turn {
    /// A step of this operation.
    pub const fn new(scope: TenantScope, operation: Operation) -> Self {
        Self { scope, operation }
    }

    /// Scope of the operation.
    pub const fn scope(&self) -> &TenantScope {
        &self.scope
    }

    /// The operation, as of the last checkpoint.
    pub const fn operation(&self) -> &Operation {
        &self.operation
    }

    /// Parameters.
    ///
    /// # Errors
    /// When they are of another type.
    pub fn params<T: DeserializeOwned>(&self) -> Result<T, JobError> {
        Ok(self.operation.params.read()?)
    }

    /// The cursor of the last checkpoint; `None` before the first.
    ///
    /// # Errors
    /// When it is of another type.
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, JobError> {
        let cursor = self.operation.cursor.as_ref();
        Ok(cursor.map(Data::read).transpose()?)
    }
}

/// Result of a step.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Work is left.
    More {
        /// Position for the next step to continue from.
        cursor: Data,
        progress: Progress,
    },
    /// Work is left, but not before this time.
    Wait {
        /// Position for the next step to continue from.
        cursor: Data,
        progress: Progress,
        /// Time for the due index to start it again, to within a minute.
        until: Timestamp,
    },
    /// Everything is done.
    Done {
        /// Result, as its users see it.
        result: Data,
        progress: Progress,
    },
    /// It can never succeed, whoever tries again, for a reason that its users can change, such as a file that is gone. What was done until
    /// then stays done.
    Failed {
        /// The reason: a sentence for users.
        reason: String,
    },
}

impl Step {
    /// Work is left from this position.
    ///
    /// # Errors
    /// When the position is too large for a checkpoint.
    pub fn from_cursor(cursor: &impl Serialize, progress: Progress) -> Result<Self, JobError> {
        let cursor = Data::of(cursor)?;
        Ok(Self::More { cursor, progress })
    }

    /// Everything is done.
    ///
    /// # Errors
    /// When the result is too large for an operation.
    pub fn from_result(result: &impl Serialize, progress: Progress) -> Result<Self, JobError> {
        let result = Data::of(result)?;
        Ok(Self::Done { result, progress })
    }

    /// It can never succeed, for this reason: a sentence for users.
    pub fn from_failure(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into() }
    }
}

/// Result of an invocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ran {
    /// The operation ended.
    Ended,
    /// Work is left, and the next invocation is started, or the due index starts it at its time.
    Continues,
    /// Nothing was to do: it had ended, is gone, or another worker holds it.
    Nothing,
}

/// State for running operations, created once per process.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    bus: Bus,
    clock: Clock,
    ids: Ids,
    /// No further step is made when less time than this is left.
    enough_time: Duration,
}

impl Runner {
    /// From `TABLE_NAME` and `OPERATIONS_BUS`.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            bus: Bus::new(env)?,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
            enough_time: Duration::from_secs(10),
        })
    }

    /// Makes no further step when less time than this is left: for tests, because their steps may be slow.
    pub fn with_enough_time(self, enough_time: Duration) -> Self {
        Self { enough_time, ..self }
    }
}

/// Time of a function that a step leaves to record its end.
const TO_RECORD: Duration = Duration::from_secs(2);

/// Attempts of a write that loses races. Only a user's wish to cancel and the dispatcher write the row meanwhile.
const ATTEMPTS: u32 = 8;

/// Makes steps of an operation until it ends, somebody cancels it, or the time is up; at least one. An error or panic of a step
/// ends the attempt: the due index starts the next one, later each time.
///
/// Safe to run twice, and twice at the same time: the claim is a write under the condition of the version that was read, and so
/// is every checkpoint.
///
/// # Errors
/// That of the step; when the table or the bus does not answer. The due index starts the operation again.
pub async fn run<C, H>(
    start: &StartOperation,
    deadline: Deadline,
    runner: &Runner,
    context: &C,
    handle: &H,
) -> Result<Ran, JobError>
where
    H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
{
    let work = Work {
        scope: access::job::scope(start.tenant),
        holder: runner.ids.ulid(),
        runner,
    };
    line::tenant(&work.scope);
    line::note("operation", start.operation.to_string());
    let mut held = match work.claim(start.operation).await? {
        Ok(held) if held.value.kind == start.kind => held,
        Ok(_) => return Err(JobError::new("the event names another kind than the operation has")),
        Err(ran) => return Ok(ran),
    };
    line::correlation_id(&held.value.correlation_id);
    loop {
        let turn = Turn::new(work.scope.clone(), held.value.clone());
        // What the function's end would cut off could not be recorded.
        let left = deadline.remaining(runner.clock.now()).saturating_sub(TO_RECORD);
        let limit = TimeLimit::of(Duration::try_from(Operation::STEP).unwrap_or_default().min(left));
        let made = limit.keep(AssertUnwindSafe(handle(turn, context)).catch_unwind()).await;
        let made = match made {
            Ok(Ok(made)) => made,
            Ok(Err(panic)) => Err(JobError::new(format!("panicked: {}", panic_text(&*panic)))),
            Err(up) => Err(up.into()),
        };
        line::count("steps", 1);
        let now = runner.clock.now();
        let in_time = deadline.remaining(now) > runner.enough_time;
        let error = match made {
            Ok(step) => {
                let saved = work.save(held, now, |it| record(it, &step, in_time, now)).await?;
                let Some(saved) = saved else {
                    return Ok(Ran::Nothing);
                };
                if saved.value.state.is_end() {
                    match step {
                        // Nobody but its users can do anything about it.
                        Step::Failed { .. } => line::note("ended", "refused"),
                        Step::More { .. } | Step::Wait { .. } | Step::Done { .. } => count_end(&saved.value),
                    }
                    return Ok(Ran::Ended);
                }
                if let Step::Wait { .. } = step {
                    return Ok(Ran::Continues);
                }
                if in_time {
                    held = saved;
                    continue;
                }
                // If it is lost, the operation is due in a minute and a half.
                runner.bus.start(&[*start]).await?;
                return Ok(Ran::Continues);
            }
            Err(error) => error,
        };
        metric::count("operation_attempt_failed", &[("kind", start.kind.as_str())]);
        // The error of the step says more than one of this write, without which the lease ends by itself.
        if let Err(unsaved) = work.save(held, now, |it| it.retry_later(now)).await {
            tracing::warn!(error = %unsaved, "the end of an attempt is not recorded");
        }
        return Err(error);
    }
}

/// The operation after a step. A wish to cancel it takes effect now, unless everything is done.
fn record(it: &mut Operation, step: &Step, in_time: bool, now: Timestamp) {
    match step {
        Step::More { cursor, progress } => {
            it.advance(cursor.clone(), *progress, now);
            if it.state == OperationState::Cancelling {
                it.end_as_cancelled(now);
            } else if !in_time {
                it.pause(now);
            }
        }
        Step::Wait {
            cursor,
            progress,
            until,
        } => {
            if it.state == OperationState::Cancelling {
                it.end_as_cancelled(now);
            } else {
                it.wait(cursor.clone(), *progress, *until, now);
            }
        }
        Step::Done { result, progress } => {
            it.finish(result.clone(), *progress, now);
        }
        Step::Failed { reason } => {
            it.fail(reason.clone(), now);
        }
    }
}

/// Counts the end of an operation.
fn count_end(operation: &Operation) {
    let state = match operation.state {
        OperationState::Failed => "failed",
        OperationState::Cancelled => "cancelled",
        _ => "done",
    };
    line::note("ended", state);
    if operation.state == OperationState::Failed {
        let kind = operation.kind.as_str();
        tracing::error!(kind, operation = %operation.id, reason = operation.reason.as_deref().unwrap_or_default(), "an operation failed");
        metric::count("operation_failed", &[("kind", kind)]);
    }
}

/// An attempt at an operation.
struct Work<'a> {
    scope: TenantScope,
    holder: Ulid,
    runner: &'a Runner,
}

impl Work<'_> {
    async fn read(&self, id: OperationId, now: Timestamp) -> Result<Option<Versioned<Operation>>, JobError> {
        Ok(self.runner.store.operation(&self.scope, id, now).await?)
    }

    /// Writes the operation. `None` after a lost race.
    async fn write(&self, before: u64, after: Operation) -> Result<Option<Versioned<Operation>>, JobError> {
        let written = self.runner.store.write_operation(&self.scope, before, &after, None);
        match written.await {
            Ok(version) => Ok(Some(Versioned { version, value: after })),
            Err(error) if error.is_conflict() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Begins the attempt; otherwise says why there is nothing to do.
    async fn claim(&self, id: OperationId) -> Result<Result<Versioned<Operation>, Ran>, JobError> {
        for _attempt in 0..ATTEMPTS {
            let now = self.runner.clock.now();
            let Some(Versioned { version, value }) = self.read(id, now).await? else {
                return Ok(Err(Ran::Nothing));
            };
            // The answer to our own write was lost.
            if value.is_held_by(self.holder) {
                return Ok(Ok(Versioned { version, value }));
            }
            let mut after = value;
            let claim = after.claim(self.holder, now);
            if matches!(claim, Claim::Held | Claim::Ended) {
                return Ok(Err(Ran::Nothing));
            }
            let Some(written) = self.write(version, after).await? else {
                continue;
            };
            if claim == Claim::EndedNow {
                count_end(&written.value);
                return Ok(Err(Ran::Ended));
            }
            return Ok(Ok(written));
        }
        Err(JobError::new("claim an operation: every attempt lost a race"))
    }

    /// Changes the operation, as long as this attempt holds it. After a lost race the change is made to what was written
    /// meanwhile. `None` if another attempt holds it, or it has ended.
    async fn save(
        &self,
        held: Versioned<Operation>,
        now: Timestamp,
        change: impl Fn(&mut Operation),
    ) -> Result<Option<Versioned<Operation>>, JobError> {
        let id = held.value.id;
        let mut before = held;
        for _attempt in 0..ATTEMPTS {
            let mut after = before.value;
            change(&mut after);
            if let Some(written) = self.write(before.version, after).await? {
                return Ok(Some(written));
            }
            before = match self.read(id, now).await? {
                Some(found) if found.value.is_held_by(self.holder) => found,
                _ => return Ok(None),
            };
        }
        Err(JobError::new("record a step: every attempt lost a race"))
    }
}

/// An event as EventBridge delivers it. Its other fields say nothing that the detail does not.
#[derive(Debug, Deserialize)]
struct BusEvent {
    detail: StartOperation,
}

/// Runs a function that does operations of one kind, started by events on the bus. `build` creates its context once per process;
/// `handle` makes one step, of a few seconds at most.
#[expect(
    clippy::needless_pass_by_value,
    reason = "main hands over a function, and it is never used again"
)]
pub fn serve_operation<C, H>(
    function: &'static str,
    build: impl FnOnce(&Env) -> Result<C, ConfigError>,
    handle: H,
) -> Result<(), lambda_runtime::Error>
where
    H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
{
    let (env, (runner, context)) = process_start(function, |env| Ok((Runner::new(env)?, build(env)?)))?;
    let (env, runner, context, handle) = (&env, &runner, &context, &handle);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<BusEvent>| {
            let invocation = Invocation::begin(env);
            let deadline = Deadline::of(&event.context, env.clock());
            let ran = run(&event.payload.detail, deadline, runner, context, handle).await;
            if let Err(error) = &ran {
                tracing::error!(%error, "an attempt of an operation failed");
            }
            invocation.finish(env, if ran.is_ok() { Outcome::Done } else { Outcome::Error });
            ran.map(drop)
                .map_err(|error| lambda_runtime::Error::from(error.to_string()))
        });
        lambda_runtime::run(service).await
    })
}
