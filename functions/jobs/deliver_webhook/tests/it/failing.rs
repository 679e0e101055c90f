//! Receivers that fail: further attempts, endpoints that are down, and their end.

use domain::Timestamp;
use domain::webhooks::{AttemptOutcome, DeliveryState, DisabledReason, HealthState, WebhookEndpoint};
use jiff::SignedDuration;
use kit::Done;
use wiremock::ResponseTemplate;

use super::world::{World, ids, too_late};

#[tokio::test]
async fn failed_attempts_follow_the_schedule() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(1);
    world.answer(ResponseTemplate::new(200).set_body_string("n8n is starting up. Please wait"));
    world.publish(&endpoint, &events).await;
    assert_eq!(world.count_queued().await, 1, "the queue holds back the second attempt");
    // Not before its time, and not by a look while the queue has it.
    assert_eq!(world.retry(&endpoint, &events[0]).await, Done::Already);
    assert_eq!(world.look(&endpoint).await, Done::Already);
    assert_eq!(world.take_sent().await.len(), 1);
    world.answer_status(500);
    world.aws.pass(6);
    assert_eq!(world.retry(&endpoint, &events[0]).await, Done::Now);
    assert_eq!((world.take_sent().await.len(), world.count_queued().await), (1, 2));
    world.aws.pass(6 * 60);
    assert_eq!(world.retry(&endpoint, &events[0]).await, Done::Now);
    assert_eq!(world.take_sent().await.len(), 1, "the next one waits in the table");
    assert_eq!(world.retry(&endpoint, &events[0]).await, Done::Already);
    // Seven more, by looks at the times of the health.
    look_until(&world, &endpoint, world.aws.now() + SignedDuration::from_hours(100)).await;
    let delivery = world.delivery(&endpoint, &events[0]).await.expect("a delivery");
    assert_eq!((delivery.state, delivery.attempts.len()), (DeliveryState::Failed, 10));
    let waits = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    for (planned, pair) in waits.into_iter().zip(delivery.attempts.windows(2)) {
        let wait = pair[1].at.duration_since(pair[0].at).as_secs();
        assert!(
            (planned..=planned * 12 / 10 + 61).contains(&wait),
            "{wait} for {planned}"
        );
    }
    let outcomes: Vec<AttemptOutcome> = delivery.attempts.iter().map(|attempt| attempt.outcome).collect();
    assert_eq!(outcomes, [AttemptOutcome::Refused; 10]);
    let health = world.health(&endpoint).await;
    assert_eq!((health.waiting, health.failures_in_row), (0, 10));
}

/// The jobs that the queue holds back are lost: a look tries what they were for.
#[tokio::test]
async fn lost_jobs_are_replaced_by_a_look() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(3);
    world.answer_status(500);
    world.publish(&endpoint, &events).await;
    world.take_sent().await;
    world.answer_status(200);
    world.aws.pass(70);
    assert_eq!(world.look(&endpoint).await, Done::Now);
    assert_eq!(world.take_sent().await, ids(&events));
    assert_eq!(world.states(&endpoint, &events).await, [(DeliveryState::Delivered, 3)]);
    assert_eq!(world.health(&endpoint).await.due_at(), None);
}

#[tokio::test]
async fn slow_receiver_is_down_and_drained_when_it_recovers() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let first = world.events(50);
    world.answer(too_late());
    world.publish(&endpoint, &first).await;
    let sent = world.take_sent().await;
    // Four slots were free again before the fifth time-out.
    assert!(sent.len() <= 14, "no attempt begins once it is down: {}", sent.len());
    let health = world.health(&endpoint).await;
    assert_eq!((health.state(), health.waiting), (HealthState::Down, 50));
    assert_eq!(world.count_queued().await, 0, "looks try them");
    // Events are only stored.
    let second = world.events(50);
    world.publish(&endpoint, &second).await;
    let third = world.events(30);
    world.publish(&endpoint, &third).await;
    assert_eq!(world.look(&endpoint).await, Done::Already, "before the first probe");
    assert_eq!(world.take_sent().await, Vec::<String>::new());
    // The first probe fails, the second one does not.
    world.aws.pass(7);
    assert_eq!(world.look(&endpoint).await, Done::Now);
    assert_eq!(world.take_sent().await.len(), 1);
    assert_eq!(world.look(&endpoint).await, Done::Already);
    world.answer_status(200);
    world.aws.pass(7 * 60);
    assert_eq!(world.look(&endpoint).await, Done::Now);
    let mut delivered = world.take_sent().await;
    assert_eq!((delivered.len(), world.count_queued().await), (1, 1));
    assert_eq!(world.health(&endpoint).await.state(), HealthState::Healthy);
    for page in [50, 50, 29] {
        assert_eq!(world.look(&endpoint).await, Done::Now);
        let sent = world.take_sent().await;
        assert_eq!(sent.len(), page);
        delivered.extend(sent);
    }
    delivered.sort();
    let all = [first, second, third].concat();
    assert_eq!(delivered, ids(&all));
    assert_eq!(world.states(&endpoint, &all).await, [(DeliveryState::Delivered, 130)]);
    let health = world.health(&endpoint).await;
    assert_eq!((health.waiting, health.due_at()), (0, None));
}

