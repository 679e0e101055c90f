//! Caps are never exceeded, whoever counts at once, and begin anew with each hour, day and month.

use domain::cap::{Cap, Period, Scope};
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::world::World;

fn cap(number: u32, period: Period, maximum: u32) -> Cap {
    Cap {
        number,
        period,
        scope: Scope::Tenant,
        purpose: None,
        maximum,
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// How many of this many messages at once are within the caps.
async fn taken(world: &World, caps: &[Cap], count: usize, now: Timestamp) -> usize {
    let takes = (0..count).map(|_| world.store.take_from_caps(world.scope(), (caps, caps), now));
    let taken = join_all(takes).await;
    taken.into_iter().filter(|taken| matches!(taken, Ok(Ok(_)))).count()
}

#[tokio::test]
async fn races_never_exceed_a_cap() {
    let world = World::new().await;
    let caps = [cap(1, Period::Hour, 20), cap(2, Period::Day, 30)];
    let noon = at("2026-11-20T12:59:59Z");
    let mut sum = 0;
    for _ in 0..6 {
        sum += taken(&world, &caps, 10, noon).await;
    }
    assert_eq!(sum, 20, "the hour's");
    let later = noon + SignedDuration::from_secs(1);
    let mut sum = 0;
    for _ in 0..6 {
        sum += taken(&world, &caps, 5, later).await;
    }
    assert_eq!(sum, 10, "what is left of the day's");
    let reached = world
        .store
        .take_from_caps(world.scope(), (&caps, &caps), later)
        .await
        .unwrap();
    assert_eq!(reached, Err(caps[1].clone()));
    let counts = world.store.cap_counts(world.scope(), later).await.unwrap();
    assert_eq!(counts.first_reached(&caps, later), Some(&caps[1]));
}

#[tokio::test]
async fn month_is_counted_over_days_and_begins_anew() {
    let world = World::new().await;
    let caps = [cap(3, Period::Month, 5)];
    let take = async |day: &str, count| taken(&world, &caps, count, at(day)).await;
    assert_eq!(take("2026-11-02T10:00:00Z", 2).await, 2);
    assert_eq!(take("2026-11-15T10:00:00Z", 2).await, 2);
    assert_eq!(take("2026-11-30T23:59:59Z", 3).await, 1);
    assert_eq!(take("2026-12-01T00:00:00Z", 7).await, 5);
}

#[tokio::test]
async fn worker_with_a_slow_clock_counts_in_the_hour_of_the_others() {
    let world = World::new().await;
    let caps = [cap(1, Period::Hour, 2)];
    let hour = at("2026-11-20T13:00:00Z");
    assert_eq!(taken(&world, &caps, 1, hour).await, 1);
    assert_eq!(taken(&world, &caps, 3, hour - SignedDuration::from_secs(1)).await, 1);
}

#[tokio::test]
async fn what_is_given_back_can_be_taken_again() {
    let world = World::new().await;
    let caps = [cap(1, Period::Hour, 1), cap(2, Period::Day, 2)];
    let (now, later) = (at("2026-11-20T12:00:00Z"), at("2026-11-20T13:00:00Z"));
    let give_back = async |at| world.store.give_back_to_caps(world.scope(), &[1, 2], at).await.unwrap();
    assert_eq!(taken(&world, &caps, 2, now).await, 1);
    give_back(now).await;
    assert_eq!(taken(&world, &caps, 2, now).await, 1);
    assert_eq!(taken(&world, &caps, 2, later).await, 1);
    // Of the former hour only the day's count is left to give back.
    give_back(now).await;
    let counts = world.store.cap_counts(world.scope(), later).await.unwrap();
    assert_eq!(caps.each_ref().map(|cap| counts.of(cap, 13)), [1, 1]);
    // What nobody took is not given back.
    give_back(at("2026-11-21T12:00:00Z")).await;
}

/// Around midnight, workers count for both days, and the month's counts pass from one to the other.
#[tokio::test]
async fn month_is_not_exceeded_at_midnight() {
    let world = World::new().await;
    let caps = [cap(3, Period::Month, 10), cap(4, Period::Day, 1_000)];
    let (before, midnight) = (at("2026-11-20T23:59:59Z"), at("2026-11-21T00:00:00Z"));
    for begun in [0, 4] {
        let day = SignedDuration::from_hours(24 * begun);
        let sides = (0..30).map(|place| if place % 2 == 0 { before + day } else { midnight + day });
        let takes = sides.map(|now| world.store.take_from_caps(world.scope(), (&caps, &caps), now));
        let taken = join_all(takes).await;
        let taken = taken.into_iter().filter(|taken| matches!(taken, Ok(Ok(_)))).count();
        assert_eq!(taken, if begun == 0 { 10 } else { 0 });
    }
    let quiet = at("2026-11-28T09:00:00Z");
    let counts = world.store.cap_counts(world.scope(), quiet).await.unwrap();
    assert_eq!(
        caps.each_ref().map(|cap| counts.of(cap, 9)),
        [10, 0],
        "also before the first message of a day"
    );
}
