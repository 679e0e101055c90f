//! Templates, accounts, and unknown events.

use domain::Timestamp;
use domain::tenants::{Account, Connection, Health, Quality, whatsapp};
use domain::terms::{Category, ConnectionId};
use jobs::{EventSource, Payload};
use kit::{Done, Job, RawBucket};
use process_provider_event::{Context, handle};
use providers::whatsapp::webhook::Change;
use serde_json::{Value, json};
use testkit::business::phone;
use testkit::seed::WABA;

use super::world::{World, status, wrote};

/// A report of WhatsApp about the business's template.
fn of_template(mut value: Value) -> Value {
    value["message_template_name"] = "missed_call_followup".into();
    value["message_template_language"] = "en_GB".into();
    value
}

#[tokio::test]
async fn template_status_applies_from_the_next_decision() {
    let world = World::new().await;
    let sendable = async || world.template().await.status.sendable();
    assert!(sendable().await);
    let paused = |language: &str| {
        let mut value = of_template(json!({"event": "PAUSED", "message_template_id": 1}));
        value["message_template_language"] = language.into();
        world.whatsapp_event("message_template_status_update", &value)
    };
    assert_eq!(world.work(paused("fr")).await, Done::Already, "not one of ours");
    assert!(sendable().await);
    assert_eq!(world.work(paused("en_GB")).await, Done::Now);
    assert!(!sendable().await);
    assert_eq!(world.work(paused("en_GB")).await, Done::Already);
}

/// The report that ends a review may be lost.
#[tokio::test]
async fn template_in_review_again_is_listed_soon() {
    let world = World::new().await;
    for (word, expected) in [("PAUSED", 0), ("UNARCHIVED", 1), ("IN_APPEAL", 1)] {
        let value = of_template(json!({"event": word, "message_template_id": 1}));
        let event = world.whatsapp_event("message_template_status_update", &value);
        world.work(event).await;
        assert_eq!(world.listed_operations().await.len(), expected, "{word}");
    }
}

#[tokio::test]
async fn a_restricted_account_sends_nothing_until_somebody_acts() {
    let world = World::new().await;
    let value = json!({"event": "ACCOUNT_RESTRICTION", "restriction_info": [
        {"restriction_type": "RESTRICTED_BIZ_INITIATED_MESSAGING"},
    ]});
    let event = world.whatsapp_event("account_update", &value);
    assert_eq!(world.work(event.clone()).await, Done::Now);
    let Health::Unhealthy { reason, since, .. } = world.configured_whatsapp().await.health else {
        panic!("healthy");
    };
    assert!(reason.contains("ACCOUNT_RESTRICTION"), "{reason}");
    world.aws.pass(60);
    assert_eq!(world.work(event).await, Done::Already);
    let health = world.configured_whatsapp().await.health;
    assert!(matches!(health, Health::Unhealthy { since: kept, .. } if kept == since));
}

#[tokio::test]
async fn account_news_without_restriction_leaves_it_healthy() {
    let world = World::new().await;
    let value = json!({"event": "VERIFIED_ACCOUNT"});
    world.work(world.whatsapp_event("account_update", &value)).await;
    assert_eq!(world.configured_whatsapp().await.health, Health::Healthy);
}

#[tokio::test]
async fn verified_report_is_noted_once_a_day() {
    let world = World::new().await;
    let noted = async || world.configured_whatsapp().await.last_report_at;
    assert_eq!(noted().await, None);
    let first = world.aws.now();
    for (seconds, expected) in [(0, first), (60, first), (23 * 3600, first)] {
        world.aws.pass(seconds);
        world.whatsapp(&format!("in{seconds}"), "Hello").await;
        assert_eq!(noted().await, Some(expected), "{seconds}");
    }
    world.aws.pass(3600);
    world.whatsapp("later", "Hello").await;
    assert_eq!(noted().await, Some(world.aws.now()));
}

/// The stored values of these connections' numbers: customers a day, messages a second, rating.
async fn limits(world: &World, ids: [ConnectionId; 2]) -> [(Option<u32>, Option<u32>, Option<Quality>); 2] {
    let (store, scope) = (world.aws.store(), world.business.scope());
    let known = futures::future::join_all(ids.map(|id| store.connection(scope, id))).await;
    let known: Vec<_> = known
        .into_iter()
        .map(|known| {
            let known = known.expect("the table answers").expect("the connection is there");
            let reported = known.reported;
            (
                reported.customers_per_day.map(|known| known.value),
                reported.messages_per_second.map(|known| known.value),
                reported.quality.map(|known| known.value),
            )
        })
        .collect();
    known.try_into().expect("as many as were asked for")
}

