//! Messages on the way to a contact that is erased: nothing is sent afterwards, and nothing of the person comes back.

use domain::messages::Message;
use kit::Job;
use testkit::Reply;
use testkit::business::erase;

use super::world::{World, handle_job};

/// Erases the contact of a message. Returns the number of rows that are left.
async fn erase_contact(world: &World, message: &Message) -> usize {
    let (store, scope) = (world.aws.store(), world.business.scope());
    Box::pin(erase(&store, scope, message.id.contact(), world.aws.now())).await;
    world.aws.row_count().await
}

/// Neither the message nor its contact exists.
async fn is_gone(world: &World, message: &Message) {
    let (store, scope) = (world.aws.store(), world.business.scope());
    let found = store.message(scope, message.id, world.aws.now()).await;
    assert_eq!(found.expect("the table answers"), None);
    let found = store.contact(scope, message.id.contact()).await;
    assert_eq!(found.expect("the table answers"), None);
}

#[tokio::test]
async fn message_of_an_erased_contact_is_dropped() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let left = erase_contact(&world, &message).await;
    for receive_count in [1, 2] {
        let job = Job::new(world.job(&message).body, receive_count);
        handle_job(job, &world.ctx).await;
    }
    assert!(world.provider.sends().is_empty());
    is_gone(&world, &message).await;
    assert_eq!(world.aws.row_count().await, left);
}

#[tokio::test]
async fn an_erasure_between_check_and_claim_is_obeyed() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope().clone(), world.aws.now());
    let contact = message.id.contact();
    let erasure = async move || Box::pin(erase(&store, &scope, contact, now)).await;
    world.work_interrupted_by(&message, erasure).await;
    is_gone(&world, &message).await;
}

/// A provider's report on an erased message recreates neither it nor its contact. Only its provider's id remains, which
/// leads nowhere and expires, as that of any unknown message. Another copy of the job sends nothing.
#[tokio::test]
async fn an_erasure_while_a_request_runs_is_not_undone() {
    for (reply, references) in [(Reply::Accept, 1), (Reply::graph(400, 131050), 0)] {
        let world = World::new().await;
        let message = world.follow_up().await;
        let ctx = world.another_process();
        let erasing = Box::pin(erase_contact(&world, &message));
        let left = world.work_while(&ctx, &message, erasing, reply).await;
        assert_eq!(world.provider.sends().len(), 1);
        handle_job(world.job(&message), &ctx).await;
        assert_eq!(world.provider.sends().len(), 1);
        is_gone(&world, &message).await;
        assert_eq!(world.aws.row_count().await, left + references);
    }
}
