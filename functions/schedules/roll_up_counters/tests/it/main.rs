//! Rolling up counters, in process against the emulator's table.

use std::collections::BTreeSet;

use domain::terms::LineId;
use jiff::Timestamp;
use jiff::civil::Date;
use roll_up_counters::{Context, handle};
use store::reports::{Counters, Lines, join_counts};
use testkit::Seeded;
use testkit::business::business;

const SHOP: &str = "line_01hq5bakery0000000000000n1";

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    /// Counts a call of the shop and one of no line.
    async fn count(&self, business: &Seeded, at: &str) {
        let shop: LineId = SHOP.parse().expect("an id");
        for line in [None, Some(shop)] {
            self.aws.count(business.scope(), at, line, &[("calls", 1)]).await;
        }
    }

    /// A run with this many seconds.
    async fn run(&self, seconds: i64) {
        let run = Box::pin(handle(self.aws.deadline(seconds), &self.ctx));
        run.await.expect("the run ends well");
    }

    /// Days that are still to be rolled up, which this does.
    async fn roll_up_remaining(&self, business: &Seeded) -> usize {
        let mut left = 0;
        let next = async || self.aws.store().roll_up_next(business.scope(), self.aws.now()).await;
        while next().await.expect("nobody else rolls up").is_some() {
            left += 1;
        }
        left
    }

    /// All that readers see.
    async fn counters(&self, business: &Seeded, lines: Lines) -> Counters {
        let store = self.aws.store();
        let basis = store.basis(business.scope()).await.expect("the table answers");
        let rolled = basis.expect("a tenant").rolled;
        let time = |text: &str| -> Timestamp { text.parse().expect("a time") };
        let (from, to) = (time("2026-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z"));
        let hours = store.hours(business.scope(), &rolled, from, to, lines).await;
        let mut counters = Counters::new();
        for hour in hours.expect("the table answers") {
            join_counts(&mut counters, &hour.counters);
        }
        counters
    }
}

#[tokio::test]
async fn days_of_all_tenants_are_rolled_up_once_they_are_over() {
    let world = World::new().await;
    let (one, other) = (&world.business, Box::pin(business(&world.aws)).await);
    for day in ["2026-11-16", "2026-11-17", "2026-11-18", "2026-11-19", "2026-11-20"] {
        world.count(one, &format!("{day}T10:00:00Z")).await;
    }
    world.count(&other, "2026-11-01T10:00:00Z").await;
    let before = world.counters(one, Lines::Each).await;
    assert_eq!(before["calls"], 10);
    for _twice in 0..2 {
        world.run(60).await;
        for business in [one, &other] {
            assert_eq!(world.roll_up_remaining(business).await, 0);
        }
        for lines in [Lines::Each, Lines::Together] {
            assert_eq!(world.counters(one, lines).await, before);
        }
        assert_eq!(world.counters(&other, Lines::Together).await["calls"], 2);
    }
    let counted = world.aws.store().count_stored(one.scope(), world.aws.now()).await;
    assert!(!counted.expect("the table answers"), "what is stored was counted today");
    // Two days later, two more are.
    world.aws.pass(2 * 86_400);
    assert_eq!(world.roll_up_remaining(one).await, 2);
    assert_eq!(world.counters(one, Lines::Each).await, before);
}

#[tokio::test]
async fn run_without_time_leaves_the_rest_to_the_next_one() {
    let world = World::new().await;
    for day in ["2026-11-16", "2026-11-17"] {
        world.count(&world.business, &format!("{day}T10:00:00Z")).await;
    }
    world.run(5).await;
    assert_eq!(world.roll_up_remaining(&world.business).await, 2);
    world.run(60).await;
    assert_eq!(world.roll_up_remaining(&world.business).await, 0);
}

/// Rolled days do not depend on the rows that they were made from, which expire.
#[tokio::test]
async fn another_run_never_counts_less() {
    let world = World::new().await;
    world.count(&world.business, "2026-11-17T10:00:00Z").await;
    world.run(60).await;
    // The line's counter or the other one.
    let mut rows = world.aws.rows().await.into_iter();
    let row = rows.find(|row| row["kind"].as_s().is_ok_and(|kind| kind == "counters"));
    let row = row.expect("it is counted in a row");
    let delete = world.aws.dynamodb().delete_item().table_name(world.aws.table());
    let delete = delete.key("pk", row["pk"].clone()).key("sk", row["sk"].clone());
    delete.send().await.expect("the row is deleted");
    let late: BTreeSet<Date> = ["2026-11-17".parse().expect("a day")].into();
    let store = world.aws.store();
    store
        .roll_up_again(world.business.scope(), &late)
        .await
        .expect("it is asked for");
    world.run(60).await;
    assert_eq!(world.counters(&world.business, Lines::Together).await["calls"], 2);
}
