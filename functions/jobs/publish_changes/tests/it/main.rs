//! Counting a day's calls and messages, and the audit log, from the table's stream: in process against the emulator's table and bucket.

mod again;
mod audit;
mod caps;
mod filter;
mod metrics;
mod notices;
mod triggers;

use std::collections::BTreeMap;

use aws_lambda_events::dynamodb::EventRecord;
use domain::messages::{AttemptState, Message, SendOutcome, StatusReport};
use domain::people::Conversion;
use domain::terms::{ConversionId, TenantId};
use jiff::SignedDuration;
use kit::stream::Batch;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use publish_changes::{Context, handle};
use serde_dynamo::Item;
use serde_json::json;
use store::reports::Counters;
use store::table::effects::Effects;
use store::tenants::Configured;
use testkit::business::{CUSTOMER, business, mobile, read};
use testkit::stream::{Rows, broken_record, record};
use testkit::{Aws, Seeded};

/// Day of all changes.
const DAY: &str = "2026-11-20";

const SHARD: &str = "shard-1";

struct World {
    known: Rows,
    records: Vec<EventRecord>,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

impl World {
    async fn new() -> Self {
        Self::with(|_| {}).await
    }

    async fn with(change: impl FnOnce(&mut Configured)) -> Self {
        let world = testkit::World::with(Context::new, change).await;
        Self {
            known: rows(&world.aws).await,
            records: vec![],
            world,
        }
    }

    /// After this many follow-ups, each to another customer.
    async fn after(follow_ups: usize) -> Self {
        let mut world = Self::new().await;
        for customer in 0..follow_ups {
            world.follow_up(&mobile(customer)).await;
        }
        world
    }

    /// Adds the stream's records of everything written since, as far as the function's filter admits them.
    async fn record(&mut self) {
        let now = rows(&self.aws).await;
        let first = self.records.len();
        self.records
            .extend(filter::own_filter().records(first, &self.known, &now));
        self.known = now;
    }

    /// The stream's records of a follow-up, from its plan to its read status.
    async fn follow_up(&mut self, number: &str) {
        let mut message = self.follow_up_of(number).await;
        self.record().await;
        let timers = self.aws.env().config().timers().expect("timers");
        let now = self.aws.now();
        message.claim(0, "claim".to_owned(), now, &timers);
        self.write(&mut message).await;
        let taken = SendOutcome::Accepted {
            provider_ref: format!("wamid.{number}").parse().expect("a reference"),
            segments: None,
        };
        message.record(1, taken, now, &timers);
        self.write(&mut message).await;
        for state in [AttemptState::Sent, AttemptState::Delivered, AttemptState::Read] {
            let report = StatusReport {
                state,
                at: now,
                provider_ref: format!("wamid.{number}").parse().expect("a reference"),
                error: None,
                cost: None,
            };
            message.apply(1, report, now, &timers);
            self.write(&mut message).await;
        }
    }

    async fn write(&mut self, message: &mut Message) {
        self.world.write(message).await;
        message.version += 1;
        self.record().await;
    }

    async fn deliver(&self, shard: &str, records: &[EventRecord]) {
        let batch = Batch {
            shard: shard.to_owned(),
            records: records.to_vec(),
            again: false,
        };
        handle(batch, &self.ctx).await.expect("the batch is counted");
    }

    /// Commits the effects of one cause, with its records.
    async fn commit(&mut self, effects: Effects<'_>) {
        let (store, now) = (self.aws.store(), self.aws.now());
        let committed = store.commit(self.business.scope(), effects, now).await;
        committed.expect("the effects are written");
        self.record().await;
    }

    async fn counters(&self) -> Counters {
        self.counters_of(self.business.tenant()).await
    }

