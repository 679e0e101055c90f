//! Contacts, in process against the emulator, from the callers' point of view.

mod archives;
mod audited_reads;
mod bulk;
mod callbacks;
mod consent;
mod conversions;
mod identities;
mod merging;
mod notes;
mod preferences;
mod search;
mod timeline;

use domain::accounts::{Permission, Role};
use domain::inbox::{Conversation, ConversationState};
use domain::people::{Field, RESTORABLE_FOR, Stage, Tag};
use domain::tenants::Limits;
use domain::terms::{Operation, OperationState, Resource, TeamId, UserId};
use serde_json::{Value, json};
use store::Owned;
use store::inbox::InboxList;
use testkit::api::{Caller, Town, repeat_interrupted_request};
use testkit::business::{CUSTOMER, business};
use testkit::{Aws, Lossy, assert_snapshot};

const CONTACTS: &str = "/api/v1/contacts";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, contacts::routes).await
}

/// Something that contacts refer to.
async fn create_owned<T: Owned + Resource>(town: &Town<'_>, fields: Value) -> String {
    town.home.create_owned::<T>(town.aws(), fields).await.id()
}

#[tokio::test]
async fn plan_limits_contacts_that_are_created() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let limits = Limits {
        contacts: Some(2),
        ..Limits::default()
    };
    aws.limit(town.home.scope(), limits).await;
    let agent = town.agent();
    create_contact(&agent, maya()).await;
    // What is not created takes no room.
    agent.post(CONTACTS, maya()).await.is_refused(409, "taken");
    create_contact(&agent, contact_named("Second")).await;
    let refused = agent.post(CONTACTS, contact_named("Third")).await;
    let refused = refused.is_refused(409, "limit_reached").json();
    let detail = "The plan allows 2 contacts, of which 0 are left. Delete some, or ask the operator of the platform for a larger plan.";
    assert_eq!(refused["detail"], detail);
}

fn maya() -> Value {
    json!({"name": "Maya Haddad", "phones": ["+971501234567"], "emails": ["maya@example.com"]})
}

fn contact_named(name: &str) -> Value {
    json!({"name": name})
}

async fn create_contact(caller: &Caller<'_>, body: Value) -> String {
    let made = caller.post(CONTACTS, body).await;
    made.is(201);
    made.json()["id"].as_str().expect("it has an id").to_owned()
}

/// Creates a contact. Returns its path.
async fn create_and_locate(caller: &Caller<'_>, body: Value) -> String {
    format!("{CONTACTS}/{}", create_contact(caller, body).await)
}

/// The operations of the home tenant, newest first.
async fn operations(town: &Town<'_>) -> Vec<Operation> {
    let (store, scope, now) = (town.aws().store(), town.home.scope(), town.aws().now());
    let page = store.operations(scope, None, 10, now).await.expect("the table answers");
    page.items.into_iter().map(|found| found.value).collect()
}

/// No search that leads to [`maya`] shows her.
async fn finds_nobody(caller: &Caller<'_>) {
    for search in [
        "",
        "?phone=%2B971501234567",
        "?email=maya@example.com",
        "?name=maya",
        "?digits=4567",
    ] {
        let found = caller.get(&format!("{CONTACTS}{search}")).await;
        assert!(found.items().is_empty(), "{search}");
    }
}

