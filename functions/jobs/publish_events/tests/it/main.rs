//! Events of what changes, from the table's stream: in process against the emulator's table.

mod endpoints;
mod filter;
mod sockets;

use aws_lambda_events::dynamodb::EventRecord;
use domain::live::{Cursor, Event, EventType};
use domain::messages::{Message, MessageState, SendOutcome};
use domain::people::{Note, Order, OrderContents, OrderReport, PaymentState};
use domain::terms::{Actor, NoteId, OrderId, UpTo};
use jiff::SignedDuration;
use kit::stream::Batch;
use publish_events::{Context, handle};
use serde_json::json;
use testkit::Lossy;
use testkit::business::{CUSTOMER, business, read};
use testkit::stream::{Filter, Rows, broken_record, rows};

struct World {
    filter: Filter,
    known: Rows,
    records: Vec<EventRecord>,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    async fn new() -> Self {
        let world = testkit::World::new(Context::new).await;
        Self {
            filter: Filter::of("publish_events"),
            known: rows(&world.aws).await,
            records: vec![],
            world,
        }
    }

    /// With somebody who follows the business, and a follow-up that was recorded since.
    async fn with_follow_up() -> (Self, Cursor) {
        let mut world = Self::new().await;
        let since = world.follow().await;
        world.follow_up().await;
        world.record().await;
        (world, since)
    }

    /// Somebody follows the business from now on. Changes of before are not recorded.
    async fn follow(&mut self) -> Cursor {
        let (store, scope) = (self.aws.store(), self.business.scope());
        store.follow(scope, self.aws.now()).await.expect("the table answers");
        self.known = rows(&self.aws).await;
        Cursor::at(self.aws.now())
    }

    /// The stream's records of everything written since.
    async fn record(&mut self) {
        let now = rows(&self.aws).await;
        let records = self.filter.records(self.records.len(), &self.known, &now);
        self.records.extend(records);
        self.known = now;
    }

    async fn deliver(&self, records: &[EventRecord]) {
        handle(batch(records), &self.ctx).await.expect("the batch is published");
    }

    /// The events that are kept, in their order.
    async fn events(&self, since: Cursor) -> Vec<Event> {
        let (store, scope, now) = (self.aws.store(), self.business.scope(), self.aws.now());
        let found = store.published_events(scope, since.start(now), now, 1000).await;
        let found = found.expect("the table answers");
        assert!(!found.more);
        found.events.into_iter().flat_map(|(_, events)| events).collect()
    }

    async fn write(&mut self, message: &mut Message) {
        self.world.write(message).await;
        message.version += 1;
        self.record().await;
    }
}

fn batch(records: &[EventRecord]) -> Batch {
    Batch {
        shard: "single".to_owned(),
        records: records.to_vec(),
        again: false,
    }
}

fn kinds(events: &[Event]) -> Vec<EventType> {
    events.iter().map(|event| event.kind).collect()
}

#[tokio::test]
async fn a_follow_up_is_told_step_by_step() {
    let mut world = World::new().await;
    let since = world.follow().await;
    let mut message = world.follow_up().await;
    world.record().await;
    let timers = world.aws.env().config().timers().expect("timers");
    let now = world.aws.now();
    message.claim(0, "claim".to_owned(), now, &timers);
    world.write(&mut message).await;
    let taken = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().expect("a reference"),
        segments: None,
    };
    message.record(1, taken, now, &timers);
    world.write(&mut message).await;
    world.deliver(&world.records).await;
    let events = world.events(since).await;
    let expected = [
        EventType::CallDecided,
        EventType::ContactChanged,
        EventType::MessageStatus,
        EventType::MessageSent,
    ];
    let mut told = kinds(&events);
    // The rows of one transaction come in any order.
    told[..3].sort_by_key(|kind| expected.iter().position(|one| one == kind));
    assert_eq!(told, expected);
    let sent = events.last().expect("an event");
    assert_eq!(sent.data.message_id, Some(message.id));
    assert_eq!(sent.data.state, Some(MessageState::Accepted));
    assert_eq!(sent.conversation_id.expect("a conversation").line(), message.line);
    for event in &events {
        assert_eq!(event.data.contact_id, Some(message.id.contact()), "{event:?}");
        let is_contact = event.kind == EventType::ContactChanged;
        assert_eq!(event.data.created, is_contact, "the caller was not known");
    }
}

#[tokio::test]
async fn event_that_is_delivered_again_has_the_same_id() {
    let (world, since) = World::with_follow_up().await;
    world.deliver(&world.records).await;
    world.aws.pass(5);
    // From the middle on, as after a failure.
    world.deliver(&world.records[1..]).await;
    let events = world.events(since).await;
    let ids: Vec<_> = events.iter().map(|event| event.id).collect();
    let (first, again) = ids.split_at(3);
    assert_eq!(again, &first[1..]);
}

