//! The places of a number's throughput are never more than its limit, whoever takes them at once.

use domain::tenants::{Block, Throughput};
use domain::terms::{ConnectionId, Lane};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::world::World;

/// The blocks that this many processes get that ask at once.
async fn take_blocks(world: &World, number: ConnectionId, lane: Lane, count: usize, now: Timestamp) -> Vec<Block> {
    let throughput = Throughput::of(80, None, now);
    let all = (0..count).map(|_| {
        let (store, scope) = (&world.store, world.scope());
        store.take_places(scope, number, &throughput, lane, now)
    });
    let taken = join_all(all).await.into_iter();
    taken
        .filter_map(|taken| taken.expect("the table answers").ok())
        .collect()
}

fn places(blocks: &[Block]) -> u32 {
    blocks.iter().map(|block| block.places).sum()
}

#[tokio::test]
async fn races_never_exceed_a_throughput() {
    let world = World::new().await;
    let (whatsapp, noon) = (world.business.whatsapp, world.aws.now());
    let mut bulk = Vec::new();
    for _ in 0..4 {
        bulk.extend(take_blocks(&world, whatsapp, Lane::Bulk, 12, noon).await);
    }
    assert_eq!(places(&bulk), 64, "what bulk may take");
    assert_eq!(bulk.iter().filter(|block| block.begins).count(), 1);
    let in_time = noon + SignedDuration::from_secs(9);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.extend(take_blocks(&world, whatsapp, Lane::Answers, 3, in_time).await);
    }
    assert_eq!(places(&answers), 9, "a place each");
    assert!(
        take_blocks(&world, world.business.twilio, Lane::Bulk, 1, noon)
            .await
            .len()
            == 1,
        "another number"
    );
    // The next span begins once, and a clock that is behind takes nothing of it.
    let later = noon + SignedDuration::from_secs(10);
    let blocks = take_blocks(&world, whatsapp, Lane::Bulk, 2, later).await;
    assert_eq!(blocks.iter().filter(|block| block.begins).count(), 1);
    let throughput = Throughput::of(80, None, noon);
    let behind = world
        .store
        .take_places(world.scope(), whatsapp, &throughput, Lane::Bulk, in_time)
        .await;
    assert_eq!(behind.unwrap(), Err(later));
}

#[tokio::test]
async fn races_take_no_more_first_places_than_there_are() {
    let world = World::new().await;
    let now = world.aws.now();
    let take = |_| world.store.take_first_places(world.scope(), 15, 100, now);
    // A writer that loses again and again has none.
    let mut all = Vec::new();
    for _ in 0..3 {
        let taken = join_all((0..4).map(take)).await.into_iter();
        all.extend(taken.filter_map(|taken| taken.ok()?.ok()));
    }
    assert_eq!(all.iter().map(|places| places.count).sum::<u32>(), 80);
    let full = world.store.take_first_places(world.scope(), 1, 100, now).await;
    assert!(full.expect("the table answers").is_err_and(|until| now < until));
    let back = world.store.return_first_places(world.scope(), all[0], now);
    back.await.expect("they are returned");
    let again = world.store.take_first_places(world.scope(), 50, 100, now).await;
    assert_eq!(again.expect("the table answers"), Ok(all[0]));
}
