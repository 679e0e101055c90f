//! Tracked links (docs/decisions/0080-tracked-links.md): sends whoever follows one to its page, and records on the message that somebody did.
//!
//! Recording is safe to repeat: a message has only the first time. Whoever follows a link gets to the page whether or not it is recorded.

use std::sync::Arc;

use access::link::Follower;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};
use axum::routing::get;
use axum::{Extension, Router};
use domain::Timestamp;
use domain::messages::{Message, TrackedEnd};
use domain::people::LinkCode;
use domain::terms::TenantId;
use jiff::SignedDuration;
use kit::html::escape_html;
use kit::{ConfigError, Env, LateStore, chain, http, line};
use store::{RACES, Store, StoreError, TenantScope};
use url::Url;

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
    Extension(asked_for): Extension<http::Target>,
    headers: HeaderMap,
) -> Response {
    let by_person = method == Method::GET && is_of_person(&headers);
    let asked = Asked {
        by_person,
        goes_on: is_on_our_page(&headers).then(|| asked_for.query().to_owned()),
    };
    let end = end.map(|Path(end)| end).unwrap_or_default();
    match target(&store, &end, asked).await {
        Ok(Some(Target::Page(url))) => to(&url),
        Ok(Some(Target::Asks { business, url, go })) => page(StatusCode::OK, going(&business, &url, &go)),
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
    set_strict_headers(answer)
}

/// The query for going on to the page of a young business. The author of a message cannot know it, and so cannot put it
/// behind the link.
fn go_on(code: &LinkCode) -> String {
    let hash = code.sha256();
    format!("go={}", &hash[hash.len() - 8..])
}

/// Whether somebody has followed a link on our own page, as far as the request tells.
fn is_on_our_page(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin")
}

/// For this long, whoever follows a link of a business is told first whose it is and where it leads: who signs up to deceive people does so at
/// once.
const YOUNG: SignedDuration = SignedDuration::from_hours(7 * 24);

/// A request for a link.
struct Asked {
    by_person: bool,
    /// The query of a request from our own page. Shows that the person has seen the link's destination.
    goes_on: Option<String>,
}

/// Where a link leads.
enum Target {
    Page(String),
    /// To a question first.
    Asks {
        business: String,
        url: String,
        go: String,
    },
}

/// A link's destination. `None` if it is forged or expired, its message was never sent, or its business is gone or
/// suspended.
async fn target(store: &LateStore, end: &str, asked: Asked) -> Result<Option<Target>, StoreError> {
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
    if let Some(message) = &message
        && !is_out(store, follower.scope(), message, now).await
    {
        return Ok(None);
    }
    let go = go_on(&code);
    if is_young(tenant.id, now) && asked.goes_on.as_ref() != Some(&go) {
        return Ok(Some(Target::Asks {
            business: tenant.name,
            url: target.clone(),
            go,
        }));
    }
    if let Some(message) = message.filter(|_| asked.by_person)
        && let Err(error) = record(store, &follower, message, now).await
    {
        tracing::error!(error = chain(&error), "a click was not recorded");
    }
    Ok(Some(Target::Page(target.clone())))
}

/// Whether a business began in the last days, by the time in its id.
fn is_young(tenant: TenantId, now: Timestamp) -> bool {
    let began = i64::try_from(tenant.ulid().timestamp_ms()).ok();
    let began = began.and_then(|began| Timestamp::from_millisecond(began).ok());
    began.is_some_and(|began| now.duration_since(began) < YOUNG)
}

/// The question before the page of a young business.
fn going(business: &str, url: &str, go: &str) -> String {
    let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
    let (business, host) = (escape_html(business), escape_html(&host.unwrap_or_default()));
    format!(include_str!("going.html"), business = business, host = host, go = go)
}

/// Maximum number of times that a message was sent again until a link of the first one leads on unasked.
const MAX_AGAIN: usize = 5;

/// Whether a message, or one that sends it again, may have gone out. Links of others are known to nobody but their author, who could spread
/// them by another way. One that cannot be read keeps nobody from the page.
async fn is_out(store: &Store, scope: &TenantScope, message: &Message, now: Timestamp) -> bool {
    let (mut out, mut again) = (message.may_be_out(), message.retried_as);
    for _ in 0..MAX_AGAIN {
        let (false, Some(id)) = (out, again) else {
            return out;
        };
        match store.message(scope, id, now).await {
            Ok(Some(next)) => (out, again) = (next.may_be_out(), next.retried_as),
            Ok(None) => return true,
            Err(error) => {
                tracing::error!(error = chain(&error), "whether a message was sent cannot be read");
                return true;
            }
        }
    }
    out || again.is_some()
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
    set_strict_headers(answer)
}

fn page(status: StatusCode, text: impl Into<Body>) -> Response {
    let mut answer = (status, Html(text.into())).into_response();
    let policy = HeaderValue::from_static("default-src 'none'; base-uri 'none'; frame-ancestors 'none'");
    answer.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    set_strict_headers(answer)
}

/// Nothing keeps the answer: each time a link is followed, we see it.
fn set_strict_headers(mut answer: Response) -> Response {
    const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
    let headers = answer.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(ROBOTS, HeaderValue::from_static("noindex, nofollow"));
    answer
}
