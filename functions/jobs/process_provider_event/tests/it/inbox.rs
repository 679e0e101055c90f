//! Customers' messages in conversations of the inbox.

use domain::calls::Entry;
use domain::inbox::{Conversation, ConversationState, Happening, What};
use domain::messages::{Message, MessageState};
use domain::people::{Contact, Identity};
use domain::reports::count_message;
use domain::tenants::Team;
use domain::terms::{Channel, ContactId, ConversationId, MessageId, UserId};
use jobs::{EventSource, ProviderEvent};
use kit::{Done, Job};
use process_provider_event::{Context, handle};
use providers::whatsapp::webhook::split;
use serde_json::{Value, json};
use store::Versioned;
use store::inbox::InboxList;
use testkit::Lossy;
use testkit::business::{CUSTOMER, mobile, phone};
use testkit::seed::WABA;
use tokio::sync::oneshot;

use super::world::{BSUID, World, digits, wrote};

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

/// Nobody can tell what a poll or a picture to be viewed once says, so somebody has to ask. Whether it opens the window is not certain either.
#[tokio::test]
async fn what_whatsapp_does_not_show_opens_the_conversation() {
    let world = World::new().await;
    let hidden = |kind: &str| json!({"type": kind});
    world.writes("wamid.1", "unsupported", hidden("poll_creation")).await;
    let known = conversation(&world).await.expect("there is one").value;
    assert_eq!((known.state, known.seq, known.unread), (ConversationState::Open, 1, 1));
    assert_eq!(known.waiting_since, known.last.map(|last| last.at));
    let close = |conversation: &mut Conversation| conversation.move_to(ConversationState::Closed, None);
    let closed = world.business.change_conversation(&world.aws, known.id(), close).await;
    for (number, (kind, own)) in [
        ("reaction", json!({"message_id": "wamid.1", "emoji": "👍"})),
        ("revoke", json!({"original_message_id": "wamid.1"})),
        ("request_welcome", json!({})),
        ("unsupported", hidden("reaction")),
        ("unsupported", hidden("pin")),
    ]
    .into_iter()
    .enumerate()
    {
        world.writes(&format!("wamid.1{number}"), kind, own).await;
        assert_eq!(
            conversation(&world).await.expect("there is one").value,
            closed,
            "{kind}"
        );
    }
    world.writes("wamid.2", "view_once", json!({})).await;
    let opened = conversation(&world).await.expect("there is one").value;
    assert_eq!(
        (opened.state, opened.seq, opened.unread),
        (ConversationState::Open, 2, 1)
    );
    let customer = world.customer().await;
    assert!(customer.last_inbound_at.is_some() && customer.last_written_at.is_none());
    assert!(!customer.any_window_open(world.aws.now()));
}

/// It may change everything that was answered. It is no new message to WhatsApp, though.
#[tokio::test]
async fn edit_after_the_answer_is_news() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "Table for 4").await;
    let written = world.customer().await;
    let known = conversation(&world).await.expect("there is one").value;
    world.aws.pass(60);
    let reply = Happening {
        at: world.aws.now(),
        what: What::Reply(MessageId::new(written.id, world.aws.ids().ulid()), Channel::WhatsApp),
    };
    let answer = |conversation: &mut Conversation| {
        conversation.note(reply, None);
        conversation.move_to(ConversationState::Closed, None);
    };
    let answered = world.business.change_conversation(&world.aws, known.id(), answer).await;
    assert_eq!((answered.unread, answered.waiting_since), (0, None));
    world.aws.pass(60);
    let edited_at = world.seconds();
    let message = json!({"type": "text", "text": {"body": "14 at nine"}});
    let edit = json!({"original_message_id": "wamid.1", "message": message});
    world.writes("wamid.2", "edit", edit).await;
    let news = conversation(&world).await.expect("there is one").value;
    assert_eq!((news.state, news.unread), (ConversationState::Open, 1));
    assert_eq!(news.waiting_since.map(|since| since.as_second()), Some(edited_at));
    let (received, _) = world.told_by_customer().await;
    let [_, edit] = &received[..] else {
        panic!("{received:?}")
    };
    assert_eq!(
        (edit.message.kind.as_str(), edit.message.text.as_deref()),
        ("edit", Some("14 at nine"))
    );
    assert_eq!(
        news.last.map(|last| last.what),
        Some(What::Inbound(edit.id, Channel::WhatsApp))
    );
    let now = world.customer().await;
    assert_eq!(now.last_written_at, written.last_written_at);
    let heard = |of: &Contact| of.windows.iter().map(|one| (one.at, one.heard_at)).collect::<Vec<_>>();
    let opened_at = written.windows[0].at;
    assert_eq!(heard(&written), [(opened_at, None)]);
    assert_eq!(heard(&now), [(opened_at, Some(edit.message.at))]);
}

