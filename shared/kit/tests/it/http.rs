//! Common behaviour of all functions behind the HTTP API.

use std::io::Read as _;

use axum::body::Bytes;
use axum::extract::Path;
use axum::routing::post;
use axum::{Extension, Router};
use flate2::read::GzDecoder;
use kit::Problem;
use kit::http::{App, CorrelationId, HttpEvent, LARGEST_BODY, Source, Target, Timed, Uncompressed};
use serde_json::{Value, json};

use crate::queue::{env, env_with};

async fn url(Extension(target): Extension<Target>) -> String {
    format!("{} {}", target.url(None), target.url(Some("https://api.example.test")))
}

fn app() -> App {
    let routes = Router::new()
        .route("/echo", post(async |body: Bytes| body))
        .route("/called/{name}", post(async |Path(name): Path<String>| name))
        .route("/panic", post(async || -> () { panic!("a bug") }))
        .route("/quotes", post(async |body: Bytes| "\"".repeat(body.len())))
        .route(
            "/secret",
            post(async |body: String| ([("content-type", "text/plain")], Extension(Uncompressed), body)),
        )
        .route("/timed", post(async || Extension(Timed)))
        .route(
            "/refuse",
            post(async || Problem::unprocessable("data.x: expected a number")),
        )
        .route(
            "/cookie",
            post(async |headers: axum::http::HeaderMap| headers["cookie"].to_str().unwrap_or_default().to_owned()),
        )
        .route(
            "/id",
            post(async |Extension(id): Extension<CorrelationId>| id.as_str().to_owned()),
        )
        .route("/url", post(url))
        .route("/webhooks/url", post(url));
    App::new(&env(), routes)
}

/// API Gateway's own example, with changes.
fn event(changes: &Value) -> HttpEvent {
    let mut event = testkit::fixtures::json("aws/http_api_v2_json_webhook.json");
    for (name, value) in changes.as_object().unwrap() {
        event[name] = value.clone();
    }
    serde_json::from_value(event).unwrap()
}

async fn answer(changes: &Value) -> (u16, String, axum::http::HeaderMap) {
    let answer = app().answer(event(changes)).await;
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    (answer.status().as_u16(), text, answer.headers().clone())
}

fn problem(text: &str) -> String {
    let problem: Value = serde_json::from_str(text).unwrap();
    let kind = problem["type"].as_str().unwrap();
    assert!(problem["title"].is_string() && problem["detail"].is_string() && problem["status"].is_u64());
    kind.rsplit(':').next().unwrap().to_owned()
}

#[tokio::test]
async fn a_body_arrives_byte_for_byte_as_text_or_base64() {
    let (status, text, _) = answer(&json!({"rawPath": "/echo", "body": "a=%20+é"})).await;
    assert_eq!((status, text.as_str()), (200, "a=%20+é"));
    let (_, text, _) =
        answer(&json!({"rawPath": "/echo", "body": "d2ViaG9va19pZD0xNQ==", "isBase64Encoded": true})).await;
    assert_eq!(text, "webhook_id=15");
    let (_, text, _) = answer(&json!({"rawPath": "/echo", "body": null})).await;
    assert_eq!(text, "");
}

#[tokio::test]
async fn path_decoded_by_the_gateway_is_restored() {
    for (path, name) in [
        ("a?b", "a?b"),
        ("a#b", "a#b"),
        ("a\nb c", "a\nb c"),
        ("\u{e9}[]^|\\", "\u{e9}[]^|\\"),
        // Characters that stay unchanged.
        ("a%25b", "a%b"),
    ] {
        let (status, text, _) = answer(&json!({"rawPath": format!("/called/{path}")})).await;
        assert_eq!((status, text.as_str()), (200, name));
    }
    let (status, ..) = answer(&json!({"rawPath": "/called/a/b"})).await;
    assert_eq!(status, 404);
}

/// Twilio's URLs have a fragment.
#[tokio::test]
async fn fragment_passed_on_by_a_proxy_is_removed() {
    let asked = async |path: &str, query: &str| {
        let (status, text, _) = answer(&json!({"rawPath": path, "rawQueryString": query})).await;
        assert_eq!(status, 200, "{path} {query}");
        text
    };
    let own = "https://api.example.test";
    for (path, query, end) in [
        ("/url", "key=1#rc=3&rp=all", "/url?key=1"),
        ("/webhooks/url#rc=3&rp=all", "", "/webhooks/url"),
        ("/webhooks/url#rc=3", "key=1", "/webhooks/url"),
    ] {
        let url = asked(path, query).await;
        assert!(url.ends_with(&format!("{own}{end}")), "{url}");
    }
}

