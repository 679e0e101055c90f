//! Common parts of all providers' webhooks: authenticate the sender, queue the event, store unreadable ones.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use access::{AuthError, Authenticated, Connections, Kms, Secrets};
use axum::body::{self, Bytes};
use axum::extract::{FromRequest, Path, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, RequestPartsExt};
use domain::Timestamp;
use domain::people::ShopReport;
use domain::telephony::{CallEvent, CallFacts, Direction, Party};
use domain::tenants::{Connection, VerifySecrets};
use domain::terms::{ConnectionId, Phone, TenantId};
use jobs::{CallJob, CommerceJob, JobBody};
use serde::Deserialize;
use store::{RACES, Store};

use crate::http::{CorrelationId, Source, Target};
use crate::log::chain;
use crate::{Clock, ConfigError, Entry, Env, Problem, Queue, QueueName, RawBucket, Seldom, TimeLimit, line, metric};

/// Maximum size of a body about a call. No provider sends more than a few kilobytes.
pub const LARGEST_CALL: usize = 256 * 1024;

/// Maximum size of a queue item. Larger ones are stored in the bucket, with a pointer in the queue.
pub const LARGEST_JOB: usize = 200 * 1024;

/// The webhook of a provider.
pub struct Webhook {
    /// Name in metrics and in keys of the raw bucket, and the kind of its connections.
    provider: &'static str,
    env: Env,
    table: String,
    verify_key: String,
    connections: OnceLock<Connections>,
    queue: Queue,
    bucket: RawBucket,
    clock: Clock,
    base_url: Option<String>,
    /// Numbers without a connection that this process has noted a call of.
    noted: Seldom<(TenantId, ConnectionId, Phone)>,
}

/// Maximum time for noting a called number.
const NOTING: Duration = Duration::from_secs(1);

impl Webhook {
    /// From `TABLE_NAME`, `KMS_VERIFY_KEY_ID`, `RAW_BUCKET`, the queue's variable and, where given, `PUBLIC_BASE_URL`.
    ///
    /// # Errors
    /// When one is missing or wrong.
    pub fn new(env: &Env, provider: &'static str, queue: QueueName) -> Result<Self, ConfigError> {
        let bucket = RawBucket::new(env)?;
        Ok(Self {
            provider,
            env: env.clone(),
            table: env.config().text("TABLE_NAME")?.to_owned(),
            verify_key: env.config().text("KMS_VERIFY_KEY_ID")?.to_owned(),
            connections: OnceLock::new(),
            queue: Queue::new(env, queue)?.or_bucket(&bucket),
            bucket,
            clock: env.clock().clone(),
            base_url: env.config().optional_url("PUBLIC_BASE_URL")?.map(str::to_owned),
            noted: Seldom::minutes(60),
        })
    }

    /// The webhook of a provider that reports calls, as the state of its routes.
    pub fn calls(env: &Env, provider: &'static str) -> Result<Arc<Self>, ConfigError> {
        Self::new(env, provider, QueueName::Calls).map(Arc::new)
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Base URL of our webhooks at providers, if configured.
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }

    /// The connections of webhooks. Created at the first event, because AWS clients would slow down the start.
    pub fn connections(&self) -> &Connections {
        self.connections.get_or_init(|| {
            let keys = Kms::new(self.env.kms(), Some(self.verify_key.clone()), None);
            Connections::new(self.store(), Secrets::new(keys)).of_kind(self.provider)
        })
    }

    pub fn store(&self) -> Store {
        Store::new(self.env.dynamodb(), &self.table)
    }

    /// Admits the sender if `proves` accepts it for the connection in the URL.
    ///
    /// # Errors
    /// With the reason, as defined by the access rules.
    pub async fn authenticate(
        &self,
        tenant: &str,
        connection: &str,
        proves: impl Fn(&Connection, &VerifySecrets) -> bool,
    ) -> Result<Authenticated, AuthError> {
        let proven = self
            .connections()
            .authenticate(tenant, connection, self.now(), proves)
            .await?;
        line::tenant(proven.scope());
        Ok(proven)
    }

