//! Archives of a contact, from the callers' point of view.

use domain::accounts::{Permission, Role};
use domain::people::{ArchiveContact, ArchiveResult, Change, Contact};
use domain::terms::{Actor, ContactId, Data, Operation, OperationId, OperationKind};
use kit::{Files, Folder};
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Answer, Aws, Lossy};

use super::audited_reads::looks;
use super::{CONTACTS, contact_named, create_contact, maya, town};

fn archive_of(contact: &str) -> String {
    format!("{CONTACTS}/{contact}/archive")
}

/// The path of an archive.
fn place(answer: &Answer) -> String {
    answer.is(202).header("location").to_owned()
}

fn id_of(place: &str) -> OperationId {
    let id = place.rsplit('/').next().expect("a path has a last part");
    id.parse().expect("an id")
}

/// Ends an operation, as its function does.
async fn finish(town: &Town<'_>, contact: &str, id: OperationId) {
    let (aws, scope) = (town.aws(), town.home.scope());
    let contact: ContactId = contact.parse().expect("an id");
    let files = Files::new(aws.env()).expect("the bucket");
    let [_, results] = Folder::of_archive(scope, contact, id);
    let written = files.write(&results.file(ArchiveContact::FILE), b"{}".to_vec()).await;
    written.expect("the bucket accepts it");
    aws.end_operation(scope, id, &ArchiveResult { entries: 3, size: 2 })
        .await;
}

#[tokio::test]
async fn an_archive_ends_with_a_link_that_is_audited() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (manager, contact) = (town.manager(), create_contact(&town.agent(), maya()).await);
    let started = manager.post(&archive_of(&contact), Value::Null).await;
    let place = place(&started);
    let shown = started.json();
    assert_eq!(
        (&shown["kind"], &shown["params"]["contact"]),
        (&json!("archive_contact"), &json!(contact))
    );
    assert_eq!(place, format!("{}/{}", archive_of(&contact), id_of(&place)));
    let shown = manager.get(&place).await.is(200).json();
    assert_eq!(
        (&shown["id"], &shown["contact_id"]),
        (&json!(id_of(&place)), &json!(contact))
    );
    assert_eq!(
        (&shown["operation"]["state"], &shown["file"]),
        (&json!("queued"), &Value::Null)
    );
    assert_eq!(looks(&town).await, []);
    finish(&town, &contact, id_of(&place)).await;
    let shown = manager.get(&place).await.is(200).json();
    assert_eq!(shown["operation"]["result"]["entries"], 3);
    let file = reqwest::get(shown["file"]["url"].as_str().expect("a URL")).await;
    let file = file.expect("the bucket answers").text().await;
    assert_eq!(file.expect("a text"), "{}");
    manager.get(&place).await.is(200);
    town.admin().get(&place).await.is(200);
    let who = |role| town.home.person(role).user.to_string();
    let read = |role| (who(role), "archive".to_owned(), contact.clone());
    let mut found = looks(&town).await;
    found.sort();
    let mut expected = vec![read(Role::Manager), read(Role::Admin)];
    expected.sort();
    assert_eq!(found, expected);
    // The file is deleted after a week.
    aws.pass(7 * 24 * 3_600 + 1);
    assert!(town.manager().get(&place).await.is(200).json()["file"].is_null());
}

/// A running one is the answer to everybody who asks for one; the request itself is audited by the operation that it creates.
#[tokio::test]
async fn a_contact_has_one_archive_at_a_time() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (manager, contact) = (town.manager(), create_contact(&town.agent(), maya()).await);
    let path = archive_of(&contact);
    let first = place(&manager.post_once(&path, "one", Value::Null).await);
    assert_eq!(place(&manager.post_once(&path, "one", Value::Null).await), first);
    assert_eq!(place(&manager.post_once(&path, "two", Value::Null).await), first);
    assert_eq!(place(&town.admin().post(&path, Value::Null).await), first);
    let of_manager = town.home.person(Role::Manager).user.to_string();
    assert_eq!(aws.signed_by(&of_manager).await, 1);
    // Another contact has its own.
    let other = create_contact(&town.agent(), contact_named("Omar")).await;
    let of_other = place(&manager.post(&archive_of(&other), Value::Null).await);
    assert_ne!(id_of(&of_other), id_of(&first));
    finish(&town, &contact, id_of(&first)).await;
    let second = place(&manager.post(&path, Value::Null).await);
    assert_ne!(second, first);
    // Both can still be read.
    assert!(manager.get(&first).await.is(200).json()["file"].is_object());
    assert!(manager.get(&second).await.is(200).json()["file"].is_null());
}

/// Only one of two requests at the same time starts an operation; both get it.
#[tokio::test]
async fn concurrent_requests_start_one_archive() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = create_contact(&town.agent(), maya()).await;
    let path = archive_of(&contact);
    let (one, two) = (town.manager(), town.admin());
    let (one, two) = futures::join!(async { place(&one.post(&path, Value::Null).await) }, async {
        place(&two.post(&path, Value::Null).await)
    });
    assert_eq!(one, two);
}

