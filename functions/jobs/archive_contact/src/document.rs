//! The form of the file: one JSON object, whose lists are written entry by entry.

use domain::terms::TenantId;
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// Stored data of a contact that is not in the file, with the reason.
pub(crate) const LEFT_OUT: [(&str, &str); 9] = [
    (
        "drafts",
        "Replies that somebody has begun to write and not sent. Only their authors see them, and they go 30 days after their last change.",
    ),
    (
        "files",
        "Pictures and other files of messages, attachments of replies included, and copies of recordings, with their sizes and states: the links in messages lead to the files, replies name their attachments, and calls their recordings.",
    ),
    (
        "mentions",
        "The places at which users find the notes that mention them: the notes name the users.",
    ),
    (
        "undoing_of_merges",
        "What a merge is undone with, for 25 hours: it repeats both contacts.",
    ),
    (
        "look_ups",
        "Numbers of entries, and the lists, look-ups and hashes by which the service finds the contact, its calls, its messages and its archives: they repeat what is here.",
    ),
    (
        "call_reports",
        "Reports of the telephone system, for 16 days: what they say of a call is in the call as soon as it is decided.",
    ),
    (
        "preference_links",
        "Links to the preference page, which are found by a hash of their code and name nobody: messages that carried one have it in their text, with *** for the code.",
    ),
    (
        "audit_log",
        "Who changed the contact and looked at it, and when: entries name it by its id, and the business lists them by that.",
    ),
    (
        "temporary",
        "Values of changes of many contacts, requests that may be repeated, signals to open consoles, and files that were imported or exported: they are not sorted by person, and go by themselves, within a month at the latest.",
    ),
];

/// The description at the beginning of the file, for whoever opens it. `lists`: their names and meanings.
pub(crate) fn about<'a>(tenant: TenantId, now: Timestamp, lists: impl Iterator<Item = (&'a str, &'a str)>) -> Value {
    let lists = lists.map(|(name, meaning)| (name.to_owned(), json!(meaning)));
    json!({
        "document": "All that the business has stored about one contact, but for what left_out names. Lists of what happened are sorted by time, the newest first. Times are in UTC.",
        "business": tenant,
        "created_at": now,
        "contact": "The contact: name, telephone numbers and addresses, values, tags, and what it refuses and wants now.",
        "lists": lists.collect::<Map<_, _>>(),
        "left_out": LEFT_OUT.map(|(name, reason)| (name.to_owned(), json!(reason))).into_iter().collect::<Map<_, _>>(),
    })
}

/// Appends a value, indented for people. The values have no keys that are not texts, so they always have a form in JSON.
fn value(output: &mut Vec<u8>, value: &Value) {
    output.extend_from_slice(format!("{value:#}").as_bytes());
}

pub(crate) fn begin(output: &mut Vec<u8>, about: &Value, contact: &Value) {
    output.extend_from_slice(b"{\n\"about\": ");
    value(output, about);
    output.extend_from_slice(b",\n\"contact\": ");
    value(output, contact);
}

pub(crate) fn open(output: &mut Vec<u8>, name: &str) {
    output.extend_from_slice(format!(",\n\"{name}\": [").as_bytes());
}

/// Appends an entry to a list; `any`: it has others.
pub(crate) fn item(output: &mut Vec<u8>, any: bool, entry: &Value) {
    output.extend_from_slice(if any { b",\n" } else { b"\n" });
    value(output, entry);
}

pub(crate) fn close(output: &mut Vec<u8>) {
    output.extend_from_slice(b"\n]");
}

pub(crate) fn end(output: &mut Vec<u8>) {
    output.extend_from_slice(b"\n}\n");
}
