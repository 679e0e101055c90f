//! Caps: a person without room stays at the step, and is the next to get some.

use std::collections::{BTreeMap, BTreeSet};

use domain::money::hour_of;

use super::*;

const AN_HOUR: i64 = 3600;

fn cap(period: Period, maximum: u32) -> Cap {
    Cap {
        number: 1,
        period,
        scope: Scope::Tenant,
        purpose: None,
        currency: None,
        maximum,
    }
}

impl World {
    async fn with_cap(cap: &Cap) -> Self {
        let world = Self::new().await;
        let set = |tenant: &mut Tenant| tenant.caps = Some(vec![cap.clone()].into());
        world.change_tenant(set).await;
        world
    }

    async fn count_for_cap(&self, cap: &Cap) -> u64 {
        let counts = self.store().cap_counts(self.scope(), self.aws.now()).await.unwrap();
        counts.of(cap, hour_of(self.aws.now()))
    }
}

/// All recipients get every step, in the order of their arrival, and never more than the cap allows in a period.
async fn all_go_through_it(people: usize, cap: &Cap) {
    let world = World::with_cap(cap).await;
    let steps = json!([says("welcome", "Welcome"), waits("a day", 1), says("offer", "An offer")]);
    let drip = world.drip(json!({}), steps).await;
    let people = world.many_fans(people).await;
    let (first, later) = people.split_at(people.len() - people.len() / 4);
    for contact in first {
        world.enter(&drip, *contact).await;
        world.aws.pass(1);
    }
    let (mut welcomed, mut made, mut messages) = (0, BTreeMap::new(), 0);
    for hour in 0..14 * 24 {
        if hour == 2 {
            for contact in later {
                world.enter(&drip, *contact).await;
                world.aws.pass(1);
            }
        }
        world.run().await;
        let sent = world.take_sent_messages().await;
        messages += sent.len();
        *made.entry(cap.period.begin(world.aws.now())).or_insert(0) += sent.len();
        let is_first =
            |message: &&Message| matches!(message.cause, Cause::Campaign { step: Some(step), .. } if step.place == 0);
        let next: BTreeSet<ContactId> = sent
            .iter()
            .filter(is_first)
            .map(|message| message.id.contact())
            .collect();
        let expected = people.iter().skip(welcomed).take(next.len()).copied();
        assert_eq!(next, expected.collect(), "after {welcomed} of them");
        welcomed += next.len();
        if messages == 2 * people.len() {
            break;
        }
        world.aws.pass(AN_HOUR);
    }
    assert!(
        made.values().all(|made| *made <= usize::try_from(cap.maximum).unwrap()),
        "{made:?}"
    );
    world.aws.pass(A_DAY);
    world.run().await;
    for contact in people {
        let (status, names) = world.at(&drip, contact).await;
        assert_eq!((status, names.len()), (EnrolmentStatus::Completed, 3), "{names:?}");
    }
}

#[tokio::test]
async fn a_burst_goes_through_a_cap_of_an_hour() {
    Box::pin(all_go_through_it(30, &cap(Period::Hour, 3))).await;
}

#[tokio::test]
async fn a_burst_goes_through_a_cap_of_a_day() {
    Box::pin(all_go_through_it(30, &cap(Period::Day, 10))).await;
}

/// A message is counted as it is made, also if the run is killed or another one runs beside it.
#[tokio::test]
async fn what_is_made_is_counted_before_it_is_sent() {
    let cap = cap(Period::Hour, 10);
    let world = World::with_cap(&cap).await;
    let drip = world.drip(json!({}), three()).await;
    let fans = world.many_fans(40).await;
    for contact in &fans {
        world.enter(&drip, *contact).await;
    }
    let jobs = world.lease_due().await;
    for killed_after in [10, 25, 60] {
        let killed = tokio::time::timeout(std::time::Duration::from_millis(killed_after), world.take(&jobs));
        let _ = tokio::join!(Box::pin(killed), Box::pin(world.take(&jobs)));
    }
    let sent = world.take_sent_messages().await;
    let counted = world.count_for_cap(&cap).await;
    assert!(
        (sent.len() as u64) <= counted && counted <= 10,
        "{} of {counted}",
        sent.len()
    );
    assert!(sent.iter().all(|message| message.took.contains(&1)));
    let mut reached = sent.len();
    for _ in 0..8 {
        world.aws.pass(AN_HOUR);
        let made = world.sent_by_run().await;
        assert!(made <= 10);
        reached += made;
    }
    assert_eq!(reached, fans.len());
}

/// A message that waits for a cap, although there was room when it was made, has its room before others.
#[tokio::test]
async fn a_message_that_waits_for_a_cap_goes_first() {
    let cap = cap(Period::Hour, 2);
    let world = World::with_cap(&cap).await;
    let drip = world.drip(json!({}), three()).await;
    let fans = world.many_fans(4).await;
    for contact in &fans {
        world.enter(&drip, *contact).await;
        world.aws.pass(1);
    }
    world.run().await;
    let jobs = world.aws.take_jobs::<SendMessage>(QueueName::BulkSends).await;
    assert_eq!(jobs.len(), 2);
    world.aws.pass(AN_HOUR);
    let (now, timers) = (world.aws.now(), world.aws.env().config().timers().unwrap());
    let mut message = world
        .store()
        .message(world.scope(), jobs[0].message, now)
        .await
        .unwrap()
        .unwrap();
    message.postpone(
        now + SignedDuration::from_mins(50),
        cap.refusal_when_reached(now),
        now,
        &timers,
    );
    world.store().write_message(world.scope(), &message).await.unwrap();
    assert_eq!(world.sent_by_run().await, 1, "one of two is its own");
}

/// In quiet hours, nothing is counted that leaves in another hour.
#[tokio::test]
async fn a_message_that_leaves_later_is_made_later() {
    let cap = cap(Period::Hour, 10);
    let world = World::with_cap(&cap).await;
    let quiet = |tenant: &mut Tenant| tenant.quiet_hours = from_value(json!({"from": "00:00", "to": "23:59"})).unwrap();
    world.change_tenant(quiet).await;
    let drip = world.drip(json!({}), three()).await;
    let fan = world.fan("+971501000001").await.id;
    world.enter(&drip, fan).await;
    assert_eq!(world.sent_by_run().await, 0);
    assert_eq!(world.count_for_cap(&cap).await, 0);
    let due = world.enrolment(&drip, fan).await.value.next_step_at().unwrap();
    world.aws.pass(due.duration_since(world.aws.now()).as_secs() + 1);
    assert_eq!(world.sent_by_run().await, 1);
}
