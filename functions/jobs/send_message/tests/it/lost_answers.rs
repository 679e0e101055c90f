//! The table did what it was asked, and its answer got lost: the SDK asks again, and is told that somebody was faster.

use domain::{message::AttemptState, record::MessageRef};
use send_message::{Context, handle};
use testkit::Lossy;

use crate::world::{World, attempts};

async fn works_though_an_answer_is_lost(operation: &str) {
    let world = World::new().await;
    let lossy = Lossy::before(&world.aws);
    let ctx = Context::new(
        &world
            .provider
            .env_with(&world.aws, &[("AWS_ENDPOINT_URL", lossy.url())]),
    )
    .expect("a context");
    let message = world.follow_up().await;
    lossy.lose(operation);
    Box::pin(handle(world.job(&message), &ctx))
        .await
        .expect("the job is done");
    assert!(lossy.has_lost_all());
    assert_eq!(world.provider.sends().len(), 1);
    assert_eq!(attempts(&world.message(&message).await), [(1, AttemptState::Accepted)]);
    assert!(matches!(
        world.found("whatsapp", "wamid.1").await,
        Some(MessageRef::Ours { .. })
    ));
}

#[tokio::test]
async fn a_worker_knows_its_own_claim_again() {
    works_though_an_answer_is_lost("PutItem").await;
}

#[tokio::test]
async fn a_record_is_written_once() {
    works_though_an_answer_is_lost("TransactWriteItems").await;
}