#[tokio::test]
async fn nothing_is_kept_without_followers() {
    let mut world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    world.known = rows(&world.aws).await;
    let since = Cursor::at(world.aws.now());
    let note = |text: &str| {
        let id = NoteId::new(contact, world.aws.ids().ulid());
        Note::new(id, read(json!(text)), Actor::Operator, world.aws.now())
    };
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let note = note("Prefers to be called after five.");
    let created = store.create_of_contact(scope, &note, &stamp).await;
    created.expect("the note is written");
    world.record().await;
    let rows_before = world.aws.row_count().await;
    world.deliver(&world.records).await;
    assert_eq!(world.aws.row_count().await, rows_before);
    // With one, the same change is told; two hours after the last look, no more.
    world.follow().await;
    world.deliver(&world.records).await;
    let events = world.events(since).await;
    assert_eq!(kinds(&events), [EventType::NoteCreated]);
    assert_eq!(events[0].data.note_id.expect("a note").contact(), contact);
    let words = rows(&world.aws).await;
    let kept: Vec<String> = words
        .iter()
        .filter(|((pk, _), _)| pk.contains("#LIVE#"))
        .map(|(_, row)| format!("{row:?}"))
        .collect();
    assert_eq!(kept.len(), 1);
    assert!(!kept[0].contains("after five"), "the ids, never the words");
    world.aws.pass(136 * 60);
    let before = world.aws.row_count().await;
    world.deliver(&world.records).await;
    assert_eq!(world.aws.row_count().await, before);
}

/// An order that is created and paid in a moment is one event, with the states that it has then.
#[tokio::test]
async fn changes_of_an_order_are_one_event() {
    let mut world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let since = world.follow().await;
    let contents: OrderContents = read(json!({
        "placed_at": world.aws.now(), "currency": "AED", "totals": {"total": 12_050}, "items": [],
    }));
    let mut report = OrderReport {
        updated_at: world.aws.now(),
        contents: None,
        payment: None,
        fulfilment: None,
        shipments: UpTo::new(),
    };
    let mut ids = Vec::new();
    for number in ["1042", "1043"] {
        let id = OrderId::new(contact, world.aws.ids().ulid());
        let new = Order::new(
            id,
            read(json!(number)),
            contents.clone(),
            &report,
            None,
            world.aws.now(),
        );
        let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
        let created = store.create_order(scope, &new, &stamp).await;
        created.expect("the order is written");
        world.record().await;
        ids.push(id);
    }
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let before = store
        .order(scope, ids[0])
        .await
        .expect("the table answers")
        .expect("it is there");
    let mut after = before.value.order;
    report.payment = Some(PaymentState::Paid);
    after.take(&report);
    let changed = store.change_order(scope, before.version, &after, &stamp).await;
    changed.expect("the order is written");
    world.record().await;
    world.deliver(&world.records).await;
    let events = world.events(since).await;
    assert_eq!(kinds(&events), [EventType::OrderChanged, EventType::OrderChanged]);
    let told = |id: OrderId| {
        let of_order = events.iter().find(|event| event.data.order_id == Some(id));
        let data = &of_order.expect("an event of the order").data;
        (data.created, data.payment)
    };
    assert_eq!(told(ids[0]), (true, Some(PaymentState::Paid)));
    assert_eq!(told(ids[1]), (true, Some(PaymentState::Pending)));
}

#[tokio::test]
async fn tenants_see_only_their_own_events() {
    let mut world = World::new().await;
    let since = world.follow().await;
    let stranger = Box::pin(business(&world.aws)).await;
    let ours = std::mem::replace(&mut world.business, stranger);
    world.follow().await;
    world.follow_up().await;
    world.record().await;
    world.deliver(&world.records).await;
    assert_eq!(world.events(since).await.len(), 3);
    world.business = ours;
    assert_eq!(world.events(since).await, []);
}

#[tokio::test]
async fn unreadable_change_blocks_no_other() {
    let (world, since) = World::with_follow_up().await;
    let mut records = vec![broken_record(&world.records[0])];
    records.extend(world.records.iter().cloned());
    world.deliver(&records).await;
    assert_eq!(world.events(since).await.len(), 3);
}

#[tokio::test]
async fn batch_that_fails_is_published_late() {
    let (mut world, since) = World::with_follow_up().await;
    let lossy = Lossy::before(&world.aws);
    let ctx = Context::new(&world.aws.env_behind(lossy.url())).expect("a context");
    lossy.deny("PutItem");
    let failed = handle(batch(&world.records), &ctx).await;
    let again = failed.expect_err("Lambda delivers it again").from_sequence_number;
    assert_eq!(Some(again), world.records[0].change.sequence_number);
    // The client has been reading all the while.
    world.aws.pass(600);
    world.follow().await;
    let cursor = since.next(world.aws.now() - SignedDuration::from_secs(5), None);
    assert_eq!(world.events(cursor).await, []);
    world.deliver(&world.records).await;
    assert_eq!(world.events(cursor).await.len(), 3);
}

/// The row is written by a version that is being deployed.
#[tokio::test]
async fn change_of_a_newer_version_waits_for_it() {
    let (world, since) = World::with_follow_up().await;
    let mut records = world.records.clone();
    let mut image = std::mem::take(&mut records[1].change.new_image).into_inner();
    image.insert("f".to_owned(), serde_dynamo::AttributeValue::N("99".to_owned()));
    records[1].change.new_image = image.into();
    let failed = handle(batch(&records), &world.ctx).await;
    let again = failed.expect_err("Lambda delivers it again").from_sequence_number;
    assert_eq!(Some(again), records[1].change.sequence_number);
    assert_eq!(world.events(since).await.len(), 1, "those before it");
    // A version that was taken back: nobody waits for it.
    world.aws.pass(601);
    world.deliver(&records).await;
    let now = Cursor::at(world.aws.now());
    assert_eq!(world.events(now).await.len(), 2, "all others");
}
