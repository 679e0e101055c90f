//! Automatic answers to customers' messages: once, to the right people, where they wrote.

use domain::calls::{Entry, Received};
use domain::messages::{Cause, Content, Message, MessageState, OptFlag};
use domain::people::{Contact, Identity, MAX_OPEN};
use domain::tenants::{BusinessHours, TenantStatus};
use domain::terms::{
    Actor, Answer, Answered, Answers, Category, Channel, ContactId, MAX_ANSWERS, MAX_REMEMBERED, Narrowing, Policy,
    Purpose,
};
use jiff::SignedDuration;
use jobs::ProviderEvent;
use kit::Done;
use serde_json::{Value, json};
use store::contacts::ContactWrite;
use store::table::effects::Effects;
use store::tenants::Configured;
use testkit::business::{CUSTOMER, LINE, effects_of, phone, read};

use super::world::{BSUID, World, digits, wrote};

const HOUR: i64 = 3_600;

fn answering(configured: &mut Configured, answers: Value) {
    configured.tenant.answers = Some(read::<Answers>(answers));
}

/// A business that is never open, and answers after hours once in twelve hours.
pub(crate) async fn closed_business() -> World {
    closed_answering(json!({"after_hours": {"enabled": true}})).await
}

/// A business that is never open, and answers like this.
async fn closed_answering(answers: Value) -> World {
    World::with(|configured| {
        configured.tenant.business_hours = Some(BusinessHours::default());
        answering(configured, answers);
    })
    .await
}

/// A business that confirms stop and start words.
async fn confirming() -> World {
    let on = json!({"stop": {"enabled": true}, "start": {"enabled": true}});
    World::with(|configured| answering(configured, on)).await
}

/// The messages to a contact, the oldest first.
async fn sent_to(world: &World, contact: &Contact) -> Vec<Message> {
    let entries = world.entries(contact.id).await.into_iter();
    let sent = entries.filter_map(|entry| match entry {
        Entry::Sent(message) => Some(*message),
        _ => None,
    });
    sent.collect()
}

/// The automatic answers to the customer.
async fn answers(world: &World) -> Vec<Message> {
    let mut sent = sent_to(world, &world.customer().await).await;
    sent.retain(|message| message.cause.answered_message().is_some());
    sent
}

async fn only_answer(world: &World) -> Message {
    let mut answers = answers(world).await;
    assert_eq!(answers.len(), 1, "{answers:?}");
    answers.remove(0)
}

/// Messages that were not cancelled.
async fn pending(world: &World) -> Vec<Message> {
    let mut answers = answers(world).await;
    answers.retain(|answer| answer.state() == MessageState::Scheduled);
    answers
}

fn text(message: &Message) -> &str {
    match &message.plan[0].content {
        Content::Text(text) => text,
        _ => panic!("an answer is a text"),
    }
}

/// The provider accepts the only answer that waits.
async fn accept(world: &World, reference: &str) -> Message {
    let waiting = pending(world).await;
    let [answer] = &waiting[..] else {
        panic!("{waiting:?}");
    };
    let claimed = world.claim_next_leg(answer.clone()).await;
    world.record_acceptance(claimed, "whatsapp", reference).await
}

/// The codes of the last remarks of the customer's messages, the oldest first.
async fn codes(world: &World) -> Vec<&'static str> {
    let (received, _) = world.told_by_customer().await;
    let remarks = received.iter().filter_map(|received| received.remarks.last());
    let codes = remarks.filter_map(|remark| remark.because.as_ref());
    codes.map(|because| because.code.as_str()).collect()
}

/// A reaction, and a message in a conversation that another assistant holds.
fn unanswerable(world: &World) -> [ProviderEvent; 2] {
    let now = world.seconds();
    let mut reaction = wrote("wamid.reaction", now, "");
    reaction["messages"][0]["type"] = "reaction".into();
    reaction["messages"][0]["reaction"] = json!({"message_id": "wamid.x", "emoji": "👍"});
    let held = wrote("wamid.standby", now, "Hello");
    [world.messages(&reaction), world.whatsapp_event("standby", &held)]
}