    /// The counted answer to a sender who is not admitted: 401 for refusals, 503 if the table does not respond.
    pub fn refuse(&self, error: &AuthError) -> Problem {
        match error {
            AuthError::Refused => {
                metric::count("webhook_refused", &[("provider", self.provider)]);
                Problem::unauthorized()
            }
            AuthError::Table(_) | AuthError::Secrets(_) => {
                tracing::error!(error = chain(error), "could not authenticate the sender of a webhook");
                Problem::unavailable()
            }
        }
    }

    /// As [`Webhook::authenticate`], within this time.
    ///
    /// # Errors
    /// A 401 if the sender is refused, a 503 if we cannot tell in time.
    pub async fn authenticate_within(
        &self,
        limit: TimeLimit,
        tenant: &str,
        connection: &str,
        proves: impl Fn(&Connection, &VerifySecrets) -> bool,
    ) -> Result<Authenticated, Problem> {
        match limit.keep(self.authenticate(tenant, connection, proves)).await {
            Ok(Ok(proven)) => Ok(proven),
            Ok(Err(error @ AuthError::Refused)) => Err(self.refuse(&error)),
            Ok(Err(error)) => Err(self.report_loss(&error)),
            Err(error) => Err(self.report_loss(&error)),
        }
    }

    /// The sender with its connection as it is stored now, or as it was cached if the table does not respond within this time.
    ///
    /// # Errors
    /// A 401 if the connection no longer exists.
    pub async fn refresh_within(&self, limit: TimeLimit, proven: Authenticated) -> Result<Authenticated, Problem> {
        let cached = |why: &(dyn std::error::Error + 'static)| {
            tracing::warn!(error = chain(why), "a connection is used as it was cached");
        };
        match limit.keep(self.connections().refresh(&proven, self.now())).await {
            Ok(Ok(current)) => return Ok(current),
            Ok(Err(error @ AuthError::Refused)) => return Err(self.refuse(&error)),
            Ok(Err(error)) => cached(&error),
            Err(late) => cached(&late),
        }
        Ok(proven)
    }

    /// Queues jobs, or stores them in the bucket if the queue refuses them.
    ///
    /// # Errors
    /// A 503, so that the provider delivers it again, when they are nowhere safe.
    pub async fn enqueue(&self, entries: Vec<Entry>) -> Result<(), Problem> {
        let sent = self.queue.send_all(entries).await;
        sent.map_err(|error| self.report_loss(&error))
    }

    /// As [`enqueue`](Self::enqueue), within this time: half of it for the queue, the rest for the bucket.
    ///
    /// # Errors
    /// A 503 when they are nowhere safe in time.
    pub async fn enqueue_within(&self, limit: TimeLimit, entries: Vec<Entry>) -> Result<(), Problem> {
        let sending = self.queue.send_all_or_give_up(entries, limit.half());
        let sent = limit.keep(sending).await.map_err(|error| self.report_loss(&error))?;
        sent.map_err(|error| self.report_loss(&error))
    }

