//! Endpoints of outgoing webhooks, in process against the emulator, from the callers' point of view.

mod callbacks;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use domain::accounts::{Permission, Role};
use domain::live::Event;
use domain::terms::{EventId, WebhookEndpointId};
use domain::webhooks::{Attempt, AttemptOutcome, Delivery, DeliveryState, WebhookEndpoint};
use jiff::SignedDuration;
use jobs::DeliveryJob;
use kit::{ConfigError, Env, QueueName};
use providers::standard_webhooks::{SigningSecret, signature_header};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use serde_json::{Value, json};
use testkit::api::Town;
use testkit::{Aws, Resource};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const ENDPOINTS: &str = "/api/v1/webhook-endpoints";

/// Names with private addresses begin with `private`, and those of nobody with `nobody`. All others are public.
struct Names;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        let address = match name.as_str().split('.').next() {
            Some("private") => "10.0.0.5:0",
            Some("receiver") => "127.0.0.1:0",
            Some("nobody") => return Box::pin(async { Ok(Box::new(std::iter::empty()) as Addrs) }),
            _ => "93.184.216.34:0",
        };
        let address: SocketAddr = address.parse().expect("an address");
        Box::pin(async move { Ok(Box::new(std::iter::once(address)) as Addrs) })
    }
}

fn routes(env: &Env) -> Result<Router, ConfigError> {
    webhook_endpoints::routes_resolving(env, Arc::new(Names))
}

async fn town(aws: &Aws) -> Town<'_> {
    Town::new(aws, routes).await
}

fn new() -> Value {
    json!({"name": "Shop", "url": "https://shop.example.com/hook", "events": ["message.received", "call.decided"]})
}

fn with(field: &str, value: Value) -> Value {
    let mut body = new();
    body[field] = value;
    body
}

fn path(endpoint: &Value) -> String {
    format!("{ENDPOINTS}/{}", endpoint["id"].as_str().expect("an id"))
}

/// Creates an endpoint at this address; its answer.
async fn make(town: &Town<'_>, body: Value) -> Value {
    town.manager().post(ENDPOINTS, body).await.is(201).json()
}

/// An event so many minutes after noon.
fn event(town: &Town<'_>, minute: i64) -> Event {
    let at = testkit::aws::noon() + SignedDuration::from_mins(minute);
    serde_json::from_value(json!({
        "id": EventId::new(town.aws().ids().ulid()), "type": "call.decided", "at": at,
        "data": {"contact_id": "ctc_01hq5c1ynyc0000000000000ab"},
    }))
    .expect("an event")
}

fn id_of(endpoint: &Value) -> WebhookEndpointId {
    endpoint["id"].as_str().expect("an id").parse().expect("an id")
}

/// Deliveries in these states, a minute apart.
async fn seed(town: &Town<'_>, endpoint: &Value, states: &[DeliveryState]) -> Vec<Delivery> {
    let mut seeded = Vec::new();
    for (minute, state) in (0..).zip(states) {
        town.aws().pass(1);
        let event = event(town, minute);
        let outcome = match state {
            DeliveryState::Delivered => Some(AttemptOutcome::Delivered),
            DeliveryState::Waiting => Some(AttemptOutcome::TimedOut),
            DeliveryState::Failed => Some(AttemptOutcome::Blocked),
            DeliveryState::Dropped => None,
        };
        seeded.push(match outcome {
            None => Delivery::drop_event(event),
            Some(outcome) => {
                let attempt = Attempt {
                    at: event.at,
                    outcome,
                    status: None,
                    ms: 3,
                    hint: None,
                    answer: None,
                };
                Delivery::new(event).after_attempt(attempt, None)
            }
        });
    }
    let (store, scope) = (town.aws().store(), town.home.scope());
    store
        .write_deliveries(scope, id_of(endpoint), &seeded)
        .await
        .expect("they are written");
    seeded
}

#[tokio::test]
async fn endpoints_keep_the_promises_of_resources() {
    let resource = Resource {
        routes,
        path: ENDPOINTS,
        read: Permission::WebhooksRead,
        write: Permission::WebhooksWrite,
        new: json!({
            "name": "Shop", "url": "https://shop.example.com/hook", "events": ["message.received"], "content": true,
        }),
        change: json!({"events": ["call.decided", "contact.changed"], "name": "Till"}),
    };
    resource.keeps_its_promises::<WebhookEndpoint>().await;
}