#[tokio::test]
async fn redelivered_message_is_answered_once() {
    let world = closed_business().await;
    let event = world.says("wamid.in", "Are you open?");
    assert_eq!(world.work(event.clone()).await, Done::Now);
    let answer = only_answer(&world).await;
    let (received, _) = world.told_by_customer().await;
    assert_eq!(
        answer.cause.answered_message(),
        Some((received[0].id, Answer::AfterHours))
    );
    assert_eq!(received[0].answer, Some(Answer::AfterHours));
    assert_eq!(answer.policy.purpose(), Purpose::AutoReply);
    let leg = &answer.plan[0];
    assert_eq!(
        (leg.channel, leg.connection),
        (Channel::WhatsApp, world.business.whatsapp)
    );
    assert!(
        text(&answer).starts_with("Harbour Lane: thank you"),
        "{}",
        text(&answer)
    );
    assert_eq!(answer.to.phone, Some(phone(CUSTOMER)));
    assert_eq!(world.take_send_jobs().await.len(), 1);

    assert_eq!(world.work(event.clone()).await, Done::Already);
    assert!(world.take_send_jobs().await.is_empty());
    // A redelivery makes sure that the answer is queued.
    assert_eq!(world.receive_event(event, 2).await.unwrap(), Done::Already);
    assert_eq!(world.take_send_jobs().await.len(), 1);
    assert_eq!(answers(&world).await, [answer]);
    assert_eq!(world.told_by_customer().await.0.len(), 1);
}

#[tokio::test]
async fn concurrent_deliveries_are_answered_once() {
    let world = closed_business().await;
    let event = world.says("wamid.in", "Are you open?");
    world.work_at_once(vec![event; 6]).await;
    assert_eq!(answers(&world).await.len(), 1);
}

/// The later answer may take the place of the earlier one.
#[tokio::test]
async fn two_messages_at_once_get_one_answer() {
    let world = closed_business().await;
    let both = ["wamid.a", "wamid.b"].map(|id| world.says(id, "Are you open?"));
    world.work_at_once(both).await;
    assert_eq!(pending(&world).await.len(), 1, "{:?}", answers(&world).await);
    assert_eq!(world.told_by_customer().await.0.len(), 2);
}

/// A message of the customer, and what is stored of it by a process that stops before it answers.
async fn stored_only(world: &World, id: &str) -> (ProviderEvent, Received) {
    let event = world.says(id, "Are you open?");
    let number = Identity::Phone(phone(CUSTOMER));
    let now = world.aws.now();
    let mut contact = Contact::first_seen(ContactId::new(world.aws.ids().ulid()), &number, now);
    contact.last_inbound_at = Some(now);
    contact.open_window(&phone("+447700900999"), &contact.recipient(), now);
    let received = world.business.received_text(&world.aws, contact.id, |received| {
        received.message.provider_ref = id.parse().expect("a reference");
        received.message.from.phone = Some(phone(CUSTOMER));
        received.message.text = Some("Are you open?".to_owned());
        received.answer = Some(Answer::AfterHours);
    });
    let effects = effects_of(&received, vec![ContactWrite::new(contact, number)]);
    let stored = world.aws.store().commit(world.business.scope(), effects, now).await;
    stored.expect("the message is stored");
    (event, received)
}

#[tokio::test]
async fn stored_message_is_answered_by_its_redelivery() {
    let world = closed_business().await;
    let (event, received) = stored_only(&world, "wamid.in").await;
    // Another delivery of the provider's is no sign that anybody stopped.
    assert_eq!(world.work(event.clone()).await, Done::Already);
    assert_eq!(answers(&world).await, []);
    for count in [2, 3] {
        assert_eq!(world.receive_event(event.clone(), count).await.unwrap(), Done::Already);
    }
    let answer = only_answer(&world).await;
    assert_eq!(answer.cause.answered_message(), Some((received.id, Answer::AfterHours)));
    assert_eq!(answer.correlation_id, "cor");
}

