//! Endpoints of outgoing webhooks: addresses of a tenant's software that get events, with what became of them. Secrets are shown once. Nobody
//! can have events sent that they may not read.

mod callbacks;
mod models;
mod trial;

use std::sync::Arc;
use std::time::Duration;

use access::{Kms, SecretsError, WebhookSecrets};
use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Once, Paging, Patch, Path, Query, RACES, Setback, Tagged,
    With, of_another_list, permits, require_found, setback,
};
use axum::{Extension, Json, Router};
use domain::tenants::Sealed;
use domain::terms::{EventId, Fault, FaultCode, RotationId, WebhookEndpointId};
use domain::webhooks::{
    Delivery, DisabledReason, EndpointHeader, EndpointSecret, HeaderValue, StillRotating, WebhookEndpoint,
};
use jobs::DeliveryJob;
use kit::{ConfigError, Entry, Env, Problem, Queue, QueueName, Stage};
use providers::guarded::{Guard, GuardedClient, Refused, Resolve, SystemNames};
use providers::standard_webhooks::{SECRET_BYTES, SigningSecret};
use store::table::rates::Limit;
use store::webhooks::KnownEndpoint;
use store::{StoreError, Versioned};

use crate::callbacks::refuse_callbacks_of_others;
use crate::models::{
    DeliveryQuery, Known, NewSecret, NewWebhookEndpointOut, RecoverIn, RecoveredOut, TestOut, WebhookEndpointChange,
    WebhookEndpointIn, WebhookEndpointOut, refuse_no_events, refuse_no_ranges,
};

/// Time that a receiver has for its answer.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Maximum deliveries that a request queues again.
const MAX_RECOVERED: usize = 1_000;

/// Maximum tests of a tenant per minute.
const TESTS: Limit = Limit::per_minute(10);

const PATH: &str = "/api/v1/webhook-endpoints";

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    routes_resolving(env, Arc::new(SystemNames))
}

/// Routes of the function, which resolves the names of endpoints otherwise than the system.
pub fn routes_resolving(env: &Env, names: Arc<dyn Resolve>) -> Result<Router, ConfigError> {
    let config = env.config();
    let send = config.text("KMS_SEND_KEY_ID")?.to_owned();
    let hosts = config.optional("WEBHOOK_HOSTS").unwrap_or_default();
    let guard = match config.stage() {
        Stage::Local => Guard::of_local_stack(hosts),
        Stage::Dev | Stage::Prod => Guard::new(hosts),
    };
    let guard = guard.map_err(|bad| ConfigError::new("WEBHOOK_HOSTS", bad.to_string()))?;
    let guard = guard.without_own(config.optional_url("PUBLIC_BASE_URL")?);
    let context = Context {
        api: Api::new(env)?,
        secrets: WebhookSecrets::new(Kms::new(env.kms(), None, Some(send))),
        client: GuardedClient::with_names(guard, env.user_agent(), TIMEOUT, names),
        queue: Queue::new(env, QueueName::WebhookDeliveries)?,
        has_address: config.optional_url("PUBLIC_BASE_URL")?.is_some(),
    };
    let api = context.api.clone();
    Ok(api::serve(operations(), api).layer(Extension(Arc::new(context))))
}

/// State of the function, created once per process.
struct Context {
    api: Api,
    secrets: WebhookSecrets,
    client: GuardedClient,
    queue: Queue,
    /// Whether receivers know where to call back.
    has_address: bool,
}

