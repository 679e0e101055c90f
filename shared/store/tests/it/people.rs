//! Contacts as people change and search them.

use std::collections::BTreeSet;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{
    people::{FieldValue, Filter, Person, Profile, Sought, Test},
    terms::{ContactId, FieldId, ShownName, TagId},
};
use store::{StoreError, contacts::PersonError};
use testkit::business::erase;

use crate::{
    listed::{expected_rows, id, number, read_stored_rows},
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

/// The beginnings of entries by the present folding, and by the former one.
const FORMERLY: [(&str, &str); 3] = [("فاطمه#", "فاطمة#"), ("علي#", "على#"), ("besancon#", "besançon#")];

/// Leaves a contact's rows as a version of before the present folding wrote them.
async fn as_formerly(world: &World) {
    let (client, table) = (world.aws.dynamodb(), world.aws.table());
    for mut row in world.aws.rows().await {
        let sort = row["sk"].as_s().expect("a key").clone();
        let former = FORMERLY
            .iter()
            .find_map(|(now, former)| Some(format!("{former}{}", sort.strip_prefix(now)?)));
        let old = row.clone();
        let kind = row["kind"].as_s().expect("a kind").as_str();
        match former.filter(|_| kind == "listing") {
            Some(former) => row.insert("sk".to_owned(), AttributeValue::S(former)),
            None if kind == "profile" => match row.get_mut("data") {
                Some(AttributeValue::M(data)) => data.remove("folding"),
                _ => None,
            },
            None => continue,
        };
        let delete = client
            .delete_item()
            .table_name(table)
            .key("pk", old["pk"].clone())
            .key("sk", old["sk"].clone());
        delete.send().await.expect("the table answers");
        world.put_rows([row]).await;
    }
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

/// Whoever the former folding has listed is found once, as before and as now, and nothing of it is left by what happens to the contact.
#[tokio::test]
async fn entries_of_the_former_folding_are_found_and_removed() {
    let world = World::new().await;
    let city = id(FieldId::new, 1);
    let fatima = Profile {
        name: ShownName::of("فاطمة على علياء"),
        fields: [(city, FieldValue::Text("Besançon".parse().unwrap()))].into(),
        listed: [city].into(),
        ..Profile::default()
    };
    let contact = world.contact_known_as(fatima.clone()).await;
    let is_found = async |formerly: bool| {
        let names = ["فاطمة", "فاطمه", "فاط", "على", "علي", "عل", "FATIMA"].map(|name| Filter {
            name: Sought::of(name),
            ..Filter::default()
        });
        let value = |text: &str| Some((city, Test::Equals(FieldValue::Text(text.parse().unwrap()))));
        let values = ["BESANÇON", "besancon"].map(|text| Filter {
            field: value(text),
            ..Filter::default()
        });
        let mut all = Vec::new();
        for filter in names.into_iter().chain(values) {
            let once = find_contacts(&world, filter.clone(), false).await;
            assert_eq!(find_contacts(&world, filter.clone(), true).await, once);
            all.push(once);
        }
        let mut wanted = vec![vec![contact]; 9];
        wanted[6].clear();
        // A value is found by its former spelling until it is written again.
        if formerly {
            wanted[8].clear();
        }
        assert_eq!(all, wanted, "formerly: {formerly}");
    };
    let exactly = async |people: &[Person]| assert_eq!(read_stored_rows(&world).await, expected_rows(&world, people));
    is_found(false).await;
    exactly(&[world.person(contact).await]).await;
    as_formerly(&world).await;
    let before = world.person(contact).await;
    assert!(before.profile.folding.is_former());
    is_found(true).await;

    // Another change of the profile writes its entries again, and only them.
    let mut after = before.clone();
    after.profile.tags = [id(TagId::new, 1)].into();
    world.write_person(&before, &after).await.unwrap();
    exactly(&[world.person(contact).await]).await;
    is_found(false).await;

    // An import that is repeated lists it by what its profile says.
    as_formerly(&world).await;
    let before = world.person(contact).await;
    world.store.list_person(world.scope(), &before).await.unwrap();
    is_found(true).await;
    let mut after = before.clone();
    after.profile.name = ShownName::of("Lea");
    world.write_person(&before, &after).await.unwrap();
    exactly(&[world.person(contact).await]).await;

    // A merge takes them from the other contact, and what is undone is written by the present folding.
    let lea = world.person(contact).await;
    let named = Person {
        profile: Profile {
            version: lea.profile.version,
            ..fatima
        },
        ..lea.clone()
    };
    world.write_person(&lea, &named).await.unwrap();
    as_formerly(&world).await;
    let survivor = world.contact_known_as(Profile::from_name(ShownName::of("Zoe"))).await;
    let (kept, other) = (world.person(survivor).await, world.person(contact).await);
    let merge = world.business.merge_read(&world.aws, kept, other).await.unwrap();
    exactly(&[world.person(survivor).await]).await;
    world.business.unmerge(&world.aws, merge).await;
    exactly(&[world.person(survivor).await, world.person(contact).await]).await;

    // An erasure leaves nothing.
    as_formerly(&world).await;
    Box::pin(erase(&world.store, world.scope(), contact, world.aws.now())).await;
    exactly(&[world.person(survivor).await]).await;
    Box::pin(erase(&world.store, world.scope(), survivor, world.aws.now())).await;
    assert_eq!(read_stored_rows(&world).await, BTreeSet::new());
}
