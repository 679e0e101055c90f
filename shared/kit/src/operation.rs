//! Functions that do operations: long work that users start.
//!
//! ```text
//! event on the bus ─▶ slots ─▶ claim ─▶ step ─▶ checkpoint ─▶ step ─▶ checkpoint ─▶ … ─▶ end ─▶ slots given back
//!        ▲              │ none free              │ no time left: an event, for the next invocation
//!        └── due index ─┴── or if anything died ─┘
//! ```
//!
//! Slots bound how many run at once ([0110](../../../docs/decisions/0110-slots-of-operations.md)). Work of a tenant that is not active waits,
//! but for what people may demand by law. Neither wait is an attempt.
//!
//! A claim is a lease of a minute, which each checkpoint renews; a step is given up after three quarters of that. So two workers
//! never make steps of one operation at the same time, and a worker that dies delays it by a minute or two. A step may be made
//! twice, by a worker that died before its checkpoint and by the next one: it must be safe to repeat.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use domain::people::is_owed_to_people;
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
use crate::slots::{GivenBack, OperationSlots};
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
    /// No step was made: no slot is free, or its tenant is not active. The due index starts it later.
    Waits,
    /// Nothing was to do: it had ended, is gone, or another worker holds it.
    Nothing,
}

/// State for running operations, created once per process.
#[derive(Clone)]
pub struct Runner {
    store: Store,
    slots: OperationSlots,
    bus: Bus,
    clock: Clock,
    ids: Ids,
    /// No further step is made when less time than this is left.
    enough_time: Duration,
}

impl Runner {
    /// From `TABLE_NAME`, `OPERATIONS_BUS` and `OPERATION_SLOTS`.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        Ok(Self {
            store: env.store()?,
            slots: OperationSlots::new(env)?,
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
    let found = work.read(start.operation, runner.clock.now()).await?;
    let Some(Versioned { value: found, .. }) = found.filter(|found| found.value.is_free(runner.clock.now())) else {
        return Ok(Ran::Nothing);
    };
    if found.kind != start.kind {
        return Err(JobError::new("the event names another kind than the operation has"));
    }
    line::correlation_id(&found.correlation_id);
    if !found.has_steps_left() {
        // The claim ends it.
        let claimed = work.claim(start.operation).await?;
        return Ok(claimed.err().unwrap_or(Ran::Nothing));
    }
    if !work.may_go_on(&found).await? {
        return work.put_off(start.operation, Operation::wait_for_tenant).await;
    }
    let taken = runner.slots.take(&work.scope, &found, work.holder, deadline.time());
    let Some(slots) = taken.await? else {
        return work.put_off(start.operation, Operation::wait_for_slot).await;
    };
    let made = work.make_steps(start.operation, deadline, context, handle).await;
    let goes_on = matches!(made, Ok(Made::OutOfTime));
    let given = runner.slots.give_back(&work.scope, slots, goes_on).await;
    let started = work.start_next(start, goes_on, given).await;
    let made = made?;
    started?;
    Ok(match made {
        Made::OutOfTime => Ran::Continues,
        Made::Ran(ran) => ran,
    })
}

/// Result of the steps of a run.
enum Made {
    /// The time is up, and work is left.
    OutOfTime,
    /// This has become of it.
    Ran(Ran),
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

    /// Claims the operation and makes steps of it, until it ends or the time is up.
    async fn make_steps<C, H>(
        &self,
        id: OperationId,
        deadline: Deadline,
        context: &C,
        handle: &H,
    ) -> Result<Made, JobError>
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        let runner = self.runner;
        let mut held = match self.claim(id).await? {
            Ok(held) => held,
            Err(ran) => return Ok(Made::Ran(ran)),
        };
        let kind = held.value.kind;
        loop {
            let turn = Turn::new(self.scope.clone(), held.value.clone());
            // What the function's end would cut off could not be recorded.
            let left = deadline.remaining(runner.clock.now()).saturating_sub(TO_RECORD);
            let limit = TimeLimit::of(Duration::try_from(Operation::STEP).unwrap_or_default().min(left));
            // Boxed, since those of some functions are large.
            let step = Box::pin(handle(turn, context));
            let made = limit.keep(AssertUnwindSafe(step).catch_unwind()).await;
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
                    let saved = self.save(held, now, |it| record(it, &step, in_time, now)).await?;
                    let Some(saved) = saved else {
                        return Ok(Made::Ran(Ran::Nothing));
                    };
                    if saved.value.state.is_end() {
                        match step {
                            // Nobody but its users can do anything about it.
                            Step::Failed { .. } => line::note("ended", "refused"),
                            Step::More { .. } | Step::Wait { .. } | Step::Done { .. } => count_end(&saved.value),
                        }
                        return Ok(Made::Ran(Ran::Ended));
                    }
                    if let Step::Wait { .. } = step {
                        return Ok(Made::Ran(Ran::Continues));
                    }
                    if !in_time {
                        return Ok(Made::OutOfTime);
                    }
                    if self.may_go_on(&saved.value).await? {
                        held = saved;
                        continue;
                    }
                    self.save(saved, now, |it| it.wait_for_tenant(now)).await?;
                    return Ok(Made::Ran(Ran::Waits));
                }
                Err(error) => error,
            };
            metric::count("operation_attempt_failed", &[("kind", kind.as_str())]);
            // The error of the step says more than one of this write, without which the lease ends by itself.
            if let Err(unsaved) = self.save(held, now, |it| it.retry_later(now)).await {
                tracing::warn!(error = %unsaved, "the end of an attempt is not recorded");
            }
            return Err(error);
        }
    }

    /// Whether it may be worked on: its tenant is active, or people may demand it by law.
    async fn may_go_on(&self, operation: &Operation) -> Result<bool, JobError> {
        if is_owed_to_people(operation) {
            return Ok(true);
        }
        let tenant = self.runner.store.tenant(&self.scope).await?;
        // The deletion of a tenant deletes its operations.
        Ok(tenant.is_none_or(|tenant| tenant.status.is_active()))
    }

    /// Lets the operation wait, unless another attempt works on it or it has ended.
    async fn put_off(&self, id: OperationId, wait: fn(&mut Operation, Timestamp)) -> Result<Ran, JobError> {
        for _attempt in 0..ATTEMPTS {
            let now = self.runner.clock.now();
            let found = self.read(id, now).await?;
            let Some(found) = found.filter(|found| found.value.is_free(now)) else {
                return Ok(Ran::Nothing);
            };
            let mut after = found.value;
            wait(&mut after, now);
            if self.write(found.version, after).await?.is_some() {
                line::note("ended", "waits");
                return Ok(Ran::Waits);
            }
        }
        Err(JobError::new("put off an operation: every attempt lost a race"))
    }

    /// Starts the operation that may have the slot of the tenant now, and this one if it goes on and nobody waits for its slots. Whose event is
    /// lost is due in a minute or two.
    async fn start_next(&self, own: &StartOperation, goes_on: bool, given: GivenBack) -> Result<(), JobError> {
        let next = given.next.map(|next| StartOperation {
            tenant: own.tenant,
            operation: next.operation,
            kind: next.kind,
        });
        let own = (goes_on && !given.is_busy).then_some(*own);
        if let Some(start) = next.or(own) {
            self.runner.bus.start(&[start]).await?;
        }
        Ok(())
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
