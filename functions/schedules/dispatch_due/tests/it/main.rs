//! Dispatching due rows, in process against the emulator's table, queues and bucket.

mod changes;

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue::{self, S};
use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use dispatch_due::{Context, handle};
use domain::media::InboundMedia;
use domain::messages::{Message, SendOutcome};
use domain::people::{Order, OrderReport, PaymentState};
use domain::telephony::CallStatus;
use domain::tenants::{Dated, Reported};
use domain::terms::{
    Actor, Category, Data, MessageId, Narrowing, Operation, OperationId, OperationKind, OrderId, Policy, Purpose, UpTo,
    WebhookEndpointId,
};
use jiff::SignedDuration;
use jobs::{CallJob, CommerceJob, DeliveryJob, MediaJob, SendMessage};
use kit::{QueueName, RawBucket, Spilled};
use store::table::due::Partition;
use store::table::effects::{Effects, Once};
use testkit::business::{CUSTOMER, business, from_to, mobile};
use testkit::{Aws, Lossy, Seeded};

struct World(testkit::World<Context>);

testkit::extends_world!(World.0: Context);

impl World {
    async fn new() -> Self {
        Self(testkit::World::new(Context::new).await)
    }

    /// With few workers, two, and this time until an answer is due.
    async fn with_two_workers(first_due: &str) -> Self {
        let variables = [
            ("BULK_CONCURRENCY", "2"),
            ("CLAIM_SECONDS", "5"),
            ("FIRST_DUE_SECONDS", first_due),
        ];
        let env = |aws: &Aws| aws.env_with(&variables);
        Self(testkit::World::with_env(env, Context::new, |_| {}).await)
    }

    async fn run(&self) {
        let run = Box::pin(handle(self.aws.deadline(60), &self.ctx));
        run.await.expect("the run ends well");
    }

    /// AWS access that loses responses, and a process of the function that uses it.
    fn behind_lossy(&self) -> (Lossy, Context) {
        let lossy = Lossy::before(&self.aws);
        let ctx = Context::new(&self.aws.env_behind(lossy.url())).expect("a context");
        (lossy, ctx)
    }

    /// Spills a job instead of queueing it.
    async fn spill(&self) {
        let spilled = Spilled {
            group: self.business.tenant().to_string(),
            body: "{}".to_owned(),
            delay_seconds: 0,
        };
        let bucket = RawBucket::new(self.aws.env()).expect("the bucket");
        bucket.spill(QueueName::Calls, &spilled).await.expect("it is spilled");
    }

    async fn count_due(&self) -> usize {
        let mut count = 0;
        for partition in Partition::all() {
            let due = self.aws.store().due_page(partition, self.aws.now(), None, 1000).await;
            count += due.expect("the table answers").due.len();
        }
        count
    }
}

#[tokio::test]
async fn message_never_queued_is_dispatched_at_its_due_time() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.aws.pass(89);
    world.run().await;
    assert!(world.take_send_jobs().await.is_empty());
    world.aws.pass(1);
    world.run().await;
    let job = SendMessage::next_of(world.business.tenant(), &message);
    assert_eq!(job.attempt, 1);
    assert_eq!(world.take_send_jobs().await, [job]);
}

/// The event goes to the bus; the row shows that it was sent.
#[tokio::test]
async fn operation_is_started_again_at_its_due_time() {
    let world = World::new().await;
    let (store, scope) = (world.aws.store(), world.business.scope());
    let id = OperationId::new(world.aws.ids().ulid());
    let params = Data::of(&serde_json::json!({})).unwrap();
    let kind = OperationKind::EraseContact;
    let operation = Operation::new(id, kind, params, Actor::Operator, "cor".to_owned(), world.aws.now());
    let stamp = world.aws.stamp();
    store.create_operation(scope, &operation, &stamp).await.unwrap();
    let mut started = Vec::new();
    for _ in 0..4 {
        world.aws.pass(90);
        world.run().await;
        let found = store.operation(scope, id, world.aws.now()).await.unwrap().unwrap();
        started.push(found.value.dispatches);
        assert_eq!(found.version, 1, "a worker loses no write to the dispatcher");
    }
    // After 90 and 180 seconds, and then after 360.
    assert_eq!(started, [1, 2, 2, 3]);
}

