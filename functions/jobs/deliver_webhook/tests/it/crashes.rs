//! Workers that die anywhere, and jobs that are delivered again.

use std::collections::{BTreeMap, BTreeSet};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use domain::webhooks::{DeliveryState, HealthState};
use jiff::SignedDuration;
use testkit::Dice;
use wiremock::ResponseTemplate;

use super::failing::look_until;
use super::world::{World, ids, too_late};

/// Events of the business; as many as this variable says, where it is set: `RINGBACK_TEST_DELIVERIES=5000`.
const EVENTS: usize = 200;

/// Events of a job.
const TOGETHER: usize = 50;

const PATHS: [&str; 10] = ["/0", "/1", "/2", "/3", "/4", "/5", "/6", "/7", "/slow", "/failing"];

/// Does work until it has been looked at this often. `None`: its worker died then.
async fn die_after<T>(looks: u64, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    let mut left = looks;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(None);
        }
        left -= 1;
        work.as_mut().poll(context).map(Some)
    })
    .await
}

/// The bodies that an endpoint got of each event, by its id.
type Bodies = BTreeMap<String, BTreeSet<Vec<u8>>>;

/// Requests to all endpoints.
#[derive(Default)]
struct Requests {
    count: usize,
    /// By the path of the endpoint.
    bodies: BTreeMap<String, Bodies>,
}

/// The requests since the last call.
async fn take_requests(world: &World) -> Requests {
    let mut taken = Requests::default();
    for request in world.take_requests().await {
        let of_path = taken.bodies.entry(request.url.path().to_owned()).or_default();
        let id = request.headers["webhook-id"].to_str().expect("a text").to_owned();
        of_path.entry(id).or_default().insert(request.body);
        taken.count += 1;
    }
    taken
}

#[tokio::test]
async fn each_event_arrives_under_one_id_whoever_dies() {
    let world = World::new().await;
    world.answer_below("/slow", too_late());
    world.answer_below("/failing", ResponseTemplate::new(500));
    let events = world.events(testkit::size("RINGBACK_TEST_DELIVERIES", EVENTS));
    let all: BTreeSet<String> = ids(&events).into_iter().collect();
    let (mut endpoints, mut jobs) = (Vec::new(), Vec::new());
    for path in PATHS {
        let endpoint = world.endpoint(|endpoint| endpoint.url = world.url(path)).await;
        jobs.extend(events.chunks(TOGETHER).map(|some| world.publish_job(&endpoint, some)));
        endpoints.push(endpoint);
    }
    let (mut dice, mut deaths) = (Dice::new(67), 0);
    while !jobs.is_empty() {
        let job = jobs.swap_remove(dice.below(jobs.len()));
        let looks = if dice.once_in(2) { dice.roll(150) } else { u64::MAX };
        let Some(handled) = die_after(looks, world.handle(job.clone())).await else {
            deaths += 1;
            jobs.push(job);
            continue;
        };
        handled.expect("it is done");
        if dice.once_in(5) {
            jobs.push(job);
        }
    }
    assert!(deaths > 0, "nobody died");
    let Requests { count, bodies } = take_requests(&world).await;
    assert!(
        count > bodies.values().map(BTreeMap::len).sum(),
        "nothing was sent again"
    );
    for (path, endpoint) in PATHS.iter().zip(&endpoints) {
        let is_healthy = !["/slow", "/failing"].contains(path);
        let of_path = &bodies[*path];
        assert!(
            of_path.values().all(|bodies| bodies.len() == 1),
            "one event, two bodies"
        );
        if is_healthy {
            assert!(of_path.keys().eq(&all), "{path} missed some, or got others");
        }
        let state = if is_healthy {
            DeliveryState::Delivered
        } else {
            DeliveryState::Waiting
        };
        assert_eq!(world.states(endpoint, &events).await, [(state, events.len())], "{path}");
        let health = if is_healthy {
            HealthState::Healthy
        } else {
            HealthState::Down
        };
        assert_eq!(world.health(endpoint).await.state(), health, "{path}");
    }
    // Both recover, and get the rest.
    world.answer_status(204);
    for endpoint in &endpoints[8..] {
        look_until(&world, endpoint, world.aws.now() + SignedDuration::from_hours(1)).await;
        let expected = [(DeliveryState::Delivered, events.len())];
        assert_eq!(world.states(endpoint, &events).await, expected);
        let health = world.health(endpoint).await;
        assert_eq!((health.waiting, health.due_at()), (0, None));
    }
    let bodies = take_requests(&world).await.bodies;
    assert!(bodies.values().all(|of_path| of_path.keys().eq(&all)));
}
