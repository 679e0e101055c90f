//! Batches that the stream gave up are counted and audited when an operator replays them: once, however far they had come.

use kit::stream::StreamError;

use super::*;

impl World {
    pub(crate) async fn bring_again(&self, records: &[EventRecord]) -> Result<(), StreamError> {
        let batch = Batch {
            shard: SHARD.to_owned(),
            records: records.to_vec(),
            again: true,
        };
        handle(batch, &self.ctx).await
    }
}

/// The change as if made at this time of [`DAY`].
pub(crate) fn made_at(record: &EventRecord, time: &str) -> EventRecord {
    let mut record = record.clone();
    let at = format!("{DAY}T{time}Z").parse().expect("a time of the event's kind");
    record.change.approximate_creation_date_time = at;
    record
}

#[tokio::test]
async fn abandoned_batch_is_counted_when_replayed() {
    let world = World::after(3).await;
    let third = world.records.len() / 3;
    let (before, rest) = world.records.split_at(third);
    let (given_up, after) = rest.split_at(third);
    world.deliver(SHARD, before).await;
    world.deliver(SHARD, after).await;
    for _twice in 0..2 {
        world.bring_again(given_up).await.expect("it is counted");
        assert_eq!(world.counters().await, expected_counters(3));
    }
    // A later batch, and a repeated one.
    world.deliver(SHARD, after).await;
    assert_eq!(world.counters().await, expected_counters(3));
}

#[tokio::test]
async fn batch_replayed_first_counts_once() {
    let world = World::after(2).await;
    let half = world.records.len() / 2;
    let (given_up, after) = world.records.split_at(half);
    world.bring_again(given_up).await.expect("it is counted");
    world.deliver(SHARD, after).await;
    world.bring_again(given_up).await.expect("nothing is to be done");
    assert_eq!(world.counters().await, expected_counters(2));
}

#[tokio::test]
async fn change_that_is_still_unreadable_stays_in_the_bucket() {
    let world = World::after(1).await;
    let mut records = world.records.clone();
    records[1] = broken_record(&records[1]);
    let refused = world.bring_again(&records).await.expect_err("one cannot be read");
    assert!(
        refused.error.to_string().contains("cannot be read"),
        "{}",
        refused.error
    );
    assert!(
        world.aws.objects("spill/").await.is_empty(),
        "it lies in the bucket already"
    );
    // All others are counted, and this one too once a fixed version can read it.
    world.bring_again(&world.records).await.expect("all are counted");
    assert_eq!(world.counters().await, expected_counters(1));
}

/// An unreadable change is stored ready for replay.
#[tokio::test]
async fn stored_change_counts_once_when_replayed() {
    let world = World::after(2).await;
    let unreadable = 3;
    let mut first = world.records.clone();
    first[unreadable] = broken_record(&first[unreadable]);
    let half = first.len() / 2;
    world.deliver(SHARD, &first[..half]).await;
    world.deliver(SHARD, &first[half..]).await;
    let kept = world.aws.objects("spill/changes/").await;
    let [kept] = kept.values().collect::<Vec<_>>()[..] else {
        panic!("one is kept: {kept:?}")
    };
    let kept: serde_json::Value = serde_json::from_slice(kept).expect("it is JSON");
    assert_eq!(kept["shardId"], SHARD);
    let record: EventRecord = serde_json::from_value(kept["Records"][0].clone()).expect("it is a record");
    assert_eq!(record.change, first[unreadable].change);
    for _twice in 0..2 {
        let readable = std::slice::from_ref(&world.records[unreadable]);
        world.bring_again(readable).await.expect("it is counted");
        assert_eq!(world.counters().await, expected_counters(2));
    }
}

#[tokio::test]
async fn audit_log_has_an_abandoned_change_once() {
    let mut world = World::new().await;
    let admin = audit::seat(&mut world, domain::accounts::Role::Admin).await;
    assert_eq!(audit::log(&world).await.len(), 0);
    for _twice in 0..2 {
        world.bring_again(&world.records).await.expect("it is audited");
        let log = audit::log(&world).await;
        assert_eq!(log.len(), 1, "{admin:?}: {log:?}");
    }
}

/// A piece of a failed batch, as the stream split it.
#[derive(Debug, Clone)]
struct Piece {
    records: usize,
    /// Whether it was given up; otherwise it succeeded in the end.
    given_up: bool,
    /// The tenants, of two, whose rows a failed attempt had written.
    reached: [bool; 2],
    /// The position of a record that could not be read at first.
    unreadable: Option<usize>,
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let piece = (
        1..6_usize,
        any::<bool>(),
        any::<[bool; 2]>(),
        prop::option::of(0..6_usize),
    )
        .prop_map(|(records, given_up, reached, unreadable)| Piece {
            records,
            given_up,
            reached,
            unreadable: unreadable.filter(|position| *position < records),
        });
    prop::collection::vec(piece, 1..7)
}

/// However far the attempts of a batch had come, and however it was split: nothing is lost and nothing counts twice.
#[test]
fn any_abandoned_batch_counts_once_when_replayed() {
    let (runtime, world) = followed_up(2);
    // Of the changes of one hour, some are older than any batch that is still retried.
    world.aws.pass(30 * 60);
    let mut runner = cases(8);
    let result = runner.run(&pieces(), |pieces| {
        let tenants = [world.aws.ids().ulid(), world.aws.ids().ulid()].map(TenantId::new);
        // Alternating changes of two tenants, with their own sequence numbers.
        let mut records = Vec::new();
        for each in &world.records {
            for tenant in tenants {
                let mut record = of_tenant(each, tenant);
                record.change.sequence_number = Some((99_999_999_999_999_990_u128 + records.len() as u128).to_string());
                record.event_id = format!("{:032x}", records.len());
                records.push(record);
            }
        }
        let count = |tenant| runtime.block_on(world.counters_of(tenant));
        runtime.block_on(async {
            let mut again: Vec<Vec<EventRecord>> = Vec::new();
            let mut from = 0;
            for piece in &pieces {
                let to = (from + piece.records).min(records.len());
                // Long ago, so that later batches continued after it was given up.
                let real: Vec<_> = records[from..to]
                    .iter()
                    .map(|record| made_at(record, "01:05:00"))
                    .collect();
                let mut tried = real.clone();
                let unreadable = piece.unreadable.filter(|position| *position < real.len());
                if let Some(position) = unreadable {
                    tried[position] = broken_record(&tried[position]);
                }
                // A failed attempt leaves the rows of some tenants counted.
                let reached = |index: usize| piece.reached[(from + index) % 2] || unreadable == Some(index);
                let part: Vec<_> = (0..tried.len())
                    .filter(|index| reached(*index))
                    .map(|index| tried[index].clone())
                    .collect();
                if part.iter().any(|record| !record.change.new_image.is_empty()) {
                    world.deliver(SHARD, &part).await;
                }
                if piece.given_up {
                    again.push(real);
                } else {
                    world.deliver(SHARD, &tried).await;
                    again.extend(unreadable.map(|position| vec![real[position].clone()]));
                }
                from = to;
            }
            let rest: Vec<_> = records[from..]
                .iter()
                .map(|record| made_at(record, "01:50:00"))
                .collect();
            for batch in rest.chunks(5) {
                world.deliver(SHARD, batch).await;
            }
            again.reverse();
            for _twice in 0..2 {
                for batch in &again {
                    world.bring_again(batch).await.expect("it is counted");
                }
            }
        });
        for tenant in tenants {
            prop_assert_eq!(count(tenant), expected_counters(2));
        }
        Ok(())
    });
    result.expect("the same counts");
}
