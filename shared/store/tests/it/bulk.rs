//! People who come in large numbers, and are added again after an interruption.

use domain::people::{Addition, By, Choice, ConsentEntry, Contact, Person, Profile, Scope, Wish};
use domain::terms::{ContactId, ShownName};
use store::Store;
use store::contacts::{Added, Brought, ContactWrite, Decided};
use testkit::Lossy;
use testkit::business::{decided_merge, erase};

use crate::listed::{expected_rows, number, read_stored_rows};
use crate::world::World;

/// A person with a name and nothing else.
fn maya(world: &World) -> Addition {
    Addition {
        person: Box::new(Person {
            contact: Contact::new(ContactId::new(world.aws.ids().ulid()), world.aws.now()),
            profile: Profile::from_name(ShownName::of("Maya Haddad")),
        }),
        states: Vec::new(),
        consent: Vec::new(),
    }
}

async fn add(world: &World, store: &Store, addition: &Addition) -> Added {
    let brought = Brought::default();
    let added = store.add_person(world.scope(), addition, &brought);
    added.await.expect("the table answers")
}

/// The table behind an access that something happens to.
pub(crate) fn behind(world: &World, lossy: &Lossy) -> Store {
    Store::new(world.aws.env_behind(lossy.url()).dynamodb(), world.aws.table())
}

/// Whoever erases the survivor deletes what it is found by, and nothing of the merged contact's id.
#[tokio::test]
async fn a_merged_person_who_is_added_again_is_not_listed() {
    let world = World::new().await;
    let (survivor, other) = (maya(&world), maya(&world));
    for person in [&survivor, &other] {
        assert_eq!(add(&world, &world.store, person).await, Added::Whole);
    }
    let into = survivor.person.contact.id;
    world.business.merge(&world.aws, into, other.person.contact.id).await;
    assert_eq!(add(&world, &world.store, &other).await, Added::Otherwise);
    let survivor = world.person(into).await;
    assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &[survivor]));
}

#[tokio::test]
async fn a_merge_while_a_person_is_added_leaves_no_entry() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let (survivor, other) = (maya(&world), maya(&world));
    assert_eq!(add(&world, store, &survivor).await, Added::Whole);
    // The first attempt was interrupted behind the contact itself.
    let begun = ContactWrite::from(other.person.contact.clone());
    store.write_contact(scope, &begun, None).await.unwrap();
    let into = survivor.person.contact.id;
    let mut half = world.person(other.person.contact.id).await;
    half.profile = Profile {
        version: 1,
        ..other.person.profile.clone()
    };
    let (undo, merge, stamp) = decided_merge(&world.aws, world.person(into).await, half);
    let lossy = Lossy::before(&world.aws);
    let interrupted = behind(&world, &lossy);
    let (own, of) = (store.clone(), scope.clone());
    // Right before it is listed.
    lossy.happens_before("BatchWriteItem", async move || {
        let decided = Decided {
            undo: &undo,
            merge: &merge,
            told: &[],
        };
        own.merge_people(&of, &decided, &stamp).await.unwrap();
    });
    assert_eq!(add(&world, &interrupted, &other).await, Added::Whole);
    assert!(lossy.has_lost_all());
    let survivor = world.person(into).await;
    assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &[survivor]));
}

#[tokio::test]
async fn a_person_whose_erasure_has_begun_is_not_listed_again() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let person = maya(&world);
    assert_eq!(add(&world, store, &person).await, Added::Whole);
    let id = person.person.contact.id;
    let mut contact = world.person(id).await.contact;
    (contact.deleted_at, contact.erasing) = (Some(world.aws.now()), true);
    store.write_contact(scope, &contact.into(), None).await.unwrap();
    store.erase_listings(scope, id).await.unwrap();
    let before = read_stored_rows(&world).await;
    assert_eq!(add(&world, store, &person).await, Added::Erased);
    assert_eq!(read_stored_rows(&world).await, before);
}

/// Rows behind the contact itself are written after the whole erasure.
#[tokio::test]
async fn a_person_who_is_erased_while_added_leaves_nothing() {
    let world = World::new().await;
    let mut addition = maya(&world);
    addition.person.contact.phones = vec![number(1)];
    let agreed = Wish::new(Choice::Granted, Scope::ALL, By::Import, "the till", world.aws.now());
    addition.consent = vec![(world.aws.ids().ulid(), ConsentEntry::of(&agreed))];
    let lossy = Lossy::before(&world.aws);
    let interrupted = behind(&world, &lossy);
    let (store, scope) = (world.store.clone(), world.scope().clone());
    let (id, now) = (addition.person.contact.id, world.aws.now());
    // The only row that is put by itself is the profile.
    lossy.happens_before("PutItem", async move || Box::pin(erase(&store, &scope, id, now)).await);
    assert_eq!(add(&world, &interrupted, &addition).await, Added::Erased);
    assert!(lossy.has_lost_all());
    assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &[]));
}

/// Nobody adds what is left out, since the import was cancelled: the profile, which is written first, says what there is to delete.
#[tokio::test]
async fn an_interrupted_person_leaves_nothing_behind_its_erasure() {
    for executed in [false, true] {
        let world = World::new().await;
        let addition = maya(&world);
        let lossy = Lossy::before(&world.aws);
        let interrupted = behind(&world, &lossy);
        if executed {
            lossy.lose_all("BatchWriteItem");
        } else {
            lossy.deny("BatchWriteItem");
        }
        let brought = Brought::default();
        let added = interrupted.add_person(world.scope(), &addition, &brought);
        assert!(added.await.is_err());
        let id = addition.person.contact.id;
        Box::pin(erase(&world.store, world.scope(), id, world.aws.now())).await;
        assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &[]));
    }
}
