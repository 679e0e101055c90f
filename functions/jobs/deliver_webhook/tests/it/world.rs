//! A business whose events go to a receiver.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use access::{Kms, WebhookSecrets};
use deliver_webhook::{Context, handle};
use domain::live::{Event, EventType};
use domain::terms::{EventId, RotationId, WebUrl, WebhookEndpointId};
use domain::webhooks::{Delivery, DeliveryState, EndpointHealth, EndpointSecret, WebhookEndpoint};
use jobs::DeliveryJob;
use kit::{ConfigError, Done, Env, Job, JobError, QueueName};
use providers::standard_webhooks::{SigningSecret, signature_header};
use serde_json::json;
use testkit::Aws;
use ulid::Ulid;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

/// The key that signs.
pub(crate) const KEY: &str = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnop";

/// Time that a receiver has for its answer in these tests.
const TIMEOUT: Duration = Duration::from_millis(400);

/// A receiver's answers: by the beginnings of paths, of which the longest counts.
#[derive(Clone)]
struct Answers(Arc<Mutex<BTreeMap<String, ResponseTemplate>>>);

impl Respond for Answers {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let answers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut of_path = answers.iter().rev();
        let found = of_path.find(|(path, _)| request.url.path().starts_with(path.as_str()));
        found.expect("an answer to all requests").1.clone()
    }
}

pub(crate) struct World {
    server: MockServer,
    answers: Answers,
    /// Number of requests that were looked at.
    taken: AtomicUsize,
    world: testkit::World<Context>,
}

testkit::extends_world!(World.world: Context);

fn start(env: &Env) -> Result<Context, ConfigError> {
    Context::new(env).map(|ctx| ctx.with_timeout(TIMEOUT))
}

/// An answer that comes too late.
pub(crate) fn too_late() -> ResponseTemplate {
    ResponseTemplate::new(200).set_delay(TIMEOUT * 20)
}

impl World {
    /// A receiver that accepts everything.
    pub(crate) async fn new() -> Self {
        let server = MockServer::start().await;
        let accepts = BTreeMap::from([(String::new(), ResponseTemplate::new(204))]);
        let answers = Answers(Arc::new(Mutex::new(accepts)));
        Mock::given(method("POST"))
            .respond_with(answers.clone())
            .mount(&server)
            .await;
        let hosts = server.uri();
        let variables = [
            ("WEBHOOK_HOSTS", hosts.as_str()),
            ("PUBLIC_BASE_URL", "https://api.example.com"),
        ];
        let env = |aws: &Aws| aws.env_with(&variables);
        let world = testkit::World::with_env(env, start, |_| {}).await;
        Self {
            server,
            answers,
            taken: AtomicUsize::default(),
            world,
        }
    }

    /// Answers all requests like this from now on.
    pub(crate) fn answer(&self, answer: ResponseTemplate) {
        let mut answers = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
        *answers = BTreeMap::from([(String::new(), answer)]);
    }

    /// Answers requests below this path like this from now on.
    pub(crate) fn answer_below(&self, path: &str, answer: ResponseTemplate) {
        let mut answers = self.answers.0.lock().unwrap_or_else(PoisonError::into_inner);
        answers.insert(path.to_owned(), answer);
    }

    /// The URL of a path of the receiver.
    pub(crate) fn url(&self, path: &str) -> WebUrl {
        format!("{}{path}", self.server.uri()).parse().expect("a URL")
    }

    pub(crate) fn answer_status(&self, status: u16) {
        self.answer(ResponseTemplate::new(status));
    }

    /// Seals the secrets of endpoints.
    pub(crate) fn secrets(&self) -> WebhookSecrets {
        let env = self.aws.env();
        let send = env.config().text("KMS_SEND_KEY_ID").expect("a key").to_owned();
        WebhookSecrets::new(Kms::new(env.kms(), None, Some(send)))
    }

    /// An endpoint of decided calls and received messages at the receiver.
    pub(crate) async fn endpoint(&self, change: impl FnOnce(&mut WebhookEndpoint)) -> WebhookEndpoint {
        let id = WebhookEndpointId::new(self.aws.ids().ulid());
        let sealed = self.secrets().seal(self.business.tenant(), id, KEY).await;
        let mut endpoint = WebhookEndpoint {
            id,
            name: "n8n".parse().expect("a name"),
            url: self.url("/hook?key=s3cret"),
            events: vec![EventType::CallDecided, EventType::MessageReceived].into(),
            header: None,
            content: false,
            callback: None,
            disabled: None,
            secrets: vec![EndpointSecret {
                sealed: sealed.expect("it is sealed"),
                valid_until: None,
                rotation: RotationId::new(Ulid::from_parts(1, 1)),
            }],
            created_at: self.aws.now(),
            updated_at: self.aws.now(),
        };
        change(&mut endpoint);
        let created = self
            .store()
            .create_webhook_endpoint(self.scope(), &endpoint, &self.aws.stamp())
            .await;
        created.expect("the endpoint is created");
        endpoint
    }

