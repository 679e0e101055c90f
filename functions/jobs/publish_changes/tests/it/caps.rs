//! Caps of money count what messages cost, once it is known.

use domain::messages::{AttemptState, Cost, SendOutcome, StatusReport};
use domain::money::{Cap, Money, Period, Scope, Take};

use super::{SHARD, World};

/// Expected cost of the message, in millionths of a dollar.
const EXPECTED: u64 = 90_000;

fn dollars(number: u32, period: Period) -> Cap {
    Cap {
        number,
        period,
        scope: Scope::Tenant,
        purpose: None,
        currency: "USD".parse().ok(),
        maximum: 100,
    }
}

/// However often a batch comes, and if the stream splits it.
#[tokio::test]
async fn stated_price_takes_the_place_of_the_expected_one_once() {
    let mut world = World::new().await;
    let caps = [dollars(7, Period::Hour), dollars(8, Period::Month)];
    let takes = caps.clone().map(|cap| Take { cap, amount: EXPECTED });
    let timers = world.aws.env().config().timers().expect("timers");
    let (store, scope, now) = (world.aws.store(), world.business.scope().clone(), world.aws.now());
    let counted = async || {
        let counts = store.cap_counts(&scope, now).await.expect("the table answers");
        caps.each_ref().map(|cap| counts.of(cap, domain::money::hour_of(now)))
    };
    for (number, count) in [("+447700900301", 1), ("+447700900302", 2)] {
        let taken = store.take_from_caps(&scope, &takes, &caps, now).await;
        assert!(taken.expect("the table answers").is_ok());
        let mut message = world.follow_up_of(number).await;
        message.claim(0, "claim".to_owned(), now, &timers);
        message.claimed_within(&takes);
        world.write(&mut message).await;
        let provider_ref: domain::terms::ProviderRef = format!("wamid.{number}").parse().expect("a reference");
        let accepted = SendOutcome::Accepted {
            provider_ref: provider_ref.clone(),
            segments: None,
        };
        message.record(1, accepted, now, &timers);
        world.write(&mut message).await;
        let begun = world.records.len();
        let amount = Money {
            millionths: 12_000,
            currency: "USD".parse().expect("a currency"),
        };
        let delivered = StatusReport {
            state: AttemptState::Delivered,
            at: now,
            provider_ref,
            error: None,
            cost: Some(Cost {
                category: "utility".to_owned(),
                kind: None,
                billable: Some(true),
                units: 1,
                amount: Some(amount),
            }),
        };
        message.apply(1, delivered, now, &timers);
        world.write(&mut message).await;
        assert_eq!(counted().await, [EXPECTED + 12_000 * (count - 1); 2]);
        world.deliver(SHARD, &world.records[..begun]).await;
        assert_eq!(counted().await, [EXPECTED + 12_000 * (count - 1); 2]);
        for _ in 0..2 {
            world.deliver(SHARD, &world.records).await;
            assert_eq!(counted().await, [12_000 * count; 2]);
        }
    }
}
