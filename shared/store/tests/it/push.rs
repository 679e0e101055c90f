//! Devices are kept per person, and the people of a tenant who have one are known.

use domain::live::{PushSubscription, SUBSCRIPTIONS_KEPT_FOR};
use domain::terms::{SessionId, UserId};
use jiff::SignedDuration;

use crate::world::World;

fn device(world: &World, user: UserId, endpoint: &str) -> PushSubscription {
    PushSubscription {
        id: PushSubscription::id_of(endpoint),
        user,
        session: SessionId::new(world.aws.ids().ulid()),
        endpoint: endpoint.to_owned(),
        p256dh: "BCVx".to_owned(),
        auth: "BTBZ".to_owned(),
        device: None,
        created_at: world.aws.now(),
        expires_at: world.aws.now() + SUBSCRIPTIONS_KEPT_FOR,
    }
}

#[tokio::test]
async fn devices_are_kept_per_person_until_they_expire() {
    let world = World::new().await;
    let store = &world.store;
    let [maya, tom] = [0, 1].map(|_| UserId::new(world.aws.ids().ulid()));
    let (phone, laptop) = (
        device(&world, maya, "https://push/1"),
        device(&world, maya, "https://push/2"),
    );
    let toms = device(&world, tom, "https://push/1");
    for device in [&phone, &laptop] {
        store.keep_push_subscription(device).await.unwrap();
    }
    let known = async |user| store.push_subscriptions(user, world.aws.now()).await.unwrap();
    assert_eq!((known(maya).await.len(), known(tom).await.len()), (2, 0));
    // Another person uses the browser.
    store.keep_push_subscription(&toms).await.unwrap();
    assert_eq!(known(tom).await, [toms]);
    assert_eq!(known(maya).await, std::slice::from_ref(&laptop));
    store.keep_push_subscription(&phone).await.unwrap();
    assert_eq!((known(maya).await.len(), known(tom).await.len()), (2, 0));
    // The same device with other keys.
    let again = PushSubscription {
        auth: "AAAA".to_owned(),
        expires_at: phone.expires_at + SignedDuration::from_hours(24),
        ..phone
    };
    store.keep_push_subscription(&again).await.unwrap();
    assert!(known(maya).await.contains(&again) && known(maya).await.len() == 2);
    store.forget_push_subscription(maya, laptop.id).await.unwrap();
    store.forget_push_subscription(maya, laptop.id).await.unwrap();
    assert_eq!(known(maya).await, [again]);
    world.aws.pass(30 * 24 * 3_600);
    assert_eq!(known(maya).await.len(), 1);
    world.aws.pass(24 * 3_600);
    assert_eq!(known(maya).await, []);
}

#[tokio::test]
async fn people_with_devices_are_known_in_their_tenant() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let mut people: Vec<UserId> = (0..5).map(|_| UserId::new(world.aws.ids().ulid())).collect();
    people.sort();
    assert_eq!(store.reachable(scope, now).await.unwrap(), []);
    // At the same moment, and again.
    for _ in 0..2 {
        let noting = people.iter().map(|user| store.note_reachable(scope, *user, now));
        futures::future::try_join_all(noting).await.unwrap();
    }
    let mut known = store.reachable(scope, now).await.unwrap();
    known.sort();
    assert_eq!(known, people);
    assert_eq!(
        store.reachable(scope, now + SUBSCRIPTIONS_KEPT_FOR * 2).await.unwrap(),
        []
    );
}
