//! Pages of the calls of a period.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::calls::Call;
use domain::reports::CallFilter;
use domain::telephony::Outcome;
use domain::terms::CallId;
use jiff::Timestamp;
use store::reports::{ReportPosition, Wanted};
use store::table::usage::{self, Usage};
use ulid::Ulid;

use crate::world::{COUNTING, World};

/// Queries of one page.
const MAX_QUERIES: u64 = 10;

/// Beginning and end of a period.
#[derive(Clone, Copy)]
struct Span(&'static str, &'static str);

/// The day of the test.
const DAY: Span = Span("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z");

/// A month somewhere else, which touches 32 days in UTC.
const MONTH: Span = Span("2026-11-19T20:00:00Z", "2026-12-20T20:00:00Z");

/// A missed call, as of the test's time.
async fn make_missed_call(world: &World) -> CallId {
    let message = world.follow_up().await;
    message.cause.call().expect("it follows a call")
}

/// The question for the first calls of a period, in the order of the list.
fn first_page(world: &World, Span(from, to): Span, limit: i32) -> Wanted {
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    Wanted {
        from: at(from),
        to: at(to),
        after: None,
        limit,
        now: world.aws.now(),
    }
}

/// The newest calls of a period, and what reading them cost.
async fn newest(world: &World, period: Span, limit: i32) -> (Vec<Call>, Usage) {
    let wanted = first_page(world, period, limit);
    drop(usage::take());
    let (store, everything) = (&world.store, CallFilter::default());
    let calls = store.newest_calls(world.scope(), &everything, &wanted).await;
    (calls.expect("the table answers"), usage::take())
}

/// All pages of a period: what they hold. Each makes a bounded number of requests.
async fn pages(world: &World, filter: CallFilter, period: Span) -> Vec<Vec<CallId>> {
    let (mut pages, mut after) = (Vec::new(), None);
    for _page in 0..20 {
        let wanted = Wanted {
            after,
            ..first_page(world, period, 25)
        };
        drop(usage::take());
        let page = world.store.calls_of_period(world.scope(), &filter, &wanted).await;
        let used = usage::take();
        let page = page.expect("the table answers");
        let queries = used.actions.get("dynamodb:Query").copied().unwrap_or_default();
        assert!((1..=MAX_QUERIES).contains(&queries), "{used:?}");
        // Rows of calls, and of contacts and messages: only of what is shown.
        let batches = used.actions.get("dynamodb:BatchGetItem").copied().unwrap_or_default();
        assert_eq!(batches, if page.items.is_empty() { 0 } else { 2 }, "{used:?}");
        pages.push(page.items.iter().map(|known| known.call.id).collect());
        match page.next {
            Some(next) => after = Some(next.parse::<ReportPosition>().expect("a position")),
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
    followed_up: None,
    stopped: None,
    unanswered: None,
};

/// A thousand answered calls after it: pages are empty until it is found. Of the others, only entries of the list are read.
#[tokio::test]
async fn a_page_examines_at_most_five_hundred_calls() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let call = make_missed_call(&world).await;
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
    let found = pages(&world, MISSED, DAY).await;
    assert_eq!(found, [vec![], vec![], vec![call]]);
}

/// A month touches 32 days in UTC. A page looks at ten of them.
#[tokio::test]
async fn days_without_calls_cost_a_bounded_number_of_queries() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let call = make_missed_call(&world).await;
    let everything = CallFilter::default();
    let found = pages(&world, everything, MONTH).await;
    assert_eq!(found, [vec![], vec![], vec![], vec![call]]);
}

/// Five hundred calls of one day: a query, then the calls and the contacts by the hundred.
#[tokio::test]
async fn newest_calls_of_a_day_are_read_in_a_dozen_requests() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let call = make_missed_call(&world).await;
    let rows = world.aws.rows().await;
    let like = |kind: &str| {
        let row = rows
            .iter()
            .find(|row| row["kind"].as_s().is_ok_and(|found| found == kind));
        row.expect("a row of this kind").clone()
    };
    let (one, contact) = (like("call"), like("contact"));
    let mut many = Vec::new();
    for number in 0..500_u32 {
        let own = Ulid::from_parts(1, number.into()).to_string().to_ascii_lowercase();
        let text = AttributeValue::S;
        let partition = text(format!("{}#C#{own}", world.partition()));
        let mut call = one.clone();
        call.insert("pk".to_owned(), partition.clone());
        call.insert("sk".to_owned(), text(format!("CALL#{own}")));
        let at = format!("2026-11-20T13:{:02}:{:02}.000Z#{own}", number / 60, number % 60);
        call.insert("gsi1sk".to_owned(), text(at));
        let mut contact = contact.clone();
        contact.insert("pk".to_owned(), partition);
        contact.retain(|name, _| !name.starts_with("gsi"));
        many.extend([call, contact]);
    }
    world.put_rows(many).await;
    let (calls, used) = newest(&world, DAY, 500).await;
    assert_eq!(calls.len(), 500);
    assert!(
        calls.windows(2).all(|pair| pair[0].id.own() > pair[1].id.own()),
        "the newest first"
    );
    assert!(!calls.iter().any(|found| found.id == call), "it is the 501st");
    assert!(used.requests <= 12, "{used:?}");
    assert!((1_000.0..1_040.0).contains(&used.read_units), "{used:?}");
    let (calls, used) = newest(&world, DAY, 25).await;
    assert_eq!(calls.len(), 25);
    assert!(used.requests <= 3 && used.read_units < 60.0, "{used:?}");
}

/// A month without calls takes one query for each day, and calls of deleted contacts are hidden with them.
#[tokio::test]
async fn newest_calls_are_found_behind_a_month_of_silence() {
    let _alone = COUNTING.write().await;
    let world = World::new_alone().await;
    let call = make_missed_call(&world).await;
    let (calls, used) = newest(&world, MONTH, 500).await;
    let calls: Vec<CallId> = calls.iter().map(|call| call.id).collect();
    assert_eq!((calls, used.actions["dynamodb:Query"]), (vec![call], 32));
    world.aws.delete_contact(world.scope(), call.contact(), true).await;
    assert_eq!(newest(&world, MONTH, 500).await.0, []);
}
