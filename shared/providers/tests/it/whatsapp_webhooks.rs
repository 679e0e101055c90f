//! Meta's webhooks: every fixture, completely parsed.

use std::collections::{BTreeMap, BTreeSet};

use domain::messages::{InboundMessage, Shared, SharedCard, Update};
use providers::whatsapp::webhook::{Change, Unreadable, split, updates};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::fixtures::{self, read_all, value_of_update};
use crate::sending::key;

fn read(body: &[u8]) -> Value {
    let changes = match split(body) {
        Ok(changes) => changes,
        Err(refused) => return json!({ "unreadable": refused.to_string() }),
    };
    let changes = changes.iter().map(|change| {
        json!({
            "waba_id": change.waba_id,
            "phone_number_id": change.phone_number_id,
            "field": change.field,
            "time": change.time,
            "updates": updates(change).iter().map(value_of_update).collect::<Vec<_>>(),
        })
    });
    changes.collect()
}

fn read_folder(folder: &str) -> BTreeMap<String, Value> {
    read_all(folder, |_, body| read(body))
}

#[test]
fn every_inbound_fixture_is_parsed() {
    insta::assert_json_snapshot!("whatsapp_inbound", read_folder("whatsapp/inbound"));
}

/// In the form of client libraries.
#[test]
fn what_the_own_phone_sends_is_of_its_recipient() {
    let echo = |to: &str, kind: &str| {
        json!({
            "from": "15550783881", "to": to, "id": "wamid.1", "timestamp": "1793347200", "type": kind,
            "text": {"body": "We are open."}, "image": {"id": "1", "caption": "Our cakes"},
        })
    };
    let read = |item: Value| {
        let raw = json!({"field": "smb_message_echoes", "value": {"message_echoes": [item]}}).to_string();
        let field = "smb_message_echoes".to_owned();
        let (waba_id, phone_number_id) = ("1".to_owned(), Some("1".to_owned()));
        let found = updates(&Change {
            waba_id,
            phone_number_id,
            field,
            time: None,
            received_at: None,
            place: 0,
            raw,
        });
        match &found[..] {
            [Update::ByPhone(message)] => Some((message.from.phone.clone()?.to_string(), message.text.clone()?)),
            other => {
                assert!(matches!(other, [Update::Unknown { .. }]), "{other:?}");
                None
            }
        }
    };
    let to = |text: &str| Some(("+16505551234".to_owned(), text.to_owned()));
    assert_eq!(read(echo("16505551234", "text")), to("We are open."));
    assert_eq!(read(echo("+16505551234", "image")), to("Our cakes"));
    for nobody in [echo("", "text"), echo("16505551234", "system"), json!(7)] {
        assert_eq!(read(nobody), None);
    }
}

#[test]
fn every_status_fixture_is_parsed() {
    let read = read_folder("whatsapp/status");
    for (name, changes) in &read {
        let code: Option<i64> = name
            .strip_prefix("failed_")
            .and_then(|rest| rest.split('_').next()?.parse().ok());
        if code.is_some() {
            let status = &changes[0]["updates"][0]["status"];
            assert_eq!(status["error_code"], json!(code), "{name}");
            assert_eq!(status["report"]["error"]["code"], json!(code), "{name}");
        }
    }
    insta::assert_json_snapshot!("whatsapp_status", read);
}

#[test]
fn every_account_fixture_is_parsed() {
    insta::assert_json_snapshot!("whatsapp_account", read_folder("whatsapp/account"));
}

#[test]
fn every_batch_is_split() {
    insta::assert_json_snapshot!("whatsapp_batch", read_folder("whatsapp/batch"));
}

#[test]
fn a_known_kind_is_never_unknown() {
    let unknown_on_purpose = [
        "future_unknown_type.json",
        "unknown_field_next_to_message.json",
        "user_actions.json",
    ];
    let unknown_on_purpose: BTreeSet<&str> = unknown_on_purpose.into();
    for folder in [
        "whatsapp/inbound",
        "whatsapp/status",
        "whatsapp/account",
        "whatsapp/batch",
    ] {
        for name in fixtures::names(folder) {
            let changes = split(&fixtures::bytes(&format!("{folder}/{name}"))).unwrap_or_default();
            let unknown = changes
                .iter()
                .flat_map(updates)
                .any(|update| matches!(update, Update::Unknown { .. }));
            assert_eq!(unknown, unknown_on_purpose.contains(name.as_str()), "{name}");
        }
    }
}

