//! Fields, in process against the emulator, from the callers' point of view.

use domain::accounts::Permission;
use domain::people::Field;
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, Resource};

const FIELDS: &str = "/api/v1/fields";

fn level() -> Value {
    json!({"key": "level", "name": "Loyalty level", "type": "choice", "options": ["Silver", "Gold"], "searchable": false})
}

fn searchable(key: &str, searchable: bool) -> Value {
    json!({"key": key, "name": "Field", "type": "text", "searchable": searchable})
}

#[tokio::test]
async fn fields_keep_the_promises_of_every_resource() {
    let fields = Resource {
        routes: fields::routes,
        path: FIELDS,
        read: Permission::FieldsRead,
        write: Permission::FieldsWrite,
        new: level(),
        change: json!({"name": "Level", "options": ["Gold", "Platinum"]}),
    };
    fields.keeps_its_promises::<Field>().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_field_of_the_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, fields::routes).await;
    let manager = town.manager();
    let first = manager.post(FIELDS, level()).await;
    first.is(201);
    manager.post(FIELDS, level()).await.is_refused(409, "taken");
    town.foreign_admin().post(FIELDS, level()).await.is(201);
    manager.delete(first.header("location")).await.is(204);
    manager.post(FIELDS, level()).await.is(201);
}

#[tokio::test]
async fn key_and_type_of_a_field_cannot_change() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, fields::routes).await;
    let manager = town.manager();
    let made = manager.post(FIELDS, level()).await;
    let place = made.is(201).header("location");
    for (change, fields) in [
        (json!({"type": "text"}), vec!["type"]),
        (json!({"type": "text", "options": []}), vec!["type"]),
        (json!({"key": "grade"}), vec!["key"]),
        (json!({"key": "grade", "type": "date"}), vec!["key", "type"]),
        (json!({"options": null}), vec!["options"]),
        (json!({"searchable": true}), vec!["searchable"]),
    ] {
        manager.patch(place, change).await.names_only(&fields);
    }
    let refused = manager.patch(place, json!({"type": "text"})).await;
    let detail = "The type of a field cannot change. Create another field instead.";
    assert_eq!(refused.json()["errors"][0]["detail"], detail);
    // The same values are no change.
    let same = json!({"key": "level", "type": "choice", "name": "Level"});
    manager.patch(place, same).await.is(200).has_version(2);
}

/// A field that is no longer searchable makes room.
#[tokio::test]
async fn at_most_ten_fields_are_searchable() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, fields::routes).await;
    let manager = town.manager();
    let mut places = Vec::new();
    for number in 0..10 {
        let made = manager.post(FIELDS, searchable(&format!("field_{number}"), true)).await;
        places.push(made.is(201).header("location").to_owned());
    }
    let one_more = || manager.post(FIELDS, searchable("one_more", true));
    let refused = one_more().await;
    let detail = "A tenant can have at most 10 searchable fields. Change or delete one first.";
    assert_eq!(refused.is_refused(409, "limit_reached").json()["detail"], detail);
    let plain = manager.post(FIELDS, searchable("plain", false)).await;
    let plain = plain.is(201).header("location");
    manager.delete(plain).await.is(204);
    one_more().await.is_refused(409, "limit_reached");
    let off = manager.patch(&places[0], json!({"searchable": false})).await;
    off.is(200);
    one_more().await.is(201);
    let yet_one = || manager.post(FIELDS, searchable("yet_one", true));
    yet_one().await.is_refused(409, "limit_reached");
    manager.delete(&places[1]).await.is(204);
    yet_one().await.is(201);
}

#[tokio::test]
async fn every_text_and_list_of_a_field_is_bounded() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, fields::routes).await;
    let many: Vec<_> = (0..51).map(|number| number.to_string()).collect();
    for (field, value, named) in [
        ("key", json!(""), "key"),
        ("key", json!("Level"), "key"),
        ("key", json!("1st"), "key"),
        ("key", json!("a-b"), "key"),
        ("key", json!("x".repeat(41)), "key"),
        ("name", json!("x".repeat(101)), "name"),
        ("name", json!(" "), "name"),
        ("name", json!("Le\u{202e}vel"), "name"),
        ("type", json!("colour"), "type"),
        ("type", json!("text"), "options"),
        ("options", json!([]), "options"),
        ("options", json!(many), "options"),
        ("options", json!(["x".repeat(101)]), "options[0]"),
        ("options", json!(["Gold", "\u{2067}Silver"]), "options[1]"),
        ("options", json!(["Gold", "Silver", "GOLD "]), "options[2]"),
        ("searchable", json!("yes"), "searchable"),
    ] {
        let mut body = level();
        body[field] = value;
        town.manager().post(FIELDS, body).await.names_field(named);
    }
    for field in ["key", "name", "type"] {
        let mut body = level();
        body.as_object_mut().unwrap().remove(field);
        town.manager().post(FIELDS, body).await.names_field(field);
    }
}
