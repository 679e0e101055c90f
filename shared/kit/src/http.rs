//! Functions behind the HTTP API.
//!
//! The event of API Gateway (payload format 2.0) is parsed here rather than by `lambda_http`, which panics on a path that is not
//! a URI and hides the exact bytes of the query, which signatures need.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use aws_lc_rs::digest;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::terms::to_hex;
use futures::FutureExt;
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use store::table::usage;
use tower::ServiceExt;

use crate::encoding::compress_answer;
use crate::invocation::{Invocation, Outcome};
use crate::proxy::{ORIGIN_SECRET, TrustedProxy};
use crate::{ConfigError, Env, Problem, line, process_start};

pub use crate::encoding::{Uncompressed, accepts_coding};

/// Maximum size of a body for any function: the most that Meta sends.
pub const LARGEST_BODY: usize = 3 * 1024 * 1024;

/// Maximum size of a body of an API operation, except for patches.
pub const LARGEST_OF_API: usize = 1024 * 1024;

/// Maximum size of a patch of an API operation.
pub const LARGEST_PATCH: usize = 64 * 1024;

/// Characters that must be encoded in a path. API Gateway decodes paths except for `%25`; without this, a name with a question
/// mark would end there.
const DECODED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

const CORRELATION_ID: HeaderName = HeaderName::from_static("x-correlation-id");

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

/// Headers of every answer: browsers do not guess content types, and return over TLS only.
const ALWAYS: [(HeaderName, HeaderValue); 2] = [
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (
        header::STRICT_TRANSPORT_SECURITY,
        HeaderValue::from_static("max-age=31536000"),
    ),
];

/// Maximum size of an answer within the function's result. Lambda allows 6 MB, including the headers.
const LARGEST_ANSWER: usize = 5 * 1024 * 1024;

/// A request from API Gateway, with only the fields that we use.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HttpEvent {
    raw_path: String,
    #[serde(default)]
    raw_query_string: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// Cookies, which API Gateway takes out of the headers.
    #[serde(default)]
    cookies: Vec<String>,
    request_context: RequestContext,
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    is_base64_encoded: bool,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    #[serde(default)]
    domain_name: String,
    #[serde(default)]
    request_id: String,
    http: HttpContext,
}

#[derive(Debug, Clone, Deserialize)]
struct HttpContext {
    method: String,
    #[serde(default, rename = "sourceIp")]
    source_ip: String,
}

/// An answer for API Gateway.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HttpAnswer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    /// API Gateway creates a `Set-Cookie` header for each; a map could hold only one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    cookies: Vec<String>,
    body: String,
    is_base64_encoded: bool,
}

/// The URL that the sender used, as far as its signature needs it. An extension of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    domain: String,
    path: String,
    query: String,
}

impl Target {
    /// The whole URL under the configured base, or else under the API's own domain, with path and query byte for byte as sent.
    pub fn url(&self, base: Option<&str>) -> String {
        let question = if self.query.is_empty() { "" } else { "?" };
        format!("{}{}{question}{}", self.origin(base), self.path, self.query)
    }

    /// Scheme and host: the configured base, or else the API's own domain.
    pub fn origin(&self, base: Option<&str>) -> String {
        base.map_or_else(|| format!("https://{}", self.domain), str::to_owned)
    }

    /// The query, byte for byte.
    pub fn query(&self) -> &str {
        &self.query
    }
}

/// IP address of the request, as seen by API Gateway or named by the trusted proxy. An extension of every request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source(pub Option<IpAddr>);

impl Source {
    /// Hash of the address, to count attempts. Only the first 64 bits of IPv6 addresses count, because one subscriber has all
    /// addresses in that range.
    pub fn sha256(self) -> String {
        let address = match self.0 {
            Some(IpAddr::V4(address)) => address.octets().to_vec(),
            Some(IpAddr::V6(address)) => match address.to_ipv4_mapped() {
                Some(mapped) => mapped.octets().to_vec(),
                None => address.octets()[..8].to_vec(),
            },
            None => Vec::new(),
        };
        to_hex(digest::digest(&digest::SHA256, &address).as_ref())
    }
}

/// Correlation id of the request. An extension of every request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrelationId(String);

