//! Limits are counted correctly, however many rows were there before.

use domain::{
    accounts::{account::Invitation, permission::Role},
    base::{actor::Actor, ids::InvitationId},
};
use jiff::SignedDuration;

use crate::world::World;

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
