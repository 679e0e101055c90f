//! Caps are never exceeded, whoever counts at once, and begin anew with each hour, day and month.

use std::collections::BTreeMap;

use domain::money::{Cap, Period, Scope, Take};
use domain::terms::Purpose;
use futures::future::join_all;
use jiff::{SignedDuration, Timestamp};

use crate::world::World;

fn cap(number: u32, period: Period, maximum: u32) -> Cap {
    Cap {
        number,
        period,
        scope: Scope::Tenant,
        purpose: None,
        currency: None,
        maximum,
    }
}

/// A message takes this much of each.
fn takes(caps: &[Cap], amount: u64) -> Vec<Take> {
    let take = |cap: &Cap| Take {
        cap: cap.clone(),
        amount,
    };
    caps.iter().map(take).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Takes this number of messages from the caps at once, and counts those within them.
async fn count_taken(world: &World, caps: &[Cap], count: usize, now: Timestamp) -> usize {
    taken_of_each(world, caps, count, 1, now).await
}

async fn taken_of_each(world: &World, caps: &[Cap], count: usize, amount: u64, now: Timestamp) -> usize {
    let takes = takes(caps, amount);
    let all = (0..count).map(|_| world.store.take_from_caps(world.scope(), &takes, caps, now));
    let taken = join_all(all).await;
    taken.into_iter().filter(|taken| matches!(taken, Ok(Ok(_)))).count()
}

#[tokio::test]
async fn races_never_exceed_a_cap() {
    let world = World::new().await;
    let caps = [cap(1, Period::Hour, 20), cap(2, Period::Day, 30)];
    let noon = at("2026-11-20T12:59:59Z");
    let mut sum = 0;
    for _ in 0..6 {
        sum += count_taken(&world, &caps, 10, noon).await;
    }
    assert_eq!(sum, 20, "the hour's");
    let later = noon + SignedDuration::from_secs(1);
    let mut sum = 0;
    for _ in 0..6 {
        sum += count_taken(&world, &caps, 5, later).await;
    }
    assert_eq!(sum, 10, "what is left of the day's");
    let reached = world
        .store
        .take_from_caps(world.scope(), &takes(&caps, 1), &caps, later)
        .await
        .unwrap();
    assert_eq!(reached, Err(caps[1].clone()));
    let counts = world.store.cap_counts(world.scope(), later).await.unwrap();
    assert_eq!(counts.first_reached(&takes(&caps, 1), later), Some(&caps[1]));
}

#[tokio::test]
async fn month_is_counted_over_days_and_begins_anew() {
    let world = World::new().await;
    let caps = [cap(3, Period::Month, 5)];
    let take = async |day: &str, count| count_taken(&world, &caps, count, at(day)).await;
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
    assert_eq!(count_taken(&world, &caps, 1, hour).await, 1);
    assert_eq!(
        count_taken(&world, &caps, 3, hour - SignedDuration::from_secs(1)).await,
        1
    );
}

#[tokio::test]
async fn what_is_given_back_can_be_taken_again() {
    let world = World::new().await;
    let caps = [cap(1, Period::Hour, 1), cap(2, Period::Day, 2)];
    let (now, later) = (at("2026-11-20T12:00:00Z"), at("2026-11-20T13:00:00Z"));
    let back: BTreeMap<u32, i64> = caps.iter().map(|cap| (cap.counted_as(), -1)).collect();
    let give_back = async |at| world.store.correct_caps(world.scope(), &back, at, later).await.unwrap();
    assert_eq!(count_taken(&world, &caps, 2, now).await, 1);
    give_back(now).await;
    assert_eq!(count_taken(&world, &caps, 2, now).await, 1);
    assert_eq!(count_taken(&world, &caps, 2, later).await, 1);
    // Of the former hour only the day's count is left to give back.
    give_back(now).await;
    let counts = world.store.cap_counts(world.scope(), later).await.unwrap();
    assert_eq!(caps.each_ref().map(|cap| counts.of(cap, 13)), [1, 1]);
    // What nobody took is not given back.
    give_back(at("2026-11-21T12:00:00Z")).await;
}

/// A worker whose configuration is older begins the day.
#[tokio::test]
async fn new_cap_of_a_month_goes_on_counting_the_next_day() {
    let world = World::new().await;
    let (old, mut new) = (cap(3, Period::Hour, 9), cap(4, Period::Month, 2));
    new.purpose = Some(Purpose::FollowUp);
    let (day, next) = (at("2026-11-20T12:00:00Z"), at("2026-11-21T12:00:00Z"));
    assert_eq!(count_taken(&world, &[old.clone(), new.clone()], 2, day).await, 2);
    assert_eq!(count_taken(&world, std::slice::from_ref(&old), 1, next).await, 1);
    assert_eq!(count_taken(&world, &[old, new], 1, next).await, 0);
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
        let wanted = takes(&caps, 1);
        let takes = sides.map(|now| world.store.take_from_caps(world.scope(), &wanted, &caps, now));
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

#[tokio::test]
async fn money_is_taken_by_amount_and_corrected_within_the_month() {
    let world = World::new().await;
    let dollars = |number, period| Cap {
        currency: "USD".parse().ok(),
        ..cap(number, period, 2)
    };
    let caps = [
        dollars(1, Period::Hour),
        dollars(2, Period::Day),
        dollars(3, Period::Month),
    ];
    let (now, midnight) = (at("2026-11-20T23:30:00Z"), at("2026-11-21T00:00:00Z"));
    let counted = async |now: Timestamp, hour| {
        let counts = world.store.cap_counts(world.scope(), now).await.unwrap();
        caps.each_ref().map(|cap| counts.of(cap, hour))
    };
    let correct = async |difference: i64, now: Timestamp| {
        let by = (1..=3).map(|cap| (cap, difference)).collect();
        let taken_at = at("2026-11-20T23:30:00Z");
        world
            .store
            .correct_caps(world.scope(), &by, taken_at, now)
            .await
            .unwrap();
    };
    // 0.02 dollars have room for two messages of 0.0085.
    assert_eq!(taken_of_each(&world, &caps, 4, 8_500, now).await, 2);
    correct(-8_500, now).await;
    assert_eq!(counted(now, 23).await, [8_500; 3]);
    // It cost more than there is room for: what was sent was sent.
    correct(20_000, now).await;
    assert_eq!(counted(now, 23).await, [28_500; 3]);
    assert_eq!(taken_of_each(&world, &caps, 1, 1, now).await, 0);
    // Before the first message of the next day, and after it.
    correct(-9_500, midnight).await;
    assert_eq!(counted(now, 23).await, [19_000; 3]);
    assert_eq!(taken_of_each(&world, &caps, 2, 800, midnight).await, 1);
    correct(-8_500, midnight).await;
    assert_eq!(counted(midnight, 0).await, [800, 800, 11_300], "only the month's");
    correct(-8_500, at("2026-12-01T08:00:00Z")).await;
    assert_eq!(
        counted(midnight, 0).await,
        [800, 800, 11_300],
        "another month's is not the same"
    );
}
