//! Pages of the calls of a period.

use std::collections::HashMap;

use domain::{call::Outcome, happenings::CallFilter, ids::CallId};
use jiff::Timestamp;
use store::{
    happenings::{Position, Wanted},
    usage,
};
use testkit::business::CUSTOMER;
use ulid::Ulid;

use crate::world::{COUNTING, World};

/// Queries of one page.
const MOST_QUERIES: u64 = 10;

/// A missed call, as of the test's time.
async fn missed(world: &World) -> CallId {
    let message = Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    message.cause.call().expect("it follows a call")
}

/// All pages of a period: what they hold. Each makes a bounded number of requests.
async fn pages(world: &World, filter: CallFilter, from: &str, to: &str) -> Vec<Vec<CallId>> {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let (mut pages, mut after) = (Vec::new(), None);
    for _page in 0..20 {
        let wanted = Wanted {
            from: at(from),
            to: at(to),
            after,
            limit: 25,
            now: world.aws.now(),
        };
        drop(usage::take());
        let page = world.store.calls_of_period(world.scope(), &filter, &wanted).await;
        let used = usage::take();
        let page = page.expect("the table answers");
        let queries = used.actions.get("dynamodb:Query").copied().unwrap_or_default();
        assert!((1..=MOST_QUERIES).contains(&queries), "{used:?}");
        // Rows of calls, and of contacts and messages: only of what is shown.
        let batches = used.actions.get("dynamodb:BatchGetItem").copied().unwrap_or_default();
        assert_eq!(batches, if page.items.is_empty() { 0 } else { 2 }, "{used:?}");
        pages.push(page.items.iter().map(|known| known.call.id).collect());
        match page.next {
            Some(next) => after = Some(next.parse::<Position>().expect("a position")),
            None => return pages,
        }
    }
    panic!("the list does not end: {pages:?}");
}

const MISSED: CallFilter = CallFilter {
    outcome: Some(Outcome::Missed),
    direction: None,
    line: None,
    rule: None,
    code: None,
};

/// A thousand answered calls after it: pages are empty until it is found. Of the others, only entries of the list are read.
#[tokio::test]
async fn a_page_examines_at_most_five_hundred_calls() {
    let _alone = COUNTING.write().await;
    let world = World::alone().await;
    let call = missed(&world).await;
    let entry = |number: usize| {
        let own = Ulid::from_parts(1, number as u128).to_string().to_ascii_lowercase();
        HashMap::from([
            ("pk", format!("{}#C#{own}", world.partition())),
            ("sk", format!("CALL#{own}")),
            ("gsi1pk", format!("{}#CALLS#2026-11-20", world.partition())),
            (
                "gsi1sk",
                format!("2026-11-20T13:{:02}:{:02}.000Z#{own}", number / 60, number % 60),
            ),
            ("outcome", "answered".to_owned()),
            ("direction", "inbound".to_owned()),
        ])
    };
    world.put_many(1_000, entry).await;
    let found = pages(&world, MISSED, "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z").await;
    assert_eq!(found, [vec![], vec![], vec![call]]);
}

/// A month touches 32 days in UTC, of which a page looks at ten.
#[tokio::test]
async fn days_without_calls_cost_a_bounded_number_of_queries() {
    let _alone = COUNTING.write().await;
    let world = World::alone().await;
    let call = missed(&world).await;
    let everything = CallFilter::default();
    let found = pages(&world, everything, "2026-11-19T20:00:00Z", "2026-12-20T20:00:00Z").await;
    assert_eq!(found, [vec![], vec![], vec![], vec![call]]);
}
