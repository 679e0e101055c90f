//! Reports of a shop at Shopify, by its fixtures, whose times are moved so that all of them are of the last hour.

use domain::people::{FulfilmentState, Identity, NewsState, Order, OrderEvent, PaymentState, ShopOrder, ShopReport};
use domain::terms::{ConnectionId, OrderId};
use jiff::{SignedDuration, Timestamp};
use jobs::CommerceJob;
use kit::{Done, Job, QueueName};
use process_commerce_event::handle;
use serde_json::{Value, json};
use testkit::fixtures;

use super::{World, messages};

/// The latest time in the fixtures.
const END: &str = "2026-11-20T08:00:00Z";

pub(super) fn connection() -> ConnectionId {
    ConnectionId::new("01JD0000000000000000000000".parse().unwrap())
}

/// A fixture's body with these fields, as its webhook queues it.
fn read(name: &str, change: &Value, now: Timestamp) -> ShopReport {
    let mut body = fixtures::json(&format!("shopify/{name}.json"));
    for (field, value) in change.as_object().unwrap() {
        body[field] = value.clone();
    }
    let topic = if name.starts_with("fulfillments") {
        "fulfillments/update"
    } else {
        "orders/updated"
    };
    let read = providers::shops::shopify::report(topic, body.to_string().as_bytes());
    let mut report = read.unwrap().unwrap();
    // Two days become 48 minutes.
    let moved = |at: Timestamp| now - (END.parse::<Timestamp>().unwrap().duration_since(at) / 60);
    report.parts.updated_at = moved(report.parts.updated_at);
    if let Some(contents) = &mut report.parts.contents {
        contents.placed_at = moved(contents.placed_at);
    }
    for shipment in report.parts.shipments.iter_mut() {
        shipment.updated_at = shipment.updated_at.map(moved);
    }
    report
}

/// All fixtures of the first order, and that it is cancelled in the end.
fn read_fixtures(now: Timestamp) -> Vec<ShopReport> {
    let names = [
        "orders_create",
        "orders_paid",
        "fulfillments_create",
        "orders_fulfilled",
        "fulfillments_update",
    ];
    let mut all: Vec<ShopReport> = names.map(|name| read(name, &json!({}), now)).into();
    let cancelled = json!({"cancelled_at": "2026-11-20T07:50:00Z", "updated_at": "2026-11-20T07:50:01Z"});
    all.push(read("orders_fulfilled", &cancelled, now));
    all
}

impl World {
    fn job(&self, report: &ShopReport, received_at: Timestamp) -> CommerceJob {
        CommerceJob::Report {
            tenant: self.business.tenant(),
            correlation_id: "webhook".to_owned(),
            connection: connection(),
            report: Box::new(report.clone()),
            received_at,
        }
    }

    async fn take_over(&self, report: &ShopReport) -> Done {
        let job = self.job(report, self.aws.now());
        handle(Job::new(job, 1), &self.ctx).await.unwrap()
    }

    /// Takes a report over and tells the news. Returns the number of messages that are sent.
    pub(super) async fn take_and_tell(&self, report: &ShopReport) -> usize {
        self.take_over(report).await;
        for job in self.aws.take_jobs::<CommerceJob>(QueueName::CommerceEvents).await {
            assert!(matches!(job, CommerceJob::TellNews { .. }), "{job:?}");
            handle(Job::new(job, 1), &self.ctx).await.unwrap();
        }
        self.take_sends().await.len()
    }

    pub(super) async fn id_of(&self, report: &ShopReport) -> Option<OrderId> {
        let shop = ShopOrder {
            connection: connection(),
            order: report.order.clone(),
        };
        self.store().order_of_shop(self.scope(), &shop).await.unwrap()
    }

    pub(super) async fn order_of(&self, report: &ShopReport) -> Order {
        let id = self.id_of(report).await.expect("it is recorded");
        self.read(id).await.value
    }
}