api::operations! {
    "webhook endpoints": "Addresses of a tenant's software that get events." {
        /// Create a webhook endpoint
        ///
        /// Events of the named types are sent to the address from now on, signed as [Standard Webhooks](https://www.standardwebhooks.com)
        /// says. Returns the secret once, in two forms: `secret` for libraries of Standard Webhooks, and `key` for software that computes
        /// HMAC-SHA256 with a text, such as n8n. The caller needs the permissions to read what the events are about. A tenant can have at
        /// most 20 endpoints.
        ///
        /// With `callback`, events about contacts carry a token for fifteen minutes, with which the receiver acts on the contact as an API key. It
        /// needs the permission `api_keys:write`, and all permissions of the key.
        ///
        /// The address must not be in a private network. `warnings` says what is perhaps a mistake, such as a test URL of n8n.
        POST "/api/v1/webhook-endpoints" => create_webhook_endpoint, "The endpoint. Its secret is shown once.";

        /// List webhook endpoints
        ///
        /// Oldest first, with their health.
        GET "/api/v1/webhook-endpoints" => list_webhook_endpoints, "A page of endpoints";

        /// Get a webhook endpoint
        ///
        /// Shows its health, and neither its secrets nor the value of its header.
        GET "/api/v1/webhook-endpoints/{webhook_endpoint_id}" => get_webhook_endpoint, "The endpoint";

        /// Update a webhook endpoint
        ///
        /// After a change of the address or the header, waiting events are tried again within a minute. Other changes than that of the name
        /// need the permissions to read what the events are about. The callback, and the address and the header of an endpoint that has one,
        /// change only with the permission `api_keys:write`.
        PATCH "/api/v1/webhook-endpoints/{webhook_endpoint_id}" => update_webhook_endpoint, "The updated endpoint";

        /// Delete a webhook endpoint
        ///
        /// It gets nothing more, also of what waits.
        DELETE "/api/v1/webhook-endpoints/{webhook_endpoint_id}" => delete_webhook_endpoint, "The endpoint is deleted";

        /// Rotate the secret of a webhook endpoint
        ///
        /// Returns a new secret once. Requests are signed with both for 24 hours, so that receivers can be changed meanwhile. If the new
        /// secret is lost, rotate again. At most four secrets sign at the same time.
        POST "/api/v1/webhook-endpoints/{webhook_endpoint_id}/rotate-secret" => rotate_webhook_secret,
            "The endpoint with its new secret, which is shown once", problems "still_rotating";

        /// Test a webhook endpoint
        ///
        /// Sends a signed event of the type `webhook.test` at once and answers with what came back. It is sent to disabled endpoints, too,
        /// and changes neither deliveries nor health. A tenant can send 10 tests per minute.
        POST "/api/v1/webhook-endpoints/{webhook_endpoint_id}/test" => test_webhook_endpoint, "The result of the attempt";

        /// Enable a webhook endpoint
        ///
        /// Waiting events are tried again within a minute. Events that happened while it was disabled are not sent.
        POST "/api/v1/webhook-endpoints/{webhook_endpoint_id}/enable" => enable_webhook_endpoint, "The enabled endpoint";

        /// Disable a webhook endpoint
        ///
        /// It gets nothing until it is enabled. What waits is kept for seven days after its event.
        POST "/api/v1/webhook-endpoints/{webhook_endpoint_id}/disable" => disable_webhook_endpoint, "The disabled endpoint";

        /// List the deliveries of a webhook endpoint
        ///
        /// The newest event first; with `state=waiting`, the one that is tried next first. They are kept for seven days. With
        /// `state=delivered`, a page can be short or empty without being the last.
        GET "/api/v1/webhook-endpoints/{webhook_endpoint_id}/deliveries" => list_webhook_deliveries, "A page of deliveries";

        /// Retry a delivery of a webhook endpoint
        ///
        /// Sends the event again, at once and under its id, whatever became of it before.
        POST "/api/v1/webhook-endpoints/{webhook_endpoint_id}/deliveries/{event_id}/retry" => retry_webhook_delivery,
            "The delivery waits", problems "endpoint_disabled";

        /// Recover failed deliveries of a webhook endpoint
        ///
        /// Queues failed and dropped deliveries of events since a time again, the oldest first and at most 1,000 per request. They are
        /// tried within a minute.
        POST "/api/v1/webhook-endpoints/{webhook_endpoint_id}/recover" => recover_webhook_deliveries, "The deliveries wait",
            problems "endpoint_disabled";
    }
}

type Reading = Allowed<permits::WebhooksRead>;
type Writing = Allowed<permits::WebhooksWrite>;
type Shared = Extension<Arc<Context>>;

fn key_service_problem(error: &SecretsError) -> Problem {
    tracing::error!(error = kit::chain(error), "the key service failed");
    Problem::unavailable()
}

/// The problem of an address to which no request may go.
fn refused_address(refused: Refused) -> Problem {
    let detail = format!("The address is not accepted: {refused}.");
    Problem::field("url", Fault::new(FaultCode::Invalid, detail))
}

/// Refuses events that the caller may not read.
fn refuse_beyond_own(who: &Writing, endpoint: &WebhookEndpoint) -> Result<(), Problem> {
    let may = |permission| who.principal().may(permission);
    let not_permitted = |field: String, needed| {
        let detail = format!("You need the permission {needed} for this. Ask somebody who has it.");
        Err(Problem::field(field, Fault::new(FaultCode::NotPermitted, detail)))
    };
    for (place, event) in endpoint.events.iter().enumerate() {
        if !may(event.permission()) {
            return not_permitted(format!("events[{place}]"), event.permission());
        }
    }
    match endpoint.permissions().find(|permission| !may(*permission)) {
        Some(needed) => not_permitted("content".to_owned(), needed),
        None => Ok(()),
    }
}

