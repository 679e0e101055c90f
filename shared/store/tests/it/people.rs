//! Contacts as people change and search them.

use domain::{
    base::{external::ShownName, ids::TagId},
    contacts::{filter::Filter, person::Person, profile::Profile},
};
use store::{StoreError, contacts::people::PersonError};

use crate::{
    listed::{expected, id, number, stored},
    world::World,
};

/// Work that goes through a list step by step continues where it was, although the contacts leave the list behind it.
#[tokio::test]
async fn a_search_continues_though_its_list_shrinks() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let tag = id(TagId::new, 1);
    let mut made = Vec::new();
    for _ in 0..7 {
        let tagged = Profile {
            tags: [tag].into(),
            ..Profile::default()
        };
        made.push(world.contact_known_as(tagged).await);
        world.aws.pass(1);
    }
    let filter = Filter {
        tag: Some(tag),
        ..Filter::default()
    };
    let search = filter.search().expect("a tag has a list");
    let (mut found, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = store
            .searched_contacts(scope, &search, after.as_deref(), 3)
            .await
            .unwrap();
        for before in page.items {
            found.push(before.contact.id);
            let mut after = before.clone();
            after.profile.tags.clear();
            world.write_person(&before, &after).await.unwrap();
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(found, made);
    let other = store.searched_contacts(scope, &search, Some("s00"), 3).await;
    assert!(matches!(other, Err(StoreError::Position)));
}

/// A change that another one overtook writes nothing, whichever of the two rows it would have changed.
#[tokio::test]
async fn an_overtaken_change_of_a_person_writes_nothing() {
    let world = World::new().await;
    let id = world.contact_known_as(Profile::named(ShownName::of("Maya"))).await;
    let before = world.person(id).await;
    let change = |change: fn(&mut Person)| {
        let mut after = before.clone();
        change(&mut after);
        after
    };
    let named = change(|person| person.profile.name = ShownName::of("Lea"));
    let deleted = change(|person| person.contact.deleted_at = Some(person.contact.created_at));
    let both = change(|person| {
        person.profile.name = ShownName::of("Zoe");
        person.contact.phones = vec![number(1)];
    });
    world.write_person(&before, &named).await.unwrap();
    world.write_person(&before, &deleted).await.unwrap();
    for late in [named, deleted, both] {
        let refused = world.write_person(&before, &late).await.unwrap_err();
        assert!(matches!(refused, PersonError::Store(error) if error.is_conflict()));
    }
    let now = world.person(id).await;
    assert_eq!(now.profile.name.as_deref(), Some("Lea"));
    assert!(now.contact.phones.is_empty());
    assert_eq!(stored(&world).await, expected(&world, &[now]));
}
