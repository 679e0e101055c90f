//! `POST` requests with an `Idempotency-Key`: the effect happens once, and repeated requests get the first answer.

use aws_lc_rs::digest::{self, digest};
use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::accounts::granted_permissions;
use domain::webhooks::WebhookRun;
use jiff::Timestamp;
use kit::http::{LARGEST_OF_API, Target};
use kit::{Problem, chain};
use store::table::idempotency::{Begun, KeptAnswer, RequestKey};
use ulid::Ulid;

use crate::body::bytes;
use crate::context::Api;
use crate::guards::Proven;
use crate::replies::ShownOnce;

const KEY: HeaderName = HeaderName::from_static("idempotency-key");
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Headers that are stored with an answer.
const KEPT: [HeaderName; 3] = [header::CONTENT_TYPE, header::LOCATION, header::ETAG];

/// The idempotency key of the request, if any. That of a callback is its run: repeated by the workflow, or after another attempt to deliver the
/// event, the request finds the first answer.
pub(crate) fn key(headers: &HeaderMap, run: Option<&WebhookRun>) -> Result<Option<String>, Problem> {
    let value = match (headers.get(KEY), run) {
        (Some(_), Some(_)) => {
            let detail = "The event of a callback takes the place of `Idempotency-Key`. Omit the header.";
            return Err(Problem::bad_request(detail));
        }
        (None, run) => return Ok(run.map(WebhookRun::name)),
        (Some(value), None) => value,
    };
    let allowed = |text: &&str| (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    let text = value.to_str().ok().filter(allowed);
    let wrong = || {
        Problem::bad_request(
            "The header `Idempotency-Key` must have 1 to 128 visible ASCII characters. Use a UUID, for example.",
        )
    };
    text.map(|text| Some(text.to_owned())).ok_or_else(wrong)
}

fn sha256(parts: &[&[u8]]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        // Each part's own hash, so that no two lists of parts read alike.
        context.update(digest(&digest::SHA256, part).as_ref());
    }
    hex::encode(context.finish())
}

/// Name of an authenticated caller's request with this key.
///
/// # Errors
/// 400 of an operation that does not take a key.
pub(crate) fn request_key(proven: &Proven, route: &str, key: &str) -> Result<RequestKey, Problem> {
    let sha256 = sha256(&[route.as_bytes(), key.as_bytes()]);
    match proven {
        Proven::Tenant(principal) => Ok(RequestKey::of_tenant(principal.scope(), principal.actor(), &sha256)),
        Proven::Platform(admin) => Ok(RequestKey::outside(admin.user(), &sha256)),
        // What they are sent and answer proves who somebody is: nothing of it is kept, and several end what would prove
        // the second request.
        Proven::Person(_) | Proven::Anyone => Err(Problem::bad_request(
            "This operation does not support `Idempotency-Key`. Omit the header.",
        )),
    }
}

