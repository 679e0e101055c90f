//! Devices that notify a person, by the push service of their browser.

use std::sync::Arc;

use access::{Kms, PushError, PushKeys, link};
use api::{Api, Body, Listed, NoContent, Path, Person};
use axum::{Extension, Json, Router};
use domain::live::{
    MAX_ENDPOINT, MAX_SUBSCRIPTIONS, PushServices, PushSubscription, SUBSCRIPTIONS_KEPT_FOR, host_of_endpoint,
    normalize_endpoint,
};
use domain::terms::{Fault, PushSubscriptionId, SessionId};
use futures::future::try_join_all;
use jiff::Timestamp;
use kit::{ConfigError, Env, Problem};
use providers::push::check_keys;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The last time that a browser knows, in milliseconds since 1970.
const MAX_TIME: u64 = 8_640_000_000_000_000;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let (api, config) = (Api::new(env)?, env.config());
    let send = config.text("KMS_SEND_KEY_ID")?.to_owned();
    let context = Context {
        api: api.clone(),
        keys: PushKeys::new(Kms::new(env.kms(), None, Some(send))),
        services: PushServices::with(config.optional("PUSH_SERVICES").unwrap_or_default()),
    };
    Ok(api::serve(operations(), api).layer(Extension(Arc::new(context))))
}

/// State of the function, created once per process.
struct Context {
    api: Api,
    keys: PushKeys,
    services: PushServices,
}

api::operations! {
    "push": "Devices on which the caller is notified while no page is open." {
        /// Get the key for push notifications
        ///
        /// `applicationServerKey` for the subscription of a browser (`PushManager.subscribe`). It never changes.
        GET "/api/v1/me/push-key" => get_push_key, "The key";

        /// List your devices
        ///
        /// Browsers that notify you, at most 10: a further one replaces the one that was sent longest ago. Browsers of an ended session are
        /// no longer notified.
        GET "/api/v1/me/push-subscriptions" => list_push_subscriptions, "Your devices";

        /// Add a device
        ///
        /// Takes the result of the browser's `PushSubscription.toJSON()`. Send it whenever the page begins: it is kept for 30 days, and
        /// nobody is notified after the end of the session that sent it last. A device that is known already is replaced.
        ///
        /// If nobody reads a customer's message for 20 seconds, people are notified if their account asks for it in
        /// `preferences.notifications` and they see no page that follows the tenant. Notifications name the customer, and show the
        /// message only if `texts` is set. They are encrypted for the device, as RFC 8291 says.
        POST "/api/v1/me/push-subscriptions" => add_push_subscription, "The device";

        /// Remove a device
        DELETE "/api/v1/me/push-subscriptions/{push_subscription_id}" => remove_push_subscription, "The device is removed";
    }
}

/// The key for subscriptions of browsers.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PushKey")]
struct KeyOut {
    /// A point on P-256, uncompressed, in base64url.
    #[schemars(example = &"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4")]
    public_key: String,
}

/// A browser's subscription, as its `toJSON()` returns it.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PushSubscriptionIn")]
struct SubscriptionIn {
    /// URL of the push service, for this device. Its host must be one of the push services that the operator allows: Chrome's, Edge's,
    /// Firefox's and Safari's, and others that are configured.
    #[schemars(length(max = 1_024), example = &"https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl")]
    endpoint: String,
    /// End of the subscription by the browser, in milliseconds since 1970. It is not used: a subscription that has ended is removed at the
    /// first notification.
    #[serde(default, rename = "expirationTime")]
    #[schemars(range(max = MAX_TIME), example = 1_798_362_000_000_u64)]
    expiration_time: Option<u64>,
    /// Keys of the subscription.
    keys: KeysIn,
}

/// Keys of a browser's subscription.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "PushSubscriptionKeys")]
struct KeysIn {
    /// The public key: a point on P-256, uncompressed, in base64url.
    #[schemars(
        length(max = 100),
        example = &"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
    )]
    p256dh: String,
    /// The secret of 16 bytes, in base64url.
    #[schemars(length(max = 100), example = &"BTBZMqHH6r4Tts7J_aSIgg")]
    auth: String,
}

/// A device that notifies a person.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "PushSubscription")]
struct SubscriptionOut {
    /// Id of the device.
    id: PushSubscriptionId,
    /// Host of its push service.
    #[schemars(example = &"updates.push.services.mozilla.com")]
    service: String,
    /// Browser or app, from its `User-Agent`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(example = &"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0")]
    device: Option<String>,
    /// Time of adding it.
    #[schemars(example = "2026-11-20T12:00:00Z")]
    created_at: Timestamp,
    /// Expiry of the subscription, unless it is sent again.
    #[schemars(example = "2026-12-20T12:00:00Z")]
    expires_at: Timestamp,
    /// Whether it was sent last in the session of this request.
    #[schemars(example = true)]
    current: bool,
}