/// To be fetched, and to be deleted with its message.
#[tokio::test]
async fn a_medium_is_queued_until_stored_and_when_it_goes() {
    let world = World::new().await;
    let contact = world.business.contact(&world.aws, CUSTOMER).await;
    let media = vec![InboundMedia::new("7".to_owned())];
    let message = world
        .business
        .receive_media(&world.aws, contact.id, media, |_| {})
        .await
        .id;
    let medium = world.business.medium(&world.aws, message, 0).await;
    let job = MediaJob::fetch(world.business.tenant(), &medium);
    let queued = async || {
        world.run().await;
        world.aws.take_jobs::<MediaJob>(QueueName::Media).await
    };
    assert_eq!(queued().await, []);
    world.aws.pass(60);
    assert_eq!(queued().await, std::slice::from_ref(&job));
    assert_eq!(queued().await, [], "a worker has its time");
    let leased = world.business.medium(&world.aws, message, 0).await;
    assert_eq!((leased.dispatches, leased.version), (1, medium.version));
    world
        .business
        .store_fetched_medium(&world.aws, message, 0, "image/png", b"picture")
        .await;
    world.aws.pass(89 * 24 * 3_600);
    assert_eq!(queued().await, []);
    world.aws.pass(24 * 3_600);
    assert_eq!(queued().await, [job]);
}

/// However many deliveries wait for it, the endpoint is one row.
#[tokio::test]
async fn endpoint_of_waiting_deliveries_is_looked_at() {
    let world = World::new().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let endpoint = WebhookEndpointId::new(world.aws.ids().ulid());
    let first = now + SignedDuration::from_mins(5);
    let waits = store.change_health(scope, endpoint, now, |health| health.with_more_waiting(7, first));
    waits.await.unwrap();
    let looks = async || {
        world.run().await;
        world.aws.take_jobs::<DeliveryJob>(QueueName::WebhookDeliveries).await
    };
    assert_eq!(looks().await, []);
    world.aws.pass(5 * 60);
    let queued = looks().await;
    assert!(matches!(&queued[..], [DeliveryJob::Run { endpoint: found, .. }] if *found == endpoint));
    assert_eq!(looks().await, [], "a worker has its time");
}

/// The order itself is as before, so neither its shop nor its worker loses a write to the dispatcher.
#[tokio::test]
async fn order_that_awaits_shipment_is_looked_at_when_it_is_late() {
    let world = World::new().await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let contact = world.business.contact(&world.aws, CUSTOMER).await.id;
    let contents = serde_json::json!({"placed_at": now, "currency": "AED", "totals": {"total": 1}, "items": []});
    let report = OrderReport {
        updated_at: now,
        contents: None,
        payment: Some(PaymentState::Paid),
        fulfilment: None,
        shipments: UpTo::new(),
    };
    let id = OrderId::new(contact, world.aws.ids().ulid());
    let (number, contents) = ("1042".parse().unwrap(), serde_json::from_value(contents).unwrap());
    let mut order = Order::new(id, number, contents, &report, None, now);
    order.note_waiting(now, Some(SignedDuration::from_hours(48)));
    store.create_order(scope, &order, &world.aws.stamp()).await.unwrap();
    let queued = async || {
        world.run().await;
        world.aws.take_jobs::<CommerceJob>(QueueName::CommerceEvents).await
    };
    let job = CommerceJob::TellNews {
        tenant: world.business.tenant(),
        correlation_id: id.to_string(),
        order: id,
    };
    world.aws.pass(48 * 3_600 - 1);
    assert_eq!(queued().await, []);
    world.aws.pass(1);
    assert_eq!(queued().await, std::slice::from_ref(&job));
    assert_eq!(queued().await, [], "a worker has its time");
    let leased = store.order(scope, id).await.unwrap().unwrap();
    assert_eq!((leased.version, &leased.value.order), (1, &order));
    // A lost job is queued again, each time after twice as long.
    let mut waited = Vec::new();
    for minute in (5..=120).step_by(5) {
        world.aws.pass(5 * 60);
        if queued().await == std::slice::from_ref(&job) {
            waited.push(minute);
        }
    }
    let twice_as_long = waited.windows(2).all(|pair| pair[1] >= 2 * pair[0]);
    assert!(waited.len() > 1 && twice_as_long, "{waited:?}");
    // Once its parcel is on its way, it is never late.
    order.late_at = None;
    store.change_order(scope, 1, &order, &world.aws.stamp()).await.unwrap();
    world.aws.pass(24 * 3_600);
    assert_eq!(queued().await, []);
}

