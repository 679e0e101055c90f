//! Slots of operations, against the emulator: many operations of several tenants, run by run, as the dispatcher starts them each minute.

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::sync::Mutex;
use std::task::Poll;

use domain::tenants::TenantStatus;
use domain::terms::{Actor, Data, Lane, Operation, OperationId, OperationKind, OperationState, Progress, TenantId};
use futures::future::{join_all, poll_fn};
use jobs::{NextJob, StartOperation};
use kit::operation::{Ran, Runner, Step, Turn, run};
use kit::turns::in_turn;
use kit::{JobError, QueueName};
use serde_json::json;
use store::TenantScope;
use store::table::due::{Due, Partition};
use testkit::{Aws, Dice};
use tokio::sync::Barrier;

use crate::operation::watched_bus;

use OperationKind::{ApplyRetention, ChangeContacts, CountSegment, EraseContact, ExportData, RunCampaign};

/// Steps of each operation.
const STEPS: u64 = 2;

async fn make_step(turn: &Turn) -> Result<Step, JobError> {
    let done = turn.cursor::<u64>()?.unwrap_or_default() + 1;
    let progress = Progress {
        done,
        ..Progress::default()
    };
    if done == STEPS {
        return Step::from_result(&json!({}), progress);
    }
    Step::from_cursor(&done, progress)
}

async fn work(turn: Turn, (): &()) -> Result<Step, JobError> {
    make_step(&turn).await
}

struct World {
    aws: Aws,
    runner: Runner,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let runner = Runner::new(aws.env()).unwrap();
        Self { aws, runner }
    }

    fn tenant(&self) -> TenantScope {
        self.aws.scope(TenantId::new(self.aws.ids().ulid()))
    }

    async fn create(&self, scope: &TenantScope, kind: OperationKind) -> StartOperation {
        let (id, params) = (OperationId::new(self.aws.ids().ulid()), Data::of(&json!({})).unwrap());
        let operation = Operation::new(id, kind, params, Actor::Operator, "cor".to_owned(), self.aws.now());
        let created = self.aws.store().create_own_operation(scope, &operation).await;
        created.unwrap();
        StartOperation::of(scope.tenant(), &operation)
    }

    async fn get(&self, start: &StartOperation) -> Operation {
        let (store, scope) = (self.aws.store(), self.aws.scope(start.tenant));
        let found = store.operation(&scope, start.operation, self.aws.now()).await;
        found.unwrap().unwrap().value
    }

    /// A run of five minutes.
    async fn run<C, H>(&self, start: &StartOperation, context: &C, step: &H) -> Ran
    where
        H: AsyncFn(Turn, &C) -> Result<Step, JobError>,
    {
        let ran = Box::pin(run(start, self.aws.deadline(300), &self.runner, context, step));
        ran.await.unwrap()
    }

    /// Starts as the dispatcher does: the longest due first, tenants in turn.
    async fn start_due(&self) -> Vec<StartOperation> {
        let (store, now) = (self.aws.store(), self.aws.now());
        let pages = Partition::of(Lane::Answers).map(|partition| store.due_page(partition, now, None, 1_000));
        let pages = join_all(pages).await.into_iter().flat_map(|page| page.unwrap().due);
        let rows = store.due_rows(in_turn(pages.collect(), Due::tenant)).await.unwrap();
        let mut starts = Vec::new();
        for (due, row) in rows {
            let again = now + Operation::FIRST_DUE;
            let leased = store.lease(&due, again).await.unwrap();
            if let (true, NextJob::Start(start)) = (leased, row.unwrap().unwrap().job.job) {
                starts.push(start);
            }
        }
        starts
    }

    /// Runs all of these at once: those that get slots work until all others were refused. Returns the kinds that worked, by tenant.
    async fn run_at_once(&self, starts: &[StartOperation]) -> HashMap<TenantId, Vec<OperationKind>> {
        let (all, worked) = (Barrier::new(starts.len()), Mutex::new(HashMap::<_, Vec<_>>::new()));
        let step = async |turn: Turn, all: &Barrier| {
            if turn.operation().cursor.is_none() {
                all.wait().await;
                let mut worked = worked.lock().unwrap();
                worked
                    .entry(turn.scope().tenant())
                    .or_default()
                    .push(turn.operation().kind);
            }
            make_step(&turn).await
        };
        let (all, step) = (&all, &step);
        join_all(starts.iter().map(|start| async move {
            if matches!(self.run(start, all, step).await, Ran::Waits | Ran::Nothing) {
                all.wait().await;
            }
        }))
        .await;
        worked.into_inner().unwrap()
    }

    /// Minutes until these have ended, of what a run takes. Whatever is due runs each minute, and at first these.
    async fn minutes_until_ended(&self, starts: Vec<StartOperation>, watched: &[StartOperation]) -> usize {
        let mut starts = starts;
        for minute in 1..60 {
            for kinds in self.run_at_once(&starts).await.values() {
                let of_campaigns = kinds.iter().filter(|kind| kind.is_of_campaigns()).count();
                assert!(kinds.len() - of_campaigns <= 5, "{kinds:?}");
                let most = |kind| kinds.iter().filter(|known| **known == kind).count();
                assert!(most(ChangeContacts) <= 2 && most(EraseContact) <= 2, "{kinds:?}");
            }
            let ended = join_all(watched.iter().map(|start| self.get(start))).await;
            if ended.iter().all(|operation| operation.state.is_end()) {
                return minute;
            }
            self.aws.pass(60);
            starts = self.start_due().await;
        }
        panic!("they do not end");
    }
}