#[tokio::test]
async fn secret_is_shown_once_in_both_forms() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let body = with("header", json!({"name": "X-Token", "value": "Bearer s3cret-of-n8n"}));
    let made = make(&town, body).await;
    let (secret, key) = (&made["signing"]["secret"], &made["signing"]["key"]);
    let signing = SigningSecret::from_stored(key.as_str().unwrap().to_owned());
    assert_eq!(
        (signing.whsec().as_str(), key.as_str().unwrap().len()),
        (secret.as_str().unwrap(), 48)
    );
    assert_eq!(made["header"], json!({"name": "x-token"}));
    let patched = town.manager().patch(&path(&made), json!({"name": "n8n"})).await;
    for answer in [
        town.manager().get(&path(&made)).await,
        town.manager().get(ENDPOINTS).await,
        patched,
    ] {
        let text = answer.is(200).text();
        assert!(
            !text.contains(key.as_str().unwrap()) && !text.contains("signing"),
            "{text}"
        );
        assert!(!text.contains("s3cret-of-n8n") && !text.contains("sealed"), "{text}");
    }
    let rows = format!("{:?}", aws.rows().await);
    assert!(!rows.contains(key.as_str().unwrap()) && !rows.contains("s3cret-of-n8n"));
}

#[tokio::test]
async fn wrong_fields_of_endpoints_are_named() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    for (field, value, wrong) in [
        ("events", json!([]), "events"),
        ("events", json!(["message.received", "message.received"]), "events"),
        ("events", json!(["nothing.happened"]), "events[0]"),
        ("name", json!(""), "name"),
        ("header", json!({"name": "x-token"}), "header.value"),
        ("header", json!({"name": "host", "value": "a"}), "header.name"),
        ("header", json!({"name": "x-token", "value": "a\nb"}), "header.value"),
        ("secrets", json!([]), "secrets"),
    ] {
        town.manager()
            .post(ENDPOINTS, with(field, value))
            .await
            .names_field(wrong);
    }
    let made = make(&town, new()).await;
    for (change, wrong) in [
        (json!({"events": []}), "events"),
        (json!({"events": null}), "events"),
        (json!({"header": {"name": "x-token"}}), "header.value"),
        (json!({"disabled": null}), "disabled"),
    ] {
        town.manager().patch(&path(&made), change).await.names_field(wrong);
    }
}

/// The address is checked when it is saved: when an endpoint is created, and when its address changes.
#[tokio::test]
async fn private_addresses_are_refused_when_saved() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(&town, new()).await;
    for url in [
        "https://private.example.com/hook",
        "https://nobody.example.com/hook",
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/",
        "https://localhost/",
        "http://shop.example.com/hook",
        "https://shop.example.com:8443/hook",
        "https://user:password@shop.example.com/hook",
    ] {
        town.manager()
            .post(ENDPOINTS, with("url", json!(url)))
            .await
            .names_field("url");
        let changed = town.manager().patch(&path(&made), json!({"url": url})).await;
        changed.names_field("url");
    }
    let moved = json!({"url": "https://other.example.com/hook"});
    town.manager().patch(&path(&made), moved).await.is(200);
}

#[tokio::test]
async fn test_url_of_n8n_gets_a_warning() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(
        &town,
        with("url", json!("https://n8n.example.com/webhook-test/5f0c2a9e")),
    )
    .await;
    assert_eq!(made["warnings"], json!(["n8n_test_url"]));
    let changed = json!({"url": "https://n8n.example.com/webhook/5f0c2a9e"});
    let changed = town.manager().patch(&path(&made), changed).await;
    assert_eq!(changed.is(200).json()["warnings"], json!([]));
}

