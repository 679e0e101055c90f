//! Segments, in process against the emulator, from the callers' point of view.

use domain::accounts::{Permission, Role};
use domain::people::{Contact, Field, FieldValue, Person, Profile, Segment, Stage, Staged, Tag};
use domain::terms::{ContactId, Operation, OperationId, ShownName};
use serde_json::{Value, json};
use store::contacts::Brought;
use testkit::api::{House, Town};
use testkit::{Answer, Aws, Resource, texts};

const SEGMENTS: &str = "/api/v1/segments";

fn with(name: &str, filter: Value) -> Value {
    let mut body = json!({"name": name});
    body["filter"] = filter;
    body
}

async fn contact(aws: &Aws, house: &House, name: &str, change: impl FnOnce(&mut Person)) -> ContactId {
    aws.pass(1);
    let mut person = Person {
        contact: Contact::new(ContactId::new(aws.ids().ulid()), aws.now()),
        profile: Profile::from_name(ShownName::of(name)),
    };
    change(&mut person);
    let (store, brought, stamp) = (aws.store(), Brought::default(), aws.stamp());
    let created = store.create_person(house.scope(), &person, &brought, &stamp).await;
    created.expect("the contact is created");
    person.contact.id
}

#[tokio::test]
async fn segments_keep_the_promises_of_every_resource() {
    let segments = Resource {
        routes: segments::routes,
        path: SEGMENTS,
        read: Permission::SegmentsRead,
        write: Permission::SegmentsWrite,
        new: json!({"name": "Everybody", "description": "Invitation to the tasting", "filter": {}}),
        change: json!({"name": "All contacts", "description": null}),
    };
    segments.keeps_its_promises::<Segment>().await;
}

#[tokio::test]
async fn a_name_belongs_to_one_segment_however_it_is_spelled() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, segments::routes).await;
    let manager = town.manager();
    let named = |name: &str| with(name, json!({}));
    let first = manager.post(SEGMENTS, named("Big Straße")).await;
    for same in ["  big straße ", "BIG STRASSE"] {
        manager.post(SEGMENTS, named(same)).await.is_refused(409, "taken");
    }
    town.foreign_admin().post(SEGMENTS, named("big straße")).await.is(201);
    let second = manager.post(SEGMENTS, named("Small")).await;
    let rename = |made: &Answer| manager.patch(made.is(201).header("location"), json!({"name": "BIG STRASSE"}));
    rename(&second).await.is_refused(409, "taken");
    rename(&first).await.is(200);
}

#[tokio::test]
async fn a_segment_shows_the_contacts_that_fulfil_its_filter() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, segments::routes).await;
    let home = &town.home;
    let tag = home.create_owned::<Tag>(&aws, json!({"name": "Regular"})).await;
    let stage = home
        .create_owned::<Stage>(&aws, json!({"name": "Open", "position": 1}))
        .await;
    let visits = json!({"key": "visits", "name": "Visits", "type": "number", "searchable": true});
    let visits = home.create_owned::<Field>(&aws, visits).await;
    let visited = |person: &mut Person, number: &str| {
        let number = FieldValue::Number(number.parse().expect("a number"));
        person.profile.fields.insert(visits.id, number);
        person.profile.listed.insert(visits.id);
    };
    contact(&aws, home, "Maya", |person| {
        person.profile.tags.insert(tag.id);
        person.contact.language = Some("ar".to_owned());
        visited(person, "7");
    })
    .await;
    contact(&aws, home, "José", |person| {
        person.profile.tags.insert(tag.id);
        visited(person, "-2.5");
    })
    .await;
    contact(&aws, home, "Lea", |person| {
        let since = person.contact.created_at;
        person.profile.stage = Some(Staged { stage: stage.id, since });
    })
    .await;
    contact(&aws, home, "Zoe", |person| {
        person.contact.deleted_at = Some(person.contact.created_at)
    })
    .await;
    contact(&aws, &town.away, "Theirs", |_| {}).await;
    let manager = town.manager();
    for (number, (filter, expected)) in [
        (json!({}), vec!["Maya", "José", "Lea"]),
        (json!({"tag": tag.id}), vec!["Maya", "José"]),
        (json!({"tag": tag.id, "language": "ar"}), vec!["Maya"]),
        (json!({"stage": stage.id}), vec!["Lea"]),
        (json!({"field": "visits", "from": -3}), vec!["José", "Maya"]),
        (json!({"field": "visits", "from": -3, "to": "0"}), vec!["José"]),
        (json!({"field": "visits", "value": 7, "tag": tag.id}), vec!["Maya"]),
        (json!({"tag": tag.id, "owner": home.person(Role::Agent).user}), vec![]),
    ]
    .into_iter()
    .enumerate()
    {
        let segment = with(&format!("Segment {number}"), filter.clone());
        let made = manager.post(SEGMENTS, segment).await;
        let place = format!("{}/contacts", made.is(201).header("location"));
        assert_eq!(town.viewer().get(&place).await.texts("name"), expected, "{filter}");
        let paged = town.viewer().all(&place, 1).await;
        assert_eq!(texts(&paged, "name"), expected, "{filter}, page by page");
        town.foreign_admin().get(&place).await.is(404);
        aws.pass(60);
    }
    // A cursor belongs to the list that returned it.
    let ids = town.viewer().get(&format!("{SEGMENTS}?limit=100")).await.texts("id");
    let place = |index: usize| format!("{SEGMENTS}/{}/contacts", ids[index]);
    let page = town.viewer().get(&format!("{}?limit=1", place(0))).await.json();
    let next = page["next_cursor"].as_str().expect("there is a next page");
    town.viewer().get(&format!("{}?cursor={next}", place(4))).await.is(400);
}