/// The API may say which type it does not show: a poll is a message like any other, a reaction or a pinned message is none.
#[test]
fn what_is_not_shown_is_of_the_type_that_is_named() {
    for (kind, hidden, shown) in [
        ("unsupported", json!({"type": "poll_creation"}), "unsupported"),
        ("unsupported", json!({"type": "unknown"}), "unsupported"),
        ("unsupported", json!({"type": 7}), "unsupported"),
        ("unsupported", json!({"type": "edit"}), "edit"),
        ("unsupported", json!({"type": "reaction"}), "reaction"),
        ("unsupported", json!({"type": "revoke"}), "revoke"),
        ("unsupported", json!({"type": "pin"}), "pin"),
        ("request_welcome", Value::Null, "request_welcome"),
    ] {
        let mut body = fixtures::json("whatsapp/inbound/unsupported_131051.json");
        let message = &mut body["entry"][0]["changes"][0]["value"]["messages"][0];
        message["type"] = kind.into();
        message["unsupported"].clone_from(&hidden);
        let changes = split(body.to_string().as_bytes()).unwrap();
        let [Update::Message(message)] = &updates(&changes[0])[..] else {
            panic!("{kind} {hidden}")
        };
        assert_eq!((&*message.kind, message.opens_window), (shown, false), "{hidden}");
    }
}

#[test]
fn our_key_comes_back_with_the_status() {
    let mut body = fixtures::json("whatsapp/status/sent_utility.json");
    body["entry"][0]["changes"][0]["value"]["statuses"][0]["biz_opaque_callback_data"] = key().to_string().into();
    let changes = split(body.to_string().as_bytes()).unwrap();
    let [Update::Status(status)] = &updates(&changes[0])[..] else {
        panic!()
    };
    assert_eq!(status.key, Some(key()));
}

/// Nobody knows what a new type costs.
#[test]
fn message_of_an_unknown_price_type_is_not_free() {
    for (pricing, billable) in [
        (json!({"type": "regular"}), Some(true)),
        (json!({"type": "free_customer_service", "billable": true}), Some(false)),
        (json!({"type": "some_future_type", "billable": true}), None),
        (json!({"type": "some_future_type", "billable": false}), None),
        (json!({"billable": true}), Some(true)),
        (json!({"billable": false}), Some(false)),
        (json!({}), None),
    ] {
        let mut body = fixtures::json("whatsapp/status/delivered_utility.json");
        let own = &mut body["entry"][0]["changes"][0]["value"]["statuses"][0]["pricing"];
        own.clone_from(&pricing);
        own["category"] = "utility".into();
        let changes = split(body.to_string().as_bytes()).unwrap();
        let [Update::Status(status)] = &updates(&changes[0])[..] else {
            panic!()
        };
        let cost = status.report.cost.as_ref().unwrap();
        assert_eq!(cost.billable, billable, "{pricing}");
    }
}

/// Meta calls the account that keeps the old id a messaging account, beside the one of the number (developers.facebook.com, account model
/// evolution, 29 August 2026). The webhooks are still of the first.
#[test]
fn names_of_the_new_account_model_change_nothing() {
    const NEW: &str = "messaging_account_id";
    for folder in ["inbound", "status", "account", "batch"] {
        let changed = read_all(&format!("whatsapp/{folder}"), |_, body| {
            let mut post: Value = serde_json::from_slice(body).unwrap();
            for entry in post["entry"].as_array_mut().into_iter().flatten() {
                entry[NEW] = entry["id"].clone();
                for change in entry["changes"].as_array_mut().into_iter().flatten() {
                    let value = &mut change["value"];
                    value[NEW] = "900000000000001".into();
                    for part in ["metadata", "waba_info"] {
                        if let Some(part) = value.get_mut(part).and_then(Value::as_object_mut) {
                            let id = part.remove("waba_id");
                            part.insert(NEW.to_owned(), id.unwrap_or_else(|| "900000000000001".into()));
                        }
                    }
                }
            }
            read(post.to_string().as_bytes())
        });
        assert_eq!(changed, read_folder(&format!("whatsapp/{folder}")), "{folder}");
    }
}

/// Posts about the account of a number are stored as they are, like those of other products.
#[test]
fn posts_of_a_whatsapp_account_are_not_read() {
    let body = json!({"object": "whatsapp_account", "entry": [{"id": "1", "changes": []}]}).to_string();
    assert!(matches!(split(body.as_bytes()), Err(Unreadable::OtherObject)));
}

#[test]
fn other_products_and_invalid_json_are_unreadable() {
    assert!(matches!(
        split(&fixtures::bytes("whatsapp/batch/wrong_object.json")),
        Err(Unreadable::OtherObject)
    ));
    for body in [
        &b""[..],
        b"[]",
        b"null",
        b"<html>",
        b"\xff\xfe",
        br#"{"object":"whatsapp_business_account","entry":7}"#,
    ] {
        assert!(split(body).is_err());
    }
}

