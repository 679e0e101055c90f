//! Telling news of orders, and taking over what shops report, in process against the emulator.

mod late;
mod shopify;
mod woocommerce;

use domain::campaigns::EventMessage;
use domain::messages::{Message, OptFlag};
use domain::people::{Contact, NewsState, Order, OrderEvent, OrderNews, OrderReport, Untold};
use domain::tenants::Tenant;
use domain::terms::{ContactId, OrderId, Purpose, QuietAction, QuietHours, Reason};
use flows::orders::{first_report, take_report};
use jiff::SignedDuration;
use jobs::{CommerceJob, SendMessage, ToQueue};
use kit::{Done, Job, QueueName};
use process_commerce_event::{Context, handle};
use serde_json::{Value, from_value, json};
use store::Versioned;
use testkit::business::{CUSTOMER, mobile};
use testkit::{Aws, Lossy};

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    /// A business that tells these events by their usual texts.
    async fn telling(events: &[OrderEvent]) -> Self {
        let world = Self(testkit::World::at("https://api.example.com", Context::new).await);
        for event in events {
            let _: EventMessage = world.create_owned(json!({"event": event})).await;
        }
        world
    }

    async fn customer_with(&self, change: impl FnOnce(&mut Contact)) -> ContactId {
        self.business.contact_with(&self.aws, CUSTOMER, change).await.id
    }

    fn report(&self, parts: &Value) -> OrderReport {
        let part = |name: &str| parts.get(name).cloned().unwrap_or_default();
        OrderReport {
            updated_at: self.aws.now(),
            contents: None,
            payment: from_value(part("payment")).unwrap(),
            fulfilment: from_value(part("fulfilment")).unwrap(),
            shipments: from_value::<Option<_>>(part("shipments")).unwrap().unwrap_or_default(),
        }
    }

    async fn tenant(&self) -> Tenant {
        self.store().tenant(self.scope()).await.unwrap().unwrap()
    }

    /// An order that is placed now.
    async fn order(&self, contact: ContactId) -> OrderId {
        let (now, own) = (self.aws.now(), self.aws.ids().ulid());
        let contents = json!({"placed_at": now, "currency": "AED", "totals": {"total": 12_050},
            "items": [{"name": "Honey cake", "quantity": 2}]});
        let (id, number) = (OrderId::new(contact, own), own.to_string().parse().unwrap());
        let report = self.report(&json!({}));
        let new = Order::new(id, number, from_value(contents).unwrap(), &report, None, now);
        let order = first_report(new, Default::default(), &self.tenant().await, now);
        let made = self.store().create_order(self.scope(), &order, &self.aws.stamp()).await;
        made.unwrap();
        id
    }

    async fn read(&self, id: OrderId) -> Versioned<Order> {
        let found = self.store().order(self.scope(), id).await.unwrap().unwrap();
        Versioned {
            version: found.version,
            value: found.value.order,
        }
    }

    /// Reports parts of an order, as its shop does.
    async fn state(&self, id: OrderId, parts: Value) {
        let before = self.read(id).await;
        let (report, tenant) = (self.report(&parts), self.tenant().await);
        let after = take_report(&before.value, &report, None, &tenant, self.aws.now());
        let (store, stamp) = (self.store(), self.aws.stamp());
        let changed = store.change_order(self.scope(), before.version, &after, &stamp).await;
        changed.unwrap();
    }

    async fn run(&self, id: OrderId) -> Done {
        self.try_to_run(&self.ctx, id).await.unwrap()
    }

    async fn try_to_run(&self, ctx: &Context, id: OrderId) -> Result<Done, kit::JobError> {
        let job = CommerceJob::TellNews {
            tenant: self.business.tenant(),
            correlation_id: id.to_string(),
            order: id,
        };
        handle(Job::new(job, 1), ctx).await
    }

    async fn news(&self, id: OrderId, event: OrderEvent) -> OrderNews {
        self.read(id).await.value.news_of(event).unwrap().clone()
    }

    async fn message_of(&self, news: &OrderNews) -> Message {
        let id = news.message.expect("it was told");
        self.store()
            .message(self.scope(), id, self.aws.now())
            .await
            .unwrap()
            .unwrap()
    }

    async fn untold(&self, id: OrderId, event: OrderEvent) -> (Option<Untold>, Option<Reason>) {
        let news = self.news(id, event).await;
        assert_eq!(news.state, NewsState::Untold);
        (news.reason, news.refusal)
    }

    async fn take_sends(&self) -> Vec<SendMessage> {
        self.take_send_jobs().await
    }
}

