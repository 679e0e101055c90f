use domain::Timestamp;
use domain::messages::{Cause, Content, Ended, Leg, Message, MessageState, SendOutcome, Sender};
use domain::people::{Contact, Identity, MAX_IDENTITIES, MAX_OPEN, MAX_TEXTED, MAX_WINDOWS, Unreachable};
use domain::terms::{
    Answer, CallId, CancelEvent, Category, Channel, ContactId, LineId, Narrowing, Phone, Policy, Purpose, Reason,
    Recipient,
};
use jiff::SignedDuration;
use proptest::array::uniform3;
use proptest::option;
use proptest::prelude::*;
use ulid::Ulid;

use crate::messages::timers;

pub(crate) fn at(second: u8) -> Timestamp {
    Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24 * 20_000) + SignedDuration::from_secs(second.into())
}

fn phone(number: usize) -> Phone {
    format!("+9715012345{number:02}").parse().expect("a number")
}

fn somebody() -> Contact {
    let id = ContactId::new(Ulid::from_parts(1, 1));
    Contact::first_seen(id, &Identity::Phone(phone(0)), at(0))
}

fn planned_message(contact: &Contact, second: u8, purpose: Purpose, category: Category) -> Message {
    planned_at(contact, at(second), purpose, category)
}

pub(crate) fn planned_at(contact: &Contact, time: Timestamp, purpose: Purpose, category: Category) -> Message {
    let millisecond = u64::try_from(time.as_millisecond()).expect("a time after 1970");
    let cause = Cause::Call(CallId::new(contact.id, Ulid::from_parts(millisecond, 7)));
    Message {
        id: cause.message_id(),
        cause,
        policy: Policy::for_purpose(purpose, category, &Narrowing::default()).expect("a category of the purpose"),
        to: Recipient {
            phone: contact.phone().cloned(),
            bsuid: None,
        },
        line: None,
        basis: None,
        plan: vec![Leg {
            channel: Channel::Sms,
            connection: "conn_00000000000000000000000001".parse().expect("an id"),
            sender: None,
            content: Content::Text("Hello".to_owned()),
            reply_to: None,
        }],
        attempts: vec![],
        not_before: time,
        waiting: None,
        upload_asked: None,
        because: None,
        due: None,
        dispatches: 0,
        ended: None,
        took: vec![],
        expected: vec![],
        remarks: vec![],
        behind: None,
        retried_as: None,
        clicked_at: None,
        called_at: None,
        created_at: time,
        keep_until: None,
        correlation_id: String::new(),
        version: 0,
    }
}

pub(crate) fn follow_up(contact: &Contact, second: u8) -> Message {
    planned_message(contact, second, Purpose::FollowUp, Category::Utility)
}

fn marketing(contact: &Contact, second: u8) -> Message {
    planned_message(contact, second, Purpose::FollowUp, Category::Marketing)
}

/// The message after its only channel accepted it at this time.
fn sent_message(mut message: Message, second: u8) -> Message {
    let timers = timers();
    message.claim(0, "claim".to_owned(), at(second), &timers);
    let accepted = SendOutcome::Accepted {
        provider_ref: "SM1".parse().expect("a reference"),
        segments: None,
    };
    assert!(message.record(1, accepted, at(second), &timers));
    message
}

