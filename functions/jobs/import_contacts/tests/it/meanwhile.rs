//! Contacts that are changed, merged or erased while an import is about to write to them, or between two attempts of a row.

use domain::people::{Identity, ImportResult, Person, Profile};
use domain::terms::{ContactId, ShownName};
use import_contacts::{Context, handle};
use jobs::StartOperation;
use serde_json::json;
use store::contacts::{ContactWrite, Decided, ProfileWrite};
use testkit::Lossy;
use testkit::business::{decided_merge, erase};

use super::world::{World, mapping, name, result};

const MAYA: &str = "+971501234561";
const HADDAD: &str = "+971501234562";
const HALF: &str = "+971501234563";

/// Gives the second contact another name and an address.
const ROW: &str = "name,phone,email\nMaya Haddad,+971501234562,maya@example.com\n";

fn email() -> Identity {
    Identity::Email("maya@example.com".parse().unwrap())
}

fn phone(number: &str) -> Identity {
    Identity::Phone(number.parse().unwrap())
}

async fn holder(world: &World, identity: &Identity) -> Option<ContactId> {
    let found = world.store.contact_of(world.scope(), identity).await.unwrap();
    found.map(|contact| contact.id)
}

/// A world with two contacts, which are returned, too.
async fn two_contacts() -> (World, [Person; 2]) {
    let world = World::new(10).await;
    let table = format!("name,phone\nMaya,{MAYA}\nHaddad,{HADDAD}\n");
    let order = json!({"mapping": mapping(&["name", "phone"])});
    assert_eq!(world.import(table, order).await.counts.created, 2);
    let known = async |number| {
        let id = holder(&world, &phone(number)).await.unwrap();
        world.person(id).await
    };
    let people = [known(MAYA).await, known(HADDAD).await];
    (world, people)
}

/// Imports [`ROW`]. This happens once the row's contact was read, right before it is written.
async fn import_while(world: &mut World, what: impl AsyncFnOnce() + Send + 'static) -> ImportResult {
    let lossy = Lossy::before(&world.aws);
    let env = world.aws.env_behind(lossy.url());
    world.ctx = Context::new(&env).unwrap().in_steps_of(10, 500);
    lossy.happens_before("TransactWriteItems", what);
    let order = json!({"mapping": mapping(&["name", "phone", "email"]), "mode": "update"});
    let result = world.import(ROW, order).await;
    assert!(lossy.has_lost_all());
    result
}

/// The row is the survivor's, and what the other contact was found by leads to it once.
#[tokio::test]
async fn a_merge_while_a_row_is_written_is_followed() {
    let (mut world, [maya, haddad]) = two_contacts().await;
    let survivor = maya.contact.id;
    let (undo, merge, stamp) = decided_merge(&world.aws, maya, haddad);
    let (store, scope) = (world.store.clone(), world.scope().clone());
    let result = import_while(&mut world, async move || {
        let decided = Decided {
            undo: &undo,
            merge: &merge,
            told: &[],
        };
        store.merge_people(&scope, &decided, &stamp).await.unwrap();
    });
    let counts = Box::pin(result).await.counts;
    assert_eq!((counts.rows, counts.updated, counts.created), (1, 1, 0));
    let people = world.people().await;
    let names: Vec<String> = people.iter().map(name).collect();
    assert_eq!(names, ["Maya Haddad"]);
    assert_eq!(people[0].contact.phones.len(), 2);
    for identity in [phone(MAYA), phone(HADDAD), email()] {
        assert_eq!(holder(&world, &identity).await, Some(survivor), "{identity:?}");
    }
}

/// The row is refused as one of an erased person, and nothing of it is written.
#[tokio::test]
async fn an_erasure_while_a_row_is_written_is_obeyed() {
    let (mut world, [maya, haddad]) = two_contacts().await;
    let (store, scope, now) = (world.store.clone(), world.scope().clone(), world.aws.now());
    let id = haddad.contact.id;
    let before = world.aws.row_count().await;
    let result = import_while(&mut world, async move || Box::pin(erase(&store, &scope, id, now)).await);
    let counts = Box::pin(result).await.counts;
    assert_eq!((counts.rows, counts.refused, counts.erased), (1, 1, 1));
    let people = world.people().await;
    assert_eq!(people, [maya]);
    for identity in [phone(HADDAD), email()] {
        assert_eq!(holder(&world, &identity).await, None, "{identity:?}");
    }
    let rows = world.aws.row_count().await;
    // Without a contact with its profile, number and word; with an import, its operation, a salt and the hash of a number.
    assert_eq!(rows, before - 4 + 4);
}

