//! Numbers, addresses and ids one by one, from the callers' point of view.

use domain::messages::Sender;
use domain::people::{Change, Contact, Identity};
use domain::terms::ContactId;
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::Town;

use super::{CONTACTS, contact_named, create_and_locate, maya, town};

const WHATSAPP_ID: &str = "AE.13491208655302741918";

/// The contact gets an id of WhatsApp's, as if the person had written.
async fn writes_by_whatsapp(town: &Town<'_>, contact: &Value, bsuid: &str) {
    let id: ContactId = contact["id"].as_str().and_then(|id| id.parse().ok()).expect("an id");
    let sender = Sender {
        bsuid: Some(bsuid.to_owned()),
        ..Sender::default()
    };
    let learn = |contact: &mut Contact| Change::Linked(contact.link(&sender));
    town.aws().change_contact(town.home.scope(), id, learn).await;
}

#[tokio::test]
async fn addresses_are_added_and_removed_one_by_one() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let made = agent.post(CONTACTS, json!({"emails": ["a@example.com"]})).await;
    let place = made.is(201).header("location");
    let emails = format!("{place}/emails");
    let add = |name: &str, preferred: bool| {
        let body = json!({"email": format!("{name}@example.com"), "preferred": preferred});
        agent.post(&emails, body)
    };
    aws.pass(1);
    let added = add("b", false).await;
    assert_ne!(added.is(200).header("etag"), made.header("etag"));
    let preferred = add("c", true).await;
    let addresses = ["c@example.com", "a@example.com", "b@example.com"];
    assert_eq!(preferred.is(200).json()["emails"], json!(addresses));
    // Known already, however it is written: nothing changes, or it becomes the preferred one.
    assert_eq!(add("B", false).await.json(), preferred.json());
    let first = add("B", true).await;
    assert_eq!(first.json()["emails"][0], "b@example.com");
    add("d", false).await.is(200);
    let full = add("e", false).await;
    let detail = "A contact can have at most 4 e-mail addresses. Remove one first.";
    assert_eq!(full.is_refused(409, "limit_reached").json()["detail"], detail);
    for name in ["b", "C", "d"] {
        agent.delete(&format!("{emails}/{name}@example.com")).await.is(204);
    }
    agent.delete(&format!("{emails}/b@example.com")).await.is(404);
    let last = agent.delete(&format!("{emails}/a@example.com")).await;
    last.names_field("email");
    let found = agent.get(&format!("{CONTACTS}?email=a@example.com")).await;
    assert_eq!(found.items().len(), 1);
    let found = agent.get(&format!("{CONTACTS}?email=b@example.com")).await;
    assert!(found.items().is_empty());
}

#[tokio::test]
async fn an_address_of_another_contact_is_not_added() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let (first, second) = (
        create_and_locate(&agent, maya()).await,
        create_and_locate(&agent, contact_named("Other")).await,
    );
    let emails = format!("{second}/emails");
    let add = || agent.post(&emails, json!({"email": "Maya@Example.com"}));
    let taken = add().await;
    assert_eq!(taken.is_refused(409, "taken").fields(), ["emails[0]"]);
    agent.delete(&format!("{first}/emails/maya@example.com")).await.is(204);
    add().await.is(200);
}

/// Letters of other scripts look like ASCII letters, and marks of direction reverse what people read.
#[tokio::test]
async fn deceiving_addresses_are_refused() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let made = agent.post(CONTACTS, maya()).await;
    let emails = format!("{}/emails", made.is(201).header("location"));
    for email in [
        "m\u{430}ya@example.com",
        "maya@ex\u{430}mple.com",
        "maya@exampl\u{435}.com",
        "maya@\u{ff45}xample.com",
        "ma\u{131}l@example.com",
        "\u{202e}maya@example.com",
        "maya@example.com\u{202c}",
        "maya\u{2066}@example.com",
        "maya\u{200b}@example.com",
        "maya@example\u{3002}com",
        "maya@example.com\u{0}",
        "maya@example.com\r\nBcc: other@example.com",
        "maya@",
        "@example.com",
        "maya@localhost",
        "Maya <maya@example.com>",
        &format!("maya@{}.com", "x".repeat(250)),
    ] {
        let refused = agent.post(&emails, json!({"email": email})).await;
        refused.names_only(&["email"]);
    }
    for (body, field) in [
        (json!({}), "email"),
        (json!({"email": null}), "email"),
        (json!({"email": "a@example.com", "preferred": 1}), "preferred"),
        (json!({"email": "a@example.com", "verified": true}), "verified"),
    ] {
        agent.post(&emails, body).await.names_only(&[field]);
    }
    for path in ["m%D0%B0ya@example.com", "maya%E2%80%AE@example.com", "nobody", "%00"] {
        agent.delete(&format!("{emails}/{path}")).await.is(404);
    }
    assert_eq!(agent.get(made.header("location")).await.json(), made.json());
}

#[tokio::test]
async fn whatsapp_ids_are_shown_and_removed() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let agent = town.agent();
    let made = agent.post(CONTACTS, maya()).await;
    let place = made.is(201).header("location");
    writes_by_whatsapp(&town, &made.json(), WHATSAPP_ID).await;
    let own = format!("{place}/whatsapp-ids/{WHATSAPP_ID}");
    let read = agent.get(place).await;
    assert_eq!(read.is(200).json()["whatsapp_ids"], json!([WHATSAPP_ID]));
    town.viewer().delete(&own).await.is(403);
    town.foreign_admin().delete(&own).await.is(404);
    for other in ["AE.1", "nonsense", "AE.%23", "%E2%80%AE"] {
        agent.delete(&format!("{place}/whatsapp-ids/{other}")).await.is(404);
    }
    agent.delete(&own).await.is(204);
    agent.delete(&own).await.is(404);
    assert_eq!(agent.get(place).await.json()["whatsapp_ids"], json!([]));
    let (store, scope) = (aws.store(), town.home.scope());
    let known = store.contact_of(scope, &Identity::Bsuid(WHATSAPP_ID.to_owned())).await;
    assert_eq!(known.expect("the table answers"), None);
    // The last thing that says who it is stays.
    let made = agent.post(CONTACTS, json!({"phones": ["+971501234568"]})).await;
    let place = made.is(201).header("location");
    writes_by_whatsapp(&town, &made.json(), WHATSAPP_ID).await;
    agent.delete(&format!("{place}/phones/%2B971501234568")).await.is(204);
    let last = agent.delete(&format!("{place}/whatsapp-ids/{WHATSAPP_ID}")).await;
    last.names_field("whatsapp_id");
}
