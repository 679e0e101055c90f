//! Every problem in the code is in the table, and is named by the operations that answer it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use contract::problems::{OF_WEBHOOKS, answered_by};
use contract::{Function, document, functions, operations, root};
use kit::problem::kinds::{SPECIAL, all};

/// The Rust sources of a folder as one text, without the names of problems in tables of operations.
fn sources(folder: &Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            text += &sources(&path);
        } else if path.extension().is_some_and(|end| end == "rs") {
            let source = std::fs::read_to_string(path).expect("a source");
            let lines = source
                .lines()
                .filter(|line| !line.trim_start().starts_with("problems \""));
            lines.for_each(|line| text.extend([line, "\n"]));
        }
    }
    text
}

/// Words that are string literals of a source.
fn words(source: &str) -> BTreeSet<&str> {
    let is_word = |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    source.split('"').filter(is_word).collect()
}

/// Problems that a source creates: the first string literal of such a call.
fn created_problems<'a>(source: &'a str, calls: &[&str]) -> BTreeSet<&'a str> {
    let calls = calls.iter().flat_map(|call| source.match_indices(call));
    let own = calls.filter(|(at, _)| !source[..*at].ends_with(|before: char| before.is_ascii_alphanumeric()));
    let first = own.filter_map(|(at, call)| {
        let rest = &source[at + call.len()..];
        rest[..rest.find(';').unwrap_or(rest.len())].split('"').nth(1)
    });
    first.filter(|text| words(&format!("\"{text}\"")).len() == 1).collect()
}

const CALLS: &[&str] = &["Problem::at_most(", "Problem::conflict(", "Problem::new("];

#[test]
fn every_kind_is_described_once() {
    let mut known = BTreeSet::new();
    for kind in all() {
        assert!(known.insert(kind.word), "{} is in the table twice", kind.word);
        assert!((400..600).contains(&kind.status), "{}", kind.word);
        let sentence = |text: &str| text.starts_with(|first: char| first.is_ascii_uppercase()) && !text.ends_with('.');
        assert!(sentence(kind.means) && sentence(kind.advice), "{}", kind.word);
    }
    let rooms = ["functions", "shared/api/src", "shared/kit/src"];
    let all: String = rooms.iter().map(|room| sources(&root().join(room))).collect();
    let own = std::fs::read_to_string(root().join("shared/kit/src/problem.rs")).unwrap();
    let words = created_problems(&all, CALLS);
    assert!(words.len() > 20, "{words:?}");
    for word in words.union(&created_problems(&own, &["Self::conflict(", "Self::new("])) {
        assert!(known.contains(word), "kit::problem::kinds does not describe `{word}`");
    }
}

#[test]
fn special_problems_are_named_by_their_operations() {
    let special: BTreeSet<_> = SPECIAL.iter().map(|kind| kind.word).collect();
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut wrong = Vec::new();
    let shared = sources(&root().join("shared/api/src"));
    let shared = created_problems(&shared, CALLS);
    for Function { name, document, .. } in functions() {
        let source = sources(&root().join("functions/api").join(name).join("src"));
        let own = answered_by(&document);
        for word in special.intersection(&words(&source)) {
            if !own.contains_key(*word) && created_problems(&source, CALLS).contains(word) {
                wrong.push(format!("{name} creates `{word}`, but none of its operations names it"));
            }
        }
        for (word, ids) in own {
            if !words(&source).contains(word.as_str()) && !shared.contains(word.as_str()) {
                wrong.push(format!("{name} never creates `{word}`"));
            }
            named.entry(word).or_default().extend(ids);
        }
    }
    let there = named.keys().map(String::as_str);
    let there: BTreeSet<&str> = there.chain(OF_WEBHOOKS.iter().copied()).collect();
    assert_eq!(special, there, "left: kit's table; right: in `api::operations!`");
    let document = document();
    for (word, ids) in &named {
        let kind = SPECIAL.iter().find(|kind| kind.word == word).unwrap();
        let status = kind.status.to_string();
        for id in ids {
            let operation = operations(&document).find(|operation| operation.id() == id);
            let about = operation.map(|operation| operation.value["responses"][&status]["description"].clone());
            let about = about.unwrap_or_default();
            if !about.as_str().is_some_and(|about| about.contains(&format!("`{word}`"))) {
                wrong.push(format!("{id} does not name `{word}`: {about}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
