//! Caps: what they stop, and what does not count.

use std::ops::Range;

use domain::messages::{AttemptState, Ended, Message, MessageState};
use domain::money::{Cap, Period, Scope, Take, hour_of};
use domain::terms::{Channel, Reason};
use jiff::SignedDuration;
use testkit::Reply;

use super::world::{World, has_attempts, is};

/// A cap of all messages.
fn cap(period: Period, maximum: u32) -> Cap {
    Cap {
        number: 1,
        period,
        scope: Scope::Tenant,
        purpose: None,
        currency: None,
        maximum,
    }
}

async fn world_with_cap(channels: &[Channel], cap: Cap) -> World {
    World::with(|configured| {
        configured.rules[0].then.channels = channels.to_vec().into();
        configured.tenant.caps = Some(vec![cap].into());
    })
    .await
}

/// Follow-ups to this many callers.
async fn follow_ups(world: &World, callers: Range<u32>) -> Vec<Message> {
    let mut planned = Vec::new();
    for caller in callers {
        let number = format!("+4477009002{caller:02}");
        planned.push(world.follow_up_of(&number).await);
    }
    planned
}

fn is_capped(message: &Message) {
    is(message, MessageState::Blocked);
    assert_eq!(
        message.because.as_ref().map(|because| because.code),
        Some(Reason::CapReached)
    );
}

#[tokio::test]
async fn messages_beyond_a_cap_are_blocked_and_say_why() {
    let world = world_with_cap(&[Channel::WhatsApp], cap(Period::Hour, 2)).await;
    let planned = follow_ups(&world, 0..4).await;
    for (message, place) in planned.iter().zip(0..) {
        let message = world.work_and_read(message).await;
        if place < 2 {
            is(&message, MessageState::Accepted);
            continue;
        }
        is_capped(&message);
        let why = "the cap of 2 messages per hour is reached";
        assert_eq!(message.ended, Some(Ended::Blocked(why.to_owned())));
        let contact = world.contact(&message).await;
        assert_eq!(
            contact.last_follow_up_at, None,
            "nothing went out, so there is no cooldown"
        );
    }
    assert_eq!(world.provider.sends().len(), 2);
    let (store, scope) = (world.aws.store(), world.business.scope());
    let told = store
        .notice(scope, "cap_nearly_reached#hour.tenant.any#2")
        .await
        .unwrap();
    let told = told.expect("managers are told once four fifths are used").value;
    assert_eq!(told.due, Some(world.aws.now()));
    world.aws.clock().advance(SignedDuration::from_hours(1));
    let message = follow_ups(&world, 4..5).await.remove(0);
    is(&world.work_and_read(&message).await, MessageState::Accepted);
}

#[tokio::test]
async fn cap_of_none_stops_all() {
    let world = world_with_cap(&[Channel::WhatsApp], cap(Period::Month, 0)).await;
    is_capped(&world.work_and_read(&world.follow_up().await).await);
    assert!(world.provider.sends().is_empty());
}

/// The expected cost is taken, and stays on the attempt, to be corrected once the price is known.
#[tokio::test]
async fn cap_of_money_has_room_for_what_messages_are_expected_to_cost() {
    let dollars = Cap {
        currency: "USD".parse().ok(),
        ..cap(Period::Day, 5)
    };
    let world = world_with_cap(&[Channel::WhatsApp], dollars.clone()).await;
    let planned = follow_ups(&world, 0..3).await;
    let message = world.work_and_read(&planned[0]).await;
    is(&message, MessageState::Accepted);
    let [expected] = &message.attempts[0].expected[..] else {
        panic!("{:?}", message.attempts);
    };
    assert!(expected.millionths > 0);
    assert_eq!(count_for_cap(&world, &dollars).await, expected.millionths);
    let room = 50_000 / expected.millionths;
    assert!((1..3).contains(&room), "the list has another price: {expected:?}");
    let mut accepted = 1;
    for message in &planned[1..] {
        match world.work_and_read(message).await {
            sent if sent.state() == MessageState::Accepted => accepted += 1,
            other => is_capped(&other),
        }
    }
    assert_eq!(accepted, room);
    assert_eq!(count_for_cap(&world, &dollars).await, room * expected.millionths);
}