/// It would say that the business is closed, long after.
#[tokio::test]
async fn late_redelivery_is_not_answered() {
    let world = closed_business().await;
    let (event, _) = stored_only(&world, "wamid.in").await;
    world.aws.pass(15 * 60);
    world.receive_event(event, 2).await.unwrap();
    assert_eq!(answers(&world).await, []);
    let late = wrote("wamid.late", world.seconds() - 15 * 60, "Hello?");
    world.deliver(&late).await;
    assert_eq!(answers(&world).await, []);
}

#[tokio::test]
async fn contact_that_is_erased_meanwhile_gets_no_answer() {
    let world = closed_business().await;
    let (event, _) = stored_only(&world, "wamid.in").await;
    let mut contact = world.customer().await;
    (contact.deleted_at, contact.erasing) = (Some(world.aws.now()), true);
    let id = contact.id;
    world.write_contact(contact).await;
    world.receive_event(event, 2).await.unwrap();
    let entries = world.entries(id).await;
    assert!(matches!(&entries[..], [Entry::Received(_)]), "{entries:?}");
}

#[tokio::test]
async fn conversation_gets_one_answer_in_its_period() {
    let world = closed_business().await;
    world.whatsapp("wamid.1", "Are you open?").await;
    accept(&world, "wamid.out1").await;
    world.aws.pass(HOUR);
    world.whatsapp("wamid.2", "Hello?").await;
    assert_eq!(answers(&world).await.len(), 1);
    assert_eq!(codes(&world).await, ["answered_already"]);
    let (received, _) = world.told_by_customer().await;
    assert_eq!(received[1].answer, None);
    world.aws.pass(11 * HOUR - 1);
    world.whatsapp("wamid.3", "Hello?").await;
    assert_eq!(answers(&world).await.len(), 1);
    world.aws.pass(1);
    world.whatsapp("wamid.4", "Hello?").await;
    assert_eq!(answers(&world).await.len(), 2);
}

#[tokio::test]
async fn newer_message_takes_over_the_unsent_answer() {
    let world = closed_business().await;
    world.whatsapp("wamid.1", "Hello").await;
    world.aws.pass(1);
    world.whatsapp("wamid.2", "Are you open?").await;
    let states: Vec<_> = answers(&world).await.iter().map(Message::state).collect();
    assert_eq!(states, [MessageState::Cancelled, MessageState::Scheduled]);
    let (received, _) = world.told_by_customer().await;
    assert_eq!(received[1].remarks, [], "no follow-up is cancelled");
    let waiting = pending(&world).await;
    assert_eq!(
        waiting[0].cause.answered_message(),
        Some((received[1].id, Answer::AfterHours))
    );
    assert_eq!(world.customer().await.answered.len(), 1);
}

