//! Effects of a customer's message on earlier calls and follow-ups: recovered calls, and the time of answering.

use domain::messages::{AnsweredTemplate, Message};
use domain::people::{Change, Contact};
use kit::Done;
use serde_json::{Value, json};
use testkit::business::CUSTOMER;

use super::world::{World, wrote};

/// Of the customer's messages, the recovered calls and the seconds after the follow-ups that each answers.
async fn facts(world: &World) -> Vec<(u32, Vec<u32>)> {
    let (received, _) = world.told_by_customer().await;
    let facts = received.into_iter().map(|one| (one.recovered, one.answers_after));
    facts.collect()
}

/// The customer of this message called just now, and nobody answered.
async fn miss_call(world: &World, message: &Message) {
    let now = world.aws.now();
    let call = |contact: &mut Contact| {
        contact.missed_call(now);
        Change::Contact
    };
    let (store, scope, entry) = (world.aws.store(), world.business.scope(), world.aws.ids().ulid());
    let called = store.change_contact(scope, message.id.contact(), entry, call).await;
    assert!(called.expect("the table answers"));
}

/// The customer writes this by WhatsApp, this many seconds later.
async fn writes_after(world: &World, seconds: i64, id: &str, text: &str) {
    world.aws.pass(seconds);
    world.whatsapp(id, text).await;
}

/// Something that is not a message, of this type.
fn event_of_kind(world: &World, kind: &str, own: Value) -> Value {
    let mut value = wrote(&format!("wamid.{kind}"), world.seconds(), "");
    value["messages"][0]["type"] = kind.into();
    value["messages"][0][kind] = own;
    value
}

fn reaction(world: &World) -> Value {
    event_of_kind(world, "reaction", json!({"message_id": "wamid.1", "emoji": "👍"}))
}

#[tokio::test]
async fn message_recovers_the_missed_calls_of_a_day_once() {
    let world = World::new().await;
    let now = world.aws.now();
    let called = |contact: &mut Contact| {
        for hours in [25, 24, 1] {
            contact.missed_call(now - std::time::Duration::from_secs(hours * 3_600));
        }
    };
    world.business.contact_with(&world.aws, CUSTOMER, called).await;
    let first = world.messages(&wrote("wamid.1", now.as_second(), "Hello"));
    world.work_at_once(vec![first.clone(); 4]).await;
    assert_eq!(world.receive_event(first, 2).await.expect("it is known"), Done::Already);
    writes_after(&world, 5, "wamid.2", "Are you there?").await;
    assert_eq!(facts(&world).await, [(2, vec![]), (0, vec![])]);
    assert!(world.customer().await.missed.is_empty());
}

#[tokio::test]
async fn first_message_after_a_sent_follow_up_answers_it() {
    let world = World::new().await;
    world.sent_follow_up().await;
    writes_after(&world, 90, "wamid.in", "Hello").await;
    writes_after(&world, 5, "wamid.in2", "Are you there?").await;
    assert_eq!(facts(&world).await, [(0, vec![90]), (0, vec![])]);
}

#[tokio::test]
async fn message_answers_no_follow_up_that_was_not_sent() {
    let world = World::new().await;
    world.follow_up().await;
    writes_after(&world, 90, "wamid.in", "Hello").await;
    assert_eq!(facts(&world).await, [(0, vec![])]);
}

/// Providers report messages late. The time counts from the first channel.
#[tokio::test]
async fn message_written_before_a_follow_up_leaves_it_open() {
    let world = World::new().await;
    world.sent_by_both().await;
    let before = world.seconds() - 200;
    world.deliver(&wrote("wamid.before", before, "Hello")).await;
    writes_after(&world, 30, "wamid.in", "Are you there?").await;
    assert_eq!(facts(&world).await, [(0, vec![]), (0, vec![150])]);
}

/// A week later it is another matter.
#[tokio::test]
async fn message_of_a_week_later_is_no_answer() {
    let world = World::new().await;
    world.sent_by_both().await;
    writes_after(&world, 7 * 86_400, "wamid.in", "Hello").await;
    assert_eq!(facts(&world).await, [(0, vec![])]);
}