/// Nobody has events sent that they may not read, neither by a new endpoint nor by moving one.
#[tokio::test]
async fn endpoint_needs_the_permissions_to_read_its_events() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let all = make(&town, with("content", json!(true))).await;
    let scopes = [
        Permission::WebhooksRead,
        Permission::WebhooksWrite,
        Permission::CallsRead,
    ];
    let (_, narrow) = town.new_key(Role::Manager, &scopes).await;
    let narrow = town.api_key(&narrow);
    narrow.post(ENDPOINTS, new()).await.names_field("events[0]");
    let calls = with("events", json!(["call.decided"]));
    let own = narrow.post(ENDPOINTS, calls.clone()).await.is(201).json();
    let mut content = calls;
    content["content"] = json!(true);
    narrow.post(ENDPOINTS, content).await.names_field("content");
    for (change, field) in [
        (json!({"events": ["call.decided", "contact.changed"]}), "events[1]"),
        (json!({"content": true}), "content"),
    ] {
        narrow.patch(&path(&own), change).await.names_field(field);
    }
    for change in [
        json!({"url": "https://other.example.com/hook"}),
        json!({"header": {"name": "x-token", "value": "mine"}}),
    ] {
        narrow.patch(&path(&all), change).await.names_field("events[0]");
    }
    narrow.patch(&path(&all), json!({"name": "Renamed"})).await.is(200);
}

#[tokio::test]
async fn header_keeps_its_value_until_a_new_one_comes() {
    let aws = Aws::new().await;
    let receiver = receiver().await;
    let town = Town::with_env(&aws, &local_env(&aws, &receiver), routes).await;
    let mut body = with("url", json!(hook(&receiver)));
    body["header"] = json!({"name": "x-token", "value": "first"});
    let made = make(&town, body).await;
    let sent = async || {
        town.manager()
            .post(&format!("{}/test", path(&made)), json!({}))
            .await
            .is(200);
        let requests = receiver.received_requests().await.unwrap();
        let headers = requests.last().unwrap().headers.clone();
        let value = |name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());
        (value("x-token"), value("x-other"))
    };
    let first = || Some("first".to_owned());
    assert_eq!(sent().await, (first(), None));
    for (change, version, expected) in [
        (json!({"header": {"name": "x-other"}}), 2, (None, first())),
        (
            json!({"header": {"value": "second"}}),
            3,
            (None, Some("second".to_owned())),
        ),
        // Nobody can tell whether it is the same again.
        (
            json!({"header": {"value": "second"}}),
            4,
            (None, Some("second".to_owned())),
        ),
        (json!({"header": null}), 5, (None, None)),
    ] {
        let changed = town.manager().patch(&path(&made), change).await;
        changed.is(200).has_version(version);
        assert_eq!(sent().await, expected);
    }
}

