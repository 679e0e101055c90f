//! Orders: a number leads to one, lists by day and by state follow its changes, and nothing of it stays when it is erased.

use domain::Timestamp;
use domain::money::{Product, ProductIn};
use domain::people::{FulfilmentState, Order, OrderContents, OrderReport, PaymentState};
use domain::terms::{ContactId, OrderId, Resource as _, UpTo};
use jiff::SignedDuration;
use serde_json::json;
use store::contacts::{NotCreated, OrderNotCreated};
use store::reports::{OrderFilter, Wanted};
use testkit::business::CUSTOMER;

use crate::world::World;

const OTHER: &str = "+971502222222";

fn contents(placed_at: Timestamp) -> OrderContents {
    let item = json!({"name": "Honey cake", "sku": "cake-1", "quantity": 1});
    let fields = json!({"placed_at": placed_at, "currency": "AED", "totals": {"total": 12_050}, "items": [item]});
    serde_json::from_value(fields).expect("contents")
}

fn report(updated_at: Timestamp) -> OrderReport {
    OrderReport {
        updated_at,
        contents: None,
        payment: None,
        fulfilment: None,
        shipments: UpTo::new(),
    }
}

/// An order of this contact that was placed now.
fn order(world: &World, contact: ContactId, number: &str) -> Order {
    let (id, now) = (OrderId::new(contact, world.aws.ids().ulid()), world.aws.now());
    let number = number.parse().expect("a number");
    Order::new(id, number, contents(now), &report(now), None, now)
}

async fn create(world: &World, order: &Order) -> Result<(), OrderNotCreated> {
    world.store.create_order(world.scope(), order, &world.stamp()).await
}

/// Reads an order, takes over a report, and writes it.
async fn take(world: &World, id: OrderId, report: &OrderReport) -> u64 {
    let (store, scope) = (&world.store, world.scope());
    let before = store
        .order(scope, id)
        .await
        .expect("the table answers")
        .expect("the order");
    let mut after = before.value.order;
    after.take(report);
    let changed = store.change_order(scope, before.version, &after, &world.stamp()).await;
    changed.expect("nobody else changes it")
}

/// All pages of two orders of the last week: their numbers.
async fn list_numbers(world: &World, filter: OrderFilter) -> Vec<String> {
    let (mut after, mut numbers) = (None, Vec::new());
    for _page in 0..10 {
        let wanted = Wanted {
            from: world.aws.now() - SignedDuration::from_hours(7 * 24),
            to: world.aws.now() + SignedDuration::from_hours(1),
            after,
            limit: 2,
            now: world.aws.now(),
        };
        let page = world.store.orders_of_period(world.scope(), filter, &wanted).await;
        let page = page.expect("the table answers");
        numbers.extend(
            page.items
                .into_iter()
                .map(|known| known.order.number.as_str().to_owned()),
        );
        match page.next {
            Some(next) => after = Some(next.parse().expect("a position")),
            None => return numbers,
        }
    }
    panic!("the list does not end: {numbers:?}");
}

const UNFULFILLED: OrderFilter = OrderFilter {
    payment: None,
    fulfilment: Some(FulfilmentState::Unfulfilled),
};

