//! A WhatsApp number that other responders answer, too: copies, and conversations that pass to and fro.

use domain::calls::Entry;
use domain::inbox::{Conversation, ConversationState};
use domain::messages::Message;
use domain::people::Identity;
use domain::terms::{ConversationId, Phone};
use jobs::ProviderEvent;
use kit::Done;
use serde_json::{Value, json};
use testkit::business::{CUSTOMER, mobile, phone};

use super::answers::closed_business;
use super::world::{BSUID, World, by_id, digits, wrote};

/// A text to another responder, as its copy.
fn copy(world: &World, id: &str, at: i64, text: &str) -> ProviderEvent {
    world.whatsapp_event("standby", &json!({"standby": wrote(id, at, text)}))
}

/// The copy of a message from another responder to a number.
fn echo(world: &World, id: &str, at: i64, to: &str, kind: &str) -> ProviderEvent {
    let message = json!({
        "to": digits(to), "recipient_type": "individual", "type": kind,
        "text": {"body": "We deliver tomorrow."}, "template": {"name": "sale", "language": {"code": "en"}},
    });
    let echo = json!({"id": id, "timestamp": at.to_string(), "message": message});
    world.whatsapp_event("standby", &json!({"standby": {"message_echoes": [echo]}}))
}

/// The customer's conversation changes hands.
fn control(world: &World, kind: &str, at: i64) -> ProviderEvent {
    let mut value = json!({
        "sender": {"phone_number": digits(CUSTOMER)}, "timestamp": at.to_string(), "type": kind,
    });
    value[kind] = json!({"previous_owner_role": "customer_service", "new_owner_role": "escalation"});
    world.whatsapp_event("messaging_handovers", &value)
}

async fn conversation(world: &World) -> Conversation {
    let id = ConversationId::of(world.customer().await.id, None);
    world.business.conversation(&world.aws, id).await.value
}

async fn sent_messages(world: &World) -> Vec<Message> {
    let entries = world.entries(world.customer().await.id).await.into_iter();
    let sent = entries.filter_map(|entry| match entry {
        Entry::Sent(message) => Some(*message),
        _ => None,
    });
    sent.collect()
}

/// The reasons of the remarks of what the customer said, and of what was sent, each the last one.
async fn remarks(world: &World) -> Vec<String> {
    let mut codes = Vec::new();
    for entry in world.entries(world.customer().await.id).await {
        let remarks = match entry {
            Entry::Sent(message) => message.remarks,
            Entry::Received(received) => received.remarks,
            _ => continue,
        };
        let last = remarks.last().and_then(|remark| remark.because.clone());
        codes.push(last.map_or_else(String::new, |because| because.code.to_string()));
    }
    codes
}

async fn number(world: &World) -> Phone {
    let connection = world.configured_whatsapp().await;
    connection.whatsapp_number().expect("a number").clone()
}

/// Whether another responder answers the customer, as far as is known.
async fn is_elsewhere(world: &World) -> bool {
    let (customer, number) = (world.customer().await, number(world).await);
    let user = customer.recipient();
    customer.elsewhere(&number, &user, world.aws.now()).is_some()
}

/// An order of so many things by a seed.
fn order(mut seed: usize, number: usize) -> Vec<usize> {
    let mut left: Vec<_> = (0..number).collect();
    let mut order = Vec::new();
    while !left.is_empty() {
        let place = seed % left.len();
        seed /= left.len();
        order.push(left.remove(place));
    }
    order
}