/// The phone shares the number: what it sends is shown, answers the customer, and is none of ours to send or to count.
#[tokio::test]
async fn whoever_is_answered_by_phone_waits_no_more() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "Hello").await;
    world.aws.pass(60);
    let follow_up = world.follow_up().await;
    world.aws.pass(60);
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.work(echo(&world, "wamid.2", &[("to", CUSTOMER)])).await, done);
    }
    let known = conversation(&world).await.expect("there is one").value;
    assert_eq!((known.waiting_since, known.unread, known.seq), (None, 0, 2));
    assert_eq!(world.message(&follow_up).await.state(), MessageState::Cancelled);
    let customer = world.customer().await;
    assert!(customer.open.is_empty() && !customer.refuses());
    let written_at = customer.last_by_phone_at.map(|at| at.as_second());
    assert_eq!(
        written_at,
        Some(world.seconds()),
        "a call is not followed up that began before"
    );
    let sent = sent_by_phone(&world, customer.id).await;
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].state(), sent[0].due), (MessageState::Sent, None));
    assert_eq!(
        known.last.map(|last| last.what),
        Some(What::Reply(sent[0].id, Channel::WhatsApp))
    );
    assert!(count_message(None, &sent[0]).is_empty());
}

/// A message from the business's own phone to the customer named by these members.
fn echo(world: &World, id: &str, to: &[(&str, &str)]) -> ProviderEvent {
    let mut message = json!({
        "from": "15550001111", "id": id, "timestamp": world.seconds().to_string(), "type": "text",
        "text": {"body": "STOP by, we are open."},
    });
    for (name, who) in to {
        message[name] = (*who).into();
    }
    world.whatsapp_event("smb_message_echoes", &json!({"message_echoes": [message]}))
}

async fn sent_by_phone(world: &World, contact: ContactId) -> Vec<Message> {
    let entries = world.entries(contact).await.into_iter();
    let sent = entries.filter_map(|entry| match entry {
        Entry::Sent(message) if message.cause.is_by_phone() => Some(*message),
        _ => None,
    });
    sent.collect()
}

/// All contacts that hold the number, or are known to be the same person.
#[tokio::test]
async fn phone_answers_all_contacts_of_the_person() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "Hello").await;
    world.aws.pass(60);
    let follow_up = world.follow_up().await;
    let first = world.contact_with_id(&mobile(7), BSUID).await;
    let third = world.business.contact(&world.aws, &mobile(8)).await;
    let id = ConversationId::of(third.id, None);
    let waits = Happening {
        at: world.aws.now(),
        what: What::Inbound(MessageId::new(third.id, world.aws.ids().ulid()), Channel::Sms),
    };
    let (store, scope) = (world.aws.store(), world.business.scope());
    let begun = store
        .begin_conversation(scope, Conversation::from_happening(id, waits, None))
        .await;
    begun.expect("the conversation is written");
    world
        .write_contact(Contact {
            same_as: vec![third.id],
            ..first
        })
        .await;
    world.aws.pass(60);
    let to = [("to", CUSTOMER), ("to_user_id", BSUID)];
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.work(echo(&world, "wamid.2", &to)).await, done);
    }
    let own = conversation(&world).await.expect("there is one").value;
    let other = world.business.conversation(&world.aws, id).await.value;
    assert_eq!((own.waiting_since, other.waiting_since), (None, None));
    assert_eq!(world.message(&follow_up).await.state(), MessageState::Cancelled);
    let mut sent = Vec::new();
    for contact in [first.id, world.customer().await.id, third.id] {
        let known = world.person(contact).await.contact;
        assert_eq!(known.last_by_phone_at.map(|at| at.as_second()), Some(world.seconds()));
        sent.push(sent_by_phone(&world, contact).await.len());
    }
    assert_eq!(sent, [1, 0, 0]);
}

