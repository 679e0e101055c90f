//! Sending does not change a message's expiry, and an expired message is not sent.

use domain::messages::MessageState;
use domain::tenants::Retention;
use jiff::SignedDuration;
use kit::Done;
use testkit::business::SENT_WITHIN;

use super::world::{World, handle_job, is};

async fn keeping(messages_days: u32) -> World {
    let retention = Retention {
        messages_days,
        ..Retention::default()
    };
    World::with(|configured| configured.tenant.retention = Some(retention)).await
}

#[tokio::test]
async fn message_is_retained_from_its_last_possible_send() {
    let world = keeping(50).await;
    let message = world.follow_up().await;
    let until = world.aws.now() + SignedDuration::from_hours(24 * (SENT_WITHIN + 50));
    assert_eq!(message.keep_until, Some(until));
    world.aws.pass(60);
    let message = world.work_and_read(&message).await;
    is(&message, MessageState::Accepted);
    assert_eq!(message.keep_until, Some(until));
}

#[tokio::test]
async fn expired_message_is_not_sent() {
    let world = keeping(30).await;
    let message = world.follow_up().await;
    let job = world.job(&message);
    world.aws.pass((SENT_WITHIN + 30) * 86_400);
    assert_eq!(handle_job(job, &world.ctx).await, Done::Already);
    assert!(world.provider.sends().is_empty());
}
