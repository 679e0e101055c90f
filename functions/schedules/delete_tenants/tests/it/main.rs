//! Deleting tenants that have left, in process against the emulator's table.

use delete_tenants::{Context, handle};
use domain::accounts::{Invitation, Role};
use domain::calls::{Call, CallProgress, Grounds};
use domain::media::InboundMedia;
use domain::messages::Content;
use domain::people::{Contact, Identity};
use domain::telephony::{CallFacts, CallProvider, Outcome, Party};
use domain::tenants::{Tenant, TenantStatus};
use domain::terms::{Actor, AssetId, CallId, ContactId, Facts, InvitationId, TenantId};
use jiff::{SignedDuration, Timestamp};
use kit::{FileKey, Files};
use store::TenantScope;
use store::contacts::ContactWrite;
use store::table::effects::{Effects, Once};
use store::tenants::PlatformAct;
use testkit::api::Town;
use testkit::business::{CUSTOMER, business, missed_call_facts};
use testkit::{Aws, samples};

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    fn act(&self, action: &str) -> PlatformAct {
        PlatformAct {
            action: action.to_owned(),
            tenant: Some(self.business.tenant()),
            by: self.aws.stamp(),
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
        let run = Box::pin(handle(self.aws.deadline(seconds), &self.ctx));
        run.await.expect("the run ends well");
    }

    /// Rows that were in progress when the tenant's row was deleted have arrived by then.
    async fn run_again(&self) {
        self.aws.pass(600);
        self.run(60).await;
    }

    /// Lets the tenant leave, and deletes it with what was written meanwhile.
    async fn delete(&self) {
        self.leave(0).await;
        self.run(60).await;
        self.run_again().await;
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
async fn tenant_is_deleted_entirely_when_its_grace_period_ends() {
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
    // Only the list entry for a later look and the platform's log are left.
    assert_eq!((world.log_length().await, world.aws.row_count().await), (1, 2));
    world.aws.pass(599);
    world.run(60).await;
    assert_eq!((world.log_length().await, world.aws.row_count().await), (1, 2));
    world.aws.pass(1);
    world.run(60).await;
    // The request to delete it, and the deletion.
    assert_eq!((world.log_length().await, world.aws.row_count().await), (2, 2));
}

/// No key of the tenant leads to them, only the texts of messages. Another business's stay.
#[tokio::test]
async fn tracked_links_of_a_deleted_tenant_are_deleted() {
    let world = World::new().await;
    let aws = &world.aws;
    let elsewhere = Box::pin(business(aws)).await;
    for business in [&world.business, &elsewhere] {
        let mut message = Box::pin(business.follow_up(aws, CUSTOMER)).await;
        let code = business.track(aws, message.id, &["https://saffron.example/maya"]).await;
        message.plan[1].content = Content::Text(format!("https://example.test/l/{}0", code.as_str()));
        let written = aws.store().write_message(business.scope(), &message).await;
        written.expect("the message is written");
    }
    world.delete().await;
    let rows = aws.rows().await;
    let links = rows.iter().filter(|row| samples::text(row, "kind") == "tracked_links");
    let tenants: Vec<_> = links
        .map(|row| samples::text(row["data"].as_m().expect("data"), "tenant"))
        .collect();
    assert_eq!(tenants, [elsewhere.tenant().to_string()]);
}

/// No rule of the bucket deletes them.
#[tokio::test]
async fn files_of_a_deleted_tenant_are_deleted_with_its_rows() {
    let world = World::new().await;
    let (aws, business) = (&world.aws, &world.business);
    let files = Files::new(aws.env()).expect("a bucket");
    let contact = business.contact(aws, CUSTOMER).await;
    let media = vec![InboundMedia::new("7".to_owned())];
    let message = business.receive_media(aws, contact.id, media, |_| {}).await.id;
    business
        .store_fetched_medium(aws, message, 0, "image/png", b"picture")
        .await;
    let asset = |scope: &TenantScope| FileKey::asset(scope, AssetId::new(aws.ids().ulid()));
    let other = aws.scope(TenantId::new(aws.ids().ulid()));
    for scope in [business.scope(), &other] {
        files
            .write(&asset(scope), b"menu".to_vec())
            .await
            .expect("it is written");
    }
    world.leave(0).await;
    world.run(60).await;
    assert!(aws.files("media/").await.is_empty());
    let left = aws.files("assets/").await;
    assert_eq!(left.len(), 1, "the other tenant's: {left:?}");
    // A job that was fetching another.
    let late = FileKey::medium(business.scope(), message, 1);
    files.write(&late, b"late".to_vec()).await.expect("it is written");
    world.run_again().await;
    assert!(aws.files("media/").await.is_empty());
    assert_eq!((world.log_length().await, aws.row_count().await), (2, 2));
}

/// Accounts stay with people who belong to other tenants, too.
#[tokio::test]
async fn people_keys_and_names_of_a_deleted_tenant_are_deleted() {
    let aws = Aws::new().await;
    let town = Box::pin(Town::new(&aws, |_| Ok(Default::default()))).await;
    let (store, scope) = (aws.store(), town.home.scope());
    let id = InvitationId::new(aws.ids().ulid());
    let invitation = Invitation {
        id,
        email: "guest@example.org".parse().expect("an address"),
        name: None,
        language: None,
        role: Role::Viewer,
        invited_by: Actor::Operator,
        created_at: aws.now(),
        expires_at: aws.now() + SignedDuration::from_hours(24),
        token_sha256: "0".repeat(64),
    };
    store
        .invite(scope, &invitation, &aws.stamp())
        .await
        .expect("the invitation is written");
    let before = store.tenant(scope).await.expect("the table answers").expect("a tenant");
    let mut after = before.clone();
    after.status = TenantStatus::Leaving;
    after.leaves_at = Some(aws.now());
    let act = PlatformAct {
        action: "tenant_leaving".to_owned(),
        tenant: Some(town.home.tenant),
        by: aws.stamp(),
        detail: serde_json::json!({}),
    };
    let changed = store.change_tenant_for_platform(scope, &before, &after, &act, "tenant_leaving");
    changed.await.expect("nobody else changes it");
    let ctx = Context::new(aws.env()).expect("a context");
    let run = Box::pin(handle(aws.deadline(60), &ctx));
    run.await.expect("the run ends well");
    assert_eq!(store.tenant(scope).await.expect("the table answers"), None);
    for (house, free) in [(&town.home, true), (&town.away, false)] {
        let is_free = store.is_slug_free(&house.slug, aws.now()).await;
        assert_eq!(is_free.expect("the table answers"), free);
    }
}

#[tokio::test]
async fn a_tenant_stays_listed_until_its_files_are_gone() {
    let world = World::new().await;
    let files = Files::new(world.aws.env()).expect("a bucket");
    let asset = FileKey::asset(world.business.scope(), AssetId::new(world.aws.ids().ulid()));
    files.write(&asset, b"menu".to_vec()).await.expect("it is written");
    world.leave(0).await;
    // No time is left.
    world.run(5).await;
    assert!(world.tenant().await.is_some());
    assert_eq!(world.aws.files("assets/").await.len(), 1);
    world.run(60).await;
    assert_eq!(
        (world.tenant().await, world.aws.files("assets/").await.len()),
        (None, 0)
    );
}

#[tokio::test]
async fn late_writes_of_a_deleted_tenant_are_deleted() {
    let world = World::new().await;
    world.business.contact(&world.aws, CUSTOMER).await;
    world.leave(0).await;
    world.run(60).await;
    assert_eq!((world.tenant().await, world.aws.row_count().await), (None, 2));
    // A job that had read the tenant before.
    world.business.contact(&world.aws, "+971501000002").await;
    world.run_again().await;
    assert_eq!((world.log_length().await, world.aws.row_count().await), (2, 2));
}

#[tokio::test]
async fn tenants_that_stay_do_not_block_deletions() {
    let mut world = World::new().await;
    let leaving = Box::pin(business(&world.aws)).await;
    // Writing a whole tenant again loses its entry in the list.
    for _ in 0..25 {
        world.leave(0).await;
        world.business.write(&world.aws).await;
        world.aws.pass(1);
    }
    let left = world.aws.store().tenants_to_delete(Timestamp::MAX, None, 100).await;
    assert_eq!(left.expect("the table answers").len(), 25);
    world.business = leaving;
    world.leave(0).await;
    world.run(60).await;
    assert_eq!(world.tenant().await, None);
    world.run_again().await;
    let left = world.aws.store().tenants_to_delete(Timestamp::MAX, None, 100).await;
    assert_eq!(left.expect("the table answers"), []);
}

#[tokio::test]
async fn tenant_that_cannot_be_deleted_does_not_block_others() {
    let mut world = World::new().await;
    let another = Box::pin(business(&world.aws)).await;
    let connections = world.business.tenant().to_string().replace("tnt_", "T#") + "#CONN";
    let broken = [
        ("pk", connections.as_str()),
        ("sk", "CONN#broken"),
        ("kind", "connection"),
        ("data", "no connection"),
    ];
    world.aws.put_row(&broken).await;
    world.leave(0).await;
    world.aws.pass(1);
    world.business = another;
    world.leave(0).await;
    let failed = Box::pin(handle(world.aws.deadline(60), &world.ctx)).await;
    assert!(failed.is_err(), "it is said");
    assert_eq!(world.tenant().await, None);
}

#[tokio::test]
async fn tenant_that_stays_loses_nothing() {
    let world = World::new().await;
    Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    world.leave(3600).await;
    world
        .change("tenant_deletion_cancelled", |tenant| {
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
async fn run_out_of_time_is_continued_by_the_next() {
    let world = World::new().await;
    Box::pin(world.business.follow_up(&world.aws, CUSTOMER)).await;
    world.leave(0).await;
    world.run(1).await;
    assert!(world.tenant().await.is_some());
    world.run(60).await;
    assert_eq!(world.tenant().await, None);
}

#[tokio::test]
async fn deletion_leaves_other_tenants_untouched() {
    let mut world = World::new().await;
    let neighbour = Box::pin(business(&world.aws)).await;
    let kept = world.aws.row_count().await;
    (world.ctx, world.business) = (world.another_process(), neighbour);
    let rows_of_one = kept / 2;
    world.delete().await;
    assert_eq!(world.tenant().await, None);
    // The other tenant's rows, and two of the platform's log.
    assert_eq!(world.aws.row_count().await, kept - rows_of_one + 2);
}

#[tokio::test]
async fn callers_without_a_number_are_deleted_without_their_calls() {
    let world = World::new().await;
    let callers = [
        Identity::Sip("sip:ann@example.org".to_owned()),
        Identity::Withheld(world.business.twilio),
    ];
    for identity in callers {
        let id = ContactId::new(world.aws.ids().ulid());
        let contact = Contact::first_seen(id, &identity, world.aws.now());
        let write = ContactWrite::new(contact, identity);
        let store = world.aws.store();
        let written = store.write_contact(world.business.scope(), &write, None).await;
        written.expect("the contact is written");
    }
    world.delete().await;
    assert_eq!(world.tenant().await, None);
    // The platform's log.
    assert_eq!(world.aws.row_count().await, 2);
}

#[tokio::test]
async fn frequent_caller_without_a_number_is_deleted() {
    let world = World::new().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let identity = Identity::Withheld(world.business.telephony);
    let id = ContactId::new(world.aws.ids().ulid());
    let mut contact = Contact::first_seen(id, &identity, now);
    let mut new_identities = vec![identity];
    for _ in 0..3 {
        let id = CallId::new(id, world.aws.ids().ulid());
        let facts = CallFacts {
            from: Some(Party::Withheld),
            ..missed_call_facts(CUSTOMER)
        };
        let call = Call {
            id,
            connection: world.business.telephony,
            provider: CallProvider::Telephony,
            provider_call_id: id.to_string(),
            facts: facts.clone(),
            outcome: Outcome::Missed,
            decided_at: now,
            decision: "no message: the caller is withheld".to_owned(),
            reason: "withheld".to_owned(),
            because: Facts::NONE,
            grounds: Grounds::default(),
            message: None,
            decided_again: 0,
            recovered: 0,
            noted_at: None,
            remarks: Vec::new(),
            correlation_id: "test".to_owned(),
            keep_until: None,
            version: 1,
        };
        let progress = CallProgress {
            connection: call.connection,
            provider: call.provider,
            provider_call_id: call.provider_call_id.clone(),
            facts,
            first_seen: now,
            decided: Some(id),
            due: None,
            dispatches: 0,
            correlation_id: "test".to_owned(),
            version: 0,
        };
        let effects = Effects {
            once: Once::Decided {
                progress: &progress,
                call: &call,
            },
            people: vec![ContactWrite {
                new_identities: std::mem::take(&mut new_identities),
                ..ContactWrite::from(contact.clone())
            }],
            ..Effects::default()
        };
        store.commit(scope, effects, now).await.expect("the call is written");
        contact.version += 1;
    }
    world.delete().await;
    // The platform's log.
    assert_eq!((world.tenant().await, world.aws.row_count().await), (None, 2));
}