    async fn counters_of(&self, tenant: TenantId) -> Counters {
        let day = DAY.parse().expect("a day");
        let counters = self.aws.store().day_counters(&self.aws.scope(tenant), day).await;
        counters.expect("the table answers")
    }
}

/// All rows but those that the function writes itself.
async fn rows(aws: &Aws) -> Rows {
    let kind = |row: &Item| row.get("kind").cloned();
    let own = ["counters", "rolled", "audit"].map(|kind| Some(serde_dynamo::AttributeValue::S(kind.to_owned())));
    let mut rows = testkit::stream::rows(aws).await;
    rows.retain(|_, row| !own.contains(&kind(row)));
    rows
}

/// Moves a change to another tenant.
fn of_tenant(record: &EventRecord, tenant: TenantId) -> EventRecord {
    let mut record = record.clone();
    for image in [&mut record.change.old_image, &mut record.change.new_image] {
        let mut item = std::mem::take(image).into_inner();
        if let Some(serde_dynamo::AttributeValue::S(pk)) = item.get_mut("pk") {
            let rest = pk.splitn(3, '#').nth(2).map(|rest| format!("#{rest}"));
            let rest = rest.unwrap_or_default();
            *pk = format!("T#{}{rest}", tenant.to_string().trim_start_matches("tnt_"));
        }
        *image = item.into();
    }
    record
}

fn expected_counters(follow_ups: u64) -> Counters {
    const RAISED: [&str; 13] = [
        "accepted_whatsapp",
        "calls",
        "calls_followed_up",
        "calls_missed",
        "calls_unanswered",
        "cost.meta.AE.utility",
        "delivered_whatsapp",
        "follow_up.accepted",
        "follow_up.delivered",
        "follow_up.planned",
        "follow_up.read",
        "messages",
        "read_whatsapp",
    ];
    counters_from(&RAISED.map(|name| (name, follow_ups)))
}

fn counters_from(counters: &[(&str, u64)]) -> Counters {
    let owned = counters.iter().map(|(name, count)| ((*name).to_owned(), *count));
    owned.collect()
}

#[tokio::test]
async fn a_follow_up_is_counted_at_every_step() {
    let world = World::after(1).await;
    world.deliver(SHARD, &world.records).await;
    assert_eq!(world.counters().await, expected_counters(1));
}

/// The message of a call in the evening may go out in the morning: the call is still one of the evening, as in a list of calls.
#[tokio::test]
async fn follow_up_of_the_next_morning_counts_for_its_call() {
    let mut world = World::after(1).await;
    for record in &mut world.records {
        if record.event_name == "MODIFY" {
            record.change.approximate_creation_date_time = "2026-11-21T08:00:00Z".parse().expect("a time");
        }
    }
    world.deliver(SHARD, &world.records).await;
    world.deliver(SHARD, &world.records).await;
    let evening = world.counters().await;
    let of = |name: &str| evening.get(name).copied();
    let expected = [Some(1), Some(1), None];
    let names = ["calls", "calls_followed_up", "follow_up.accepted"];
    assert_eq!(names.map(of), expected, "{evening:?}");
    let next = "2026-11-21".parse().expect("a day");
    let morning = world.aws.store().day_counters(world.business.scope(), next).await;
    let morning = morning.expect("the table answers");
    let of = |name: &str| morning.get(name).copied();
    assert_eq!(names.map(of), [None, None, Some(1)], "{morning:?}");
}

#[tokio::test]
async fn call_decided_again_counts_as_one_call() {
    let mut world = World::new().await;
    let message = world.follow_up_of(CUSTOMER).await;
    world.record().await;
    let id = message.cause.call().unwrap();
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    let mut call = store.call(&scope, id, world.aws.now()).await.unwrap().unwrap();
    call.facts.call_seconds = Some(30);
    store.write_call(&scope, &call).await.unwrap();
    call.version += 1;
    // A later report counts nothing.
    world.record().await;
    call.outcome = domain::telephony::Outcome::Voicemail;
    call.decided_again = 1;
    store.write_call(&scope, &call).await.unwrap();
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let counters = world.counters().await;
    let of = |name: &str| counters.get(name).copied().unwrap_or_default();
    assert_eq!((of("calls"), of("calls_decided_again")), (1, 1));
    assert_eq!((of("calls_missed"), of("calls_voicemail")), (1, 1));
}

/// By kind and, with its amount, by currency.
#[tokio::test]
async fn conversions_are_counted_once_with_their_values() {
    let mut world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    world.record().await;
    let (store, scope) = (world.aws.store(), world.business.scope().clone());
    let stamp = world.aws.stamp();
    for fields in [
        json!({"what": "order", "value": {"amount": 12_050, "currency": "AED"}}),
        json!({"what": "order", "value": {"amount": 50, "currency": "AED"}}),
        json!({"what": "payment", "value": {"amount": 999, "currency": "EUR"}}),
        json!({"what": "visit"}),
    ] {
        let id = ConversionId::new(contact, world.aws.ids().ulid());
        let conversion = Conversion::new(id, read(fields), stamp.actor, stamp.at).expect("a conversion");
        let created = store.create_of_contact(&scope, &conversion, &stamp).await;
        created.expect("the conversion is created");
    }
    world.records.clear();
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    world.deliver(SHARD, &world.records).await;
    let expected = counters_from(&[
        ("conversions", 4),
        ("conversions_order", 2),
        ("conversions_payment", 1),
        ("conversions_visit", 1),
        ("converted_AED", 12_100),
        ("converted_EUR", 999),
    ]);
    assert_eq!(world.counters().await, expected);
}

#[tokio::test]
async fn redelivered_bisected_and_overlapping_batches_count_once() {
    let world = World::after(2).await;
    let all = &world.records;
    let half = all.len() / 2;
    // A batch that was counted but never acknowledged; its halves; one that reaches further; one that begins in between.
    world.deliver(SHARD, &all[..half]).await;
    world.deliver(SHARD, &all[..half / 2]).await;
    world.deliver(SHARD, &all[half / 2..half]).await;
    world.deliver(SHARD, &all[..half + 3]).await;
    world.deliver(SHARD, &all[half - 1..]).await;
    world.deliver(SHARD, all).await;
    assert_eq!(world.counters().await, expected_counters(2));
}

#[tokio::test]
async fn shards_count_separately_and_add_up() {
    let mut world = World::after(1).await;
    let first = std::mem::take(&mut world.records);
    world.follow_up("+971501234568").await;
    // Sequence numbers of different shards cannot be compared.
    world.deliver("shard-2", &world.records).await;
    world.deliver(SHARD, &first).await;
    world.deliver("shard-2", &world.records).await;
    assert_eq!(world.counters().await, expected_counters(2));
}

#[tokio::test]
async fn tenants_of_one_batch_count_separately() {
    let mut world = World::new().await;
    world.follow_up(CUSTOMER).await;
    let stranger = Box::pin(business(&world.aws)).await;
    world.record().await;
    let ours = std::mem::replace(&mut world.business, stranger);
    world.follow_up(CUSTOMER).await;
    world.deliver(SHARD, &world.records).await;
    assert_eq!(world.counters().await, expected_counters(1));
    world.business = ours;
    assert_eq!(world.counters().await, expected_counters(1));
}

#[tokio::test]
async fn unreadable_change_is_stored_and_blocks_nothing() {
    let world = World::after(1).await;
    let mut records = vec![broken_record(&world.records[0])];
    records.extend(world.records.iter().cloned());
    world.deliver(SHARD, &records).await;
    assert_eq!(world.counters().await, expected_counters(1));
    assert_eq!(world.aws.objects("spill/changes/").await.len(), 1);
}

#[tokio::test]
async fn batch_without_counted_changes_writes_nothing() {
    let world = World::new().await;
    let before = world.aws.row_count().await;
    let tenant = record(
        0,
        Item::default(),
        world.known.values().next().expect("the tenant's rows").clone(),
    );
    world.deliver(SHARD, &[tenant]).await;
    world.deliver(SHARD, &[]).await;
    assert_eq!(world.aws.row_count().await, before);
}

/// A world after this many follow-ups, with a runtime to wait in: the cases of a property test are not async.
fn followed_up(count: usize) -> (tokio::runtime::Runtime, World) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    let world = runtime.block_on(World::after(count));
    (runtime, world)
}