#[tokio::test]
async fn number_belongs_to_one_order() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let contact = world.contact(CUSTOMER).await.id;
    let first = order(&world, contact, "1042");
    create(&world, &first).await.unwrap();
    let again = create(&world, &first).await.unwrap_err();
    assert!(matches!(again, OrderNotCreated::Other(NotCreated::Store(lost)) if lost.is_conflict()));
    let other = order(&world, contact, "1042");
    assert!(matches!(create(&world, &other).await, Err(OrderNotCreated::Taken)));
    assert_eq!(store.order(scope, other.id).await.unwrap(), None);
    let found = store.order_with_number(scope, &first.number).await.unwrap();
    assert_eq!(found.unwrap().value.order, first);
    let stranger = ContactId::new(world.aws.ids().ulid());
    let nobodys = create(&world, &order(&world, stranger, "1043")).await;
    assert!(matches!(nobodys, Err(OrderNotCreated::Other(NotCreated::NoContact))));
    assert_eq!(
        store.order_with_number(scope, &"1043".parse().unwrap()).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn lists_follow_the_day_and_the_state() {
    let world = World::new().await;
    let contact = world.contact(CUSTOMER).await.id;
    let mut ids = Vec::new();
    for number in ["1", "2", "3", "4", "5"] {
        let new = order(&world, contact, number);
        create(&world, &new).await.unwrap();
        ids.push(new.id);
        world.aws.pass(1);
    }
    assert_eq!(
        list_numbers(&world, OrderFilter::default()).await,
        ["5", "4", "3", "2", "1"]
    );
    assert_eq!(list_numbers(&world, UNFULFILLED).await, ["5", "4", "3", "2", "1"]);
    let now = world.aws.now();
    let paid = OrderReport {
        payment: Some(PaymentState::Paid),
        fulfilment: Some(FulfilmentState::Fulfilled),
        ..report(now)
    };
    assert_eq!(take(&world, ids[3], &paid).await, 2);
    // The shop corrects the time of ordering: it moves to another day.
    let earlier = OrderReport {
        contents: Some(contents(now - SignedDuration::from_hours(48))),
        ..report(now)
    };
    take(&world, ids[4], &earlier).await;
    assert_eq!(
        list_numbers(&world, OrderFilter::default()).await,
        ["4", "3", "2", "1", "5"]
    );
    assert_eq!(list_numbers(&world, UNFULFILLED).await, ["3", "2", "1", "5"]);
    let payment = OrderFilter {
        payment: Some(PaymentState::Paid),
        fulfilment: None,
    };
    assert_eq!(list_numbers(&world, payment).await, ["4"]);
}

/// A report that was read before another delivery was written writes nothing.
#[tokio::test]
async fn overtaken_change_writes_nothing() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let new = order(&world, world.contact(CUSTOMER).await.id, "1042");
    create(&world, &new).await.unwrap();
    let before = store.order(scope, new.id).await.unwrap().unwrap();
    take(&world, new.id, &report(world.aws.now())).await;
    let late = store.change_order(scope, before.version, &new, &stamp).await;
    assert!(late.unwrap_err().is_conflict());
}

#[tokio::test]
async fn order_of_a_merged_contact_is_the_survivors() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let survivor = world.contact(CUSTOMER).await.id;
    let other = world.contact(OTHER).await.id;
    let new = order(&world, other, "1042");
    create(&world, &new).await.unwrap();
    world.business.merge(&world.aws, survivor, other).await;
    let found = store.order(scope, new.id).await.unwrap().unwrap().value;
    assert_eq!((found.order, found.contact.contact.id), (new.clone(), survivor));
    let of_survivor = store.of_contact::<Order>(scope, survivor, new.id).await.unwrap();
    assert_eq!(of_survivor.unwrap().value, new);
    assert_eq!(list_numbers(&world, OrderFilter::default()).await, ["1042"]);
}

#[tokio::test]
async fn erased_order_leaves_no_number() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let contact = world.contact(CUSTOMER).await.id;
    let new = order(&world, contact, "1042");
    create(&world, &new).await.unwrap();
    while store.erase_history_page(scope, contact, &[contact]).await.unwrap().more {}
    assert_eq!(store.order(scope, new.id).await.unwrap(), None);
    create(&world, &order(&world, contact, "1042"))
        .await
        .expect("the number is free");
}

#[tokio::test]
async fn known_sku_finds_the_product() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let placed = contents(world.aws.now());
    assert!(store.ordered_products(scope, &placed).await.unwrap().is_empty());
    let fields: ProductIn = serde_json::from_value(json!({"name": "Honey cake", "sku": "cake-1"})).unwrap();
    let product = Product::new(world.aws.ids().ulid(), fields, world.aws.now());
    store.create(scope, &product, &world.stamp()).await.unwrap();
    let found = store.ordered_products(scope, &placed).await.unwrap();
    assert_eq!(found, [("cake-1".to_owned(), product.id)].into());
}