#[test]
fn one_bad_item_does_not_lose_the_others() {
    let mut body = fixtures::json("whatsapp/batch/several_messages_in_one_change.json");
    let messages = &mut body["entry"][0]["changes"][0]["value"]["messages"];
    messages[0] = json!({ "type": "text", "id": 7, "timestamp": [], "from": {} });
    let mut entries = body["entry"].as_array().unwrap().clone();
    entries[0]["changes"]
        .as_array_mut()
        .unwrap()
        .insert(0, json!("no change"));
    entries.insert(0, json!(["no entry"]));
    body["entry"] = entries.into();
    let changes = split(body.to_string().as_bytes()).unwrap();
    let kinds: Vec<String> = changes
        .iter()
        .flat_map(updates)
        .map(|update| match update {
            Update::Message(message) => message.provider_ref.to_string(),
            Update::Unknown { kind } => kind,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        kinds,
        [
            "unreadable",
            "unreadable",
            "messages/without id",
            "wamid.RklYVFVSRTpiNg==",
            "wamid.RklYVFVSRTpiNw=="
        ]
    );
}

#[test]
fn odd_values_do_not_fail_parsing() {
    let update = |field: &str, value: Value| {
        let body = json!({ "object": "whatsapp_business_account", "entry": [{ "id": 9, "changes": [{ "field": field, "value": value }] }] });
        let changes = split(body.to_string().as_bytes()).unwrap();
        updates(&changes[0]).iter().map(value_of_update).collect::<Value>()
    };
    let message = json!({ "from": "447700900111", "id": "wamid.1", "timestamp": "1793347200", "type": "text", "text": { "body": "hi" } });
    let standby = update("standby", json!({ "standby": [message] }));
    assert_eq!(standby[0]["message"]["standby"], true);
    let mut grouped = message;
    grouped["group_id"] = "g".into();
    // The former format: the number changed, and neither a number nor an id names its owner.
    let system =
        json!({ "type": "system", "system": { "type": "customer_changed_number", "new_wa_id": "447700900119" } });
    let warning = json!({ "id": "wamid.1", "status": "warning" });
    let ours = json!({ "id": "wacid.1", "direction": "BUSINESS_INITIATED" });
    for (field, value, kind) in [
        ("messages", json!({ "messages": [grouped] }), "messages/group"),
        ("messages", json!({ "messages": [] }), "messages"),
        ("messages", Value::Null, "messages"),
        ("messaging_handovers", json!({}), "messaging_handovers/"),
        (
            "messaging_handovers",
            json!({ "type": "control_shared" }),
            "messaging_handovers/control_shared",
        ),
        (
            "messaging_handovers",
            json!({ "type": "control_taken" }),
            "messaging_handovers/without sender",
        ),
        ("standby", json!({ "standby": {} }), "standby"),
        ("messages", json!({ "statuses": [warning] }), "statuses/warning"),
        (
            "messages",
            json!({ "messages": [system] }),
            "system/customer_changed_number",
        ),
        ("calls", json!({ "calls": [ours] }), "calls/BUSINESS_INITIATED"),
    ] {
        let found = update(field, value.clone());
        assert_eq!(found, json!([{ "unknown": kind }]), "{field} {value}");
    }
    let reinstated = json!({ "event": "DISABLED_UPDATE", "ban_info": { "waba_ban_state": "REINSTATE" } });
    assert_eq!(
        update("account_update", reinstated),
        json!([{ "account": { "field": "account_update", "event": "DISABLED_UPDATE", "restricts": false } }])
    );
    let started = json!({ "calls": [{ "id": "wacid.1", "from_user_id": "GB.1", "event": "connect", "direction": "USER_INITIATED", "timestamp": "1793347200" }] });
    assert_eq!(update("calls", started)[0]["whatsapp_call"]["from"]["bsuid"], "GB.1");
}

/// It names its number where other changes name none: as one of the account, it would concern another number's conversation.
#[test]
fn a_handover_is_of_its_number() {
    let found = split(&fixtures::bytes("whatsapp/inbound/control_taken.json")).unwrap();
    assert_eq!(found[0].phone_number_id.as_deref(), Some("910000000000001"));
}

/// Reads the message in this fixture after `change`.
fn inbound(name: &str, change: impl FnOnce(&mut Value)) -> InboundMessage {
    let mut body = fixtures::json(&format!("whatsapp/inbound/{name}.json"));
    change(&mut body["entry"][0]["changes"][0]["value"]["messages"][0]);
    let found = split(body.to_string().as_bytes()).unwrap();
    let [Update::Message(message)] = &updates(&found[0])[..] else {
        panic!("{name}")
    };
    message.clone()
}

#[test]
fn shared_places_and_cards_are_kept_beside_their_words() {
    let place = inbound("location", |_| {});
    let shown = json!({"location": {
        "latitude": 51.5007, "longitude": -0.1246, "name": "Fixture Square", "address": "1 Fixture Sq, London",
    }});
    assert_eq!(json!(place.shared), shown);
    assert_eq!(
        place.text.as_deref(),
        Some("Fixture Square, 1 Fixture Sq, London, 51.5007, -0.1246")
    );
    let cards = inbound("contacts", |_| {});
    let shown = json!({"contacts": [{
        "name": "Sam Example", "organization": "Example Ltd", "phones": ["+44 7700 900333"],
        "emails": ["sam@example.test"],
    }]});
    assert_eq!(json!(cards.shared), shown);
    let nameless = inbound("contacts_from_request_contact_info_bsuid_user", |_| {});
    assert_eq!(
        json!(nameless.shared),
        json!({"contacts": [{"phones": ["+447700900222"]}]})
    );
}

#[test]
fn strange_places_and_cards_are_left_to_their_words() {
    let nowhere = inbound("location", |message| message["location"]["latitude"] = json!(91));
    assert_eq!(nowhere.shared, None);
    assert!(nowhere.text.is_some());
    let named = inbound("location", |message| {
        message["location"]["name"] = json!("\u{202e}x".repeat(1_000));
    });
    let Some(Shared::Location(place)) = named.shared else {
        panic!()
    };
    assert!(place.name.unwrap().len() <= 120);
    let empty = inbound("contacts", |message| message["contacts"] = json!([{}, null, 7, []]));
    assert_eq!(empty.shared, None);
    // All of it fits in a post.
    let long = "👩".repeat(500);
    let card = json!({
        "name": {"formatted_name": long}, "phones": vec![json!({"phone": long}); 9], "emails": [{"email": 7}, "x"],
    });
    for count in [1, 99] {
        let many = inbound("contacts", |message| {
            message["contacts"] = vec![card.clone(); count].into();
        });
        let Some(Shared::Contacts(cards)) = many.shared else {
            panic!()
        };
        assert_eq!((cards[0].phones.len(), cards[0].emails.len()), (5, 0));
        assert!(cards.iter().map(SharedCard::bytes).sum::<usize>() <= SharedCard::MAX_BYTES);
        assert_eq!(cards.len(), count.min(2), "{count}");
    }
    let small = json!({"name": {"formatted_name": "Sam"}});
    let many = inbound("contacts", |message| {
        message["contacts"] = vec![small; 99].into();
    });
    assert!(matches!(many.shared, Some(Shared::Contacts(cards)) if cards.len() == 10));
}

#[test]
fn an_item_without_a_time_gets_the_time_of_receipt() {
    let mut body = fixtures::json("whatsapp/inbound/text.json");
    body["entry"][0]["changes"][0]["value"]["messages"][0]
        .as_object_mut()
        .unwrap()
        .remove("timestamp");
    let mut change = split(body.to_string().as_bytes()).unwrap().remove(0);
    change.received_at = Some(fixtures::at("2026-11-20T08:00:00Z"));
    let [Update::Message(message)] = &updates(&change)[..] else {
        panic!()
    };
    assert_eq!(message.at, fixtures::at("2026-11-20T08:00:00Z"));
}

/// In the form of a job in a queue.
#[derive(Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Job {
    Event { change: Change },
}