#[tokio::test]
async fn reported_rating_and_limits_of_a_number_are_stored() {
    let mut others = None;
    let world = World::with(|configured| {
        let own = configured
            .connections
            .iter()
            .find(|known| known.account.kind() == "whatsapp");
        let mut other = own.unwrap().clone();
        other.id = "conn_00000000000000000000000077".parse().unwrap();
        let Account::WhatsApp(whatsapp::Account {
            phone_number_id,
            display_number,
            ..
        }) = &mut other.account
        else {
            unreachable!()
        };
        "910000000000077".clone_into(phone_number_id);
        *display_number = phone("+971501234577");
        others = Some(other.id);
        configured.connections.push(other);
    })
    .await;
    let ids = [world.business.whatsapp, others.unwrap()];
    let report = |field: &str, value: Value, at: i64| {
        let change = Change {
            waba_id: WABA.to_owned(),
            phone_number_id: None,
            field: field.to_owned(),
            time: Timestamp::from_second(world.seconds() + at).ok(),
            received_at: None,
            place: 0,
            raw: json!({"field": field, "value": value}).to_string(),
        };
        let change = serde_json::to_string(&change).unwrap();
        let whatsapp = world.business.whatsapp;
        world
            .business
            .event(&world.aws, whatsapp, EventSource::WhatsApp, change)
    };
    let number = "phone_number_quality_update";
    let business = "business_capability_update";
    assert_eq!(limits(&world, ids).await, [(None, None, None); 2]);

    // The limit applies to the whole business, whichever number receives the event; the rest to the named number.
    let upgrade = json!({
        "display_phone_number": "+971 50 123 4577", "event": "THROUGHPUT_UPGRADE",
        "max_daily_conversations_per_business": "TIER_10K",
    });
    let upgrade = report(number, upgrade, -60);
    world.work(upgrade.clone()).await;
    let known = [(Some(10_000), None, None), (Some(10_000), Some(1_000), None)];
    assert_eq!(limits(&world, ids).await, known);

    // Repeated and older events write nothing.
    let version = async || {
        let (store, scope) = (world.aws.store(), world.business.scope());
        let store = &store;
        let versioned = ids.map(|id| async move { store.get::<Connection>(scope, &id).await });
        let versioned = futures::future::join_all(versioned).await;
        versioned
            .into_iter()
            .map(|known| known.unwrap().unwrap().version)
            .collect::<Vec<_>>()
    };
    let before = version().await;
    let older = json!({"max_daily_conversations_per_business": "TIER_250", "max_phone_numbers_per_business": 2});
    for event in [upgrade, report(business, older, -61)] {
        world.work(event).await;
    }
    assert_eq!(version().await, before);
    assert_eq!(limits(&world, ids).await, known);

    // A clock that is ahead does not block later events.
    let flagged = json!({"display_phone_number": "971501234577", "event": "FLAGGED"});
    world.work(report(number, flagged, 3600)).await;
    world.aws.pass(10);
    let newer = json!({"max_daily_conversations_per_business": "TIER_UNLIMITED"});
    world.work(report(business, newer, -1)).await;
    let flagged = Some(Quality::Red);
    let known = [(Some(0), None, None), (Some(0), Some(1_000), flagged)];
    assert_eq!(limits(&world, ids).await, known);
    let better = json!({"display_phone_number": "971501234577", "event": "UNFLAGGED"});
    world.work(report(number, better, 0)).await;
    assert_eq!(limits(&world, ids).await[1].2, Some(Quality::Unknown));

    // A number that is not connected.
    let before = version().await;
    let foreign = json!({"display_phone_number": "971501234599", "event": "FLAGGED"});
    world.work(report(number, foreign, 0)).await;
    assert_eq!(version().await, before);
    assert_eq!(world.configured_whatsapp().await.health, Health::Healthy);
}

#[tokio::test]
async fn unknown_kind_of_event_is_stored_raw() {
    let world = World::new().await;
    let event = world.whatsapp_event("shiny_new_field", &json!({"future": true}));
    assert_eq!(world.work(event).await, Done::Now);
    let kept = world.aws.objects("raw/unknown/whatsapp/").await;
    assert_eq!(kept.len(), 1);
    let text = String::from_utf8(kept.into_values().next().unwrap()).unwrap();
    assert!(text.contains("shiny_new_field") && text.contains("future"), "{text}");
}

#[tokio::test]
async fn unreadable_part_does_not_lose_the_others() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let now = world.seconds();
    let mut value = wrote("wamid.in", now, "Hello");
    value["statuses"] = json!([{"id": "wamid.2", "status": "from_the_future"}, 17, status("delivered", now)]);
    value["messages"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!({"type": "hologram", "id": "wamid.x"}));
    assert_eq!(world.deliver(&value).await, Done::Now);
    assert!(world.message(&message).await.was_delivered());
    // A message without a sender is that of the only person whom the webhook names.
    let (received, _) = world.told_by_customer().await;
    let mut kinds: Vec<_> = received.iter().map(|received| &*received.message.kind).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, ["text", "unsupported"]);
    assert_eq!(world.aws.objects("raw/unknown/").await.len(), 1, "kept once, whole");
}