#[tokio::test]
async fn each_dispatch_doubles_the_time_to_the_next() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let start = world.aws.now();
    let mut dispatched_at = Vec::new();
    for _ in 0..60 {
        world.aws.pass(30);
        world.run().await;
        if !world.take_send_jobs().await.is_empty() {
            dispatched_at.push(world.aws.now().duration_since(start).as_secs());
        }
    }
    assert_eq!(dispatched_at, [90, 180, 360, 720, 1440]);
    let message = world.message(&message).await;
    assert_eq!(message.dispatches, 5);
    assert_eq!(
        message.version, 1,
        "a worker that holds it loses no write to the dispatcher"
    );
}

#[tokio::test]
async fn concurrent_runs_queue_each_row_once() {
    let world = World::new().await;
    for last in 0..20 {
        world.follow_up_of(&mobile(last)).await;
    }
    world.aws.pass(90);
    let (other, deadline) = (world.another_process(), world.aws.deadline(60));
    let (one, two) = tokio::join!(
        Box::pin(handle(deadline, &world.ctx)),
        Box::pin(handle(deadline, &other))
    );
    one.unwrap();
    two.unwrap();
    let mut messages: Vec<_> = world
        .take_send_jobs()
        .await
        .into_iter()
        .map(|job| job.message)
        .collect();
    messages.sort();
    assert_eq!(messages.len(), 20);
    messages.dedup();
    assert_eq!(messages.len(), 20);
    assert_eq!(world.count_due().await, 0);
}

/// Its writer changes the row, so that there is something else to do, or nothing.
#[tokio::test]
async fn row_in_a_transaction_is_left_to_the_next_run() {
    let world = World::new().await;
    let (lossy, ctx) = world.behind_lossy();
    world.follow_up().await;
    world.aws.pass(90);
    lossy.be_writing_during("UpdateItem");
    for jobs in [0, 1] {
        Box::pin(handle(world.aws.deadline(60), &ctx))
            .await
            .expect("the run ends well");
        assert!(lossy.has_lost_all());
        assert_eq!(world.take_send_jobs().await.len(), jobs);
    }
}

#[tokio::test]
async fn run_out_of_time_leaves_the_rest_to_the_next() {
    let world = World::new().await;
    world.follow_up().await;
    world.aws.pass(90);
    Box::pin(handle(world.aws.deadline(1), &world.ctx)).await.unwrap();
    assert!(world.take_send_jobs().await.is_empty());
    assert_eq!(world.count_due().await, 1);
    world.run().await;
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn waiting_call_is_dispatched_at_its_time() {
    let world = World::new().await;
    let mut facts = from_to(CUSTOMER);
    facts.status = Some(CallStatus::Completed);
    let progress = domain::calls::CallProgress {
        connection: world.business.twilio,
        provider: domain::telephony::CallProvider::Twilio,
        provider_call_id: "CA1".to_owned(),
        facts,
        first_seen: world.aws.now(),
        decided: None,
        due: Some(world.aws.now() + SignedDuration::from_secs(60)),
        dispatches: 0,
        correlation_id: "cor-CA1".to_owned(),
        version: 0,
    };
    let (store, scope) = (world.aws.store(), world.business.scope());
    let effects = Effects {
        once: Once::Reported(&progress),
        ..Effects::default()
    };
    store.commit(scope, effects, world.aws.now()).await.unwrap();
    world.aws.pass(60);
    world.run().await;
    world.run().await;
    let jobs: Vec<CallJob> = world.aws.take_jobs(QueueName::Calls).await;
    let decide = CallJob::Decide {
        tenant: world.business.tenant(),
        correlation_id: "cor-CA1".to_owned(),
        connection: world.business.twilio,
        provider: domain::telephony::CallProvider::Twilio,
        provider_call_id: "CA1".to_owned(),
    };
    assert_eq!(jobs, [decide]);
}

#[tokio::test]
async fn finished_message_is_not_queued() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    message.cancel("not sent: the customer wrote first".to_owned());
    world.write(&message).await;
    world.aws.pass(3600);
    world.run().await;
    assert!(world.take_send_jobs().await.is_empty());
}