/// The row is refused as one about two people, and the address stays whose it became.
#[tokio::test]
async fn an_address_that_another_gained_meanwhile_stays_theirs() {
    let (mut world, [mut maya, _]) = two_contacts().await;
    let (store, scope, owner) = (world.store.clone(), world.scope().clone(), maya.contact.id);
    let result = import_while(&mut world, async move || {
        maya.contact.emails.push("maya@example.com".parse().unwrap());
        let write = ContactWrite::new(maya.contact, email());
        store.write_contact(&scope, &write, None).await.unwrap();
    });
    let counts = Box::pin(result).await.counts;
    assert_eq!((counts.rows, counts.refused), (1, 1));
    assert_eq!(holder(&world, &email()).await, Some(owner));
}

/// An import of one contact, whose first worker has died before it listed the contact by its name.
async fn interrupted_import(world: &World, mode: &str) -> StartOperation {
    let import = world.upload(format!("name,phone\nMaya Haddad,{HALF}\n")).await;
    let order = json!({"mapping": mapping(&["name", "phone"]), "mode": mode});
    let start = world.start(&import, order).await;
    let lossy = Lossy::before(&world.aws);
    let env = world.aws.env_behind(lossy.url());
    let dying = Context::new(&env).unwrap().in_steps_of(10, 500);
    lossy.deny("BatchWriteItem");
    let turn = world.operations.turn(&start).await;
    assert!(Box::pin(handle(turn, &dying)).await.is_err());
    assert_eq!(words(world).await, Vec::<String>::new());
    start
}

/// The contact of [`interrupted_import`].
async fn half_written(world: &World) -> Person {
    let id = holder(world, &phone(HALF)).await.unwrap();
    world.person(id).await
}

/// The indexed words of contacts, in order.
async fn words(world: &World) -> Vec<String> {
    let rows = world.aws.rows().await;
    let listed = rows.iter().filter(|row| row["pk"].as_s().unwrap().contains("#FIND#n"));
    let words = listed.filter_map(|row| row["sk"].as_s().unwrap().split_once('#'));
    let mut words: Vec<String> = words.map(|(word, _)| word.to_owned()).collect();
    words.sort();
    words
}

/// Others rename the contact between the attempts.
#[tokio::test]
async fn renamed_half_written_contact_is_in_no_other_list() {
    for (mode, expected) in [
        ("create", ["h", "maya"]),
        ("skip", ["h", "maya"]),
        ("update", ["haddad", "maya"]),
    ] {
        let world = World::new(10).await;
        let start = interrupted_import(&world, mode).await;
        let Person { contact, profile } = half_written(&world).await;
        let after = Profile {
            name: ShownName::of("Maya H"),
            ..profile.clone()
        };
        let write = ContactWrite {
            profile: Some(ProfileWrite { before: profile, after }),
            ..ContactWrite::from(contact)
        };
        world.store.write_contact(world.scope(), &write, None).await.unwrap();
        let counts = result(&Box::pin(world.finish(&start)).await).counts;
        assert_eq!((counts.rows, counts.created), (1, 1), "{mode}");
        assert_eq!(words(&world).await, expected, "{mode}");
    }
}

/// The survivor is erased by its own lists, and a merged contact is in none.
#[tokio::test]
async fn merged_half_written_contact_is_in_no_list() {
    for (mode, expected) in [("create", (0, 1)), ("skip", (1, 0))] {
        let world = World::new(10).await;
        let start = interrupted_import(&world, mode).await;
        let table = format!("name,phone\nLayla,{MAYA}\n");
        let order = json!({"mapping": mapping(&["name", "phone"])});
        assert_eq!(Box::pin(world.import(table, order)).await.counts.created, 1);
        let id = holder(&world, &phone(MAYA)).await.unwrap();
        let survivor = world.person(id).await;
        let (undo, merge, stamp) = decided_merge(&world.aws, survivor, half_written(&world).await);
        let decided = Decided {
            undo: &undo,
            merge: &merge,
            told: &[],
        };
        let merged = world.store.merge_people(world.scope(), &decided, &stamp);
        Box::pin(merged).await.unwrap();
        let counts = result(&Box::pin(world.finish(&start)).await).counts;
        assert_eq!((counts.skipped, counts.refused), expected, "{mode}");
        assert_eq!(words(&world).await, ["layla"], "{mode}");
    }
}
