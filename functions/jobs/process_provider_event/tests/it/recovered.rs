//! What a customer's message says of earlier calls and follow-ups: that calls are recovered, and how long an answer took.

use kit::Done;
use testkit::business::CUSTOMER;

use crate::world::{World, wrote};

/// Of the customer's messages, the recovered calls and the seconds after the follow-ups that each answers.
async fn facts(world: &World) -> Vec<(u32, Vec<u32>)> {
    let (received, _) = world.told_by(&world.customer().await).await;
    let facts = received.into_iter().map(|one| (one.recovered, one.answers_after));
    facts.collect()
}

#[tokio::test]
async fn message_recovers_the_missed_calls_of_a_day_once() {
    let world = World::new().await;
    let now = world.aws.now();
    let called = |contact: &mut domain::contact::Contact| {
        for hours in [25, 24, 1] {
            contact.missed_call(now - std::time::Duration::from_secs(hours * 3_600));
        }
    };
    world.business.contact_with(&world.aws, CUSTOMER, called).await;
    let first = world.messages(&wrote("wamid.1", now.as_second(), "Hello"));
    world.work_at_once(vec![first.clone(); 4]).await;
    assert_eq!(world.received(first, 2).await.expect("it is known"), Done::Already);
    world.aws.pass(5);
    world.whatsapp("wamid.2", "Are you there?").await;
    assert_eq!(facts(&world).await, [(2, vec![]), (0, vec![])]);
    assert!(world.customer().await.missed.is_empty());
}

#[tokio::test]
async fn first_message_after_a_sent_follow_up_answers_it() {
    let world = World::new().await;
    world.sent().await;
    world.aws.pass(90);
    world.whatsapp("wamid.in", "Hello").await;
    world.aws.pass(5);
    world.whatsapp("wamid.in2", "Are you there?").await;
    assert_eq!(facts(&world).await, [(0, vec![90]), (0, vec![])]);
}

#[tokio::test]
async fn message_answers_no_follow_up_that_was_not_sent() {
    let world = World::new().await;
    world.follow_up().await;
    world.aws.pass(90);
    world.whatsapp("wamid.in", "Hello").await;
    assert_eq!(facts(&world).await, [(0, vec![])]);
}

/// Providers report messages late. The time counts from the first channel.
#[tokio::test]
async fn message_written_before_a_follow_up_leaves_it_open() {
    let world = World::new().await;
    world.sent_by_both().await;
    let before = world.aws.now().as_second() - 200;
    world
        .work(world.messages(&wrote("wamid.before", before, "Hello")))
        .await;
    world.aws.pass(30);
    world.whatsapp("wamid.in", "Are you there?").await;
    assert_eq!(facts(&world).await, [(0, vec![]), (0, vec![150])]);
}

/// A week later it is another matter.
#[tokio::test]
async fn message_of_a_week_later_is_no_answer() {
    let world = World::new().await;
    world.sent_by_both().await;
    world.aws.pass(7 * 86_400);
    world.whatsapp("wamid.in", "Hello").await;
    assert_eq!(facts(&world).await, [(0, vec![])]);
}
