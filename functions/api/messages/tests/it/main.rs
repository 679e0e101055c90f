//! Messages in both directions, in process against the emulator, from the readers' point of view.

mod actions;
mod attachments;
mod callbacks;
mod contents;
mod replies;
mod sending;
mod trials;
mod visibility;

use domain::accounts::{Permission, Role};
use domain::calls::Received;
use domain::media::InboundMedia;
use domain::messages::{AttemptState, Cause, Cost, Message, SendOutcome, StatusReport};
use domain::money::Money;
use domain::people::Contact;
use domain::terms::{Channel, ContactId, MessageId, Reason, Refusal, Timers};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::business::{CUSTOMER, LINE, business, mobile, phone, read};
use testkit::{Answer, Aws, Seeded, assert_snapshot, texts};

const MESSAGES: &str = "/api/v1/messages";

const PREVIEW: &str = "/api/v1/messages/preview";

const DAY: i64 = 24 * 3600;

/// The WhatsApp number of the business.
const WHATSAPP: &str = "+447700900999";

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, messages::routes).await
}

fn timers(aws: &Aws) -> Timers {
    aws.env().config().timers().unwrap()
}

/// The message that follows a missed call by this number, changed.
async fn follow_up(aws: &Aws, business: &Seeded, number: &str, change: impl FnOnce(&mut Message)) -> Message {
    let mut message = Box::pin(business.follow_up(aws, number)).await;
    change(&mut message);
    aws.store().write_message(business.scope(), &message).await.unwrap();
    message
}

/// The message that an answer shows, as it is stored.
async fn read_message(aws: &Aws, business: &Seeded, shown: &Value) -> Message {
    let id = shown["id"].as_str().unwrap().parse().unwrap();
    let found = aws.store().message(business.scope(), id, aws.now()).await;
    found.unwrap().expect("the message is stored")
}

/// The path of the message that an answer shows.
fn path_of(shown: &Value) -> String {
    format!("{MESSAGES}/{}", shown["id"].as_str().unwrap())
}

/// A customer who has just written to the business by WhatsApp.
async fn writer(aws: &Aws, business: &Seeded) -> Contact {
    let now = aws.now();
    let wrote = |contact: &mut Contact| contact.open_window(&phone(WHATSAPP), &contact.recipient(), now);
    business.contact_with(aws, CUSTOMER, wrote).await
}

/// Requires that a message is not sent, for this reason.
#[track_caller]
fn assert_not_sent(answer: &Answer, code: &str) {
    let refused = answer.is_refused(409, "message_refused").json();
    assert_eq!(refused["code"], code, "{refused}");
}

/// A message is not sent because the tenant is suspended.
fn blocked_by_suspension(message: &mut Message) {
    message.block(Refusal::new(Reason::Suspended, "the account is suspended"));
}

/// A message is sent by WhatsApp, and delivered.
fn deliver_message(message: &mut Message, now: Timestamp, timers: &Timers) {
    message.claim(0, "claim".to_owned(), now, timers);
    let accepted = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: None,
    };
    message.record(1, accepted, now, timers);
    let report = StatusReport {
        state: AttemptState::Delivered,
        at: now + SignedDuration::from_secs(1),
        provider_ref: "wamid.1".parse().unwrap(),
        error: None,
        cost: Some(Cost {
            category: "utility".to_owned(),
            kind: Some("regular".to_owned()),
            billable: Some(true),
            units: 1,
            amount: Money::from_report("0.048", "USD"),
        }),
    };
    assert!(message.apply(1, report, now, timers));
}

#[tokio::test]
async fn a_message_is_listed_and_shown_with_its_attempts() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let message = follow_up(&aws, &business, CUSTOMER, |message| {
        deliver_message(message, now, &timers);
        "cor".clone_into(&mut message.correlation_id);
    })
    .await;
    let listed = viewer.get(MESSAGES).await;
    let found = listed.items();
    assert_eq!(found.len(), 1, "{}", listed.text());
    let entry = &found[0];
    assert_eq!(entry["at"], "2026-11-20T12:00:00Z");
    assert_eq!(entry["contact"], json!({"id": message.id.contact(), "name": null}));
    assert_eq!(
        json!([entry["state"], entry["purpose"]]),
        json!(["delivered", "follow_up"])
    );
    assert_eq!(entry["call_id"], json!(message.cause.call()));
    let shown = viewer.get(&format!("{MESSAGES}/{}", message.id)).await;
    let details = shown.is(200).json();
    for (field, value) in entry.as_object().unwrap() {
        assert_eq!(details[field], *value, "{field}");
    }
    let [attempt] = &details["attempts"].as_array().unwrap()[..] else {
        panic!("{details}");
    };
    assert_eq!(
        attempt["cost"],
        json!({
            "category": "utility", "kind": "regular", "billable": true, "units": 1, "amount": "0.0480", "currency": "USD",
        })
    );
    assert_eq!(
        json!([attempt["state"], attempt["channel"], attempt["provider_ref"]]),
        json!(["delivered", "whatsapp", "wamid.1"])
    );
    assert_eq!(details["reported"], Value::Null);
    assert_snapshot("message", &[&listed, &shown]);
}

