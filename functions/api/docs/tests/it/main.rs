//! The contract and its page, in process.

use docs::{DOCUMENT, routes};
use serde_json::Value;
use testkit::{Aws, Call, Function};

async fn function() -> Function {
    Function::new(Aws::new().await.env(), routes)
}

#[tokio::test]
async fn document_is_the_checked_in_one_and_cacheable() {
    let function = function().await;
    let answer = function.call(&Call::get("/api/v1/openapi.json")).await;
    assert_eq!(answer.is(200).header("content-type"), "application/json");
    assert_eq!(answer.json(), serde_json::from_str::<Value>(DOCUMENT).unwrap());
    let tag = answer.header("etag").to_owned();
    let again = Call::get("/api/v1/openapi.json").header("if-none-match", &tag);
    function.call(&again).await.is(304);
    let other = Call::get("/api/v1/openapi.json").header("if-none-match", "\"other\"");
    function.call(&other).await.is(200);
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
        assert_eq!(answer.is(200).header("content-type"), kind);
        let policy = answer.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"), "{policy}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
        let text = answer.text();
        for elsewhere in ["http://", "https://", "<style", "style=", "onclick", "innerHTML"] {
            assert!(!text.contains(elsewhere), "{path} has {elsewhere}");
        }
    }
    let guide = function.call(&Call::get("/docs/guide.md")).await;
    guide.is(200);
    assert!(DOCUMENT.contains("/docs/guide.md"), "the document names the guide");
}

/// Targets of a page's links, in Markdown and HTML.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let markdown = page
        .split("](")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once(')')?.0));
    let html = page
        .split(" href=\"")
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('"')?.0));
    markdown.chain(html)
}

/// A heading as links name it.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches(['#', ' ']).to_lowercase();
    let letters = text
        .chars()
        .filter(|letter| letter.is_alphanumeric() || [' ', '-', '_'].contains(letter));
    letters.map(|letter| if letter == ' ' { '-' } else { letter }).collect()
}

#[tokio::test]
async fn every_link_of_a_served_page_leads_somewhere() {
    let function = function().await;
    let mut to_do = vec!["/docs".to_owned()];
    let mut seen = to_do.clone();
    while let Some(path) = to_do.pop() {
        let answer = function.call(&Call::get(&path)).await;
        answer.is(200);
        let is_page = ["text/html", "text/markdown"]
            .iter()
            .any(|kind| answer.header("content-type").starts_with(kind));
        for link in links(answer.text()).filter(|_| is_page) {
            let (page, part) = link.split_at(link.find('#').unwrap_or(link.len()));
            if page.starts_with("https://") || page.starts_with("data:") {
                continue;
            }
            let place = match page {
                "" => {
                    // A heading is its own anchor.
                    let own = part.trim_start_matches('#');
                    let mut headings = answer.text().lines().filter(|line| line.starts_with('#'));
                    let known =
                        headings.any(|line| anchor(line) == own) || answer.text().contains(&format!("id=\"{own}\""));
                    assert!(known, "{path} has no {part}");
                    continue;
                }
                page if page.starts_with('/') => page.to_owned(),
                page => format!("/docs/{page}"),
            };
            if !seen.contains(&place) {
                seen.push(place.clone());
                to_do.push(place);
            }
        }
    }
    for page in ["guide.md", "problems.md", "permissions.md", "webhooks.md"] {
        assert!(
            seen.contains(&format!("/docs/{page}")),
            "nothing leads to {page}: {seen:?}"
        );
    }
    let guide = function.call(&Call::get("/docs/guide.md")).await;
    assert!(guide.text().contains("](/api/v1/openapi.json)"));
    // Only the checkout has it.
    let rules = function.call(&Call::get("/docs/rules.md")).await;
    assert!(!rules.text().contains("](operations/") && !rules.text().contains("](decisions"));
}

#[tokio::test]
async fn console_is_found_with_a_slash_at_the_end() {
    let answer = function().await.call(&Call::get("/app/")).await;
    assert_eq!(answer.is(307).header("location"), "/app");
}

#[tokio::test]
async fn unknown_path_or_method_is_a_problem() {
    let function = function().await;
    let nowhere = ["/", "/api/v1/nothing", "/api/v2/tenant", "/webhooks/unknown/a/b"];
    for (method, path, status, word) in nowhere
        .into_iter()
        .flat_map(|path| ["GET", "POST", "DELETE"].map(|method| (method, path, 404, "not_found")))
        .chain([
            ("GET", "/docs/other", 404, "not_found"),
            ("GET", "/docs/%ff", 404, "not_found"),
            ("POST", "/docs", 405, "method_not_allowed"),
        ])
    {
        let answer = function.call(&Call::new(method, path)).await;
        answer.is_refused(status, word);
        assert_eq!(status == 405, !answer.header("allow").is_empty(), "{method} {path}");
    }
}

/// Of write-only fields, too: the page shows them in requests as the document does.
#[test]
fn requests_on_the_page_are_the_documents_own_and_fit_a_shell() {
    let script = include_str!("../../page/page.js");
    assert!(script.contains("${quoted(JSON.stringify(examples(media)[0][1]))}"));
    assert!(script.contains(r#"text.replaceAll("'", "'\\''")"#));
}