/// The owner writes first: the answer does not stand there alone. A deleted contact comes back only by itself.
#[tokio::test]
async fn whom_the_phone_writes_to_first_becomes_a_contact() {
    let world = World::new().await;
    let to = [("to", CUSTOMER)];
    for done in [Done::Now, Done::Already] {
        assert_eq!(world.work(echo(&world, "wamid.1", &to)).await, done);
    }
    let contact = world.customer().await;
    assert_eq!(sent_by_phone(&world, contact.id).await.len(), 1);
    assert!(conversation(&world).await.is_none() && contact.last_inbound_at.is_none());
    // The answered message becomes known later.
    let mut waits = Vec::new();
    for (id, seconds) in [("wamid.3", -30), ("wamid.4", 30)] {
        world.aws.pass(60);
        let at = contact.created_at.as_second() + seconds;
        world.deliver(&wrote(id, at, "Hello?")).await;
        let known = conversation(&world).await.expect("there is one").value;
        waits.push(known.waiting_since.map(|since| since.as_second() - at));
    }
    assert_eq!(waits, [None, Some(0)]);
    world.aws.delete_contact(world.business.scope(), contact.id, true).await;
    world.aws.pass(60);
    assert_eq!(world.work(echo(&world, "wamid.2", &to)).await, Done::Already);
    assert!(world.customer().await.deleted_at.is_some());
}

/// A message sent before the deletion and delivered after it opens nothing. One sent later brings the contact back, and
/// opens the conversations on all lines where the customer still waits.
#[tokio::test]
async fn conversation_of_a_deleted_contact_opens_with_it() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "Hello").await;
    let waits = conversation(&world).await.expect("there is one").value.waiting_since;
    world.aws.pass(60);
    let contact = world.customer().await.id;
    let line = "line_00000000000000000000000007".parse().expect("an id");
    let elsewhere = ConversationId::of(contact, Some(line));
    let what = What::Inbound(MessageId::new(contact, world.aws.ids().ulid()), Channel::Sms);
    let at = world.aws.now();
    let begun = Conversation::from_happening(elsewhere, Happening { at, what }, None);
    let store = world.aws.store();
    let written = store.begin_conversation(world.business.scope(), begun.clone());
    written.await.expect("the conversation is written");
    world.aws.delete_contact(world.business.scope(), contact, true).await;
    let mut states = Vec::new();
    for (id, seconds) in [("wamid.2", -30), ("wamid.3", 30)] {
        world.aws.pass(60);
        let at = world.customer().await.deleted_at.expect("it is deleted").as_second();
        world.deliver(&wrote(id, at + seconds, "Hello?")).await;
        let known = conversation(&world).await.expect("there is one").value;
        let other = world.business.conversation(&world.aws, elsewhere).await.value;
        states.push((known.state, known.waiting_since, known.seq, other.state));
    }
    let (open, closed) = (ConversationState::Open, ConversationState::Closed);
    assert_eq!(states, [(closed, waits, 2, closed), (open, waits, 3, open)]);
    assert_eq!(world.business.conversation(&world.aws, elsewhere).await.value, begun);
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

/// These texts of a customer, each a digit.
fn texts(from: &str, at: i64, numbers: &str) -> Value {
    let mut value = wrote("", at, "");
    let one = value["messages"][0].clone();
    let messages = numbers.chars().map(|text| {
        let mut message = one.clone();
        message["id"] = format!("wamid.{from}.{text}").into();
        message["from"] = digits(from).into();
        message["text"]["body"] = text.to_string().into();
        message
    });
    value["messages"] = messages.collect();
    value["contacts"][0]["wa_id"] = digits(from).into();
    value
}

