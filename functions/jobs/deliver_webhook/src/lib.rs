//! # How events reach other software
//!
//! Delivers events to the endpoints of a tenant's webhooks, each by one request that is signed as Standard Webhooks say.
//!
//! 1. **Publish.** `publish_events` queues a job for each endpoint that wants some of its events. They are tried at once, ten at the same time, and
//!    become a row each: delivered, or waiting for the next attempt.
//! 2. **Retry.** The second attempt comes after 5 seconds and the third after 5 minutes, each by a job of its own that the queue holds back. Users
//!    may ask for one, too.
//! 3. **Run.** Later attempts wait in the table. Of all that wait for an endpoint, only its health is due: `dispatch_due` queues a look at it, which tries
//!    a page of those whose time has come, and queues the next look if there are more.
//!
//! An endpoint that fails too often in a row is down ([`EndpointHealth`]): its events are only stored, and a look tries the one that waits for the
//! longest. Once that is delivered, further looks deliver the rest. People are told of an endpoint that fails for days, which is disabled in the end.
//!
//! With a callback ([`domain::webhooks::WebhookRun`]), an event carries a token, with which its receiver may act on the event's contact. Each attempt has another one.
//!
//! Nearly safe to run twice: [`Store::write_deliveries`] after the attempts makes it so. A job that is delivered again finds the rows of its events
//! and tries none of them; what waits is queued again. If the worker dies between the attempts and that write, they are made
//! again, with the same `webhook-id`, by which receivers recognize what they know. Two looks at the same time are prevented by a claim in the health.

mod attempts;
mod body;
mod callbacks;
mod endpoint;
mod looks;
mod publish;
mod steps;

use std::time::Duration;

use access::{Kms, WebhookKeyring, WebhookSecrets};
use domain::webhooks::EndpointHealth;
use jobs::DeliveryJob;
use kit::{Clock, ConfigError, Done, Env, Ids, Job, JobError, Queue, QueueName, Stage, TimeLimit};
use providers::guarded::{Guard, GuardedClient};
use store::Store;

use crate::endpoint::Endpoint;

/// Maximum time for the answer to an attempt.
const ANSWERS_WITHIN: Duration = Duration::from_secs(15);

/// No attempt of a job begins after this time: the last ones must end, and be recorded, in a function that has a minute. What is left waits for a
/// look.
const WITHIN: Duration = Duration::from_secs(30);

/// State of the function, created once per process.
pub struct Context {
    store: Store,
    keyring: WebhookKeyring,
    client: GuardedClient,
    guard: Guard,
    user_agent: String,
    queue: Queue,
    clock: Clock,
    ids: Ids,
    /// Address of the API for callbacks. Without one, there are none.
    public_base_url: Option<String>,
}

impl Context {
    /// Creates the state from the function's environment.
    pub fn new(env: &Env) -> Result<Self, ConfigError> {
        let config = env.config();
        let keys = Kms::new(env.kms(), None, Some(config.text("KMS_SEND_KEY_ID")?.to_owned()));
        let hosts = config.optional("WEBHOOK_HOSTS").unwrap_or_default();
        let guard = match env.stage() {
            Stage::Local => Guard::of_local_stack(hosts),
            Stage::Dev | Stage::Prod => Guard::new(hosts),
        };
        let guard = guard.map_err(|error| ConfigError::new("WEBHOOK_HOSTS", error.to_string()))?;
        let public_base_url = config.optional_url("PUBLIC_BASE_URL")?;
        let guard = guard.without_own(public_base_url);
        Ok(Self {
            store: Store::new(env.dynamodb(), config.text("TABLE_NAME")?),
            keyring: WebhookKeyring::new(WebhookSecrets::new(keys)),
            client: GuardedClient::new(guard.clone(), env.user_agent(), ANSWERS_WITHIN),
            guard,
            user_agent: env.user_agent(),
            queue: Queue::new(env, QueueName::WebhookDeliveries)?,
            clock: env.clock().clone(),
            ids: env.ids().clone(),
            public_base_url: public_base_url.map(str::to_owned),
        })
    }

    /// Limits the time for an answer. For tests.
    pub fn with_timeout(self, timeout: Duration) -> Self {
        Self {
            client: GuardedClient::new(self.guard.clone(), self.user_agent.clone(), timeout),
            ..self
        }
    }
}

kit::function!(serve_queue, Context::new, handle);

/// Does a job. Nothing is left to do for an endpoint that was deleted, or that is disabled.
///
/// # Errors
/// When the table, the queue or the key service does not answer.
pub async fn handle(job: Job<DeliveryJob>, ctx: &Context) -> Result<Done, JobError> {
    let (scope, now) = (job.scope().clone(), ctx.clock.now());
    let (id, correlation_id) = (job.body.endpoint(), job.correlation_id().to_owned());
    let Some(known) = ctx.store.read_webhook_endpoint(&scope, id, now).await? else {
        // It was deleted while deliveries to it were tried.
        if matches!(job.body, DeliveryJob::Run { .. }) {
            ctx.store.forget_health(&scope, id).await?;
        }
        return Ok(Done::Already);
    };
    let (row, health) = (known.endpoint.value, known.health);
    if row.disabled.is_some() {
        if health.value.due_at().is_some() {
            ctx.store
                .change_health(&scope, id, now, EndpointHealth::stop_trying)
                .await?;
        }
        return Ok(Done::Already);
    }
    let endpoint = Endpoint {
        ctx,
        scope: &scope,
        row: &row,
        limit: TimeLimit::of(WITHIN),
    };
    match job.body {
        DeliveryJob::Publish { events, .. } => Box::pin(endpoint.publish(events, &health.value, &correlation_id)).await,
        DeliveryJob::Retry { event, .. } => Box::pin(endpoint.retry(event, &health.value, &correlation_id)).await,
        DeliveryJob::Run { .. } => Box::pin(endpoint.look(health, &correlation_id)).await,
    }
}
