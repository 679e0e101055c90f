//! Customers' messages in conversations of the inbox.

use domain::{
    base::ids::{ConversationId, UserId},
    inbox::{
        conversation::{Conversation, ConversationState, Happening, What},
        team::Team,
    },
    messages::message::Channel,
};
use kit::Done;
use serde_json::json;
use store::{Versioned, inbox::list::InboxList};
use testkit::business::mobile;

use super::world::{World, digits, wrote};

async fn conversation(world: &World) -> Option<Versioned<Conversation>> {
    let id = ConversationId::of(world.customer().await.id, None);
    let found = world.aws.store().conversation(world.business.scope(), id).await;
    found.expect("the table answers")
}

#[tokio::test]
async fn message_opens_the_conversation_and_counts_once() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "Hello").await;
    assert_eq!(world.whatsapp("wamid.1", "Hello").await, Done::Already);
    let first = conversation(&world).await.expect("there is one");
    assert_eq!((first.value.seq, first.value.unread), (1, 1));
    let close = |conversation: &mut Conversation| {
        conversation.read_to(1);
        conversation.move_to(ConversationState::Closed, None);
    };
    let id = first.value.id();
    let closed = world.business.change_conversation(&world.aws, id, close).await;
    let mut reaction = wrote("wamid.2", world.seconds(), "");
    let message = reaction["messages"][0].as_object_mut().unwrap();
    message.insert("type".to_owned(), "reaction".into());
    message.insert("reaction".to_owned(), json!({"message_id": "wamid.1", "emoji": "👍"}));
    assert_eq!(world.deliver(&reaction).await, Done::Now);
    let known = conversation(&world).await.expect("there is one");
    assert_eq!(known.value, closed, "a reaction is no turn");
    world.aws.pass(60);
    world.whatsapp("wamid.3", "Are you there?").await;
    let opened = conversation(&world).await.expect("there is one").value;
    assert_eq!(
        (opened.state, opened.seq, opened.read_seq, opened.unread),
        (ConversationState::Open, 2, 1, 1)
    );
    let Some(Happening { at, what }) = opened.last else {
        panic!("something happened");
    };
    assert!(matches!(what, What::Inbound(_, Channel::WhatsApp)));
    assert_eq!(opened.waiting_since, Some(at));
}

/// As batches of webhooks deliver them: at once, in any order, and several times.
#[tokio::test]
async fn order_and_repetitions_mean_nothing() {
    let mut ends = Vec::new();
    for turn in 0..3 {
        let world = World::new().await;
        let sent = |number: usize| {
            let at = world.seconds() - 600 + 60 * i64::try_from(number).unwrap();
            world.messages(&wrote(&format!("wamid.{number}"), at, "Hello"))
        };
        let order = (0..12).map(|place| (place * 5 + turn * 3) % 4);
        world.work_at_once(order.map(sent)).await;
        let found = conversation(&world).await.expect("there is one").value;
        let last = found.last.map(|last| last.at);
        ends.push((found.seq, found.unread, last, found.waiting_since, found.created_at));
    }
    assert_eq!(ends[0].0, 4);
    assert!(ends.iter().all(|end| *end == ends[0]), "{ends:#?}");
}

/// One change of a webhook can hold as many messages of one person as WhatsApp has held back.
#[tokio::test]
async fn five_hundred_messages_of_one_person_are_one_conversation() {
    const MESSAGES: usize = 500;
    let world = World::new().await;
    let mut change = wrote("wamid.0", world.seconds() - 600, "Number 0");
    let first = change["messages"][0].clone();
    let messages = (0..MESSAGES).map(|number| {
        let mut message = first.clone();
        message["id"] = format!("wamid.{number}").into();
        message["timestamp"] = (world.seconds() - 600 + i64::try_from(number).unwrap())
            .to_string()
            .into();
        message["text"]["body"] = format!("Number {number}").into();
        message
    });
    change["messages"] = messages.collect();
    let event = world.messages(&change);
    assert_eq!(world.work(event.clone()).await, Done::Now);
    assert_eq!(world.work(event).await, Done::Already);
    let found = conversation(&world).await.expect("there is one").value;
    assert_eq!((found.seq, found.unread), (500, 500));
    let (received, _) = world.told_by_customer().await;
    let texts = received.iter().map(|one| one.message.text.clone().unwrap_or_default());
    let latest = (MESSAGES - 100..MESSAGES).map(|number| format!("Number {number}"));
    assert_eq!(texts.collect::<Vec<_>>(), latest.collect::<Vec<_>>());
}

/// Each conversation once: whoever writes again stays with the person who knows them.
#[tokio::test]
async fn teams_attend_to_conversations_in_turn() {
    let world = World::new().await;
    let (aws, scope) = (&world.aws, world.business.scope());
    world.whatsapp("wamid.1", "Hello").await;
    let alone = conversation(&world).await.expect("there is one").value;
    assert_eq!((alone.team, alone.assignee), (None, None));
    let mut users = [(); 2].map(|()| UserId::new(aws.ids().ulid()));
    users.sort();
    let [first, second] = users;
    let nobody = json!({"name": "Prices", "languages": ["fr"], "members": [second], "mode": "in_turn"});
    aws.own::<Team>(scope, nobody).await;
    let fields = json!({"name": "Orders", "members": [first, second], "mode": "fewest_open"});
    let team: Team = aws.own(scope, fields).await;
    for (number, person) in [first, first].into_iter().enumerate() {
        world.aws.pass(60);
        world.whatsapp(&format!("wamid.1{number}"), "Anybody there?").await;
        let found = conversation(&world).await.expect("there is one").value;
        assert_eq!((found.team, found.assignee), (Some(team.id), Some(person)));
    }
    // Of whoever has left, nobody learns anything: the next one gets what opens again.
    let id = conversation(&world).await.expect("there is one").value.id();
    let close = |conversation: &mut Conversation| conversation.move_to(ConversationState::Closed, None);
    world.business.change_conversation(aws, id, close).await;
    let mut desk = aws.store().desk(scope, first, aws.now()).await.expect("a place");
    assert_eq!(
        desk.value.turn_at,
        Some(aws.now() - jiff::SignedDuration::from_secs(60))
    );
    desk.value.set_left(true, aws.now());
    aws.store().write_desk(scope, &desk, None).await.expect("it is written");
    world.whatsapp("wamid.2", "Hello again").await;
    let found = conversation(&world).await.expect("there is one").value;
    assert_eq!(found.assignee, Some(second));
}

/// Turns are taken one after the other, also at once.
#[tokio::test]
async fn customers_who_write_at_once_go_to_different_people() {
    let world = World::new().await;
    let (aws, scope) = (&world.aws, world.business.scope());
    let members = [(); 4].map(|()| UserId::new(aws.ids().ulid()));
    let fields = json!({"name": "Orders", "members": members, "mode": "in_turn"});
    aws.own::<Team>(scope, fields).await;
    let events = (1..=4).map(|number| {
        let mut value = wrote(&format!("wamid.{number}"), aws.now().as_second(), "Hello");
        let from = mobile(number);
        value["messages"][0]["from"] = digits(&from).into();
        value["contacts"][0]["wa_id"] = digits(&from).into();
        world.messages(&value)
    });
    world.work_at_once(events.collect::<Vec<_>>()).await;
    for user in members {
        let list = InboxList::Waiting(Some(user));
        let waiting = aws.store().number_of_conversations(scope, list).await;
        assert_eq!(waiting.expect("a number"), 1, "{user}");
    }
}
