//! What a provider's no means: for the message, the person, the number, the connection.

use domain::{
    connection::Health,
    message::{AttemptState, Channel, MessageState},
};
use jiff::SignedDuration;
use kit::Done;
use send_message::handle;
use testkit::Reply;

use crate::world::{World, attempts, is};

#[tokio::test]
async fn a_permanent_refusal_queues_the_next_channel_and_is_remembered() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(400, 131_026));
    let message = world.worked(&message).await;
    assert_eq!(attempts(&message), [(1, AttemptState::Refused)]);
    assert_eq!(world.queued().await, [world.job(&message).body]);
    assert!(
        world
            .contact(&message)
            .await
            .unreachable_on(Channel::WhatsApp)
            .is_some()
    );
    let message = world.worked(&message).await;
    assert_eq!(
        attempts(&message),
        [(1, AttemptState::Refused), (2, AttemptState::Accepted)]
    );
}

#[tokio::test]
async fn a_refusal_by_the_person_ends_it_on_every_channel() {
    let world = World::by(&[Channel::Sms, Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::twilio(400, 21_610));
    let message = world.worked(&message).await;
    is(&message, MessageState::Blocked);
    assert!(world.contact(&message).await.opted_out.is_some());
    assert_eq!(world.copies().await, 0);
}

#[tokio::test]
async fn too_fast_pauses_the_number_for_as_long_as_the_provider_says() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world
        .provider
        .reply(Reply::graph(429, 130_429).header("Retry-After", "30"));
    let message = world.worked(&message).await;
    is(&message, MessageState::Scheduled);
    let until = world.aws.now() + SignedDuration::from_secs(30);
    assert_eq!(message.not_before, until);
    assert_eq!(
        world.connection(world.business.whatsapp).await.paused_until,
        Some(until)
    );
    // Another customer's message waits without asking.
    let other = Box::pin(world.business.follow_up(&world.aws, "+971501234568")).await;
    let other = world.worked(&other).await;
    assert_eq!(other.not_before, until);
    assert_eq!(world.provider.sends().len(), 1);
    world.aws.pass(30);
    is(&world.worked(&other).await, MessageState::Accepted);
    is(&world.worked(&message).await, MessageState::Accepted);
}

#[tokio::test]
async fn a_pause_keeps_what_the_tenant_configured_meanwhile() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let whatsapp = world.business.whatsapp;
    let rename = world.change_connection(whatsapp, |connection| connection.name = "Renamed".to_owned());
    // It meets the limit with the connection as it was.
    let too_fast = Reply::graph(429, 130_429);
    world.work_while(&world.ctx, &message, rename, too_fast).await;
    let connection = world.connection(whatsapp).await;
    assert_eq!(connection.name, "Renamed");
    assert!(connection.paused_until.is_some());
}

#[tokio::test]
async fn a_long_pause_sends_the_message_by_the_next_channel() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world
        .provider
        .reply(Reply::graph(429, 130_429).header("Retry-After", "3600"));
    world.worked(&message).await;
    let message = world.worked(&message).await;
    assert_eq!(
        message.attempts.last().map(|last| last.state),
        Some(AttemptState::Accepted)
    );
    assert!(!world.provider.sends()[1].is_graph());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_tried_again_and_then_left() {
    let world = World::with(|configured| {
        configured.rules[0].then.channels = vec![Channel::WhatsApp];
        configured.rules[0].then.fallback_after_seconds = 0;
    })
    .await;
    let message = world.follow_up().await;
    let nowhere = world.aws.env_with(&[
        ("PUBLIC_BASE_URL", "https://hooks.example.test"),
        ("GRAPH_API_URL", "http://127.0.0.1:9"),
        ("GRAPH_API_VERSION", "v26.0"),
        ("TWILIO_API_URL", "http://127.0.0.1:9"),
    ]);
    let ctx = send_message::Context::new(&nowhere).unwrap();
    for attempt in 1..=8 {
        let current = world.message(&message).await;
        assert_eq!(current.next_number(), attempt);
        Box::pin(handle(world.job(&current), &ctx)).await.unwrap();
        // An hour at most, give or take a fifth.
        world.aws.pass(4320);
    }
    let message = world.message(&message).await;
    is(&message, MessageState::Failed);
    assert_eq!((message.attempts.len(), message.due), (1, None));
}

#[tokio::test]
async fn a_refused_credential_makes_the_connection_unhealthy_and_its_messages_wait() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    let message = world.worked(&message).await;
    is(&message, MessageState::Scheduled);
    let recheck = world.aws.now() + SignedDuration::from_secs(300);
    assert_eq!(message.not_before, recheck);
    let health = world.connection(world.business.whatsapp).await.health;
    assert!(matches!(health, Health::Unhealthy { .. }), "{health:?}");
    // Others wait without asking; the SMS does not take their place.
    let other = Box::pin(world.business.follow_up(&world.aws, "+971501234568")).await;
    let other = world.worked(&other).await;
    is(&other, MessageState::Scheduled);
    assert!(other.remarks[0].text.contains("does not work"), "{:?}", other.remarks);
    assert_eq!(world.provider.sends().len(), 1);
}

#[tokio::test]
async fn one_message_alone_finds_out_whether_an_unhealthy_connection_works_again() {
    let world = World::new().await;
    let mut messages = Vec::new();
    for last in 0..6 {
        let number = format!("+97150123456{last}");
        messages.push(Box::pin(world.business.follow_up(&world.aws, &number)).await);
    }
    world.provider.reply(Reply::graph(401, 190));
    for message in &messages {
        world.worked(message).await;
    }
    assert_eq!(world.provider.sends().len(), 1);
    world.aws.pass(300);
    world.provider.reply(Reply::graph(401, 190));
    let mut copies = Vec::new();
    for message in &messages {
        copies.push(world.job(&world.message(message).await));
    }
    world.work_at_once(copies).await;
    assert_eq!(world.provider.sends().len(), 2, "one probe");
    // It works again: the probe says so, and all others follow.
    world.aws.pass(300);
    for message in &messages {
        world.worked(message).await;
    }
    world.aws.pass(300);
    for message in &messages {
        world.worked(message).await;
        is(&world.message(message).await, MessageState::Accepted);
    }
    assert_eq!(world.connection(world.business.whatsapp).await.health, Health::Healthy);
}

#[tokio::test]
async fn renewed_credentials_let_waiting_messages_go() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    world.worked(&message).await;
    world.renew_whatsapp().await;
    world.aws.pass(300);
    is(&world.worked(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends()[1].authorization, "Bearer renewed");
}

#[tokio::test]
async fn what_old_credentials_met_is_not_held_against_new_ones() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let whatsapp = world.business.whatsapp;
    let renew = world.change_connection(whatsapp, |connection| connection.credentials_version += 1);
    let refused = Reply::graph(401, 190);
    world.work_while(&world.ctx, &message, renew, refused).await;
    assert_eq!(world.connection(whatsapp).await.health, Health::Healthy);
}

#[tokio::test]
async fn a_message_that_waited_for_three_days_is_given_up() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    world.worked(&message).await;
    world.aws.pass(72 * 3600);
    is(&world.worked(&message).await, MessageState::Blocked);
    assert_eq!(world.work(&message).await.unwrap(), Done::Already);
    assert_eq!(world.provider.sends().len(), 1);
}