fn parcel(state: &str) -> Value {
    json!({"shipments": [{"reference": "1", "state": state, "tracking_url": "https://aramex.example/3104"}]})
}

fn text(message: &Message) -> String {
    serde_json::to_string(&message.plan[0].content).unwrap()
}

#[tokio::test]
async fn each_event_is_told_once() {
    let world = World::telling(&OrderEvent::ALL).await;
    let order = world.order(world.customer_with(|_| {}).await).await;
    world.run(order).await;
    let created = world.message_of(&world.news(order, OrderEvent::Created).await).await;
    assert_eq!(created.policy.purpose(), Purpose::Order);
    assert!(text(&created).contains("120.50 AED"), "{}", text(&created));
    assert_eq!(world.take_sends().await.len(), 1);
    assert_eq!(world.run(order).await, Done::Already);
    for (parts, event) in [
        (parcel("prepared"), OrderEvent::Packed),
        (parcel("in_transit"), OrderEvent::Shipped),
        (parcel("delivered"), OrderEvent::Delivered),
    ] {
        world.aws.pass(60);
        world.state(order, parts.clone()).await;
        world.state(order, parts).await;
        assert_eq!(world.run(order).await, Done::Now);
        assert_eq!(world.run(order).await, Done::Already);
        let message = world.message_of(&world.news(order, event).await).await;
        let is_shipped = event == OrderEvent::Shipped;
        assert_eq!(text(&message).contains("https://aramex.example/3104"), is_shipped);
        assert_eq!(world.take_sends().await.len(), 1, "{event:?}");
    }
}

/// Newer news ends the messages that it makes stale, and those of no other order.
#[tokio::test]
async fn newer_news_takes_the_place_of_what_waits() {
    let world = World::telling(&[OrderEvent::Created, OrderEvent::Shipped]).await;
    let contact = world.customer_with(|_| {}).await;
    let (order, other) = (world.order(contact).await, world.order(contact).await);
    world.run(order).await;
    world.run(other).await;
    let created = world.news(order, OrderEvent::Created).await;
    world.aws.pass(60);
    world.state(order, parcel("in_transit")).await;
    world.run(order).await;
    assert!(world.message_of(&created).await.ended.is_some());
    let shipped = world.news(order, OrderEvent::Shipped).await;
    assert!(world.message_of(&shipped).await.ended.is_none());
    // A cancellation ends them although nobody is told of it.
    world.aws.pass(60);
    world.state(order, json!({"fulfilment": "cancelled"})).await;
    world.run(order).await;
    assert!(world.message_of(&shipped).await.ended.is_some());
    assert_eq!(
        world.untold(order, OrderEvent::Cancelled).await,
        (Some(Untold::Disabled), None)
    );
    let others = world.news(other, OrderEvent::Created).await;
    assert!(world.message_of(&others).await.ended.is_none());
    assert_eq!(world.person(contact).await.contact.open.len(), 1);
}

