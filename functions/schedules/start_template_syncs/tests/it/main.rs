//! Starting lists of templates, in process against the emulator's table.

use std::collections::BTreeSet;

use domain::templates::{LastSync, SyncTemplates};
use domain::tenants::TenantStatus;
use domain::terms::{ConnectionId, OperationKind};
use start_template_syncs::{Context, handle};
use testkit::{Seeded, seed};

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    async fn run(&self) {
        let run = Box::pin(handle(self.aws.deadline(60), &self.ctx));
        run.await.expect("the run ends well");
    }

    /// The connections of each operation so far.
    async fn started_connections(&self, business: &Seeded) -> Vec<ConnectionId> {
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

    async fn note_last_sync(&self, awaited: bool) {
        let last = LastSync {
            at: self.aws.now(),
            awaited,
        };
        let store = self.aws.store();
        let business = &self.business;
        let noted = store.note_sync(business.scope(), business.whatsapp, &last).await;
        noted.expect("the table answers");
    }
}

#[tokio::test]
async fn every_connection_that_sends_whatsapp_is_listed_once() {
    let world = World::new().await;
    let (one, other) = (&world.business, seed::tenant(&world.aws).await);
    for _twice in 0..2 {
        world.run().await;
        assert_eq!(
            world.started_connections(one).await,
            [one.whatsapp],
            "its Twilio connection sends SMS only"
        );
        let both: BTreeSet<_> = world.started_connections(&other).await.into_iter().collect();
        assert_eq!(both, BTreeSet::from([other.twilio, other.whatsapp]));
    }
}

#[tokio::test]
async fn lists_are_due_daily_or_hourly_while_a_verdict_is_awaited() {
    let world = World::new().await;
    world.note_last_sync(false).await;
    for (hours, expected) in [(1, 0), (22, 0), (1, 1)] {
        world.aws.pass(hours * 3_600);
        world.run().await;
        assert_eq!(
            world.started_connections(&world.business).await.len(),
            expected,
            "{hours}"
        );
    }
    world.note_last_sync(true).await;
    world.aws.pass(1_800);
    world.run().await;
    assert_eq!(world.started_connections(&world.business).await.len(), 1);
    world.aws.pass(1_800);
    world.run().await;
    assert_eq!(world.started_connections(&world.business).await.len(), 2);
}

#[tokio::test]
async fn nothing_is_started_for_a_suspended_tenant() {
    let mut world = World::new().await;
    world.business.configured.tenant.status = TenantStatus::Suspended;
    world.business.write(&world.aws).await;
    world.run().await;
    assert!(world.started_connections(&world.business).await.is_empty());
}