#[tokio::test]
async fn unreadable_row_does_not_block_others() {
    use aws_sdk_dynamodb::types::AttributeValue::M;
    let world = World::new().await;
    let message = world.follow_up().await;
    world.aws.pass(90);
    let (dynamodb, table) = (world.aws.dynamodb(), world.aws.table());
    // A row that comes before all others in every shard.
    let tenant = world.business.tenant().to_string();
    let partition = format!("T#{}#C#broken", tenant.trim_start_matches("tnt_"));
    for shard in 0..16 {
        let put = dynamodb.put_item().table_name(table);
        put.item("pk", S(partition.clone()))
            .item("sk", S(format!("MSG#broken{shard}")))
            .item("kind", S("message".to_owned()))
            .item("data", M([("id".to_owned(), S("nonsense".to_owned()))].into()))
            .item("gsi2pk", S(format!("DUE#answers#{shard:02}")))
            .item("gsi2sk", S("2026-01-01T00:00:00.000Z#broken".to_owned()))
            .send()
            .await
            .unwrap();
    }
    world.run().await;
    let jobs = world.take_send_jobs().await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].message, message.id);
    assert_eq!(world.count_due().await, 0, "out of the way");
}

#[tokio::test]
async fn spilled_jobs_are_swept_into_their_queue_and_deleted() {
    let world = World::new().await;
    let bucket = RawBucket::new(world.aws.env()).unwrap();
    for queue in QueueName::SWEPT {
        let group = world.business.tenant().to_string();
        let body = serde_json::json!({"for": queue.as_str()});
        let spilled = Spilled {
            group: group.clone(),
            body: body.to_string(),
            delay_seconds: 0,
        };
        bucket.spill(queue, &spilled).await.unwrap();
        bucket.spill_raw("changes", b"for people".to_vec()).await.unwrap();
        world.run().await;
        let swept = world.aws.drain_with_groups(queue).await;
        assert_eq!(swept, [(group, body)]);
        world.run().await;
        assert!(world.aws.drain(queue).await.is_empty());
    }
    let left = world.aws.objects("spill/").await;
    assert_eq!(left.len(), QueueName::SWEPT.len(), "what is not a job stays");
}

#[tokio::test]
async fn unreadable_spilled_object_does_not_block_others() {
    let world = World::new().await;
    let bucket = RawBucket::new(world.aws.env()).unwrap();
    bucket.spill_raw("calls", b"not a job".to_vec()).await.unwrap();
    world.aws.pass(1);
    world.spill().await;
    let run = Box::pin(handle(world.aws.deadline(60), &world.ctx));
    assert!(run.await.is_err(), "somebody must look");
    assert_eq!(world.aws.drain(QueueName::Calls).await.len(), 1);
}

#[tokio::test]
async fn expired_message_is_not_queued() {
    let world = World::new().await;
    let message = world.follow_up().await;
    let until = message.keep_until.expect("a time");
    world.aws.pass(until.duration_since(world.aws.now()).as_secs());
    world.run().await;
    assert!(world.take_send_jobs().await.is_empty());
}