/// The first message said nothing of Meta's id, which leads to another contact. If that one gets no answer, the first keeps its own.
#[tokio::test]
async fn one_person_gets_one_answer_whatever_contacts_they_are() {
    for answered_lately in [false, true] {
        let world = closed_business().await;
        let other = |contact: &mut Contact| {
            contact.phones.clear();
            contact.bsuids = vec![BSUID.to_owned()];
            if answered_lately {
                contact.note_answer(Answer::AfterHours, None, contact.created_at);
            }
        };
        let other = world.business.contact_with(&world.aws, "+971501234568", other).await;
        world.whatsapp("wamid.1", "Hello").await;
        assert_eq!(pending(&world).await.len(), 1);
        world.aws.pass(2);
        let mut known = wrote("wamid.2", world.seconds(), "Are you open?");
        known["contacts"][0]["user_id"] = BSUID.into();
        known["messages"][0]["from_user_id"] = BSUID.into();
        assert_eq!(world.deliver(&known).await, Done::Now);

        let states = async |contact: &Contact| {
            let sent = sent_to(&world, contact).await;
            sent.iter().map(Message::state).collect::<Vec<_>>()
        };
        let first = world.customer().await;
        assert!(first.id != other.id && first.same_as == [other.id]);
        let both = (states(&first).await, states(&other).await);
        if answered_lately {
            assert_eq!(both, (vec![MessageState::Scheduled], vec![]));
            assert_eq!((first.open.len(), first.answered.len()), (1, 1));
        } else {
            assert_eq!(both, (vec![MessageState::Cancelled], vec![MessageState::Scheduled]));
            assert_eq!((first.open.len(), first.answered.len()), (0, 0));
        }
    }
}

/// In whatever order they are processed.
#[tokio::test]
async fn older_message_leaves_the_answer_to_a_newer_one() {
    let world = closed_business().await;
    let older = world.says("wamid.1", "Hello");
    world.aws.pass(2);
    world.whatsapp("wamid.2", "Are you open?").await;
    assert_eq!(world.work(older).await, Done::Now);
    let (received, _) = world.told_by_customer().await;
    let answer = only_answer(&world).await;
    assert_eq!(answer.state(), MessageState::Scheduled);
    assert_eq!(
        answer.cause.answered_message(),
        Some((received[1].id, Answer::AfterHours))
    );
    assert_eq!(codes(&world).await, ["answered_already"]);
}

/// Whoever writes something that is not answered must not lose the answer to what they wrote before.
#[tokio::test]
async fn waiting_answer_outlasts_what_gets_none() {
    for (first, then, answer) in [
        ("HELP", "Hello?", Answer::Help),
        ("HELP", "HELP", Answer::Help),
        ("STOP", "STOP", Answer::Stop),
        ("START", "START", Answer::Start),
    ] {
        let world = confirming().await;
        for (id, text) in [("wamid.1", first), ("wamid.2", then)] {
            world.whatsapp(id, text).await;
            world.aws.pass(2);
        }
        let answers = answers(&world).await;
        let waiting = answers
            .iter()
            .map(|message| (message.cause.answered_message(), message.state()));
        let waiting: Vec<_> = waiting.map(|(of, state)| (of.map(|(_, of)| of), state)).collect();
        assert_eq!(waiting, [(Some(answer), MessageState::Scheduled)], "{first}, {then}");
    }
    let world = closed_business().await;
    world.whatsapp("wamid.1", "Are you open?").await;
    for event in unanswerable(&world) {
        world.aws.pass(2);
        world.work(event).await;
    }
    assert_eq!(pending(&world).await.len(), 1);
}

/// An SMS that is written now to a number of the account that the connection does not know, any more or yet.
fn to_unknown_number(world: &World, sid: &str, prefix: &str) -> ProviderEvent {
    let from = CUSTOMER.replace('+', "%2B");
    world.twilio_inbound(format!(
        "MessageSid={sid}&From={prefix}{from}&To={prefix}%2B15005550009&Body=Hello"
    ))
}

/// It calls for the same answer in the same way, and would not get it.
#[tokio::test]
async fn waiting_answer_outlasts_a_message_without_a_way_back() {
    let world = closed_business().await;
    world.work(world.sms("SM1", "Hello", "")).await;
    world.aws.pass(2);
    world.work(to_unknown_number(&world, "SM2", "")).await;
    assert_eq!(codes(&world).await, ["no_channel"]);
    let (received, _) = world.told_by_customer().await;
    assert_eq!((received.len(), received[1].answer), (2, None));
    let answer = only_answer(&world).await;
    assert_eq!(
        answer.cause.answered_message(),
        Some((received[0].id, Answer::AfterHours))
    );
    assert_eq!(answer.state(), MessageState::Scheduled);
    let customer = world.customer().await;
    assert_eq!((customer.answered.len(), customer.open.len()), (1, 1));
}