#[tokio::test]
async fn automatic_answer_names_what_it_answers() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let own = aws.ids().ulid();
    let answer = follow_up(&aws, &business, CUSTOMER, |message| {
        let inbound = MessageId::new(message.id.contact(), own);
        message.cause = Cause::Answered {
            inbound,
            answer: domain::terms::Answer::Help,
        };
    })
    .await;
    let shown = viewer.get(&format!("{MESSAGES}/{}", answer.id)).await.is(200).json();
    let inbound = MessageId::new(answer.id.contact(), own);
    assert_eq!(json!([shown["in_reply_to"], shown["answer"]]), json!([inbound, "help"]));
    assert_eq!(shown["call_id"], Value::Null);
}

#[tokio::test]
async fn a_failed_attempt_says_why() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let message = follow_up(&aws, &business, CUSTOMER, |message| {
        message.claim(0, "claim".to_owned(), now, &timers);
        let unknown = SendOutcome::Unknown {
            reason: "WhatsApp did not answer".to_owned(),
        };
        message.record(1, unknown, now, &timers);
    })
    .await;
    let shown = viewer.get(&format!("{MESSAGES}/{}", message.id)).await.is(200).json();
    assert_eq!(shown["state"], "unknown");
    let attempt = &shown["attempts"][0];
    assert_eq!(
        json!([attempt["state"], attempt["reason"], attempt["code"]]),
        json!(["unknown", "WhatsApp did not answer", "unconfirmed"])
    );
    assert_eq!(json!([attempt["unknown_at"], attempt["cost"]]), json!([now, null]));
}

/// Lists show at most 4,096 characters of it.
#[tokio::test]
async fn a_customers_message_is_shown_with_its_whole_text() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let contact = business.contact(&aws, CUSTOMER).await.id;
    let long = "é".repeat(5_000);
    let received = business.receive(&aws, contact, |received| {
        received.message.text = Some(long.clone());
        received.message.from.phone = Some(phone(CUSTOMER));
        received.message.to = Some(phone(LINE));
        received.message.payload = Some("book_again".to_owned());
        received.message.media = ["a", "b"].map(|source| InboundMedia::new(source.to_owned())).into();
    });
    let id = received.await.id;
    let found = viewer.get(MESSAGES).await.items();
    let entry = &found[0];
    assert_eq!(
        json!([entry["direction"], entry["cut"], entry["media"][1]["index"]]),
        json!(["inbound", true, 1])
    );
    assert_eq!(entry["text"].as_str().unwrap().chars().count(), 4_096);
    let shown = viewer.get(&format!("{MESSAGES}/{id}")).await.is(200).json();
    assert_eq!(json!([shown["text"], shown["cut"]]), json!([long, false]));
    assert_eq!(json!([shown["purpose"], shown["attempts"]]), json!([null, []]));
    assert_eq!(shown["reported"]["button"], "book_again");
    assert_eq!(shown["reported"]["to"]["number"], LINE);
}

