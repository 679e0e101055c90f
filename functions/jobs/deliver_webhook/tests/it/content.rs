//! Events with content, which is read at each attempt, and what an endpoint's own header and secrets are used for.

use domain::live::Event;
use domain::webhooks::AttemptOutcome;
use serde_json::{Value, json};
use testkit::business::CUSTOMER;
use wiremock::ResponseTemplate;

use super::world::World;

/// The data of the only request since the last call.
async fn take_data(world: &World) -> Value {
    let requests = world.take_requests().await;
    assert_eq!(requests.len(), 1);
    let body: Value = requests[0].body_json().expect("JSON");
    body["data"].clone()
}

/// The event of a customer's message with this text.
async fn receive_event(world: &World, text: &str) -> Event {
    let contact = world.business.contact(&world.aws, CUSTOMER).await;
    let text = Some(text.to_owned());
    let received = world
        .business
        .receive(&world.aws, contact.id, |received| received.message.text = text);
    let received = received.await;
    serde_json::from_value(json!({
        "id": "evt_00000000000000000000000007", "type": "message.received", "at": world.aws.now(),
        "data": {"contact_id": contact.id, "message_id": received.id},
    }))
    .expect("an event")
}

#[tokio::test]
async fn content_is_read_at_each_attempt_and_never_stored() {
    let world = World::new().await;
    let endpoint = world.endpoint(|endpoint| endpoint.content = true).await;
    let event = receive_event(&world, "Table for two?").await;
    let ids = json!({"contact_id": event.data.contact_id, "message_id": event.data.message_id});
    let with = |more: Value| {
        let mut data = ids.clone();
        let members = data.as_object_mut().expect("an object");
        members.extend(more.as_object().expect("an object").clone());
        data
    };
    world.answer(ResponseTemplate::new(500).set_body_string("You said: Table for two?"));
    world.publish(&endpoint, std::slice::from_ref(&event)).await;
    let contact = json!({"phone": CUSTOMER, "name": null, "language": null});
    let whole = with(json!({"contact": contact, "text": "Table for two?"}));
    assert_eq!(take_data(&world).await, whole);
    let delivery = world.delivery(&endpoint, &event).await.expect("a delivery");
    let stored = serde_json::to_string(&delivery).expect("JSON");
    assert!(!stored.contains("Table") && !stored.contains(CUSTOMER), "{stored}");
    // The person is erased before the next attempt.
    let erased = event.data.contact_id;
    for prefix in ["CONTACT", "MSG#"] {
        world.business.remove(&world.aws, prefix, erased).await;
    }
    world.aws.pass(6);
    world.retry(&endpoint, &event).await;
    assert_eq!(take_data(&world).await, with(json!({"contact": null, "text": null})));
}

#[tokio::test]
async fn endpoint_without_content_gets_ids_only() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let event = receive_event(&world, "Table for two?").await;
    world.publish(&endpoint, std::slice::from_ref(&event)).await;
    let requests = world.take_requests().await;
    let body: Value = requests[0].body_json().expect("JSON");
    let data = json!({"contact_id": event.data.contact_id, "message_id": event.data.message_id});
    let expected = json!({"type": "message.received", "timestamp": "2026-11-20T12:00:00Z", "data": data});
    assert_eq!(body, expected);
    assert!(
        requests[0]
            .body
            .starts_with(br#"{"type":"message.received","timestamp":"#)
    );
}

#[tokio::test]
async fn long_texts_are_cut_to_the_size_of_a_body() {
    let world = World::new().await;
    let endpoint = world.endpoint(|endpoint| endpoint.content = true).await;
    let event = receive_event(&world, &"\u{1}ñ".repeat(4_000)).await;
    world.publish(&endpoint, std::slice::from_ref(&event)).await;
    let requests = world.take_requests().await;
    let length = requests[0].body.len();
    assert!((10_000..20_000).contains(&length), "{length}");
    let body: Value = requests[0].body_json().expect("JSON");
    assert_eq!(body["data"]["truncated"], true);
    let delivery = world.delivery(&endpoint, &event).await.expect("a delivery");
    assert_eq!(delivery.attempts[0].outcome, AttemptOutcome::Delivered);
}

/// The headers that a receiver without Standard Webhooks checks, such as a node of n8n.
#[tokio::test]
async fn own_header_goes_along() {
    let world = World::new().await;
    let secrets = world.secrets();
    let endpoint = world.endpoint(|_| {}).await;
    let sealed = secrets.seal(world.business.tenant(), endpoint.id, "own-value").await;
    let header = domain::webhooks::EndpointHeader {
        name: "x-token".parse().expect("a name"),
        sealed: sealed.expect("it is sealed"),
    };
    let (store, scope) = (world.store(), world.scope());
    let known = store
        .get(scope, &endpoint.id)
        .await
        .expect("the table answers")
        .expect("it is there");
    let changed = domain::webhooks::WebhookEndpoint {
        header: Some(header),
        ..endpoint.clone()
    };
    let changed = store
        .change_webhook_endpoint(scope, &known, &changed, &world.aws.stamp())
        .await;
    changed.expect("it is changed");
    world.publish(&endpoint, &world.events(1)).await;
    let requests = world.take_requests().await;
    assert_eq!(requests[0].headers["x-token"], "own-value");
    assert_eq!(requests[0].headers["content-type"], "application/json");
}
