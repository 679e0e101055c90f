//! A minute with nothing due costs the same, however many wait. In a process of its own, since it counts what the
//! process consumes.

use dispatch_drips::{Context, handle};
use domain::terms::{CampaignId, ContactId, TenantId};
use jiff::SignedDuration;
use store::table::usage::{self, Usage};
use testkit::Aws;

/// As many as this variable says, where it is set: `RINGBACK_TEST_WAITING=1000000`.
const WAITING: usize = 2_000;

async fn minute(aws: &Aws, ctx: &Context) -> Usage {
    let _ = usage::take();
    handle(aws.deadline(100), ctx).await.expect("the run ends");
    usage::take()
}

#[tokio::test]
async fn minute_with_nothing_due_costs_the_same() {
    let aws = Aws::new().await;
    let home = aws.scope(TenantId::new(aws.ids().ulid()));
    let ctx = Context::new(aws.env()).unwrap();
    let before = minute(&aws, &ctx).await;
    let campaign = CampaignId::new(aws.ids().ulid());
    let waiting = testkit::size("RINGBACK_TEST_WAITING", WAITING);
    let contacts = std::iter::repeat_with(|| ContactId::new(aws.ids().ulid()));
    let contacts: Vec<ContactId> = contacts.take(waiting).collect();
    let tomorrow = aws.now() + SignedDuration::from_hours(24);
    for some in contacts.chunks(1_000) {
        aws.store()
            .enrol(&home, campaign, Some(1), some, tomorrow)
            .await
            .unwrap();
    }
    assert_eq!(minute(&aws, &ctx).await, before, "{waiting} wait");
    assert!((before.read_units - 2.0).abs() < f64::EPSILON, "{before:?}");
    aws.pass(25 * 3_600);
    let due = minute(&aws, &ctx).await;
    assert!(due.requests > before.requests, "they do wait: {due:?}");
}