#[tokio::test]
async fn spilled_jobs_are_swept_before_anything_is_dispatched() {
    let world = World::new().await;
    let (lossy, ctx) = world.behind_lossy();
    world.follow_up().await;
    world.aws.pass(90);
    world.spill().await;
    let bucket = RawBucket::new(world.aws.env()).unwrap();
    let (told, hears) = std::sync::mpsc::channel();
    lossy.happens_before("Query", async move || {
        let left = bucket.list_spilled_jobs(QueueName::Calls, 10).await.unwrap();
        told.send(left.len()).unwrap();
    });
    Box::pin(handle(world.aws.deadline(60), &ctx)).await.unwrap();
    assert_eq!(hears.recv().unwrap(), 0);
    assert_eq!(world.aws.drain(QueueName::Calls).await.len(), 1);
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

#[tokio::test]
async fn job_taken_by_another_sweep_is_no_error() {
    let world = World::new().await;
    let (lossy, ctx) = world.behind_lossy();
    world.spill().await;
    // S3 answers 403 instead of 404 to callers who may not list the bucket.
    lossy.forbid("GetObject");
    Box::pin(handle(world.aws.deadline(60), &ctx)).await.unwrap();
    assert!(lossy.has_lost_all());
    assert!(world.aws.drain(QueueName::Calls).await.is_empty());
}

#[tokio::test]
async fn hanging_bucket_does_not_delay_due_rows() {
    let world = World::new().await;
    let (lossy, ctx) = world.behind_lossy();
    world.follow_up().await;
    world.aws.pass(90);
    lossy.hang_on("ListObjectsV2");
    // Time passes while it hangs: half of the remaining time for each queue would leave nothing for due rows.
    let deadline = world.aws.deadline(20);
    let clock = world.aws.clock().clone();
    let ticking = tokio::spawn(async move {
        let tick = Duration::from_millis(100);
        let mut ticks = tokio::time::interval(tick);
        loop {
            ticks.tick().await;
            clock.advance(SignedDuration::from_millis(100));
        }
    });
    assert!(Box::pin(handle(deadline, &ctx)).await.is_err(), "somebody must look");
    ticking.abort();
    assert!(lossy.has_kept_waiting());
    assert_eq!(world.take_send_jobs().await.len(), 1);
}

/// The due time was set at planning, and stays when the provider accepts the message: most messages are delivered by then.
#[tokio::test]
async fn accepted_message_is_due_at_its_fallback_deadline() {
    let world = World::new().await;
    let timers = world.aws.env().config().timers().unwrap();
    let message = world.follow_up().await;
    let planned = message.due;
    let mut message = world.claim_next_leg(message).await;
    world.aws.pass(1);
    let taken = SendOutcome::Accepted {
        provider_ref: "wamid.1".parse().unwrap(),
        segments: None,
    };
    message.record(1, taken, world.aws.now(), &timers);
    world.write(&message).await;
    let fallback = world.aws.now() + SignedDuration::from_secs(120);
    assert_eq!(
        (
            world.message(&message).await.due,
            message.waits_for_delivery(world.aws.now())
        ),
        (planned, Some(fallback))
    );
    world.aws.pass(89);
    world.run().await;
    assert!(world.take_send_jobs().await.is_empty());
    assert_eq!(world.message(&message).await.due, Some(fallback));
    world.aws.pass(30);
    world.run().await;
    assert!(world.take_send_jobs().await.is_empty());
    world.aws.pass(1);
    world.run().await;
    let [job] = &world.take_send_jobs().await[..] else {
        panic!("one job")
    };
    assert_eq!((job.message, job.attempt), (message.id, 2));
}

type Row = std::collections::HashMap<String, AttributeValue>;

impl World {
    /// Writes rows of a later version of the code before a message in its partition of the index: their keys below the
    /// tenant's, and their kinds.
    async fn put_before(&self, message: &Message, rows: &[(String, &str, &str)]) -> Vec<Row> {
        let (dynamodb, table) = (self.aws.dynamodb(), self.aws.table());
        let id = message.id.own().to_string().to_ascii_lowercase();
        let sk = S(format!("MSG#{id}"));
        let mut own = self.aws.rows().await.into_iter().filter(|row| row["sk"] == sk);
        let place = own.next().expect("the message's row")["gsi2pk"].clone();
        let tenant = self.business.tenant().to_string();
        let row = |(pk, sk, kind): &(String, &str, &str)| -> Row {
            let texts = [
                ("pk", format!("T#{}#{pk}", tenant.trim_start_matches("tnt_"))),
                ("sk", (*sk).to_owned()),
                ("kind", (*kind).to_owned()),
                ("gsi2sk", format!("2026-01-01T00:00:00.000Z#{sk}")),
            ];
            let texts = texts.into_iter().map(|(name, text)| (name.to_owned(), S(text)));
            texts.chain([("gsi2pk".to_owned(), place.clone())]).collect()
        };
        let rows: Vec<Row> = rows.iter().map(row).collect();
        for batch in rows.chunks(25) {
            let put = |row: &Row| {
                let put = PutRequest::builder().set_item(Some(row.clone())).build();
                WriteRequest::builder().put_request(put.expect("a row")).build()
            };
            let write = dynamodb.batch_write_item();
            let write = write.request_items(table, batch.iter().map(put).collect());
            write.send().await.expect("the rows are written");
        }
        rows
    }

    async fn is_unchanged(&self, row: &Row) -> bool {
        let get = self.aws.dynamodb().get_item().table_name(self.aws.table());
        let get = get.key("pk", row["pk"].clone()).key("sk", row["sk"].clone());
        get.send().await.expect("the table answers").item.as_ref() == Some(row)
    }
}

/// More rows of a later version of the code than a run queues of a partition: recognised by their keys or, among messages, only
/// once they are read. No other partition is read, which the role would forbid.
#[tokio::test]
async fn rows_of_unknown_kinds_are_left_and_block_nobody() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.aws.pass(90);
    let rows = (0..780).map(|number| match number % 3 {
        0 => (format!("OP#{number}"), "OP", "operation"),
        1 => (format!("ORDERS#{number}"), "REFUND#1", "refund"),
        _ => (format!("C#{number}"), "MSG#1", "later"),
    });
    let rows = world.put_before(&message, &rows.collect::<Vec<_>>()).await;
    world.run().await;
    let jobs = world.take_send_jobs().await;
    assert_eq!(jobs.len(), 1);
    assert_eq!(jobs[0].message, message.id);
    for row in &rows[6..9] {
        assert!(world.is_unchanged(row).await, "it is left as it is");
    }
}