/// The five texts of a customer in the order of the timeline, whose end is the latest of the conversation.
async fn in_order(world: &World, from: &str) -> String {
    let contact = world.contact_of(&Identity::Phone(phone(from))).await;
    let contact = contact.expect("the customer is known");
    let (received, _) = world.told_by(&contact).await;
    let id = ConversationId::of(contact.id, None);
    let known = world.business.conversation(&world.aws, id).await.value;
    let last = received.last().map(|last| What::Inbound(last.id, Channel::WhatsApp));
    assert_eq!(known.last.map(|last| last.what), last, "{from}");
    assert_eq!((known.seq, known.unread, received.len()), (5, 5, 5), "{from}");
    received.into_iter().filter_map(|one| one.message.text).collect()
}

/// The webhook's order, then that of receipt, wherever a process dies: before each of its requests in turn, when the next text is
/// referred to, stored, or neither.
#[tokio::test]
async fn texts_of_one_second_keep_the_order_of_their_arrival() {
    const WEBHOOKS: [&str; 6] = ["12345", "53", "1", "42", "35124", "54321"];
    let world = World::new().await;
    let came = |from: &str| {
        let at = world.seconds();
        WEBHOOKS.map(|numbers| {
            world.aws.pass(1);
            world.messages(&texts(from, at, numbers))
        })
    };
    // First the messages of the first webhook, then the rest by the others.
    let expected = |brought: usize| {
        let (own, _) = WEBHOOKS[0].split_at(brought);
        let rest = "53142".chars().filter(|text| !own.contains(*text));
        own.chars().chain(rest).collect::<String>()
    };
    let mut brought = 0;
    for requests in 0.. {
        let from = mobile(requests);
        let webhooks = came(&from);
        let lossy = Lossy::before(&world.aws);
        let ctx = Context::new(&world.aws.env_behind(lossy.url())).unwrap();
        let (dies, death) = oneshot::channel();
        let (_rests, rest) = oneshot::channel::<()>();
        lossy.happens_after(requests, async move || {
            let _ = dies.send(());
            let _ = rest.await;
        });
        let survived = tokio::select! {
            done = Box::pin(handle(Job::new(webhooks[0].clone(), 1), &ctx)) => done.is_ok(),
            died = death => died.is_err(),
        };
        for turn in [1, 2, 3, 4, 5, 0, 3, 1, 2, 0] {
            world.work(webhooks[turn].clone()).await;
        }
        let found = in_order(&world, &from).await;
        let fits = (brought..=5).find(|brought| expected(*brought) == found);
        brought = fits.unwrap_or_else(|| panic!("{found} after {requests} requests, {brought} were there before"));
        if survived {
            assert_eq!(found, WEBHOOKS[0]);
            assert!(requests > 10, "it could die {requests} times only");
            break;
        }
    }
    // At once, whoever is first.
    let from = mobile(99);
    let webhooks = came(&from);
    world.work_at_once(webhooks.clone()).await;
    let found = in_order(&world, &from).await;
    world.work_at_once(webhooks.into_iter().rev()).await;
    assert_eq!(in_order(&world, &from).await, found);
}

/// Each text has a change of its own, and the changes are worked in any order.
#[tokio::test]
async fn texts_of_one_second_keep_the_order_of_their_changes() {
    let world = World::new().await;
    let (from, at) = (mobile(1), world.seconds());
    let changes = "12345".chars().map(|text| {
        let value = texts(&from, at, &text.to_string());
        json!({"field": "messages", "value": value})
    });
    let post = json!({
        "object": "whatsapp_business_account",
        "entry": [{"id": WABA, "changes": changes.collect::<Vec<_>>()}],
    });
    let mut changes = split(post.to_string().as_bytes()).expect("a webhook");
    changes.rotate_left(3);
    for change in changes.iter().rev() {
        let change = serde_json::to_string(change).expect("JSON");
        let (business, source) = (&world.business, EventSource::WhatsApp);
        world
            .work(business.event(&world.aws, business.whatsapp, source, change))
            .await;
    }
    assert_eq!(in_order(&world, &from).await, "12345");
}

/// A webhook's change can hold as many messages of one person as WhatsApp has held back.
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
    aws.create_owned::<Team>(scope, nobody).await;
    let fields = json!({"name": "Orders", "members": [first, second], "mode": "fewest_open"});
    let team: Team = aws.create_owned(scope, fields).await;
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
    aws.create_owned::<Team>(scope, fields).await;
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
