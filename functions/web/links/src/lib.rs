//! Tracked links (docs/decisions/0080-tracked-links.md): sends whoever follows one to its page, and records on the message that somebody did.
//!
//! Recording is safe to repeat: a message has only the first time. Whoever follows a link gets to the page whether or not it is recorded.

use std::sync::Arc;

use access::link::Follower;
use axum::{
    Router,
    extract::{Path, State, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    response::{Html, IntoResponse as _, Response},
    routing::get,
};
use domain::{
    Timestamp,
    messages::{links::TrackedEnd, message::Message},
};
use kit::{ConfigError, Env, LateStore, chain, line};
use store::{RACES, Store, StoreError};

kit::function!(serve_http, routes);

/// Routes of the function.
///
/// # Errors
/// When a variable is missing.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/l/{end}", get(follow).fallback(refuse_method))
        .with_state(Arc::new(LateStore::new(env)?)))
}

async fn follow(
    State(store): State<Arc<LateStore>>,
    method: Method,
    end: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Response {
    let by_person = method == Method::GET && is_of_person(&headers);
    let end = end.map(|Path(end)| end).unwrap_or_default();
    match target(&store, &end, by_person).await {
        Ok(Some(target)) => to(&target),
        Ok(None) => page(StatusCode::NOT_FOUND, include_str!("no_link.html")),
        Err(error) => {
            tracing::error!(error = chain(&error), "a tracked link cannot be read");
            page(StatusCode::SERVICE_UNAVAILABLE, include_str!("later.html"))
        }
    }
}

async fn refuse_method() -> Response {
    let mut answer = StatusCode::METHOD_NOT_ALLOWED.into_response();
    let allowed = HeaderValue::from_static("GET, HEAD");
    answer.headers_mut().insert(header::ALLOW, allowed);
    guarded(answer)
}

/// The page to which a link leads. `None` if it is forged or expired, or its business is gone or suspended.
async fn target(store: &LateStore, end: &str, by_person: bool) -> Result<Option<String>, StoreError> {
    let (store, now) = (store.get(), store.now());
    let Ok(TrackedEnd { code, place }) = end.parse() else {
        return Ok(None);
    };
    let Some(follower) = Follower::admit(store, &code, now).await? else {
        return Ok(None);
    };
    line::tenant(follower.scope());
    let Some(target) = follower.link().targets.get(place) else {
        return Ok(None);
    };
    let message = follower.link().message;
    let Some((tenant, message)) = store.followed_links(follower.scope(), message, now).await? else {
        return Ok(None);
    };
    // Who deceives people with links is suspended.
    if !tenant.status.is_active() {
        return Ok(None);
    }
    if let Some(message) = message.filter(|_| by_person)
        && let Err(error) = record(store, &follower, message, now).await
    {
        tracing::error!(error = chain(&error), "a click was not recorded");
    }
    Ok(Some(target.clone()))
}

/// Records on the message that somebody followed its link.
async fn record(store: &Store, follower: &Follower, message: Message, now: Timestamp) -> Result<(), StoreError> {
    let (scope, id) = (follower.scope(), message.id);
    let read = || store.message(scope, id, now);
    let click = async |message: Option<Message>| {
        if let Some(mut message) = message
            && message.click(now)
        {
            store.write_message(scope, &message).await?;
            line::count("clicked", 1);
        }
        Ok(())
    };
    RACES.until_won_from(Some(message), read, click).await
}

/// Words in the name of software that fetches links on its own and names itself as browsers do.
const AUTOMATIC: [&str; 10] = [
    "bot",
    "crawl",
    "spider",
    "preview",
    "externalhit",
    "meta-external",
    "google-",
    "googleother",
    "headless",
    "scan",
];

/// Whether a person asks, as far as the request tells. Software that pretends to be a browser counts as a person.
fn is_of_person(headers: &HeaderMap) -> bool {
    let has = |name: &str, word: &str| {
        let values = headers.get_all(name).into_iter();
        values
            .filter_map(|value| value.to_str().ok())
            .any(|value| value.to_ascii_lowercase().contains(word))
    };
    let ahead = ["purpose", "sec-purpose", "x-purpose", "x-moz"];
    if ahead.iter().any(|name| has(name, "prefetch") || has(name, "preview")) {
        return false;
    }
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    // Telephones of the make CUBOT say so.
    let agent = agent.map(|agent| agent.to_ascii_lowercase().replace("cubot", ""));
    agent.is_some_and(|agent| {
        let is_browser = agent.starts_with("mozilla/") || agent.starts_with("opera/");
        is_browser && !AUTOMATIC.iter().any(|word| agent.contains(word))
    })
}

fn to(target: &str) -> Response {
    let Ok(target) = HeaderValue::from_str(target) else {
        return page(StatusCode::NOT_FOUND, include_str!("no_link.html"));
    };
    let mut answer = StatusCode::FOUND.into_response();
    answer.headers_mut().insert(header::LOCATION, target);
    guarded(answer)
}

fn page(status: StatusCode, text: &'static str) -> Response {
    let mut answer = (status, Html(text)).into_response();
    let policy = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    guarded(answer)
}

/// Nothing keeps the answer: each time a link is followed, we see it.
fn guarded(mut answer: Response) -> Response {
    const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    answer
}
