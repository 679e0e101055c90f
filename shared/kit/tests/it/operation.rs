//! Operations, against the emulator.

use std::sync::atomic::{AtomicU64, Ordering};

use domain::terms::{Actor, Data, Operation, OperationId, OperationKind, OperationState, Progress, TenantId};
use jiff::SignedDuration;
use jobs::{StartOperation, ToQueue};
use kit::operation::{Ran, Runner, Step, Turn, run};
use kit::schedule::Deadline;
use kit::{Bus, Env, JobError, QueueName, Queues};
use serde_json::json;
use store::TenantScope;
use testkit::Aws;

struct World {
    aws: Aws,
    scope: TenantScope,
    start: StartOperation,
}

/// Counts to this number, one per step.
const LAST: u64 = 5;

async fn count(turn: Turn, steps: &AtomicU64) -> Result<Step, JobError> {
    steps.fetch_add(1, Ordering::Relaxed);
    let done = turn.cursor::<u64>()?.unwrap_or_default() + 1;
    let progress = Progress {
        done,
        total: Some(LAST),
        errors: 0,
    };
    Ok(if done == LAST {
        let result = Data::of(&json!({ "counted": done }))?;
        Step::Done { result, progress }
    } else {
        let cursor = Data::of(&done)?;
        Step::More { cursor, progress }
    })
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let tenant = TenantId::new(aws.ids().ulid());
        let scope = aws.scope(tenant);
        let id = OperationId::new(aws.ids().ulid());
        let params = Data::of(&json!({})).unwrap();
        let kind = OperationKind::EraseContact;
        let operation = Operation::new(id, kind, params, Actor::Operator, "cor".to_owned(), aws.now());
        let stamp = aws.stamp();
        aws.store().create_operation(&scope, &operation, &stamp).await.unwrap();
        let start = StartOperation::of(tenant, &operation);
        Self { aws, scope, start }
    }

    async fn operation(&self) -> Operation {
        let store = self.aws.store();
        let found = store.operation(&self.scope, self.start.operation, self.aws.now());
        found.await.unwrap().unwrap().value
    }

    async fn cancel(&self) {
        let store = self.aws.store();
        let found = store.operation(&self.scope, self.start.operation, self.aws.now());
        let found = found.await.unwrap().unwrap();
        let mut after = found.value;
        assert!(after.cancel(self.aws.now()));
        let written = store.write_operation(&self.scope, found.version, &after, None);
        written.await.unwrap();
    }

    fn deadline(&self, seconds: i64) -> Deadline {
        Deadline::at(self.aws.now() + SignedDuration::from_secs(seconds))
    }

    fn runner(&self) -> Runner {
        Runner::new(self.aws.env()).unwrap()
    }

    /// Runs these steps with a minute's time.
    async fn run<C, H>(&self, context: &C, step: &H) -> Result<Ran, JobError>
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        let runner = self.runner();
        Box::pin(run(&self.start, self.deadline(60), &runner, context, step)).await
    }

    /// Runs [`count`] with this much time.
    async fn count(&self, seconds: i64, steps: &AtomicU64) -> Ran {
        let runner = self.runner();
        let ran = run(&self.start, self.deadline(seconds), &runner, steps, &count);
        Box::pin(ran).await.unwrap()
    }
}

#[tokio::test]
async fn steps_are_made_until_the_operation_ends() {
    let world = World::new().await;
    let steps = AtomicU64::new(0);
    assert_eq!(world.count(60, &steps).await, Ran::Ended);
    let operation = world.operation().await;
    assert_eq!((operation.state, operation.progress.done), (OperationState::Done, LAST));
    assert_eq!(operation.result, Some(Data::of(&json!({"counted": 5})).unwrap()));
    assert_eq!((operation.cursor, operation.due), (None, None));
    // A second event for it has no effect.
    assert_eq!(world.count(60, &steps).await, Ran::Nothing);
    assert_eq!(steps.load(Ordering::Relaxed), LAST);
}