/// A new secret with its stored form.
struct Fresh {
    signing: SigningSecret,
    sealed: Sealed,
}

impl Context {
    async fn find(&self, who: &Allowed<impl permits::Permit>, id: WebhookEndpointId) -> Result<KnownEndpoint, Problem> {
        require_found(self.api.store().read_webhook_endpoint(who.scope(), id, who.now())).await
    }

    /// An endpoint that is not disabled.
    async fn find_enabled(&self, who: &Writing, id: WebhookEndpointId) -> Result<KnownEndpoint, Problem> {
        let known = self.find(who, id).await?;
        if known.endpoint.value.disabled.is_some() {
            let detail = "The endpoint is disabled. Enable it first.";
            return Err(Problem::conflict("endpoint_disabled", detail));
        }
        Ok(known)
    }

    /// The endpoint as it is after a write.
    async fn show(&self, who: &Writing, id: WebhookEndpointId) -> Result<Tagged<WebhookEndpointOut>, Problem> {
        Ok(show_known(self.find(who, id).await?, who))
    }

    async fn seal(&self, who: &Writing, id: WebhookEndpointId, secret: &str) -> Result<Sealed, Problem> {
        let sealed = self.secrets.seal(who.scope().tenant(), id, secret).await;
        sealed.map_err(|error| key_service_problem(&error))
    }

    async fn make_secret(&self, who: &Writing, id: WebhookEndpointId) -> Result<Fresh, Problem> {
        let mut random = [0; SECRET_BYTES];
        for (byte, drawn) in random.iter_mut().zip(self.api.secret()?) {
            *byte = drawn;
        }
        let signing = SigningSecret::of_random(random);
        let sealed = self.seal(who, id, signing.key()).await?;
        Ok(Fresh { signing, sealed })
    }

    async fn check_address(&self, endpoint: &WebhookEndpoint) -> Result<(), Problem> {
        self.client.check(endpoint.url.as_str()).await.map_err(refused_address)
    }
}

fn show_known(
    KnownEndpoint { endpoint, health }: KnownEndpoint,
    who: &Allowed<impl permits::Permit>,
) -> Tagged<WebhookEndpointOut> {
    Tagged {
        version: endpoint.version,
        body: WebhookEndpointOut::new(endpoint.value, &health.value, who.now()),
    }
}

fn show_once(signing: &SigningSecret, endpoint: WebhookEndpointOut) -> NewWebhookEndpointOut {
    NewWebhookEndpointOut {
        endpoint,
        signing: NewSecret {
            secret: signing.whsec(),
            key: signing.key().to_owned(),
        },
    }
}

async fn create_webhook_endpoint(
    who: Writing,
    Extension(context): Shared,
    Body(input): Body<WebhookEndpointIn>,
) -> Result<Once<Created<NewWebhookEndpointOut>>, Problem> {
    refuse_no_events(&input.events)?;
    refuse_no_ranges(input.callback.as_ref())?;
    let (store, scope, stamp) = (context.api.store(), who.scope(), who.stamp());
    let id = WebhookEndpointId::new(who.ulid());
    let rotation = RotationId::new(who.ulid());
    let mut made = WebhookEndpoint {
        id,
        name: input.name,
        url: input.url,
        events: input.events,
        header: None,
        content: input.content,
        callback: input.callback,
        disabled: None,
        secrets: Vec::new(),
        created_at: who.now(),
        updated_at: who.now(),
    };
    refuse_beyond_own(&who, &made)?;
    if made.callback.is_some() {
        refuse_callbacks_of_others(&who)?;
        context.check_callback(&who, &made).await?;
    }
    context.check_address(&made).await?;
    if let Some(header) = input.header {
        let sealed = context.seal(&who, id, header.value.reveal()).await?;
        made.header = Some(EndpointHeader {
            name: header.name,
            sealed,
        });
    }
    let Fresh { signing, sealed } = context.make_secret(&who, id).await?;
    made.secrets.push(EndpointSecret {
        sealed,
        valid_until: None,
        rotation,
    });
    let created = RACES.until_won(async || {
        // This very request came before and was interrupted: nobody has seen its secret.
        if let Some(before) = store.get::<WebhookEndpoint>(scope, &id).await? {
            return Ok(store.change_webhook_endpoint(scope, &before, &made, &stamp).await?);
        }
        let written = store.create_webhook_endpoint(scope, &made, &stamp).await;
        written.map_err(setback::<WebhookEndpoint>)?;
        Ok::<_, Setback>(1)
    });
    let version = created.await?;
    let shown = WebhookEndpointOut::new(made, &Default::default(), who.now());
    Ok(Once(Created {
        location: format!("{PATH}/{id}"),
        version,
        body: show_once(&signing, shown),
    }))
}

