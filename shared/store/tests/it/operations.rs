//! Operations, and what is remembered of erased people.

use domain::people::{Change, Contact, Identity, Salt, Wishes};
use domain::terms::{Claim, Data, Operation, OperationId, OperationKind, Progress, SlotWish, TakenSlot};
use futures::future::join_all;
use jiff::SignedDuration;
use jobs::{StartOperation, ToQueue};
use store::Versioned;
use store::contacts::ContactWrite;
use store::table::operations::DETAILS_LIFE;
use testkit::business::{CUSTOMER, phone};

use crate::due::list_due_rows;
use crate::world::{World, all_pages};

async fn create(world: &World) -> Operation {
    let operation = world.operations.new_unstored(OperationKind::EraseContact, &"x");
    let stamp = world.aws.stamp();
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

/// Details for the worker alone are written with the operation, once, and go when it is done or after a week.
#[tokio::test]
async fn details_of_an_operation_are_its_workers_own() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let details = |count: usize| -> Vec<String> { vec!["ctc_01hq5c1ynyc0000000000000ab".to_owned(); count] };
    let read = async |id| {
        let found = store.operation_details::<Vec<String>>(scope, id, world.aws.now());
        found.await.expect("the table answers")
    };
    let mut made = Vec::new();
    for _ in 0..2 {
        let operation = world.operations.new_unstored(OperationKind::ChangeContacts, &"x");
        let id = operation.id;
        // The request comes twice.
        for count in [1_000, 1] {
            let (details, stamp) = (details(count), world.stamp());
            let created = store.create_detailed_operation(scope, &operation, &details, &stamp);
            let start = created.await.expect("the table answers");
            assert_eq!(start, ToQueue::start(world.business.tenant(), &operation));
        }
        assert_eq!(read(id).await, Some(details(1_000)));
        made.push(id);
    }
    let listed = store.operations(scope, None, 10, world.aws.now()).await.unwrap();
    assert_eq!(listed.items.len(), 2);
    store.delete_operation_details(scope, made[0]).await.unwrap();
    assert_eq!(read(made[0]).await, None);
    world.aws.pass(DETAILS_LIFE.as_secs() - 1);
    assert!(read(made[1]).await.is_some());
    world.aws.pass(1);
    assert_eq!(read(made[1]).await, None);
}

#[tokio::test]
async fn an_operation_is_due_until_it_ends() {
    let world = World::new().await;
    let operation = create(&world).await;
    world.aws.pass(90);
    let rows = world.store.due_rows(list_due_rows(&world).await).await.unwrap();
    let [(_, Ok(Some(row)))] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(row.job, ToQueue::start(world.business.tenant(), &operation));
    let start = StartOperation::of(world.business.tenant(), &operation);
    assert_eq!(start.operation, operation.id);

    let found = read(&world, operation.id).await.unwrap();
    let mut after = found.value.clone();
    after.claim(world.aws.ids().ulid(), world.aws.now());
    after.finish(Data::of(&"x").unwrap(), Progress::default(), world.aws.now());
    let written = world
        .store
        .write_operation(world.scope(), found.version, &after, None)
        .await;
    assert_eq!(written.unwrap(), found.version + 1);
    world.aws.pass(3600);
    assert!(list_due_rows(&world).await.is_empty());
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
    let written = join_all(claims).await;
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
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let seen = all_pages(async |after| store.operations(scope, after.as_deref(), 2, now).await).await;
    let seen: Vec<OperationId> = seen.into_iter().map(|found| found.value.id).collect();
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
        let (store, salt) = (&world.store, Salt::new([salt; 32]));
        let none = Wishes::NONE;
        let remembered = store.remember_erased(world.scope(), &identities, &none, salt, world.aws.now());
        remembered.await.unwrap();
    }
    assert!(world.store.is_erased(world.scope(), &identity).await.unwrap());
    let another = Identity::Phone(phone("+971501234568"));
    assert!(!world.store.is_erased(world.scope(), &another).await.unwrap());
}