    /// Reports that a webhook could not be stored. Providers are asked to send it again, if they do that.
    fn report_loss(&self, why: &(dyn std::error::Error + 'static)) -> Problem {
        tracing::error!(
            error = chain(why),
            "a webhook is lost: neither its queue nor the bucket accepted it"
        );
        metric::count("webhook_lost", &[("provider", self.provider)]);
        Problem::unavailable()
    }

    /// A job for the queue.
    ///
    /// # Errors
    /// A 500 when it cannot be written as JSON.
    pub fn entry<T: JobBody>(&self, job: &T) -> Result<Entry, Problem> {
        Entry::new(job).map_err(|error| {
            tracing::error!(error = chain(&error), "could not create the job of a webhook");
            Problem::internal()
        })
    }

    /// Stores and counts an event of an authenticated sender that cannot be read.
    ///
    /// # Errors
    /// A 503, so that the provider delivers it again, when the bucket does not take it.
    pub async fn keep_unreadable(&self, bytes: &[u8], why: &(dyn std::error::Error + Sync)) -> Result<(), Problem> {
        let key = self.keep("unreadable", bytes).await?;
        tracing::warn!(
            provider = self.provider,
            object = key,
            why = chain(why),
            "unreadable webhook stored"
        );
        metric::count("webhook_unreadable", &[("provider", self.provider)]);
        line::count("unreadable", 1);
        Ok(())
    }

    /// As [`keep_unreadable`](Self::keep_unreadable), within this time.
    ///
    /// # Errors
    /// A 503 when the bucket does not take it in time.
    pub async fn keep_unreadable_within(
        &self,
        limit: TimeLimit,
        bytes: &[u8],
        why: &(dyn std::error::Error + Sync),
    ) -> Result<(), Problem> {
        let kept = limit.keep(Box::pin(self.keep_unreadable(bytes, why))).await;
        kept.map_err(|error| self.report_loss(&error))?
    }

    /// Stores bytes that are too large for a queue. Returns the object's key.
    ///
    /// # Errors
    /// A 503 when the bucket does not take them.
    pub async fn keep_large(&self, bytes: &[u8]) -> Result<String, Problem> {
        self.keep("large", bytes).await
    }

    async fn keep(&self, reason: &str, bytes: &[u8]) -> Result<String, Problem> {
        self.bucket
            .keep_raw(reason, self.provider, bytes.to_vec())
            .await
            .map_err(|error| self.report_loss(&error))
    }

    /// Counts an event about a number or account of another connection. It is ignored.
    pub fn foreign(&self) {
        metric::count("webhook_foreign", &[("provider", self.provider)]);
        line::count("foreign", 1);
    }

    /// As [`Webhook::foreign`], for a call to a number that the connection does not have. If a customer called it, the number is noted for
    /// people to see: nothing else tells them that its calls are lost. The call is ignored also if that fails.
    pub async fn foreign_call(&self, proven: &Authenticated, facts: &CallFacts, at: Timestamp) {
        self.foreign();
        let (scope, connection) = (proven.scope(), proven.connection().id);
        let called = facts.business_number().and_then(Party::phone);
        let Some(number) = called.filter(|_| facts.direction != Some(Direction::Outbound)) else {
            return;
        };
        let thing = (scope.tenant(), connection, number.clone());
        if !self.noted.is_due(thing.clone(), at) {
            return;
        }
        let store = self.store();
        let noting = RACES.until_won(|| store.note_unknown_number(scope, connection, number, at));
        // The provider waits for the answer.
        let noted = TimeLimit::of(NOTING).keep(noting).await;
        let failed = match &noted {
            Ok(Ok(_)) => return,
            Ok(Err(error)) => chain(error),
            Err(time_up) => chain(time_up),
        };
        self.noted.forget(&thing);
        tracing::warn!(error = failed, "a call to an unknown number was not noted");
    }
}

/// A request to a connection's own URL, before its sender is authenticated. A body larger than `MAX` bytes is refused (413)
/// before it is read.
pub struct Delivery<const MAX: usize = LARGEST_CALL> {
    pub webhook: Arc<Webhook>,
    /// Tenant in the URL.
    pub tenant: String,
    /// Connection in the URL.
    pub connection: String,
    /// Id that links the request's logs, jobs and response.
    pub correlation_id: CorrelationId,
    /// Path and query as the sender sent them.
    pub target: Target,
    /// IP address of the sender.
    pub source: Source,
    pub headers: HeaderMap,
    /// The body, byte for byte.
    pub body: Bytes,
    /// Time of arrival.
    pub at: Timestamp,
}

#[derive(Deserialize)]
struct Addressed {
    tenant_id: String,
    connection_id: String,
}

impl<const MAX: usize> FromRequest<Arc<Webhook>> for Delivery<MAX> {
    type Rejection = Response;

