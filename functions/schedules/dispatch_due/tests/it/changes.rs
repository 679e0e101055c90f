//! Changes of the table in the bucket are noticed, so that an alarm reports them.

use dispatch_due::look_for_changes;

use super::*;

const BETWEEN_LOOKS: i64 = 15 * 60;

impl World {
    async fn put(&self, key: &str) {
        let bucket = self.aws.env().config().text("RAW_BUCKET").expect("a bucket");
        let put = self.aws.env().s3().put_object().bucket(bucket).key(key);
        put.send().await.expect("the object is stored");
    }

    async fn looks(&self) -> bool {
        look_for_changes(&self.ctx).await.expect("the bucket answers")
    }
}

#[tokio::test]
async fn abandoned_batch_is_noticed_at_the_next_look() {
    let world = World::new().await;
    assert!(!world.looks().await, "nothing lies there");
    world.put("aws/lambda/uuid/shard/2026/11/20/batch").await;
    assert!(!world.looks().await, "it looked a moment ago");
    world.aws.pass(BETWEEN_LOOKS);
    assert!(world.looks().await);
    world.aws.pass(BETWEEN_LOOKS);
    assert!(world.looks().await, "for as long as it lies there");
}

#[tokio::test]
async fn unreadable_change_is_noticed_and_spilled_jobs_are_not() {
    let world = World::new().await;
    world.put("spill/calls/01").await;
    assert!(!world.looks().await, "jobs are swept back");
    world.put("spill/changes/01").await;
    world.aws.pass(BETWEEN_LOOKS);
    assert!(world.looks().await);
}

#[tokio::test]
async fn run_looks_for_abandoned_changes() {
    let world = World::new().await;
    world.put("spill/changes/01").await;
    world.run().await;
    assert!(!world.looks().await, "the run has just looked");
    world.aws.pass(BETWEEN_LOOKS);
    assert!(world.looks().await);
}