/// By WhatsApp it is refused, so the SMS still fits into a cap of one.
#[tokio::test]
async fn refused_request_is_given_back() {
    let world = world_with_cap(&[Channel::WhatsApp, Channel::Sms], cap(Period::Day, 1)).await;
    let planned = follow_ups(&world, 0..2).await;
    world.provider.reply(Reply::graph(400, 131026));
    let mut message = world.work_and_read(&planned[0]).await;
    if message.attempts.len() == 1 {
        message = world.work_and_read(&message).await;
    }
    has_attempts(&message, &[AttemptState::Refused, AttemptState::Accepted]);
    is_capped(&world.work_and_read(&planned[1]).await);
}

#[tokio::test]
async fn unknown_outcome_stays_counted() {
    let world = world_with_cap(&[Channel::WhatsApp], cap(Period::Day, 1)).await;
    let planned = follow_ups(&world, 0..2).await;
    world.provider.reply(Reply::Break);
    let message = world.work_and_read(&planned[0]).await;
    has_attempts(&message, &[AttemptState::Unknown]);
    // Its cap of the day has the counter of the plan's.
    assert_eq!(message.attempts[0].took, [101, 102], "until its outcome is known");
    is_capped(&world.work_and_read(&planned[1]).await);
}

#[tokio::test]
async fn races_never_exceed_a_cap() {
    let world = world_with_cap(&[Channel::WhatsApp], cap(Period::Hour, 5)).await;
    let planned = follow_ups(&world, 0..12).await;
    for _ in 0..2 {
        let jobs = planned.iter().map(|message| world.job(message));
        world.work_at_once(jobs).await;
        assert_eq!(world.provider.sends().len(), 5);
    }
    let mut accepted = 0;
    for message in &planned {
        let message = world.message(message).await;
        match message.state() {
            MessageState::Accepted => accepted += 1,
            _ => is_capped(&message),
        }
    }
    assert_eq!(accepted, 5);
}

/// Today's count for the cap.
async fn count_for_cap(world: &World, cap: &Cap) -> u64 {
    let now = world.aws.now();
    let counts = world.aws.store().cap_counts(world.business.scope(), now).await;
    let counts = counts.expect("the table answers");
    counts.of(cap, hour_of(now))
}

#[tokio::test]
async fn lost_claim_is_given_back() {
    let cap = cap(Period::Day, 100);
    let world = world_with_cap(&[Channel::WhatsApp], cap.clone()).await;
    let message = world.follow_up().await;
    world.work_at_once((0..6).map(|_| world.job(&message))).await;
    assert_eq!(world.provider.sends().len(), 1);
    assert_eq!(count_for_cap(&world, &cap).await, 1);
}

/// A message is not counted again for what it was counted for when it was made, unless that was in an earlier hour or
/// day.
#[tokio::test]
async fn message_that_was_counted_is_not_counted_again() {
    let cap = cap(Period::Hour, 2);
    let world = world_with_cap(&[Channel::WhatsApp], cap.clone()).await;
    for (caller, waits) in [("+447700900201", 0), ("+447700900202", 3_600)] {
        let mut message = world.follow_up_of(caller).await;
        let takes = [Take {
            cap: cap.clone(),
            amount: 1,
        }];
        let (store, scope) = (world.aws.store(), world.business.scope());
        let taken = store.take_from_caps(scope, &takes, &[], world.aws.now()).await;
        taken.expect("the table answers").expect("there is room");
        message.made_within(&takes);
        world.write(&message).await;
        world.aws.pass(waits);
        world.work_at_once((0..6).map(|_| world.job(&message))).await;
        assert_eq!(count_for_cap(&world, &cap).await, 1);
        world.aws.pass(3_600);
    }
    assert_eq!(world.provider.sends().len(), 2);
}

/// A message of a drip waits as long as it is valid, and says why it has ended.
#[tokio::test]
async fn message_of_a_step_waits_for_the_next_hour() {
    let world = world_with_cap(&[Channel::WhatsApp], cap(Period::Hour, 0)).await;
    let message = world.follow_up().await;
    let message = world.as_step(message).await;
    let now = world.aws.now();
    let waiting = world.work_and_read(&message).await;
    is(&waiting, MessageState::Scheduled);
    assert!(waiting.waits_for_cap() && Period::Hour.next(now) <= waiting.not_before);
    world.aws.pass(waiting.valid_until().duration_since(now).as_secs());
    is_capped(&world.work_and_read(&waiting).await);
}

#[tokio::test]
async fn message_kept_back_is_given_back() {
    let cap = cap(Period::Day, 100);
    let world = world_with_cap(&[Channel::WhatsApp], cap.clone()).await;
    let message = world.follow_up().await;
    world.work_interrupted_by_stop(&message).await;
    assert_eq!(count_for_cap(&world, &cap).await, 0);
}
