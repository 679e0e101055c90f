//! Live updates: events about what changes in a tenant, for clients that follow it.

use access::Principal;
use api::{Allowed, Api, Once, Query, beyond_plan, permits};
use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json, Router};
use domain::live::{Cursor, MAX_OF_CALLER, PublishedEvent, Socket, TICKET_FOR, Ticket};
use kit::{ConfigError, Env, Problem};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use store::Versioned;

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    let url = SocketUrl::of(env.config().url("LIVE_URL")?);
    Ok(api::serve(operations(), Api::new(env)?).layer(Extension(url)))
}

/// The URL of sockets.
#[derive(Debug, Clone)]
struct SocketUrl(String);

impl SocketUrl {
    /// The URL for sockets at the same place as an HTTP URL: `ws` in place of `http`, `wss` in place of `https`.
    fn of(url: &str) -> Self {
        Self(url.replacen("http", "ws", 1))
    }
}

api::operations! {
    "live": "Events about what changes, for clients that follow a tenant." {
        /// List the latest events
        ///
        /// Returns the events since an earlier answer, at most 200, in the order of publishing. Without `after`, there are no events, but a
        /// `cursor` to begin with. Get it first, read what you show, then ask again with the `cursor` of the answer before: every five
        /// seconds, and at once while `more` is `true`. Each request counts towards the caller's rate limit: after several of them, wait
        /// five seconds for each. Events name what changed by its id, and clients read it again.
        ///
        /// An event can come more than once, since an answer begins 30 seconds before the one before it, unless that was full: clients
        /// ignore ids that they know. Changes of one object usually come in their order. Callers get only the events that they have the
        /// permission for, such as `messages:read` for events of messages.
        ///
        /// A `cursor` is good for two hours. After that, or if nobody asked for so long, events are missing: the answer is 410
        /// `cursor_expired`, and clients begin anew without `after` and read everything that they show.
        GET "/api/v1/live/events" => list_live_events, "The latest events",
            410 "Events after the cursor are not kept any more",
            problems "cursor_expired";

        /// Get a ticket for a socket
        ///
        /// Opens one socket, within a minute: connect to `url` with the parameter `ticket` in its query. Then say
        /// `{"action": "watch", "views": ["inbox:mine"]}`, and after the answer read the events after `cursor` once, so that you miss
        /// none. See the page `docs/live.md` of the source for the protocol of sockets.
        ///
        /// A socket ends after two hours; get another ticket before. A caller has at most 10 sockets, a tenant as many as its plan says.
        POST "/api/v1/live/ticket" => create_live_ticket, "The ticket, which is shown once";
    }
}

/// Number of events of a full answer.
const FULL: usize = 200;

/// The last event that the caller knows.
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
    events: Vec<PublishedEvent>,
    /// Value of `after` for the next request.
    cursor: Cursor,
    /// Whether there may be further ones already.
    more: bool,
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
        return Err(cursor_expired_problem());
    }
    let found = store.published_events(scope, after.start(now), now, FULL).await?;
    let last = found.events.last().map(|(place, _)| *place);
    let events = found.events.into_iter().flat_map(|(place, events)| {
        let cursor = Cursor::behind(place);
        events.into_iter().map(move |event| PublishedEvent { event, cursor })
    });
    Ok(Json(EventsOut {
        events: events
            .filter(|one| who.principal().may(one.event.kind.permission()))
            .collect(),
        cursor: after.next(now, last.filter(|_| found.more)),
        more: found.more,
    }))
}

fn cursor_expired_problem() -> Problem {
    let detail = "Events after this cursor are not kept any more. Begin anew without `after`, and read everything that you show.";
    Problem::new(StatusCode::GONE, "cursor_expired", "Gone", detail)
}

/// A ticket for a socket.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "LiveTicket")]
struct TicketOut {
    /// URL for sockets. The ticket is added to it: `?ticket=…`.
    #[schemars(example = &"wss://a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com/live")]
    url: String,
    /// The ticket. It is good for a minute, and for one socket.
    #[schemars(example = &"Ym9yZSB3aXRoIGEgdGlja2V0IGZvciBhIHNvY2tldC4")]
    ticket: String,
    /// Value of `after` to read the events since now.
    cursor: Cursor,
}

async fn create_live_ticket(
    who: Allowed<permits::LiveRead>,
    State(api): State<Api>,
    Extension(url): Extension<SocketUrl>,
) -> Result<Once<Json<TicketOut>>, Problem> {
    let (store, scope, now) = (api.store(), who.scope(), who.now());
    let most = who.principal().limits().sockets();
    room(&store.sockets(scope, now).await?, who.principal(), most)?;
    // For longer than the socket can be open.
    let followers = store.follow(scope, now).await?;
    let token = api.link_token()?;
    let ticket = Ticket {
        tenant: scope.tenant(),
        who: who.actor(),
        credential: Some(who.principal().credential().clone()),
        role: Some(who.principal().role()),
        most,
        until: now + TICKET_FOR,
    };
    store.create_ticket(&token.sha256, &ticket).await?;
    Ok(Once(Json(TicketOut {
        url: url.0,
        ticket: token.token,
        cursor: Cursor::at(now.max(followers.since)),
    })))
}

/// 409 if there is no room for another socket.
fn room(sockets: &[Versioned<Socket>], who: &Principal, most: u32) -> Result<(), Problem> {
    if sockets.iter().filter(|socket| socket.value.who == who.actor()).count() >= MAX_OF_CALLER {
        let detail = format!("You have {MAX_OF_CALLER} sockets, which is the maximum. Close one first.");
        return Err(Problem::conflict("limit_reached", detail));
    }
    if sockets.len() >= usize::try_from(most).unwrap_or(usize::MAX) {
        return Err(beyond_plan(format!("{most} sockets at once. Close some, or")));
    }
    Ok(())
}