fn cases(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    })
}

/// A batch begins at most this many records before the first new one, and contains at most this many.
fn deliveries() -> impl Strategy<Value = Vec<(usize, usize)>> {
    prop::collection::vec((0..8_usize, 1..10_usize), 1..30)
}

#[test]
fn counts_do_not_depend_on_how_the_stream_is_batched() {
    let (runtime, world) = followed_up(3);
    let mut runner = cases(12);
    let shard = std::cell::Cell::new(0);
    let counted = runner.run(&deliveries(), |cuts| {
        // Another tenant with the same changes, so that every case begins with empty counters.
        shard.set(shard.get() + 1);
        let tenant = TenantId::new(world.aws.ids().ulid());
        let records: Vec<EventRecord> = world.records.iter().map(|record| of_tenant(record, tenant)).collect();
        let mut seen = 0_usize;
        let own = metrics::template(&world.business);
        let (counters, of_template) = runtime.block_on(async {
            for (back, length) in cuts {
                let from = seen.saturating_sub(back);
                let to = (from + length).min(records.len());
                world.deliver(SHARD, &records[from..to]).await;
                seen = seen.max(to);
            }
            world.deliver(SHARD, &records[seen..]).await;
            let numbers = metrics::numbers(&world, &world.aws.scope(tenant), &own).await;
            (world.counters_of(tenant).await, numbers)
        });
        prop_assert_eq!(counters, expected_counters(3));
        prop_assert_eq!(of_template, metrics::of_template(3));
        Ok(())
    });
    counted.expect("the same counts");
}

