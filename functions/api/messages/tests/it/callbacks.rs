//! Receivers of webhooks that send messages to the contact of an event.

use domain::terms::Actor;
use jobs::SendMessage;
use kit::QueueName;
use testkit::api::new_key;
use testkit::callbacks::make_token;

use super::replies::{messages_of, wrote};
use super::sending::{sms, template};
use super::*;

#[tokio::test]
async fn callback_sends_one_message_to_its_contact_only() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let contact = business.contact(&aws, CUSTOMER).await.id;
    let other = business.contact(&aws, &mobile(2)).await.id;
    let (town, scope) = (&town, business.scope());
    let receiver = town.receiver_of(scope, contact, &[Permission::MessagesSend]).await;
    let templates = format!("{MESSAGES}/send-template");
    let to = |field: &str, value: Value| {
        let mut body = json!({"category": "utility", "basis": "A question after hours", "template": template()});
        body[field] = value;
        body
    };
    for body in [to("contact_id", json!(other)), to("phone", json!(CUSTOMER))] {
        receiver
            .post(&templates, body.clone())
            .await
            .is_refused(403, "forbidden");
        receiver.post(MESSAGES, body).await.is_refused(403, "forbidden");
    }
    let sent = receiver.post(&templates, to("contact_id", json!(contact))).await;
    let sent = sent.is(201).json();
    let again = receiver.post(&templates, to("contact_id", json!(contact))).await;
    assert_eq!(
        (again.is(201).json(), again.header("idempotency-replayed")),
        (sent.clone(), "true")
    );
    let message = read_message(&aws, &business, &sent).await;
    assert!(
        matches!(
            message.cause,
            Cause::Requested {
                by: Actor::ApiKey(_),
                ..
            }
        ),
        "{:?}",
        message.cause
    );
    // Other operations are none of a receiver's business.
    for (path, body) in [
        (PREVIEW.to_owned(), to("contact_id", json!(contact))),
        (format!("{}/cancel", path_of(&sent)), json!({})),
        ("/api/v1/conversations".to_owned(), to("contact_id", json!(contact))),
    ] {
        receiver.post(&path, body).await.is_refused(403, "forbidden");
    }
    assert_eq!(aws.take_jobs::<SendMessage>(QueueName::Sends).await.len(), 1);
}

#[tokio::test]
async fn callback_replies_in_conversations_of_its_contact() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let id = wrote(&aws, &business).await;
    let reply = json!({"seen": 1, "text": "We open at nine."});
    let key = new_key(&aws, business.scope(), Role::Agent, &[], None).await.0;
    let stranger = business.contact(&aws, &mobile(2)).await.id;
    for (contact, status) in [(stranger, 403), (id.contact(), 201), (id.contact(), 201)] {
        let token = make_token(&aws, business.scope(), key, contact).await;
        let answer = town.api_key(&token).post(&messages_of(id), reply.clone()).await;
        answer.is(status);
    }
    assert_eq!(
        aws.take_jobs::<SendMessage>(QueueName::Sends).await.len(),
        1,
        "of two tokens of one event"
    );
    let viewer = town
        .receiver_of(business.scope(), id.contact(), &[Permission::MessagesRead])
        .await;
    viewer
        .post(MESSAGES, sms(CUSTOMER, json!({})))
        .await
        .is_refused(403, "forbidden");
}
