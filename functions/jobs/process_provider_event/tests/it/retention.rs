//! Retention of messages: by the tenant's setting when they are stored, whatever is reported later.

use domain::messages::AttemptState;
use domain::tenants::Retention;
use jiff::SignedDuration;
use kit::Done;
use testkit::business::SENT_WITHIN;

use super::world::{World, states, status, wrote};

async fn keeping(messages_days: u32) -> World {
    let retention = Retention {
        messages_days,
        ..Retention::default()
    };
    World::with(|configured| configured.tenant.retention = Some(retention)).await
}

fn days(days: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * days)
}

#[tokio::test]
async fn inbound_message_is_retained_from_when_it_was_written() {
    let world = keeping(45).await;
    let written = world.aws.now();
    world.aws.pass(2 * 86_400);
    world.deliver(&wrote("wamid.late", written.as_second(), "Hello")).await;
    world.work(world.sms("SMin", "Hello", "")).await;
    let (received, _) = world.told_by_customer().await;
    let mut kept: Vec<_> = received.iter().map(|message| message.keep_until).collect();
    kept.sort();
    assert_eq!(kept, [Some(written + days(45)), Some(world.aws.now() + days(45))]);
}

#[tokio::test]
async fn report_does_not_change_the_expiry_of_a_message() {
    let world = keeping(45).await;
    let until = Some(world.aws.now() + days(SENT_WITHIN + 45));
    let message = world.sent_follow_up().await;
    for word in ["sent", "delivered", "read"] {
        world.aws.pass(3600);
        let report = status(word, world.seconds());
        assert_eq!(world.statuses(&[report]).await, Done::Now);
        assert_eq!(world.message(&message).await.keep_until, until, "{word}");
    }
}

#[tokio::test]
async fn report_on_an_expired_message_changes_nothing() {
    let world = keeping(30).await;
    let message = world.sent_follow_up().await;
    world.aws.pass((SENT_WITHIN + 30) * 86_400);
    let report = status("read", world.seconds());
    assert_eq!(world.statuses(&[report]).await, Done::Already);
    let (store, scope, long_ago) = (world.aws.store(), world.business.scope(), message.created_at);
    let row = store.message(scope, message.id, long_ago).await.unwrap();
    assert_eq!(states(&row.unwrap()), [AttemptState::Accepted]);
    // A customer who writes now finds nothing to cancel.
    assert_eq!(world.whatsapp("wamid.in", "Hello").await, Done::Now);
    assert_eq!(world.customer().await.open, []);
}
