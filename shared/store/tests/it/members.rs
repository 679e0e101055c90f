//! Members of a tenant.

use domain::accounts::{Account, Invitation, Member, PasswordHash, Role};
use domain::terms::{Actor, InvitationId, UserId};
use jiff::SignedDuration;
use store::Versioned;
use store::accounts::MemberError;

use crate::world::World;

/// Accepts an invitation of this person. `before`: the version of the account.
async fn join(world: &World, account: &Account, before: u64) -> Member {
    let (store, scope, stamp, now) = (&world.store, world.scope(), world.stamp(), world.aws.now());
    let id = InvitationId::new(world.aws.ids().ulid());
    let value = Invitation {
        id,
        email: account.email.clone(),
        name: None,
        language: None,
        role: Role::Agent,
        invited_by: Actor::Operator,
        created_at: now,
        expires_at: now + SignedDuration::from_hours(1),
        token_sha256: id.to_string(),
    };
    let invited = store.invite(scope, &value, &stamp).await;
    invited.expect("they are invited");
    let invitation = Versioned { value, version: 1 };
    let member = Member::joining(account, Role::Agent, now);
    let joined = store.join(scope, &invitation, account, before, "hash", &member, None, &stamp);
    joined.await.expect("they join");
    member
}

/// Whoever read the former membership does not change the new one, which has its key.
#[tokio::test]
async fn member_who_joins_again_is_not_the_one_read_before() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let account = Account::new(
        UserId::new(world.aws.ids().ulid()),
        "ann@example.com".parse().unwrap(),
        "Ann".to_owned(),
        "en".to_owned(),
        PasswordHash("hash".to_owned()),
        world.aws.now(),
    );
    join(&world, &account, 0).await;
    let read = async || store.get::<Member>(scope, &account.id).await.unwrap().unwrap();
    let former = read().await;
    store.remove(scope, &former, &stamp).await.unwrap();
    world.aws.pass(1);
    let mut after = join(&world, &account, 1).await;
    after.role = Role::Viewer;
    let late = store.change_member(scope, &former, &after, &stamp).await;
    assert!(matches!(late, Err(MemberError::Store(error)) if error.is_conflict()));
    store.change_member(scope, &read().await, &after, &stamp).await.unwrap();
    assert_eq!(read().await.value.role, Role::Viewer);
}