#[tokio::test]
async fn every_failure_is_answered_with_a_problem() {
    let no_base64 = json!({"rawPath": "/echo", "body": "!", "isBase64Encoded": true});
    let too_large = json!({"rawPath": "/echo", "body": "x".repeat(LARGEST_BODY + 1)});
    for (changes, status, kind) in [
        (json!({"rawPath": "/panic"}), 500, "internal"),
        (json!({"rawPath": "/refuse"}), 422, "unprocessable"),
        (json!({"rawPath": "/other"}), 404, "not_found"),
        (json!({"rawPath": "/not a uri"}), 404, "not_found"),
        (json!({"rawPath": ""}), 404, "not_found"),
        (no_base64, 400, "bad_request"),
        (too_large, 413, "too_large"),
    ] {
        let (answered, text, headers) = answer(&changes).await;
        assert_eq!((answered, problem(&text).as_str()), (status, kind));
        assert_eq!(headers["content-type"], "application/problem+json");
    }
    let (status, ..) = answer(&json!({"rawPath": "/echo", "body": "x".repeat(LARGEST_BODY)})).await;
    assert_eq!(status, 200, "just the largest");
}

#[tokio::test]
async fn too_large_body_is_refused_with_the_limit() {
    for (path, most) in [("/webhooks/echo", "3 MB"), ("/api/v1/echo", "1 MB")] {
        let (status, text, _) = answer(&json!({"rawPath": path, "body": "x".repeat(LARGEST_BODY + 1)})).await;
        assert_eq!(status, 413);
        assert!(text.contains(most), "{text}");
    }
}

#[tokio::test]
async fn every_answer_has_security_headers() {
    for (changes, status) in [
        (json!({"rawPath": "/echo"}), 200),
        (json!({"rawPath": "/panic"}), 500),
        (json!({"rawPath": "/refuse"}), 422),
        (json!({"rawPath": "/other"}), 404),
        (json!({"rawPath": "/not a uri"}), 404),
        (json!({"rawPath": "/echo", "body": "x".repeat(LARGEST_BODY + 1)}), 413),
    ] {
        let (answered, _, headers) = answer(&changes).await;
        assert_eq!(answered, status);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=31536000"),
        ] {
            let values: Vec<_> = headers.get_all(name).iter().collect();
            assert_eq!(values, [value], "{name} of {status}");
        }
    }
}

#[tokio::test]
async fn long_text_is_compressed_for_callers_who_accept_it() {
    let asked = async |path: &str, length: usize, coding: &str| {
        let body = "x".repeat(length);
        let changes = json!({"rawPath": path, "body": body, "headers": {"accept-encoding": coding}});
        app().answer(event(&changes)).await
    };
    let plain = asked("/quotes", 5000, "identity").await;
    assert_eq!(plain.body().len(), 5000);
    assert_eq!(plain.headers()["vary"], "accept-encoding");
    assert!(!plain.headers().contains_key("content-encoding"));
    let short = asked("/quotes", 5000, "gzip, deflate, br").await;
    let headers = short.headers();
    assert_eq!(
        (&headers["content-encoding"], &headers["vary"]),
        (&"gzip".parse().unwrap(), &"accept-encoding".parse().unwrap())
    );
    let mut text = Vec::new();
    GzDecoder::new(&short.body()[..]).read_to_end(&mut text).unwrap();
    assert!(text == *plain.body() && short.body().len() < 200);
    // A short text, a secret, and bytes that may be anything.
    for (path, length) in [("/quotes", 1000), ("/secret", 5000), ("/echo", 5000)] {
        let answer = asked(path, length, "gzip").await;
        assert_eq!(answer.body().len(), length, "{path}");
        let headers = answer.headers();
        assert!(
            !headers.contains_key("content-encoding") && !headers.contains_key("vary"),
            "{path}"
        );
    }
}

/// Strangers get no exact times.
#[tokio::test]
async fn only_marked_answers_say_how_long_they_took() {
    let (_, _, headers) = answer(&json!({"rawPath": "/quotes"})).await;
    assert!(!headers.contains_key("server-timing"));
    let (_, _, headers) = answer(&json!({"rawPath": "/timed"})).await;
    let timing = headers["server-timing"].to_str().unwrap();
    let (function, table) = timing.split_once(", ").unwrap();
    for (name, part) in [("function", function), ("table", table)] {
        let time = part.strip_prefix(&format!("{name};dur=")).unwrap();
        assert!(time.parse::<f64>().is_ok_and(|time| time >= 0.0), "{timing}");
    }
}

/// Otherwise, Lambda would fail the invocation, and the caller would not learn the reason.
#[tokio::test]
async fn too_large_answer_becomes_a_problem() {
    let quotes = |count: usize| json!({"rawPath": "/quotes", "body": "x".repeat(count)});
    let (status, ..) = answer(&quotes(2 << 20)).await;
    assert_eq!(status, 200);
    // Each quote is two characters of the result.
    let (status, text, _) = answer(&quotes(3 << 20)).await;
    assert_eq!((status, problem(&text).as_str()), (500, "internal"));
}

#[tokio::test]
async fn wrong_method_gets_the_allowed_methods() {
    let mut event = testkit::fixtures::json("aws/http_api_v2_json_webhook.json");
    event["rawPath"] = "/echo".into();
    event["requestContext"]["http"]["method"] = "DELETE".into();
    let answer = app().answer(serde_json::from_value(event).unwrap()).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["allow"]),
        (405, &"POST".parse().unwrap())
    );
    assert_eq!(
        problem(std::str::from_utf8(answer.body()).unwrap()),
        "method_not_allowed"
    );
}