/// Of one message to us and all the rest to others, in any order and twice: the window is that of the message, nobody is answered who is answered
/// elsewhere, and nobody waits for what others were told.
#[tokio::test]
async fn any_order_leaves_the_conversation_with_its_responder() {
    for seed in [0, 17, 42, 66, 93, 119] {
        let world = closed_business().await;
        let begin = world.seconds() - 600;
        let events = [
            world.messages(&wrote("wamid.ours", begin, "Are you open?")),
            control(&world, "control_passed", begin + 10),
            control(&world, "control_taken", begin + 20),
            copy(&world, "wamid.copy", begin + 30, "Where is my order?"),
            echo(&world, "wamid.echo", begin + 40, CUSTOMER, "text"),
        ];
        let order = order(seed, events.len());
        let mut answers = false;
        for place in &order {
            let known = world.contact_of(&Identity::Phone(phone(CUSTOMER))).await.is_some();
            answers |= *place == 0 && !(known && is_elsewhere(&world).await);
            world.work(events[*place].clone()).await;
        }
        // A report on a customer who was not known yet has an effect when it comes again.
        for event in &events {
            world.work(event.clone()).await;
        }
        for event in &events {
            assert_eq!(world.work(event.clone()).await, Done::Already, "{order:?}");
        }
        let customer = world.customer().await;
        let closes_at = customer.window_closes_at(&number(&world).await, &customer.recipient());
        assert_eq!(closes_at.map(|at| at.as_second()), Some(begin + 86_400), "{order:?}");
        assert!(is_elsewhere(&world).await, "{order:?}");
        let answered = sent_messages(&world)
            .await
            .iter()
            .filter(|one| one.cause.answered_message().is_some())
            .count();
        assert_eq!(answered, usize::from(answers), "{order:?}");
        let conversation = conversation(&world).await;
        assert!(conversation.unread <= 2, "{order:?}: {conversation:?}");
        let wrote = conversation.wrote.map(|wrote| wrote.at.as_second());
        assert!(wrote <= Some(begin + 10), "{order:?}: a copy waits for nobody");
    }
}

/// Meta's agent answers, and then asks for a person.
#[tokio::test]
async fn whoever_is_passed_on_is_shown_and_waits() {
    let world = closed_business().await;
    world
        .work(copy(&world, "wamid.1", world.seconds(), "Where is my order?"))
        .await;
    world.aws.pass(5);
    world
        .work(echo(&world, "wamid.2", world.seconds(), CUSTOMER, "text"))
        .await;
    world.aws.pass(5);
    let quiet = conversation(&world).await;
    assert_eq!(
        (quiet.state, quiet.unread, quiet.due_at()),
        (ConversationState::Closed, 0, None)
    );
    assert_eq!(remarks(&world).await, ["wrote_elsewhere", "sent_elsewhere"]);
    let customer = world.customer().await;
    assert!(customer.last_written_at.is_none() && customer.last_by_phone_at.is_none());
    assert!(is_elsewhere(&world).await && !customer.any_window_open(world.aws.now()));
    let passed = control(&world, "control_passed", world.seconds());
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.work(passed.clone()).await, done);
    }
    let asked = conversation(&world).await;
    let since = asked.waiting_since.map(|since| since.as_second());
    assert_eq!(
        (asked.state, asked.unread, since),
        (ConversationState::Open, 1, Some(world.seconds()))
    );
    assert!(asked.due_at().is_some() && !is_elsewhere(&world).await);
    // Messages to the agent can be answered by free text now.
    assert!(world.customer().await.any_window_open(world.aws.now()));
    // Messages to us are answered from now on.
    world.aws.pass(60);
    world.whatsapp("wamid.3", "Hello?").await;
    let answered = sent_messages(&world)
        .await
        .iter()
        .filter(|one| one.cause.answered_message().is_some())
        .count();
    assert_eq!(answered, 1);
}

/// Nothing else is known of who was passed to us; of who was taken, nobody has to know.
#[tokio::test]
async fn only_who_is_passed_to_us_becomes_a_contact() {
    let world = World::new().await;
    let rows = world.aws.row_count().await;
    for event in [
        control(&world, "control_taken", world.seconds()),
        echo(&world, "wamid.1", world.seconds(), &mobile(7), "text"),
        echo(&world, "wamid.2", world.seconds(), &mobile(7), "template"),
    ] {
        assert_eq!(world.work(event).await, Done::Already);
    }
    assert_eq!(world.aws.row_count().await, rows);
    world.work(control(&world, "control_passed", world.seconds())).await;
    assert_eq!(
        conversation(&world).await.waiting_since.map(|since| since.as_second()),
        Some(world.seconds())
    );
}

