//! Contacts as people change and search them.

use domain::people::{FieldValue, Filter, Person, Profile, Test, Word};
use domain::terms::{ContactId, FieldId, ShownName, TagId};
use store::StoreError;
use store::contacts::PersonError;

use crate::listed::{expected_rows, id, number, read_stored_rows};
use crate::world::World;

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
    let id = world.contact_known_as(Profile::from_name(ShownName::of("Maya"))).await;
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
    assert_eq!(read_stored_rows(&world).await, expected_rows(&world, &[now]));
}

/// The contacts that a filter finds, one a page.
async fn find_contacts(world: &World, filter: Filter, backwards: bool) -> Vec<ContactId> {
    let search = filter.search().expect("it has a list");
    let (mut ids, mut after) = (Vec::new(), None);
    loop {
        let page = world
            .store
            .search_contacts(world.scope(), &search, after.as_ref(), 1, backwards);
        let page = page.await.expect("the table answers");
        ids.extend(page.items.iter().map(|person| person.contact.id));
        let Some(next) = page.next else { return ids };
        after = Some(store::contacts::PeoplePosition::read(&next, &search).expect("a position"));
    }
}

/// Names and values are found in whatever spelling they are typed, once.
#[tokio::test]
async fn spellings_of_names_and_values_are_found_once() {
    let world = World::new().await;
    let city = id(FieldId::new, 1);
    let fatima = Profile {
        name: ShownName::of("فاطمة على علياء"),
        fields: [(city, FieldValue::Text("Besançon".parse().unwrap()))].into(),
        listed: [city].into(),
        ..Profile::default()
    };
    let contact = world.contact_known_as(fatima).await;
    let names = ["فاطمة", "فاطمه", "فاط", "على", "علي", "عل"].map(|name| Filter {
        name: Word::of(name),
        ..Filter::default()
    });
    let values = ["BESANÇON", "besancon"].map(|text| Filter {
        field: Some((city, Test::Equals(FieldValue::Text(text.parse().unwrap())))),
        ..Filter::default()
    });
    for filter in names.into_iter().chain(values) {
        for backwards in [false, true] {
            assert_eq!(find_contacts(&world, filter.clone(), backwards).await, [contact]);
        }
    }
}