#[tokio::test]
async fn receiver_that_is_gone_disables_its_endpoint() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(30);
    world.answer_status(410);
    world.publish(&endpoint, &events).await;
    assert!(world.take_sent().await.len() <= 10, "no attempt begins afterwards");
    let disabled = world.read_endpoint(&endpoint).await.disabled.expect("it is disabled");
    assert_eq!((disabled.reason, disabled.at), (DisabledReason::Gone, world.aws.now()));
    assert_eq!(world.read_notice(&endpoint, "gone").await, Some(world.aws.now()));
    let following = world.store().following_endpoints(world.scope()).await;
    assert_eq!(following.expect("the table answers"), []);
    assert_eq!(
        (world.health(&endpoint).await.due_at(), world.count_queued().await),
        (None, 0)
    );
    assert_eq!(world.publish(&endpoint, &world.events(1)).await, Done::Already);
}

#[tokio::test]
async fn retry_after_holds() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(1);
    world.answer(ResponseTemplate::new(429).insert_header("retry-after", "120"));
    world.publish(&endpoint, &events).await;
    world.take_sent().await;
    world.answer_status(200);
    // Neither further events, nor those that were tried, before its time.
    let more = world.events(2);
    world.publish(&endpoint, &more).await;
    world.aws.pass(119);
    assert_eq!(world.retry(&endpoint, &events[0]).await, Done::Already);
    assert_eq!(world.look(&endpoint).await, Done::Already);
    assert_eq!(world.take_sent().await, Vec::<String>::new());
    world.aws.pass(1);
    assert_eq!(world.retry(&endpoint, &events[0]).await, Done::Now);
    assert_eq!(world.look(&endpoint).await, Done::Now);
    assert_eq!(world.take_sent().await, ids(&[events, more].concat()));
}

/// Whoever asks for an attempt sees its result, whatever the health of the endpoint.
#[tokio::test]
async fn user_may_ask_for_an_attempt_of_an_endpoint_that_is_down() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let events = world.events(30);
    world.answer_status(500);
    world.publish(&endpoint, &events).await;
    assert_eq!(world.health(&endpoint).await.state(), HealthState::Down);
    world.take_sent().await;
    world.aws.pass(1);
    let known = world.delivery(&endpoint, &events[29]).await.expect("a delivery");
    let again = known.queue_again(world.aws.now());
    let written = world
        .store()
        .write_deliveries(world.scope(), endpoint.id, &[again])
        .await;
    written.expect("it is queued");
    world.answer_status(200);
    assert_eq!(world.retry(&endpoint, &events[29]).await, Done::Now);
    assert_eq!(world.take_sent().await, ids(&events[29..]));
    assert_eq!(world.health(&endpoint).await.state(), HealthState::Healthy);
    assert_eq!(world.count_queued().await, 1, "a look at the others");
}

#[tokio::test]
async fn address_that_is_not_allowed_gets_nothing() {
    let world = World::new().await;
    let endpoint = world
        .endpoint(|endpoint| endpoint.url = "https://127.0.0.1/hook".parse().expect("a URL"))
        .await;
    let events = world.events(2);
    world.publish(&endpoint, &events).await;
    assert_eq!(world.states(&endpoint, &events).await, [(DeliveryState::Failed, 2)]);
    let delivery = world.delivery(&endpoint, &events[0]).await.expect("a delivery");
    assert_eq!(delivery.attempts[0].outcome, AttemptOutcome::Blocked);
}

/// Looks at the times of the health, as the dispatcher queues them, until this time.
pub(crate) async fn look_until(world: &World, endpoint: &WebhookEndpoint, end: Timestamp) {
    while let Some(due) = world.health(endpoint).await.due_at().filter(|due| *due <= end) {
        let wait = due.duration_since(world.aws.now()).as_secs().max(0);
        world.aws.pass(wait + 1);
        world.look(endpoint).await;
    }
    let wait = end.duration_since(world.aws.now()).as_secs().max(0);
    world.aws.pass(wait);
}

#[tokio::test]
async fn people_are_told_and_the_endpoint_is_disabled_on_day_five() {
    let world = World::new().await;
    let endpoint = world.endpoint(|_| {}).await;
    let (noon, minute) = (world.aws.now(), SignedDuration::from_mins(1));
    let day = |number: i64| noon + SignedDuration::from_hours(24 * number);
    world.answer_status(500);
    world.publish(&endpoint, &world.events(40)).await;
    for number in [1, 3] {
        look_until(&world, &endpoint, day(number) - minute).await;
        assert_ne!(world.read_notice(&endpoint, "failing").await, Some(day(number)));
        look_until(&world, &endpoint, day(number) + minute).await;
        assert_eq!(world.read_notice(&endpoint, "failing").await, Some(day(number)));
        assert_eq!(world.read_endpoint(&endpoint).await.disabled, None);
        world.publish(&endpoint, &world.events(40)).await;
    }
    look_until(&world, &endpoint, day(5) - minute).await;
    assert_eq!(world.read_endpoint(&endpoint).await.disabled, None);
    look_until(&world, &endpoint, day(5) + minute).await;
    let disabled = world.read_endpoint(&endpoint).await.disabled.expect("it is disabled");
    assert_eq!(disabled.reason, DisabledReason::Failing);
    assert_eq!(world.read_notice(&endpoint, "disabled").await, Some(day(5)));
    assert_eq!(world.health(&endpoint).await.due_at(), None);
}
