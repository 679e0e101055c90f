//! The console: the files of its build, which are part of the binary, and the headers that protect and cache them
//! (docs/decisions/0073-the-console.md). It reads nothing but them: what the console shows, it asks the API for.
//!
//! Pages of the console are one document, the shell, whose script shows the page of the address. So are the pages that links in mails
//! lead to. A binary that was built without the console serves plain pages instead (`plain`).

mod plain;
mod shell;

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri, header};
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use kit::http::{accepts_coding, knows_version};
use kit::{ConfigError, Env, Files};
use rust_embed::{DynRustEmbed, Embed};
use sha2::{Digest, Sha256};

use crate::shell::Shell;

/// The output of `cargo stack console`; nothing if it was not run.
#[derive(Embed)]
#[folder = "dist"]
#[allow_missing = true]
struct Dist;

/// Files of a build, by their paths in it.
pub type Build = &'static (dyn DynRustEmbed + Sync);

/// The first page. API Gateway has no routes that end with a slash: `docs`, which answers where there is none, leads from `/app/` here.
const HOME: &str = "/app";

/// Pages outside `/app/` that links in mails lead to.
const LINKED: [&str; 5] = [
    "/verify-email",
    "/reset-password",
    "/accept-invitation",
    "/log-in",
    "/account/notifications",
];

/// Names of files in it change with their content.
const ASSETS: &str = "assets/";

const FOR_A_YEAR: &str = "public, max-age=31536000, immutable";

/// The script that shows notifications while no page is open.
const WORKER: &str = "worker.js";

/// Lets the worker serve the first page, too, whose address ends without a slash.
const WORKER_SCOPE: (HeaderName, &str) = (HeaderName::from_static("service-worker-allowed"), HOME);

/// A new release must not be used with files of the last one.
const ASK_AGAIN: &str = "no-cache";

/// Headers of every answer beside the policy: no other site opens, frames or loads a page, or learns its address.
const GUARDS: [(HeaderName, &str); 4] = [
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(self), payment=(), usb=()",
    ),
    (header::REFERRER_POLICY, "no-referrer"),
];

kit::function!(serve_http, routes);

/// Routes of the function.
pub fn routes(env: &Env) -> Result<Router, ConfigError> {
    routes_of(env, &Dist)
}

/// The routes for a given build.
pub fn routes_of(env: &Env, build: Build) -> Result<Router, ConfigError> {
    let sockets = sockets(env.config().url("LIVE_URL")?);
    let shell = Shell::of(build);
    let script = shell.as_ref().and_then(Shell::script_source);
    let policy = policy(&Files::new(env)?.origin(), &sockets, script.as_deref())?;
    let pages = match shell {
        Some(shell) => console(Console { build, shell }),
        None => plain::routes(),
    };
    let guard = move |mut answer: Response| {
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_SECURITY_POLICY, policy.clone());
        headers.extend(GUARDS.map(|(name, value)| (name, HeaderValue::from_static(value))));
        std::future::ready(answer)
    };
    Ok(pages.route("/", get(lead)).layer(map_response(guard)))
}

/// Scheme and host of the sockets that stand at the place of this URL: `ws` in place of `http`, `wss` in place of `https`.
fn sockets(url: &str) -> String {
    let origin: Vec<&str> = url.splitn(4, '/').take(3).collect();
    origin.join("/").replacen("http", "ws", 1)
}

/// The page runs its own scripts, shows people's files, sends requests to its own origin and to where the files are, and is told what changes
/// by sockets. `script`: the source of the script in the page itself.
fn policy(files: &str, sockets: &str, script: Option<&str>) -> Result<HeaderValue, ConfigError> {
    let scripts = ["'self'"].into_iter().chain(script).collect::<Vec<_>>().join(" ");
    let policy = format!(
        "default-src 'none'; script-src {scripts}; style-src 'self'; font-src 'self'; img-src 'self' data: blob: {files}; \
         media-src blob: {files}; connect-src 'self' {files} {sockets}; manifest-src 'self'; worker-src 'self'; base-uri 'none'; \
         form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; \
         trusted-types svelte-trusted-html ringback-worker"
    );
    HeaderValue::from_str(&policy)
        .map_err(|_| ConfigError::new("LIVE_URL or FILES_BUCKET", "is no part of a host's name"))
}