#[tokio::test]
async fn a_filter_without_a_list_names_those_that_have_one() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, segments::routes).await;
    let manager = town.manager();
    let owner = town.home.person(Role::Agent).user;
    let alone = [
        json!({"language": "ar"}),
        json!({"source": "Shop"}),
        json!({"owner": owner}),
    ];
    for filter in alone {
        let refused = manager.post(SEGMENTS, with("Alone", filter.clone())).await;
        for driver in ["`tag`", "`stage`", "`field`"] {
            assert!(refused.is(400).detail().contains(driver), "{filter}");
        }
    }
    let tag = town.home.create_owned::<Tag>(&aws, json!({"name": "Regular"})).await;
    let driven = json!({"language": "ar", "tag": tag.id});
    let made = manager.post(SEGMENTS, with("Together", driven)).await;
    let place = made.is(201).header("location");
    manager.patch(place, json!({"filter": {"tag": null}})).await.is(400);
    let without = json!({"filter": {"tag": null, "language": null}});
    let all = manager.patch(place, without).await;
    assert_eq!(all.is(200).json()["filter"], json!({}));
}

/// A segment stores nothing that names a person, and names no segment, neither another one nor itself.
#[tokio::test]
async fn a_filter_that_means_nothing_is_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, segments::routes).await;
    let manager = town.manager();
    let foreign = town.away.create_owned::<Tag>(&aws, json!({"name": "Regular"})).await.id;
    let hidden = json!({"key": "hidden", "name": "Hidden", "type": "text"});
    town.home.create_owned::<Field>(&aws, hidden).await;
    let made = manager.post(SEGMENTS, with("Known", json!({}))).await;
    let place = made.is(201).header("location");
    let id = |prefix: &str| format!("{prefix}_01hq5c1ynyc0000000000000ab");
    for (filter, wrong) in [
        (json!({"segment": made.json()["id"]}), "filter.segment"),
        (json!({"phone": "+971501234567"}), "filter.phone"),
        (json!({"email": "maya@example.com"}), "filter.email"),
        (json!({"digits": "4567"}), "filter.digits"),
        (json!({"name": "maya"}), "filter.name"),
        (json!({"deleted": true}), "filter.deleted"),
        (json!({"tag": id("tag")}), "filter.tag"),
        (json!({"tag": foreign}), "filter.tag"),
        (json!({"tag": "x".repeat(10 * 1024)}), "filter.tag"),
        (json!({"stage": id("stg")}), "filter.stage"),
        (json!({"owner": id("usr")}), "filter.owner"),
        (json!({"field": "hidden", "value": "x"}), "filter.field"),
        (json!({"field": "nothing", "value": "x"}), "filter.field"),
        (json!({"field": "hidden", "value": "x".repeat(501)}), "filter.value"),
        (json!({"source": "x".repeat(61)}), "filter.source"),
        (json!({"value": 7}), "filter.value"),
        (json!("all"), "filter"),
    ] {
        manager
            .post(SEGMENTS, with("New", filter.clone()))
            .await
            .names_field(wrong);
        manager
            .patch(place, json!({ "filter": filter }))
            .await
            .names_field(wrong);
        aws.pass(10);
    }
    for (field, value) in [
        ("name", json!(" ")),
        ("name", json!("x".repeat(61))),
        ("name", json!("V\u{202e}IP")),
        ("description", json!("x".repeat(201))),
    ] {
        let mut body = with("New", json!({}));
        body[field] = value;
        manager.post(SEGMENTS, body).await.names_only(&[field]);
    }
}