async fn list_webhook_endpoints(
    who: Reading,
    Extension(context): Shared,
    paging: Paging,
) -> Result<Listed<WebhookEndpointOut>, Problem> {
    let store = context.api.store();
    let page = store
        .page::<WebhookEndpoint>(who.scope(), paging.after(), paging.limit())
        .await?;
    let ids: Vec<WebhookEndpointId> = page.items.iter().map(|found| found.value.id).collect();
    let mut healths = store.read_healths(who.scope(), &ids, who.now()).await?.into_iter();
    Ok(Listed::of(page, |found| {
        WebhookEndpointOut::new(found.value, &healths.next().unwrap_or_default(), who.now())
    }))
}

async fn get_webhook_endpoint(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
) -> Result<Tagged<WebhookEndpointOut>, Problem> {
    Ok(show_known(context.find(&who, id).await?, &who))
}

async fn update_webhook_endpoint(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
    if_match: IfMatch,
    patch: Patch<WebhookEndpointChange>,
) -> Result<Tagged<WebhookEndpointOut>, Problem> {
    let (context, who) = (&*context, &who);
    let (store, scope, stamp) = (context.api.store(), who.scope(), &who.stamp());
    let read = async || {
        let found: Option<Versioned<WebhookEndpoint>> = store.get(scope, &id).await?;
        Ok::<_, StoreError>(found.map(|found| Versioned {
            version: found.version,
            value: Known::from(found.value),
        }))
    };
    let allow = |before: &Known, after: &Known| {
        let renamed = WebhookEndpoint {
            name: after.endpoint.name.clone(),
            ..before.endpoint.clone()
        };
        // Whoever changes where events go could otherwise read them.
        if after.value.is_some() || after.endpoint != renamed {
            refuse_beyond_own(who, &after.endpoint)?;
        }
        if after.redirects_callback(before) {
            refuse_callbacks_of_others(who)?;
        }
        Ok(())
    };
    let write = |before: Versioned<Known>, after: Known| async move {
        if after.redirects_callback(&before.value) {
            context.check_callback(who, &after.endpoint).await?;
        }
        let mut endpoint = after.endpoint;
        if endpoint.url != before.value.endpoint.url {
            context.check_address(&endpoint).await?;
        }
        if let (Some(header), Some(value)) = (&mut endpoint.header, &after.value) {
            header.sealed = context.seal(who, id, HeaderValue::reveal(value)).await?;
        }
        endpoint.updated_at = stamp.at;
        let before = Versioned {
            version: before.version,
            value: before.value.endpoint,
        };
        let version = store.change_webhook_endpoint(scope, &before, &endpoint, stamp).await?;
        Ok(Versioned {
            version,
            value: Known::from(endpoint),
        })
    };
    let changed = patch.change(&if_match, read, allow, write).await?;
    let health = store.read_health(scope, id, who.now()).await?;
    Ok(Tagged {
        version: changed.version,
        body: WebhookEndpointOut::new(changed.value.endpoint, &health.value, who.now()),
    })
}

async fn delete_webhook_endpoint(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    let (store, scope) = (context.api.store(), who.scope());
    let removed = RACES.until_won(async || {
        let before = require_found(store.get::<WebhookEndpoint>(scope, &id)).await?;
        if_match.check(before.version)?;
        store.remove_webhook_endpoint(scope, &before, &who.stamp()).await?;
        Ok::<_, Setback>(NoContent)
    });
    removed.await
}