/// An order is marked as shipped by mistake: its message is ended before it is sent, and made again once it is true.
#[tokio::test]
async fn message_about_a_state_that_was_taken_back_is_ended() {
    let world = World::telling(&[OrderEvent::Shipped]).await;
    let order = world.order(world.customer_with(|_| {}).await).await;
    let states = ["fulfilled", "unfulfilled", "fulfilled", "unfulfilled"].map(|word| json!({"fulfilment": word}));
    let [shipped, back, again, too_late] = states;
    world.state(order, shipped).await;
    world.run(order).await;
    let by_mistake = world.news(order, OrderEvent::Shipped).await;
    world.aws.pass(60);
    world.state(order, back).await;
    world.run(order).await;
    assert!(world.message_of(&by_mistake).await.ended.is_some());
    assert_eq!(
        world.untold(order, OrderEvent::Shipped).await,
        (Some(Untold::Withdrawn), None)
    );
    world.aws.pass(60);
    world.state(order, again).await;
    world.run(order).await;
    let told = world.news(order, OrderEvent::Shipped).await;
    assert!(world.message_of(&told).await.ended.is_none());
    // Once it is sent, it stays told.
    let contact = order.contact();
    world.change_person(contact, |person| person.contact.open.clear()).await;
    world.aws.pass(60);
    world.state(order, too_late).await;
    assert_eq!(world.run(order).await, Done::Already);
    assert_eq!(world.news(order, OrderEvent::Shipped).await, told);
}

#[tokio::test]
async fn order_says_why_nothing_is_told() {
    let world = World::telling(&[OrderEvent::Created, OrderEvent::Shipped]).await;
    let known = world.customer_with(|_| {}).await;
    let old = world.order(known).await;
    world.aws.pass(24 * 3600 + 1);
    world.run(old).await;
    assert_eq!(
        world.untold(old, OrderEvent::Created).await,
        (Some(Untold::TooOld), None)
    );
    let lost = world.order(known).await;
    world.state(lost, parcel("in_transit")).await;
    world.aws.pass(60);
    world.state(lost, parcel("failed")).await;
    world.run(lost).await;
    assert_eq!(
        world.untold(lost, OrderEvent::Shipped).await,
        (Some(Untold::Withdrawn), None)
    );
    world.change_person(known, |person| person.contact.phones.clear()).await;
    let nameless = world.order(known).await;
    world.run(nameless).await;
    assert_eq!(
        world.untold(nameless, OrderEvent::Created).await,
        (Some(Untold::NoNumber), None)
    );
    let refuses = |contact: &mut Contact| {
        contact.wish(OptFlag::Stop, "wrote STOP", world.aws.now());
    };
    let unwilling = world.business.contact_with(&world.aws, &mobile(7), refuses).await.id;
    let refused = world.order(unwilling).await;
    world.run(refused).await;
    let why = (Some(Untold::Refused), Some(Reason::OptedOut));
    assert_eq!(world.untold(refused, OrderEvent::Created).await, why);
    // That the lost one was ordered is still true, and nothing else.
    assert_eq!(world.take_sends().await.len(), 1);
    assert_eq!(world.news(lost, OrderEvent::Created).await.state, NewsState::Told);
    let job = ToQueue::news_of(
        world.business.tenant(),
        &world.read(refused).await.value,
        world.aws.now(),
    );
    assert_eq!(job, None);
}

#[tokio::test]
async fn message_carries_links_and_names_a_missing_template() {
    let world = World::telling(&[]).await;
    let linked = json!({"category": "utility", "channels": ["sms"],
        "sms_text": "{{order.number}} {{preferences.link}} {{link:https://saffron.example/cake}}"});
    let gone = json!({"category": "utility", "channels": ["whatsapp"], "template": {"name": "gone", "language": "en"}});
    for (event, message) in [(OrderEvent::Created, linked), (OrderEvent::Shipped, gone)] {
        let _: EventMessage = world.create_owned(json!({"event": event, "message": message})).await;
    }
    let order = world.order(world.customer_with(|_| {}).await).await;
    world.run(order).await;
    let created = world.message_of(&world.news(order, OrderEvent::Created).await).await;
    let said = text(&created);
    assert!(
        said.contains("https://api.example.com/p/") && said.contains("https://api.example.com/l/"),
        "{said}"
    );
    world.aws.pass(60);
    world.state(order, parcel("in_transit")).await;
    world.run(order).await;
    assert_eq!(
        world.untold(order, OrderEvent::Shipped).await,
        (Some(Untold::Refused), Some(Reason::Template))
    );
}

