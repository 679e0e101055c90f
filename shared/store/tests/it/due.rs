//! The due index: every waiting row becomes due at its time, once.

use jiff::SignedDuration;
use jobs::ToQueue;
use store::table::due::{Due, Partition};
use testkit::business::mobile;

use crate::world::World;

pub(crate) async fn list_due_rows(world: &World) -> Vec<Due> {
    let mut all = Vec::new();
    for partition in Partition::all() {
        let page = world.store.due_page(partition, world.aws.now(), None, 100).await;
        all.extend(page.expect("the table answers").due);
    }
    all
}

#[tokio::test]
async fn row_becomes_due_at_its_time_with_its_job() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.aws.clock().advance(SignedDuration::from_millis(89_999));
    assert!(list_due_rows(&world).await.is_empty());
    world.aws.clock().advance(SignedDuration::from_millis(1));
    let found = list_due_rows(&world).await;
    assert_eq!(found[0].tenant(), world.business.tenant());
    let rows = world.store.due_rows(found).await.unwrap();
    let [(_, Ok(Some(row)))] = &rows[..] else {
        panic!("{rows:?}");
    };
    assert_eq!(row.job, ToQueue::send(world.business.tenant(), &message));
    assert_eq!(row.dispatches, 0);
}

#[tokio::test]
async fn lease_is_exclusive_and_keeps_the_version() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    world.aws.pass(90);
    let found = list_due_rows(&world).await;
    let again = world.aws.now() + SignedDuration::from_secs(180);
    let leases = (0..4).map(|_| world.store.lease(&found[0], again));
    let leased = futures::future::join_all(leases).await;
    assert_eq!(leased.into_iter().filter(|leased| *leased.as_ref().unwrap()).count(), 1);
    assert!(list_due_rows(&world).await.is_empty());
    let row = world.store.message(world.scope(), message.id, world.aws.now()).await;
    let row = row.unwrap().unwrap();
    assert_eq!(
        (row.dispatches, row.due, row.version),
        (1, Some(again), message.version)
    );
    // A worker that read the row before the lease may still write it.
    message.block("stale".to_owned());
    world.store.write_message(world.scope(), &message).await.unwrap();
    world.aws.pass(180);
    assert!(list_due_rows(&world).await.is_empty(), "work that is done drops out");
}

#[tokio::test]
async fn lease_of_finished_work_fails() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    world.aws.pass(90);
    let found = list_due_rows(&world).await;
    message.block("done".to_owned());
    world.store.write_message(world.scope(), &message).await.unwrap();
    assert!(!world.store.lease(&found[0], world.aws.now()).await.unwrap());
    assert!(list_due_rows(&world).await.is_empty());
}

#[tokio::test]
async fn a_page_is_bounded_and_oldest_first() {
    let world = World::new().await;
    for last in 0..60 {
        world.follow_up_of(&mobile(last)).await;
    }
    world.aws.pass(90);
    let mut all = 0;
    for partition in Partition::all() {
        let whole = world
            .store
            .due_page(partition, world.aws.now(), None, 100)
            .await
            .unwrap();
        assert_eq!(whole.next, None);
        // Page by page, each from the end of the previous one, though nothing was leased.
        let (mut pages, mut next) = (Vec::new(), None);
        loop {
            let page = world.store.due_page(partition, world.aws.now(), next, 2).await.unwrap();
            assert!(page.due.len() <= 2);
            pages.extend(page.due);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        let whole = whole.due;
        assert_eq!(pages, whole);
        all += whole.len();
    }
    assert_eq!(all, 60);
}