/// Another answer of the same kind was given too recently: by a period that the business has made longer since.
#[tokio::test]
async fn waiting_answer_outlasts_a_message_that_comes_too_early() {
    let world = closed_business().await;
    world.whatsapp("wamid.1", "Hello").await;
    let mut customer = world.customer().await;
    let waiting = customer.answered[0];
    customer.answered.insert(
        0,
        Answered {
            at: waiting.at - SignedDuration::from_hours(1),
            ..waiting
        },
    );
    world.write_contact(customer).await;
    world.aws.pass(2);
    world.whatsapp("wamid.2", "Are you open?").await;
    assert_eq!(codes(&world).await, ["answered_already"]);
    let states: Vec<_> = answers(&world).await.iter().map(Message::state).collect();
    assert_eq!(states, [MessageState::Scheduled]);
    assert_eq!(world.customer().await.answered.len(), 2);
}

/// Nor may it before the answer is planned.
#[tokio::test]
async fn reaction_before_the_answer_is_planned_prevents_none() {
    let world = closed_business().await;
    let (event, received) = stored_only(&world, "wamid.in").await;
    world.aws.pass(2);
    let [reaction, _] = unanswerable(&world);
    world.work(reaction).await;
    world.receive_event(event, 2).await.unwrap();
    let answer = only_answer(&world).await;
    assert_eq!(answer.cause.answered_message(), Some((received.id, Answer::AfterHours)));
}

/// If the provider refuses it, it must be tried again: nobody else answers.
#[tokio::test]
async fn answer_under_way_is_not_cancelled() {
    let world = closed_business().await;
    world.whatsapp("wamid.1", "Hello").await;
    let waiting = pending(&world).await.remove(0);
    let claimed = world.claim_next_leg(waiting).await;
    world.aws.pass(2);
    world.whatsapp("wamid.2", "Are you open?").await;
    let states: Vec<_> = answers(&world).await.iter().map(Message::state).collect();
    assert_eq!(states, [MessageState::Sending]);
    let customer = world.customer().await;
    assert!(customer.open.iter().any(|open| open.message == claimed.id));
    assert_eq!(codes(&world).await, ["answered_already"]);
}

/// It would say that the business is closed.
#[tokio::test]
async fn answer_after_hours_ends_when_the_business_opens() {
    // It is noon, and a Friday.
    let opening = |configured: &mut Configured| {
        configured.tenant.business_hours = Some(read(json!({"friday": [{"from": "12:05", "to": "17:00"}]})));
        answering(configured, json!({"after_hours": {"enabled": true}}));
    };
    let world = World::with(opening).await;
    world.whatsapp("wamid.1", "Are you open?").await;
    let validity = pending(&world).await[0].policy.validity();
    assert_eq!(validity.as_secs(), 5 * 60);

    let world = World::with(opening).await;
    let (event, _) = stored_only(&world, "wamid.in").await;
    world.aws.pass(5 * 60);
    world.receive_event(event, 2).await.unwrap();
    assert_eq!(answers(&world).await, []);
}

/// As many messages as can wait for the customer, requested by the business for tomorrow.
async fn all_that_can_wait(world: &World) -> Vec<Message> {
    let follow_up = world.follow_up().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let mut contact = world.customer().await;
    contact.forget(follow_up.id);
    let policy = Policy::for_purpose(Purpose::Api, Category::Utility, &Narrowing::default());
    let policy = policy.expect("there are such messages");
    let mut waiting = Vec::new();
    for _ in 0..MAX_OPEN {
        let cause = Cause::Requested {
            contact: contact.id,
            by: Actor::Operator,
            request: world.aws.ids().ulid(),
            retries: None,
        };
        let message = Message {
            id: cause.message_id(),
            cause,
            policy,
            version: 0,
            ..follow_up.clone()
        };
        assert_eq!(contact.opens(&message, vec![]), []);
        waiting.push(message);
    }
    let effects = Effects {
        people: vec![ContactWrite::from(contact)],
        planned: waiting.clone(),
        ..Effects::default()
    };
    store
        .commit(scope, effects, now)
        .await
        .expect("the messages are written");
    waiting
}