async fn lead() -> Response {
    let headers = [(header::LOCATION, HOME), (header::CACHE_CONTROL, ASK_AGAIN)];
    (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
}

/// The console of a build.
struct Console {
    build: Build,
    shell: Shell,
}

fn console(console: Console) -> Router {
    let pages = Router::new()
        .route(HOME, get(page))
        .route("/app/", get(page))
        .route("/app/{*path}", get(file));
    let pages = LINKED
        .into_iter()
        .fold(pages, |pages, path| pages.route(path, get(page)));
    pages.with_state(Arc::new(console))
}

async fn page(State(console): State<Arc<Console>>, sent: HeaderMap) -> Response {
    console.shell.page(&sent)
}

/// A file, or else the page whose address this is.
async fn file(State(console): State<Arc<Console>>, uri: Uri, sent: HeaderMap) -> Response {
    // Names of files have no characters that a path encodes.
    let path = uri.path().trim_start_matches("/app/");
    match console.file(path, &sent) {
        Some(file) => file,
        None if path.starts_with(ASSETS) => StatusCode::NOT_FOUND.into_response(),
        None => console.shell.page(&sent),
    }
}

impl Console {
    /// A file of the build other than the shell, in brotli if there is such a file beside it and the browser accepts it.
    fn file(&self, path: &str, sent: &HeaderMap) -> Option<Response> {
        if path == shell::FILE || path.ends_with(".br") {
            return None;
        }
        let plain = self.build.get(path)?;
        let tag = tag(&plain.metadata.sha256_hash());
        let brotli = self.build.get(&format!("{path}.br"));
        let varies = brotli.is_some();
        let brotli = brotli.filter(|_| accepts_coding(sent, "br"));
        let coding = brotli.is_some().then_some((header::CONTENT_ENCODING, "br"));
        let varies = varies.then_some((header::VARY, "accept-encoding"));
        let cache = if path.starts_with(ASSETS) {
            FOR_A_YEAR
        } else {
            ASK_AGAIN
        };
        let fixed = [
            (header::CONTENT_TYPE, content_type(path)),
            (header::CACHE_CONTROL, cache),
        ];
        let mut answer = answer_with_tag(sent, &tag, brotli.unwrap_or(plain).data);
        let scope = (path == WORKER).then_some(WORKER_SCOPE);
        for (name, value) in fixed.into_iter().chain(coding).chain(varies).chain(scope) {
            answer.headers_mut().insert(name, HeaderValue::from_static(value));
        }
        Some(answer)
    }
}

/// The tag of a content, by its hash.
fn tag(sha256: &[u8]) -> String {
    format!("\"{}\"", hex::encode(&sha256[..12]))
}

/// A body with its tag, or 304 if the browser has it.
fn answer_with_tag(sent: &HeaderMap, tag: &str, body: impl Into<Body>) -> Response {
    let mut answer = if knows_version(sent, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        Response::new(body.into())
    };
    if let Ok(tag) = HeaderValue::from_str(tag) {
        answer.headers_mut().insert(header::ETAG, tag);
    }
    answer
}

/// A text that every visit asks for again.
fn text(sent: &HeaderMap, content_type: &'static str, body: impl Into<String>) -> Response {
    let body = body.into();
    let mut answer = answer_with_tag(sent, &tag(&Sha256::digest(&body)), body);
    let fixed = [(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, ASK_AGAIN)];
    answer
        .headers_mut()
        .extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    answer
}

const HTML: &str = "text/html; charset=utf-8";

/// The content type of a file by its name.
fn content_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "css" => "text/css; charset=utf-8",
        "html" => HTML,
        "ico" => "image/x-icon",
        "js" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
