//! Messages about events of orders: one for each event, which tells it to whoever ordered.

use std::sync::Arc;

use api::{
    Allowed, Api, Body, Created, IfMatch, Listed, NoContent, Paging, Patch, Path, Tagged, permits, require_found,
};
use axum::extract::State;
use axum::{Extension, Router};
use domain::campaigns::{EventMessage, EventMessageIn, event_message_problems, needs_of_event_message};
use domain::messages::{Material, NewLinks};
use domain::terms::{EventMessageId, Resource as _};
use kit::{ConfigError, Env, Problem};
use store::Along;
use store::tenants::ConfigCache;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let configs = Arc::new(ConfigCache::default());
    Ok(api::serve(operations(), Api::new(env)?).layer(Extension(configs)))
}

/// Path of the event messages.
const EVENT_MESSAGES: &str = "/api/v1/event-messages";

api::operations! {
    "event-messages": "Messages about events of orders, which tell them to whoever ordered." {
        /// Create an event message
        ///
        /// There is one for each event: a second is refused (409 `taken`). From then on, such news is told, once per order. Without `message`,
        /// the usual text for the event is sent by SMS, in English or Arabic. Quiet hours hold back all but `order.created` and
        /// `order.cancelled`, and newer news of an order takes the place of a message that waits.
        POST "/api/v1/event-messages" => create_event_message, "The event message";

        /// List event messages
        ///
        /// Oldest first.
        GET "/api/v1/event-messages" => list_event_messages, "A page of event messages";

        /// Get an event message
        GET "/api/v1/event-messages/{event_message_id}" => get_event_message, "The event message";

        /// Update an event message
        ///
        /// Messages that are already composed do not change. `message` is merged; `null` is the usual text.
        PATCH "/api/v1/event-messages/{event_message_id}" => update_event_message, "The updated event message";

        /// Delete an event message
        ///
        /// Its event is told to nobody any more. Messages that are already composed are sent.
        DELETE "/api/v1/event-messages/{event_message_id}" => delete_event_message, "The event message is deleted";
    }
}

type Reading = Allowed<permits::AutomationsRead>;
type Writing = Allowed<permits::AutomationsWrite>;
type Configs = Extension<Arc<ConfigCache>>;

async fn create_event_message(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Body(fields): Body<EventMessageIn>,
) -> Result<Created<EventMessage>, Problem> {
    let new = EventMessage::new(who.ulid(), fields, who.now());
    check(&api, &who, &configs, &new).await?;
    api.create_this(&who, EVENT_MESSAGES, new).await
}

async fn list_event_messages(
    who: Reading,
    State(api): State<Api>,
    paging: Paging,
) -> Result<Listed<EventMessage>, Problem> {
    api.list(&who, &paging).await
}

async fn get_event_message(
    who: Reading,
    State(api): State<Api>,
    Path(id): Path<EventMessageId>,
) -> Result<Tagged<EventMessage>, Problem> {
    api.read(&who, &id).await
}

async fn update_event_message(
    who: Writing,
    State(api): State<Api>,
    Extension(configs): Configs,
    Path(id): Path<EventMessageId>,
    if_match: IfMatch,
    patch: Patch<EventMessageIn>,
) -> Result<Tagged<EventMessage>, Problem> {
    let (api, who, configs) = (&api, &who, &*configs);
    // A message that became wrong meanwhile can still be turned off.
    let allow = |before: EventMessage, after: EventMessage| async move {
        if after.message == before.message {
            return Ok(());
        }
        check(api, who, configs, &after).await
    };
    api.update_if(who, &id, &if_match, &patch, allow).await
}

/// Refuses content that could not be sent to anybody.
async fn check(api: &Api, who: &Writing, configs: &ConfigCache, new: &EventMessage) -> Result<(), Problem> {
    let Some(message) = &new.message else { return Ok(()) };
    let (store, scope) = (api.store(), who.scope());
    let config = require_found(store.config(scope, configs)).await?;
    let needs = needs_of_event_message(message, &config);
    let read = store.material(scope, &needs, &Along::default()).await?;
    let material = Material {
        links: NewLinks::nobodys(),
        ..read
    };
    let wrong = event_message_problems(message, &config, &material);
    if wrong.is_empty() { Ok(()) } else { Err(wrong.into()) }
}

async fn delete_event_message(
    who: Writing,
    State(api): State<Api>,
    Path(id): Path<EventMessageId>,
    if_match: IfMatch,
) -> Result<NoContent, Problem> {
    api.remove::<EventMessage, _>(&who, &id, &if_match).await
}