/// A message that the customer writes afterwards still does, whether or not a channel was left.
#[tokio::test]
async fn reaction_recovers_and_answers_nothing() {
    for both in [false, true] {
        let world = World::new().await;
        let message = if both {
            world.sent_by_both().await
        } else {
            world.sent_follow_up().await
        };
        miss_call(&world, &message).await;
        world.aws.pass(30);
        for event in [reaction(&world), event_of_kind(&world, "unsupported", json!({}))] {
            assert_eq!(world.deliver(&event).await, Done::Now);
        }
        assert_eq!(facts(&world).await, [(0, vec![]), (0, vec![])], "{both}");
        assert!(!world.message(&message).await.is_pending());
        writes_after(&world, 30, "wamid.in", "Hello").await;
        let seconds = if both { 180 } else { 60 };
        assert_eq!(facts(&world).await[2], (1, vec![seconds]), "{both}");
        assert_eq!(world.customer().await.open, []);
    }
}

/// A message written before them still does.
#[tokio::test]
async fn reaction_and_stop_word_recover_no_call_reported_later() {
    for (texts, recovered) in [
        (&["STOP"][..], 0),
        (&["Hello", "STOP"], 1),
        (&["STOP", "Please call me"], 1),
        (&[], 0),
    ] {
        let world = World::new().await;
        let called = world.aws.now();
        for (place, text) in texts.iter().enumerate() {
            writes_after(&world, 10, &format!("wamid.in{place}"), text).await;
        }
        world.aws.pass(10);
        world.deliver(&reaction(&world)).await;
        let mut contact = world.customer().await;
        assert_eq!(contact.last_inbound_at, Some(world.aws.now()));
        assert_eq!(contact.missed_call(called), recovered, "{texts:?}");
    }
}

/// Whoever wants no more messages is not won back by it.
#[tokio::test]
async fn stop_word_recovers_and_answers_nothing() {
    let world = World::new().await;
    miss_call(&world, &world.sent_follow_up().await).await;
    writes_after(&world, 30, "wamid.stop", "STOP").await;
    assert_eq!(facts(&world).await, [(0, vec![])]);
    writes_after(&world, 30, "wamid.in", "Please call me").await;
    assert_eq!(facts(&world).await[1], (1, vec![]));
}

/// Of each of the customer's messages, the templates that it answers, and whether as a reply and by a button.
async fn answered_templates(world: &World) -> Vec<Vec<(String, bool, bool)>> {
    let (received, _) = world.told_by_customer().await;
    let of = |one: AnsweredTemplate| {
        assert_eq!(
            (one.of.template.connection, one.of.edition),
            (world.business.whatsapp, 0)
        );
        (one.of.template.key.name().to_owned(), one.replied, one.clicked)
    };
    let each = received
        .into_iter()
        .map(|one| one.templates.into_iter().map(of).collect());
    each.collect()
}

fn follow_up(replied: bool, clicked: bool) -> Vec<(String, bool, bool)> {
    vec![("missed_call_followup".to_owned(), replied, clicked)]
}

#[tokio::test]
async fn first_or_quoting_message_answers_the_template() {
    let world = World::new().await;
    world.sent_follow_up().await;
    writes_after(&world, 90, "wamid.in", "Hello").await;
    writes_after(&world, 5, "wamid.in2", "Are you there?").await;
    world.aws.pass(5);
    let quoting = |id: &str, own: Option<Value>| {
        let mut value = match own {
            Some(own) => event_of_kind(&world, "button", own),
            None => wrote(id, world.seconds(), "This one"),
        };
        value["messages"][0]["context"] = json!({"from": "447700900999", "id": "wamid.1"});
        world.messages(&value)
    };
    world.work(quoting("wamid.in3", None)).await;
    world.aws.pass(5);
    let pressed = quoting("", Some(json!({"payload": "Call me back", "text": "Call me back"})));
    world.work(pressed.clone()).await;
    assert_eq!(
        world.receive_event(pressed, 2).await.expect("it is known"),
        Done::Already
    );
    let expected = [
        follow_up(true, false),
        vec![],
        follow_up(true, false),
        follow_up(true, true),
    ];
    assert_eq!(answered_templates(&world).await, expected);
}

/// The customer answers the SMS, which took over.
#[tokio::test]
async fn message_after_the_last_channel_answers_no_template() {
    let world = World::new().await;
    world.sent_by_both().await;
    writes_after(&world, 30, "wamid.in", "Hello").await;
    assert_eq!(answered_templates(&world).await, [vec![]]);
}

#[tokio::test]
async fn stop_or_a_week_later_is_no_reply_to_a_template() {
    for (pause, text) in [(90, "STOP"), (8 * 86_400, "Hello")] {
        let world = World::new().await;
        world.sent_follow_up().await;
        writes_after(&world, pause, "wamid.in", text).await;
        assert_eq!(answered_templates(&world).await, [vec![]], "{text}");
    }
}
