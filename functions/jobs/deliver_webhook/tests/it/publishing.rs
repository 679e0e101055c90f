//! New events: once at each endpoint, whatever happens meanwhile.

use domain::live::EventType;
use domain::terms::TenantId;
use domain::webhooks::{AttemptOutcome, Delivery, DeliveryState, DisabledReason, MAX_WAITING_DELIVERIES};
use jobs::DeliveryJob;
use kit::Done;
use ulid::Ulid;
use wiremock::ResponseTemplate;

use super::world::{World, ids};

#[tokio::test]
async fn events_are_delivered_once() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(50);
    assert_eq!(world.publish(&endpoint, &events).await, Done::Now);
    assert_eq!(world.take_sent().await, ids(&events));
    assert_eq!(world.states(&endpoint, &events).await, [(DeliveryState::Delivered, 50)]);
    let health = world.health(&endpoint).await;
    assert_eq!(
        (health.waiting, health.due_at(), health.last_success),
        (0, None, Some(world.aws.now()))
    );
    assert_eq!(world.count_queued().await, 0);
    // The queue, or the stream, hands them out again, with some others.
    assert_eq!(world.publish(&endpoint, &events).await, Done::Already);
    let more = [events, world.events(2)].concat();
    assert_eq!(world.publish(&endpoint, &more).await, Done::Now);
    assert_eq!(world.take_sent().await, ids(&more[50..]));
    let first = world.delivery(&endpoint, &more[0]).await.expect("a delivery");
    assert_eq!(first.attempts.len(), 1);
    assert_eq!(
        (first.attempts[0].outcome, first.attempts[0].status),
        (AttemptOutcome::Delivered, Some(204))
    );
}

/// The worker dies between the attempts and the rows: receivers recognize the events by their ids.
#[tokio::test]
async fn interrupted_events_are_sent_again_under_their_ids() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(3);
    world.answer(super::world::too_late());
    let mut sent = Vec::new();
    let arrive = async {
        while sent.len() < events.len() {
            sent.extend(world.take_sent().await);
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        () = arrive => {}
        done = world.publish(&endpoint, &events) => panic!("{done:?} before it died"),
    }
    sent.sort();
    assert_eq!(sent, ids(&events));
    assert_eq!(world.states(&endpoint, &events).await, []);
    world.answer_status(200);
    world.publish(&endpoint, &events).await;
    assert_eq!(world.take_sent().await, ids(&events));
}

/// Whether or not the worker lived to count them.
#[tokio::test]
async fn job_that_comes_again_counts_what_waits_once() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(5);
    let written: Vec<Delivery> = events[..2].iter().cloned().map(Delivery::new).collect();
    let written = world
        .store()
        .write_deliveries(world.scope(), endpoint.id, &written)
        .await;
    written.expect("the table answers");
    world.answer_status(500);
    for again in [Done::Now, Done::Already, Done::Already] {
        assert_eq!(world.publish(&endpoint, &events).await, again);
        assert_eq!(world.health(&endpoint).await.waiting, 5);
    }
}

/// It changed while the events were on their way.
#[tokio::test]
async fn endpoint_that_does_not_want_events_gets_none() {
    let world = World::new().await;
    let events = world.events(1);
    let disabled = world
        .endpoint(|endpoint| *endpoint = endpoint.disable(DisabledReason::User, endpoint.created_at))
        .await;
    let other = world
        .endpoint(|endpoint| endpoint.events = vec![EventType::MessageReceived].into())
        .await;
    let deleted = world.endpoint(|_| {}).await;
    let (store, scope) = (world.store(), world.scope());
    let known = store
        .get(scope, &deleted.id)
        .await
        .expect("the table answers")
        .expect("it is there");
    let removed = store.remove_webhook_endpoint(scope, &known, &world.aws.stamp()).await;
    removed.expect("it is deleted");
    for endpoint in [&disabled, &other, &deleted] {
        assert_eq!(world.publish(endpoint, &events).await, Done::Already);
        assert_eq!(world.retry(endpoint, &events[0]).await, Done::Already);
        assert_eq!(world.look(endpoint).await, Done::Already);
        assert_eq!(world.states(endpoint, &events).await, []);
        assert_eq!(world.health(endpoint).await.due_at(), None);
    }
    assert_eq!(world.take_sent().await, Vec::<String>::new());
    assert_eq!(world.count_queued().await, 0);
}

/// The health that was written after the deletion is due, and forgotten.
#[tokio::test]
async fn endpoint_deleted_during_attempts_is_forgotten() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let now = world.aws.now();
    let (store, scope) = (world.store(), world.scope());
    let known = store
        .get(scope, &endpoint.id)
        .await
        .expect("the table answers")
        .expect("it is there");
    let removed = store.remove_webhook_endpoint(scope, &known, &world.aws.stamp()).await;
    removed.expect("it is deleted");
    let written = store.change_health(scope, endpoint.id, now, |health| health.with_more_waiting(1, now));
    assert!(written.await.expect("the table answers").due_at().is_some());
    assert_eq!(world.look(&endpoint).await, Done::Already);
    assert_eq!(world.health(&endpoint).await, Default::default());
}

#[tokio::test]
async fn job_of_another_tenant_finds_no_endpoint() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let job = DeliveryJob::Publish {
        tenant: TenantId::new(Ulid::from_parts(9, 9)),
        correlation_id: "cor".to_owned(),
        endpoint: endpoint.id,
        events: world.events(1),
    };
    assert_eq!(world.handle(job).await.expect("nothing is to do"), Done::Already);
    assert_eq!(world.take_sent().await, Vec::<String>::new());
}

#[tokio::test]
async fn only_the_beginning_of_an_answer_is_kept() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(1);
    world.answer(ResponseTemplate::new(500).set_body_string("a".repeat(1_000_000)));
    world.publish(&endpoint, &events).await;
    let delivery = world.delivery(&endpoint, &events[0]).await.expect("a delivery");
    let answer = delivery.attempts[0].answer.as_deref();
    assert_eq!(answer.map(str::len), Some(1_024));
}

#[tokio::test]
async fn events_beyond_the_maximum_are_dropped_with_a_notice() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let now = world.aws.now();
    world.answer_status(503);
    world.publish(&endpoint, &world.events(30)).await;
    assert!(world.health(&endpoint).await.is_down());
    let (store, scope) = (world.store(), world.scope());
    let fill = store.change_health(scope, endpoint.id, now, |health| domain::webhooks::EndpointHealth {
        waiting: MAX_WAITING_DELIVERIES - 3,
        ..health.clone()
    });
    fill.await.expect("the table answers");
    let events = world.events(5);
    world.publish(&endpoint, &events).await;
    let expected = [(DeliveryState::Waiting, 3), (DeliveryState::Dropped, 2)];
    assert_eq!(world.states(&endpoint, &events).await, expected);
    assert_eq!(world.read_notice(&endpoint, "full").await, Some(now));
    world.aws.pass(60);
    world.publish(&endpoint, &world.events(1)).await;
    assert_eq!(world.read_notice(&endpoint, "full").await, Some(now), "once");
}
