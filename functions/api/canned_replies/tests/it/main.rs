//! Canned replies, in process against the emulator, from the callers' point of view.

use domain::accounts::Permission;
use domain::inbox::CannedReply;
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, Resource};

const REPLIES: &str = "/api/v1/canned-replies";

fn reply_named(name: &str) -> Value {
    json!({"name": name, "text": "You can park behind {{tenant.name}}."})
}

#[tokio::test]
async fn canned_replies_keep_the_promises_of_every_resource() {
    let replies = Resource {
        routes: canned_replies::routes,
        path: REPLIES,
        read: Permission::CannedRepliesRead,
        write: Permission::CannedRepliesWrite,
        new: json!({"name": "Parking", "text": {"en": "Hello {{contact.first_name|there}}, behind the house.", "ar": "خلف المبنى"}}),
        change: json!({"name": "Where to park", "text": {"en": "Behind {{tenant.name}}.", "ar": null}}),
    };
    replies.keeps_its_promises::<CannedReply>().await;
}

#[tokio::test]
async fn a_name_belongs_to_one_canned_reply_of_the_tenant() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, canned_replies::routes).await;
    let agent = town.agent();
    let first = agent.post(REPLIES, reply_named("Parking")).await;
    let first = first.is(201).header("location");
    agent
        .post(REPLIES, reply_named(" PARKING"))
        .await
        .is_refused(409, "taken");
    town.foreign_admin().post(REPLIES, reply_named("parking")).await.is(201);
    let second = agent.post(REPLIES, reply_named("Prices")).await;
    let second = second.is(201).header("location");
    let steal = || agent.patch(second, json!({"name": "parking"}));
    steal().await.is_refused(409, "taken");
    agent.delete(first).await.is(204);
    steal().await.is(200);
}

#[tokio::test]
async fn texts_that_no_reply_could_have_are_refused() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, canned_replies::routes).await;
    let agent = town.agent();
    let made = agent.post(REPLIES, reply_named("Parking")).await;
    let place = made.is(201).header("location");
    for (text, field) in [
        (json!("{{contact.nme}}"), "text"),
        (json!("You called at {{call.time}}."), "text"),
        (json!({"english": "Hello"}), "text.english"),
        (json!({"ar": "{{tenant.name"}), "text.ar"),
        (json!({}), "text"),
        (json!(""), "text"),
        (json!("x".repeat(2_001)), "text"),
    ] {
        let new = agent.post(REPLIES, json!({"name": "Prices", "text": text})).await;
        new.names_only(&[field]);
        // An object replaces the one text.
        agent.patch(place, json!({"text": text})).await.names_only(&[field]);
    }
    for field in ["name", "text"] {
        let mut body = reply_named("Prices");
        body.as_object_mut().unwrap().remove(field);
        agent.post(REPLIES, body).await.names_only(&[field]);
    }
    agent
        .post(REPLIES, reply_named(&"x".repeat(61)))
        .await
        .names_only(&["name"]);
    agent.post(REPLIES, reply_named("Prices")).await.is(201);
}
