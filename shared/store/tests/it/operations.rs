//! Operations, and what is remembered of erased people.

use domain::{
    actor::{Actor, Stamp},
    contact::Identity,
    erasure::Salt,
    ids::OperationId,
    operation::{Claim, Data, Operation, OperationKind, Progress},
};
use jobs::{StartOperation, ToQueue};
use store::Versioned;
use testkit::business::{CUSTOMER, phone};

use crate::{due::due, world::World};

fn data() -> Data {
    Data::of(&"x").expect("it is small")
}

async fn create(world: &World) -> Operation {
    let id = OperationId::new(world.aws.ids().ulid());
    let now = world.aws.now();
    let operation = Operation::new(
        id,
        OperationKind::EraseContact,
        data(),
        Actor::Operator,
        "cor".to_owned(),
        now,
    );
    let stamp = Stamp {
        actor: Actor::Operator,
        at: now,
        correlation_id: "cor".to_owned(),
    };
    for _twice in 0..2 {
        let start = world
            .store
            .create_operation(world.scope(), &operation, &stamp)
            .await
            .expect("the table answers");
        assert_eq!(start, ToQueue::start(world.business.tenant(), &operation));
    }
    operation
}

async fn read(world: &World, id: OperationId) -> Option<Versioned<Operation>> {
    world
        .store
        .operation(world.scope(), id, world.aws.now())
        .await
        .expect("the table answers")
}

#[tokio::test]
async fn an_operation_is_due_until_it_ends() {
    let world = World::new().await;
    let operation = create(&world).await;
    world.aws.pass(90);
    let rows = world.store.due_rows(due(&world).await).await.unwrap();
    let [(_, Ok(Some(row)))] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(row.job, ToQueue::start(world.business.tenant(), &operation));
    let start = StartOperation::of(world.business.tenant(), &operation);
    assert_eq!(start.operation, operation.id);

    let found = read(&world, operation.id).await.unwrap();
    let mut after = found.value.clone();
    after.claim(world.aws.ids().ulid(), world.aws.now());
    after.finish(data(), Progress::default(), world.aws.now());
    let written = world
        .store
        .write_operation(world.scope(), found.version, &after, None)
        .await;
    assert_eq!(written.unwrap(), found.version + 1);
    world.aws.pass(3600);
    assert!(due(&world).await.is_empty());
    // Retained for 30 days, whether or not the table has removed it by then.
    world.aws.pass(30 * 24 * 3600 - 3601);
    assert!(read(&world, operation.id).await.is_some());
    world.aws.pass(1);
    assert!(read(&world, operation.id).await.is_none());
}

#[tokio::test]
async fn one_of_two_claims_is_written() {
    let world = World::new().await;
    let operation = create(&world).await;
    let found = read(&world, operation.id).await.unwrap();
    let claims = (0..2).map(|_| {
        let mut after = found.value.clone();
        assert_eq!(after.claim(world.aws.ids().ulid(), world.aws.now()), Claim::Taken);
        let (store, scope) = (&world.store, world.scope());
        async move { store.write_operation(scope, found.version, &after, None).await }
    });
    let written = futures::future::join_all(claims).await;
    assert_eq!(written.iter().filter(|written| written.is_ok()).count(), 1);
}

#[tokio::test]
async fn newest_operations_come_first_page_by_page() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.insert(0, create(&world).await.id);
        world.aws.pass(1);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world
            .store
            .operations(world.scope(), after.as_deref(), 2, world.aws.now());
        let page = page.await.unwrap();
        seen.extend(page.items.into_iter().map(|found| found.value.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, made);
}

#[tokio::test]
async fn erased_people_are_remembered_without_their_numbers() {
    let world = World::new().await;
    let identity = Identity::Phone(phone(CUSTOMER));
    assert!(!world.store.is_erased(world.scope(), &identity).await.unwrap());
    // The salt is written once.
    for salt in [1, 2] {
        let identities = [identity.key()];
        let remembered =
            world
                .store
                .remember_erased(world.scope(), &identities, Salt::new([salt; 32]), world.aws.now());
        remembered.await.unwrap();
    }
    assert!(world.store.is_erased(world.scope(), &identity).await.unwrap());
    let another = Identity::Phone(phone("+971501234568"));
    assert!(!world.store.is_erased(world.scope(), &another).await.unwrap());
}
