//! Endpoints of outgoing webhooks: their limit, and the row without secrets by which events find them.

use domain::live::{Event, EventType};
use domain::terms::{EventId, Lane, WebhookEndpointId};
use domain::webhooks::{
    Attempt, AttemptOutcome, Delivery, DisabledReason, EndpointHealth, RUN_LIFETIME, WaitingLook, WebhookEndpoint,
    WebhookRun,
};
use jiff::{SignedDuration, Timestamp};
use jobs::{DeliveryJob, NextJob};
use serde_json::json;
use store::table::due::Partition;
use store::webhooks::{HashedRun, WaitingDeliveries};
use store::{OwnedError, Versioned};
use testkit::aws::noon;

use crate::world::World;

impl World {
    /// A new endpoint, whose id follows those of before.
    fn endpoint(&self, name: &str) -> WebhookEndpoint {
        self.aws.pass(1);
        let id = WebhookEndpointId::new(self.aws.ids().ulid());
        serde_json::from_value(json!({
            "id": id, "name": name, "url": "https://n8n.example.com/webhook/a", "events": ["call.decided"],
            "header": {"name": "x-token", "sealed": "sealed-header"},
            "secrets": [{"sealed": "sealed-secret", "rotation": "rot_00000000000000000000000001"}],
            "created_at": self.aws.now(), "updated_at": self.aws.now(),
        }))
        .expect("an endpoint")
    }

    async fn read_endpoint(&self, id: WebhookEndpointId) -> Option<Versioned<WebhookEndpoint>> {
        self.store.get(self.scope(), &id).await.expect("the table answers")
    }

    /// The endpoints that get events, each with their number of types.
    async fn following(&self) -> Vec<(WebhookEndpointId, usize)> {
        let following = self.store.following_endpoints(self.scope()).await;
        let following = following.expect("the table answers");
        following.iter().map(|one| (one.id, one.events.len())).collect()
    }
}

#[tokio::test]
async fn publishers_find_the_endpoints_that_are_enabled() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    assert_eq!(world.following().await, []);
    let (first, second) = (world.endpoint("first"), world.endpoint("second"));
    for endpoint in [&first, &second] {
        store.create_webhook_endpoint(scope, endpoint, &stamp).await.unwrap();
    }
    assert_eq!(world.following().await, [(first.id, 1), (second.id, 1)]);

    // What publishers read changes with the endpoint, and only if it has to.
    let known = world.read_endpoint(first.id).await.unwrap();
    let more = WebhookEndpoint {
        events: vec![EventType::CallDecided, EventType::MessageReceived].into(),
        ..first.clone()
    };
    store
        .change_webhook_endpoint(scope, &known, &more, &stamp)
        .await
        .unwrap();
    assert_eq!(world.following().await, [(first.id, 2), (second.id, 1)]);
    let stale = store.change_webhook_endpoint(scope, &known, &first, &stamp).await;
    assert!(stale.unwrap_err().is_conflict());
    assert_eq!(world.following().await, [(first.id, 2), (second.id, 1)]);

    let known = world.read_endpoint(first.id).await.unwrap();
    let disabled = more.disable(DisabledReason::User, world.aws.now());
    store
        .change_webhook_endpoint(scope, &known, &disabled, &stamp)
        .await
        .unwrap();
    assert_eq!(world.following().await, [(second.id, 1)]);

    let known = world.read_endpoint(second.id).await.unwrap();
    store.remove_webhook_endpoint(scope, &known, &stamp).await.unwrap();
    assert_eq!(world.following().await, []);
    assert_eq!(world.read_endpoint(second.id).await, None);
    let again = store.remove_webhook_endpoint(scope, &known, &stamp).await;
    assert!(again.unwrap_err().is_conflict());
}

