//! Twilio's message callbacks: every fixture.

use std::collections::BTreeMap;

use domain::messages::{OptFlag, Update};
use domain::terms::{Channel, SenderId};
use providers::twilio::{address, form, message};
use serde_json::{Value, json};

use crate::fixtures::{at, read_all, value_of_update};
use crate::sending::key;

fn read_folder(folder: &str) -> BTreeMap<String, Value> {
    read_all(folder, |name, body| {
        let (form, now) = (form::parse(body), at("2026-10-31T09:20:05Z"));
        let updates = match name.split('_').next() {
            Some("inbound") => message::inbound(&form, now),
            Some("status") => message::status(&form, Some(&key().to_string()), now),
            _ => panic!("{name}"),
        };
        let in_name = name.rsplit(['_', '.']).nth(1);
        let code = in_name.and_then(|code| code.parse::<i64>().ok());
        if let (Some(code), Update::Status(status)) = (code, &updates[0]) {
            let reported = status.report.error.as_ref().and_then(|error| error.code);
            assert_eq!((status.error_code, reported), (Some(code), Some(code)), "{name}");
        }
        updates.iter().map(value_of_update).collect()
    })
}

#[test]
fn every_sms_fixture_is_parsed() {
    insta::assert_json_snapshot!("twilio_sms", read_folder("twilio/sms"));
}

#[test]
fn every_whatsapp_fixture_is_parsed() {
    insta::assert_json_snapshot!("twilio_whatsapp", read_folder("twilio/whatsapp"));
}

fn inbound(body: &str) -> Update {
    message::inbound(&form::parse(body.as_bytes()), at("2026-10-31T09:20:05Z")).remove(0)
}

fn status(body: &str, key: Option<&str>) -> Update {
    message::status(&form::parse(body.as_bytes()), key, at("2026-10-31T09:20:05Z")).remove(0)
}

#[test]
fn unknown_updates_are_counted() {
    let kind = |update: Update| match update {
        Update::Unknown { kind } => kind,
        other => panic!("{other:?}"),
    };
    for (body, expected) in [
        ("MessageSid=SM1&From=messenger%3A123", "message/messenger"),
        ("MessageSid=SM1&From=0501234567", "message/without sender"),
        ("From=%2B447700900111", "message/without MessageSid"),
    ] {
        assert_eq!(kind(inbound(body)), expected, "{body}");
    }
    for (body, expected) in [
        ("MessageSid=SM1&MessageStatus=pondering", "message-status/pondering"),
        ("MessageStatus=sent", "message-status/without MessageSid"),
    ] {
        assert_eq!(kind(status(body, None)), expected, "{body}");
    }
}

#[test]
fn status_with_segments_gives_the_billing() {
    for (to, segments, units) in [("%2B447700900111", 3, Some(3)), ("whatsapp%3A%2B447700900111", 1, None)] {
        let body = format!("MessageSid=SM1&MessageStatus=sent&To={to}&NumSegments={segments}");
        let Update::Status(sent) = status(&body, Some("bad key")) else {
            panic!("{to}")
        };
        assert_eq!(
            (sent.report.cost.map(|cost| cost.units), sent.key),
            (units, None),
            "{to}"
        );
    }
}

#[test]
fn opt_out_flag_is_reported() {
    for (word, flag) in [
        ("STOP", Some(OptFlag::Stop)),
        ("START", Some(OptFlag::Start)),
        ("HELP", Some(OptFlag::Help)),
        ("WAT", None),
    ] {
        let Update::Message(message) = inbound(&format!("MessageSid=SM1&From=%2B447700900111&OptOutType={word}"))
        else {
            panic!()
        };
        assert_eq!(message.opt_flag, flag, "{word}");
    }
}

#[test]
fn shared_place_is_kept_beside_its_words() {
    let place = |latitude: &str| {
        let body = format!(
            "MessageSid=MM1&From=whatsapp%3A%2B447700900111&MessageType=location&Latitude={latitude}&Longitude=-0.1246\
             &Label=Fixture+Square"
        );
        let Update::Message(message) = inbound(&body) else {
            panic!()
        };
        assert_eq!(message.text, Some(format!("Fixture Square, {latitude}, -0.1246")));
        json!(message.shared)
    };
    let shown = json!({"location": {"latitude": 51.5007, "longitude": -0.1246, "name": "Fixture Square"}});
    assert_eq!(place("51.5007"), shown);
    for strange in ["91", "NaN", "north"] {
        assert_eq!(place(strange), Value::Null, "{strange}");
    }
}

