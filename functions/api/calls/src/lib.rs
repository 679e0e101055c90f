//! Calls of a tenant's customers: their course, the decision about a message, and its reason.

mod models;

use api::{Allowed, Api, Listed, Paging, Path, Query, permits, require_found};
use axum::extract::State;
use axum::{Json, Router};
use domain::terms::CallId;
use kit::{ConfigError, Env, Problem};

use crate::models::{CallDetails, CallEntry, CallQuery};

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "calls": "Calls of customers, with what was decided about each, and why." {
        /// List calls
        ///
        /// Newest first, of the last seven days or of at most 31, by days in the tenant's time zone. Each has its contact, its line, the
        /// decision about a message with its reason, and the state of that message. `followed_up=true` lists calls whose message a provider
        /// accepted, `stopped=true` calls whose message a cap or a failure stopped. Calls of deleted contacts are hidden; calls of merged
        /// contacts name the survivor. A page examines at most 500 calls, so it can hold fewer than `limit`, or none, without being the
        /// last one: only a `next_cursor` of `null` ends the list.
        GET "/api/v1/calls" => list_calls, "A page of calls";

        /// Get a call
        ///
        /// Returns everything that is known of it: the report of the telephone system, the outcome, the decision with its reason
        /// and its grounds, later remarks, and the message that follows it.
        GET "/api/v1/calls/{call_id}" => get_call, "The call";
    }
}

type Reading = Allowed<permits::CallsRead>;

async fn list_calls(
    who: Reading,
    State(api): State<Api>,
    Query(query): Query<CallQuery>,
    paging: Paging,
) -> Result<Listed<CallEntry>, Problem> {
    let wanted = api.wanted_page(&who, query.from, query.to, &paging);
    let (wanted, showing) = tokio::try_join!(Box::pin(wanted), Box::pin(api.showing(&who)))?;
    let (store, filter) = (api.store(), query.filter());
    let page = Box::pin(store.calls_of_period(who.scope(), &filter, &wanted)).await?;
    Ok(Listed::of(page, |known| CallEntry::of(known, &showing)))
}

async fn get_call(
    who: Reading,
    State(api): State<Api>,
    Path(call_id): Path<CallId>,
) -> Result<Json<CallDetails>, Problem> {
    let call = require_found(api.store().known_call(who.scope(), call_id, who.now()));
    let (call, showing) = tokio::try_join!(Box::pin(call), Box::pin(api.showing(&who)))?;
    Ok(Json(CallDetails::of(call, &showing)))
}
