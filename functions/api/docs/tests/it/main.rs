//! The contract and its page, in process.

use docs::{DOCUMENT, routes};
use serde_json::Value;
use testkit::{Aws, Call, Function};

async fn function() -> Function {
    Function::new(Aws::new().await.env(), routes)
}

#[tokio::test]
async fn the_document_is_the_one_that_is_checked_in_and_is_not_sent_twice() {
    let function = function().await;
    let answer = function.call(&Call::get("/api/v1/openapi.json")).await;
    assert_eq!(
        (answer.status(), answer.header("content-type")),
        (200, "application/json")
    );
    assert_eq!(answer.json(), serde_json::from_str::<Value>(DOCUMENT).unwrap());
    let tag = answer.header("etag").to_owned();
    let again = Call::get("/api/v1/openapi.json").header("if-none-match", &tag);
    assert_eq!(function.call(&again).await.status(), 304);
    let other = Call::get("/api/v1/openapi.json").header("if-none-match", "\"other\"");
    assert_eq!(function.call(&other).await.status(), 200);
}

#[tokio::test]
async fn the_page_runs_its_own_script_and_asks_nobody_else() {
    let function = function().await;
    for (path, kind) in [
        ("/docs", "text/html; charset=utf-8"),
        ("/docs/page.css", "text/css; charset=utf-8"),
        ("/docs/page.js", "text/javascript; charset=utf-8"),
    ] {
        let answer = function.call(&Call::get(path)).await;
        assert_eq!((answer.status(), answer.header("content-type")), (200, kind));
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        let text = answer.text();
        for elsewhere in ["http://", "https://", "<style", "style=", "onclick", "innerHTML"] {
            assert!(!text.contains(elsewhere), "{path} has {elsewhere}");
        }
    }
    let guide = function.call(&Call::get("/docs/guide.md")).await;
    assert_eq!(guide.status(), 200);
    assert!(DOCUMENT.contains("/docs/guide.md"), "the document names the guide");
    assert_eq!(function.call(&Call::get("/docs/other")).await.status(), 404);
}

#[tokio::test]
async fn the_links_of_mails_lead_to_a_page_that_acts_only_when_asked() {
    let function = function().await;
    for path in ["/verify-email", "/reset-password", "/accept-invitation", "/log-in"] {
        let answer = function.call(&Call::get(&format!("{path}?token=secret"))).await;
        assert_eq!(answer.status(), 200, "{path}");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        // The page knows the token from its address alone.
        assert!(!answer.text().contains("secret"));
        assert!(answer.text().contains("/docs/link.js"));
    }
    let script = function.call(&Call::get("/docs/link.js")).await;
    for operation in [
        "/api/v1/auth/verify-email",
        "/api/v1/auth/reset-password",
        "/api/v1/users/invitations/accept",
    ] {
        assert!(script.text().contains(operation), "the script sends to {operation}");
        let paths = serde_json::from_str::<Value>(DOCUMENT).unwrap()["paths"].clone();
        assert!(paths[operation]["post"].is_object(), "{operation} is in the document");
    }
}
