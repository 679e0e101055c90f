//! Texts that the sources must not contain.

use std::fs;

use serde_json::Value;

use crate::repository::{files, read, root, rust_files};

/// These tests contain the texts that they look for.
const GUARDS: &str = "shared/testkit/tests/it/";

fn is_fixture(file: &str) -> bool {
    file.contains("/fixtures/")
}

#[test]
fn nothing_unfinished_is_left() {
    for file in rust_files().filter(|file| !file.starts_with(GUARDS)) {
        let text = read(file);
        for (index, line) in text.lines().enumerate() {
            for unfinished in ["todo!(", "unimplemented!(", "dbg!(", "#[ignore"] {
                assert!(!line.contains(unfinished), "{file}:{}: {unfinished}", index + 1);
            }
        }
    }
}

/// Paths of the developer's machine, and pages that are not part of the repository.
const ELSEWHERE: &[&str] = &[
    "/work/",
    "/root/",
    "/tmp/plan",
    "shared/design",
    "shared/reference",
    "PROVIDERS-messaging",
    "PROVIDERS-services",
    "ARCHITECTURE",
    "STYLE.md",
    "DEVELOPERS",
    "dependencies.toml",
];

#[test]
fn nothing_points_outside_the_repository() {
    let mut found = vec![];
    for file in files()
        .iter()
        .filter(|file| !file.starts_with(GUARDS) && !is_fixture(file))
    {
        let bytes = fs::read(root().join(file)).unwrap();
        let Ok(text) = String::from_utf8(bytes) else { continue };
        for (index, line) in text.lines().enumerate() {
            let named = ELSEWHERE.iter().filter(|elsewhere| line.contains(**elsewhere));
            found.extend(named.map(|elsewhere| format!("{file}:{}: {elsewhere}", index + 1)));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_json_fixture_is_json() {
    let mut count = 0;
    for file in files()
        .iter()
        .filter(|file| is_fixture(file) && file.ends_with(".json"))
    {
        let parsed = serde_json::from_str::<Value>(&read(file));
        assert!(parsed.is_ok(), "{file}: {parsed:?}");
        count += 1;
    }
    assert!(count > 100, "only {count} fixtures");
}

/// `clippy.toml` forbids reading clock, randomness and environment, and minting scopes. Exceptions are the crates
/// whose purpose it is, and tests.
#[test]
fn only_listed_crates_silence_the_clock_lint() {
    for file in rust_files().filter(|file| !file.starts_with(GUARDS)) {
        let excused = ["shared/kit/", "shared/access/", "infra/"]
            .iter()
            .any(|room| file.starts_with(room));
        if excused || file.contains("/tests/") || file.starts_with("shared/testkit/") {
            continue;
        }
        let text = read(file);
        let lines: Vec<_> = text.lines().collect();
        for (index, line) in lines.iter().enumerate() {
            if line.contains("clippy::disallowed_methods") {
                let next = lines[index..].iter().take(6);
                let of_tests = next.clone().any(|line| line.starts_with("mod tests"));
                assert!(of_tests, "{file}:{}: take it as a value instead", index + 1);
            }
        }
    }
}
