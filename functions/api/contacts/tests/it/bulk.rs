//! Changes of many contacts, up to the operation that makes them.

use domain::accounts::{Permission, Role};
use domain::people::{ChangeDetails, Field, Segment, Stage, Tag};
use domain::terms::{ContactId, OperationId, OperationKind};
use serde_json::{Value, json};
use store::Owned;
use store::table::rates::Limit;
use testkit::Aws;
use testkit::api::Town;

use super::{CONTACTS, contact_named, create_contact, create_owned, maya, operations, town};

fn changes() -> String {
    format!("{CONTACTS}/changes")
}

fn id_of(operation: &Value) -> OperationId {
    operation["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

/// The details of an operation, which only its worker reads.
async fn details(town: &Town<'_>, operation: &Value) -> ChangeDetails {
    let store = town.aws().store();
    let found = store.operation_details(town.home.scope(), id_of(operation), town.aws().now());
    found.await.expect("the table answers").expect("there are details")
}

#[tokio::test]
async fn a_change_of_many_contacts_starts_an_operation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let contact = create_contact(&manager, maya()).await;
    let tag = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let stage = create_owned::<Stage>(&town, json!({"name": "Open", "position": 1})).await;
    create_owned::<Field>(&town, json!({"key": "passport", "name": "Passport", "type": "text"})).await;
    let owner = town.home.person(Role::Agent).user;
    let body = json!({
        "contacts": [contact, contact],
        "change": {
            "add_tags": [tag], "stage": stage, "owner": owner, "language": null, "fields": {"passport": "X1234567"},
        },
    });
    let started = manager.post(&changes(), body).await;
    let operation = started.is(202).json();
    assert_eq!(
        (&operation["kind"], &operation["state"]),
        (&json!("change_contacts"), &json!("queued"))
    );
    assert_eq!(operation["created_by"], json!(town.home.person(Role::Manager).user));
    let expected = json!({
        "contacts": 1,
        "change": {"add_tags": [tag], "stage": stage, "owner": owner, "language": null},
        "fields": ["passport"],
    });
    assert_eq!(operation["params"], expected);
    // Values of fields are personal data, which parameters and the log must not retain.
    assert!(!started.text().contains("X1234567"));
    let details = details(&town, &operation).await;
    assert_eq!((details.contacts.len(), details.values.len()), (1, 1));
    // Nothing has changed yet.
    let read = manager.get(&format!("{CONTACTS}/{contact}")).await;
    assert_eq!(read.is(200).json()["tags"], json!([]));
}

#[tokio::test]
async fn a_segments_contacts_change_by_its_filter() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    let tag = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let filter = json!({"tag": tag, "language": "ar"});
    let segment = create_owned::<Segment>(&town, json!({"name": "Regulars", "filter": filter})).await;
    let body = |segment: &str| json!({"segment": segment, "change": {"delete": true}});
    let started = manager.post(&changes(), body(&segment)).await;
    let params = &started.is(202).json()["params"];
    assert_eq!(
        *params,
        json!({"segment": segment, "filter": filter, "change": {"delete": true}})
    );
    assert_eq!(details(&town, &started.json()).await, ChangeDetails::default());
    let foreign = town
        .away
        .create_owned::<Segment>(&aws, json!({"name": "All"}))
        .await
        .id();
    for missing in [&*foreign, "seg_01hq5c1ynyc0000000000000ab"] {
        manager.post(&changes(), body(missing)).await.names_only(&["segment"]);
    }
    town.home.remove::<Tag>(&aws, &tag).await;
    let refused = manager.post(&changes(), body(&segment)).await;
    assert_eq!(refused.is_refused(409, "segment_unusable").fields(), ["filter.tag"]);
}

#[tokio::test]
async fn changing_many_contacts_needs_a_manager() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let writer = town.new_key(Role::Admin, &[Permission::ContactsWrite]).await.1;
    let bulk = town.new_key(Role::Admin, &[Permission::ContactsBulk]).await.1;
    let contact = create_contact(&town.agent(), maya()).await;
    let body = || json!({"contacts": [contact], "change": {"language": "ar"}});
    for (caller, status) in [
        (town.viewer(), 403),
        (town.agent(), 403),
        (town.api_key(&writer), 403),
        (town.manager(), 202),
        (town.api_key(&bulk), 202),
    ] {
        caller.post(&changes(), body()).await.is(status);
    }
    // Whose contacts they are is found out by the operation, which acts for the caller's tenant.
    let theirs = town.foreign_admin().post(&changes(), body()).await;
    let id = id_of(&theirs.is(202).json());
    let own = aws.store().operation(town.home.scope(), id, aws.now()).await;
    assert!(own.expect("the table answers").is_none());
}