proptest! {
    /// In whatever order messages end: utility that went out counts from its planning, marketing from its sending, and what
    /// never went out does not count.
    #[test]
    fn limits_count_from_what_went_out(
        is_marketing in uniform3(any::<bool>()),
        sent_after in uniform3(option::of(0_u8..60)),
        order in Just([0_usize, 1, 2]).prop_shuffle(),
        how_many in 0..=3_usize,
    ) {
        let mut contact = somebody();
        contact.last_follow_up_at = Some(at(1));
        let mut messages = Vec::new();
        for (second, is_marketing) in [10, 20, 30].into_iter().zip(is_marketing) {
            let plan = if is_marketing { marketing } else { follow_up };
            let message = plan(&contact, second);
            prop_assert_eq!(contact.opens(&message, vec![]), vec![]);
            messages.push(message);
        }
        let mut counted = vec![at(1)];
        for (turn, place) in order.into_iter().enumerate() {
            let planned = messages[place].clone();
            let ended = turn < how_many;
            if !ended || sent_after[place].is_some() {
                counted.push(planned.created_at);
            }
            if !ended {
                continue;
            }
            let second = u8::try_from(place).unwrap() * 10 + 10;
            let message = sent_after[place].map_or(planned.clone(), |after| sent_message(planned, second + after));
            contact.close(&message);
            if is_marketing[place] {
                counted.extend(message.last_sent_at());
            }
        }
        prop_assert_eq!(contact.last_follow_up_at, counted.into_iter().max());
        prop_assert_eq!(contact.open.len(), 3 - how_many);
    }

    /// In whatever order messages are cancelled, the cooldown counts from the newest one left.
    #[test]
    fn cooldown_counts_from_the_newest_message_left(cancelled in Just([0_u8, 1, 2]).prop_shuffle(), how_many in 0..=3_usize) {
        let mut contact = somebody();
        let earlier = at(1);
        contact.last_follow_up_at = Some(earlier);
        let messages = [10, 20, 30].map(|second| follow_up(&contact, second));
        for message in &messages {
            prop_assert_eq!(contact.opens(message, vec![]), vec![]);
        }
        let cancelled = &cancelled[..how_many];
        for place in cancelled {
            prop_assert!(contact.close(&messages[usize::from(*place)]));
        }
        let left = (0..3_u8).rev().find(|place| !cancelled.contains(place));
        let last = left.map_or(earlier, |place| messages[usize::from(place)].created_at);
        prop_assert_eq!(contact.last_follow_up_at, Some(last));
        prop_assert_eq!(contact.open.len(), 3 - how_many);
    }
}

#[test]
fn message_without_a_cooldown_restores_none() {
    let mut contact = somebody();
    let follow_up = follow_up(&contact, 10);
    contact.opens(&follow_up, vec![]);
    let reply = planned_message(&contact, 20, Purpose::AutoReply, Category::Service);
    contact.opens(&reply, vec![]);
    assert_eq!(contact.last_follow_up_at, Some(follow_up.created_at));
    assert_eq!(contact.open_to(CancelEvent::AnsweredCall), [follow_up.id]);
    assert_eq!(contact.open_to(CancelEvent::Stop), [follow_up.id, reply.id]);
    assert!(!contact.close(&reply));
    assert_eq!(contact.last_follow_up_at, Some(follow_up.created_at));
    assert!(contact.close(&follow_up));
    assert_eq!((contact.last_follow_up_at, contact.open.len()), (None, 0));
    assert!(!contact.close(&follow_up), "it is closed once");
}

/// Marketing is planned for later at the end of a delay, or of quiet hours.
#[test]
fn planned_marketing_counts_from_its_time() {
    let mut contact = somebody();
    let mut later = marketing(&contact, 10);
    later.not_before = at(200);
    contact.opens(&later, vec![]);
    assert_eq!(contact.frequency_from(), Some(at(200)));
    // The cooldown counts from the planning: it holds for other follow-ups, too.
    assert_eq!(contact.last_follow_up_at, Some(at(10)));
    assert!(contact.close(&later));
    assert_eq!((contact.frequency_from(), contact.last_follow_up_at), (None, None));
}

#[test]
fn only_marketing_is_compared_with_open_marketing() {
    let mut contact = somebody();
    let limited = marketing(&contact, 40).policy;
    let first = follow_up(&contact, 10);
    contact.opens(&first, vec![]);
    assert_eq!(contact.to_compare(&limited), []);
    let second = marketing(&contact, 20);
    contact.opens(&second, vec![]);
    assert_eq!(contact.to_compare(&limited), [second.id]);
    assert_eq!(contact.to_compare(&first.policy), []);
    // In a full list, room has to be made: all are read at once.
    for second in [30, 31] {
        contact.opens(&follow_up(&contact, second), vec![]);
    }
    assert_eq!(contact.to_compare(&limited), contact.to_make_room());
    assert_eq!(contact.to_compare(&limited).len(), MAX_OPEN);
    assert_eq!(contact.to_compare(&first.policy), contact.to_make_room());
}

/// It counts even if it leaves the list because another message needs its place, or because the customer wrote.
#[test]
fn settled_marketing_counts_from_its_sending() {
    let open = || {
        let mut contact = somebody();
        let mut messages: Vec<Message> = (10..14).map(|second| marketing(&contact, second)).collect();
        for message in &messages {
            contact.opens(message, vec![]);
        }
        messages[1] = sent_message(messages[1].clone(), 45);
        (contact, messages)
    };
    let (mut contact, messages) = open();
    contact.settle(&messages[1]);
    assert_eq!((contact.last_follow_up_at, contact.open.len()), (Some(at(45)), 3));

    let (mut contact, messages) = open();
    let fifth = follow_up(&contact, 50);
    assert_eq!(contact.opens(&fifth, messages), []);
    assert_eq!(contact.last_follow_up_at, Some(at(50)));
    assert!(contact.close(&fifth));
    assert_eq!(contact.last_follow_up_at, Some(at(45)));
}

