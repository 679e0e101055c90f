//! Arbitrary input never panics and never affects other items.

use domain::messages::Update;
use proptest::collection::vec;
use proptest::prelude::*;
use providers::shops::{shopify, signature, woocommerce};
use providers::twilio::signature::{Body, Headers, Secrets};
use providers::twilio::voice::{VoiceCallback, event};
use providers::twilio::{self, form, message};
use providers::whatsapp::{self, webhook};
use providers::{aircall, exotel, plivo, telephony, vonage};
use serde_json::{Value, json};

use crate::fixtures::{self, at, connection};

/// Paths of every value in a JSON document.
fn paths(value: &Value, here: String, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                paths(
                    field,
                    format!("{here}/{}", name.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                paths(item, format!("{here}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(here);
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        "[0-9]{1,20}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        Just(json!([null, 1, "x", {}])),
        Just(json!({ "type": "edit", "edit": { "message": { "type": "edit" } } })),
    ]
}

/// A fixture of the folder with some of its values replaced.
fn mutated_fixture(folder: &'static str) -> impl Strategy<Value = Value> {
    let names: Vec<String> = fixtures::names(folder).into_iter().collect();
    (
        any::<prop::sample::Index>(),
        vec((any::<prop::sample::Index>(), any_value()), 0..4),
    )
        .prop_map(move |(which, changes)| {
            let mut document = fixtures::json(&format!("{folder}/{}", which.get(&names)));
            for (place, value) in changes {
                let mut found = Vec::new();
                paths(&document, String::new(), &mut found);
                *document.pointer_mut(place.get::<String>(&found)).unwrap() = value;
            }
            document
        })
}

fn read_all(body: &[u8]) -> usize {
    let changes = webhook::split(body).unwrap_or_default();
    for change in &changes {
        let updates = webhook::updates(change);
        assert!(!updates.is_empty(), "a change that vanishes is not even counted");
        for update in updates {
            if let Update::Message(message) = update {
                assert!(message.from.phone.is_some() || message.from.bsuid.is_some());
                assert!(!message.provider_ref.is_empty());
            }
        }
    }
    changes.len()
}

proptest! {
    #[test]
    fn mutated_messages_never_panic(document in mutated_fixture("whatsapp/inbound")) {
        read_all(document.to_string().as_bytes());
    }

    #[test]
    fn mutated_statuses_never_panic(document in mutated_fixture("whatsapp/status")) {
        read_all(document.to_string().as_bytes());
    }

    #[test]
    fn mutated_account_events_never_panic(document in mutated_fixture("whatsapp/account")) {
        read_all(document.to_string().as_bytes());
    }

    #[test]
    fn mutated_batches_never_panic(document in mutated_fixture("whatsapp/batch")) {
        read_all(document.to_string().as_bytes());
    }

    #[test]
    fn mutated_calls_never_panic(document in mutated_fixture("telephony/generic")) {
        let _ = telephony::event(document.to_string().as_bytes(), connection(), at("2026-10-31T09:20:01Z"));
    }

    #[test]
    fn mutated_vendor_calls_never_panic(ours in mutated_fixture("telephony/vonage"), theirs in mutated_fixture("telephony/aircall")) {
        let now = at("2026-10-31T09:20:01Z");
        let _ = vonage::event(ours.to_string().as_bytes(), connection(), now);
        let _ = aircall::event(theirs.to_string().as_bytes(), connection(), now);
        let country = "91".parse().unwrap();
        let _ = exotel::status_json(ours.to_string().as_bytes(), country, connection(), now);
    }

    #[test]
    fn a_broken_message_does_not_lose_its_neighbour(broken in any_value()) {
        let mut document = fixtures::json("whatsapp/inbound/text.json");
        let messages = &mut document["entry"][0]["changes"][0]["value"]["messages"];
        let whole = messages[0].clone();
        *messages = json!([broken, whole]);
        let changes = webhook::split(document.to_string().as_bytes()).unwrap();
        let updates = webhook::updates(&changes[0]);
        prop_assert_eq!(updates.len(), 2);
        prop_assert!(matches!(updates[1], Update::Message(_)));
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in vec(any::<u8>(), 0..200), text in ".{0,60}") {
        read_all(&bytes);
        let now = at("2026-10-31T09:20:01Z");
        let _ = telephony::event(&bytes, connection(), now);
        let form = form::parse(&bytes);
        prop_assert_eq!(message::inbound(&form, now).len(), 1);
        prop_assert_eq!(message::status(&form, Some(&text), now).len(), 1);
        let headers = telephony::Headers { id: Some(&text), timestamp: Some(&text), signature: Some(&text) };
        prop_assert!(telephony::verify(&["whsec_AAAA"], headers, &bytes, now).is_err());
        prop_assert!(whatsapp::signature::verify(&["secret"], Some(&text), &bytes).is_err());
        let country = "91".parse().unwrap();
        let _ = aircall::event(&bytes, connection(), now);
        let _ = vonage::event(&bytes, connection(), now);
        let _ = exotel::passthru(&form, country, connection(), now);
        let _ = exotel::status_form(&bytes, country, connection(), now);
        let _ = plivo::event(&form, connection(), now);
        let _ = shopify::report("orders/create", &bytes);
        let _ = woocommerce::report("order.updated", &bytes, jiff::Timestamp::UNIX_EPOCH);
        prop_assert!(signature::verify(&["secret"], Some(&text), &bytes).is_err());
        let _ = country.phone(&text);
        prop_assert!(!aircall::is_from(&["secret"], &bytes));
        prop_assert!(!exotel::is_from(&["a secret of ours"], &text, &[], None));
        let secrets = ["secret".to_owned()];
        let expected = vonage::Expected { secrets: &secrets, api_key: "k", application_id: None };
        prop_assert!(vonage::verify(expected, Some(&text), &bytes, now).is_err());
        let headers = plivo::signature::Headers { signature: Some(&text), main_account: None, nonce: Some("1") };
        prop_assert!(plivo::signature::verify(&["secret"], headers, &text, &bytes).is_err());
        prop_assert!(whatsapp::handshake::answer(&text, "token").is_err());
        let tokens = ["token".to_owned()];
        let secrets = Secrets { auth_tokens: &tokens, shared_keys: &[] };
        for settings in [None, Some(text.as_str())] {
            for body in [Body::Form(&bytes), Body::Json(&bytes), Body::Get] {
                let headers = Headers { signature: Some(&text), settings };
                prop_assert!(twilio::signature::verify(secrets, headers, &text, body).is_err());
            }
        }
    }

    #[test]
    fn arbitrary_callbacks_never_panic(values in vec(".{0,30}", 12), sid in "CA[0-9a-f]{32}") {
        let names = [
            "Direction", "From", "To", "CallStatus", "CallDuration", "Timestamp", "DialCallStatus", "DialCallDuration",
            "RecordingDuration", "RecordingSource", "CallerName", "ErrorCode",
        ];
        let encoded = |value: &String| {
            value.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>()
        };
        let fields = names.iter().zip(&values).map(|(name, value)| format!("{name}={}", encoded(value)));
        let body = fields.chain([format!("CallSid={sid}")]).collect::<Vec<_>>().join("&");
        let form = form::parse(body.as_bytes());
        for what in [VoiceCallback::Voice, VoiceCallback::DialResult, VoiceCallback::Status, VoiceCallback::Recording] {
            prop_assert!(event(what, &form, connection(), &[], at("2026-10-31T09:20:01Z")).is_ok());
        }
    }

    #[test]
    fn signature_is_valid_only_for_its_form(values in vec(vec(any::<u8>(), 0..10), 1..5), other in vec(any::<u8>(), 0..10)) {
        let encode = |bytes: &[u8]| bytes.iter().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let body = values.iter().enumerate().map(|(index, value)| format!("n{index}={}", encode(value))).collect::<Vec<_>>().join("&");
        let url = "https://h.test/x?y=%20";
        let signature = twilio::signature::sign("token", url, body.as_bytes());
        let tokens = ["token".to_owned()];
        let secrets = Secrets { auth_tokens: &tokens, shared_keys: &[] };
        let headers = Headers { signature: Some(&signature), settings: None };
        prop_assert!(twilio::signature::verify(secrets, headers, url, Body::Form(body.as_bytes())).is_ok());
        if other != values[0] {
            let changed = body.replacen(&format!("n0={}", encode(&values[0])), &format!("n0={}", encode(&other)), 1);
            // Without separators, a value may merge with the next name; that is Twilio's scheme.
            let same_text = twilio::signature::sign("token", url, changed.as_bytes()) == signature;
            let judged = twilio::signature::verify(secrets, headers, url, Body::Form(changed.as_bytes())).is_ok();
            prop_assert_eq!(judged, same_text);
        }
    }
}