#[test]
fn a_change_keeps_its_bytes_through_a_queue() {
    // Meta escapes the slash and everything that is not ASCII.
    let raw = r#"{"value": {"t":"\u0645\u0631\u062d \/ 1.50"} ,"field":"messages"}"#;
    let body = format!(r#"{{"object":"whatsapp_business_account","entry":[{{"id":"1","changes":[ {raw} ]}}]}}"#);
    let change = split(body.as_bytes()).unwrap().remove(0);
    let queued = serde_json::to_string(&Job::Event { change: change.clone() }).unwrap();
    let Job::Event { change: back } = serde_json::from_str(&queued).unwrap();
    assert_eq!(back, change);
    assert_eq!(back.raw, raw);
}

/// Meta's limit for one post.
const LARGEST_POST: usize = 3 * 1024 * 1024;

#[test]
fn the_largest_post_is_split_and_read() {
    let text = fixtures::json("whatsapp/inbound/text.json");
    let entry = &text["entry"][0];
    let one = entry.to_string().len() + 1;
    let many = LARGEST_POST / one;
    let entries: Vec<Value> = (0..many)
        .map(|number| {
            let mut entry = entry.clone();
            entry["changes"][0]["value"]["messages"][0]["id"] = format!("wamid.{number:016}").into();
            entry
        })
        .collect();
    let post = json!({ "object": "whatsapp_business_account", "entry": entries }).to_string();
    assert!(post.len() > LARGEST_POST * 9 / 10, "{}", post.len());
    let changes = split(post.as_bytes()).unwrap();
    assert_eq!(changes.len(), many);
    let ids: BTreeSet<String> = changes
        .iter()
        .flat_map(updates)
        .map(|update| match update {
            Update::Message(message) => message.provider_ref.to_string(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(ids.len(), many);
}