/// They end by the stop word, although nothing takes their place before they are due.
#[tokio::test]
async fn stop_is_confirmed_though_all_that_can_wait_waits() {
    let world = confirming().await;
    let waiting = all_that_can_wait(&world).await;
    world.whatsapp("wamid.1", "STOP").await;
    let confirmation = accept(&world, "wamid.out1").await;
    assert_eq!(confirmation.policy.purpose(), Purpose::StopConfirmation);
    for message in &waiting {
        assert_eq!(world.message(message).await.state(), MessageState::Scheduled);
    }
    assert_eq!(world.customer().await.open.len(), MAX_OPEN + 1);
    // Whoever wants messages again has no room for another one.
    world.aws.pass(2);
    world.whatsapp("wamid.2", "START").await;
    assert_eq!(answers(&world).await.len(), 1);
}

/// A message accepted by the API was promised to somebody.
#[tokio::test]
async fn answer_displaces_no_other_message() {
    let world = World::new().await;
    let waiting = all_that_can_wait(&world).await;
    world.whatsapp("wamid.1", "HELP").await;
    assert_eq!(answers(&world).await, []);
    for message in &waiting {
        assert_eq!(world.message(message).await.state(), MessageState::Scheduled);
    }
    // There is room for it once one of them is settled.
    let mut first = world.message(&waiting[0]).await;
    assert!(first.cancel("not needed any more"));
    world.write(&first).await;
    world.aws.pass(2);
    world.whatsapp("wamid.2", "HELP").await;
    assert_eq!(answers(&world).await.len(), 1);
    for message in &waiting[1..] {
        assert_eq!(world.message(message).await.state(), MessageState::Scheduled);
    }
}

/// Also by a channel that the connection does not send.
#[tokio::test]
async fn message_without_a_way_back_says_why_it_gets_no_answer() {
    for prefix in ["", "whatsapp%3A"] {
        let world = closed_business().await;
        let event = to_unknown_number(&world, "SM1", prefix);
        assert_eq!(world.work(event.clone()).await, Done::Now);
        assert_eq!(codes(&world).await, ["no_channel"]);
        let (received, _) = world.told_by_customer().await;
        assert_eq!((received.len(), received[0].answer), (1, None));
        world.receive_event(event, 2).await.unwrap();
        assert_eq!(answers(&world).await, []);
        assert_eq!(world.customer().await.answered, []);
    }
}

#[tokio::test]
async fn open_business_and_one_without_hours_leave_it_to_people() {
    let always = |configured: &mut Configured| answering(configured, json!({"after_hours": {"enabled": true}}));
    let open = |configured: &mut Configured| {
        always(configured);
        // Noon in London, on a Friday.
        configured.tenant.business_hours = Some(read(json!({"friday": [{"from": "09:00", "to": "17:00"}]})));
    };
    let changes: [&dyn Fn(&mut Configured); 3] = [&always, &open, &|configured: &mut Configured| {
        configured.tenant.business_hours = Some(BusinessHours::default());
    }];
    for change in changes {
        let world = World::with(change).await;
        world.whatsapp("wamid.in", "Are you open?").await;
        assert_eq!(answers(&world).await, []);
        assert!(world.take_send_jobs().await.is_empty());
    }
}

#[tokio::test]
async fn suspended_business_stores_and_is_silent() {
    let world = World::with(|configured| configured.tenant.status = TenantStatus::Suspended).await;
    world.whatsapp("wamid.in", "HELP").await;
    assert_eq!(answers(&world).await, []);
    assert_eq!(world.told_by_customer().await.0.len(), 1);
}