/// It starts no cooldown, so a missed call is answered all the same. Marketing waits for its day to be over.
#[test]
fn requested_message_counts_for_marketing_only() {
    let requested = |contact: &Contact| planned_message(contact, 10, Purpose::Api, Category::Utility);
    let mut contact = somebody();
    let limited = marketing(&contact, 40).policy;
    let planned = requested(&contact);
    contact.opens(&planned, vec![]);
    assert_eq!(
        (contact.last_follow_up_at, contact.frequency_from()),
        (None, Some(at(10)))
    );
    assert_eq!(contact.to_compare(&limited), [planned.id]);
    assert!(contact.close(&planned));
    assert_eq!(contact.frequency_from(), None);

    contact.opens(&planned, vec![]);
    contact.settle(&sent_message(planned.clone(), 45));
    assert_eq!((contact.frequency_from(), contact.open.len()), (Some(at(45)), 0));
    assert_eq!(contact.last_follow_up_at, None);

    let mut stopped = somebody();
    stopped.opens(&planned, vec![]);
    assert!(stopped.close(&sent_message(planned, 50)));
    assert_eq!(stopped.frequency_from(), Some(at(50)));
}

/// A full list forgets the settled messages. A pending one leaves it only by being cancelled.
#[test]
fn pending_message_leaves_the_list_only_cancelled() {
    let mut contact = somebody();
    let mut messages: Vec<Message> = (10..14).map(|second| follow_up(&contact, second)).collect();
    for message in &messages {
        assert_eq!(contact.to_make_room(), []);
        assert_eq!(contact.opens(message, vec![]), []);
    }
    let ids = |contact: &Contact| -> Vec<_> { contact.open.iter().map(|open| open.message).collect() };
    assert_eq!(contact.to_make_room(), ids(&contact));

    // All four are pending: the oldest is cancelled.
    let fifth = follow_up(&contact, 20);
    let cancelled = contact.opens(&fifth, messages.clone());
    let [cancelled] = &cancelled[..] else {
        panic!("one leaves its place: {cancelled:?}")
    };
    assert_eq!(
        (cancelled.id, cancelled.state()),
        (messages[0].id, MessageState::Cancelled)
    );
    let why = "not sent: newer messages to this person replace it".to_owned();
    assert_eq!(cancelled.ended, Some(Ended::Cancelled(why)));
    messages.remove(0);
    messages.push(fifth);
    assert_eq!(
        ids(&contact),
        messages.iter().map(|message| message.id).collect::<Vec<_>>()
    );
    // The cooldown before it is passed on to the next.
    assert_eq!(
        (contact.open[0].before, contact.last_follow_up_at),
        (None, Some(at(20)))
    );

    // One is settled, and one is no longer stored: both are forgotten, and nothing is cancelled.
    messages[1].block("a rule forbids it".to_owned());
    let gone = messages.remove(2);
    let sixth = follow_up(&contact, 30);
    assert_eq!(contact.opens(&sixth, messages.clone()), []);
    assert_eq!(ids(&contact), [messages[0].id, messages[2].id, sixth.id]);
    assert!(!ids(&contact).contains(&gone.id));
}

