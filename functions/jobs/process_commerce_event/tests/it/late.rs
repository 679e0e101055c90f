//! Telling that an order is late.

use domain::messages::Message;
use domain::notices::Matter;
use domain::people::{NewsState, OrderEvent, Untold};
use domain::tenants::{OrderSettings, Tenant};
use domain::terms::{ContactId, OrderId};
use kit::Done;
use serde_json::json;
use store::table::due::Partition;

use super::{World, messages, parcel, text};

/// Seconds for which orders may wait.
const TWO_DAYS: i64 = 48 * 3_600;

impl World {
    /// An order of this customer that is placed and paid now.
    async fn paid_order(&self, contact: ContactId) -> OrderId {
        let order = self.order(contact).await;
        self.state(order, json!({"payment": "paid"})).await;
        self.run(order).await;
        self.take_sends().await;
        order
    }

    /// The number of rows that are due in a year at the latest.
    async fn due(&self) -> usize {
        let (mut count, until) = (0, self.aws.now() + jiff::SignedDuration::from_hours(365 * 24));
        for partition in Partition::all() {
            let page = self.store().due_page(partition, until, None, 100).await.unwrap();
            count += page.due.iter().filter(|due| !due.is_message()).count();
        }
        count
    }

    async fn told_late(&self, order: OrderId) -> Message {
        self.message_of(&self.news(order, OrderEvent::Late).await).await
    }
}

#[tokio::test]
async fn customer_is_told_once_that_an_order_is_late() {
    let world = World::telling(&OrderEvent::ALL).await;
    let order = world.paid_order(world.customer_with(|_| {}).await).await;
    assert_eq!(world.due().await, 1);
    world.aws.pass(TWO_DAYS - 1);
    assert_eq!(world.run(order).await, Done::Already);
    assert_eq!(world.due().await, 1);
    world.aws.pass(1);
    let before = messages(&world.aws).await;
    let (one, two) = (world.another_process(), world.another_process());
    let (first, second) = tokio::join!(world.try_to_run(&one, order), world.try_to_run(&two, order));
    assert!(first.is_ok() || second.is_ok(), "one of them loses at most");
    assert_eq!(world.run(order).await, Done::Already);
    let late = world.told_late(order).await;
    assert!(text(&late).contains("taking longer than planned"), "{}", text(&late));
    assert_eq!((messages(&world.aws).await, world.due().await), (before + 1, 0));
    let notice = world
        .store()
        .notice(world.scope(), "orders_late")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(notice.value.notice.matter, Matter::OrdersLate { order });
    // What the shop says again is no reason to say it again.
    world.aws.pass(60);
    world.state(order, json!({"payment": "paid"})).await;
    world.aws.pass(2 * TWO_DAYS);
    assert_eq!(world.run(order).await, Done::Already);
    assert_eq!((messages(&world.aws).await, world.due().await), (before + 1, 0));
}

/// A second before it would be late, and a second before its message is sent.
#[tokio::test]
async fn order_that_went_on_is_not_late() {
    for parts in [
        parcel("in_transit"),
        json!({"fulfilment": "cancelled"}),
        json!({"payment": "refunded"}),
    ] {
        let world = World::telling(&[OrderEvent::Created, OrderEvent::Late]).await;
        let contact = world.customer_with(|_| {}).await;
        let (order, told) = (world.paid_order(contact).await, world.paid_order(contact).await);
        world.aws.pass(TWO_DAYS - 1);
        world.state(order, parts.clone()).await;
        assert_eq!(world.due().await, 1, "the other one");
        world.aws.pass(1);
        world.run(order).await;
        assert!(world.read(order).await.value.news_of(OrderEvent::Late).is_none());
        world.run(told).await;
        let late = world.told_late(told).await;
        assert!(late.ended.is_none());
        world.aws.pass(1);
        world.state(told, parts.clone()).await;
        world.run(told).await;
        let ended = world.message(&late).await;
        assert!(ended.ended.is_some(), "{parts}");
    }
}

#[tokio::test]
async fn late_order_says_why_nothing_is_told() {
    let world = World::telling(&[OrderEvent::Created]).await;
    let contact = world.customer_with(|_| {}).await;
    let (order, forgotten) = (world.paid_order(contact).await, world.paid_order(contact).await);
    world.aws.pass(TWO_DAYS);
    assert_eq!(world.run(order).await, Done::Now);
    let told_of = async || {
        let notice = world.store().notice(world.scope(), "orders_late").await.unwrap();
        notice.unwrap().value.notice.matter
    };
    assert_eq!(told_of().await, Matter::OrdersLate { order });
    assert_eq!(
        world.untold(order, OrderEvent::Late).await,
        (Some(Untold::Disabled), None)
    );
    // It is noted a day later than it should be.
    world.aws.pass(24 * 3_600 + 1);
    world.run(forgotten).await;
    assert_eq!(
        world.untold(forgotten, OrderEvent::Late).await,
        (Some(Untold::TooOld), None)
    );
    assert_eq!(world.due().await, 0);
    assert!(world.take_sends().await.is_empty());
    assert_eq!(told_of().await, Matter::OrdersLate { order: forgotten });
}

/// The hours of the settings are those at the time of telling.
#[tokio::test]
async fn orders_wait_as_long_as_the_tenant_lets_them() {
    let world = World::telling(&[OrderEvent::Late]).await;
    let order = world.paid_order(world.customer_with(|_| {}).await).await;
    let allow = |hours: u32| {
        let settings: OrderSettings = serde_json::from_value(json!({"late_after_hours": hours})).unwrap();
        move |tenant: &mut Tenant| tenant.orders = Some(settings)
    };
    world.change_tenant(allow(72)).await;
    world.aws.pass(TWO_DAYS);
    assert_eq!(world.run(order).await, Done::Now);
    assert_eq!((world.read(order).await.value.news.len(), world.due().await), (1, 1));
    world.change_tenant(allow(0)).await;
    world.aws.pass(TWO_DAYS);
    assert_eq!(world.run(order).await, Done::Now);
    assert_eq!((world.read(order).await.value.news.len(), world.due().await), (1, 0));
    world.change_tenant(allow(96)).await;
    world.state(order, json!({"payment": "paid"})).await;
    world.run(order).await;
    assert_eq!(world.news(order, OrderEvent::Late).await.state, NewsState::Told);
}