async fn receiver() -> MockServer {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_string(r#"{"message":"Webhook call received"}"#);
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn hook(server: &MockServer) -> String {
    format!("http://receiver.example.com:{}/hook", server.address().port())
}

/// The function's environment in a stack whose operator admits this server.
fn local_env(aws: &Aws, server: &MockServer) -> Env {
    let hosts = hook(server).replace("/hook", "");
    aws.env_with(&[("WEBHOOK_HOSTS", hosts.as_str())])
}

/// A user expects an answer at once, whatever the state of the endpoint.
#[tokio::test]
async fn test_sends_a_signed_event_and_says_what_came_back() {
    let aws = Aws::new().await;
    let receiver = receiver().await;
    let town = Town::with_env(&aws, &local_env(&aws, &receiver), routes).await;
    let made = make(&town, with("url", json!(hook(&receiver)))).await;
    let old = SigningSecret::from_stored(made["signing"]["key"].as_str().unwrap().to_owned());
    let rotated = town
        .manager()
        .post(&format!("{}/rotate-secret", path(&made)), json!({}))
        .await;
    let new = rotated.is(200).json()["signing"]["key"].as_str().unwrap().to_owned();
    town.manager()
        .post(&format!("{}/disable", path(&made)), json!({}))
        .await
        .is(200);
    let tested = town.manager().post(&format!("{}/test", path(&made)), json!({})).await;
    let attempt = &tested.is(200).json()["attempt"];
    assert_eq!(
        (&attempt["outcome"], &attempt["status"], &attempt["hint"]),
        (&json!("delivered"), &json!(200), &json!("n8n_only_run_if"))
    );
    let request = receiver.received_requests().await.unwrap().remove(0);
    let header = |name: &str| request.headers[name].to_str().unwrap();
    assert_eq!(header("content-type"), "application/json");
    let signatures = signature_header(
        &[SigningSecret::from_stored(new), old],
        header("webhook-id"),
        aws.now(),
        &request.body,
    );
    assert_eq!(header("webhook-signature"), signatures);
    assert_eq!(header("webhook-timestamp"), aws.now().as_second().to_string());
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["type"], "webhook.test");

    // Its name may have got a private address since.
    let private = with("url", json!("https://shop.example.com/hook"));
    let moved = make(&town, private).await;
    let store = aws.store();
    let before = store
        .get::<WebhookEndpoint>(town.home.scope(), &id_of(&moved))
        .await
        .unwrap()
        .unwrap();
    let after = WebhookEndpoint {
        url: "https://private.example.com/hook".parse().unwrap(),
        ..before.value.clone()
    };
    store
        .change_webhook_endpoint(town.home.scope(), &before, &after, &aws.stamp())
        .await
        .unwrap();
    let tested = town.manager().post(&format!("{}/test", path(&moved)), json!({})).await;
    assert_eq!(tested.is(200).json()["attempt"]["outcome"], "blocked");
    for _test in 0..8 {
        town.manager()
            .post(&format!("{}/test", path(&moved)), json!({}))
            .await
            .is(200);
    }
    let refused = town.manager().post(&format!("{}/test", path(&moved)), json!({})).await;
    refused.is_refused(429, "too_many_requests");
}

#[tokio::test]
async fn rotated_secrets_sign_together_for_a_day() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(&town, new()).await;
    let rotate = format!("{}/rotate-secret", path(&made));
    let first = town.manager().post_once(&rotate, "r1", json!({})).await;
    let first = first.is(200).json();
    let ends = |shown: &Value| {
        shown["secrets"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["valid_until"].clone())
            .collect()
    };
    let shown: Vec<Value> = ends(&first);
    assert_eq!(shown, [Value::Null, json!("2026-11-21T12:00:00Z")]);
    assert_ne!(first["signing"], made["signing"]);
    town.manager()
        .post_once(&rotate, "r1", json!({}))
        .await
        .is_refused(409, "already_done");
    for _rotation in 0..2 {
        town.manager().post(&rotate, json!({})).await.is(200);
    }
    town.manager()
        .post(&rotate, json!({}))
        .await
        .is_refused(409, "still_rotating");
    aws.pass(24 * 3600);
    let shown: Vec<Value> = ends(&town.manager().get(&path(&made)).await.json());
    assert_eq!(shown, [Value::Null]);
    town.agent().post(&rotate, json!({})).await.is(403);
    town.foreign_admin().post(&rotate, json!({})).await.is(404);
}

#[tokio::test]
async fn disabled_endpoint_is_found_by_no_publisher() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(&town, new()).await;
    let following = async || aws.store().following_endpoints(town.home.scope()).await.unwrap().len();
    assert_eq!(following().await, 1);
    let switch = async |word: &str| {
        let path = format!("{}/{word}", path(&made));
        town.agent().post(&path, json!({})).await.is(403);
        town.foreign_admin().post(&path, json!({})).await.is(404);
        let first = town.manager().post(&path, json!({})).await;
        let again = town.manager().post(&path, json!({})).await;
        assert_eq!(first.is(200).json(), again.is(200).json(), "nothing is left to do");
        first.json()["disabled"].clone()
    };
    let disabled = json!({"reason": "user", "at": "2026-11-20T12:00:00Z"});
    assert_eq!((switch("disable").await, following().await), (disabled, 0));
    assert_eq!((switch("enable").await, following().await), (Value::Null, 1));
}

