//! Live updates: events about what changes in a tenant, for clients that follow it.

use api::{Allowed, Api, Query, permits};
use axum::{Json, Router, extract::State, http::StatusCode};
use domain::live::{cursor::Cursor, event::Event};
use kit::{ConfigError, Env, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(api::serve(operations(), Api::new(env)?))
}

api::operations! {
    "live": "Events about what changes, for clients that follow a tenant." {
        /// List the latest events
        ///
        /// The events since an earlier answer, at most 200, in the order of publishing. Without `after`: none, but a `cursor` to begin with.
        /// Get it first, read what is to be shown, then ask again with the `cursor` of the answer before: every five seconds, and at once
        /// while `more` is `true`. Each request counts towards the caller's rate limit: after several of them, wait five seconds for each.
        /// Events name what changed by its id, and clients read it again.
        ///
        /// An event can come more than once, since an answer begins 30 seconds before the one before it, unless that was full: clients
        /// ignore ids that they know. Changes of one object usually come in their order. Callers get those events only whose permission they
        /// have, such as `messages:read` for those of messages.
        ///
        /// A `cursor` is good for two hours. After that, or if nobody asked for so long, events are missing: the answer is 410
        /// `cursor_expired`, and clients begin anew without `after` and read everything that they show.
        GET "/api/v1/live/events" => list_live_events, "The latest events",
            410 "Events after the cursor are not kept any more",
            problems "cursor_expired";
    }
}

/// Number of events of a full answer.
const FULL: usize = 200;

/// The place after which events are wanted.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct EventsQuery {
    /// `cursor` of an earlier answer, or of an event. Without it: no events, but a cursor to begin with.
    #[schemars(extend("x-refers" = true))]
    after: Option<Cursor>,
}

/// The latest events.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LiveEvents")]
struct EventsOut {
    /// The events.
    events: Vec<EventOut>,
    /// Value of `after` for the next request.
    cursor: Cursor,
    /// Whether there may be further ones already.
    more: bool,
}

/// An event, with a place from which one can go on.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "PublishedEvent")]
struct EventOut {
    #[serde(flatten)]
    event: Event,
    /// Value of `after` for whoever goes on from this event, such as after a restart. From then on, use those of the answers.
    cursor: Cursor,
}

async fn list_live_events(
    who: Allowed<permits::LiveRead>,
    State(api): State<Api>,
    Query(query): Query<EventsQuery>,
) -> Result<Json<EventsOut>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let followers = store.follow(scope, now).await?;
    let Some(after) = query.after else {
        return Ok(Json(EventsOut {
            events: Vec::new(),
            // Somebody else may have begun a moment later, and been noted first.
            cursor: Cursor::at(now.max(followers.since)),
            more: false,
        }));
    };
    if after.is_lost(followers, now) {
        return Err(expired());
    }
    let found = store.published(scope, after.start(now), (now, FULL)).await?;
    let last = found.events.last().map(|(place, _)| *place);
    let events = found.events.into_iter().flat_map(|(place, events)| {
        let cursor = Cursor::behind(place);
        events.into_iter().map(move |event| EventOut { event, cursor })
    });
    Ok(Json(EventsOut {
        events: events
            .filter(|one| who.principal().may(one.event.kind.permission()))
            .collect(),
        cursor: after.next(now, last.filter(|_| found.more)),
        more: found.more,
    }))
}

/// 410.
fn expired() -> Problem {
    let detail = "Events after this cursor are not kept any more. Begin anew without `after`, and read everything that you show.";
    Problem::new(StatusCode::GONE, "cursor_expired", "Gone", detail)
}