#[tokio::test]
async fn what_a_customer_shares_is_shown_with_its_parts() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let contact = business.contact(&aws, CUSTOMER).await.id;
    let receive = async |kind: &str, text: Option<&str>, shared: Value| {
        let received = business.receive(&aws, contact, |received| {
            received.message.kind = kind.to_owned();
            received.message.text = text.map(str::to_owned);
            received.message.shared = read(shared);
            received.message.reply_to = (kind == "reaction").then(|| "wamid.1".parse().unwrap());
        });
        let place = format!("{MESSAGES}/{}", received.await.id);
        viewer.get(&place).await.is(200).json()
    };
    let parts = |shown: &Value| ["location", "contacts", "reaction"].map(|field| shown[field].clone());

    let place = json!({"latitude": 51.5007, "longitude": -0.1246, "name": "Fixture Square"});
    let shown = receive("location", None, json!({"location": place})).await;
    let mut whole = place;
    whole["address"] = Value::Null;
    assert_eq!(parts(&shown), [whole, json!([]), Value::Null]);

    let card = json!({"name": "Sam Example", "phones": ["+44 7700 900333"]});
    let shown = receive("contacts", None, json!({"contacts": [card]})).await;
    let whole = json!({
        "name": "Sam Example", "organization": null, "phones": ["+44 7700 900333"], "emails": [],
    });
    assert_eq!(parts(&shown), [Value::Null, json!([whole]), Value::Null]);

    let long = "👍".repeat(5_000);
    for (text, emoji) in [
        (Some("👍"), json!("👍")),
        (None, Value::Null),
        (Some(long.as_str()), json!("👍".repeat(16))),
    ] {
        let shown = receive("reaction", text, Value::Null).await;
        let reaction = json!({"to": "wamid.1", "emoji": emoji});
        assert_eq!(parts(&shown), [Value::Null, json!([]), reaction]);
    }
    let shown = receive("text", Some("Hello"), Value::Null).await;
    assert_eq!(parts(&shown), [Value::Null, json!([]), Value::Null]);
    let listed = viewer.get(MESSAGES).await.items();
    assert_eq!(listed.len(), 6);
    assert!(listed.iter().any(|entry| entry["location"]["name"] == "Fixture Square"));
}

#[tokio::test]
async fn messages_need_a_permission_and_are_the_tenants_own() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let message = follow_up(&aws, &business, CUSTOMER, |_| {}).await;
    let place = format!("{MESSAGES}/{}", message.id);
    for role in Role::ALL {
        let caller = town.key_of(business.scope(), role).await;
        assert_eq!(caller.get(MESSAGES).await.items().len(), 1, "{role}");
        caller.get(&place).await.is(200);
    }
    let (_, other) = town.new_key(Role::Admin, &[Permission::CallsRead]).await;
    let (_, own) = town.new_key(Role::Viewer, &[Permission::MessagesRead]).await;
    for path in [MESSAGES, &place] {
        town.anyone().get(path).await.is_refused(401, "unauthorized");
        town.api_key(&other).get(path).await.is_refused(403, "forbidden");
    }
    // Of another tenant, a message looks like one that does not exist.
    for caller in [town.admin(), town.api_key(&own)] {
        assert!(caller.get(MESSAGES).await.items().is_empty());
        let theirs = caller.get(&place).await.is_refused(404, "not_found").detail();
        let nobodys = MessageId::new(message.id.contact(), aws.ids().ulid());
        let missing = caller.get(&format!("{MESSAGES}/{nobodys}")).await;
        assert_eq!(missing.is_refused(404, "not_found").detail(), theirs);
    }
}

/// On each of four days, a message of each direction, some of them in one millisecond.
#[tokio::test]
async fn pages_have_every_message_once_across_days() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let mut expected = Vec::new();
    for day in 0..4 {
        let message = follow_up(&aws, &business, &mobile(day), |_| {}).await;
        expected.push((message.created_at, message.id.own(), message.id.to_string()));
        for _ in 0..day % 3 {
            let id = business.receive(&aws, message.id.contact(), |_| {}).await.id;
            expected.push((aws.now(), id.own(), id.to_string()));
        }
        aws.pass(DAY);
    }
    expected.sort_unstable();
    let expected: Vec<String> = expected.into_iter().rev().map(|(_, _, id)| id).collect();
    for limit in [1, 2, 3, 6, 7, 8, 100] {
        // A caller may ask a hundred times a minute.
        let viewer = town.key_of(business.scope(), Role::Viewer).await;
        assert_eq!(texts(&viewer.all(MESSAGES, limit).await, "id"), expected, "by {limit}");
    }
}