impl SubscriptionOut {
    fn of(device: PushSubscription, asking: SessionId) -> Self {
        Self {
            id: device.id,
            service: host_of_endpoint(&device.endpoint).unwrap_or_default(),
            device: device.device,
            created_at: device.created_at,
            expires_at: device.expires_at,
            current: device.session == asking,
        }
    }
}

fn unavailable(error: PushError) -> Problem {
    match error {
        PushError::Table(error) => error.into(),
        PushError::Secrets(_) | PushError::Crypto(_) => {
            tracing::error!(error = kit::chain(&error), "the key for push services cannot be made");
            Problem::unavailable()
        }
    }
}

async fn get_push_key(_who: Person, Extension(context): Extension<Arc<Context>>) -> Result<Json<KeyOut>, Problem> {
    let public_key = context.keys.public(context.api.store()).await.map_err(unavailable)?;
    Ok(Json(KeyOut { public_key }))
}

async fn list_push_subscriptions(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
) -> Result<Listed<SubscriptionOut>, Problem> {
    let user = who.account().value.id;
    let devices = context.api.store().push_subscriptions(user, who.now()).await?;
    Ok(Listed {
        items: devices
            .into_iter()
            .map(|device| SubscriptionOut::of(device, who.session()))
            .collect(),
        next_cursor: None,
    })
}

async fn add_push_subscription(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Body(input): Body<SubscriptionIn>,
) -> Result<Json<SubscriptionOut>, Problem> {
    const EXAMPLE: &str = "https://updates.push.services.mozilla.com/wpush/v2/gAAAAABl";
    let SubscriptionIn {
        endpoint,
        keys,
        expiration_time,
    } = input;
    if expiration_time.is_some_and(|time| time > MAX_TIME) {
        let detail = "Expected a time in milliseconds since 1970, as a browser gives it.";
        let fault = Fault::out_of_range(0_u64, MAX_TIME, detail);
        return Err(Problem::field("expirationTime", fault));
    }
    let allowed = normalize_endpoint(&endpoint).filter(|endpoint| context.services.allow(endpoint));
    let Some(endpoint) = allowed else {
        let detail = format!(
            "Expected the URL of a push service that the operator allows, such as that of Chrome, Edge, Firefox or Safari, of at most {MAX_ENDPOINT} bytes."
        );
        return Err(Problem::field(
            "endpoint",
            Fault::format("push service", EXAMPLE, detail),
        ));
    };
    if check_keys(&keys.p256dh, &keys.auth).is_err() {
        let detail = "Expected the keys of a browser's subscription: `p256dh`, an uncompressed point on P-256, and `auth`, 16 bytes, both in base64url.";
        return Err(Problem::field(
            "keys",
            Fault::format("push keys", "BTBZMqHH6r4Tts7J_aSIgg", detail),
        ));
    }
    let (store, now) = (context.api.store(), who.now());
    let account = &who.account().value;
    let known = store.push_subscriptions(account.id, now).await?;
    let id = PushSubscription::id_of(&endpoint);
    let before = known.iter().find(|device| device.id == id);
    if before.is_none() {
        // Most likely browsers that were replaced, or sessions that ended. Several, if some were added at once.
        let mut oldest: Vec<&PushSubscription> = known.iter().collect();
        oldest.sort_by_key(|device| device.expires_at);
        let over = (known.len() + 1).saturating_sub(MAX_SUBSCRIPTIONS);
        for device in oldest.into_iter().take(over) {
            store.forget_push_subscription(account.id, device.id).await?;
        }
    }
    let device = PushSubscription {
        id,
        user: account.id,
        session: who.session(),
        endpoint,
        p256dh: keys.p256dh,
        auth: keys.auth,
        device: who.device().name.clone(),
        created_at: before.map_or(now, |before| before.created_at),
        expires_at: now + SUBSCRIPTIONS_KEPT_FOR,
    };
    store.keep_push_subscription(&device).await?;
    // After it is kept: whoever is looked for is found.
    let scopes = link::of_own_account(account);
    try_join_all(scopes.iter().map(|scope| store.note_reachable(scope, account.id, now))).await?;
    Ok(Json(SubscriptionOut::of(device, who.session())))
}

async fn remove_push_subscription(
    who: Person,
    Extension(context): Extension<Arc<Context>>,
    Path(id): Path<PushSubscriptionId>,
) -> Result<NoContent, Problem> {
    let (store, user) = (context.api.store(), who.account().value.id);
    let known = store.push_subscriptions(user, who.now()).await?;
    if !known.iter().any(|device| device.id == id) {
        return Err(Problem::not_found());
    }
    store.forget_push_subscription(user, id).await?;
    Ok(NoContent)
}