/// Twenty pages of a partition in one run, whatever they contain.
#[tokio::test]
async fn next_run_continues_after_many_unknown_rows() {
    let world = World::new().await;
    let message = world.follow_up().await;
    world.aws.pass(90);
    let rows: Vec<_> = (0..2_050)
        .map(|number| (format!("OP#{number}"), "OP", "operation"))
        .collect();
    world.put_before(&message, &rows).await;
    for (run, jobs) in [0, 1, 0].into_iter().enumerate() {
        world.run().await;
        assert_eq!(world.take_send_jobs().await.len(), jobs, "run {run}");
    }
}

/// The policy of a follow-up in the bulk lane.
fn bulk_policy() -> Policy {
    let narrowing = Narrowing {
        bulk: true,
        ..Narrowing::default()
    };
    Policy::for_purpose(Purpose::FollowUp, Category::Utility, &narrowing).expect("a policy")
}

/// A broadcast is in its queue for minutes.
#[tokio::test]
async fn bulk_is_dispatched_again_after_half_an_hour() {
    let world = World::new().await;
    let mut message = world.follow_up().await;
    message.policy = bulk_policy();
    world.write(&message).await;
    world.aws.pass(90);
    for wait in [30, 60] {
        world.run().await;
        assert_eq!(world.aws.drain(QueueName::BulkSends).await.len(), 1);
        let again = world.aws.now() + SignedDuration::from_mins(wait);
        assert_eq!(world.message(&message).await.due, Some(again));
        world.aws.pass(wait * 60);
    }
}

/// Plans that many messages like this one in the bulk lane, and returns them.
async fn plan_bulk(aws: &Aws, business: &Seeded, like: &Message, count: usize) -> Vec<Message> {
    let planned: Vec<Message> = (0..count)
        .map(|_| Message {
            id: MessageId::new(like.id.contact(), aws.ids().ulid()),
            policy: bulk_policy(),
            version: 0,
            ..like.clone()
        })
        .collect();
    for some in planned.chunks(100) {
        let effects = Effects {
            planned: some.to_vec(),
            ..Effects::default()
        };
        let jobs = aws.store().commit(business.scope(), effects, aws.now()).await;
        assert_eq!(jobs.expect("the table answers").len(), some.len());
    }
    planned
}

/// These messages as the table has them.
async fn read_again(aws: &Aws, business: &Seeded, messages: &[Message]) -> Vec<Message> {
    let ids: Vec<MessageId> = messages.iter().map(|message| message.id).collect();
    let found = aws.store().each_message(business.scope(), &ids, aws.now()).await;
    let found = found.expect("the table answers").into_iter();
    found
        .map(|message| message.expect("it is readable").expect("it is there"))
        .collect()
}