#[tokio::test]
async fn a_contact_keeps_what_was_written() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let tag = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let stage = create_owned::<Stage>(&town, json!({"name": "Quote sent", "position": 1})).await;
    for field in [
        json!({"key": "level", "name": "Level", "type": "choice", "options": ["Silver", "Gold"], "searchable": true}),
        json!({"key": "birthday", "name": "Birthday", "type": "date", "searchable": true}),
        json!({"key": "visits", "name": "Visits", "type": "number"}),
    ] {
        create_owned::<Field>(&town, field).await;
    }
    let mut body = maya();
    body["language"] = json!("ar");
    body["tags"] = json!([tag]);
    body["fields"] = json!({"level": "gold", "birthday": "1990-02-28", "visits": 3.5});
    body["stage"] = json!(stage);
    body["source"] = json!("Web form");
    body["value"] = json!({"amount": 5000, "currency": "AED"});
    let agent = town.agent();
    let created = agent.post(CONTACTS, body).await;
    created.is(201);
    let place = created.header("location").to_owned();
    let read = agent.get(&place).await;
    assert_eq!(read.json(), created.json());
    assert_eq!(read.header("etag"), created.header("etag"));
    aws.pass(60);
    let changes = json!({
        "name": "Maya H. Haddad", "phones": ["+971501234568", "+971501234567"], "tags": [], "stage": null,
        "fields": {"level": null, "visits": 4},
    });
    let changed = agent.patch(&place, changes).await;
    changed.is(200);
    assert_ne!(changed.header("etag"), created.header("etag"));
    assert_snapshot("contact", &[&created, &changed]);
    assert_eq!(agent.get(&place).await.json(), changed.json());
    let listed = agent.get(CONTACTS).await.json();
    assert_eq!(listed["items"], json!([changed.json()]));
}

#[tokio::test]
async fn contacts_need_a_permission() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = &create_and_locate(&town.agent(), maya()).await;
    let reader = town.new_key(Role::Admin, &[Permission::ContactsRead]).await.1;
    let stranger = town.new_key(Role::Admin, &[Permission::TagsRead]).await.1;
    for (caller, reads, writes) in [
        (town.viewer(), true, false),
        (town.agent(), true, true),
        (town.api_key(&reader), true, false),
        (town.api_key(&stranger), false, false),
    ] {
        let of = |may: bool, status: u16| if may { status } else { 403 };
        caller.get(CONTACTS).await.is(of(reads, 200));
        caller.get(place).await.is(of(reads, 200));
        caller.post(CONTACTS, contact_named("Ann")).await.is(of(writes, 201));
        caller.patch(place, json!({})).await.is(of(writes, 200));
        let restored = caller.post(&format!("{place}/restore"), json!({})).await;
        restored.is(of(writes, 200));
        if !writes {
            caller.delete(place).await.is(403);
            let phones = format!("{place}/phones");
            caller.post(&phones, json!({"phone": "+971501234568"})).await.is(403);
        }
    }
}

#[tokio::test]
async fn contacts_are_the_tenants_own() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = town.agent().post(CONTACTS, maya()).await;
    let place = made.is(201).header("location");
    let foreign = town.foreign_admin();
    let phone = format!("{place}/phones/%2B971501234567");
    for asked in [
        foreign.get(place),
        foreign.patch(place, json!({"name": "X"})),
        foreign.delete(place),
        foreign.post(&format!("{place}/restore"), json!({})),
        foreign.post(&format!("{place}/phones"), json!({"phone": "+971501234568"})),
        foreign.delete(&phone),
    ] {
        asked.await.is(404);
    }
    finds_nobody(&foreign).await;
    // The same person is another contact of another tenant.
    foreign.post(CONTACTS, maya()).await.is(201);
    assert_eq!(town.agent().get(place).await.json(), made.json());
}

#[tokio::test]
async fn a_number_or_address_leads_to_one_contact() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let first = &create_and_locate(&agent, maya()).await;
    let other = |phones: Value, emails: Value| json!({"name": "Other", "phones": phones, "emails": emails});
    let taken = agent
        .post(CONTACTS, other(json!(["+971501234568", "+971501234567"]), json!([])))
        .await;
    taken.is_refused(409, "taken");
    assert_eq!(taken.fields(), ["phones[1]"]);
    let taken = agent
        .post(CONTACTS, other(json!([]), json!(["MAYA@example.com"])))
        .await;
    assert_eq!(taken.is_refused(409, "taken").fields(), ["emails[0]"]);
    let second = &create_and_locate(&agent, other(json!(["+971501234568"]), json!([]))).await;
    let steal = || agent.patch(second, json!({"phones": ["+971501234567"]}));
    steal().await.is_refused(409, "taken");
    let phones = format!("{second}/phones");
    let add = || agent.post(&phones, json!({"phone": "+971501234567", "preferred": true}));
    add().await.is_refused(409, "taken");
    agent.delete(&format!("{first}/phones/%2B971501234567")).await.is(204);
    let added = add().await;
    assert_eq!(
        added.is(200).json()["phones"],
        json!(["+971501234567", "+971501234568"])
    );
    let back = agent.patch(second, json!({"phones": []})).await;
    assert_eq!(back.is(200).json()["phones"], json!([]));
    agent.patch(first, json!({"phones": ["+971501234567"]})).await.is(200);
}

