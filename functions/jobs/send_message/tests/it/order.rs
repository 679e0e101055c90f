//! Replies of a conversation leave one after the other.

use domain::messages::{AttemptState, Behind, Message, MessageState};
use domain::terms::Channel;
use testkit::Reply;
use testkit::business::{CUSTOMER, mobile};

use super::world::{World, attempts, has_attempts, is};

/// Two messages in order.
async fn two(world: &World) -> (Message, Message) {
    let first = world.follow_up_of(CUSTOMER).await;
    let mut second = world.follow_up_of(&mobile(7)).await;
    second.behind = Some(Behind {
        message: first.id,
        place: 1,
    });
    let store = world.aws.store();
    let written = store.write_message(world.business.scope(), &second).await;
    written.expect("the message is written");
    (first, world.message(&second).await)
}

#[tokio::test]
async fn a_reply_leaves_after_the_one_before_it() {
    let world = World::new().await;
    let (first, second) = two(&world).await;
    let second = world.work_and_read(&second).await;
    assert_eq!((attempts(&second), world.provider.sends().len()), (vec![], 0));
    let due = second.due.expect("it looks again");
    assert!(
        (2..=3).contains(&due.duration_since(world.aws.now()).as_secs()),
        "{due}"
    );
    assert_eq!(world.copies().await, 1);
    world.work_and_read(&first).await;
    world.aws.pass(3);
    let second = world.work_and_read(&second).await;
    has_attempts(&second, &[AttemptState::Accepted]);
}

#[tokio::test]
async fn a_reply_waits_for_an_unknown_outcome_until_it_is_given_up() {
    let world = World::by(&[Channel::WhatsApp]).await;
    let (first, second) = two(&world).await;
    world.provider.reply(Reply::Break);
    is(&world.work_and_read(&first).await, MessageState::Unknown);
    let second = world.work_and_read(&second).await;
    assert_eq!((attempts(&second), world.provider.sends().len()), (vec![], 1));
    world.aws.pass(3_600);
    world.work_and_read(&first).await;
    let second = world.work_and_read(&second).await;
    has_attempts(&second, &[AttemptState::Accepted]);
}