#[tokio::test]
async fn failed_part_is_retried_without_blocking_the_others() {
    let world = World::new().await;
    let now = world.seconds();
    let mut value = wrote("wamid.in", now, "Hello");
    let message = world.sent_follow_up().await;
    value["statuses"] = json!([status("delivered", now)]);
    // The table accepts no transactions at present: a customer's message is not stored, a status is.
    let lossy = testkit::Lossy::before(&world.aws);
    let ctx = Context::new(&world.aws.env_behind(lossy.url())).unwrap();
    lossy.throttle("TransactWriteItems", 20);
    let event = world.messages(&value);
    assert!(Box::pin(handle(Job::new(event.clone(), 1), &ctx)).await.is_err());
    assert!(world.message(&message).await.was_delivered());
    assert_eq!(world.receive_event(event, 2).await.unwrap(), Done::Now);
    assert_eq!(world.told_by_customer().await.0.len(), 1);
}

#[tokio::test]
async fn event_for_a_deleted_tenant_or_message_is_dropped() {
    let world = World::new().await;
    let now = world.seconds();
    let message = world.sent_follow_up().await;
    let rows = async || world.aws.row_count().await;
    world.business.remove(&world.aws, "TENANT", None).await;
    let before = rows().await;
    for event in [
        world.messages(&wrote("wamid.in", now, "Hello")),
        world.messages(&json!({"user_preferences": [{
            "wa_id": "971509999999", "category": "marketing_messages", "value": "stop", "timestamp": now.to_string(),
        }]})),
    ] {
        assert_eq!(world.work(event).await, Done::Already);
    }
    assert_eq!(rows().await, before, "nothing is stored for a tenant that is gone");
    world
        .business
        .remove(&world.aws, "MSG#", Some(message.id.contact()))
        .await;
    let event = world.messages(&json!({"statuses": [status("delivered", now)]}));
    assert_eq!(world.work(event).await, Done::Already);
}

/// A row still leads to the contact, which no longer exists.
#[tokio::test]
async fn message_from_a_deleted_contact_is_dropped() {
    let world = World::new().await;
    world.whatsapp("wamid.first", "Hello").await;
    let contact = world.customer().await.id;
    world.business.remove(&world.aws, "CONTACT", Some(contact)).await;
    let rows = world.aws.row_count().await;
    let now = world.seconds();
    let mut of_both = wrote("wamid.both", now, "Hello");
    of_both["contacts"][0]["user_id"] = json!("AE.700");
    of_both["messages"][0]["from_user_id"] = json!("AE.700");
    for message in [wrote("wamid.next", now, "Hello"), of_both] {
        assert_eq!(world.deliver(&message).await, Done::Already);
    }
    assert_eq!(world.aws.row_count().await, rows);
}

#[tokio::test]
async fn nothing_is_parked_for_a_deleted_tenant() {
    let world = World::new().await;
    world.business.remove(&world.aws, "TENANT", None).await;
    let rows = world.aws.row_count().await;
    let event = world.messages(&json!({"statuses": [status("sent", world.seconds())]}));
    assert_eq!(world.work(event).await, Done::Already);
    assert_eq!(world.aws.row_count().await, rows);
}

#[tokio::test]
async fn a_large_event_is_read_from_the_bucket() {
    let world = World::new().await;
    let mut event = world.says("wamid.in", "Hello");
    let Payload::Inline(body) = event.payload else {
        unreachable!()
    };
    let bucket = RawBucket::new(world.aws.env()).unwrap();
    let key = bucket.keep_raw("large", "whatsapp", body.into_bytes()).await.unwrap();
    event.payload = Payload::Stored(key);
    assert_eq!(world.work(event.clone()).await, Done::Now);
    assert_eq!(world.told_by_customer().await.0.len(), 1);
    event.payload = Payload::Stored("raw/large/whatsapp/gone".to_owned());
    assert_eq!(world.work(event).await, Done::Already, "it will not come back");
}

