//! Endpoints of outgoing webhooks: their limit, and the row without secrets by which events find them.

use domain::{
    live::EventType,
    terms::WebhookEndpointId,
    webhooks::{DisabledReason, WebhookEndpoint},
};
use serde_json::json;
use store::{OwnedError, Versioned};

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
