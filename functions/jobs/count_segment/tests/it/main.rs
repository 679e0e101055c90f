//! Counting the contacts of a segment, in process against the emulator.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

use count_segment::{Context, PER_STEP, handle};
use domain::{
    actor::{Actor, Stamp},
    contact::Contact,
    field::{Field, FieldValue},
    ids::{ContactId, OperationId, SegmentId, TagId, TenantId},
    operation::{Data, Operation, OperationKind, OperationState},
    person::Person,
    profile::Profile,
    resource::Resource,
    segment::CountSegment,
};
use jiff::SignedDuration;
use jobs::StartOperation;
use kit::{
    operation::{Ran, Runner, Turn, run},
    schedule::Deadline,
};
use serde_json::{Value, from_value, json};
use store::{TenantScope, people::Brought};
use testkit::{Aws, business::business};

struct World {
    aws: Aws,
    scope: TenantScope,
    ctx: Context,
    runner: Runner,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let scope = business(&aws).await.scope().clone();
        let ctx = Context::new(aws.env()).unwrap();
        let runner = Runner::new(aws.env()).unwrap();
        Self {
            aws,
            scope,
            ctx,
            runner,
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp {
            actor: Actor::Operator,
            at: self.aws.now(),
            correlation_id: "cor".to_owned(),
        }
    }

    async fn contact(&self, of: &TenantScope, profile: Profile) -> Person {
        let contact = Contact::new(ContactId::new(self.aws.ids().ulid()), self.aws.now());
        let person = Person { contact, profile };
        let created = self
            .aws
            .store()
            .create_person(of, &person, &Brought::default(), &self.stamp())
            .await;
        created.unwrap();
        person
    }

    /// Starts a count, as the API does.
    async fn start(&self, filter: Value) -> StartOperation {
        let params = CountSegment {
            segment: SegmentId::new(self.aws.ids().ulid()),
            filter: from_value(filter).unwrap(),
        };
        let operation = Operation::new(
            OperationId::new(self.aws.ids().ulid()),
            OperationKind::CountSegment,
            Data::of(&params).unwrap(),
            Actor::Operator,
            "cor".to_owned(),
            self.aws.now(),
        );
        let created = self.aws.store();
        let created = created.create_operation(&self.scope, &operation, &self.stamp()).await;
        created.unwrap();
        StartOperation::of(self.scope.tenant(), &operation)
    }

    async fn operation(&self, start: &StartOperation) -> Operation {
        let store = self.aws.store();
        let found = store.operation(&self.scope, start.operation, self.aws.now());
        found.await.unwrap().unwrap().value
    }

    async fn step(&self, start: &StartOperation) -> Ran {
        let ran = run(start, Deadline::at(self.aws.now()), &self.runner, &self.ctx, &handle);
        Box::pin(ran).await.unwrap()
    }

    /// Counts, each step in a run of its own. Returns the number, and that of steps.
    async fn count(&self, filter: Value) -> (u64, usize) {
        let start = self.start(filter).await;
        for steps in 1..50 {
            if self.step(&start).await == Ran::Ended {
                let operation = self.operation(&start).await;
                assert_eq!(operation.state, OperationState::Done, "{:?}", operation.reason);
                let result = operation.result.unwrap().into_json();
                assert_eq!(result["contacts"], operation.progress.done);
                return (operation.progress.done, steps);
            }
        }
        panic!("it does not end");
    }
}

#[tokio::test]
async fn a_segment_is_counted_step_by_step() {
    let world = World::new().await;
    let tag = TagId::new(world.aws.ids().ulid());
    let all = usize::try_from(PER_STEP).unwrap() + 20;
    for number in 0..all {
        let profile = Profile {
            tags: (number % 3 == 0).then_some(tag).into_iter().collect(),
            ..Profile::default()
        };
        world.contact(&world.scope, profile).await;
    }
    // Another tenant's, and a deleted one.
    let theirs = world.aws.scope(TenantId::new(world.aws.ids().ulid()));
    world.contact(&theirs, Profile::default()).await;
    let mut deleted = Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now());
    deleted.deleted_at = Some(world.aws.now());
    let written = world.aws.store();
    let written = written.write_contact(&world.scope, &deleted.into(), None).await;
    written.unwrap();
    assert_eq!(world.count(json!({})).await, (all as u64, 2));
    assert_eq!(world.count(json!({"tag": tag})).await.0, all.div_ceil(3) as u64);
    assert_eq!(world.count(json!({"tag": tag, "language": "ar"})).await, (0, 1));
}

#[tokio::test]
async fn an_interrupted_step_is_counted_once() {
    let world = World::new().await;
    let all = usize::try_from(PER_STEP).unwrap() + 5;
    for _ in 0..all {
        world.contact(&world.scope, Profile::default()).await;
    }
    let start = world.start(json!({})).await;
    while !world.operation(&start).await.state.is_end() {
        let turn = Turn::new(world.scope.clone(), world.operation(&start).await);
        Box::pin(handle(turn, &world.ctx)).await.unwrap();
        assert_ne!(world.step(&start).await, Ran::Nothing);
    }
    assert_eq!(world.operation(&start).await.progress.done, all as u64);
}

/// Contacts that are created while it counts would keep it going for ever.
#[tokio::test]
async fn contacts_created_later_are_not_counted() {
    let world = World::new().await;
    world.contact(&world.scope, Profile::default()).await;
    let start = world.start(json!({})).await;
    world.aws.pass(1);
    world.contact(&world.scope, Profile::default()).await;
    assert_eq!(world.step(&start).await, Ran::Ended);
    assert_eq!(world.operation(&start).await.progress.done, 1);
}

#[tokio::test]
async fn a_count_without_its_field_fails_with_a_sentence() {
    let world = World::new().await;
    let store = world.aws.store();
    let visits = json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true});
    let visits = Field::new(world.aws.ids().ulid(), from_value(visits).unwrap(), world.aws.now());
    store.create(&world.scope, &visits, &world.stamp()).await.unwrap();
    let profile = Profile {
        fields: [(visits.id, FieldValue::Number("7".parse().unwrap()))].into(),
        listed: [visits.id].into(),
        ..Profile::default()
    };
    world.contact(&world.scope, profile).await;
    assert_eq!(world.count(json!({"field": "visits", "from": 7})).await.0, 1);
    assert_eq!(world.count(json!({"field": "visits", "to": 6})).await.0, 0);
    let start = world.start(json!({"field": "visits", "from": 7})).await;
    let found = store.get::<Field>(&world.scope, &visits.id).await.unwrap().unwrap();
    store.remove(&world.scope, &found, &world.stamp()).await.unwrap();
    let deadline = Deadline::at(world.aws.now() + SignedDuration::from_secs(60));
    let ran = run(&start, deadline, &world.runner, &world.ctx, &handle);
    assert_eq!(Box::pin(ran).await.unwrap(), Ran::Ended);
    let operation = world.operation(&start).await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(operation.reason.is_some_and(|reason| reason.ends_with('.')));
}