impl CorrelationId {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The caller's correlation id if it is a short word, else API Gateway's id of the request, else a new one.
    fn choose(env: &Env, headers: &HeaderMap, request_id: &str) -> Self {
        let sent = headers.get(CORRELATION_ID).and_then(|value| value.to_str().ok());
        let is_word = |text: &str| {
            let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':');
            (1..=64).contains(&text.len()) && text.bytes().all(allowed)
        };
        let own = request_id.trim_end_matches('=');
        let chosen = [sent.unwrap_or_default(), own].into_iter().find(|text| is_word(text));
        Self(chosen.map_or_else(|| env.ids().ulid().to_string().to_ascii_lowercase(), str::to_owned))
    }
}

/// Marks an answer that says how long it took, in `Server-Timing`: to callers who have proved who they are. To strangers, exact times
/// would tell what answers hide, such as whether an address has an account. An extension of the response.
#[derive(Debug, Clone, Copy)]
pub struct Timed;

/// Times of an answer in milliseconds: `function` without its waits for the table, and `table`.
fn server_timing(whole: Duration, table: Duration) -> Option<HeaderValue> {
    let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
    let (function, table) = (milliseconds(whole.saturating_sub(table)), milliseconds(table));
    HeaderValue::from_str(&format!("function;dur={function:.1}, table;dur={table:.1}")).ok()
}

/// Refuses a body of another content type. Parameters such as `charset` are ignored.
///
/// # Errors
/// A 415 that names the expected type.
pub fn expect_content_type(headers: &HeaderMap, expected: &str) -> Result<(), Problem> {
    let sent = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = sent.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case(expected) {
        Ok(())
    } else {
        Err(Problem::wrong_content_type(expected))
    }
}

/// Whether the caller has this version of an answer, by its `ETag` in `If-None-Match`.
pub fn knows_version(headers: &HeaderMap, tag: &str) -> bool {
    let sent = headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let mut tags = sent.unwrap_or_default().split(',').map(str::trim);
    tags.any(|known| known == "*" || known.trim_start_matches("W/") == tag)
}

/// A function's routes with the common layers. Tests call it in process.
#[derive(Clone)]
pub struct App {
    env: Env,
    router: Router,
    proxy: Option<TrustedProxy>,
}

impl App {
    /// These routes in this environment.
    pub fn new(env: &Env, routes: Router) -> Self {
        // The body is already complete and its size checked; axum's own limit is lower.
        let router = routes.layer(DefaultBodyLimit::disable());
        Self {
            env: env.clone(),
            router,
            proxy: env.trusted_proxy().cloned(),
        }
    }

    /// Answers one event of API Gateway.
    pub async fn answer(&self, event: HttpEvent) -> Response<Bytes> {
        let (began, waited) = (Instant::now(), usage::time_waited());
        let mut headers = header_map(&event.headers);
        if let Ok(cookies) = HeaderValue::from_bytes(event.cookies.join("; ").as_bytes())
            && !cookies.is_empty()
        {
            headers.insert(header::COOKIE, cookies);
        }
        let correlation_id = CorrelationId::choose(&self.env, &headers, &event.request_context.request_id);
        line::correlation_id(correlation_id.as_str());
        let accepts_gzip = accepts_coding(&headers, "gzip");
        let source = self.source(&event, &mut headers);
        let asked = source.and_then(|source| request(event, headers, source));
        let mut answer = match asked {
            Ok(mut request) => {
                request.extensions_mut().insert(correlation_id.clone());
                self.route(request).await
            }
            Err(problem) => collect_body(problem.into_response()).await,
        };
        if let Ok(id) = HeaderValue::from_str(correlation_id.as_str()) {
            answer.headers_mut().insert(CORRELATION_ID, id);
        }
        answer.headers_mut().extend(ALWAYS);
        let mut answer = compress_answer(answer, accepts_gzip);
        if answer.extensions().get::<Timed>().is_some()
            && let Some(timing) = server_timing(began.elapsed(), usage::time_waited().saturating_sub(waited))
        {
            answer.headers_mut().insert(SERVER_TIMING, timing);
        }
        answer
    }

    /// Origin of the request. If the API is behind a proxy, requests that did not come through it are refused.
    fn source(&self, event: &HttpEvent, headers: &mut HeaderMap) -> Result<Source, Problem> {
        let Some(proxy) = &self.proxy else {
            return Ok(Source(event.request_context.http.source_ip.parse().ok()));
        };
        let viewer = proxy.viewer(headers);
        headers.remove(ORIGIN_SECRET);
        viewer.map(|viewer| Source(Some(viewer))).ok_or_else(|| {
            line::note("refused", "not through the proxy");
            Problem::forbidden("Requests are not accepted at this address. Use the API's public one.")
        })
    }