/// Another app's campaign is shown, and says nothing of who answers.
#[tokio::test]
async fn template_of_another_app_answers_nobody() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "Hello").await;
    let before = conversation(&world).await;
    world.aws.pass(60);
    world
        .work(echo(&world, "wamid.2", world.seconds(), CUSTOMER, "template"))
        .await;
    let after = conversation(&world).await;
    assert_eq!(
        (after.seq, after.unread, after.waiting_since),
        (2, 1, before.waiting_since)
    );
    assert!(!is_elsewhere(&world).await);
    assert_eq!(remarks(&world).await.last().map(String::as_str), Some("sent_elsewhere"));
}

#[tokio::test]
async fn refusal_said_to_another_responder_holds() {
    let world = World::new().await;
    world.work(copy(&world, "wamid.1", world.seconds(), "STOP")).await;
    assert!(world.customer().await.opted_out().is_some());
    world.aws.pass(60);
    world.work(copy(&world, "wamid.2", world.seconds(), "START")).await;
    assert!(world.customer().await.opted_out().is_some());
    assert!(sent_messages(&world).await.is_empty());
    world.aws.pass(60);
    world.whatsapp("wamid.3", "START").await;
    assert!(world.customer().await.opted_out().is_none());
}

/// The customer is in touch with the business, whoever answers: a follow-up would be one too many, and is no success.
#[tokio::test]
async fn copy_cancels_a_follow_up_and_is_no_reply_to_it() {
    let world = World::new().await;
    let message = world.sent_follow_up().await;
    world.aws.pass(5);
    world.work(copy(&world, "wamid.in", world.seconds(), "Hello")).await;
    assert_eq!(world.message(&message).await.due, None, "no SMS");
    let (received, _) = world.told_by_customer().await;
    assert!(received[0].answers_after.is_empty() && received[0].templates.is_empty());
    assert_eq!(received[0].recovered, 0);
}

/// A wish about marketing by a customer whose WhatsApp id alone is named.
fn wish(world: &World, wish: &str) -> ProviderEvent {
    let item = json!({
        "user_id": BSUID, "category": "marketing_messages", "value": wish, "timestamp": world.seconds().to_string(),
    });
    let contacts = json!([{"user_id": BSUID, "profile": {"name": "Layla"}}]);
    let value: Value = json!({"contacts": contacts, "user_preferences": [item]});
    world.whatsapp_event("user_preferences", &value)
}

#[tokio::test]
async fn preference_by_id_finds_its_contact_and_keeps_a_refusal() {
    let world = World::new().await;
    let rows = world.aws.row_count().await;
    assert_eq!(world.work(wish(&world, "resume")).await, Done::Already);
    assert_eq!(world.aws.row_count().await, rows);
    assert_eq!(world.work(wish(&world, "stop")).await, Done::Now);
    let mut known = by_id("wamid.1", BSUID, world.seconds(), "Hello");
    known["contacts"][0]["wa_id"] = digits(CUSTOMER).into();
    known["messages"][0]["from"] = digits(CUSTOMER).into();
    world.deliver(&known).await;
    assert!(
        world.customer().await.marketing_opted_out().is_some(),
        "refused before the number was known"
    );
    for (word, refuses) in [("resume", false), ("stop", true)] {
        world.aws.pass(60);
        assert_eq!(world.work(wish(&world, word)).await, Done::Now);
        let customer = world.customer().await;
        assert_eq!(customer.marketing_opted_out().is_some(), refuses, "{word}");
    }
}

/// A day after its last sign, nobody is taken to answer any more.
#[tokio::test]
async fn conversation_that_nobody_gives_back_is_ours_again() {
    let world = closed_business().await;
    world.work(copy(&world, "wamid.1", world.seconds(), "Hello")).await;
    assert!(is_elsewhere(&world).await);
    world.aws.pass(25 * 3_600);
    assert!(!is_elsewhere(&world).await);
}