#[tokio::test]
async fn concurrent_creations_of_a_number_make_one_contact() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let all = (0..100).map(|number| {
        let body = json!({"name": format!("Maya {number}"), "phones": ["+971501234567"]});
        let agent = &agent;
        async move { agent.post(CONTACTS, body).await.status() }
    });
    let answers: Vec<u16> = futures::future::join_all(all).await;
    let count = |wanted: u16| answers.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(201), count(409)), (1, 99), "{answers:?}");
    // As many requests as a minute has.
    aws.pass(60);
    let found = agent.get(&format!("{CONTACTS}?phone=%2B971501234567")).await;
    assert_eq!(found.items().len(), 1);
    assert_eq!(agent.get(CONTACTS).await.items().len(), 1);
    let words = agent.get(&format!("{CONTACTS}?name=maya")).await;
    assert_eq!(words.items().len(), 1);
}

#[tokio::test]
async fn numbers_are_added_and_removed_one_by_one() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let place = create_and_locate(&agent, json!({"phones": ["+971501234567"]})).await;
    let phones = format!("{place}/phones");
    let add = |number: u8, preferred: bool| {
        let body = json!({"phone": format!("+97150123456{number}"), "preferred": preferred});
        agent.post(&phones, body)
    };
    add(8, false).await.is(200);
    let preferred = add(9, true).await;
    let numbers = ["+971501234569", "+971501234567", "+971501234568"];
    assert_eq!(preferred.json()["phones"], json!(numbers));
    // Known already: nothing changes, or it becomes the preferred one.
    assert_eq!(add(8, false).await.json(), preferred.json());
    let first = add(8, true).await;
    assert_eq!(first.json()["phones"][0], "+971501234568");
    add(5, false).await.is(200);
    add(4, false).await.is_refused(409, "limit_reached");
    for number in [5, 8, 9] {
        agent.delete(&format!("{phones}/%2B97150123456{number}")).await.is(204);
    }
    agent.delete(&format!("{phones}/%2B971501234569")).await.is(404);
    let last = agent.delete(&format!("{phones}/%2B971501234567")).await;
    last.names_field("phone");
}

#[tokio::test]
async fn a_change_needs_the_version_that_was_read() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let made = agent.post(CONTACTS, maya()).await;
    let place = made.is(201).header("location");
    let tag = made.header("etag").to_owned();
    let change = |name: &str| agent.patch(place, contact_named(name)).header("if-match", &tag);
    let changed = change("Maya").await;
    changed.is(200);
    change("Mayya").await.is(412);
    agent.delete(place).header("if-match", &tag).await.is(412);
    // Nothing changes, and so does the version not.
    let same = agent.patch(place, contact_named("Maya")).await;
    assert_eq!(same.header("etag"), changed.header("etag"));
    assert_eq!(same.json(), changed.json());
    let latest = changed.header("etag");
    agent.delete(place).header("if-match", latest).await.is(204);
}