/// The segment stays, says what is wrong, and can be changed.
#[tokio::test]
async fn a_segment_without_its_tag_stage_or_field_says_so() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, segments::routes).await;
    let (home, manager) = (&town.home, town.manager());
    let tag = home
        .create_owned::<Tag>(&aws, json!({"name": "Regular"}))
        .await
        .id
        .to_string();
    let stage = home
        .create_owned::<Stage>(&aws, json!({"name": "Open", "position": 1}))
        .await;
    let stage = stage.id.to_string();
    let level = json!({"key": "level", "name": "Level", "type": "text", "searchable": true});
    let field = home.create_owned::<Field>(&aws, level.clone()).await.id.to_string();
    let mut places = Vec::new();
    for (name, filter) in [
        ("filter.tag", json!({"tag": tag})),
        ("filter.stage", json!({"stage": stage})),
        ("filter.field", json!({"field": "level", "value": "gold"})),
    ] {
        let made = manager.post(SEGMENTS, with(name, filter)).await;
        places.push((made.is(201).header("location").to_owned(), name));
    }
    town.home.remove::<Tag>(&aws, &tag).await;
    town.home.remove::<Stage>(&aws, &stage).await;
    town.home.remove::<Field>(&aws, &field).await;
    for (place, wrong) in &places {
        for refused in [
            manager.get(&format!("{place}/contacts")).await,
            manager.post(&format!("{place}/count"), json!({})).await,
        ] {
            assert_eq!(refused.is_refused(409, "segment_unusable").fields(), [*wrong]);
        }
        manager.get(place).await.is(200);
        manager
            .patch(place, json!({"name": format!("Former {wrong}")}))
            .await
            .is(200);
    }
    // A new field with the same key takes the place of the former one; a tag and a stage have other ids.
    home.create_owned::<Field>(&aws, level).await;
    manager.get(&format!("{}/contacts", places[2].0)).await.is(200);
    manager
        .patch(&places[0].0, json!({"filter": {"tag": null}}))
        .await
        .is(200);
    manager.get(&format!("{}/contacts", places[0].0)).await.is(200);
}

#[tokio::test]
async fn counting_a_segment_starts_an_operation() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, segments::routes).await;
    let tag = town.home.create_owned::<Tag>(&aws, json!({"name": "Regular"})).await.id;
    let made = town
        .manager()
        .post(SEGMENTS, with("Regulars", json!({"tag": tag})))
        .await;
    let place = made.is(201).header("location");
    let count = format!("{place}/count");
    town.foreign_admin().post(&count, json!({})).await.is(404);
    let other = town.new_key(Role::Admin, &[Permission::ContactsRead]).await.1;
    town.api_key(&other).post(&count, json!({})).await.is(403);
    let started = town.viewer().post(&count, json!({})).await;
    let operation = started.is(202).json();
    assert_eq!(operation["kind"], "count_segment");
    assert_eq!(
        operation["params"],
        json!({"segment": made.json()["id"], "filter": {"tag": tag}})
    );
    let id: OperationId = operation["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let stored = aws.store().operation(town.home.scope(), id, aws.now()).await;
    assert!(stored.expect("the table answers").is_some());
    // Each may read all contacts, and none of them ends here.
    for started in 1..60 {
        aws.pass(1);
        let answer = town.viewer().post(&count, json!({})).await;
        if started < Operation::MAX_DUE {
            answer.is(202);
        } else {
            answer.is_refused(409, "too_many_operations");
        }
    }
    let counted = town.viewer().get(place).await;
    assert_eq!(counted.is(200).json(), made.json(), "a count is no change");
    town.viewer()
        .post(&count, json!({}))
        .await
        .is_refused(429, "too_many_requests");
}