#[tokio::test]
async fn help_is_answered_once_a_day() {
    let world = World::new().await;
    world.whatsapp("wamid.1", "HELP").await;
    let answer = accept(&world, "wamid.out1").await;
    assert_eq!(
        answer.cause.answered_message().map(|(_, answer)| answer),
        Some(Answer::Help)
    );
    assert!(text(&answer).contains("Reply STOP"), "{}", text(&answer));
    world.aws.pass(HOUR);
    world.whatsapp("wamid.2", "help!").await;
    assert_eq!(answers(&world).await.len(), 1);
    world.aws.pass(23 * HOUR);
    world.whatsapp("wamid.3", "HELP").await;
    assert_eq!(answers(&world).await.len(), 2);
}

/// Twilio answers its own word.
#[tokio::test]
async fn arabic_help_is_answered_in_arabic_from_the_number_written_to() {
    let world = World::new().await;
    world.work(world.sms("SM1", "HELP", "")).await;
    assert_eq!(answers(&world).await, []);
    let arabic = "%D9%85%D8%B3%D8%A7%D8%B9%D8%AF%D8%A9";
    world.work(world.sms("SM2", arabic, "")).await;
    let answer = only_answer(&world).await;
    assert_eq!(world.customer().await.language.as_deref(), Some("ar"));
    assert!(text(&answer).starts_with("Harbour Lane: ") && text(&answer).contains("7726"));
    let leg = &answer.plan[0];
    assert_eq!((leg.channel, leg.connection), (Channel::Sms, world.business.twilio));
    assert_eq!(leg.sender, Some(phone(LINE)));
}

#[tokio::test]
async fn stop_is_not_confirmed_by_default() {
    let world = World::new().await;
    for (id, word) in [("wamid.1", "STOP"), ("wamid.2", "HELP"), ("wamid.3", "Hello")] {
        world.whatsapp(id, word).await;
        world.aws.pass(1);
    }
    assert_eq!(answers(&world).await, []);
    assert!(world.take_send_jobs().await.is_empty());
}

/// Whoever says it again had it confirmed.
#[tokio::test]
async fn only_a_confirmation_follows_stop_if_it_is_on() {
    let both = json!({"stop": {"enabled": true}, "start": {"enabled": true}, "after_hours": {"enabled": true}});
    let world = closed_answering(both).await;
    world.whatsapp("wamid.1", "STOP").await;
    let answer = accept(&world, "wamid.out1").await;
    assert_eq!(answer.policy.purpose(), Purpose::StopConfirmation);
    for (id, word) in [("wamid.2", "STOP"), ("wamid.3", "HELP"), ("wamid.4", "Hello")] {
        world.aws.pass(60);
        world.whatsapp(id, word).await;
    }
    world.aws.pass(25 * HOUR);
    world.whatsapp("wamid.5", "stop").await;
    assert_eq!(answers(&world).await.len(), 1);

    world.aws.pass(60);
    world.whatsapp("wamid.6", "START").await;
    let started = answers(&world).await;
    assert_eq!(started.len(), 2);
    assert_eq!(
        started[1].cause.answered_message().map(|(_, answer)| answer),
        Some(Answer::Start)
    );
    assert_eq!(started[1].policy.purpose(), Purpose::AutoReply);
}

/// A start word does not end what the business decided, so there is nothing to confirm.
#[tokio::test]
async fn suppressed_writer_gets_no_answer() {
    let world = confirming().await;
    world.business.suppress(&world.aws, CUSTOMER).await;
    for (id, word) in [("wamid.1", "START"), ("wamid.2", "HELP"), ("wamid.3", "STOP")] {
        world.aws.pass(1);
        world.whatsapp(id, word).await;
    }
    assert_eq!(answers(&world).await, []);
}