/// Not even the row that a deletion leaves for the audit log.
#[tokio::test]
async fn secrets_are_in_no_other_row_and_go_with_their_endpoint() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let endpoint = world.endpoint("n8n");
    store.create_webhook_endpoint(scope, &endpoint, &stamp).await.unwrap();
    let holding = async || {
        let rows = world.aws.rows().await.into_iter();
        rows.filter(|row| format!("{row:?}").contains("sealed-")).count()
    };
    assert_eq!(holding().await, 1);
    let known = world.read_endpoint(endpoint.id).await.unwrap();
    store.remove_webhook_endpoint(scope, &known, &stamp).await.unwrap();
    assert_eq!(holding().await, 0);
}

#[tokio::test]
async fn tenant_has_at_most_twenty_endpoints() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let mut made = Vec::new();
    for number in 0..WebhookEndpoint::MAX {
        let endpoint = world.endpoint(&number.to_string());
        store.create_webhook_endpoint(scope, &endpoint, &stamp).await.unwrap();
        made.push((endpoint.id, 1));
    }
    let one_more = store
        .create_webhook_endpoint(scope, &world.endpoint("more"), &stamp)
        .await;
    assert!(matches!(one_more, Err(OwnedError::Full)), "{one_more:?}");
    assert_eq!(world.following().await, made);
}

#[tokio::test]
async fn racing_endpoints_are_all_found() {
    let world = World::new().await;
    let (store, scope, stamp) = (&world.store, world.scope(), world.stamp());
    let endpoints = ["first", "second", "third"].map(|name| world.endpoint(name));
    let creating = endpoints.iter().map(async |endpoint| {
        // A lost race is repeated, as callers do.
        while let Err(error) = store.create_webhook_endpoint(scope, endpoint, &stamp).await {
            assert!(
                matches!(&error, OwnedError::Store(error) if error.is_conflict()),
                "{error:?}"
            );
        }
    });
    futures::future::join_all(creating).await;
    let found: Vec<_> = world.following().await;
    assert_eq!(found, endpoints.map(|endpoint| (endpoint.id, 1)));
}

/// The event of a decided call, so many minutes after noon.
fn event(world: &World, minute: i64) -> Event {
    let at = noon() + SignedDuration::from_mins(minute);
    serde_json::from_value(json!({
        "id": EventId::new(world.aws.ids().ulid()), "type": "call.decided", "at": at,
        "data": {"contact_id": "ctc_01hq5c1ynyc0000000000000ab"},
    }))
    .expect("an event")
}

fn attempt(at: Timestamp, outcome: AttemptOutcome) -> Attempt {
    Attempt {
        at,
        outcome,
        status: None,
        ms: 5,
        hint: None,
        answer: None,
    }
}

impl World {
    /// An endpoint for which deliveries of these numbers of minutes after noon wait.
    async fn waiting_endpoint(&self, minutes: &[i64]) -> WebhookEndpoint {
        let endpoint = self.endpoint("n8n");
        let (store, scope, now) = (&self.store, self.scope(), self.aws.now());
        store
            .create_webhook_endpoint(scope, &endpoint, &self.stamp())
            .await
            .expect("the table answers");
        let deliveries: Vec<Delivery> = minutes
            .iter()
            .map(|minute| Delivery::new(event(self, *minute)))
            .collect();
        store
            .write_deliveries(scope, endpoint.id, &deliveries)
            .await
            .expect("the table answers");
        let number = u32::try_from(minutes.len()).expect("they are few");
        let first = noon() + SignedDuration::from_mins(minutes.iter().copied().min().expect("there is one"));
        let waits = |health: &EndpointHealth| health.with_more_waiting(number, first);
        store
            .change_health(scope, endpoint.id, now, waits)
            .await
            .expect("the table answers");
        endpoint
    }

    /// The jobs of the endpoints that are due at this time.
    async fn due_endpoints(&self, now: Timestamp) -> Vec<NextJob> {
        let mut jobs = Vec::new();
        for partition in Partition::of(Lane::Bulk) {
            let page = self
                .store
                .due_page(partition, now, None, 100)
                .await
                .expect("the table answers");
            for (_, row) in self.store.due_rows(page.due).await.expect("the table answers") {
                jobs.extend(row.expect("it can be read").map(|row| row.job.job));
            }
        }
        jobs
    }
}