    async fn from_request(request: Request, webhook: &Arc<Webhook>) -> Result<Self, Response> {
        type Parts = (
            Path<Addressed>,
            Extension<CorrelationId>,
            Extension<Target>,
            Extension<Source>,
        );
        let (mut parts, body) = request.into_parts();
        let (Path(addressed), Extension(correlation_id), Extension(target), Extension(source)) =
            parts.extract::<Parts>().await?;
        // The body is in memory already, so this fails only because of its size.
        let body = body::to_bytes(body, MAX).await;
        Ok(Self {
            webhook: Arc::clone(webhook),
            tenant: addressed.tenant_id,
            connection: addressed.connection_id,
            correlation_id,
            target,
            source,
            headers: parts.headers,
            body: body.map_err(|_| Problem::larger_than(MAX).into_response())?,
            at: webhook.now(),
        })
    }
}

impl<const MAX: usize> Delivery<MAX> {
    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        header(&self.headers, name)
    }

    /// Full URL of the request, as the sender used it.
    pub fn url(&self) -> String {
        self.target.url(self.webhook.base_url())
    }

    /// Admits the sender if `proves` accepts it for the connection in the URL.
    pub async fn prove(&self, proves: impl Fn(&Connection, &VerifySecrets) -> bool) -> Result<Authenticated, Problem> {
        let proven = self.webhook.authenticate(&self.tenant, &self.connection, proves).await;
        proven.map_err(|error| self.webhook.refuse(&error))
    }

    /// Handles the result of reading a body about a call: queues the event, ignores a body without one, and stores the bytes of
    /// an unreadable one.
    ///
    /// # Errors
    /// A 503, so that the provider delivers it again, when it is nowhere safe.
    pub async fn take_call<E: std::error::Error + Sync>(
        &self,
        proven: &Authenticated,
        read: Result<impl Into<Option<CallEvent>>, E>,
        bytes: &[u8],
    ) -> Result<(), Problem> {
        match read.map(Into::into) {
            Ok(Some(event)) => self.report_call(proven, event).await.map(drop),
            Ok(None) => Ok(()),
            Err(error) => self.webhook.keep_unreadable(bytes, &error).await,
        }
    }

    /// Handles the result of reading a body about an order: queues the report, ignores a body without one, and stores the bytes of an
    /// unreadable one.
    ///
    /// # Errors
    /// A 503 when it is nowhere safe, so that the shop delivers it again, if it does that.
    pub async fn take_report<E: std::error::Error + Sync>(
        &self,
        proven: &Authenticated,
        read: Result<Option<ShopReport>, E>,
    ) -> Result<(), Problem> {
        let webhook = &self.webhook;
        match read {
            Ok(Some(report)) => {
                let job = CommerceJob::Report {
                    tenant: proven.scope().tenant(),
                    correlation_id: self.correlation_id.as_str().to_owned(),
                    connection: proven.connection().id,
                    report: Box::new(report),
                    received_at: self.at,
                };
                webhook.enqueue(vec![webhook.entry(&job)?]).await
            }
            Ok(None) => Ok(()),
            Err(error) => webhook.keep_unreadable(&self.body, &error).await,
        }
    }

    /// Queues a report of a call. If its line is not one of the connection's, it is counted, noted and ignored, and the result is false.
    ///
    /// # Errors
    /// A 503, so that the provider delivers it again, when it is nowhere safe.
    pub async fn report_call(&self, proven: &Authenticated, event: CallEvent) -> Result<bool, Problem> {
        let webhook = &self.webhook;
        if !proven.connection().account.has_number(event.facts.business_number()) {
            Box::pin(webhook.foreign_call(proven, &event.facts, self.at)).await;
            return Ok(false);
        }
        let job = self.call_job(proven, event);
        webhook.enqueue(vec![webhook.entry(&job)?]).await?;
        Ok(true)
    }

    /// The job for a report of a call.
    pub fn call_job(&self, proven: &Authenticated, event: CallEvent) -> CallJob {
        CallJob::Reported {
            tenant: proven.scope().tenant(),
            correlation_id: self.correlation_id.as_str().to_owned(),
            event,
        }
    }
}

/// A header as text.
pub fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// A 200 with this body.
pub fn answer(content_type: &'static str, body: impl Into<String>) -> Response {
    (
        [(header::CONTENT_TYPE, HeaderValue::from_static(content_type))],
        body.into(),
    )
        .into_response()
}