/// Writes of a job since the contact was read may lead to it, or be a refusal.
#[tokio::test]
async fn contact_written_since_it_was_read_is_not_erased() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let read = world.contact(CUSTOMER).await;
    let read = store.contact(scope, read.id).await.unwrap().unwrap();
    let call = |contact: &mut Contact| {
        contact.calls += 1;
        Change::Contact
    };
    world.change_contact(read.id, call).await;
    let lost = store.erase_contact_rows(scope, &read).await;
    assert!(lost.unwrap_err().is_conflict());
    let known = store.contact(scope, read.id).await.unwrap().unwrap();
    assert_eq!(known.calls, 1);
    assert_eq!(store.erase_contact_rows(scope, &known).await.unwrap().contacts, 1);
    assert_eq!(store.contact(scope, read.id).await.unwrap(), None);
    // A job that still knows it links nothing to it.
    let bsuid = Identity::Bsuid("AE.1".to_owned());
    let mut late = known;
    let linked = late.prefer(&bsuid);
    let write = ContactWrite::from_linked(late, linked);
    let late = store.write_contact(scope, &write, None).await;
    assert!(late.unwrap_err().is_conflict());
    assert_eq!(store.contact_of(scope, &bsuid).await.unwrap(), None);
}

/// A slot has one holder, until it is given back or its time is over; and only its holder gives it back.
#[tokio::test]
async fn slot_has_one_holder_at_a_time() {
    let world = World::new().await;
    let (store, ids) = (&world.store, world.aws.ids());
    let slot = |seconds: i64| TakenSlot {
        tenant: world.business.tenant(),
        operation: OperationId::new(ids.ulid()),
        until: world.aws.now() + SignedDuration::from_secs(seconds),
    };
    let (mine, holders) = (slot(300), [(); 4].map(|()| ids.ulid()));
    let takes = holders.map(|holder| store.take_slot(42, holder, &mine, world.aws.now()));
    let taken: Vec<bool> = join_all(takes).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> = holders.into_iter().zip(taken).filter(|(_, taken)| *taken).collect();
    let [(winner, _)] = winners[..] else {
        panic!("{winners:?}");
    };
    let late = ids.ulid();
    for (pass, is_free) in [(0, false), (300, false), (1, true)] {
        world.aws.pass(pass);
        let taken = store.take_slot(42, late, &slot(300), world.aws.now()).await.unwrap();
        assert_eq!(taken, is_free, "after {pass} seconds more");
    }
    // The former holder comes back to life, and is too late.
    store.give_slot_back(42, winner, &mine, world.aws.now()).await.unwrap();
    let other = ids.ulid();
    assert!(!store.take_slot(42, other, &slot(300), world.aws.now()).await.unwrap());
    store.give_slot_back(42, late, &mine, world.aws.now()).await.unwrap();
    assert!(store.take_slot(42, other, &slot(300), world.aws.now()).await.unwrap());
}

/// However many ask at once, a tenant has two slots for a kind, and each that is given back goes to one that waits.
#[tokio::test]
async fn slots_of_a_tenant_hold_however_many_ask() {
    let world = World::new().await;
    let (store, scope, ids) = (&world.store, world.scope(), world.aws.ids());
    let wishes = [(); 6].map(|()| SlotWish {
        operation: OperationId::new(ids.ulid()),
        kind: OperationKind::ExportData,
        holder: ids.ulid(),
        until: world.aws.now() + SignedDuration::from_secs(300),
        since: None,
    });
    let takes = wishes
        .iter()
        .map(|wish| store.take_slot_of_tenant(scope, wish, world.aws.now()));
    let taken = join_all(takes).await.into_iter().map(Result::unwrap);
    let (with, without): (Vec<_>, Vec<_>) = wishes.iter().zip(taken).partition(|(_, taken)| *taken);
    assert_eq!(with.len(), 2);
    for (wish, _) in with {
        let next = store
            .give_slot_of_tenant_back(scope, wish, false, world.aws.now())
            .await
            .unwrap();
        let next = next.expect("one waits").operation;
        assert!(without.iter().any(|(wish, _)| wish.operation == next));
    }
}
