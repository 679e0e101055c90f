//! The table did what it was asked, but its response was lost: the SDK retries, and is told that somebody was faster.

use domain::calls::MessageRef;
use domain::messages::AttemptState;
use testkit::Reply;

use super::world::{World, handle_job, has_attempts};

/// Loses this many responses to the operation after the provider has accepted the message.
async fn records_though_answers_are_lost(operation: &str, answers: usize, parked: bool) {
    let world = World::new().await;
    let (lossy, ctx) = world.lossy();
    let message = world.follow_up().await;
    let losing = async {
        if parked {
            let report = world.report(AttemptState::Delivered, "wamid.1");
            let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
            let parked = store
                .park_report(scope, "whatsapp", &report, Vec::new(), None, now)
                .await;
            parked.expect("the report is parked");
        }
        for _ in 0..answers {
            lossy.lose(operation);
        }
    };
    world.work_while(&ctx, &message, losing, Reply::Accept).await;
    assert!(lossy.has_lost_all());
    assert_eq!(world.provider.sends().len(), 1);
    let state = if parked {
        AttemptState::Delivered
    } else {
        AttemptState::Accepted
    };
    has_attempts(&world.message(&message).await, &[state]);
    assert!(matches!(
        world.row_of_reference("whatsapp", "wamid.1").await,
        Some(MessageRef::Ours { .. })
    ));
}

#[tokio::test]
async fn worker_recognizes_its_own_claim_after_a_lost_response() {
    let world = World::new().await;
    let (lossy, ctx) = world.lossy();
    let message = world.follow_up().await;
    lossy.lose("PutItem");
    handle_job(world.job(&message), &ctx).await;
    assert!(lossy.has_lost_all());
    assert_eq!(world.provider.sends().len(), 1);
    has_attempts(&world.message(&message).await, &[AttemptState::Accepted]);
}

#[tokio::test]
async fn record_is_written_once_after_a_lost_response() {
    // Once, then also the response to the SDK's second attempt.
    for answers in 1..=2 {
        records_though_answers_are_lost("PutItem", answers, false).await;
    }
}

#[tokio::test]
async fn parked_reports_are_merged_once_after_a_lost_response() {
    records_though_answers_are_lost("TransactWriteItems", 1, true).await;
}