#[tokio::test]
async fn an_operation_out_of_time_goes_on_where_it_was() {
    let world = World::new().await;
    let steps = AtomicU64::new(0);
    for done in 1..LAST {
        assert_eq!(world.count(9, &steps).await, Ran::Continues);
        let operation = world.operation().await;
        assert_eq!((operation.progress.done, operation.lease), (done, None));
        assert_eq!(operation.due, Some(world.aws.now() + Operation::FIRST_DUE));
    }
    assert_eq!(world.count(9, &steps).await, Ran::Ended);
    assert_eq!(steps.load(Ordering::Relaxed), LAST, "no step is made twice");
}

/// Its end is recorded before the function's time is up, so that it is tried again at once instead of after its lease.
#[tokio::test]
async fn step_ends_before_its_function() {
    let world = World::new().await;
    let runner = world.runner();
    let hangs = async |_: Turn, (): &()| std::future::pending::<Result<Step, JobError>>().await;
    let ran = Box::pin(run(&world.start, world.deadline(3), &runner, &(), &hangs));
    let ran = tokio::time::timeout(std::time::Duration::from_secs(30), ran).await;
    assert!(ran.expect("it ends by itself").is_err());
    let operation = world.operation().await;
    assert_eq!((operation.lease, operation.progress.done), (None, 0));
}

#[tokio::test]
async fn two_workers_never_hold_one_operation() {
    let world = World::new().await;
    let (steps, other) = (AtomicU64::new(0), AtomicU64::new(0));
    let (one, two) = tokio::join!(world.count(60, &steps), world.count(60, &other));
    let mut ran = [one, two];
    ran.sort_by_key(|ran| *ran == Ran::Nothing);
    assert_eq!(ran, [Ran::Ended, Ran::Nothing]);
    let all = steps.load(Ordering::Relaxed) + other.load(Ordering::Relaxed);
    assert_eq!(all, LAST);
}

#[tokio::test]
async fn a_worker_that_died_is_replaced_after_its_lease() {
    let world = World::new().await;
    let store = world.aws.store();
    let found = store.operation(&world.scope, world.start.operation, world.aws.now());
    let found = found.await.unwrap().unwrap();
    let mut claimed = found.value;
    claimed.claim(world.aws.ids().ulid(), world.aws.now());
    let written = store.write_operation(&world.scope, found.version, &claimed, None);
    written.await.unwrap();
    let steps = AtomicU64::new(0);
    world.aws.pass(59);
    assert_eq!(world.count(60, &steps).await, Ran::Nothing);
    world.aws.pass(1);
    assert_eq!(world.count(60, &steps).await, Ran::Ended);
}

#[tokio::test]
async fn an_error_or_panic_waits_longer_each_time() {
    let world = World::new().await;
    let mut waits = Vec::new();
    for panics in [false, true, false] {
        let fails = async |_: Turn, (): &()| -> Result<Step, JobError> {
            assert!(!panics, "the step panics");
            Err(JobError::new("the table is on holiday"))
        };
        let error = world.run(&(), &fails).await.unwrap_err().to_string();
        assert_eq!(error.contains("panicked"), panics, "{error}");
        let operation = world.operation().await;
        assert_eq!((operation.state, operation.lease), (OperationState::Running, None));
        let wait = operation.due.unwrap().duration_since(world.aws.now());
        waits.push(wait.as_secs());
    }
    assert_eq!(waits, [30, 60, 120]);
    for _ in 3..Operation::MAX_ATTEMPTS {
        let fails = async |_: Turn, (): &()| -> Result<Step, JobError> { Err(JobError::new("still on holiday")) };
        assert!(world.run(&(), &fails).await.is_err());
    }
    assert_eq!(world.count(60, &AtomicU64::new(0)).await, Ran::Ended);
    let operation = world.operation().await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(operation.reason.is_some());
}