#[tokio::test]
async fn messages_are_found_by_each_condition_and_by_all() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let (now, timers) = (aws.now(), timers(&aws));
    let planned = follow_up(&aws, &business, &mobile(0), |_| {}).await;
    let arrived = follow_up(&aws, &business, &mobile(1), |message| {
        deliver_message(message, now, &timers)
    })
    .await;
    let blocked = follow_up(&aws, &business, &mobile(2), blocked_by_suspension).await;
    let contact = planned.id.contact();
    let by_whatsapp = business.receive(&aws, contact, |_| {}).await.id;
    let over_sms = |received: &mut Received| received.message.channel = Channel::Sms;
    let by_sms = business.receive(&aws, contact, over_sms).await.id;
    let sent = [planned.id, arrived.id, blocked.id];
    for (query, expected) in [
        ("?direction=inbound", vec![by_whatsapp, by_sms]),
        ("?direction=outbound", sent.to_vec()),
        ("?state=scheduled", vec![planned.id]),
        ("?state=delivered", vec![arrived.id]),
        ("?state=blocked", vec![blocked.id]),
        ("?state=failed", vec![]),
        ("?state=blocked&direction=inbound", vec![]),
        ("?state=blocked&channel=sms", vec![]),
        ("?state=blocked&channel=whatsapp&purpose=follow_up", vec![blocked.id]),
        ("?channel=sms", vec![by_sms]),
        ("?channel=whatsapp&direction=inbound", vec![by_whatsapp]),
        ("?purpose=follow_up", sent.to_vec()),
        ("?purpose=campaign", vec![]),
        ("?purpose=follow_up&direction=inbound", vec![]),
        (
            "?state=read&purpose=follow_up&channel=whatsapp&direction=outbound",
            vec![],
        ),
    ] {
        let mut expected: Vec<String> = expected.iter().map(MessageId::to_string).collect();
        expected.sort_unstable();
        for limit in [1, 2, 100] {
            let mut found = texts(&viewer.all(&format!("{MESSAGES}{query}"), limit).await, "id");
            found.sort_unstable();
            assert_eq!(found, expected, "{query} by {limit}");
        }
        aws.pass(60);
    }
}

#[tokio::test]
async fn messages_of_a_merged_contact_name_the_survivor() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let other = follow_up(&aws, &business, &mobile(1), |_| {}).await;
    let survivor = business.contact(&aws, &mobile(2)).await.id;
    business.merge(&aws, survivor, other.id.contact()).await;
    let shown = viewer.get(&format!("{MESSAGES}/{}", other.id)).await.is(200).json();
    let found = viewer.get(MESSAGES).await.items();
    for message in [&shown, &found[0]] {
        assert_eq!(message["id"], json!(other.id));
        assert_eq!(message["contact"]["id"], json!(survivor));
    }
}

/// Deleted contacts are hidden with everything of theirs, until they are restored.
#[tokio::test]
async fn messages_of_a_deleted_contact_are_hidden() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let hidden = follow_up(&aws, &business, CUSTOMER, |_| {}).await;
    let place = format!("{MESSAGES}/{}", hidden.id);
    for (deleted, status) in [(true, 404), (false, 200)] {
        aws.delete_contact(business.scope(), hidden.id.contact(), deleted).await;
        viewer.get(&place).await.is(status);
        assert_eq!(viewer.get(MESSAGES).await.items().is_empty(), deleted);
    }
}

#[tokio::test]
async fn expired_messages_are_left_out() {
    let aws = Aws::new().await;
    let (town, business) = (town(&aws).await, business(&aws).await);
    let viewer = town.key_of(business.scope(), Role::Viewer).await;
    let contact = business.contact(&aws, CUSTOMER).await.id;
    let until = |days: i64| aws.now() + SignedDuration::from_hours(24 * days);
    let (soon, late) = (until(30), until(365));
    let receive = async |kept_until: Timestamp| {
        let received = business.receive(&aws, contact, |received| received.keep_until = Some(kept_until));
        received.await.id
    };
    let (gone, kept) = (receive(soon).await, receive(late).await);
    aws.pass(30 * DAY);
    let found = viewer.all(&format!("{MESSAGES}?from=2026-11-20"), 1).await;
    assert_eq!(texts(&found, "id"), [kept.to_string()]);
    viewer.get(&format!("{MESSAGES}/{gone}")).await.is(404);
    viewer.get(&format!("{MESSAGES}/{kept}")).await.is(200);
}

#[tokio::test]
async fn invalid_query_of_messages_names_the_parameter() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let viewer = town.viewer();
    for (query, field) in [
        ("from=yesterday", "from"),
        ("to=20261120", "to"),
        ("from=2026-10-01&to=2026-11-20", "from"),
        ("direction=up", "direction"),
        ("state=lost", "state"),
        ("state=", "state"),
        ("channel=telegram", "channel"),
        ("purpose=fun", "purpose"),
        ("contact=ctc_1", "contact"),
        ("limit=0", "limit"),
    ] {
        viewer.get(&format!("{MESSAGES}?{query}")).await.names_only(&[field]);
    }
    // The last one is a user's id.
    for cursor in ["", "nonsense", "MXVzcl8wMWhxNWMxeW55YzAwMDAwMDAwMDAwMDBhYg"] {
        viewer.get(&format!("{MESSAGES}?cursor={cursor}")).await.is(400);
    }
    viewer.get(&format!("{MESSAGES}/msg_1")).await.is(404);
}