#[tokio::test]
async fn template_moved_to_marketing_is_no_longer_utility() {
    let world = World::new().await;
    let template = async || world.template().await;
    let event = |field: &str, value: Value, time: i64| {
        let event = world.whatsapp_event(field, &of_template(value));
        world.at(event, time)
    };
    let category = |value: Value, time: i64| event("template_category_update", value, time);
    // A change that is only announced.
    let announced = json!({"new_category": "UTILITY", "correct_category": "MARKETING"});
    world.work(category(announced, 100)).await;
    assert_eq!(template().await.category, Category::Utility);
    let made = json!({"previous_category": "UTILITY", "new_category": "MARKETING"});
    assert_eq!(world.work(category(made.clone(), 200)).await, Done::Now);
    assert_eq!(template().await.category, Category::Marketing);
    assert_eq!(world.work(category(made, 200)).await, Done::Already);
    // An older event arrives late.
    let before = json!({"previous_category": "MARKETING", "new_category": "UTILITY"});
    assert_eq!(world.work(category(before, 150)).await, Done::Already);
    assert_eq!(template().await.category, Category::Marketing);

    let status = |word: &str, time: i64| event("message_template_status_update", json!({"event": word}), time);
    world.work(status("REINSTATED", 400)).await;
    assert_eq!(world.work(status("PAUSED", 300)).await, Done::Already, "it comes late");
    assert!(template().await.status.sendable());
    world.work(status("PAUSED", 500)).await;
    assert!(!template().await.status.sendable());
}

#[tokio::test]
async fn quality_and_texts_of_a_template_are_taken_over() {
    let world = World::new().await;
    let event = |field: &str, value: Value, time: i64| {
        let event = world.whatsapp_event(field, &of_template(value));
        world.at(event, time)
    };
    let quality = |score: &str, time: i64| {
        let value = json!({"previous_quality_score": "GREEN", "new_quality_score": score});
        event("message_template_quality_update", value, time)
    };
    assert_eq!(world.work(quality("RED", 200)).await, Done::Now);
    assert_eq!(world.work(quality("GREEN", 100)).await, Done::Already, "it comes late");
    assert_eq!(world.template().await.quality, Some(Quality::Red));

    let texts = json!({
        "message_template_element": "Hello {{1}}, {{2}} calls you back today.", "message_template_footer": "Bye",
    });
    let components = event("message_template_components_update", texts, 300);
    assert_eq!(world.work(components.clone()).await, Done::Now);
    let template = world.template().await;
    assert_eq!(template.body, "Hello {{1}}, {{2}} calls you back today.");
    assert_eq!((template.footer.as_deref(), template.edition), (Some("Bye"), 1));
    assert_eq!(world.work(components).await, Done::Already);
}

#[tokio::test]
async fn oversized_event_is_stored_raw_and_not_retried() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    let now = world.seconds();
    let long = "x".repeat(2_000);
    let mut odd = status("delivered", now);
    odd["id"] = long.clone().into();
    let mut new = wrote(&long, now, "Hello");
    new["statuses"] = json!([odd, status("delivered", now)]);
    let paused = json!({"event": "PAUSED", "message_template_name": long, "message_template_language": long});
    for event in [
        world.messages(&new),
        world.whatsapp_event("message_template_status_update", &paused),
    ] {
        assert_eq!(world.work(event).await, Done::Now);
    }
    assert!(world.message(&message).await.was_delivered(), "its neighbours count");
    assert_eq!(world.aws.objects("raw/unknown/").await.len(), 2);
    assert_eq!(world.aws.depth(kit::QueueName::Sends).await, 0);
}

#[tokio::test]
async fn long_message_is_cut_to_the_size_of_a_row() {
    let world = World::new().await;
    let now = world.seconds();
    let mut value = wrote("wamid.in", now, "");
    let answers = format!("{{\"answer\": \"{}\"}}", "ß".repeat(300_000));
    value["contacts"][0]["profile"]["name"] = "N".repeat(100_000).into();
    value["messages"][0]["type"] = "interactive".into();
    value["messages"][0]["interactive"] = json!({"type": "nfm_reply", "nfm_reply": {
        "name": "flow", "body": "Sent", "response_json": answers,
    }});
    assert_eq!(world.deliver(&value).await, Done::Now);
    let contact = world.customer().await;
    assert_eq!(world.name_of(&contact).await.as_deref().map(str::len), Some(120));
    let (received, _) = world.told_by(&contact).await;
    let kept = received[0].message.payload.as_deref().unwrap();
    assert!(answers.starts_with(kept) && kept.len() > 60_000);
    assert!(
        received[0].remarks[0].text.contains("shortened"),
        "{:?}",
        received[0].remarks
    );
    let whole = world.aws.objects("raw/cut/").await;
    assert!(whole.values().any(|bytes| bytes.len() > answers.len()));
}

#[tokio::test]
async fn twilio_form_without_a_message_id_is_stored_raw() {
    let world = World::new().await;
    world.work(world.twilio_inbound("Body=Hello".to_owned())).await;
    assert_eq!(world.aws.objects("raw/unknown/twilio/").await.len(), 1);
}