/// The author of a requested message was told that it is sent, and nothing is displaced for a request or an answer.
#[test]
fn only_follow_ups_displace_and_never_a_request() {
    let open = |purposes: [Purpose; 4]| {
        let mut contact = somebody();
        let mut messages = Vec::new();
        for (purpose, second) in purposes.into_iter().zip(10..) {
            let category = match purpose {
                Purpose::AutoReply => Category::Service,
                _ => Category::Utility,
            };
            let message = planned_message(&contact, second, purpose, category);
            assert_eq!(contact.no_room(purpose, &messages, at(19)), None);
            contact.opens(&message, vec![]);
            messages.push(message);
        }
        (contact, messages)
    };
    let (mut contact, messages) = open([Purpose::Api, Purpose::AutoReply, Purpose::FollowUp, Purpose::Api]);
    for purpose in [Purpose::Api, Purpose::AutoReply] {
        let refusal = contact.no_room(purpose, &messages, at(19)).unwrap();
        assert_eq!(refusal.reason, Reason::TooManyOpen);
        assert_eq!(refusal.sentence, "4 messages to this person may still be sent");
    }
    let mut known = messages.clone();
    for (second, displaced) in [(20, messages[1].id), (21, messages[2].id)] {
        assert_eq!(contact.no_room(Purpose::FollowUp, &known, at(19)), None);
        let message = follow_up(&contact, second);
        let cancelled = contact.opens(&message, known.clone());
        let ids: Vec<_> = cancelled.iter().map(|message| message.id).collect();
        assert_eq!(ids, [displaced]);
        known.retain(|message| message.id != displaced);
        known.push(message);
    }

    let (mut contact, mut messages) = open([Purpose::Api; 4]);
    let refusal = contact.no_room(Purpose::FollowUp, &messages, at(19)).unwrap();
    assert_eq!(refusal.reason, Reason::TooManyOpen);
    // Perhaps nobody ever reports what became of the first one, but it is not valid any more.
    let tomorrow = messages[0].created_at + SignedDuration::from_hours(24);
    assert_eq!(contact.no_room(Purpose::Api, &messages, tomorrow), None);
    assert_eq!(contact.opens(&follow_up(&contact, 20), messages.clone()), []);
    // One of them is over.
    let (mut contact, _) = open([Purpose::Api; 4]);
    messages[2].block("a rule forbids it".to_owned());
    assert_eq!(contact.no_room(Purpose::Api, &messages, at(19)), None);
    let requested = planned_message(&contact, 20, Purpose::Api, Category::Utility);
    assert_eq!(contact.opens(&requested, messages), []);
    assert_eq!(contact.open.len(), MAX_OPEN);
}

/// A message that it ends needs no place; a message that is sent nevertheless does.
#[test]
fn confirmation_of_a_stop_word_has_room_beside_what_it_ends() {
    let confirmation = |contact: &Contact| planned_message(contact, 20, Purpose::StopConfirmation, Category::Service);
    let full = |purpose: Purpose, category: Category| {
        let mut contact = somebody();
        let messages: Vec<_> = (10..14)
            .map(|second| planned_message(&contact, second, purpose, category))
            .collect();
        for message in &messages {
            contact.opens(message, vec![]);
        }
        (contact, messages)
    };
    for (purpose, category) in [
        (Purpose::Api, Category::Utility),
        (Purpose::Api, Category::Marketing),
        (Purpose::FollowUp, Category::Utility),
        (Purpose::AutoReply, Category::Service),
    ] {
        let (mut contact, messages) = full(purpose, category);
        assert_eq!(
            contact.no_room(Purpose::StopConfirmation, &messages, at(20)),
            None,
            "{purpose:?}"
        );
        let confirmation = confirmation(&contact);
        assert_eq!(contact.opens(&confirmation, messages.clone()), [], "{purpose:?}");
        let open: Vec<_> = contact.open.iter().map(|open| open.message).collect();
        let all = messages.iter().chain([&confirmation]).map(|message| message.id);
        assert_eq!(open, all.collect::<Vec<_>>(), "{purpose:?}");
    }
    let (contact, messages) = full(Purpose::OneTimeCode, Category::Authentication);
    let refusal = contact.no_room(Purpose::StopConfirmation, &messages, at(20));
    assert_eq!(refusal.map(|why| why.reason), Some(Reason::TooManyOpen));
}

