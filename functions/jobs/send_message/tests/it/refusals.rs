//! What a provider's no means: for the message, the person, the number, the connection.

use domain::{
    connection::{Health, SendSecrets},
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
    let jobs: Vec<jobs::SendMessage> = world.aws.take_jobs(kit::QueueName::Sends).await;
    assert_eq!(jobs, [world.job(&message).body]);
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
    let world =
        World::with(|configured| configured.rules[0].then.channels = vec![Channel::Sms, Channel::WhatsApp]).await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::twilio(400, 21_610));
    let message = world.worked(&message).await;
    is(&message, MessageState::Blocked);
    assert!(world.contact(&message).await.opted_out.is_some());
    assert_eq!(world.queued().await, 0);
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
    world.provider.reply(Reply::Held);
    let job = world.job(&message);
    let World {
        aws,
        provider,
        mut business,
        ctx,
    } = world;
    let configure = async {
        provider.arrived().await;
        let whatsapp = business.whatsapp;
        business.connection_mut(whatsapp).name = "Renamed".to_owned();
        business.write(&aws).await;
        // It meets the limit with the connection as it was.
        provider.release_with(Reply::graph(429, 130_429));
    };
    let (sent, ()) = tokio::join!(Box::pin(handle(job, &ctx)), configure);
    sent.unwrap();
    let store = aws.store();
    let connection = store
        .connection(business.scope(), business.whatsapp)
        .await
        .unwrap()
        .unwrap();
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
    let other = world.another();
    let works = copies.into_iter().enumerate().map(|(index, job)| {
        let ctx = if index % 2 == 0 { &world.ctx } else { &other };
        Box::pin(handle(job, ctx))
    });
    for done in futures::future::join_all(works).await {
        done.unwrap();
    }
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
    let mut world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::graph(401, 190));
    world.worked(&message).await;
    let whatsapp = world.business.whatsapp;
    let renewed = SendSecrets::WhatsApp {
        access_token: "renewed".to_owned(),
    };
    let secrets = world.aws.secrets();
    let purpose = domain::connection::Purpose::Send;
    let sealed = secrets
        .seal(world.business.tenant(), whatsapp, purpose, &renewed)
        .await
        .unwrap();
    let connection = world.business.connection_mut(whatsapp);
    connection.send = Some(sealed);
    connection.credentials_version += 1;
    world.business.write(&world.aws).await;
    world.aws.pass(300);
    is(&world.worked(&message).await, MessageState::Accepted);
    assert_eq!(world.provider.sends()[1].authorization, "Bearer renewed");
}

#[tokio::test]
async fn what_old_credentials_met_is_not_held_against_new_ones() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.provider.reply(Reply::Held);
    let job = world.job(&message);
    let World {
        aws,
        provider,
        mut business,
        ctx,
    } = world;
    let renew = async {
        provider.arrived().await;
        let whatsapp = business.whatsapp;
        business.connection_mut(whatsapp).credentials_version += 1;
        business.write(&aws).await;
        provider.release_with(Reply::graph(401, 190));
    };
    let (sent, ()) = tokio::join!(Box::pin(handle(job, &ctx)), renew);
    sent.unwrap();
    let store = aws.store();
    let connection = store
        .connection(business.scope(), business.whatsapp)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(connection.health, Health::Healthy);
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