#[tokio::test]
async fn a_repeated_request_starts_one_operation() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let body = json!({"contacts": [ContactId::new(aws.ids().ulid())], "change": {"language": "ar"}});
    let manager = town.manager();
    let ask = || manager.post_once(&changes(), "k1", body.clone());
    let (first, again) = (ask().await, ask().await);
    assert_eq!(first.is(202).json()["id"], again.is(202).json()["id"]);
    let kinds = operations(&town).await.into_iter().map(|operation| operation.kind);
    assert_eq!(kinds.collect::<Vec<_>>(), [OperationKind::ChangeContacts]);
}

#[tokio::test]
async fn every_part_of_a_bulk_change_is_bounded_and_checked() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    create_owned::<Field>(&town, json!({"key": "visits", "name": "Visits", "type": "number"})).await;
    let tag = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let foreign = town.away.create_owned::<Tag>(&aws, contact_named("Regular")).await.id();
    let id = |prefix: &str| format!("{prefix}_01hq5c1ynyc0000000000000ab");
    let many = |prefix: &str, count: usize| -> Vec<String> {
        let one = |number| format!("{prefix}_01hq5c1ynyc00000000000{number:04}");
        (0..count).map(one).collect()
    };
    let fields: serde_json::Map<String, Value> = (0..51).map(|number| (format!("f{number}"), json!(1))).collect();
    let one = || json!([id("ctc")]);
    for (contacts, segment, wrong) in [
        (json!([]), json!(null), "contacts"),
        (json!(many("ctc", 1_001)), json!(null), "contacts"),
        (json!(["x".repeat(10 * 1024)]), json!(null), "contacts[0]"),
        (one(), json!(id("seg")), "segment"),
        (json!([]), json!("all"), "segment"),
    ] {
        let body = json!({"contacts": contacts, "segment": segment, "change": {"language": "ar"}});
        manager.post(&changes(), body).await.names_field(wrong);
    }
    for (change, wrong) in [
        (json!({}), "delete"),
        (json!({"delete": true, "stage": null}), "delete"),
        (json!({"add_tags": [foreign]}), "add_tags"),
        (json!({"add_tags": many("tag", 21)}), "add_tags"),
        (json!({"stage": id("stg")}), "stage"),
        (json!({"owner": id("usr")}), "owner"),
        (json!({"language": "ar please"}), "language"),
        (json!({"fields": {"visits": "3"}}), "fields.visits"),
        (json!({"fields": {"colour": null}}), "fields.colour"),
        (json!({ "fields": fields }), "fields"),
        (json!({"name": "Maya"}), "name"),
        (json!({"add_tags": [tag], "remove_tags": [tag]}), "remove_tags[0]"),
    ] {
        let body = json!({"contacts": one(), "segment": null, "change": change});
        let refused = manager.post(&changes(), body).await;
        refused.names_field(&format!("change.{wrong}"));
    }
    // Deleted tags can still be removed, and as many contacts as a request can name are.
    let body = json!({"contacts": many("ctc", 1_000), "change": {"remove_tags": [id("tag")]}});
    let started = manager.post(&changes(), body).await;
    assert_eq!(details(&town, &started.is(202).json()).await.contacts.len(), 1_000);
}

/// Whatever waits, contacts are deleted and erased.
#[tokio::test]
async fn fifty_operations_wait_at_most_and_erasures_do_not_count() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (manager, admin) = (town.manager(), town.admin());
    let contact = create_contact(&manager, maya()).await;
    let body = || json!({"contacts": [contact], "change": {"language": "ar"}});
    let mut started = Vec::new();
    for _ in 0..50 {
        started.push(manager.post(&changes(), body()).await.is(202).json());
    }
    let refused = manager.post(&changes(), body()).await;
    refused.is_refused(409, "too_many_operations");
    let archive = format!("{CONTACTS}/{contact}/archive");
    let refused = admin.post(&archive, Value::Null).await;
    refused.is_refused(409, "too_many_operations");
    admin.delete(&format!("{CONTACTS}/{contact}")).await.is(204);
    let erase = format!("{CONTACTS}/{contact}/erase");
    aws.pass(1);
    admin.post(&erase, Value::Null).await.is(202);
    // One that ends makes room.
    let scope = town.home.scope();
    aws.end_operation(scope, id_of(&started[0]), &json!({})).await;
    manager.post(&changes(), body()).await.is(202);

    for (name, most) in [("CONTACT_CHANGES", 100), ("ERASURES", 1_000)] {
        let limit = Limit::per_hour(most);
        while aws
            .store()
            .take(scope, name, limit, aws.now())
            .await
            .unwrap()
            .is_within()
        {}
    }
    let refused = manager.post(&changes(), body()).await;
    refused.is_refused(429, "too_many_requests");
    admin
        .post(&erase, Value::Null)
        .await
        .is_refused(429, "too_many_requests");
}