#[tokio::test]
async fn callers_correlation_id_is_kept_if_valid() {
    for (sent, used) in [
        ("abc-1_2.3:4", "abc-1_2.3:4"),
        ("two words", "DEMOreq0001"),
        ("\"}injected", "DEMOreq0001"),
        (&"x".repeat(65), "DEMOreq0001"),
        ("", "DEMOreq0001"),
    ] {
        let headers = json!({"X-Correlation-Id": sent});
        let (_, text, headers) = answer(&json!({"rawPath": "/id", "headers": headers})).await;
        assert_eq!(
            (text.as_str(), &headers["x-correlation-id"]),
            (used, &used.parse().unwrap())
        );
    }
    let (_, _, headers) = answer(&json!({"rawPath": "/panic"})).await;
    assert_eq!(headers["x-correlation-id"], "DEMOreq0001");
}

#[tokio::test]
async fn cookies_are_passed_as_a_header() {
    let (_, text, _) = answer(&json!({"rawPath": "/cookie", "cookies": ["a=1", "b=2"]})).await;
    assert_eq!(text, "a=1; b=2");
}

#[tokio::test]
async fn signed_url_is_built_from_the_request() {
    let query = "b=2&a=%C3%A9+x&a='1'";
    let (_, text, _) = answer(&json!({"rawPath": "/url", "rawQueryString": query})).await;
    let path = format!("/url?{query}");
    let domain = "https://demoapi123.execute-api.us-east-1.amazonaws.com";
    assert_eq!(text, format!("{domain}{path} https://api.example.test{path}"));
    let (_, text, _) = answer(&json!({"rawPath": "/url"})).await;
    assert_eq!(text, format!("{domain}/url https://api.example.test/url"));
}

/// The caller's address as the function sees it behind a trusted proxy.
async fn behind_a_proxy(headers: Value, source: &str) -> (u16, String) {
    let secret = access::token::sha256_hex("the-secret-of-the-proxy");
    let config = [
        ("VIEWER_ADDRESS_HEADER", "CloudFront-Viewer-Address"),
        ("ORIGIN_SECRET_SHA256", secret.as_str()),
    ];
    let routes = Router::new().route(
        "/who",
        post(
            async |Extension(Source(source)): Extension<Source>, headers: axum::http::HeaderMap| {
                let seen = source.map(|address| address.to_string()).unwrap_or_default();
                format!("{seen} {}", headers.contains_key("x-origin-secret"))
            },
        ),
    );
    let app = App::new(&env_with(&config), routes);
    let mut event = testkit::fixtures::json("aws/http_api_v2_json_webhook.json");
    event["rawPath"] = json!("/who");
    event["requestContext"]["http"]["sourceIp"] = json!(source);
    event["headers"] = headers;
    let answer = app.answer(serde_json::from_value(event).unwrap()).await;
    (
        answer.status().as_u16(),
        String::from_utf8(answer.body().to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn only_the_trusted_proxy_names_the_caller() {
    let edge = "130.176.0.1";
    let named = json!({"x-origin-secret": "the-secret-of-the-proxy", "cloudfront-viewer-address": "203.0.113.7:41234"});
    assert_eq!(behind_a_proxy(named, edge).await, (200, "203.0.113.7 false".to_owned()));
    for forged in [
        json!({}),
        json!({"cloudfront-viewer-address": "203.0.113.7:41234"}),
        json!({"x-origin-secret": "a guess", "cloudfront-viewer-address": "203.0.113.7:41234"}),
        // The proxy is authenticated, but configured so that it names nobody.
        json!({"x-origin-secret": "the-secret-of-the-proxy"}),
        json!({"x-origin-secret": "the-secret-of-the-proxy", "cloudfront-viewer-address": "somebody"}),
    ] {
        let (status, text) = behind_a_proxy(forged.clone(), edge).await;
        assert_eq!((status, problem(&text)), (403, "forbidden".to_owned()), "{forged}");
    }
}

#[tokio::test]
async fn without_a_proxy_no_header_names_an_address() {
    let routes = Router::new().route(
        "/who",
        post(async |Extension(Source(source)): Extension<Source>| {
            source.map(|address| address.to_string()).unwrap_or_default()
        }),
    );
    let mut event = testkit::fixtures::json("aws/http_api_v2_json_webhook.json");
    event["rawPath"] = json!("/who");
    event["requestContext"]["http"]["sourceIp"] = json!("198.51.100.7");
    event["headers"] = json!({"x-forwarded-for": "203.0.113.7", "cloudfront-viewer-address": "203.0.113.7:1"});
    let answer = App::new(&env(), routes)
        .answer(serde_json::from_value(event).unwrap())
        .await;
    assert_eq!(answer.body().as_ref(), b"198.51.100.7");
}
