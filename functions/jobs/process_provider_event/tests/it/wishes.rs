//! Wishes in messages of every kind: only what somebody typed, buttons that can only stop, and reactions by SMS. The words themselves are
//! a table of `domain`.

use domain::people::ConsentEntry;
use domain::terms::{Category, ConversationId, Narrowing, Policy, Purpose};
use kit::Done;
use serde_json::{Value, json};
use testkit::business::CUSTOMER;

use super::world::{World, wrote};

fn form_encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

impl World {
    /// The customer's message of a kind by WhatsApp, written now.
    pub(crate) async fn writes(&self, id: &str, kind: &str, own: Value) {
        let mut value = wrote(id, self.seconds(), "");
        let message = &mut value["messages"][0];
        message["type"] = kind.into();
        message[kind] = own;
        self.aws.pass(1);
        assert_eq!(self.deliver(&value).await, Done::Now, "{id}");
    }

    /// The customer presses a button of this message of ours.
    async fn presses(&self, id: &str, of: &str, label: &str, payload: &str) {
        let mut value = wrote(id, self.seconds(), "");
        value["messages"][0]["type"] = "button".into();
        value["messages"][0]["button"] = json!({"text": label, "payload": payload});
        value["messages"][0]["context"] = json!({"from": "447700900999", "id": of});
        self.aws.pass(1);
        assert_eq!(self.deliver(&value).await, Done::Now, "{id}");
    }

    /// The customer's wishes so far, and whether they refuse messages now.
    async fn wishes(&self) -> (Vec<String>, bool) {
        let customer = self.customer().await;
        let (_, consent) = self.told_by(&customer).await;
        let what = consent.iter().map(ConsentEntry::what).collect();
        (what, customer.opted_out().is_some())
    }
}

fn expected_wishes(what: &[&str], refuses: bool) -> (Vec<String>, bool) {
    (what.iter().map(|word| (*word).to_owned()).collect(), refuses)
}

#[tokio::test]
async fn buttons_rows_and_file_names_wish_nothing() {
    let world = World::new().await;
    world.presses("wamid.in1", "wamid.x", "Cancel", "Cancel").await;
    world.presses("wamid.in2", "wamid.x", "Stop", "Stop").await;
    let row = |title: &str| json!({"type": "list_reply", "list_reply": {"id": "row", "title": title}});
    world.writes("wamid.in3", "interactive", row("Stop")).await;
    world
        .writes("wamid.in4", "document", json!({"id": "1", "filename": "stop"}))
        .await;
    let named = json!({"id": "2", "filename": "stop", "caption": "stop"});
    world.writes("wamid.in5", "document", named).await;
    let place = json!({"latitude": 25.1, "longitude": 55.2, "name": "STOP"});
    world.writes("wamid.in6", "location", place).await;
    assert_eq!(world.wishes().await, expected_wishes(&[], false));
    world.whatsapp("wamid.stop", "STOP").await;
    world.writes("wamid.in7", "interactive", row("Start")).await;
    world.presses("wamid.in8", "wamid.x", "Start", "START").await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop"], true));
    world.writes("wamid.in9", "interactive", row("Info")).await;
    let (received, _) = world.told_by_customer().await;
    assert!(
        received.iter().all(|message| message.answer.is_none()),
        "nobody asked for help"
    );
}

#[tokio::test]
async fn captions_and_edits_are_typed() {
    let world = World::new().await;
    world
        .writes("wamid.in1", "image", json!({"id": "1", "caption": "Please stop"}))
        .await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop"], true));
    let edit = |message: Value| json!({"original_message_id": "wamid.in1", "message": message});
    let text = |body: &str| json!({"type": "text", "text": {"body": body}});
    world.writes("wamid.in2", "edit", edit(text("START"))).await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop", "start"], false));
    let place = json!({"type": "location", "location": {"name": "Stop"}});
    world.writes("wamid.in3", "edit", edit(place)).await;
    let caption = json!({"type": "image", "image": {"id": "1", "caption": "stop!"}});
    assert_eq!(world.wishes().await, expected_wishes(&["stop", "start"], false));
    world.writes("wamid.in4", "edit", edit(caption)).await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop", "start", "stop"], true));
}

