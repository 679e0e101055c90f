//! Operations of a tenant: created as the API does, and worked on by the function under test.

use std::time::Duration;

use domain::terms::{Actor, Data, Operation, OperationId, OperationKind, OperationState, Stamp};
use jiff::SignedDuration;
use jobs::StartOperation;
use kit::operation::{Ran, Runner, Step, Turn, run};
use kit::schedule::Deadline;
use kit::{Clock, Ids, JobError};
use serde::Serialize;
use serde::de::DeserializeOwned;
use store::{Store, TenantScope, Versioned};

use crate::Aws;

/// Seconds for exactly one step: more than a step may take, however slow the machine is.
const ONE_STEP: i64 = 50;

/// The operations of a tenant.
pub struct Operations {
    store: Store,
    scope: TenantScope,
    clock: Clock,
    ids: Ids,
    runner: Runner,
}

impl Operations {
    pub fn of(aws: &Aws, scope: &TenantScope) -> Self {
        Self {
            store: aws.store(),
            scope: scope.clone(),
            clock: aws.clock().clone(),
            ids: aws.ids().clone(),
            runner: Runner::new(aws.env())
                .expect("the test's variables are right")
                .with_enough_time(Duration::from_secs(ONE_STEP.unsigned_abs())),
        }
    }

    /// An operation that an operator starts now. It is not stored.
    pub fn new_unstored(&self, kind: OperationKind, params: &impl Serialize) -> Operation {
        let id = OperationId::new(self.ids.ulid());
        let params = Data::of(params).expect("parameters of an operation");
        let now = self.clock.now();
        Operation::new(id, kind, params, Actor::Operator, "cor".to_owned(), now)
    }

    /// The job that starts it.
    pub fn start(&self, operation: &Operation) -> StartOperation {
        StartOperation::of(self.scope.tenant(), operation)
    }

    /// Creates one that an operator starts now. Returns the job that starts it.
    pub async fn create(&self, kind: OperationKind, params: &impl Serialize) -> StartOperation {
        let operation = self.new_unstored(kind, params);
        let stamp = Stamp {
            actor: operation.created_by,
            at: operation.created_at,
            correlation_id: operation.correlation_id.clone(),
        };
        let created = self.store.create_operation(&self.scope, &operation, &stamp).await;
        created.expect("the operation is created");
        self.start(&operation)
    }

    async fn read_operation(&self, start: &StartOperation) -> Versioned<Operation> {
        let found = self.store.operation(&self.scope, start.operation, self.clock.now());
        let found = found.await.expect("the table answers");
        found.expect("the operation is there")
    }

    pub async fn get(&self, start: &StartOperation) -> Operation {
        self.read_operation(start).await.value
    }

    /// A turn for its next step.
    pub async fn turn(&self, start: &StartOperation) -> Turn {
        Turn::new(self.scope.clone(), self.get(start).await)
    }

    /// Cancels it, as a user does while nobody works on it.
    pub async fn cancel(&self, start: &StartOperation) {
        let Versioned { version, mut value } = self.read_operation(start).await;
        assert!(value.cancel(self.clock.now()), "it has ended: {value:?}");
        let written = self.store.write_operation(&self.scope, version, &value, None).await;
        written.expect("nobody else writes it");
    }

    /// Makes steps in one run of this many seconds; at least one.
    pub async fn run<C, H>(&self, start: &StartOperation, seconds: i64, ctx: &C, handle: &H) -> Ran
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        let deadline = Deadline::at(self.clock.now() + SignedDuration::from_secs(seconds));
        let ran = Box::pin(run(start, deadline, &self.runner, ctx, handle)).await;
        ran.expect("the steps are made")
    }

    /// Makes the next step: after it, too little time is left for another.
    pub async fn step<C, H>(&self, start: &StartOperation, ctx: &C, handle: &H) -> Ran
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        self.run(start, ONE_STEP, ctx, handle).await
    }

    /// The next step, made by a worker that dies before it records it.
    pub async fn lost_step<C, H>(&self, start: &StartOperation, ctx: &C, handle: &H) -> Step
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        let made = Box::pin(handle(self.turn(start).await, ctx)).await;
        made.expect("the step is made")
    }

    /// Makes all steps, each of them twice: by a worker that dies before it records it, and by the next one, whose time is up then.
    /// Returns their number.
    pub async fn all_steps_twice<C, H>(&self, start: &StartOperation, ctx: &C, handle: &H) -> usize
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        let mut steps = 0;
        while !self.get(start).await.state.is_end() {
            self.lost_step(start, ctx, handle).await;
            assert_ne!(self.step(start, ctx, handle).await, Ran::Nothing);
            steps += 1;
            assert!(steps < 200, "it makes no progress");
        }
        steps
    }

    /// Makes all steps, each in a run of its own. Returns the operation at its end, and their number.
    pub async fn finish<C, H>(&self, start: &StartOperation, ctx: &C, handle: &H) -> (Operation, usize)
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        for steps in 1..200 {
            if self.step(start, ctx, handle).await == Ran::Ended {
                return (self.get(start).await, steps);
            }
        }
        panic!("it makes no progress");
    }
}

/// The result of an operation that is done.
pub fn result_of<T: DeserializeOwned>(operation: &Operation) -> T {
    assert_eq!(operation.state, OperationState::Done, "{:?}", operation.reason);
    let result = operation.result.as_ref().expect("it has a result");
    result.read().expect("a result of this type")
}