#[tokio::test]
async fn expired_rows_are_neither_counted_nor_audited() {
    let world = World::after(1).await;
    world.deliver(SHARD, &world.records).await;
    let (counters, rows) = (world.counters().await, world.aws.row_count().await);
    let kept = |row: &&Item| row.contains_key("expires_at");
    let removed: Vec<EventRecord> = world
        .known
        .values()
        .filter(kept)
        .enumerate()
        .map(|(index, row)| record(world.records.len() + index, row.clone(), Item::default()))
        .collect();
    // The call and its reports, the message.
    assert_eq!(removed.len(), 3);
    world.deliver(SHARD, &removed).await;
    assert_eq!(world.counters().await, counters);
    assert_eq!(world.aws.row_count().await, rows);
    assert!(world.aws.objects("spill/changes/").await.is_empty());
}

/// As when a retention policy is applied to the past.
#[tokio::test]
async fn another_expiry_is_neither_counted_nor_audited() {
    let mut world = World::new().await;
    let message = world.follow_up_of(CUSTOMER).await;
    world.record().await;
    world.deliver(SHARD, &world.records).await;
    let (counters, rows, records) = (world.counters().await, world.aws.row_count().await, world.records.len());
    let (store, scope, now) = (world.aws.store(), world.business.scope().clone(), world.aws.now());
    let history = store.history(&scope, message.id.contact(), 10, now).await;
    let history = history.expect("the table answers");
    assert_eq!(history.len(), 2);
    for entry in &history {
        let until = now + SignedDuration::from_hours(24 * 33);
        let kept = store.keep_until(&scope, entry, until, now).await;
        assert!(kept.expect("the table answers"));
    }
    world.record().await;
    // The message's and the call's, since the filter cannot compare a row with what it was. Those of the call's reports cost nothing.
    let changed = &world.records[records..];
    assert_eq!(changed.len(), 2);
    world.deliver(SHARD, changed).await;
    assert_eq!(world.counters().await, counters);
    assert_eq!(world.aws.row_count().await, rows);
    assert!(world.aws.objects("spill/changes/").await.is_empty());
}