/// Nothing went out of it: it starts no cooldown and is no answer.
#[test]
fn late_message_that_makes_room_gives_its_limits_back() {
    let full = |sent_at: Option<u8>| {
        let mut contact = somebody();
        contact.last_follow_up_at = Some(at(1));
        let mut messages = vec![follow_up(&contact, 10)];
        let mut answer = planned_message(&contact, 11, Purpose::AutoReply, Category::Service);
        answer.cause = Cause::Answered {
            inbound: messages[0].id,
            answer: Answer::AfterHours,
        };
        answer.id = answer.cause.message_id();
        messages.push(answer);
        messages.extend([12, 13].map(|second| planned_message(&contact, second, Purpose::Api, Category::Utility)));
        for message in &messages {
            assert_eq!(contact.opens(message, vec![]), []);
        }
        contact.note_answer(Answer::AfterHours, None, at(11));
        if let Some(second) = sent_at {
            messages = messages
                .into_iter()
                .map(|message| sent_message(message, second))
                .collect();
        }
        (contact, messages)
    };
    let later = |contact: &Contact, minutes: i64| {
        let time = at(20) + SignedDuration::from_mins(minutes);
        planned_at(contact, time, Purpose::Api, Category::Utility)
    };
    // The answer was valid for a quarter of an hour.
    let (mut contact, messages) = full(None);
    let next = later(&contact, 15);
    assert_eq!(contact.opens(&next, messages), []);
    assert_eq!((contact.answered.len(), contact.open.len()), (0, MAX_OPEN));
    assert_eq!(contact.last_follow_up_at, Some(at(10)), "the follow-up is still valid");
    // The follow-up was valid for three days.
    let (mut contact, messages) = full(None);
    let next = later(&contact, 72 * 60);
    assert_eq!(contact.opens(&next, messages), []);
    assert_eq!((contact.last_follow_up_at, contact.open.len()), (Some(at(1)), 1));
    // Messages that went out count.
    let (mut contact, messages) = full(Some(14));
    let next = later(&contact, 72 * 60);
    assert_eq!(contact.opens(&next, messages), []);
    assert_eq!((contact.last_follow_up_at, contact.answered.len()), (Some(at(10)), 1));
}

/// The call makes some open messages of the list unnecessary, and ends the cooldown before them.
#[test]
fn answered_call_cancels_what_can_be_cancelled() {
    let mut contact = somebody();
    contact.last_follow_up_at = Some(at(1));
    let (first, second) = (follow_up(&contact, 10), follow_up(&contact, 20));
    let requested = planned_message(&contact, 30, Purpose::Api, Category::Utility);
    for message in [&first, &second, &requested] {
        contact.opens(message, vec![]);
    }
    assert_eq!(contact.open_to(CancelEvent::AnsweredCall), [first.id, second.id]);
    let second = sent_message(second, 25);
    let cancelled = contact.answered_after_all(vec![first.clone(), second]);
    let why = Ended::Cancelled("not sent: the call was answered after all".to_owned());
    let told: Vec<_> = cancelled
        .iter()
        .map(|message| (message.id, message.ended.clone()))
        .collect();
    assert_eq!(told, [(first.id, Some(why))]);
    // The other one went out, and remembers the cooldown before the first.
    assert_eq!((contact.last_follow_up_at, contact.open.len()), (Some(at(20)), 2));
    assert_eq!(contact.open[0].before, Some(at(1)));
}

/// A message that was planned after the message from the phone, for a call before it, would have been refused if that had been known by
/// then.
#[test]
fn phone_answers_what_was_caused_before() {
    let mut contact = somebody();
    let decided_late = Message {
        created_at: at(30),
        ..follow_up(&contact, 10)
    };
    let within_its_second = follow_up(&contact, 20);
    let open = vec![decided_late.clone(), within_its_second.clone()];
    for message in &open {
        contact.opens(message, vec![]);
    }
    assert_eq!(
        contact.open_to(CancelEvent::ByPhone),
        [decided_late.id, within_its_second.id]
    );
    let cancelled = contact.answered_by_phone(at(20), open);
    let told: Vec<_> = cancelled.iter().map(|message| message.id).collect();
    assert_eq!(told, [decided_late.id]);
    contact.answered_by_phone(at(15), vec![]);
    assert_eq!((contact.last_by_phone_at, contact.open.len()), (Some(at(20)), 1));
}

#[test]
fn contact_of_an_earlier_time_knows_nothing_since() {
    let mut contact = somebody();
    contact.opens(&follow_up(&contact, 30), vec![]);
    contact.last_counted_at = Some(at(10));
    contact.last_inbound_at = Some(at(40));
    contact.last_answered_at = Some(at(20));
    contact.last_by_phone_at = Some(at(40));
    let unreachable = |second: u8| Unreachable {
        channel: Channel::Sms,
        number: None,
        at: at(second),
        reason: "not in service".to_owned(),
    };
    contact.unreachable = vec![unreachable(20), unreachable(21)];
    let times = |contact: &Contact| {
        [
            contact.last_follow_up_at,
            contact.last_counted_at,
            contact.last_inbound_at,
            contact.last_answered_at,
            contact.last_by_phone_at,
        ]
    };
    let then = contact.clone().as_of(at(20));
    assert_eq!(times(&then), [None, Some(at(10)), None, Some(at(20)), None]);
    assert_eq!((then.unreachable, then.open), (vec![unreachable(20)], vec![]));
    assert_eq!(times(&contact.clone().as_of(at(40))), times(&contact));
}

