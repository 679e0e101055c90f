//! Counting the contacts of a segment, in process against the emulator.

use count_segment::{Context, PER_STEP, handle};
use domain::people::{Contact, CountSegment, Field, FieldValue, Profile, Stage, Staged};
use domain::terms::{ContactId, OperationKind, OperationState, SegmentId, TagId};
use jobs::StartOperation;
use kit::operation::Ran;
use serde_json::{Value, from_value, json};
use testkit::business::{CUSTOMER, business};
use testkit::operations::result_of;

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    /// Starts a count, as the API does.
    async fn start(&self, filter: Value) -> StartOperation {
        let params = CountSegment {
            segment: SegmentId::new(self.aws.ids().ulid()),
            filter: from_value(filter).unwrap(),
        };
        self.operations.create(OperationKind::CountSegment, &params).await
    }

    async fn step(&self, start: &StartOperation) -> Ran {
        self.operations.step(start, &self.ctx, &handle).await
    }

    /// Counts, each step in a run of its own. Returns the number, and that of steps.
    async fn count(&self, filter: Value) -> (u64, usize) {
        let start = self.start(filter).await;
        let (operation, steps) = self.operations.finish(&start, &self.ctx, &handle).await;
        let result: Value = result_of(&operation);
        assert_eq!(result["contacts"], operation.progress.done);
        (operation.progress.done, steps)
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
        world.contact_known_as(profile).await;
    }
    // Another tenant's, and a deleted one.
    let other = Box::pin(business(&world.aws)).await;
    other.contact(&world.aws, CUSTOMER).await;
    let mut deleted = Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now());
    deleted.deleted_at = Some(world.aws.now());
    let deleted = deleted.into();
    world
        .store()
        .write_contact(world.scope(), &deleted, None)
        .await
        .unwrap();
    assert_eq!(world.count(json!({})).await, (all as u64, 2));
    assert_eq!(world.count(json!({"tag": tag})).await.0, all.div_ceil(3) as u64);
    assert_eq!(world.count(json!({"tag": tag, "language": "ar"})).await, (0, 1));
}

#[tokio::test]
async fn an_interrupted_step_is_counted_once() {
    let world = World::new().await;
    let all = usize::try_from(PER_STEP).unwrap() + 5;
    for _ in 0..all {
        world.contact_known_as(Profile::default()).await;
    }
    let start = world.start(json!({})).await;
    world.operations.all_steps_twice(&start, &world.ctx, &handle).await;
    assert_eq!(world.operations.get(&start).await.progress.done, all as u64);
}

/// Contacts that are created while it counts would keep it going for ever.
#[tokio::test]
async fn contacts_created_later_are_not_counted() {
    let world = World::new().await;
    world.contact_known_as(Profile::default()).await;
    let start = world.start(json!({})).await;
    world.aws.pass(1);
    world.contact_known_as(Profile::default()).await;
    assert_eq!(world.step(&start).await, Ran::Ended);
    assert_eq!(world.operations.get(&start).await.progress.done, 1);
}

#[tokio::test]
async fn contacts_of_a_stage_are_counted() {
    let world = World::new().await;
    let stage: Stage = world.create_owned(json!({"name": "Open", "position": 1})).await;
    let staged = Staged {
        stage: stage.id,
        since: world.aws.now(),
    };
    for stage in [Some(staged), None] {
        let profile = Profile {
            stage,
            ..Profile::default()
        };
        world.contact_known_as(profile).await;
    }
    assert_eq!(world.count(json!({"stage": stage.id})).await.0, 1);
}

#[tokio::test]
async fn a_count_without_its_field_fails_with_a_sentence() {
    let world = World::new().await;
    let store = world.aws.store();
    let visits = json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true});
    let visits: Field = world.create_owned(visits).await;
    let profile = Profile {
        fields: [(visits.id, FieldValue::Number("7".parse().unwrap()))].into(),
        listed: [visits.id].into(),
        ..Profile::default()
    };
    world.contact_known_as(profile).await;
    assert_eq!(world.count(json!({"field": "visits", "from": 7})).await.0, 1);
    assert_eq!(world.count(json!({"field": "visits", "to": 6})).await.0, 0);
    let start = world.start(json!({"field": "visits", "from": 7})).await;
    let found = store.get::<Field>(world.scope(), &visits.id).await.unwrap().unwrap();
    store.remove(world.scope(), &found, &world.aws.stamp()).await.unwrap();
    let ran = world.operations.run(&start, 60, &world.ctx, &handle).await;
    assert_eq!(ran, Ran::Ended);
    let operation = world.operations.get(&start).await;
    assert_eq!(operation.state, OperationState::Failed);
    assert!(operation.reason.is_some_and(|reason| reason.ends_with('.')));
}
