//! Whole answers, compared with those that are checked in, so that no change of an answer's shape goes unseen.

use std::fmt::Write;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use crate::Answer;

/// Values that differ from run to run, and what a snapshot shows instead.
const REDACTED: &[(&str, &str)] = &[
    // Of what happened with a contact, an id holds two.
    (r"\b([a-z]+)_(?:[0-9a-z]{26}){1,2}\b", "[$1]"),
    (r"\b\d{4}-\d{2}-\d{2}T[0-9:.]+Z", "[time]"),
    (
        r"(?m)^(etag|x-correlation-id|ratelimit-(?:remaining|reset)): .+$",
        "$1: [value]",
    ),
    // The secret at the end of a webhook's URL.
    (r#"/[\w-]{43}""#, r#"/[secret]""#),
    // The code of a link to a preference page.
    (r"/p/[0-9a-z]{16}\b", "/p/[code]"),
    (r"/l/[0-9a-z]{17}\b", "/l/[code]"),
    (r"(set-cookie: [\w-]+=)[^;]+", "$1[secret]"),
    (
        r#"("(?:key|hint|secret|verify_token|access_token|refresh_token)": )"[^"]+""#,
        r#"$1"[secret]""#,
    ),
];

/// Headers that follow from the length of the body, and times of the moment.
const OMITTED: [&str; 3] = ["content-length", "server-timing", "vary"];

static PATTERNS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let pattern = |(pattern, shown): &(&str, &'static str)| (Regex::new(pattern).expect("it is a pattern"), *shown);
    REDACTED.iter().map(pattern).collect()
});

/// Requires that these answers, with redacted ids, times, versions and secrets, are those in `tests/it/snapshots/NAME.snap` of the
/// crate under test. `INSTA_UPDATE=always` writes them.
pub fn assert_snapshot(name: &str, answers: &[&Answer]) {
    let shown: Vec<_> = answers.iter().map(|answer| answer_as_text(answer)).collect();
    let mut settings = insta::Settings::clone_current();
    // Cargo runs a crate's tests in its folder.
    let folder = std::env::current_dir().expect("there is a current folder");
    settings.set_snapshot_path(folder.join("tests/it/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, shown.join("\n\n========\n\n")));
}

/// Method and path, status, headers by name, and body.
fn answer_as_text(answer: &Answer) -> String {
    let mut shown = format!("{}\n\n{}\n", answer.request(), answer.status());
    let mut headers: Vec<_> = answer.headers().collect();
    headers.sort_unstable();
    for (name, value) in headers {
        if !OMITTED.contains(&name) {
            let _ = writeln!(shown, "{name}: {value}");
        }
    }
    let text = answer.text();
    match serde_json::from_str::<Value>(text) {
        Ok(body) => {
            let _ = write!(shown, "\n{body:#}");
        }
        // A page.
        Err(_) if !text.is_empty() => {
            let _ = write!(shown, "\n{text}");
        }
        Err(_) => {}
    }
    let redact = |shown: String, (pattern, instead): &(Regex, &str)| pattern.replace_all(&shown, *instead).into_owned();
    PATTERNS.iter().fold(shown.trim_end().to_owned(), redact)
}