/// A tenant that starts changes as fast as it can has no more than two at once, and no more than 50 that wait. Its campaign begins and
/// its contacts are deleted all the same, and erasures of others take no longer.
#[tokio::test]
async fn flood_of_a_tenant_delays_nobody_else() {
    let world = World::new().await;
    let [busy, other, alone] = [(); 3].map(|()| world.tenant());
    let erasures = async |scope: &TenantScope| {
        let all = (0..20).map(|_| world.create(scope, EraseContact));
        join_all(all).await
    };
    let usual = erasures(&alone).await;
    let usual = world.minutes_until_ended(usual.clone(), &usual).await;

    // However often it asks.
    let (store, mut starts) = (world.aws.store(), Vec::new());
    while store.has_room_for_operation(&busy).await.unwrap() {
        starts.push(world.create(&busy, ChangeContacts).await);
    }
    assert_eq!(starts.len(), 50);
    // Erasures of deleted contacts are created whatever waits, and do not count.
    for _ in 0..3 {
        starts.push(world.create(&busy, EraseContact).await);
    }
    let campaign = world.create(&busy, RunCampaign).await;
    starts.push(campaign);
    let watched = erasures(&other).await;
    starts.extend(&watched);
    assert_eq!(world.minutes_until_ended(starts, &[campaign]).await, 1);
    world.aws.pass(60);
    let minutes = 1 + world.minutes_until_ended(world.start_due().await, &watched).await;
    assert!(minutes <= 2 * usual, "{minutes} minutes, and {usual} alone");
    assert!(
        store.has_room_for_operation(&busy).await.unwrap(),
        "some changes have ended"
    );
}

/// Gives a run up after so many waits for an answer, wherever it is then.
async fn kill_after<F: Future>(waits: usize, run: F) -> Option<F::Output> {
    let (mut run, mut left) = (pin!(run), waits);
    poll_fn(|context| match run.as_mut().poll(context) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending if left == 0 => Poll::Ready(None),
        Poll::Pending => {
            left -= 1;
            Poll::Pending
        }
    })
    .await
}

/// Runs die anywhere, such as between slot, claim, checkpoint and release. All operations end, and no slot stays taken.
#[tokio::test]
async fn operations_end_although_their_runs_die() {
    let world = World::new().await;
    let tenants: Vec<TenantScope> = (0..60).map(|_| world.tenant()).collect();
    let kinds = [EraseContact, ChangeContacts, ExportData, CountSegment, RunCampaign];
    let created = tenants
        .iter()
        .flat_map(|scope| kinds.map(|kind| world.create(scope, kind)));
    let all: Vec<StartOperation> = join_all(created).await;
    assert_eq!(all.len(), 300);
    let (mut dice, mut starts, mut killed) = (Dice::new(110), all.clone(), 0);
    let mut taken_since = BTreeMap::new();
    for _minute in 0..40 {
        let runs = starts.iter().map(|start| {
            let waits = if dice.once_in(3) { dice.below(40) } else { usize::MAX };
            kill_after(waits, world.run(start, &(), &work))
        });
        killed += join_all(runs).await.iter().filter(|ran| ran.is_none()).count();
        let (now, before) = (world.aws.now(), std::mem::take(&mut taken_since));
        for slot in slots_taken(&world).await {
            let since = *before.get(&slot).unwrap_or(&now);
            assert!(now.duration_since(since).as_secs() <= 360, "{slot}");
            taken_since.insert(slot, since);
        }
        world.aws.pass(60);
        starts = world.start_due().await;
        if starts.is_empty() && taken_since.is_empty() {
            break;
        }
    }
    for operation in join_all(all.iter().map(|start| world.get(start))).await {
        assert_eq!(operation.state, OperationState::Done, "{operation:?}");
    }
    assert!(taken_since.is_empty(), "{taken_since:?}");
    assert!(killed > 30, "only {killed} died");
}

/// The slots of the deployment that are taken, each with its holder.
async fn slots_taken(world: &World) -> Vec<String> {
    let rows = world
        .aws
        .dynamodb()
        .scan()
        .table_name(world.aws.table())
        .consistent_read(true);
    let rows = rows.filter_expression("kind = :slot AND expires_at > :now");
    let rows = rows.expression_attribute_values(":slot", aws_sdk_dynamodb::types::AttributeValue::S("slot".to_owned()));
    let now = world.aws.now().as_second().to_string();
    let rows = rows.expression_attribute_values(":now", aws_sdk_dynamodb::types::AttributeValue::N(now));
    let rows = rows
        .into_paginator()
        .items()
        .send()
        .collect::<Result<Vec<_>, _>>()
        .await;
    let rows = rows.unwrap().into_iter();
    rows.map(|row| format!("{:?} of {:?}", row["pk"], row["v"])).collect()
}