#[tokio::test]
async fn a_deleted_contact_is_hidden_until_it_is_restored() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let made = agent.post(CONTACTS, maya()).await;
    let place = made.is(201).header("location");
    agent.delete(place).await.is(204);
    agent.get(place).await.is(404);
    agent.patch(place, contact_named("Maya")).await.is(404);
    agent.delete(place).await.is(404);
    finds_nobody(&agent).await;
    // The number is still known.
    agent.post(CONTACTS, maya()).await.is_refused(409, "taken");
    let deleted = agent.get(&format!("{CONTACTS}?deleted=true")).await.json();
    assert_eq!(deleted["items"][0]["id"], made.json()["id"]);
    assert_eq!(deleted["items"][0]["deleted_at"], json!(aws.now().to_string()));
    for search in ["phone=%2B971501234567", "email=maya@example.com"] {
        let found = agent.get(&format!("{CONTACTS}?deleted=true&{search}")).await.json();
        assert_eq!(found, deleted, "{search}");
    }
    let other = format!("{CONTACTS}?deleted=true&phone=%2B971501234568");
    assert!(agent.get(&other).await.items().is_empty());
    let restored = agent.post(&format!("{place}/restore"), json!({})).await;
    assert_eq!(restored.is(200).json(), made.json());
    assert_eq!(agent.get(place).await.json(), made.json());
    let deleted = agent.get(&format!("{CONTACTS}?deleted=true")).await;
    assert!(deleted.items().is_empty());
    let found = agent.get(&format!("{CONTACTS}?name=maya")).await;
    assert_eq!(found.items().len(), 1);
}

/// A conversation of a deleted contact counts neither as open nor as waiting, which could keep a member of a team from getting others. Once the
/// contact is restored, it has no assignee who has left the tenant meanwhile.
#[tokio::test]
async fn conversations_close_with_their_contact_and_open_again() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let agent = town.key_of(business.scope(), Role::Agent).await;
    let contact = business.contact_with(&aws, CUSTOMER, |_| {}).await.id;
    let id = business.receive_noted(&aws, contact, None).await;
    let before = business.conversation(&aws, id).await.value;
    let counted = async || {
        let (store, open) = (aws.store(), InboxList::In(ConversationState::Open));
        let waiting = InboxList::Waiting(None);
        let count = [open, waiting].map(|list| store.number_of_conversations(business.scope(), list));
        let [open, waiting] = count;
        (open.await.unwrap(), waiting.await.unwrap())
    };
    assert_eq!(counted().await, (1, 1));
    let place = format!("{CONTACTS}/{contact}");
    agent.delete(&place).await.is(204);
    assert_eq!(counted().await, (0, 0));
    let restore = format!("{place}/restore");
    agent.post(&restore, json!({})).await.is(200);
    assert_eq!(counted().await, (1, 1));
    assert_eq!(business.conversation(&aws, id).await.value, before);
    // Nobody who has left meanwhile gets it back.
    let user = UserId::new(aws.ids().ulid());
    let team = Some(TeamId::new(aws.ids().ulid()));
    let give = |one: &mut Conversation| (one.assignee, one.team) = (Some(user), team);
    business.change_conversation(&aws, id, give).await;
    aws.pass(60);
    agent.delete(&place).await.is(204);
    aws.has_left(business.scope(), user).await;
    agent.post(&restore, json!({})).await.is(200);
    let after = business.conversation(&aws, id).await.value;
    assert_eq!(after, Conversation { team, ..before });
}

#[tokio::test]
async fn a_contact_is_created_once_though_interrupted() {
    let aws = Aws::new().await;
    let lossy = Lossy::before(&aws);
    let town = Town::with_env(&aws, &aws.env_behind(lossy.url()), contacts::routes).await;
    let agent = town.agent();
    let ask = || agent.post_once(CONTACTS, "k1", maya());
    let made = repeat_interrupted_request(&aws, &lossy, ask).await;
    let listed = agent.get(CONTACTS).await.json();
    assert_eq!(listed["items"], json!([made.json()]));
}

