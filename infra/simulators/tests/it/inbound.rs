//! Everything that customers send through the Graph API, and how the phones show it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{MAYA, Stage, fixture_json, fixture_names, shape};

/// The fixture as Maya, whose phone number is known, would send it.
fn inbound_fixture(name: &str) -> Value {
    fixture_json(&format!("whatsapp/inbound/{name}.json"))
}

fn message(event: &Value) -> &Value {
    &event["entry"][0]["changes"][0]["value"]["messages"][0]
}

/// How a fixture of `whatsapp/inbound` is asked for.
fn replies() -> Vec<(&'static str, Value)> {
    let media = |media: Value| json!({ "media": media });
    vec![
        ("image_no_caption", media(json!({"mime": "image/jpeg"}))),
        ("audio_file", media(json!({"mime": "audio/mpeg"}))),
        (
            "audio_voice_note",
            media(json!({"mime": "audio/ogg; codecs=opus", "voice": true})),
        ),
        ("video", media(json!({"mime": "video/mp4", "caption": "noise"}))),
        (
            "document",
            media(json!({"mime": "application/pdf", "caption": "insurance", "file_name": "policy (final).pdf"})),
        ),
        ("sticker", media(json!({"mime": "image/webp"}))),
        (
            "location",
            json!({"location": message(&inbound_fixture("location"))["location"]}),
        ),
        (
            "contacts",
            json!({"contacts": message(&inbound_fixture("contacts"))["contacts"]}),
        ),
        (
            "contacts_minimal_no_phone",
            json!({"contacts": [{"name": {"formatted_name": "No Phone"}}]}),
        ),
        ("reaction_add", json!({"reaction": {"to": "wamid.1", "emoji": "👍"}})),
        ("reaction_remove", json!({"reaction": {"to": "wamid.1"}})),
        ("unsupported_131051", json!({"unsupported": "poll_creation"})),
        ("unsupported_no_detail_object", json!({"unsupported": ""})),
        (
            "future_unknown_type",
            json!({"other": {"type": "hologram", "hologram": {"id": "x-1"}}}),
        ),
        (
            "text_reply_to_our_message",
            json!({"text": "Yes", "reply_to": "wamid.1"}),
        ),
    ]
}

#[tokio::test]
async fn every_kind_of_message_looks_like_its_fixture() {
    let stage = Stage::set().await;
    for (name, reply) in replies() {
        let (webhook, id) = stage.maya_sends(reply).await;
        assert_eq!(shape(&webhook.json()), shape(&inbound_fixture(name)), "{name}");
        assert_eq!(message(&webhook.json())["id"], id);
        assert_eq!(
            message(&webhook.json())["type"],
            message(&inbound_fixture(name))["type"],
            "{name}"
        );
    }
}

/// A fixture that nobody can send here would be a type that no test of a stack meets.
#[tokio::test]
async fn every_inbound_fixture_can_be_sent() {
    let elsewhere = BTreeSet::from([
        // Written and tapped in the tests of the Graph API.
        "text",
        "text_emoji_rtl_long",
        "text_stop_arabic",
        "text_stop_english",
        "text_stop_hindi_sentence",
        "bsuid_only_no_phone",
        "bsuid_with_phone_and_username",
        "button_template_opt_out",
        "button_template_quick_reply",
        "interactive_button_reply",
        "interactive_list_reply",
        // Their value names the number otherwise, which the simulator does not know.
        "control_passed",
        "control_passed_to_agent",
        "control_taken",
    ]);
    let stage = Stage::set().await;
    let sent: BTreeSet<&str> = replies().into_iter().map(|(name, _)| name).collect();
    for file in fixture_names("whatsapp/inbound") {
        let name = file.trim_end_matches(".json");
        if sent.contains(name) || elsewhere.contains(name) {
            continue;
        }
        // Anything else goes as it stands.
        let change = inbound_fixture(name)["entry"][0]["changes"][0].clone();
        let mut value = change["value"].clone();
        let value_fields = value.as_object_mut().expect("fields");
        value_fields.remove("metadata");
        value_fields.remove("messaging_product");
        let input = json!({"tenant": "tnt_a", "field": change["field"], "value": value, "wait": true});
        assert_eq!(stage.post("/webhooks", input).await["status"], 200);
        let webhook = stage.ringback.received_requests().pop().unwrap();
        assert_eq!(shape(&webhook.json()), shape(&inbound_fixture(name)), "{name}");
        webhook.assert_signed_by_meta();
    }
}

#[tokio::test]
async fn reactions_open_no_window() {
    let stage = Stage::set().await;
    let send = async || stage.send_whatsapp(&crate::support::text(MAYA)).await.0;
    let reaction = json!({"reaction": {"to": "wamid.1", "emoji": "👍"}});
    stage.maya_sends(reaction).await;
    assert_eq!(send().await, 400);
    stage
        .maya_sends(json!({"location": {"latitude": 1, "longitude": 2}}))
        .await;
    assert_eq!(send().await, 200);
}

/// Meta accepts a reaction to a message that is gone, and reports it later.
#[tokio::test]
async fn reactions_are_sent_and_never_delivered() {
    let stage = Stage::set().await;
    let (_, question) = stage.maya_sends(json!({"text": "Hello"})).await;
    let react = async |id: &str, emoji: &str| {
        let reaction = json!({"message_id": id, "emoji": emoji});
        let message = json!({"messaging_product": "whatsapp", "to": MAYA, "type": "reaction", "reaction": reaction});
        let (status, answer) = stage.send_whatsapp(&message).await;
        stage.wait_until_idle().await;
        (status, answer["error"]["code"].clone())
    };
    assert_eq!(react(&question, "👍").await.0, 200);
    assert_eq!(stage.ringback.statuses(), ["sent"]);
    assert_eq!(react(&question, "").await.0, 200, "taken back");
    assert_eq!(react("wamid.gone", "👍").await.0, 200);
    assert_eq!(stage.outbox("").await[2]["statuses"][0]["code"], 131009);
}

#[tokio::test]
async fn messages_without_a_part_or_of_no_kind_are_refused() {
    let stage = Stage::set().await;
    stage.maya_writes("tnt_a", "whatsapp").await;
    let picture = stage.upload_file("image/png", b"picture").await;
    let header = |id: &str| json!({"type": "image", "image": {"id": id}});
    let changed = |name: &str, pointer: &str, value: Value| {
        let mut message = fixture_json(&format!("whatsapp/send/request/{name}.json"));
        let (parent, field) = pointer.rsplit_once('/').expect("a field");
        message.pointer_mut(parent).expect("a place")[field] = value;
        message
    };
    let accepted = changed("interactive_buttons", "/interactive/header", header(&picture));
    assert_eq!(stage.send_whatsapp(&accepted).await.0, 200);
    for (name, pointer, value, code) in [
        ("interactive_list", "/interactive/header", header(&picture), 131009),
        ("interactive_cta_url", "/interactive/header", header(&picture), 131009),
        ("interactive_flow", "/interactive/type", json!("hologram"), 131009),
        ("location", "/location/longitude", Value::Null, 131008),
        ("contacts", "/contacts", json!([]), 131008),
        ("text_reply", "/context/message_id", Value::Null, 131008),
    ] {
        let answer = stage.send_whatsapp(&changed(name, pointer, value)).await.1;
        assert_eq!(answer["error"]["code"], code, "{name} {pointer}: {answer}");
    }
}