/// By an MMS, too.
#[tokio::test]
async fn payload_unlike_its_label_stops() {
    let world = World::new().await;
    world.presses("wamid.in1", "wamid.x", "No more offers", "STOP").await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop"], true));
    let media = "&NumMedia=1&MediaUrl0=https%3A%2F%2Fmedia.example%2F1&MediaContentType0=image%2Fjpeg";
    world.aws.pass(1);
    world.work(world.sms("SM1", "START", media)).await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop", "start"], false));
    world.aws.pass(1);
    let pressed = "&MessageType=interactive&ListTitle=Leave&ListId=unsubscribe";
    let (from, to) = (
        form_encode(&format!("whatsapp:{CUSTOMER}")),
        "whatsapp%3A%2B15005550006",
    );
    let form = format!("MessageSid=SM2&From={from}&To={to}&Body=Leave{pressed}");
    world.work(world.twilio_inbound(form)).await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop", "start", "stop"], true));
}

/// Meta's own button, in the languages with known words.
#[tokio::test]
async fn label_stops_below_a_marketing_template_only() {
    for label in ["Stop promotions", "إيقاف العروض الترويجية"] {
        let world = World::new().await;
        world.sent_follow_up().await;
        world.presses("wamid.in1", "wamid.1", label, label).await;
        world.presses("wamid.in2", "wamid.unknown", label, label).await;
        assert_eq!(world.wishes().await, expected_wishes(&[], false), "{label}");
        // Meta moves the template.
        let category = json!({
            "message_template_name": "missed_call_followup", "message_template_language": "en_GB", "new_category": "MARKETING",
        });
        world
            .work(world.whatsapp_event("template_category_update", &category))
            .await;
        world.presses("wamid.in3", "wamid.1", "Cancel", "Cancel").await;
        assert_eq!(world.wishes().await, expected_wishes(&[], false), "{label}");
        world.presses("wamid.in4", "wamid.1", label, label).await;
        assert_eq!(world.wishes().await, expected_wishes(&["stop"], true), "{label}");
    }
}

#[tokio::test]
async fn label_stops_below_a_marketing_message() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    message.policy =
        Policy::for_purpose(Purpose::FollowUp, Category::Marketing, &Narrowing::default()).expect("a policy");
    let message = world.claim_next_leg(message).await;
    world.record_acceptance(message, "whatsapp", "wamid.1").await;
    world.presses("wamid.in1", "wamid.1", "Cancel", "Cancel").await;
    assert_eq!(world.wishes().await, expected_wishes(&[], false));
    world.presses("wamid.in2", "wamid.1", "Stop", "Stop").await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop"], true));
}

/// It neither refuses, although the business has the quoted phrase, nor does anybody wait for an answer to it.
#[tokio::test]
async fn tapback_is_a_reaction() {
    let world = World::with(|configured| {
        let phrase = "no more messages".to_owned();
        configured.tenant.stop_words = vec![phrase];
    })
    .await;
    let quoted = "“Marina Dental: 20% off. Reply STOP for no more messages.”";
    for (index, verb) in ["Liked", "Removed a like from", "Reacted 🔥 to"]
        .into_iter()
        .enumerate()
    {
        let text = form_encode(&format!("{verb} {quoted}"));
        assert_eq!(world.work(world.sms(&format!("SM{index}"), &text, "")).await, Done::Now);
        world.aws.pass(1);
    }
    assert_eq!(world.wishes().await, expected_wishes(&[], false));
    let (received, _) = world.told_by_customer().await;
    assert!(received.iter().all(|received| received.message.kind == "reaction"));
    let id = ConversationId::of(world.customer().await.id, None);
    let conversation = async || {
        let found = world.aws.store().conversation(world.business.scope(), id).await;
        found.expect("the table answers")
    };
    assert!(conversation().await.is_none(), "nobody waits for an answer");
    let below = form_encode(&format!("Liked {quoted}\nWhen do you open?"));
    world.work(world.sms("SM7", &below, "")).await;
    assert_eq!(world.wishes().await, expected_wishes(&[], false));
    assert!(
        conversation()
            .await
            .is_some_and(|known| known.value.waiting_since.is_some())
    );
    world.aws.pass(1);
    let below = form_encode(&format!("Liked {quoted}\nSTOP"));
    world.work(world.sms("SM8", &below, "")).await;
    assert_eq!(world.wishes().await, expected_wishes(&["stop"], true));
}

#[tokio::test]
async fn politeness_around_stop_refuses() {
    for text in ["Stop. Thank you", "please stop", "STOP STOP", "توقف عن الإرسال"] {
        let world = World::new().await;
        world.work(world.sms("SM1", &form_encode(text), "")).await;
        assert_eq!(world.wishes().await, expected_wishes(&["stop"], true), "{text}");
    }
    let world = World::new().await;
    world.whatsapp("wamid.in1", "Please cancel").await;
    world.whatsapp("wamid.in2", "START please").await;
    assert_eq!(world.wishes().await, expected_wishes(&[], false));
}