#[tokio::test]
async fn what_a_contact_refers_to_exists() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let id = |prefix: &str| format!("{prefix}_01hq5c1ynyc0000000000000ab");
    for (field, value, wrong) in [
        ("tags", json!([id("tag")]), "tags"),
        ("stage", json!(id("stg")), "stage"),
        ("owner", json!(id("usr")), "owner"),
        ("fields", json!({"level": "gold"}), "fields.level"),
    ] {
        let mut body = maya();
        body[field] = value;
        agent.post(CONTACTS, body).await.names_only(&[wrong]);
    }
    // Another tenant's tag is no tag.
    let foreign = town.away.create_owned::<Tag>(&aws, contact_named("Regular")).await.id();
    agent
        .post(CONTACTS, json!({"name": "A", "tags": [foreign]}))
        .await
        .names_only(&["tags"]);
    let own = create_owned::<Tag>(&town, contact_named("Regular")).await;
    let place = &create_and_locate(&agent, json!({"name": "A", "tags": [own]})).await;
    town.home.remove::<Tag>(&aws, &own).await;
    // A tag that was deleted since prevents no other change.
    agent.patch(place, contact_named("B")).await.is(200);
}

#[tokio::test]
async fn every_field_of_a_contact_is_bounded() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let manager = town.manager();
    for (key, kind) in [
        ("note", "text"),
        ("visits", "number"),
        ("since", "date"),
        ("vip", "yes_no"),
    ] {
        create_owned::<Field>(&town, json!({"key": key, "name": key, "type": kind})).await;
    }
    let many: Vec<String> = (0..21)
        .map(|number| format!("tag_01hq5c1ynyc00000000000{number:04}"))
        .collect();
    for (field, value, wrong) in [
        ("name", json!("x".repeat(121)), "name"),
        ("name", json!(" "), "name"),
        ("name", json!("Ma\u{202e}ya"), "name"),
        ("name", json!("a\nb"), "name"),
        ("phones", json!(["0501234567"]), "phones[0]"),
        ("phones", json!(["+971501234567", "+971501234567"]), "phones[1]"),
        (
            "phones",
            json!(["+1000001", "+1000002", "+1000003", "+1000004", "+1000005"]),
            "phones",
        ),
        ("emails", json!(["maya@"]), "emails[0]"),
        ("emails", json!(["mаya@example.com"]), "emails[0]"),
        ("language", json!("english please"), "language"),
        ("tags", json!(many), "tags"),
        ("tags", json!(["x".repeat(10 * 1024)]), "tags[0]"),
        ("source", json!("x".repeat(61)), "source"),
        ("value", json!({"amount": -1, "currency": "AED"}), "value.amount"),
        ("fields", json!({"note": "x".repeat(501)}), "fields.note"),
        ("fields", json!({"note": "a\u{2066}b"}), "fields.note"),
        ("fields", json!({"visits": "3"}), "fields.visits"),
        ("fields", json!({"visits": 0.00001}), "fields.visits"),
        ("fields", json!({"since": "yesterday"}), "fields.since"),
        ("fields", json!({"vip": "yes"}), "fields.vip"),
        ("fields", json!({"Note": "a"}), "fields.Note"),
        ("deleted_at", json!("2026-11-20T10:00:00Z"), "deleted_at"),
    ] {
        let mut body = maya();
        body[field] = value;
        manager.post(CONTACTS, body).await.names_only(&[wrong]);
    }
    manager.post(CONTACTS, json!({})).await.names_only(&["name"]);
    let place = &create_and_locate(&manager, json!({"phones": ["+971501234567"]})).await;
    manager.patch(place, json!({"phones": []})).await.names_only(&["name"]);
    let renamed = manager.patch(place, json!({"phones": null, "name": "Maya"})).await;
    renamed.is(200);
}

