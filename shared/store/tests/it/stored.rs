//! Stored things stay within the limits of a plan, and are counted anew once a day.

use domain::people::Contact;
use domain::terms::ContactId;
use futures::future::join_all;
use jiff::SignedDuration;
use store::contacts::ContactWrite;
use store::reports::Stored;

use crate::world::World;

#[tokio::test]
async fn races_take_no_more_room_than_there_is() {
    let world = World::new().await;
    let take_of = |of, amount| world.store.take_room(world.scope(), of, amount, 10);
    let take = |amount| take_of(Stored::Contacts, amount);
    let taken = join_all((0..8).map(|_| take(3))).await;
    let taken = taken.into_iter().filter(|taken| matches!(taken, Ok(Ok(())))).count();
    assert_eq!(taken, 3);
    assert_eq!(take(2).await.unwrap(), Err(1), "one is left");
    assert_eq!(take(11).await.unwrap(), Err(1));
    assert_eq!(take(1).await.unwrap(), Ok(()));
    let give_back = |amount| world.store.give_room_back(world.scope(), Stored::Contacts, amount);
    give_back(5).await.unwrap();
    // More than there is.
    give_back(6).await.unwrap();
    assert_eq!(take(6).await.unwrap(), Err(5));
    assert_eq!(
        take_of(Stored::AssetKilobytes, 11).await.unwrap(),
        Err(10),
        "each is counted apart, also before there is any"
    );
}

#[tokio::test]
async fn what_came_otherwise_is_counted_once_a_day() {
    let world = World::new().await;
    let now = world.aws.now();
    for _ in 0..3 {
        let contact = Contact::new(ContactId::new(world.aws.ids().ulid()), now);
        let write = ContactWrite::from(contact);
        world.store.write_contact(world.scope(), &write, None).await.unwrap();
    }
    let left = async || {
        let left = world.store.take_room(world.scope(), Stored::Contacts, 11, 10).await;
        left.unwrap().expect_err("more than the maximum")
    };
    assert_eq!(left().await, 10);
    assert!(world.store.count_stored(world.scope(), now).await.unwrap());
    assert_eq!(left().await, 7);
    let hour = SignedDuration::from_hours(1);
    assert!(!world.store.count_stored(world.scope(), now + hour).await.unwrap());
    assert!(world.store.count_stored(world.scope(), now + 24 * hour).await.unwrap());
    assert_eq!(left().await, 7);
}
