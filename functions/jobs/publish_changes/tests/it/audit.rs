//! The audit log has every change by people and keys: author, object, before and after; once, and never a secret.

use domain::accounts::{
    Account, Action, ApiKey, AuditEntry, Invitation, KeySecret, Member, PasswordHash, Permission, Role,
};
use domain::messages::OptFlag;
use domain::terms::{Actor, ApiKeyId, InvitationId, Stamp, UserId};
use jiff::SignedDuration;
use store::Versioned;
use store::accounts::Wanted;
use store::contacts::Brought;

use super::*;

const CANARY: &str = "canary-b0a7";

fn stamp(world: &World, actor: Actor, request: &str) -> Stamp {
    Stamp {
        actor,
        at: world.aws.now(),
        correlation_id: request.to_owned(),
    }
}

/// The log, newest first.
pub(crate) async fn log(world: &World) -> Vec<AuditEntry> {
    world.aws.audit_log(world.business.scope()).await
}

/// The rows of the log.
async fn rows(world: &World) -> String {
    let mut rows = world.aws.rows().await;
    rows.retain(|row| {
        row.get("kind")
            .is_some_and(|kind| kind.as_s().is_ok_and(|kind| kind == "audit"))
    });
    assert!(!rows.is_empty(), "the log has rows");
    format!("{rows:?}")
}

pub(crate) async fn seat(world: &mut World, role: Role) -> Versioned<Member> {
    let now = world.aws.now();
    let user = UserId::new(world.aws.ids().ulid());
    let email = format!("{user}@bakery.example").parse().expect("an address");
    let password = PasswordHash(CANARY.to_owned());
    let mut account = Account::new(user, email, "Ann".to_owned(), "en".to_owned(), password, now);
    account.tenants = vec![world.business.tenant()];
    let member = Member::joining(&account, role, now);
    let by = stamp(world, Actor::User(user), "seated");
    let store = world.aws.store();
    let hash = user.to_string();
    let seated = store.seat(world.business.scope(), &account, &hash, &member, &by);
    seated.await.expect("the person is seated");
    world.record().await;
    Versioned {
        value: member,
        version: 1,
    }
}

#[tokio::test]
async fn role_change_is_logged_with_author_and_both_values() {
    let mut world = World::new().await;
    let admin = seat(&mut world, Role::Admin).await.value.user;
    let agent = seat(&mut world, Role::Agent).await;
    let mut after = agent.value.clone();
    after.role = Role::Manager;
    let by = stamp(&world, Actor::User(admin), "promoted");
    let store = world.aws.store();
    let changed = store.change_member(world.business.scope(), &agent, &after, &by);
    changed.await.expect("the member is changed");
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let log = log(&world).await;
    assert_eq!(log.len(), 3, "two people, one change: {log:?}");
    let change = log.iter().find(|entry| entry.action == Action::Changed);
    let entry = change.expect("the change");
    assert_eq!(entry.by, by);
    assert_eq!(
        (entry.kind.as_str(), entry.object.clone()),
        ("member", after.user.to_string())
    );
    assert_eq!(entry.changes.len(), 1);
    assert_eq!(entry.changes[0].field, "role");
    assert_eq!(entry.changes[0].before, Some("agent".into()));
    assert_eq!(entry.changes[0].after, Some("manager".into()));
}

