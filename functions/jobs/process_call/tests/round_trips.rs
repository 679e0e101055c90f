//! Cost of a decision with as many rules as a tenant can have. Alone in its process, whose counters it reads.

use domain::calls::Entry;
use domain::messages::Message;
use domain::telephony::Outcome;
use domain::tenants::Rule;
use kit::{Done, Job};
use process_call::{Context, handle};
use serde_json::json;
use store::table::usage;
use store::tenants::Configured;
use testkit::World;
use testkit::business::{CUSTOMER, missed_call_facts, mobile, read};

/// Size of a page of a query.
const PAGE: usize = 1024 * 1024;

/// Adds as many rules as there may be, which all come before the one that is there. Those that are not archived are for other calls.
fn as_many_as_possible(configured: &mut Configured) {
    let own = configured.rules[0].clone();
    for place in 1..Rule::MAX {
        let mut rule = own.clone();
        rule.id = read(json!(format!("rule_{place:026}")));
        rule.priority = own.priority - 1;
        rule.then.sms_text = Some(read(json!({"en": "x".repeat(2_000), "ar": "x".repeat(2_000)})));
        if place < Rule::MAX_UNARCHIVED {
            rule.when.outcomes = vec![Outcome::Answered].into();
        } else {
            rule.archived_at = Some(configured.at);
        }
        configured.rules.push(rule);
    }
}

/// Decides a missed call of this number in a process. Returns the requests to AWS.
async fn requests(world: &World<Context>, ctx: &Context, number: &str) -> u64 {
    let job = world
        .business
        .telephony_report(&world.aws, number, missed_call_facts(number));
    drop(usage::take());
    let done = Box::pin(handle(Job::new(job, 1), ctx)).await;
    assert_eq!(done.expect("the call is decided"), Done::Now);
    usage::take().requests
}

/// The customer's messages, after a check that the business's usual rule decided each call.
async fn check_follow_ups(world: &World<Context>) -> Vec<Message> {
    let rule = world.business.configured.rules[0].id;
    let mut messages = Vec::new();
    for entry in world.entries(world.customer().await.id).await {
        match entry {
            Entry::Call(call) => assert_eq!(call.grounds.rule, Some(rule), "{}", call.decision),
            Entry::Sent(message) => messages.push(*message),
            other => panic!("{other:?}"),
        }
    }
    messages
}

/// A new process reads all of them by one query of a few pages, archived ones included. Then they are known until something changes.
#[tokio::test]
async fn five_hundred_rules_cost_a_new_process_a_few_pages() {
    let usual = Box::pin(World::with(Context::new, |_| {})).await;
    let full = Box::pin(World::with(Context::new, as_many_as_possible)).await;
    let rules = &full.business.configured.rules;
    assert_eq!(rules.len(), usize::try_from(Rule::MAX).expect("a few"));
    let bytes = serde_json::to_vec(rules).expect("they are JSON").len();
    let most = u64::try_from(bytes / PAGE + 1).expect("a few");
    assert!(most < 5, "{bytes} bytes");

    let cold = requests(&usual, &usual.ctx, CUSTOMER).await;
    let of_full = requests(&full, &full.ctx, CUSTOMER).await;
    assert!((cold..=cold + most).contains(&of_full), "{cold}, {of_full}");
    for world in [&usual, &full] {
        assert_eq!(check_follow_ups(world).await.len(), 1);
    }
    let warm = requests(&usual, &usual.ctx, &mobile(1)).await;
    assert_eq!(requests(&full, &full.ctx, &mobile(1)).await, warm);
    assert_eq!(cold - warm, 4, "rules, lines, teams and connections");
    // Another process begins anew.
    let again = requests(&full, &full.another_process(), &mobile(2)).await;
    assert_eq!(again, of_full);
}