    async fn route(&self, request: Request<Body>) -> Response<Bytes> {
        let answering = async { collect_body(self.router.clone().oneshot(request).await.into_response()).await };
        let answer = match AssertUnwindSafe(answering).catch_unwind().await {
            Ok(answer) => answer,
            // The panic's own log line has the details.
            Err(_panic) => return collect_body(Problem::internal().into_response()).await,
        };
        let bytes = bytes_in_result(answer.body());
        if bytes > LARGEST_ANSWER {
            tracing::error!(bytes, "an answer is larger than Lambda allows");
            return collect_body(Problem::internal().into_response()).await;
        }
        // Turn the router's own answers, which have no body, into problems, and keep the Allow header.
        match Problem::of_status(answer.status(), LARGEST_BODY) {
            Some(problem) if answer.body().is_empty() => {
                let mut explained = collect_body(problem.into_response()).await;
                if let Some(allow) = answer.headers().get(header::ALLOW) {
                    explained.headers_mut().insert(header::ALLOW, allow.clone());
                }
                explained
            }
            _ => answer,
        }
    }
}

async fn collect_body(response: Response<Body>) -> Response<Bytes> {
    let (parts, body) = response.into_parts();
    match axum::body::to_bytes(body, usize::MAX).await {
        Ok(bytes) => Response::from_parts(parts, bytes),
        Err(_) => {
            let mut failed = Response::new(Bytes::new());
            *failed.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
            failed
        }
    }
}

/// Length of a body in the function's result: a JSON string, or base64 if it is not text.
fn bytes_in_result(body: &[u8]) -> usize {
    if std::str::from_utf8(body).is_err() {
        return body.len().div_ceil(3) * 4;
    }
    let escaped = |byte: &u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 2,
        0..=0x1f => 6,
        _ => 1,
    };
    body.iter().map(escaped).sum()
}

fn header_map(headers: &BTreeMap<String, String>) -> HeaderMap {
    let parsed = headers.iter().filter_map(|(name, value)| {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        // Not `from_str`: a header that is not ASCII is wrong, not missing.
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    });
    parsed.collect()
}

/// Removes a fragment that somebody on the way has passed on, although fragments are never sent. In a path, API Gateway may have
/// decoded a part of a name, but paths of webhooks have no names.
fn without_fragment(mut path: String, mut query: String) -> (String, String) {
    if path.starts_with("/webhooks/")
        && let Some(end) = path.find('#')
    {
        path.truncate(end);
        query.clear();
    }
    query.truncate(query.find('#').unwrap_or(query.len()));
    (path, query)
}

fn request(event: HttpEvent, headers: HeaderMap, source: Source) -> Result<Request<Body>, Problem> {
    let HttpEvent {
        raw_path,
        raw_query_string,
        request_context,
        body,
        is_base64_encoded,
        ..
    } = event;
    let (raw_path, raw_query_string) = without_fragment(raw_path, raw_query_string);
    let uri = Cow::from(utf8_percent_encode(&raw_path, DECODED));
    // No route has a path that is not a URI, so such a request is for an unknown path.
    let uri: Uri = uri.parse().map_err(|_| Problem::not_found())?;
    let method =
        Method::from_bytes(request_context.http.method.as_bytes()).map_err(|_| Problem::method_not_allowed())?;
    let body = match body {
        Some(text) if is_base64_encoded => {
            let undecodable = |_| Problem::new(StatusCode::BAD_REQUEST, "bad_request", "Bad request", "Not base64.");
            Bytes::from(STANDARD.decode(text).map_err(undecodable)?)
        }
        Some(text) => Bytes::from(text),
        None => Bytes::new(),
    };
    if body.len() > LARGEST_BODY {
        return Err(Problem::larger_than(match &method {
            _ if !raw_path.starts_with("/api/") => LARGEST_BODY,
            &Method::PATCH => LARGEST_PATCH,
            _ => LARGEST_OF_API,
        }));
    }
    let mut request = Request::new(Body::from(body));
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    request.extensions_mut().insert(source);
    request.extensions_mut().insert(Target {
        domain: request_context.domain_name,
        path: raw_path,
        query: raw_query_string,
    });
    Ok(request)
}

