//! Deleting tenants that have left, in process against the emulator's table.

use delete_tenants::{Context, handle};
use domain::{
    actor::{Actor, Stamp},
    contact::{Contact, Identity},
    ids::ContactId,
    tenant::{Tenant, TenantStatus},
};
use jiff::SignedDuration;
use kit::schedule::Deadline;
use store::{contacts::ContactWrite, platform::PlatformAct};
use testkit::{
    Aws, Seeded,
    business::{CUSTOMER, business},
};

struct World {
    aws: Aws,
    business: Seeded,
    ctx: Context,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let business = Box::pin(business(&aws)).await;
        let ctx = Context::new(aws.env()).expect("a context");
        Self { aws, business, ctx }
    }

    fn act(&self, action: &str) -> PlatformAct {
        PlatformAct {
            action: action.to_owned(),
            tenant: Some(self.business.tenant()),
            by: Stamp {
                actor: Actor::Operator,
                at: self.aws.now(),
                correlation_id: "test".to_owned(),
            },
            detail: serde_json::json!({}),
        }
    }

    async fn change(&self, action: &str, change: impl FnOnce(&mut Tenant)) {
        let store = self.aws.store();
        let scope = self.business.scope();
        let before = store.tenant(scope).await.expect("the table answers").expect("a tenant");
        let mut after = before.clone();
        change(&mut after);
        let act = self.act(action);
        let changed = store
            .change_tenant_for_platform(scope, &before, &after, &act, action)
            .await;
        changed.expect("nobody else changes it");
    }

    async fn leave(&self, seconds: i64) {
        let at = self.aws.now() + SignedDuration::from_secs(seconds);
        self.change("tenant_leaving", |tenant| {
            tenant.status = TenantStatus::Leaving;
            tenant.leaves_at = Some(at);
        })
        .await;
    }

    async fn run(&self, seconds: i64) {
        let deadline = Deadline::at(self.aws.now() + SignedDuration::from_secs(seconds));
        Box::pin(handle(deadline, &self.ctx)).await.expect("the run ends well");
    }

    async fn tenant(&self) -> Option<Tenant> {
        let found = self.aws.store().tenant(self.business.scope()).await;
        found.expect("the table answers")
    }

    /// Rows of the platform itself: its log.
    async fn log_length(&self) -> usize {
        let month = self.aws.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let log = self.aws.store().platform_acts(month, None, 100).await;
        log.expect("the table answers").items.len()
    }
}

#[tokio::test]
async fn all_of_a_tenant_goes_when_its_grace_period_ends_and_not_before() {
    let world = World::new().await;
    for number in [CUSTOMER, "+971501000002", "+971501000003"] {
        Box::pin(world.business.follow_up(&world.aws, number)).await;
    }
    world.leave(3600).await;
    world.aws.pass(3599);
    world.run(60).await;
    assert!(world.tenant().await.is_some());
    world.aws.pass(1);
    world.run(60).await;
    assert_eq!(world.tenant().await, None);
    // What is left is the platform's log: that it was to leave, and that it did.
    assert_eq!(world.log_length().await, 2);
    assert_eq!(world.aws.row_count().await, 2);
}

#[tokio::test]
async fn who_stays_after_all_loses_nothing() {
    let world = World::new().await;
    Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    world.leave(3600).await;
    world
        .change("tenant_kept", |tenant| {
            tenant.status = TenantStatus::Active;
            tenant.leaves_at = None;
        })
        .await;
    let before = world.aws.row_count().await;
    world.aws.pass(3600);
    world.run(60).await;
    assert!(world.tenant().await.is_some());
    assert_eq!(world.aws.row_count().await, before);
}

#[tokio::test]
async fn a_run_that_has_no_time_is_continued_by_the_next() {
    let world = World::new().await;
    Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    world.leave(0).await;
    world.run(1).await;
    assert!(world.tenant().await.is_some());
    world.run(60).await;
    assert_eq!(world.tenant().await, None);
}

#[tokio::test]
async fn another_tenant_keeps_all_of_its_own() {
    let world = World::new().await;
    let neighbour = Box::pin(business(&world.aws)).await;
    let kept = world.aws.row_count().await;
    let other = World {
        business: neighbour,
        ctx: Context::new(world.aws.env()).expect("a context"),
        aws: world.aws,
    };
    let rows_of_one = kept / 2;
    other.leave(0).await;
    other.run(60).await;
    assert_eq!(other.tenant().await, None);
    // The neighbour's rows, and two of the platform's log.
    assert_eq!(other.aws.row_count().await, kept - rows_of_one + 2);
}

#[tokio::test]
async fn callers_without_a_number_go_also_when_their_calls_have_gone_before() {
    let world = World::new().await;
    let callers = [
        Identity::Sip("sip:ann@example.org".to_owned()),
        Identity::Withheld(world.business.twilio),
    ];
    for identity in callers {
        let id = ContactId::new(world.aws.ids().ulid());
        let write = ContactWrite {
            contact: Contact::first_seen(id, &identity, world.aws.now()),
            new_identities: vec![identity],
        };
        let store = world.aws.store();
        let written = store.write_contact(world.business.scope(), &write, None).await;
        written.expect("the contact is written");
    }
    world.leave(0).await;
    world.run(60).await;
    assert_eq!(world.tenant().await, None);
    // The platform's log.
    assert_eq!(world.aws.row_count().await, 2);
}
