//! Limits are counted correctly, however many rows were there before.

use domain::accounts::{Invitation, Role};
use domain::terms::{Actor, InvitationId, UserId};
use futures::future::join_all;
use jiff::SignedDuration;

use crate::world::World;

#[tokio::test]
async fn requests_stay_within_the_limits_of_caller_and_tenant() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let person = || Actor::User(UserId::new(world.aws.ids().ulid()));
    let (ann, ben, cas) = (person(), person(), person());
    let ask = async |caller, times: usize| {
        let asked = (0..times).map(|_| store.take_request(scope, caller, 10, 15, now));
        let asked = join_all(asked).await.into_iter().map(Result::unwrap);
        asked.partition::<Vec<_>, _>(|allowance| allowance.is_within())
    };
    let (within, over) = ask(ann, 14).await;
    assert_eq!((within.len(), over.len()), (10, 4));
    assert!(within.iter().any(|allowance| allowance.remaining == Some(0)));
    assert!(
        over.iter().all(|allowance| allowance.limit == 10),
        "her own limit is reached"
    );
    // What was refused does not count for the tenant.
    let (within, over) = ask(ben, 7).await;
    assert_eq!((within.len(), over.len()), (5, 2));
    assert!(within.iter().all(|allowance| allowance.limit == 10));
    assert!(
        over.iter().all(|allowance| allowance.limit == 15),
        "the tenant's limit is reached"
    );
    let (within, _) = ask(cas, 1).await;
    assert!(within.is_empty());
    let later = now + SignedDuration::from_mins(1);
    let anew = store.take_request(scope, cas, 10, 15, later).await.unwrap();
    assert_eq!(anew.remaining, Some(9));
}

#[tokio::test]
async fn open_invitation_is_found_behind_a_thousand_withdrawn() {
    let world = World::new().await;
    world
        .put_many(1_100, |number| {
            [
                ("pk", format!("{}#IAM", world.partition())),
                // Older than any real one.
                ("sk", format!("INVITE#inv_{number:026}")),
                ("kind", "invitation".to_owned()),
                ("gone", "true".to_owned()),
            ]
            .into()
        })
        .await;
    let now = world.aws.now();
    let stamp = world.stamp();
    let invitation = Invitation {
        id: InvitationId::new(world.aws.ids().ulid()),
        email: "ann@example.com".parse().unwrap(),
        name: None,
        language: None,
        role: Role::Agent,
        invited_by: Actor::Operator,
        created_at: now,
        expires_at: now + SignedDuration::from_hours(1),
        token_sha256: "hash".to_owned(),
    };
    let (store, scope) = (&world.store, world.scope());
    store.invite(scope, &invitation, &stamp).await.unwrap();
    let counted = store.people(scope, now).await.unwrap();
    let found: Vec<_> = counted.found.invitations.iter().map(|open| open.value.id).collect();
    assert_eq!(found, [invitation.id]);
}