/// Runs a function behind the HTTP API.
pub fn serve_http(
    function: &'static str,
    routes: impl FnOnce(&Env) -> Result<Router, ConfigError>,
) -> Result<(), lambda_runtime::Error> {
    let (env, routes) = process_start(function, routes)?;
    let app = &App::new(&env, routes);
    crate::block_on(async {
        let service = lambda_runtime::service_fn(async |event: lambda_runtime::LambdaEvent<HttpEvent>| {
            let invocation = Invocation::begin(&app.env);
            let answer = app.answer(event.payload).await;
            let status = answer.status();
            line::count("status", status.as_u16().into());
            let outcome = if status.is_server_error() {
                Outcome::Error
            } else if status.is_client_error() {
                Outcome::Refused
            } else {
                Outcome::Done
            };
            invocation.finish(&app.env, outcome);
            Ok::<_, lambda_runtime::Error>(HttpAnswer::from(answer))
        });
        lambda_runtime::run(service).await
    })
}

impl From<Response<Bytes>> for HttpAnswer {
    fn from(answer: Response<Bytes>) -> Self {
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
        };
        let (cookies, headers): (Vec<_>, Vec<_>) = answer
            .headers()
            .iter()
            .filter_map(text)
            .partition(|(name, _)| name == header::SET_COOKIE.as_str());
        let headers = headers.into_iter().collect();
        let cookies = cookies.into_iter().map(|(_, cookie)| cookie).collect();
        let (body, is_base64_encoded) = match std::str::from_utf8(answer.body()) {
            Ok(text) => (text.to_owned(), false),
            Err(_) => (STANDARD.encode(answer.body()), true),
        };
        Self {
            status_code: answer.status().as_u16(),
            headers,
            cookies,
            body,
            is_base64_encoded,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_cookie_reaches_the_browser() {
        let mut answer = Response::new(Bytes::from_static(b"ok"));
        for cookie in ["a=1; HttpOnly", "b=2"] {
            let cookie = HeaderValue::from_static(cookie);
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        answer
            .headers_mut()
            .insert(header::ETAG, HeaderValue::from_static("\"1\""));
        let json = serde_json::to_value(HttpAnswer::from(answer)).unwrap();
        assert_eq!(json["cookies"], serde_json::json!(["a=1; HttpOnly", "b=2"]));
        assert_eq!(json["headers"], serde_json::json!({"etag": "\"1\""}));
        let plain = serde_json::to_value(HttpAnswer::from(Response::new(Bytes::new()))).unwrap();
        assert_eq!(plain.get("cookies"), None);
    }

    /// The second byte of gzip is in no text.
    #[test]
    fn compressed_body_is_binary() {
        let mut text = Response::new(Bytes::from(vec![b'x'; 2000]));
        let kind = HeaderValue::from_static("text/plain");
        text.headers_mut().insert(header::CONTENT_TYPE, kind);
        let body = compress_answer(text, true);
        let expected = STANDARD.encode(body.body());
        let json = serde_json::to_value(HttpAnswer::from(body)).unwrap();
        assert_eq!(json["headers"]["content-encoding"], "gzip");
        assert_eq!(
            (&json["isBase64Encoded"], &json["body"]),
            (&true.into(), &expected.into())
        );
    }

    #[test]
    fn times_of_an_answer_are_those_of_function_and_table() {
        let of = |whole, table| server_timing(Duration::from_micros(whole), Duration::from_micros(table)).unwrap();
        assert_eq!(of(12_340, 8_300), "function;dur=4.0, table;dur=8.3");
        // What other requests of the process waited for, in a test.
        assert_eq!(of(1000, 2000), "function;dur=0.0, table;dur=2.0");
    }

    #[test]
    fn answer_size_is_measured_in_the_result() {
        for body in [
            &b"plain"[..],
            b"\"a\\b\"\n\r\t\x08\x0c\x00\x1f",
            "\u{e9}".as_bytes(),
            b"\xff\xfe",
            b"\xff",
        ] {
            let answer = HttpAnswer::from(Response::new(Bytes::copy_from_slice(body)));
            let written = serde_json::to_string(&answer.body).unwrap().len() - 2;
            assert_eq!(bytes_in_result(body), written, "{body:?}");
        }
    }
}
