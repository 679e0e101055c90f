//! The form of the file: one JSON object, whose lists are written entry by entry.

use domain::base::ids::TenantId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The description at the beginning of the file, for whoever opens it. `lists`: their names and meanings.
pub(crate) fn about<'a>(tenant: TenantId, now: Timestamp, lists: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let lists = lists.map(|(name, meaning)| (name.to_owned(), json!(meaning)));
    json!({
        "document": "All that the business has stored about one contact. Lists are sorted by time, the newest first. Times are in UTC.",
        "business": tenant,
        "created_at": now,
        "contact": "The contact: name, telephone numbers and addresses, values, tags, and what it refuses and wants now.",
        "lists": lists.collect::<Map<_, _>>(),
    })
}

/// Appends a value, indented for people. The values have no keys that are not texts, so they always have a form in JSON.
fn value(output: &mut Vec<u8>, value: &Value) {
    output.extend_from_slice(format!("{value:#}").as_bytes());
}

/// Begins the file.
pub(crate) fn begin(output: &mut Vec<u8>, about: &Value, contact: &Value) {
    output.extend_from_slice(b"{\n\"about\": ");
    value(output, about);
    output.extend_from_slice(b",\n\"contact\": ");
    value(output, contact);
}

/// Begins a list.
pub(crate) fn open(output: &mut Vec<u8>, name: &str) {
    output.extend_from_slice(format!(",\n\"{name}\": [").as_bytes());
}

/// Appends an entry to a list; `any`: it has others.
pub(crate) fn item(output: &mut Vec<u8>, any: bool, entry: &Value) {
    output.extend_from_slice(if any { b",\n" } else { b"\n" });
    value(output, entry);
}

/// Ends a list.
pub(crate) fn close(output: &mut Vec<u8>) {
    output.extend_from_slice(b"\n]");
}

/// Ends the file.
pub(crate) fn end(output: &mut Vec<u8>) {
    output.extend_from_slice(b"\n}\n");
}
