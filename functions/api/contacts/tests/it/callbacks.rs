//! Receivers of webhooks that read, tag and assign the contact of an event, and write notes on it.

use super::notes::contact;
use super::*;

#[tokio::test]
async fn callback_tags_assigns_and_notes_its_contact() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let (id, other) = (contact(&town, CUSTOMER).await, contact(&town, "+971501000002").await);
    let scopes = [Permission::ContactsRead, Permission::ContactsWrite];
    let receiver = town.receiver_of(town.home.scope(), id, &scopes).await;
    let tag = create_owned::<Tag>(&town, contact_named("After hours")).await;
    let owner = town.home.person(Role::Agent).user;
    let [own, other] = [id, other].map(|id| format!("{CONTACTS}/{id}"));
    assert_eq!(receiver.get(&own).await.is(200).json()["tags"], json!([]));
    let tagged = receiver
        .patch(&own, json!({"tags": [tag], "owner": owner}))
        .await
        .is(200)
        .json();
    assert_eq!((&tagged["tags"], &tagged["owner"]), (&json!([tag]), &json!(owner)));
    let note = json!({"text": "Asked for a table at night."});
    let written = receiver.post(&format!("{own}/notes"), note.clone()).await;
    let again = receiver.post(&format!("{own}/notes"), note.clone()).await;
    assert_eq!(written.is(201).json()["id"], again.is(201).json()["id"]);
    // Of another event, since each operation takes one request of an event.
    let receiver = town.receiver_of(town.home.scope(), id, &scopes).await;
    for refused in [
        receiver.get(&other),
        receiver.patch(&other, json!({"tags": [tag]})),
        receiver.post(&format!("{other}/notes"), note),
        // A number would lead messages to somebody else.
        receiver.patch(&own, json!({"tags": [], "phones": ["+971501000003"]})),
        receiver.get(CONTACTS),
        receiver.get(&format!("{own}/timeline")),
        receiver.delete(&own),
    ] {
        refused.await.is_refused(403, "forbidden");
    }
}