#[tokio::test]
async fn each_event_of_a_shop_is_told_once() {
    let world = World::telling(&OrderEvent::ALL).await;
    let reports = read_fixtures(world.aws.now());
    let mut sent = Vec::new();
    for report in &reports {
        for _ in 0..3 {
            sent.push(world.take_and_tell(report).await);
        }
    }
    // Placed, shipped, cancelled: each by the first of three deliveries.
    assert_eq!(sent, [1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);
    for report in reports.iter().rev() {
        assert_eq!(world.take_and_tell(report).await, 0, "none after the cancellation");
    }
    assert_eq!(messages(&world.aws).await, 3);
    let order = world.order_of(&reports[0]).await;
    assert_eq!((order.number.as_str(), order.created_by.is_some()), ("#HL1042", false));
    assert_eq!(
        (order.payment, order.fulfilment),
        (PaymentState::Paid, FulfilmentState::Cancelled)
    );
    let told = order.news.iter().filter(|news| news.state == NewsState::Told);
    assert_eq!(told.count(), 3);
    let person = world.person(order.id.contact()).await;
    assert_eq!(person.contact.phones, ["+353209100143".parse().unwrap()]);
    assert_eq!(person.shown_name().as_deref(), Some("Ana Demonstração"));
    assert_eq!(person.contact.emails, ["ana.demo@example.com".parse().unwrap()]);
}

/// Every report three times, in any order, some of them hours late: the order is the same, and nothing is told after its cancellation.
#[tokio::test]
async fn order_is_the_same_whatever_the_sequence() {
    let world = World::telling(&OrderEvent::ALL).await;
    let start = world.aws.now();
    let mut first: Option<Order> = None;
    // Steps without a divisor in common with the number of reports: each report has its turn.
    for step in [1_usize, 5, 7, 11, 13, 17] {
        let mut reports: Vec<ShopReport> = (0..3).flat_map(|_| read_fixtures(start)).collect();
        for report in &mut reports {
            report.order = step.to_string().parse().unwrap();
        }
        let (mut waiting, mut is_cancelled) = (Vec::new(), false);
        for place in 0..reports.len() {
            let report = &reports[(step + place * step) % reports.len()];
            if world.id_of(report).await.is_none() && report.placed.is_none() {
                world.take_over(report).await;
                waiting.push(report.clone());
                continue;
            }
            let sent = world.take_and_tell(report).await;
            assert!(sent == 0 || !is_cancelled, "{step}: told after the cancellation");
            is_cancelled |= report.parts.fulfilment == Some(FulfilmentState::Cancelled);
            world.aws.pass(if place == 8 { 3 * 3600 } else { 1 });
        }
        for report in &waiting {
            assert_eq!(world.take_and_tell(report).await, 0);
        }
        let order = world.order_of(&reports[0]).await;
        assert!(order.news.iter().filter(|news| news.state == NewsState::Told).count() <= 3);
        let first = first.get_or_insert_with(|| order.clone());
        let same = Order {
            id: first.id,
            shop: first.shop.clone(),
            news: first.news.clone(),
            created_at: first.created_at,
            ..order
        };
        assert_eq!(same, *first, "{step}");
    }
    let order = first.unwrap();
    assert_eq!(
        (order.payment, order.fulfilment),
        (PaymentState::Paid, FulfilmentState::Cancelled)
    );
    assert_eq!(order.shipments.len(), 1);
}

/// A shipment that comes before its order is looked at again, for as long as the shop repeats what failed.
#[tokio::test]
async fn shipment_waits_for_its_order() {
    let world = World::telling(&[OrderEvent::Shipped]).await;
    let now = world.aws.now();
    let shipment = read("fulfillments_create", &json!({}), now);
    world.take_over(&shipment).await;
    assert_eq!(world.aws.depth(QueueName::CommerceEvents).await, 1, "it waits");
    assert!(
        world
            .aws
            .take_jobs::<CommerceJob>(QueueName::CommerceEvents)
            .await
            .is_empty(),
        "ten minutes"
    );
    let waited = |hours: i64| world.job(&shipment, now - SignedDuration::from_hours(hours));
    handle(Job::new(waited(3), 1), &world.ctx).await.unwrap();
    assert_eq!(world.aws.depth(QueueName::CommerceEvents).await, 2, "and again");
    handle(Job::new(waited(4), 1), &world.ctx).await.unwrap();
    assert_eq!(world.aws.depth(QueueName::CommerceEvents).await, 2, "and no longer");
    assert_eq!(world.id_of(&shipment).await, None);
    world.take_over(&read("orders_create", &json!({}), now)).await;
    assert_eq!(world.take_and_tell(&shipment).await, 1);
    assert_eq!(world.order_of(&shipment).await.shipments.len(), 1);
}

#[tokio::test]
async fn order_is_whose_the_shop_says() {
    let world = World::telling(&[OrderEvent::Created]).await;
    let now = world.aws.now();
    let nobody = world
        .store()
        .contact_of(world.scope(), &Identity::Withheld(connection()))
        .await;
    assert_eq!(nobody.unwrap(), None);
    // A phone, the same person again by another order, an address, and twice nobody.
    let guest = read("orders_create_guest_phone_on_order", &json!({}), now);
    let again = read(
        "orders_create_guest_phone_on_order",
        &json!({"id": 7, "name": "#7"}),
        now,
    );
    let mailed = json!({"email": "ana@example.com"});
    let mailed = read("orders_create_redacted_no_pcd_access", &mailed, now);
    let withheld = read("orders_create_redacted_no_pcd_access", &json!({"id": 8}), now);
    let till = read("orders_create_pos_no_contact", &json!({}), now);
    let mut contacts = Vec::new();
    for (report, sent) in [(&guest, 1), (&again, 1), (&mailed, 0), (&withheld, 0), (&till, 0)] {
        assert_eq!(world.take_and_tell(report).await, sent, "{}", report.order.as_str());
        contacts.push(world.order_of(report).await.id.contact());
    }
    assert_eq!((contacts[0], contacts[3]), (contacts[1], contacts[4]));
    assert!(contacts[0] != contacts[2] && contacts[2] != contacts[3]);
    let known = async |place: usize| world.person(contacts[place]).await.contact.known_by();
    assert_eq!(known(0).await, [Identity::Phone("+447700900321".parse().unwrap())]);
    assert_eq!(known(2).await, [Identity::Email("ana@example.com".parse().unwrap())]);
    assert_eq!(known(3).await, [Identity::Withheld(connection())]);
    // Two connections of one tenant are two shops, whatever their ids of orders.
    let mut job = world.job(&guest, now);
    if let CommerceJob::Report { connection, .. } = &mut job {
        *connection = ConnectionId::new("01JD0000000000000000000001".parse().unwrap());
    }
    handle(Job::new(job, 1), &world.ctx).await.unwrap();
    let orders = world.aws.rows().await.into_iter();
    assert_eq!(
        orders
            .filter(|row| row["kind"].as_s().is_ok_and(|kind| kind == "order"))
            .count(),
        6
    );
}

/// Nobody becomes a contact beside one that was deleted, and who wrote STOP is not messaged.
#[tokio::test]
async fn deleted_and_unwilling_people_stay_so() {
    let world = World::telling(&[OrderEvent::Created]).await;
    let report = read("orders_create_guest_phone_on_order", &json!({}), world.aws.now());
    let deleted = |contact: &mut domain::people::Contact| contact.deleted_at = Some(world.aws.now());
    world.business.contact_with(&world.aws, "+447700900321", deleted).await;
    assert_eq!(world.take_and_tell(&report).await, 0);
    assert_eq!(world.id_of(&report).await, None);
    let stops = |contact: &mut domain::people::Contact| {
        contact.wish(domain::messages::OptFlag::Stop, "wrote STOP", world.aws.now());
    };
    world.business.contact_with(&world.aws, "+353209100143", stops).await;
    let report = read("orders_create", &json!({}), world.aws.now());
    assert_eq!(world.take_and_tell(&report).await, 0);
    let told = world.order_of(&report).await.news[0].clone();
    assert_eq!(
        (told.state, told.refusal),
        (NewsState::Untold, Some(domain::terms::Reason::OptedOut))
    );
}

/// The order, what leads to it and its contact are one write: a job that runs twice makes one of each.
#[tokio::test]
async fn report_that_is_handled_twice_makes_one_order() {
    let world = World::telling(&[]).await;
    let report = read("orders_create", &json!({}), world.aws.now());
    let (one, two) = (world.another_process(), world.another_process());
    let job = || Job::new(world.job(&report, world.aws.now()), 1);
    let (first, second) = tokio::join!(handle(job(), &one), handle(job(), &two));
    assert!(first.is_ok() || second.is_ok(), "one of them loses at most");
    world.take_over(&report).await;
    let count = async |wanted: &str| {
        let rows = world.aws.rows().await.into_iter();
        rows.filter(|row| row["kind"].as_s().is_ok_and(|kind| kind == wanted))
            .count()
    };
    assert_eq!((count("order").await, count("contact").await), (1, 1));
}