#[tokio::test]
async fn no_secret_reaches_the_audit_log() {
    let mut world = World::new().await;
    let admin = Actor::User(seat(&mut world, Role::Admin).await.value.user);
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    let now = world.aws.now();
    let secret = |sha256: &str| KeySecret {
        sha256: format!("{CANARY}-{sha256}"),
        hint: format!("rbk_{CANARY}"),
        valid_until: None,
        rotation: None,
    };
    let mut key = ApiKey {
        id: ApiKeyId::new(world.aws.ids().ulid()),
        name: "till".to_owned(),
        role: Role::Agent,
        scopes: vec![Permission::TenantRead],
        secrets: vec![secret("1")],
        created_by: admin,
        created_at: now,
        expires_at: None,
        revoked_at: None,
    };
    let by = stamp(&world, admin, "made");
    store.create(&scope, &key, &by).await.expect("a key");
    world.record().await;
    let before = Versioned {
        value: key.clone(),
        version: 1,
    };
    key.secrets = vec![secret("2"), secret("1")];
    let by = stamp(&world, admin, "rotated");
    let rotated = store.change(&scope, &before, &key, &by);
    rotated.await.expect("the key is rotated");
    world.record().await;
    let invitation = Invitation {
        id: InvitationId::new(world.aws.ids().ulid()),
        email: "bob@bakery.example".parse().expect("an address"),
        name: None,
        language: None,
        role: Role::Viewer,
        invited_by: admin,
        created_at: now,
        expires_at: now + SignedDuration::from_hours(1),
        token_sha256: CANARY.to_owned(),
    };
    let by = stamp(&world, admin, "invited");
    store.invite(&scope, &invitation, &by).await.expect("an invitation");
    world.record().await;
    let by = stamp(&world, admin, "withdrawn");
    let invitation = Versioned {
        value: invitation,
        version: 1,
    };
    let withdrawn = store.remove(&scope, &invitation, &by);
    withdrawn.await.expect("it is withdrawn");
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let log = log(&world).await;
    let text = rows(&world).await;
    assert!(!text.contains(CANARY), "{text}");
    let of = |request: &str| {
        let found = log.iter().find(|entry| entry.by.correlation_id == request);
        found.unwrap_or_else(|| panic!("no entry of {request}: {text}"))
    };
    let rotated = of("rotated");
    assert_eq!((rotated.action, rotated.changes.len()), (Action::Changed, 1));
    assert!(rotated.changes[0].field == "secrets" && rotated.changes[0].hidden);
    assert_eq!(of("made").action, Action::Created);
    assert_eq!(
        (of("invited").action, of("withdrawn").action),
        (Action::Created, Action::Removed)
    );
}

/// The log is retained when the address is not.
#[tokio::test]
async fn suppressed_address_is_not_in_the_audit_log() {
    let mut world = World::new().await;
    world.business.suppress(&world.aws, CUSTOMER).await;
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let log = log(&world).await;
    assert_eq!(log.len(), 1, "{log:?}");
    assert_eq!((log[0].kind.as_str(), log[0].action), ("suppression", Action::Created));
    assert!(log[0].object.starts_with("sup_"), "{log:?}");
    let text = rows(&world).await;
    assert!(!text.contains(CUSTOMER.trim_start_matches('+')), "{text}");
}

/// The row of the number led to its contact before.
#[tokio::test]
async fn number_that_a_contact_leaves_is_not_in_the_audit_log() {
    let mut world = World::new().await;
    let stopped = world.business.contact_with(&world.aws, CUSTOMER, |contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", contact.created_at);
    });
    let id = stopped.await.id;
    world.record().await;
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    let before = store.known_person(&scope, id).await.expect("the table answers");
    let before = before.expect("the contact");
    let mut after = before.clone();
    after.contact.phones.clear();
    let by = stamp(&world, Actor::Operator, "removed");
    let brought = Brought::default();
    let changed = store.change_person(&scope, &before, &after, &brought, &by);
    changed.await.expect("the number is removed");
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let log = log(&world).await;
    let of = |kind: &str| {
        let found = log.iter().find(|entry| entry.kind == kind);
        found.expect("an entry")
    };
    assert_eq!(log.len(), 2, "{log:?}");
    assert_eq!(of("contact").action, Action::Changed);
    assert_eq!(of("suppression").action, Action::Created);
    assert!(of("suppression").object.starts_with("sup_"), "{log:?}");
    let text = rows(&world).await;
    assert!(!text.contains(CUSTOMER.trim_start_matches('+')), "{text}");
}