/// A step that can never succeed is not tried again, and says why: nobody else needs to look at it.
#[tokio::test]
async fn a_step_that_can_never_succeed_ends_the_operation() {
    let world = World::new().await;
    let steps = AtomicU64::new(0);
    assert_eq!(world.count(9, &steps).await, Ran::Continues);
    let fails = async |_: Turn, (): &()| -> Result<Step, JobError> {
        let reason = "The segment no longer exists.".to_owned();
        Ok(Step::Failed { reason })
    };
    assert_eq!(world.run(&(), &fails).await.unwrap(), Ran::Ended);
    let operation = world.operation().await;
    assert_eq!(operation.state, OperationState::Failed);
    assert_eq!(operation.reason.as_deref(), Some("The segment no longer exists."));
    assert_eq!((operation.progress.done, operation.due), (1, None));
}

/// The row is written by the API between the claim and the checkpoint, which is recorded all the same.
#[tokio::test]
async fn a_cancelled_operation_ends_after_its_step() {
    let world = World::new().await;
    let steps = AtomicU64::new(0);
    let cancels = async |turn: Turn, world: &World| -> Result<Step, JobError> {
        world.cancel().await;
        count(turn, &steps).await
    };
    assert_eq!(world.run(&world, &cancels).await.unwrap(), Ran::Ended);
    let operation = world.operation().await;
    assert_eq!(operation.state, OperationState::Cancelled);
    assert_eq!((operation.progress.done, operation.due), (1, None));
    assert_eq!(steps.load(Ordering::Relaxed), 1);
}

/// Puts a rule on a bus that forwards its events to the test's queue of mails.
pub(crate) async fn watched_bus(aws: &Aws, kinds: &[OperationKind]) -> Env {
    let bus = format!("test-{}", aws.ids().ulid());
    let events = aws.env().eventbridge();
    events.create_event_bus().name(&bus).send().await.unwrap();
    let pattern = json!({"source": ["ringback"], "detail-type": kinds}).to_string();
    let rule = events
        .put_rule()
        .name("started")
        .event_bus_name(&bus)
        .event_pattern(pattern);
    rule.send().await.unwrap();
    let url = aws.env().config().text("MAILS_QUEUE_URL").unwrap();
    let (account, name) = (url.rsplit('/').nth(1).unwrap(), url.rsplit('/').next().unwrap());
    let target = aws_sdk_eventbridge::types::Target::builder()
        .id("queue")
        .arn(format!("arn:aws:sqs:us-east-1:{account}:{name}"))
        .build()
        .unwrap();
    let targets = events
        .put_targets()
        .rule("started")
        .event_bus_name(&bus)
        .targets(target);
    targets.send().await.unwrap();
    aws.env_with(&[("OPERATIONS_BUS", &bus)])
}

#[tokio::test]
async fn the_bus_carries_ids_under_the_name_of_the_kind() {
    let world = World::new().await;
    let env = watched_bus(&world.aws, &[OperationKind::EraseContact]).await;
    let starts = vec![world.start; 11];
    Bus::new(&env).unwrap().start(&starts).await.unwrap();
    let events = world.aws.drain(QueueName::Mails).await;
    assert_eq!(events.len(), 11, "more than one request takes");
    assert_eq!(events[0]["detail-type"], "erase_contact");
    assert_eq!(events[0]["detail"], json!(world.start));
}

#[tokio::test]
async fn only_functions_with_the_bus_start_operations() {
    let world = World::new().await;
    let operation = world.operation().await;
    let start = || vec![ToQueue::start(world.start.tenant, &operation)];
    let queues = Queues::new(world.aws.env(), &[]).unwrap();
    assert!(queues.enqueue(start(), world.aws.now()).await.is_err());
    let queues = queues.with_bus(Bus::new(world.aws.env()).unwrap());
    assert_eq!(queues.enqueue(start(), world.aws.now()).await.unwrap(), 1);
}