    /// Events of decided calls at this time.
    pub(crate) fn events(&self, number: usize) -> Vec<Event> {
        let event = |_| {
            let id = EventId::new(self.aws.ids().ulid());
            let event = json!({"id": id, "type": "call.decided", "at": self.aws.now(), "data": {}});
            serde_json::from_value(event).expect("an event")
        };
        (0..number).map(event).collect()
    }

    pub(crate) async fn handle(&self, job: DeliveryJob) -> Result<Done, JobError> {
        Box::pin(handle(Job::new(job, 1), &self.ctx)).await
    }

    pub(crate) async fn publish(&self, endpoint: &WebhookEndpoint, events: &[Event]) -> Done {
        let published = self.handle(self.publish_job(endpoint, events)).await;
        published.expect("they are published")
    }

    pub(crate) fn publish_job(&self, endpoint: &WebhookEndpoint, events: &[Event]) -> DeliveryJob {
        DeliveryJob::Publish {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            endpoint: endpoint.id,
            events: events.to_vec(),
        }
    }

    pub(crate) async fn look(&self, endpoint: &WebhookEndpoint) -> Done {
        let looked = self.handle(DeliveryJob::Run {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            endpoint: endpoint.id,
        });
        looked.await.expect("the endpoint is looked at")
    }

    pub(crate) async fn retry(&self, endpoint: &WebhookEndpoint, event: &Event) -> Done {
        let retried = self.handle(DeliveryJob::Retry {
            tenant: self.business.tenant(),
            correlation_id: "cor".to_owned(),
            endpoint: endpoint.id,
            event: event.id,
        });
        retried.await.expect("it is tried")
    }

    /// The jobs in the queue, also those that it holds back.
    pub(crate) async fn count_queued(&self) -> u64 {
        self.aws.depth(QueueName::WebhookDeliveries).await
    }

    /// The requests since the last call.
    pub(crate) async fn take_requests(&self) -> Vec<Request> {
        let all = self.server.received_requests().await.expect("requests are kept");
        let before = self.taken.swap(all.len(), Ordering::Relaxed);
        all[before..].to_vec()
    }

    /// The ids of the events that were sent since the last call, in order of the ids.
    pub(crate) async fn take_sent(&self) -> Vec<String> {
        let requests = self.take_requests().await;
        let id = |request: &Request| {
            let header = |name: &str| request.headers[name].to_str().expect("a text").to_owned();
            let (id, at) = (header("webhook-id"), header("webhook-timestamp"));
            let at = jiff::Timestamp::from_second(at.parse().expect("a number")).expect("a time");
            let secret = SigningSecret::from_stored(KEY.to_owned());
            let signature = signature_header(&[secret], &id, at, &request.body);
            assert_eq!(header("webhook-signature"), signature);
            id
        };
        let mut ids: Vec<String> = requests.iter().map(id).collect();
        ids.sort();
        ids
    }

    pub(crate) async fn delivery(&self, endpoint: &WebhookEndpoint, event: &Event) -> Option<Delivery> {
        let found = self
            .store()
            .read_delivery(self.scope(), endpoint.id, event.id, self.aws.now())
            .await;
        found.expect("the table answers")
    }

    /// The states of these events' deliveries, each as often as there are.
    pub(crate) async fn states(&self, endpoint: &WebhookEndpoint, events: &[Event]) -> Vec<(DeliveryState, usize)> {
        let ids: Vec<EventId> = events.iter().map(|event| event.id).collect();
        let found = self
            .store()
            .read_deliveries(self.scope(), endpoint.id, &ids, self.aws.now())
            .await;
        let found = found.expect("the table answers");
        let states = [
            DeliveryState::Waiting,
            DeliveryState::Delivered,
            DeliveryState::Failed,
            DeliveryState::Dropped,
        ];
        let number = |state| found.iter().filter(|delivery| delivery.state == state).count();
        let counted = states.into_iter().map(|state| (state, number(state)));
        counted.filter(|(_, number)| *number > 0).collect()
    }

    pub(crate) async fn health(&self, endpoint: &WebhookEndpoint) -> EndpointHealth {
        let known = self
            .store()
            .read_health(self.scope(), endpoint.id, self.aws.now())
            .await;
        known.expect("the table answers").value
    }

    /// The endpoint as it is now.
    pub(crate) async fn read_endpoint(&self, endpoint: &WebhookEndpoint) -> WebhookEndpoint {
        let known = self.store().get::<WebhookEndpoint>(self.scope(), &endpoint.id).await;
        known.expect("the table answers").expect("it is there").value
    }

    /// The trouble that people are told of, with the time of its occurrence.
    pub(crate) async fn read_notice(&self, endpoint: &WebhookEndpoint, trouble: &str) -> Option<jiff::Timestamp> {
        let key = format!("webhook_failing#{}#{trouble}", endpoint.id);
        let known = self.store().notice(self.scope(), &key).await;
        known.expect("the table answers").map(|state| state.value.notice.at)
    }
}

/// The ids of events, in order.
pub(crate) fn ids(events: &[Event]) -> Vec<String> {
    let mut ids: Vec<String> = events.iter().map(|event| event.id.to_string()).collect();
    ids.sort();
    ids
}
