//! Event messages, in process against the emulator, from the callers' point of view. There is only one for each event, so they do not take the
//! test of every resource, which creates many.

use domain::accounts::Role;
use serde_json::{Value, json};
use testkit::Aws;
use testkit::api::{Caller, Town};
use testkit::business::business;

const EVENT_MESSAGES: &str = "/api/v1/event-messages";

fn body() -> Value {
    json!({"event": "order.shipped", "message": {
        "category": "utility", "channels": ["sms"], "sms_text": "{{order.number}}: {{order.items}} {{order.tracking_url|}}",
    }})
}

async fn create(caller: &Caller<'_>, body: Value) -> (String, Value) {
    let made = caller.post(EVENT_MESSAGES, body).await;
    (made.is(201).header("location").to_owned(), made.json())
}

#[tokio::test]
async fn event_message_is_created_listed_changed_and_deleted() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, event_messages::routes).await;
    let manager = town.manager();
    let (place, made) = create(&manager, body()).await;
    assert_eq!(made["enabled"], true);
    assert_eq!(made["delay_seconds"], 0);
    assert_eq!(manager.get(&place).await.is(200).json(), made);
    assert_eq!(manager.get(EVENT_MESSAGES).await.items(), [made]);
    let off = json!({"enabled": false, "message": null});
    manager.patch(&place, off.clone()).if_match(2).await.is(412);
    let changed = manager.patch(&place, off).if_match(1).await;
    let changed = changed.is(200).has_version(2).json();
    assert_eq!((&changed["enabled"], changed.get("message")), (&json!(false), None));
    manager.delete(&place).await.is(204);
    manager.get(&place).await.is(404);
    create(&manager, body()).await;
}

#[tokio::test]
async fn there_is_one_message_for_each_event() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, event_messages::routes).await;
    let manager = town.manager();
    create(&manager, json!({"event": "order.created"})).await;
    let (place, _) = create(&manager, body()).await;
    let again = manager.post(EVENT_MESSAGES, json!({"event": "order.shipped"})).await;
    again.is_refused(409, "taken");
    let packed = async || {
        manager
            .post_once(EVENT_MESSAGES, "packed-1", json!({"event": "order.delivered"}))
            .await
    };
    let made = packed().await.is(201).json();
    assert_eq!(packed().await.is(201).json(), made, "the request was repeated");
    let steal = manager.patch(&place, json!({"event": "order.created"})).await;
    steal.is_refused(409, "taken");
    manager.patch(&place, json!({"event": "order.packed"})).await.is(200);
    create(&manager, body()).await;
    create(&town.foreign_admin(), body()).await;
    let unknown = manager.post(EVENT_MESSAGES, json!({"event": "order.lost"})).await;
    unknown.names_only(&["event"]);
}

#[tokio::test]
async fn managers_write_event_messages_and_viewers_read_them() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, event_messages::routes).await;
    let (place, _) = create(&town.manager(), body()).await;
    for role in Role::ALL {
        let (caller, writes) = (town.role(role), role >= Role::Manager);
        caller.get(&place).await.is(200);
        assert_eq!(caller.get(EVENT_MESSAGES).await.items().len(), 1);
        let posted = caller.post(EVENT_MESSAGES, body()).await;
        posted.is(if writes { 409 } else { 403 });
        let patched = caller.patch(&place, json!({"delay_seconds": 60})).await;
        patched.is(if writes { 200 } else { 403 });
        if !writes {
            caller.delete(&place).await.is(403);
        }
    }
    let stranger = town.foreign_admin();
    stranger.get(&place).await.is(404);
    stranger.patch(&place, json!({"enabled": false})).await.is(404);
    stranger.delete(&place).await.is(404);
    assert!(stranger.get(EVENT_MESSAGES).await.items().is_empty());
}

#[tokio::test]
async fn wrong_content_is_named_before_it_is_sent() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, event_messages::routes).await;
    let manager = town.manager();
    let (place, _) = create(&manager, json!({"event": "order.created"})).await;
    for (name, value, field) in [
        ("category", json!("marketing"), "message.category"),
        ("channels", json!([]), "message.channels"),
        ("line", json!("line_01hq5c1ynyc0000000000000ab"), "message.line"),
        ("sms_text", json!("You called at {{call.time}}"), "message.sms_text"),
        ("sms_text", json!("{{order.secret}}"), "message.sms_text"),
        ("sms_text", json!("{{product.nothing.name}}"), "message.sms_text"),
        ("sms_text", Value::Null, "message.sms_text"),
        ("channels", json!(["whatsapp"]), "message.template"),
    ] {
        let mut body = body();
        body["message"][name] = value;
        manager.post(EVENT_MESSAGES, body.clone()).await.names_only(&[field]);
        let patch = json!({"message": body["message"]});
        manager.patch(&place, patch).await.names_only(&[field]);
    }
    let mut templated = body();
    templated["message"]["channels"] = json!(["whatsapp"]);
    templated["message"]["template"] = json!({"name": "gone", "language": "en"});
    let templated = manager.post(EVENT_MESSAGES, templated).await;
    templated.names_only(&["message.template.name"]);
    let late = json!({"event": "order.packed", "delay_seconds": 43_201});
    manager.post(EVENT_MESSAGES, late).await.names_only(&["delay_seconds"]);
}

#[tokio::test]
async fn message_by_whatsapp_names_a_template_of_the_business() {
    let aws = Aws::new().await;
    let town = Town::new(&aws, event_messages::routes).await;
    let business = Box::pin(business(town.aws())).await;
    let caller = town.key_of(business.scope(), Role::Admin).await;
    let mut body = body();
    body["message"]["channels"] = json!(["whatsapp", "sms"]);
    body["message"]["template"] = json!({
        "name": "missed_call_followup", "language": "en_GB",
        "variables": {"1": {"text": "you"}, "2": {"from": "order.secret"}},
    });
    let wrong = caller.post(EVENT_MESSAGES, body.clone()).await;
    wrong.names_only(&["message.template.variables.2.from"]);
    body["message"]["template"]["variables"]["2"] = json!({"from": "order.number"});
    create(&caller, body).await;
}