/// A run that gives its slot back starts the operation that has waited longest, by an event. The others start at their time.
#[tokio::test]
async fn slot_goes_on_to_who_waited_longest() {
    let world = World::new().await;
    let env = watched_bus(&world.aws, &[ChangeContacts, ExportData]).await;
    let world = World {
        runner: Runner::new(&env).unwrap(),
        ..world
    };
    let scope = world.tenant();
    let starts = join_all((0..5).map(|_| world.create(&scope, ChangeContacts))).await;
    let waits = async |turn: Turn, world: &World| {
        if turn.operation().cursor.is_some() {
            return make_step(&turn).await;
        }
        for start in &starts[2..] {
            world.aws.pass(1);
            assert_eq!(Box::pin(world.run(start, &(), &work)).await, Ran::Waits);
        }
        // An operation that waits is cancelled at once, and is in nobody's way.
        world
            .aws
            .change_operation(&scope, starts[4].operation, |it| {
                it.cancel(world.aws.now()).then_some(()).unwrap()
            })
            .await;
        make_step(&turn).await
    };
    let first = async |_: Turn, world: &World| {
        Box::pin(world.run(&starts[1], world, &waits)).await;
        Step::from_result(&json!({}), Progress::default())
    };
    assert_eq!(world.run(&starts[0], &world, &first).await, Ran::Ended);
    let waiting = world.get(&starts[2]).await;
    assert_eq!((waiting.state, waiting.attempts), (OperationState::Queued, 0));
    // Two runs ended, so two are started, and each of them once.
    let events = world.aws.drain(QueueName::Mails).await;
    let started: Vec<_> = events.iter().map(|event| event["detail"].clone()).collect();
    assert_eq!(started, [json!(starts[2]), json!(starts[3])]);
    assert_eq!(world.run(&starts[4], &(), &work).await, Ran::Nothing);
    for start in &starts[2..4] {
        assert_eq!(world.run(start, &(), &work).await, Ran::Ended);
    }
    let another = world.create(&scope, ExportData).await;
    assert_eq!(world.run(&another, &(), &work).await, Ran::Ended);
}

/// Work of a suspended tenant waits, also in the middle of a run, but for what people may demand by law.
#[tokio::test]
async fn only_owed_work_of_a_suspended_tenant_goes_on() {
    let world = World::new().await;
    let seeded = testkit::seed::tenant(&world.aws).await;
    let scope = seeded.scope().clone();
    let set = async |status| world.aws.change_tenant(&scope, |tenant| tenant.status = status).await;
    let running = world.create(&scope, ExportData).await;
    let suspended_meanwhile = async |turn: Turn, (): &()| {
        set(TenantStatus::Suspended).await;
        make_step(&turn).await
    };
    assert_eq!(world.run(&running, &(), &suspended_meanwhile).await, Ran::Waits);
    let operation = world.get(&running).await;
    assert_eq!(
        (operation.progress.done, operation.attempts, operation.lease),
        (1, 0, None)
    );
    let wait = operation.due.unwrap().duration_since(world.aws.now());
    assert_eq!(wait.as_hours(), 1);
    for (kind, expected) in [
        (CountSegment, Ran::Waits),
        (RunCampaign, Ran::Waits),
        (ChangeContacts, Ran::Waits),
        (EraseContact, Ran::Ended),
        (ApplyRetention, Ran::Ended),
        (OperationKind::ArchiveContact, Ran::Ended),
    ] {
        let start = world.create(&scope, kind).await;
        assert_eq!(world.run(&start, &(), &work).await, expected, "{kind:?}");
    }
    set(TenantStatus::Active).await;
    assert_eq!(
        world.run(&running, &(), &work).await,
        Ran::Ended,
        "it goes on where it was"
    );
}

/// However many others run, some slots are left for campaigns.
#[tokio::test]
async fn campaigns_have_slots_of_their_own() {
    let world = World::new().await;
    let few = world.aws.env_with(&[("OPERATION_SLOTS", "30")]);
    let world = World {
        runner: Runner::new(&few).unwrap(),
        ..world
    };
    let exports = (0..40).map(|_| async { world.create(&world.tenant(), ExportData).await });
    let mut starts = join_all(exports).await;
    starts.push(world.create(&world.tenant(), RunCampaign).await);
    let worked = world.run_at_once(&starts).await;
    let worked: Vec<_> = worked.into_values().flatten().collect();
    assert!(worked.contains(&RunCampaign));
    let others = worked.len() - 1;
    assert!((5..=10).contains(&others), "{others} of the ten that are not reserved");
    for start in &starts {
        let operation = world.get(start).await;
        let waits = operation.state == OperationState::Queued && operation.waits_since.is_some();
        assert!(waits || operation.state == OperationState::Done, "{operation:?}");
    }
}