#[tokio::test]
async fn archives_need_a_permission_and_are_the_contacts_own() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let contact = create_contact(&town.agent(), maya()).await;
    let other = create_contact(&town.agent(), contact_named("Omar")).await;
    let path = archive_of(&contact);
    let place = place(&town.admin().post(&path, Value::Null).await);
    finish(&town, &contact, id_of(&place)).await;
    let scopes = [Permission::ExportsRead, Permission::ExportsWrite];
    let exporter = town.new_key(Role::Admin, &scopes).await.1;
    for (caller, may) in [
        (town.viewer(), false),
        (town.agent(), false),
        (town.manager(), true),
        (town.api_key(&exporter), true),
    ] {
        let of = |status: u16| if may { status } else { 403 };
        caller.post(&path, Value::Null).await.is(of(202));
        caller.get(&place).await.is(of(200));
    }
    // By another contact, another tenant, or another kind of operation.
    let admin = town.admin();
    let id = id_of(&place);
    admin.get(&format!("{}/{id}", archive_of(&other))).await.is(404);
    let foreign = town.foreign_admin();
    foreign.get(&place).await.is(404);
    foreign.post(&path, Value::Null).await.is(404);
    let erased = admin.post(&format!("{CONTACTS}/{other}/erase"), Value::Null).await;
    let erasure = erased.is(202).json()["id"].as_str().expect("an id").to_owned();
    admin.get(&format!("{}/{erasure}", archive_of(&other))).await.is(404);
    let nobody = ContactId::new(aws.ids().ulid()).to_string();
    admin.post(&archive_of(&nobody), Value::Null).await.is(404);
}

#[tokio::test]
async fn a_deleted_contact_is_archived_unless_it_is_being_erased() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (admin, contact) = (town.admin(), create_contact(&town.agent(), maya()).await);
    let path = archive_of(&contact);
    admin.delete(&format!("{CONTACTS}/{contact}")).await.is(204);
    let archive = place(&admin.post(&path, Value::Null).await);
    finish(&town, &contact, id_of(&archive)).await;
    assert!(admin.get(&archive).await.is(200).json()["file"].is_object());
    aws.pass(1);
    let erase = format!("{CONTACTS}/{contact}/erase");
    admin.post(&erase, Value::Null).await.is(202);
    admin.post(&path, Value::Null).await.is_refused(409, "conflict");
    // The file is being deleted.
    assert!(admin.get(&archive).await.is(200).json()["file"].is_null());
}

#[tokio::test]
async fn an_archive_of_a_merged_contact_leads_to_the_survivor() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    let (survivor, other) = (
        create_contact(&admin, maya()).await,
        create_contact(&admin, contact_named("Maya H.")).await,
    );
    let archive = place(&admin.post(&archive_of(&other), Value::Null).await);
    let merge = json!({"contact_id": other});
    admin.post(&format!("{CONTACTS}/{survivor}/merge"), merge).await.is(200);
    let path = archive_of(&other);
    for asked in [admin.post(&path, Value::Null), admin.get(&archive)] {
        let refused = asked.await;
        refused.is_refused(404, "merged");
        assert_eq!(refused.header("location"), format!("{CONTACTS}/{survivor}"));
    }
    admin.post(&archive_of(&survivor), Value::Null).await.is(202);
}

/// No data is shown if the audit log cannot record who looked.
#[tokio::test]
async fn nothing_is_shown_that_cannot_be_recorded() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), contacts::routes).await;
    let admin = town.admin();
    let contact = create_contact(&admin, maya()).await;
    let archive = place(&admin.post(&archive_of(&contact), Value::Null).await);
    finish(&town, &contact, id_of(&archive)).await;
    lossy.deny("PutItem");
    let path = |end: &str| format!("{CONTACTS}/{contact}/{end}");
    for shown in [
        archive,
        path("timeline"),
        path("consent/proof"),
        path("consent/proof/page"),
    ] {
        admin.get(&shown).await.is_refused(503, "unavailable");
    }
    assert_eq!(looks(&town).await, []);
}

/// An operation of the same id that archives another contact, as nobody creates it.
#[tokio::test]
async fn an_archive_names_its_contact() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let admin = town.admin();
    let contact = create_contact(&admin, maya()).await;
    let other: ContactId = create_contact(&admin, contact_named("Omar"))
        .await
        .parse()
        .expect("an id");
    let (store, scope) = (aws.store(), town.home.scope());
    let params = Data::of(&ArchiveContact { contact: other }).expect("it is small");
    let (id, stamp) = (OperationId::new(aws.ids().ulid()), aws.stamp());
    let (kind, cause) = (OperationKind::ArchiveContact, "cor".to_owned());
    let operation = Operation::new(id, kind, params, Actor::Operator, cause, aws.now());
    let created = store.create_operation(scope, &operation, &stamp).await;
    created.expect("it is created");
    let archive = async |contact: &str| admin.get(&format!("{}/{id}", archive_of(contact))).await;
    archive(&contact).await.is(404);
    archive(&other.to_string()).await.is(200);
    let erasing = |contact: &mut Contact| {
        contact.erasing = true;
        Change::Contact
    };
    aws.change_contact(scope, other, erasing).await;
    let shown = archive(&other.to_string()).await;
    assert!(shown.is(200).json()["file"].is_null());
}
