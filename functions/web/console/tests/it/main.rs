//! The console's function, in process, with a small build and without one.

#![expect(
    clippy::unwrap_used,
    reason = "everything here is a test; the lint's own exception covers only the functions marked as such"
)]

use std::collections::BTreeSet;

use console::routes_of;
use domain::terms::{InvalidSlug, Slug};
use rust_embed::Embed;
use serde_json::Value;
use testkit::{Answer, Aws, Call, Function};

/// An example of what `cargo stack console` builds.
#[derive(Embed)]
#[folder = "tests/it/built"]
struct Built;

#[derive(Embed)]
#[folder = "tests/it/nothing"]
#[allow_missing = true]
struct Unbuilt;

const SCRIPT: &str = "/app/assets/main-1a2b3c4d.js";

/// Of the script that stands in the page itself.
const HASH_OF_SCRIPT: &str = "sha256-EsVYZEB0d+pN+rADaXrjzRNx66l6a9YapgQMgYvURj4=";

/// Pages that links in mails lead to.
const LINKED: [&str; 5] = [
    "/verify-email",
    "/reset-password",
    "/accept-invitation",
    "/log-in",
    "/account/notifications",
];

async fn built_console() -> Function {
    Function::new(Aws::new().await.env(), |env| routes_of(env, &Built))
}

async fn unbuilt() -> Function {
    Function::new(Aws::new().await.env(), |env| routes_of(env, &Unbuilt))
}

/// How the page begins: language, direction and theme.
fn begins(answer: &Answer) -> &str {
    let (_, rest) = answer.text().split_once("<html ").unwrap();
    rest.split_once('>').unwrap().0
}

#[tokio::test]
async fn every_page_is_the_shell() {
    let function = built_console().await;
    let pages = [
        "/app",
        "/app/",
        "/app/saffron-bakery/calls?outcome=missed",
        "/app/%d9%85/é",
    ];
    for path in pages.into_iter().chain(LINKED) {
        let answer = function.call(&Call::get(path)).await;
        answer.is(200);
        assert_eq!(answer.header("content-type"), "text/html; charset=utf-8", "{path}");
        assert_eq!(answer.header("cache-control"), "no-cache", "{path}");
        assert!(answer.text().contains(SCRIPT), "{path}");
    }
    let answer = function.call(&Call::get("/")).await;
    assert_eq!(answer.is(307).header("location"), "/app");
    for path in ["/app/", SCRIPT, "/log-in"] {
        let answer = function.call(&Call::new("POST", path)).await;
        answer.is_refused(405, "method_not_allowed");
    }
}

/// Paths of a tenant begin with its name: a tenant of that name could not be reached.
#[test]
fn paths_of_the_console_are_no_names_of_tenants() {
    let routes = include_str!("../../app/routes.ts");
    let places = routes.split("\"/app/").skip(1);
    let own = places.filter_map(|rest| rest.split(['/', '"']).next());
    let own: BTreeSet<&str> = own.filter(|name| !name.starts_with(':')).chain(["assets"]).collect();
    assert!(own.contains("log-in"), "{own:?}");
    for name in own {
        assert!(matches!(name.parse::<Slug>(), Err(InvalidSlug::Reserved)), "{name}");
    }
}