async fn rotate_webhook_secret(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
) -> Result<Once<Json<NewWebhookEndpointOut>>, Problem> {
    let store = context.api.store();
    context.find(&who, id).await?;
    let rotation = RotationId::new(who.ulid());
    let Fresh { signing, sealed } = context.make_secret(&who, id).await?;
    let rotated = RACES.until_won(async || {
        let KnownEndpoint { endpoint, health } = context.find(&who, id).await?;
        let after = endpoint.value.rotate_secret(sealed.clone(), rotation, who.now());
        let after = after.map_err(|StillRotating { until }| {
            let most = domain::webhooks::MAX_VALID_SECRETS;
            let detail = format!("{most} secrets sign already. Wait until {until}.");
            Problem::conflict("still_rotating", detail)
        })?;
        store
            .change_webhook_endpoint(who.scope(), &endpoint, &after, &who.stamp())
            .await?;
        Ok::<_, Setback>(WebhookEndpointOut::new(after, &health.value, who.now()))
    });
    Ok(Once(Json(show_once(&signing, rotated.await?))))
}

async fn test_webhook_endpoint(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
) -> Result<Json<TestOut>, Problem> {
    let endpoint = context.find(&who, id).await?.endpoint.value;
    context.api.limit(&who, "webhook-test", TESTS).await?;
    let attempt = trial::send_test(&context, &who, &endpoint).await?;
    Ok(Json(TestOut { attempt }))
}

async fn enable_webhook_endpoint(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
) -> Result<Tagged<WebhookEndpointOut>, Problem> {
    context.switch(&who, id, |endpoint| endpoint.enable(who.now())).await
}

async fn disable_webhook_endpoint(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
) -> Result<Tagged<WebhookEndpointOut>, Problem> {
    context
        .switch(&who, id, |endpoint| endpoint.disable(DisabledReason::User, who.now()))
        .await
}

impl Context {
    /// Enables or disables an endpoint, unless that is done already.
    async fn switch(
        &self,
        who: &Writing,
        id: WebhookEndpointId,
        change: impl Fn(&WebhookEndpoint) -> WebhookEndpoint,
    ) -> Result<Tagged<WebhookEndpointOut>, Problem> {
        let (store, scope, change) = (self.api.store(), who.scope(), &change);
        let switched = RACES.until_won(|| async move {
            let before = require_found(store.get::<WebhookEndpoint>(scope, &id)).await?;
            let after = change(&before.value);
            if after != before.value {
                store
                    .change_webhook_endpoint(scope, &before, &after, &who.stamp())
                    .await?;
            }
            Ok::<_, Setback>(())
        });
        switched.await?;
        self.show(who, id).await
    }
}

async fn list_webhook_deliveries(
    who: Reading,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
    Query(query): Query<DeliveryQuery>,
    paging: Paging,
) -> Result<Listed<Delivery>, Problem> {
    context.find(&who, id).await?;
    let store = context.api.store();
    let (after, limit) = (paging.after(), paging.limit());
    let page = store.list_deliveries(who.scope(), id, query.state, after, limit, who.now());
    let page = page.await.map_err(|error| match error {
        StoreError::Position => of_another_list(),
        other => other.into(),
    })?;
    Ok(Listed::of(page, |delivery| delivery))
}

async fn retry_webhook_delivery(
    who: Writing,
    Extension(context): Shared,
    Path((id, event)): Path<(WebhookEndpointId, EventId)>,
) -> Result<With<202, Json<Delivery>>, Problem> {
    let (store, scope, now) = (context.api.store(), who.scope(), who.now());
    context.find_enabled(&who, id).await?;
    let delivery = require_found(store.read_delivery(scope, id, event, now)).await?;
    // A copy of the job finds that it does not wait any more.
    let again = delivery.queue_again(now);
    store.write_deliveries(scope, id, std::slice::from_ref(&again)).await?;
    let job = DeliveryJob::Retry {
        tenant: scope.tenant(),
        correlation_id: who.correlation_id().to_owned(),
        endpoint: id,
        event,
    };
    let queued = async { context.queue.send_all(vec![Entry::new(&job)?]).await };
    queued.await.map_err(|error| {
        tracing::error!(error = kit::chain(&error), "a delivery is not queued");
        Problem::unavailable()
    })?;
    Ok(With(Json(again)))
}

async fn recover_webhook_deliveries(
    who: Writing,
    Extension(context): Shared,
    Path(id): Path<WebhookEndpointId>,
    Body(input): Body<RecoverIn>,
) -> Result<With<202, Json<RecoveredOut>>, Problem> {
    context.find_enabled(&who, id).await?;
    let store = context.api.store();
    let recovered = store.recover_deliveries(who.scope(), id, input.since, MAX_RECOVERED, who.now());
    let recovered = recovered.await?;
    Ok(With(Json(RecoveredOut {
        queued: recovered.number,
        more: recovered.more,
    })))
}
