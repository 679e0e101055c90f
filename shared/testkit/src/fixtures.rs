//! Payloads and signature vectors of the providers, byte for byte.

use std::path::PathBuf;

use serde_json::Value;

fn path(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).join(name)
}

/// The bytes of a fixture, such as `whatsapp/inbound/text.json`.
pub fn bytes(name: &str) -> Vec<u8> {
    let path = path(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("cannot read fixture {}: {error}", path.display()))
}

pub fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|error| panic!("fixture {name} is not UTF-8: {error}"))
}

pub fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap_or_else(|error| panic!("fixture {name} is not JSON: {error}"))
}

/// The names of all fixtures in a folder, sorted.
pub fn names(folder: &str) -> Vec<String> {
    let root = path(folder);
    let mut names: Vec<String> = std::fs::read_dir(&root)
        .unwrap_or_else(|error| panic!("cannot list fixtures {}: {error}", root.display()))
        .filter_map(Result::ok)
        .map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy()))
        .collect();
    names.sort();
    names
}
