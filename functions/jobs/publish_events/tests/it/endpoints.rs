//! Events for endpoints of webhooks: each gets those that it wants.

use std::collections::BTreeSet;

use aws_lambda_events::dynamodb::EventRecord;
use domain::live::EventType;
use domain::terms::WebhookEndpointId;
use domain::webhooks::{DisabledReason, WebhookEndpoint};
use jobs::{DeliveryJob, JobBody as _};
use kit::QueueName;
use publish_events::{Context, handle};
use serde_dynamo::AttributeValue;
use serde_json::json;
use testkit::Lossy;
use testkit::business::business;
use testkit::stream::rows;

use super::{World, batch};

impl World {
    /// An endpoint of the business that gets events of these types. Changes of before are not recorded.
    async fn endpoint(&mut self, events: &[EventType]) -> WebhookEndpoint {
        let id = WebhookEndpointId::new(self.aws.ids().ulid());
        let endpoint: WebhookEndpoint = serde_json::from_value(json!({
            "id": id, "name": "shop", "url": "https://shop.example.com/hooks", "events": events,
            "secrets": [{"sealed": "sealed", "rotation": "rot_00000000000000000000000001"}],
            "created_at": self.aws.now(), "updated_at": self.aws.now(),
        }))
        .expect("an endpoint");
        let (store, scope, stamp) = (self.aws.store(), self.business.scope(), self.aws.stamp());
        let created = store.create_webhook_endpoint(scope, &endpoint, &stamp).await;
        created.expect("the table answers");
        self.known = rows(&self.aws).await;
        endpoint
    }

    async fn deliveries(&self) -> Vec<DeliveryJob> {
        self.aws.take_jobs(QueueName::WebhookDeliveries).await
    }
}

/// The types of the events of a job, and the ids.
fn read_events(job: &DeliveryJob) -> (Vec<EventType>, Vec<String>) {
    let DeliveryJob::Publish { events, .. } = job else {
        panic!("{job:?} publishes nothing");
    };
    let kinds = events.iter().map(|event| event.kind).collect();
    (kinds, events.iter().map(|event| event.id.to_string()).collect())
}

#[tokio::test]
async fn endpoint_gets_the_events_that_it_wants_and_pages_none() {
    let mut world = World::new().await;
    let calls = world.endpoint(&[EventType::CallDecided]).await;
    let both = world
        .endpoint(&[EventType::ContactChanged, EventType::CallDecided])
        .await;
    world.endpoint(&[EventType::ConversionRecorded]).await;
    let disabled = world.endpoint(&[EventType::CallDecided]).await;
    let (store, scope, stamp) = (world.aws.store(), world.business.scope(), world.aws.stamp());
    let known = store.get::<WebhookEndpoint>(scope, &disabled.id).await;
    let known = known.expect("the table answers").expect("it is there");
    let after = disabled.disable(DisabledReason::User, world.aws.now());
    let changed = store.change_webhook_endpoint(scope, &known, &after, &stamp).await;
    changed.expect("it is disabled");
    world.known = rows(&world.aws).await;

    world.follow_up().await;
    world.record().await;
    let kept = world.aws.row_count().await;
    world.deliver(&world.records).await;
    let mut jobs = world.deliveries().await;
    jobs.sort_by_key(|job| job.endpoint() != calls.id);
    let endpoints: Vec<_> = jobs.iter().map(DeliveryJob::endpoint).collect();
    assert_eq!(endpoints, [calls.id, both.id]);
    assert_eq!(read_events(&jobs[0]).0, [EventType::CallDecided]);
    let (mut kinds, _) = read_events(&jobs[1]);
    kinds.sort_by_key(|kind| *kind == EventType::ContactChanged);
    assert_eq!(kinds, [EventType::CallDecided, EventType::ContactChanged]);
    let DeliveryJob::Publish { events, .. } = &jobs[0] else {
        panic!("it publishes");
    };
    assert!(events[0].data.outcome.is_some() && events[0].data.reason.is_some());
    // Nobody else follows the business, so nothing is kept for pages.
    assert_eq!(world.aws.row_count().await, kept);
}

#[tokio::test]
async fn queue_that_refuses_repeats_the_batch_with_the_same_ids() {
    let mut world = World::new().await;
    let since = world.follow().await;
    world
        .endpoint(&[EventType::CallDecided, EventType::ContactChanged])
        .await;
    world.follow_up().await;
    world.record().await;
    let lossy = Lossy::before(&world.aws);
    let ctx = Context::new(&world.aws.env_behind(lossy.url())).expect("a context");
    lossy.deny("SendMessageBatch");
    let failed = handle(batch(&world.records), &ctx).await;
    let again = failed.expect_err("Lambda delivers it again").from_sequence_number;
    assert_eq!(Some(again), world.records[0].change.sequence_number);
    assert_eq!(world.events(since).await.len(), 3, "pages were told");
    world.deliver(&world.records).await;
    let first = world.deliveries().await;
    world.deliver(&world.records).await;
    let again = world.deliveries().await;
    assert_eq!(first.len(), 1);
    assert_eq!(read_events(&first[0]), read_events(&again[0]));
}

#[tokio::test]
async fn tenants_of_a_batch_get_their_own_events() {
    let mut world = World::new().await;
    let mut endpoints = vec![world.endpoint(&[EventType::CallDecided]).await.id];
    let stranger = Box::pin(business(&world.aws)).await;
    let ours = std::mem::replace(&mut world.business, stranger);
    endpoints.push(world.endpoint(&[EventType::CallDecided]).await.id);
    world.follow_up().await;
    let tenants = [ours.tenant(), world.business.tenant()];
    world.business = ours;
    world.follow_up().await;
    world.record().await;
    world.deliver(&world.records).await;
    let mut jobs = world.deliveries().await;
    jobs.sort_by_key(|job| job.endpoint() != endpoints[0]);
    let got: Vec<_> = jobs.iter().map(|job| (job.tenant(), job.endpoint())).collect();
    assert_eq!(got, [(tenants[0], endpoints[0]), (tenants[1], endpoints[1])]);
    let of_jobs = [&jobs[0], &jobs[1]].map(read_events);
    assert!(of_jobs.iter().all(|(kinds, _)| *kinds == [EventType::CallDecided]));
    assert_ne!(of_jobs[0].1, of_jobs[1].1);
}

#[tokio::test]
async fn many_events_become_several_jobs() {
    let mut world = World::new().await;
    world.endpoint(&[EventType::CallDecided]).await;
    world.follow_up().await;
    world.record().await;
    let is_call = |record: &EventRecord| record.change.new_image["kind"] == AttributeValue::S("call".to_owned());
    let call = world.records.iter().find(|record| is_call(record)).expect("a call");
    let again = |number: u128| {
        let mut record = call.clone();
        record.change.sequence_number = Some((100_000_000_000_000_000 + number).to_string());
        record
    };
    let calls: Vec<EventRecord> = (0..120).map(again).collect();
    world.deliver(&calls).await;
    let mut sizes: Vec<usize> = Vec::new();
    let mut known = BTreeSet::new();
    for job in world.deliveries().await {
        let (_, ids) = read_events(&job);
        sizes.push(ids.len());
        known.extend(ids);
    }
    sizes.sort_unstable();
    assert_eq!((sizes, known.len()), (vec![20, 50, 50], 120));
}
