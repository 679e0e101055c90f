//! Callbacks: events about contacts carry a token, of which only the hash is kept.

use access::token;
use domain::live::Event;
use domain::terms::ContactId;
use domain::webhooks::WebhookRun;
use serde_json::{Value, json};
use ulid::Ulid;
use wiremock::ResponseTemplate;

use super::world::World;

/// The endpoint's right, with an address of a receiver.
fn callback() -> Value {
    json!({"api_key_id": "key_00000000000000000000000001", "from": ["203.0.113.0/24"]})
}

/// The callbacks of the events that were sent since the last call.
async fn take_callbacks(world: &World) -> Vec<Value> {
    let requests = world.take_requests().await;
    let body = |request: &wiremock::Request| request.body_json::<Value>().expect("JSON")["callback"].clone();
    requests.iter().map(body).collect()
}

async fn read_run(world: &World, token: &Value) -> Option<WebhookRun> {
    let token = token.as_str().expect("a text");
    assert_eq!(token::tenant_of_run(token), Some(world.business.tenant()));
    let sha256 = token::sha256_hex(token);
    let (store, tenant) = (world.store(), world.business.tenant());
    let found = store.webhook_run_before_scope(tenant, &sha256, world.aws.now());
    found.await.expect("the table answers")
}

#[tokio::test]
async fn each_attempt_carries_a_token_whose_hash_is_kept() {
    let world = World::new().await;
    let callback = serde_json::from_value(callback()).expect("a callback");
    let endpoint = world.endpoint(|endpoint| endpoint.callback = Some(callback)).await;
    let contact = ContactId::new(Ulid::from_parts(1, 7));
    let mut event: Event = world.events(1).remove(0);
    event.data.contact_id = Some(contact);
    world.answer(ResponseTemplate::new(500).set_body_string("You sent rbr_"));
    world.publish(&endpoint, std::slice::from_ref(&event)).await;
    let sent = take_callbacks(&world).await;
    assert_eq!(sent[0]["url"], "https://api.example.com/api/v1");
    assert_eq!(sent[0]["expires_at"], "2026-11-20T12:15:00Z");
    let run = read_run(&world, &sent[0]["token"]).await.expect("a run");
    assert_eq!((run.endpoint, run.event, run.contact), (endpoint.id, event.id, contact));
    assert_eq!(
        Some(run.api_key),
        endpoint.callback.as_ref().map(|callback| callback.api_key_id)
    );
    let rows = format!("{:?}", world.aws.rows().await);
    assert!(
        !rows.contains("rbr_"),
        "neither the token nor an answer that repeats it is kept"
    );
    // The first one ends by itself.
    world.aws.pass(6);
    world.retry(&endpoint, &event).await;
    let again = take_callbacks(&world).await;
    assert_ne!(again[0]["token"], sent[0]["token"]);
    let later = read_run(&world, &again[0]["token"]).await.expect("a run");
    assert_eq!(later.name(), run.name());
}

#[tokio::test]
async fn events_about_nobody_carry_no_token() {
    let world = World::new().await;
    let right = serde_json::from_value(callback()).expect("a callback");
    let endpoint = world.endpoint(|endpoint| endpoint.callback = Some(right)).await;
    world.publish(&endpoint, &world.events(2)).await;
    assert_eq!(take_callbacks(&world).await, [Value::Null, Value::Null]);
}