/// In quiet hours, only who has just ordered or cancelled is answered.
#[tokio::test]
async fn shipping_waits_for_the_end_of_quiet_hours() {
    let world = World::telling(&OrderEvent::ALL).await;
    let noon = world.aws.now();
    let all_day = |tenant: &mut Tenant| {
        tenant.quiet_hours = Some(QuietHours {
            from: "09:00".parse().unwrap(),
            to: "22:00".parse().unwrap(),
            action: QuietAction::Skip,
        });
    };
    world.change_tenant(all_day).await;
    let order = world.order(world.customer_with(|_| {}).await).await;
    world.run(order).await;
    let created = world.message_of(&world.news(order, OrderEvent::Created).await).await;
    assert_eq!(created.not_before, noon);
    world.state(order, parcel("in_transit")).await;
    world.run(order).await;
    let shipped = world.message_of(&world.news(order, OrderEvent::Shipped).await).await;
    assert!(
        shipped.not_before > noon + SignedDuration::from_hours(1),
        "{}",
        shipped.not_before
    );
    world.state(order, json!({"fulfilment": "cancelled"})).await;
    world.run(order).await;
    let cancelled = world.message_of(&world.news(order, OrderEvent::Cancelled).await).await;
    assert_eq!(cancelled.not_before, noon);
}

#[tokio::test]
async fn without_room_it_is_tried_again() {
    let world = World::telling(&[OrderEvent::Created]).await;
    let contact = world.customer_with(|_| {}).await;
    let mut orders = Vec::new();
    for _ in 0..5 {
        let order = world.order(contact).await;
        world.run(order).await;
        orders.push(order);
    }
    let fifth = orders[4];
    assert!(world.read(fifth).await.value.has_open_news());
    assert_eq!(world.aws.depth(QueueName::CommerceEvents).await, 1);
    assert_eq!(world.take_sends().await.len(), 4);
    // There is room as soon as one has ended.
    world.state(orders[0], json!({"fulfilment": "cancelled"})).await;
    world.run(orders[0]).await;
    world.run(fifth).await;
    assert_eq!(world.news(fifth, OrderEvent::Created).await.state, NewsState::Told);
}

/// The message and what became of the news are one write, under the condition of the order's version.
#[tokio::test]
async fn news_is_told_once_though_jobs_run_twice_and_die() {
    let world = World::telling(&[OrderEvent::Created]).await;
    let order = world.order(world.customer_with(|_| {}).await).await;
    let lossy = Lossy::before(&world.aws);
    let env = world.aws.env_behind(lossy.url());
    let dying = Context::new(&env).unwrap();
    // It is written, and the answer is lost: the job is delivered again.
    lossy.lose("TransactWriteItems");
    drop(world.try_to_run(&dying, order).await);
    let (one, two) = (world.another_process(), world.another_process());
    let (first, second) = tokio::join!(world.try_to_run(&one, order), world.try_to_run(&two, order));
    assert!(first.is_ok() || second.is_ok(), "one of them loses at most");
    world.run(order).await;
    assert_eq!(messages(&world.aws).await, 1);
    // Somebody else's change since the order was read keeps it from being written.
    let (second, store) = (world.order(order.contact()).await, world.store());
    let (before, scope, stamp) = (world.read(second).await, world.scope().clone(), world.aws.stamp());
    lossy.happens_before("TransactWriteItems", async move || {
        let changed = store.change_order(&scope, before.version, &before.value, &stamp).await;
        changed.expect("it is written first");
    });
    assert!(world.try_to_run(&dying, second).await.is_err());
    assert_eq!(messages(&world.aws).await, 1);
    world.run(second).await;
    assert_eq!(messages(&world.aws).await, 2);
}

/// Number of stored messages.
async fn messages(aws: &Aws) -> usize {
    let rows = aws.rows().await;
    rows.iter()
        .filter(|row| row["kind"].as_s().is_ok_and(|kind| kind == "message"))
        .count()
}