/// Two thousand bulk messages of a tenant are due, for longer than twenty answers to a person, and than twenty bulk messages of another
/// tenant. A first run queues 1,800, which two workers send in three minutes.
#[tokio::test]
async fn due_bulk_delays_neither_answers_nor_other_tenants() {
    const BULK: usize = 2_000;
    const OTHERS: usize = 20;
    let world = World::with_two_workers("90").await;
    let like = world.follow_up().await;
    let other = Box::pin(business(&world.aws)).await;
    let others = Box::pin(other.follow_up(&world.aws, &mobile(99))).await;
    world.aws.drain(QueueName::Sends).await;
    let many = plan_bulk(&world.aws, &world.business, &like, BULK).await;
    world.aws.pass(60);
    let few = plan_bulk(&world.aws, &other, &others, OTHERS).await;
    let mut answers = vec![like.id, others.id];
    for last in 0..20 {
        answers.push(world.follow_up_of(&mobile(last)).await.id);
    }
    world.aws.pass(90);
    world.run().await;
    let mut queued: Vec<_> = world
        .take_send_jobs()
        .await
        .into_iter()
        .map(|job| job.message)
        .collect();
    queued.sort();
    answers.sort();
    assert_eq!(queued, answers, "all answers, and nothing else, by the first run");
    assert_eq!(world.aws.depth(QueueName::BulkSends).await, 1_800);
    for message in read_again(&world.aws, &other, &few).await {
        assert_eq!(message.dispatches, 1, "each tenant has its turn");
    }
    for _ in 0..2 {
        world.run().await;
        assert_eq!(world.aws.depth(QueueName::BulkSends).await, 2_020, "the rest, once");
    }
    let all = read_again(&world.aws, &world.business, &many).await;
    assert!(all.iter().all(|message| message.dispatches == 1));
}

/// As many as this variable says, where it is set: `RINGBACK_TEST_DUE=10000`.
const DUE: usize = 900;

#[tokio::test]
async fn bulk_of_several_tenants_leaves_in_one_run() {
    let world = World::new().await;
    let count = testkit::size("RINGBACK_TEST_DUE", DUE) / 3;
    let (second, third) = (
        Box::pin(business(&world.aws)).await,
        Box::pin(business(&world.aws)).await,
    );
    for (number, business) in (0..).zip([&world.business, &second, &third]) {
        let like = Box::pin(business.follow_up(&world.aws, &mobile(number))).await;
        plan_bulk(&world.aws, business, &like, count).await;
    }
    world.aws.pass(90);
    for _ in 0..2 {
        world.run().await;
        let queued = usize::try_from(world.aws.depth(QueueName::BulkSends).await);
        assert_eq!(queued, Ok(3 * count));
        assert_eq!(world.count_due().await, 0);
    }
}

#[tokio::test]
async fn bulk_is_queued_as_fast_as_its_number_sends() {
    let world = World::new().await;
    let (store, scope, at) = (world.aws.store(), world.business.scope(), world.aws.now());
    let connection = store.connection(scope, world.business.whatsapp).await;
    // One place of two is for answers.
    let reported = Reported {
        messages_per_second: Some(Dated { at, value: 2 }),
        ..Reported::default()
    };
    let connection = connection.expect("the table answers").expect("the connection");
    store
        .note_reported(scope, &connection, reported)
        .await
        .expect("it is noted");
    let like = world.follow_up().await;
    let planned = plan_bulk(&world.aws, &world.business, &like, 5).await;
    world.aws.pass(90);
    world.run().await;
    let again = world.aws.now() + SignedDuration::from_mins(30);
    let mut leased = read_again(&world.aws, &world.business, &planned).await;
    leased.sort_by_key(|message| message.due);
    for (second, message) in (0..).zip(leased) {
        assert_eq!(message.due, Some(again + SignedDuration::from_secs(second)));
    }
}

/// Two workers send ten a second, for which the queue holds a minute's worth, half of a short lease. What is no message has another queue.
#[tokio::test]
async fn bulk_stays_due_while_its_queue_is_full() {
    let world = World::with_two_workers("6").await;
    let like = world.follow_up().await;
    let planned = plan_bulk(&world.aws, &world.business, &like, 3).await;
    let (store, scope, now) = (world.aws.store(), world.business.scope(), world.aws.now());
    let endpoint = WebhookEndpointId::new(world.aws.ids().ulid());
    let soon = now + SignedDuration::from_mins(1);
    let waits = store.change_health(scope, endpoint, now, |health| health.with_more_waiting(7, soon));
    waits.await.unwrap();
    world.aws.pass(120);
    world.aws.fill_queue(QueueName::BulkSends.variable(), 600).await;
    for (jobs, dispatches, looks) in [(600, 0, 1), (3, 1, 0)] {
        world.run().await;
        let found = world.aws.take_jobs::<DeliveryJob>(QueueName::WebhookDeliveries).await;
        assert_eq!(found.len(), looks);
        assert_eq!(world.aws.depth(QueueName::BulkSends).await, jobs);
        world.aws.drain(QueueName::BulkSends).await;
        let all = read_again(&world.aws, &world.business, &planned).await;
        assert!(all.iter().all(|message| message.dispatches == dispatches));
        world.aws.pass(60);
    }
}
