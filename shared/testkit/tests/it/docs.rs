//! The documentation against the code.

use std::path::Path;

use crate::repository::{files, read, root};

/// Targets of Markdown links.
fn links(text: &str) -> impl Iterator<Item = &str> {
    text.split("](")
        .skip(1)
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
}

#[test]
fn links_between_pages_lead_somewhere() {
    for file in files().iter().filter(|file| file.ends_with(".md")) {
        let text = read(file);
        let folder = root().join(file);
        let folder = folder.parent().unwrap_or(Path::new("/"));
        for link in links(&text).filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let path = link.split('#').next().unwrap_or_default();
            assert!(folder.join(path).exists(), "{file} links to {link}");
        }
    }
}

#[test]
fn every_decision_is_listed() {
    let list = read("docs/decisions/README.md");
    for file in files() {
        if let Some(name) = file.strip_prefix("docs/decisions/")
            && name != "README.md"
        {
            assert!(list.contains(&format!("({name})")), "{file} is not in the list");
        }
    }
}