/// The operation that erases a contact is written with its deletion, due in 30 days, and ends if the contact is restored.
#[tokio::test]
async fn a_deleted_contact_is_erased_after_30_days() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let place = &create_and_locate(&agent, maya()).await;
    agent.delete(place).await.is(204);
    let [erasure] = &operations(&town).await[..] else {
        panic!("one operation")
    };
    assert_eq!(erasure.due, Some(aws.now() + RESTORABLE_FOR));
    assert_eq!(erasure.state, OperationState::Queued);
    aws.pass(60);
    agent.post(&format!("{place}/restore"), json!({})).await.is(200);
    let [erasure] = &operations(&town).await[..] else {
        panic!("one operation")
    };
    assert_eq!((erasure.state, erasure.due), (OperationState::Cancelled, None));
    agent.delete(place).await.is(204);
    assert_eq!(operations(&town).await.len(), 2);
}

/// Cancels the newest operation, as `operations` does. Returns its id.
async fn cancel_newest(aws: &Aws, town: &Town<'_>) -> String {
    let newest = operations(town).await.remove(0).id;
    let cancel = |operation: &mut Operation| assert!(operation.cancel(aws.now()));
    aws.change_operation(town.home.scope(), newest, cancel).await;
    newest.to_string()
}

/// A cancelled erasure leaves a hidden contact without any loss.
#[tokio::test]
async fn contact_comes_back_after_its_erasure_was_cancelled() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    // Access tokens do not last that long.
    let agent = town.key();
    let made = agent.post(CONTACTS, maya()).await;
    let place = made.is(201).header("location");
    agent.delete(place).await.is(204);
    cancel_newest(&aws, &town).await;
    let deleted = agent.get(&format!("{CONTACTS}?deleted=true")).await;
    assert_eq!(deleted.items().len(), 1);
    // Also after the operation is forgotten.
    aws.pass(40 * 24 * 3600);
    let restored = agent.post(&format!("{place}/restore"), json!({})).await;
    assert_eq!(restored.is(200).json(), made.json());
    assert_eq!(agent.get(place).await.is(200).json(), made.json());
}

#[tokio::test]
async fn cancelled_erasure_begins_anew() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let place = &create_and_locate(&town.agent(), maya()).await;
    let erase = format!("{place}/erase");
    town.agent().delete(place).await.is(204);
    let mut cancelled = vec![cancel_newest(&aws, &town).await];
    // Before it was due, and once it had begun.
    for _ in 0..2 {
        aws.pass(60);
        let started = town.manager().post(&erase, json!({})).await;
        let operation = started.is(202).json();
        let id = operation["id"].as_str().expect("an id").to_owned();
        assert!(!cancelled.contains(&id), "{id}");
        assert_eq!(operation["state"], "queued");
        let again = town.manager().post(&erase, json!({})).await;
        assert_eq!(again.is(202).json()["id"], operation["id"]);
        assert_eq!(cancel_newest(&aws, &town).await, id);
        cancelled.push(id);
    }
    // Its operation may be forgotten, too.
    aws.pass(40 * 24 * 3600);
    let started = town.key().post(&erase, json!({})).await;
    assert_eq!(started.is(202).json()["state"], "queued");
}

#[tokio::test]
async fn erasing_a_contact_needs_a_manager_and_begins_at_once() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = town.agent().post(CONTACTS, maya()).await;
    let place = made.is(201).header("location");
    let erase = format!("{place}/erase");
    town.agent().post(&erase, json!({})).await.is(403);
    town.foreign_admin().post(&erase, json!({})).await.is(404);
    let started = town.manager().post(&erase, json!({})).await;
    let operation = started.is(202).json();
    assert_eq!(operation["kind"], "erase_contact");
    assert_eq!(operation["params"]["contact"], made.json()["id"]);
    town.agent().get(place).await.is(404);
    // It cannot be restored, and erasing it again leads to the same operation.
    let restored = town.manager().post(&format!("{place}/restore"), json!({})).await;
    restored.is_refused(409, "conflict");
    let again = town.manager().post(&erase, json!({})).await;
    assert_eq!(again.is(202).json()["id"], operation["id"]);
    let due = operations(&town).await[0].due;
    assert!(due.is_some_and(|due| due <= aws.now() + Operation::FIRST_DUE));
}