#[tokio::test]
async fn waiting_deliveries_come_by_the_time_of_their_next_attempt() {
    let world = World::new().await;
    let endpoint = world.waiting_endpoint(&[3, 1, 2]).await.id;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let until = noon() + SignedDuration::from_mins(2);
    let look = async |until, limit| {
        store
            .waiting_deliveries(scope, endpoint, until, limit, now)
            .await
            .unwrap()
    };
    let minutes = |found: &WaitingDeliveries| -> Vec<i64> {
        let since = |one: &Delivery| one.waits_since().duration_since(noon()).as_mins();
        found.deliveries.iter().map(since).collect()
    };
    let due = look(Some(until), 10).await;
    assert_eq!(
        (minutes(&due), due.next_at),
        (vec![1, 2], Some(noon() + SignedDuration::from_mins(3)))
    );
    let first = look(None, 1).await;
    assert_eq!((minutes(&first), first.next_at), (vec![1], Some(until)));
    assert_eq!(store.count_waiting(scope, endpoint).await.unwrap(), 3);

    // What is tried moves, and what is delivered waits no longer. Writing that twice changes nothing.
    let failed = due.deliveries[0].after_attempt(attempt(until, AttemptOutcome::Refused), None);
    let delivered = due.deliveries[1].after_attempt(attempt(until, AttemptOutcome::Delivered), None);
    for _copy in 0..2 {
        let both = [failed.clone(), delivered.clone()];
        store.write_deliveries(scope, endpoint, &both).await.unwrap();
    }
    let left = look(None, 10).await;
    assert_eq!(
        (left.deliveries.len(), left.deliveries[0].event.id),
        (2, failed.event.id)
    );
    let read = store
        .read_delivery(scope, endpoint, delivered.event.id, now)
        .await
        .unwrap();
    assert_eq!(read, Some(delivered));
}

#[tokio::test]
async fn endpoint_is_due_while_something_waits() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let endpoint = world.waiting_endpoint(&[1, 2]).await;
    let due = noon() + SignedDuration::from_mins(1);
    assert_eq!(world.due_endpoints(noon()).await, []);
    let job = NextJob::Deliver(DeliveryJob::Run {
        tenant: scope.tenant(),
        correlation_id: endpoint.id.to_string(),
        endpoint: endpoint.id,
    });
    assert_eq!(world.due_endpoints(due).await, std::slice::from_ref(&job));
    // The count may be off: a second look decides.
    for _look in 0..2 {
        let look = |health: &EndpointHealth| {
            health.after_look(WaitingLook {
                at: due,
                known: health.waits,
                settled: 2,
                first: None,
            })
        };
        store.change_health(scope, endpoint.id, now, look).await.unwrap();
    }
    assert_eq!(
        world
            .due_endpoints(Timestamp::MAX - SignedDuration::from_hours(1))
            .await,
        []
    );

    // Disabling stops it, and enabling tries everything at once.
    let waits = |health: &EndpointHealth| health.with_more_waiting(1, due);
    store.change_health(scope, endpoint.id, now, waits).await.unwrap();
    assert_eq!(world.due_endpoints(due).await.len(), 1);
    for (reason, kept) in [
        (DisabledReason::Failing, DisabledReason::Failing),
        (DisabledReason::Gone, DisabledReason::Failing),
    ] {
        let disabled = store
            .disable_webhook_endpoint(scope, endpoint.id, reason, now)
            .await
            .unwrap();
        assert_eq!(disabled.unwrap().disabled.unwrap().reason, kept);
    }
    assert_eq!(
        (world.due_endpoints(due).await, world.following().await),
        (vec![], vec![])
    );
    let known = world.read_endpoint(endpoint.id).await.unwrap();
    let enabled = known.value.enable(now);
    store
        .change_webhook_endpoint(scope, &known, &enabled, &world.stamp())
        .await
        .unwrap();
    assert_eq!(world.due_endpoints(due).await, [job]);
    assert_eq!(world.following().await, [(endpoint.id, 1)]);

    // A deletion leaves nothing that is due.
    let known = world.read_endpoint(endpoint.id).await.unwrap();
    store
        .remove_webhook_endpoint(scope, &known, &world.stamp())
        .await
        .unwrap();
    assert_eq!(world.due_endpoints(due).await, []);
    assert_eq!(
        store.read_webhook_endpoint(scope, endpoint.id, now).await.unwrap(),
        None
    );
    let gone = store
        .disable_webhook_endpoint(scope, endpoint.id, DisabledReason::Gone, now)
        .await;
    assert_eq!(gone.unwrap(), None);
}