#[tokio::test]
async fn own_numbers_and_machines_are_not_answered() {
    let world = closed_business().await;
    let own = digits(LINE);
    let mut from_us = wrote("wamid.own", world.seconds(), "We are closed");
    from_us["contacts"][0]["wa_id"] = own.into();
    from_us["messages"][0]["from"] = own.into();
    world.deliver(&from_us).await;
    let found = world.contact_of(&Identity::Phone(phone(LINE))).await;
    assert_eq!(sent_to(&world, &found.expect("the message is stored")).await, []);

    for event in unanswerable(&world) {
        world.work(event).await;
    }
    assert_eq!(answers(&world).await, []);
}

/// Whatever calls for them, except help, which may be one more, and the confirmation of a stop word.
#[tokio::test]
async fn person_gets_four_answers_a_day_at_most() {
    let every_hour = json!({"enabled": true, "every_seconds": 3_600});
    let world = closed_answering(json!({"after_hours": every_hour, "stop": {"enabled": true}})).await;
    for hour in 0..8 {
        world.whatsapp(&format!("wamid.{hour}"), "Hello?").await;
        if !pending(&world).await.is_empty() {
            accept(&world, &format!("wamid.out{hour}")).await;
        }
        world.aws.pass(HOUR);
    }
    assert_eq!(answers(&world).await.len(), MAX_ANSWERS);
    assert_eq!(codes(&world).await, ["answered_often"; 4]);
    for word in ["HELP", "STOP"] {
        world.whatsapp(&format!("wamid.{word}"), word).await;
        accept(&world, &format!("wamid.out{word}")).await;
        world.aws.pass(60);
    }
    assert_eq!(answers(&world).await.len(), MAX_REMEMBERED);
}

/// A value of the tenant's text is not known: the usual text has none.
#[tokio::test]
async fn text_that_cannot_be_filled_in_is_replaced() {
    let help = json!({"help": {"text": "Ask {{tenant.nobody}}."}});
    let world = World::with(|configured| answering(configured, help)).await;
    world.whatsapp("wamid.in", "HELP").await;
    let answers = answers(&world).await;
    assert!(text(&answers[0]).contains("Reply STOP"), "{}", text(&answers[0]));
}

#[tokio::test]
async fn own_text_may_name_products_and_the_preference_page() {
    let world = World::with(|configured| {
        configured.products = vec![read(json!({
            "id": "prd_00000000000000000000000001", "sku": "cake", "name": "Saffron cake",
        }))];
        let text =
            "{{contact.first_name}}: {{product.cake.name}} {{preferences.code}} {{link_code:https://saffron.example}}";
        answering(configured, json!({"help": {"text": text}}));
    })
    .await;
    let plain = World::new().await;
    let mut rows = Vec::new();
    for world in [&world, &plain] {
        let before = world.aws.row_count().await;
        world.whatsapp("wamid.in", "HELP").await;
        rows.push(world.aws.row_count().await - before);
    }
    assert_eq!(rows[0], rows[1] + 2, "each link has a row");
    let answers = answers(&world).await;
    let code = text(&answers[0])
        .strip_prefix("Layla: Saffron cake ")
        .expect("its values");
    assert_eq!(code.len(), 16 + 1 + 17);
}

/// A wish is stored with the message, whatever the answer is.
#[tokio::test]
async fn help_leaves_consent_as_it_is() {
    let world = World::new().await;
    let opted_in = |contact: &mut Contact| drop(contact.wish(OptFlag::Start, "wrote START", contact.created_at));
    world.business.contact_with(&world.aws, CUSTOMER, opted_in).await;
    world.aws.pass(60);
    world.whatsapp("wamid.in", "HELP").await;
    assert!(world.customer().await.opted_in_at().is_some());
    assert_eq!(pending(&world).await.len(), 1);
    assert!(world.told_by_customer().await.1.is_empty());
}