/// The rows of both contacts change with it, too, but have no author of their own.
#[tokio::test]
async fn merge_is_one_object_of_the_audit_log() {
    let mut world = World::new().await;
    let survivor = world.business.contact(&world.aws, CUSTOMER).await.id;
    let other = world.business.contact(&world.aws, "+971502222222").await.id;
    let merge = world.business.merge(&world.aws, survivor, other).await;
    world.record().await;
    world.aws.pass(1);
    world.business.unmerge(&world.aws, merge).await;
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let log = log(&world).await;
    let entries: Vec<_> = log
        .iter()
        .map(|entry| (entry.kind.as_str(), entry.action, entry.object.clone()))
        .collect();
    let of_merge = |action| ("merge", action, merge.to_string());
    assert_eq!(entries, [of_merge(Action::Changed), of_merge(Action::Created)]);
    let text = rows(&world).await;
    assert!(text.contains(&other.to_string()), "{text}");
    assert!(!text.contains(CUSTOMER.trim_start_matches('+')), "{text}");
}

#[tokio::test]
async fn redelivered_change_is_audited_once() {
    let mut world = World::new().await;
    for _ in 0..3 {
        seat(&mut world, Role::Agent).await;
    }
    for shard in [SHARD, SHARD, "shard-2"] {
        world.deliver(shard, &world.records).await;
    }
    world.deliver(SHARD, &world.records[1..]).await;
    assert_eq!(log(&world).await.len(), 3);
}

#[tokio::test]
async fn change_without_an_author_is_not_audited() {
    let mut world = World::new().await;
    world.follow_up(CUSTOMER).await;
    world.deliver(SHARD, &world.records).await;
    assert_eq!(log(&world).await, []);
    // A row whose stamp stayed while we changed an internal field, and its deletion by time to live.
    let member = seat(&mut world, Role::Agent).await;
    let seated = world.records.last().expect("its record").clone();
    let is_member = |record: &&EventRecord| {
        let kind = record.change.new_image.get("kind");
        kind == Some(&serde_dynamo::AttributeValue::S("member".to_owned()))
    };
    let seated = world.records.iter().rev().find(is_member).unwrap_or(&seated).clone();
    let image = seated.change.new_image.clone();
    let unsigned = record(900, image.clone(), image.clone());
    let deleted = record(901, image, Item::default());
    world.deliver(SHARD, &[unsigned, deleted]).await;
    assert_eq!(log(&world).await, [], "{:?}", member.value.user);
    world.deliver(SHARD, &[seated]).await;
    assert_eq!(log(&world).await.len(), 1);
}

#[tokio::test]
async fn log_pages_cross_days_without_repeating_entries() {
    let mut world = World::new().await;
    let begin = world.aws.now();
    for _ in 0..7 {
        seat(&mut world, Role::Agent).await;
        world.aws.pass(9 * 3600);
    }
    world.deliver(SHARD, &world.records).await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let now = world.aws.now();
    for limit in 1..9 {
        let (mut seen, mut after, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = store
                .audit_page(scope, begin, now, after.as_deref(), limit, &Wanted::default())
                .await;
            let page = page.expect("the table answers");
            seen.extend(page.items.into_iter().map(|recorded| recorded.entry.by.at));
            pages += 1;
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
            assert!(pages < 20, "it never ends");
        }
        assert_eq!(seen.len(), 7, "by {limit}");
        assert!(seen.is_sorted_by(|one, next| one > next), "{seen:?}");
    }
    let after_first = begin + SignedDuration::from_secs(1);
    let last = begin + SignedDuration::from_hours(18);
    let page = store
        .audit_page(scope, after_first, last, None, 10, &Wanted::default())
        .await
        .expect("a page");
    assert_eq!(
        page.items.len(),
        1,
        "the bounds are from the first time up to, not including, the last"
    );
    let none = store
        .audit_page(scope, begin, now, Some("2020-01"), 10, &Wanted::default())
        .await;
    assert_eq!(none.expect("a page").items, []);
}