#[tokio::test]
async fn shell_is_in_the_language_and_theme_of_the_visitor() {
    let function = built_console().await;
    let page = |language, direction, theme| format!(r#"lang="{language}" dir="{direction}" data-theme="{theme}""#);
    let plain = page("en", "ltr", "system");
    for (cookie, accepted, expected) in [
        ("", "", plain.clone()),
        ("", "ar-AE, en;q=0.5", page("ar", "rtl", "system")),
        ("", "fr", plain.clone()),
        ("rb_ui=ar.dark", "en", page("ar", "rtl", "dark")),
        ("rb_ui=en.light", "ar", page("en", "ltr", "light")),
        ("a=b; rb_ui=ar.system; c=d", "", page("ar", "rtl", "system")),
        // An unknown choice counts as none.
        ("rb_ui=ar.blue", "", plain.clone()),
        ("rb_ui=fr.dark", "ar", page("ar", "rtl", "system")),
        ("rb_ui=ar", "", plain.clone()),
        ("xrb_ui=ar.dark", "", plain.clone()),
    ] {
        let call = Call::get("/app/")
            .header("cookie", cookie)
            .header("accept-language", accepted);
        let answer = function.call(&call).await;
        assert_eq!(begins(&answer), expected, "{cookie:?} {accepted:?}");
        assert_eq!(answer.header("vary"), "accept-language, cookie");
        assert!(expected.contains(&format!("lang=\"{}\"", answer.header("content-language"))));
    }
}

/// The installed app has the language of whoever installs it, and its worker the page whose address ends without a slash.
#[tokio::test]
async fn app_is_installed_in_the_language_of_the_visitor() {
    let function = built_console().await;
    for language in ["en", "ar"] {
        let call = Call::get("/app").header("accept-language", language);
        let link = format!(r#"<link rel="manifest" href="/app/{language}.webmanifest">"#);
        assert!(function.call(&call).await.text().contains(&link), "{language}");
    }
    let worker = function.call(&Call::get("/app/worker.js")).await;
    assert_eq!(worker.is(200).header("service-worker-allowed"), "/app");
    assert_eq!(worker.header("cache-control"), "no-cache");
    let script = function.call(&Call::get(SCRIPT)).await;
    assert!(script.header("service-worker-allowed").is_empty());
}

#[tokio::test]
async fn shell_holds_nothing_of_the_request() {
    let function = built_console().await;
    let markup = "\"><script>alert(1)</script>";
    let call = Call::get(&format!("/app/{markup}?token={markup}"))
        .header("cookie", &format!("rb_ui=ar.{markup}; rb_ui={markup}.dark"))
        .header("accept-language", markup)
        .header("referer", markup)
        .header("host", "elsewhere.example");
    let plain = function.call(&Call::get("/app/")).await;
    assert_eq!(function.call(&call).await.text(), plain.text());
}

#[tokio::test]
async fn shell_that_the_browser_has_is_not_sent_again() {
    let function = built_console().await;
    let english = function.call(&Call::get("/app/")).await;
    let tag = english.header("etag").to_owned();
    let again = Call::get("/app/calls").header("if-none-match", &tag);
    let known = function.call(&again).await;
    assert_eq!((known.status(), known.text()), (304, ""));
    assert_eq!(known.header("etag"), tag);
    // In another language, it is another page.
    let arabic = function.call(&again.header("cookie", "rb_ui=ar.dark")).await;
    assert_ne!(arabic.is(200).header("etag"), tag);
}

#[tokio::test]
async fn assets_are_kept_for_a_year_and_sent_in_brotli() {
    let function = built_console().await;
    let plain = function
        .call(&Call::get(SCRIPT).header("accept-encoding", "identity"))
        .await;
    assert_eq!(plain.is(200).header("content-type"), "text/javascript; charset=utf-8");
    assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
    assert!(plain.header("content-encoding").is_empty() && plain.text().contains("document.title"));
    let brotli = function
        .call(&Call::get(SCRIPT).header("accept-encoding", "gzip, br"))
        .await;
    assert_eq!(brotli.header("content-encoding"), "br");
    assert_eq!(brotli.text(), "the same script in brotli\n");
    assert_eq!(brotli.header("content-type"), plain.header("content-type"));
    for answer in [&plain, &brotli] {
        assert_eq!(answer.header("vary"), "accept-encoding");
    }
    let icon = function.call(&Call::get("/app/favicon.svg")).await;
    assert_eq!(icon.is(200).header("content-type"), "image/svg+xml");
    assert_eq!(icon.header("cache-control"), "no-cache");
    // A shell in their place would be kept for a year, or run as a script.
    for missing in ["main-1a2b3c4d.css", "main-1a2b3c4d.js.br", "", "../index.html"] {
        let answer = function.call(&Call::get(&format!("/app/assets/{missing}"))).await;
        answer.is_refused(404, "not_found");
    }
}

#[tokio::test]
async fn head_answers_as_get_without_a_body() {
    let function = built_console().await;
    for path in ["/app/", SCRIPT, "/log-in"] {
        let got = function.call(&Call::get(path)).await;
        let head = function.call(&Call::new("HEAD", path)).await;
        assert_eq!((head.is(200).text(), head.header("etag")), ("", got.header("etag")));
    }
}

#[tokio::test]
async fn every_answer_is_guarded() {
    let aws = Aws::new().await;
    let files = kit::Files::new(aws.env()).unwrap().origin();
    let scripts = format!("script-src 'self' '{HASH_OF_SCRIPT}'");
    for (function, scripts) in [
        (built_console().await, scripts.as_str()),
        (unbuilt().await, "script-src 'self'"),
    ] {
        for path in ["/", "/app/", "/app/calls", SCRIPT, "/log-in"] {
            let answer = function.call(&Call::get(path)).await;
            if answer.status() == 404 && answer.header("content-type").starts_with("application/problem") {
                continue;
            }
            let policy = answer.header("content-security-policy");
            let parts: BTreeSet<&str> = policy.split("; ").collect();
            for part in [
                "default-src 'none'",
                scripts,
                "style-src 'self'",
                &format!("connect-src 'self' {files} wss://live.example.com"),
                &format!("img-src 'self' data: blob: {files}"),
                "base-uri 'none'",
                "form-action 'none'",
                "frame-ancestors 'none'",
                "require-trusted-types-for 'script'",
            ] {
                assert!(parts.contains(part), "{path} has {policy}");
            }
            for (header, value) in [
                ("cross-origin-opener-policy", "same-origin"),
                ("cross-origin-resource-policy", "same-origin"),
                ("referrer-policy", "no-referrer"),
                ("x-content-type-options", "nosniff"),
            ] {
                assert_eq!(answer.header(header), value, "{path}");
            }
            assert!(answer.header("permissions-policy").contains("microphone=(self)"));
        }
    }
}

#[tokio::test]
async fn binary_without_the_console_says_how_to_build_it() {
    let function = unbuilt().await;
    for path in ["/app", "/app/", "/app/saffron-bakery/calls", SCRIPT] {
        let answer = function.call(&Call::get(path)).await;
        assert!(answer.is(404).text().contains("cargo stack console"), "{path}");
    }
    let answer = function.call(&Call::get("/")).await;
    assert_eq!(answer.is(307).header("location"), "/app");
}

#[tokio::test]
async fn mail_links_act_on_click_only_without_the_console() {
    let function = unbuilt().await;
    for path in LINKED {
        let answer = function.call(&Call::get(&format!("{path}?token=secret"))).await;
        // The page knows the token from its address alone.
        assert!(!answer.is(200).text().contains("secret"));
        for part in ["/app/link.js", "/app/link.css"] {
            assert!(answer.text().contains(part), "{path}");
            function.call(&Call::get(part)).await.is(200);
        }
    }
    let script = function.call(&Call::get("/app/link.js")).await;
    let document: Value = serde_json::from_str(include_str!("../../../../../docs/openapi.json")).unwrap();
    for operation in [
        "/api/v1/auth/verify-email",
        "/api/v1/auth/reset-password",
        "/api/v1/users/invitations/accept",
    ] {
        assert!(script.text().contains(operation), "the script sends to {operation}");
        assert!(
            document["paths"][operation]["post"].is_object(),
            "{operation} is in the document"
        );
    }
    // Who confirms a sign-up gives its password.
    assert!(script.text().contains(r#"password: "current-password""#));
}