#[tokio::test]
async fn racing_changes_of_health_are_all_counted() {
    let world = World::new().await;
    let (store, scope, now) = (&world.store, world.scope(), world.aws.now());
    let endpoint = world.endpoint("n8n").id;
    let failing = (0..4).map(|_| {
        let fails = move |health: &EndpointHealth| health.after_attempt(endpoint, AttemptOutcome::Refused, None, now);
        store.change_health(scope, endpoint, now, fails)
    });
    for failed in futures::future::join_all(failing).await {
        failed.unwrap();
    }
    let known = store.read_health(scope, endpoint, now).await.unwrap();
    assert_eq!((known.value.failures_in_row, known.version), (4, 4));
    let stale = store.write_health(scope, endpoint, 3, &known.value, now).await;
    assert!(stale.unwrap_err().is_conflict());
}

/// A leaving tenant's deliveries are found by its endpoints, also by one that was just deleted.
#[tokio::test]
async fn deliveries_are_deleted_with_their_tenant() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    for minutes in [1, 2] {
        let endpoint = world.waiting_endpoint(&[minutes]).await;
        if minutes == 1 {
            let known = world.read_endpoint(endpoint.id).await.unwrap();
            store
                .remove_webhook_endpoint(scope, &known, &world.stamp())
                .await
                .unwrap();
        }
    }
    while !store.delete_tenant_page(scope, world.aws.now()).await.unwrap() {}
    let rows = world.aws.rows().await.into_iter();
    let left: Vec<_> = rows.filter(|row| format!("{row:?}").contains("#HOOK")).collect();
    assert_eq!(left, []);
}

/// The table removes expired rows days later, so their time is looked at.
#[tokio::test]
async fn runs_are_found_by_their_tenant_and_hash_until_they_expire() {
    let world = World::new().await;
    let (store, scope) = (&world.store, world.scope());
    let run: WebhookRun = serde_json::from_value(json!({
        "endpoint": "whe_00000000000000000000000001", "event": "evt_00000000000000000000000001",
        "contact": "ctc_00000000000000000000000001", "api_key": "key_00000000000000000000000001",
        "from": ["203.0.113.0/24"], "expires_at": noon() + RUN_LIFETIME,
    }))
    .unwrap();
    let hashed = |number: usize| HashedRun {
        sha256: format!("{number:064}"),
        run: run.clone(),
    };
    let runs: Vec<HashedRun> = (0..30).map(hashed).collect();
    store.write_runs(scope, &runs).await.unwrap();
    let read = async |tenant, number: usize, at| {
        let found = store.webhook_run_before_scope(tenant, &hashed(number).sha256, at).await;
        found.unwrap()
    };
    let (own, last) = (scope.tenant(), run.expires_at - SignedDuration::from_millis(1));
    assert_eq!(read(own, 29, last).await, Some(run.clone()));
    assert_eq!(read(own, 29, run.expires_at).await, None);
    assert_eq!(read(own, 30, last).await, None);
    let other = domain::terms::TenantId::new(ulid::Ulid::from_parts(9, 9));
    assert_eq!(read(other, 29, last).await, None);
}