#[test]
fn lists_of_a_contact_are_bounded() {
    let mut contact = somebody();
    for number in 0..50_u8 {
        let full = contact.to_make_room();
        let known = (0..number).map(|earlier| follow_up(&contact, earlier));
        let known = known.filter(|message| full.contains(&message.id)).collect();
        contact.opens(&follow_up(&contact, number), known);
        let wrote = at(0) + SignedDuration::from_hours(12) * number.into();
        contact.open_window(&phone(number.into()), &contact.recipient(), wrote);
        contact.link(&Sender {
            phone: Some(phone(number.into())),
            bsuid: Some(format!("AE.{number}")),
            ..Sender::default()
        });
        contact.wrote_by_sms(Some(LineId::new(Ulid(number.into()))), &phone(number.into()), wrote);
        contact.prefer(&Identity::Email(
            format!("{number}@example.com").parse().expect("an address"),
        ));
    }
    assert_eq!(contact.open.len(), MAX_OPEN);
    assert_eq!((contact.windows.len(), contact.texted.len()), (MAX_WINDOWS, MAX_TEXTED));
    assert_eq!(contact.known_by().len(), 3 * MAX_IDENTITIES);
    let newest = follow_up(&contact, 49);
    assert_eq!(contact.open.last().map(|open| open.message), Some(newest.id));
    assert_eq!(
        contact.last_whatsapp_at(),
        Some(at(0) + SignedDuration::from_hours(12) * 49)
    );
}

/// An SMS goes to a number that no channel reported in the form of the numbering plan.
#[test]
fn form_of_a_number_follows_from_its_channel() {
    for (known, to, reported, sms, whatsapp) in [
        (
            "+551187654321",
            "+551187654321",
            None,
            "+5511987654321",
            "+551187654321",
        ),
        (
            "+5511987654321",
            "+551187654321",
            None,
            "+5511987654321",
            "+5511987654321",
        ),
        (
            "+5215512345678",
            "+5215512345678",
            None,
            "+525512345678",
            "+5215512345678",
        ),
        (
            "+5215512345678",
            "+525512345678",
            None,
            "+525512345678",
            "+525512345678",
        ),
        (
            "+541123456789",
            "+541123456789",
            None,
            "+5491123456789",
            "+541123456789",
        ),
        (
            "+525512345678",
            "+525512345678",
            Some("+5215512345678"),
            "+5215512345678",
            "+525512345678",
        ),
        ("+447700900123", "+447700900123", None, "+447700900123", "+447700900123"),
    ] {
        let number = |text: &str| text.parse::<Phone>().expect("a number");
        let mut contact = somebody();
        contact.phones = vec![number(known)];
        if let Some(reported) = reported {
            contact.learn_form(Channel::Sms, &number(reported));
        }
        let to = Recipient {
            phone: Some(number(to)),
            bsuid: None,
        };
        for (channel, form) in [(Channel::Sms, sms), (Channel::WhatsApp, whatsapp)] {
            let written = contact.recipient_on(channel, &to).phone.expect("a number");
            assert_eq!(written.as_str(), form, "{channel:?} {known} {reported:?}");
        }
    }
}

#[test]
fn changes_of_identities_are_reported_exactly() {
    let mut contact = somebody();
    let mut leading = vec![Identity::Phone(phone(0))];
    let sender = |number: usize| Sender {
        phone: Some(phone(number)),
        bsuid: Some(format!("AE.{number}")),
        ..Sender::default()
    };
    for number in [1, 2, 2, 3, 4, 5, 1, 6] {
        let linked = contact.link(&sender(number));
        assert!(linked.new.iter().all(|new| !leading.contains(new)));
        assert!(linked.dropped.iter().all(|dropped| leading.contains(dropped)));
        leading.extend(linked.new);
        leading.retain(|one| !linked.dropped.contains(one));
        let mut known = contact.known_by();
        known.sort();
        leading.sort();
        assert_eq!(known, leading);
    }
    assert_eq!(
        contact.phone(),
        Some(&phone(0)),
        "the first number stays the preferred one"
    );
    assert_eq!(contact.bsuid(), Some("AE.6"), "the newest id holds");
    assert!(contact.prefer(&Identity::Phone(phone(6))).is_empty());
    assert_eq!(contact.phone(), Some(&phone(6)));
}