#[tokio::test]
async fn deliveries_are_listed_by_state() {
    use DeliveryState::{Delivered, Dropped, Failed, Waiting};
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(&town, new()).await;
    let states = [Delivered, Failed, Waiting, Dropped, Delivered, Failed, Waiting];
    let seeded = seed(&town, &made, &states).await;
    let list = format!("{}/deliveries", path(&made));
    let events = |items: &[Value]| -> Vec<String> {
        let of = |item: &Value| item["event"]["id"].as_str().unwrap().to_owned();
        items.iter().map(of).collect()
    };
    let expected = |state: Option<DeliveryState>| -> Vec<String> {
        let of_state = seeded
            .iter()
            .rev()
            .filter(|one| state.is_none_or(|state| one.state == state));
        let mut events: Vec<String> = of_state.map(|one| one.event.id.to_string()).collect();
        if state == Some(Waiting) {
            events.reverse();
        }
        events
    };
    for limit in [1, 2, 100] {
        assert_eq!(events(&town.manager().all(&list, limit).await), expected(None));
        for state in DeliveryState::ALL {
            let of_state = format!("{list}?state={}", state.as_str());
            let found = town.manager().all(&of_state, limit).await;
            assert_eq!(events(&found), expected(Some(state)), "{state:?} by {limit}");
        }
    }
    let cursor = town.manager().get(&format!("{list}?limit=1")).await.json()["next_cursor"].clone();
    let other = format!("{list}?state=failed&cursor={}", cursor.as_str().unwrap());
    town.manager().get(&other).await.is(400);
    town.manager()
        .get(&format!("{list}?state=lost"))
        .await
        .names_field("state");
    town.agent().get(&list).await.is(403);
    town.foreign_admin().get(&list).await.is(404);
    // They expire after a week.
    aws.pass(7 * 24 * 3600);
    assert_eq!(town.manager().all(&list, 100).await.len(), 6, "the first is gone");
}

#[tokio::test]
async fn delivery_is_retried_by_a_job() {
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(&town, new()).await;
    let seeded = seed(&town, &made, &[DeliveryState::Delivered, DeliveryState::Failed]).await;
    for delivery in &seeded {
        let retry = format!("{}/deliveries/{}/retry", path(&made), delivery.event.id);
        town.agent().post(&retry, json!({})).await.is(403);
        town.foreign_admin().post(&retry, json!({})).await.is(404);
        let answer = town.manager().post(&retry, json!({})).await;
        assert_eq!(answer.is(202).json()["state"], "waiting");
        let jobs: Vec<DeliveryJob> = aws.take_jobs(QueueName::WebhookDeliveries).await;
        assert!(
            matches!(&jobs[..], [DeliveryJob::Retry { endpoint, event, .. }]
                if *endpoint == id_of(&made) && *event == delivery.event.id),
            "{jobs:?}"
        );
    }
    let unknown = format!("{}/deliveries/{}/retry", path(&made), event(&town, 9).id);
    town.manager().post(&unknown, json!({})).await.is(404);
    town.manager()
        .post(&format!("{}/disable", path(&made)), json!({}))
        .await
        .is(200);
    let retry = format!("{}/deliveries/{}/retry", path(&made), seeded[0].event.id);
    town.manager()
        .post(&retry, json!({}))
        .await
        .is_refused(409, "endpoint_disabled");
}

#[tokio::test]
async fn failed_deliveries_since_a_time_wait_again() {
    use DeliveryState::{Delivered, Dropped, Failed};
    let aws = Aws::new().await;
    let town = town(&aws).await;
    let made = make(&town, new()).await;
    seed(&town, &made, &[Failed, Failed, Delivered, Dropped, Failed]).await;
    let recover = format!("{}/recover", path(&made));
    let since = json!({"since": "2026-11-20T12:01:00Z"});
    town.agent().post(&recover, since.clone()).await.is(403);
    town.foreign_admin().post(&recover, since.clone()).await.is(404);
    town.manager().post(&recover, json!({})).await.names_field("since");
    let answer = town.manager().post(&recover, since.clone()).await;
    assert_eq!(answer.is(202).json(), json!({"queued": 3, "more": false}));
    let again = town.manager().post(&recover, since.clone()).await;
    assert_eq!(again.is(202).json(), json!({"queued": 0, "more": false}));
    let health = town.manager().get(&path(&made)).await.json()["health"].clone();
    assert_eq!(
        (&health["waiting"], &health["next_attempt_at"]),
        (&json!(3), &json!(aws.now()))
    );
    let waiting = format!("{}/deliveries?state=waiting", path(&made));
    assert_eq!(town.manager().all(&waiting, 100).await.len(), 3);
    town.manager()
        .post(&format!("{}/disable", path(&made)), json!({}))
        .await
        .is(200);
    town.manager()
        .post(&recover, since)
        .await
        .is_refused(409, "endpoint_disabled");
}
