//! The API's contract as a document, and a page to read it on. Both are part of the binary: neither we nor the reader's browser load
//! anything from elsewhere.

use std::sync::{LazyLock, OnceLock};

use api::{Anyone, Document, Input, OperationSchema, Path, Row};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use axum::{Json, Router};
use kit::http::knows_version;
use kit::{ConfigError, Env};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The OpenAPI document, as written by `cargo run --package contract`.
pub const DOCUMENT: &str = include_str!("../../../../docs/openapi.json");

/// Pages for users of the API, by their names here. The document names the first.
const PAGES: [(&str, &str); 8] = [
    ("guide.md", include_str!("../../../../docs/api.md")),
    ("problems.md", include_str!("../../../../docs/problems.md")),
    ("permissions.md", include_str!("../../../../docs/permissions.md")),
    ("CHANGELOG.md", include_str!("../../../../docs/CHANGELOG.md")),
    (
        "first-quarter-of-an-hour.md",
        include_str!("../../../../docs/first-quarter-of-an-hour.md"),
    ),
    ("webhooks.md", include_str!("../../../../docs/webhooks.md")),
    (
        "generic-telephony.md",
        include_str!("../../../../docs/generic-telephony.md"),
    ),
    ("rules.md", include_str!("../../../../docs/rules.md")),
];

/// Pages of `docs/` that have another name here.
const RENAMED: [(&str, &str); 2] = [("api.md", "guide.md"), ("openapi.json", "/api/v1/openapi.json")];

static GUIDES: LazyLock<Vec<Guide>> = LazyLock::new(|| PAGES.map(|(name, page)| Guide::new(name, page)).into());

struct Guide {
    name: &'static str,
    text: String,
    tag: OnceLock<String>,
}

impl Guide {
    fn new(name: &'static str, page: &str) -> Self {
        Self {
            name,
            text: with_links_of_here(page),
            tag: OnceLock::new(),
        }
    }
}

/// The page with links that work here. Links to other files of the repository become plain text.
fn with_links_of_here(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut rest = page;
    while let Some((before, after)) = rest.split_once("](") {
        let Some((target, after)) = after.split_once(')') else {
            break;
        };
        match (place(target), before.rfind('[')) {
            (None, Some(start)) => text.extend([&before[..start], &before[start + 1..]]),
            (found, _) => text.extend([before, "](", &found.unwrap_or_default(), ")"]),
        }
        rest = after;
    }
    text + rest
}

fn place(target: &str) -> Option<String> {
    let (page, part) = target.split_at(target.find('#').unwrap_or(target.len()));
    if page.is_empty() || page.contains("://") || PAGES.iter().any(|(known, _)| *known == page) {
        return Some(target.to_owned());
    }
    let (_, here) = RENAMED.iter().find(|(known, _)| *known == page)?;
    Some(format!("{here}{part}"))
}

const PAGE: &str = include_str!("../page/index.html");
const STYLE: &str = include_str!("../page/page.css");
const SCRIPT: &str = include_str!("../page/page.js");

/// The page runs its own script and style and sends requests to its own origin only.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

kit::function!(serve_http, routes);

/// Routes of the function.
///
/// # Errors
/// Never: it needs no variable.
pub fn routes(_env: &Env) -> Result<Router, ConfigError> {
    Ok(Router::new()
        .route("/api/v1/openapi.json", get(get_openapi))
        .route("/docs", get(page))
        .route("/docs/{guide}", get(guide))
        .route("/docs/page.css", get(style))
        .route("/docs/page.js", get(script))
        // The console's first page, as people write it: API Gateway refuses routes that end with a slash.
        .route("/app/", get(async || Redirect::temporary("/app"))))
}

/// The operations of this function in the API's document. They authenticate nobody, so the function serves them without the API's
/// layers.
pub fn document() -> Value {
    let operation = async |_: Anyone, _: IfNoneMatch| -> Json<Value> { unreachable!("it is only described") };
    let row = Row {
        tag: ("service", "Health of the service, and this document."),
        method: Method::GET,
        path: "/api/v1/openapi.json",
        handler: "get_openapi",
        about: &[
            "Get the OpenAPI document",
            "",
            "For client generators and viewers. With the `ETag` of a copy in `If-None-Match`, the response is 304 as long as \
                the document has not changed.",
        ],
        success: "An OpenAPI 3.1 document.",
        headers: &[("ETag", "Version of the document. Changes with its content.")],
        others: &[(304, "The document has not changed.")],
        problems: &[],
    };
    Document::default().with(&operation, &row).json()
}

/// The header in the document.
struct IfNoneMatch;

impl Input for IfNoneMatch {
    fn describe(operation: &mut OperationSchema<'_>) {
        let about = "`ETag` of the client's copy.";
        operation.header("If-None-Match", about, "\"5d41402abc4b2a76b9719d91\"");
    }
}

async fn get_openapi(sent: HeaderMap) -> Response {
    static TAG: OnceLock<String> = OnceLock::new();
    let mut answer = text(&sent, "application/json", DOCUMENT, &TAG);
    // Generators of clients and other people's viewers read it from anywhere; it holds nothing secret.
    let anybody = HeaderValue::from_static("*");
    answer
        .headers_mut()
        .insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
    answer
}

async fn page(sent: HeaderMap) -> Response {
    static TAG: OnceLock<String> = OnceLock::new();
    text(&sent, "text/html; charset=utf-8", PAGE, &TAG)
}

async fn guide(sent: HeaderMap, Path(name): Path<String>) -> Response {
    match GUIDES.iter().find(|guide| guide.name == name) {
        Some(guide) => text(&sent, "text/markdown; charset=utf-8", &guide.text, &guide.tag),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn style(sent: HeaderMap) -> Response {
    static TAG: OnceLock<String> = OnceLock::new();
    text(&sent, "text/css; charset=utf-8", STYLE, &TAG)
}

async fn script(sent: HeaderMap) -> Response {
    static TAG: OnceLock<String> = OnceLock::new();
    text(&sent, "text/javascript; charset=utf-8", SCRIPT, &TAG)
}

/// A text of the binary, or 304 if the client has it.
fn text(sent: &HeaderMap, kind: &'static str, body: &'static str, tag: &OnceLock<String>) -> Response {
    let tag = tag.get_or_init(|| format!("\"{}\"", hex::encode(&Sha256::digest(body.as_bytes())[..12])));
    let headers = [
        (header::CONTENT_TYPE, kind),
        // A new release must not be read with the old page.
        (header::CACHE_CONTROL, "no-cache"),
        (header::ETAG, tag.as_str()),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    let mut answer = if knows_version(sent, tag) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        body.into_response()
    };
    for (name, value) in headers {
        insert(answer.headers_mut(), name, value);
    }
    answer
}

fn insert(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
