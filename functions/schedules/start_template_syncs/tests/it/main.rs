//! Starting lists of templates, in process against the emulator's table.

use std::collections::BTreeSet;

use domain::{
    base::{ids::ConnectionId, operation::OperationKind},
    templates::template::sync::{LastSync, SyncTemplates},
    tenants::tenant::TenantStatus,
};
use jiff::SignedDuration;
use kit::schedule::Deadline;
use start_template_syncs::{Context, handle};
use testkit::{Aws, Seeded, business::business, seed};

struct World {
    aws: Aws,
    ctx: Context,
}

impl World {
    async fn new() -> Self {
        let aws = Aws::new().await;
        let ctx = Context::new(aws.env()).expect("a context");
        Self { aws, ctx }
    }

    async fn run(&self) {
        let deadline = Deadline::at(self.aws.now() + SignedDuration::from_secs(60));
        Box::pin(handle(deadline, &self.ctx)).await.expect("the run ends well");
    }

    /// The connections of each operation so far.
    async fn started(&self, business: &Seeded) -> Vec<ConnectionId> {
        let store = self.aws.store();
        let page = store.operations(business.scope(), None, 100, self.aws.now()).await;
        let mut found = Vec::new();
        for row in page.expect("the table answers").items {
            let operation = row.value;
            assert_eq!(operation.kind, OperationKind::SyncTemplates);
            let params: SyncTemplates = operation.params.read().expect("its parameters");
            assert!(!params.wanted && operation.due.is_some(), "the due index starts it");
            found.extend(params.connections);
        }
        found
    }

    async fn listed(&self, business: &Seeded, awaited: bool) {
        let last = LastSync {
            at: self.aws.now(),
            awaited,
        };
        let store = self.aws.store();
        let noted = store.note_sync(business.scope(), business.whatsapp, &last).await;
        noted.expect("the table answers");
    }
}

#[tokio::test]
async fn every_connection_that_sends_whatsapp_is_listed_once() {
    let world = World::new().await;
    let (one, other) = (business(&world.aws).await, seed::tenant(&world.aws).await);
    for _twice in 0..2 {
        world.run().await;
        assert_eq!(
            world.started(&one).await,
            [one.whatsapp],
            "its Twilio connection sends SMS only"
        );
        let both: BTreeSet<_> = world.started(&other).await.into_iter().collect();
        assert_eq!(both, BTreeSet::from([other.twilio, other.whatsapp]));
    }
}

#[tokio::test]
async fn lists_are_due_daily_or_hourly_while_a_verdict_is_awaited() {
    let world = World::new().await;
    let business = business(&world.aws).await;
    world.listed(&business, false).await;
    for (hours, expected) in [(1, 0), (22, 0), (1, 1)] {
        world.aws.pass(hours * 3_600);
        world.run().await;
        assert_eq!(world.started(&business).await.len(), expected, "{hours}");
    }
    world.listed(&business, true).await;
    world.aws.pass(1_800);
    world.run().await;
    assert_eq!(world.started(&business).await.len(), 1);
    world.aws.pass(1_800);
    world.run().await;
    assert_eq!(world.started(&business).await.len(), 2);
}

#[tokio::test]
async fn nothing_is_started_for_a_suspended_tenant() {
    let world = World::new().await;
    let mut business = business(&world.aws).await;
    business.configured.tenant.status = TenantStatus::Suspended;
    business.write(&world.aws).await;
    world.run().await;
    assert!(world.started(&business).await.is_empty());
}