/// WhatsApp's own webhook treats them the same way.
#[test]
fn message_of_an_unknown_type_is_kept_as_unsupported() {
    let parsed = |word: &str| {
        let body = format!("MessageSid=SM1&From=whatsapp%3A%2B447700900111&Body=Hi&MessageType={word}");
        message::inbound(&form::parse(body.as_bytes()), at("2026-10-31T09:20:05Z"))
    };
    for (word, kind_of, reported) in [
        ("hologram", "unsupported", "message/type/hologram"),
        ("system", "system", "message/type/system"),
        ("%F0%9F%91%A9%21", "unsupported", "message/without type"),
    ] {
        let [Update::Message(message), Update::Unknown { kind }] = &parsed(word)[..] else {
            panic!("{word}")
        };
        assert_eq!((&*message.kind, message.opens_window), (kind_of, false), "{word}");
        assert_eq!((message.text.as_deref(), &**kind), (Some("Hi"), reported));
    }
    for (word, opens) in [
        ("text", true),
        ("image", true),
        ("document", true),
        ("sticker", true),
        ("contacts", true),
        ("interactive", true),
        ("button", true),
        ("reaction", false),
        ("edit", false),
        ("revoke", false),
        ("unsupported", false),
        ("request_welcome", false),
    ] {
        let [Update::Message(message)] = &parsed(word)[..] else {
            panic!("{word}")
        };
        assert_eq!((&*message.kind, message.opens_window), (word, opens), "{word}");
    }
}

/// Only an SMS has no other form of reaction, and only as the whole message.
#[test]
fn tapback_by_sms_is_a_reaction() {
    let parsed = |from: &str, body: &str, more: &str| {
        let body = body.replace(' ', "+");
        let Update::Message(message) = inbound(&format!("MessageSid=SM1&From={from}&Body={body}{more}")) else {
            panic!("{body}")
        };
        (message.kind.clone(), message.text.clone(), message.is_written())
    };
    let (sms, whatsapp) = ("%2B447700900111", "whatsapp%3A%2B447700900111");
    let liked = "Liked “Hello”";
    let kept = Some(liked.to_owned());
    assert_eq!(parsed(sms, liked, ""), ("reaction".to_owned(), kept.clone(), false));
    assert_eq!(
        parsed(sms, liked, "&MessageType=text"),
        ("reaction".to_owned(), kept.clone(), false)
    );
    assert_eq!(
        parsed(whatsapp, liked, "&MessageType=text"),
        ("text".to_owned(), kept.clone(), true)
    );
    let media = "&MediaUrl0=https%3A%2F%2Fmedia.example%2F1";
    assert_eq!(parsed(sms, liked, media), ("media".to_owned(), kept, true));
    let below = "Liked “Hello”%0AThanks";
    assert_eq!(parsed(sms, below, "").0, "text");
}

/// The label stands for a payload that is missing, so that nobody takes it for a text.
#[test]
fn pressed_button_has_a_payload() {
    for (more, payload) in [
        ("&ButtonText=Stop&ButtonPayload=later", Some("later")),
        ("&ButtonText=Stop", Some("Stop")),
        ("&ListTitle=Stop&ListId=row_1", Some("row_1")),
        ("", None),
    ] {
        let Update::Message(message) = inbound(&format!("MessageSid=SM1&From=%2B447700900111&Body=Stop{more}")) else {
            panic!("{more}")
        };
        assert_eq!(message.payload.as_deref(), payload, "{more}");
        assert_eq!(message.typed_text(), payload.is_none().then_some("Stop"), "{more}");
    }
}

#[test]
fn an_address_names_channel_and_person() {
    let sms = address("+447700900111").unwrap();
    assert_eq!((sms.channel, &sms.bsuid), (Channel::Sms, &None));
    let bsuid = address("whatsapp:GB.7000000000000222").unwrap();
    assert_eq!((bsuid.channel, bsuid.phone), (Channel::WhatsApp, None));
    let rcs = address("rcs:+447700900111").unwrap();
    assert_eq!(rcs, sms);
    for name in ["68849", "FixtureHair", "Shop & Go"] {
        let named = address(name).unwrap();
        let id = named.sender_id.as_ref().map(SenderId::as_str);
        assert_eq!((named.channel, named.phone, id), (Channel::Sms, None, Some(name)));
    }
    for none in [
        "",
        "whatsapp:",
        "whatsapp:hello",
        "GB.7000000000000222",
        "rcs:fixture_agent",
        "client:+447700900111",
        "client:layla",
        "sip:layla@example.com",
        "0501234567",
    ] {
        assert_eq!(address(none), None, "{none}");
    }
}