/// Answers a request with an idempotency key. `run` gets the whole request, its caller and the seed of its ids.
pub(crate) async fn answer_once<F: Future<Output = Response>>(
    api: &Api,
    proven: Proven,
    named: &RequestKey,
    request: Request,
    now: Timestamp,
    run: impl FnOnce(Request, Proven, Ulid) -> F,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let body = bytes(body, LARGEST_OF_API).await?;
    // Another object of the same route is another request, as another body is.
    let query = parts.extensions.get::<Target>().map_or("", Target::query);
    let body_sha256 = sha256(&[parts.uri.path().as_bytes(), query.as_bytes(), &body]);
    let store = api.store();
    let fresh = api.env().ids().ulid();
    let (named_by, advice) = match proven.run() {
        Some(_) => ("event", "Send one request of each operation for an event."),
        None => ("`Idempotency-Key`", "Use a new key for each request."),
    };
    let lease = match store.begin_request(named, &body_sha256, fresh, now).await? {
        Begun::Run(lease) => lease,
        Begun::Answered(kept) => return replay(kept, &proven),
        Begun::Running => {
            let detail = format!("The first request with this {named_by} is still running. Try again in a moment.");
            let problem = Problem::conflict("still_running", detail);
            return Err(problem.with_header(header::RETRY_AFTER, HeaderValue::from_static("1")));
        }
        Begun::OtherBody => {
            let (kind, title) = ("idempotency_key_reused", "Idempotency key reused");
            let detail = format!("This {named_by} was used for a different request of this operation. {advice}");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, kind, title, detail));
        }
    };
    let seen_with = match &proven {
        Proven::Tenant(principal) => Some((principal.role(), principal.scopes().to_vec())),
        _ => None,
    };
    let answer = run(Request::from_parts(parts, Body::from(body)), proven, lease.seed()).await;
    let status = answer.status();
    let (answer, kept) = if status.is_success() {
        let (answer, kept) = answer_to_keep(answer).await?;
        (answer, Some(KeptAnswer { seen_with, ..kept }))
    } else {
        (answer, None)
    };
    let then = api.env().clock().now();
    let noted = match kept {
        Some(kept) => store.finish_request(&lease, kept, then).await,
        // Perhaps this attempt or an earlier one had its effect: the next one must name the same objects.
        None if status.is_server_error() || lease.is_taken_over() => store.release_request(&lease, then).await,
        None => store.abandon_request(&lease, then).await,
    };
    if let Err(error) = noted {
        // The effect is there or not, whatever we remember of it: the answer is true.
        tracing::error!(
            error = chain(&error),
            "the answer of a request with an idempotency key was not stored"
        );
    }
    Ok(answer)
}

async fn answer_to_keep(answer: Response) -> Result<(Response, KeptAnswer), Problem> {
    let (parts, body) = answer.into_parts();
    let bytes = body::to_bytes(body, usize::MAX)
        .await
        .map_err(|_| Problem::internal())?;
    let secret = parts.extensions.get::<ShownOnce>().is_some();
    let header = |name: HeaderName| {
        let value = parts.headers.get(&name)?.to_str().ok()?.to_owned();
        Some((name.as_str().to_owned(), value))
    };
    let kept = KeptAnswer {
        status: parts.status.as_u16(),
        headers: KEPT.into_iter().filter_map(header).collect(),
        body: (!secret).then(|| String::from_utf8_lossy(&bytes).into_owned()),
        seen_with: None,
    };
    Ok((Response::from_parts(parts, Body::from(bytes)), kept))
}

/// Whether the caller still has all permissions that it had for the first answer, which may show what the others allow to
/// read.
fn may_see(kept: &KeptAnswer, proven: &Proven) -> bool {
    match (&kept.seen_with, proven) {
        (Some((role, scopes)), Proven::Tenant(now)) => {
            granted_permissions(*role, scopes).all(|permission| now.may(permission))
        }
        _ => true,
    }
}

fn replay(kept: KeptAnswer, proven: &Proven) -> Result<Response, Problem> {
    let may_see = may_see(&kept, proven);
    let KeptAnswer {
        status, headers, body, ..
    } = kept;
    let mut repeated = HeaderMap::new();
    for (name, value) in &headers {
        if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
            repeated.insert(name, value);
        }
    }
    repeated.insert(REPLAYED, HeaderValue::from_static("true"));
    let Some(body) = body.filter(|_| may_see) else {
        let location = repeated.remove(header::LOCATION);
        let place = location.as_ref().and_then(|value| value.to_str().ok());
        let place = place.map_or_else(String::new, |place| format!(" Its resource is {place}."));
        let why = if may_see {
            "with a secret, which is shown only once"
        } else {
            "with what the caller may not see any more"
        };
        let detail = format!("This request was already answered {why}.{place}");
        let mut problem =
            Problem::conflict("already_done", detail).with_header(REPLAYED, HeaderValue::from_static("true"));
        if let Some(location) = location {
            problem = problem.with_header(header::LOCATION, location);
        }
        return Err(problem);
    };
    let status = StatusCode::from_u16(status).map_err(|_| Problem::internal())?;
    Ok((status, repeated, body).into_response())
}
