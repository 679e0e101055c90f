//! The fixtures, read from testkit's folder. Not through testkit itself, which depends on the store and the AWS SDK,
//! so this crate's tests would have to build both first.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use domain::Timestamp;
use domain::messages::Update;
use domain::telephony::{CallEvent, CallFacts, MAX_CALL, Outcome, Verdict};
use domain::templates::{TemplateContent, TemplateDefinition, TemplateKey};
use domain::terms::ConnectionId;
use jiff::SignedDuration;
use serde_json::{Value, json};
use ulid::Ulid;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../testkit/fixtures"))
}

pub(crate) fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(root().join(name)).unwrap_or_else(|error| panic!("cannot read fixture {name}: {error}"))
}

pub(crate) fn text(name: &str) -> String {
    String::from_utf8(bytes(name)).unwrap_or_else(|error| panic!("fixture {name}: {error}"))
}

pub(crate) fn json(name: &str) -> Value {
    serde_json::from_slice(&bytes(name)).unwrap_or_else(|error| panic!("fixture {name}: {error}"))
}

/// The file names in a folder.
pub(crate) fn names(folder: &str) -> BTreeSet<String> {
    let entries =
        std::fs::read_dir(root().join(folder)).unwrap_or_else(|error| panic!("cannot list {folder}: {error}"));
    entries
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect()
}

/// Reads each file of a folder, and returns the results by the files' names.
pub(crate) fn read_all<T>(folder: &str, read: impl Fn(&str, &[u8]) -> T) -> BTreeMap<String, T> {
    let files = names(folder).into_iter().map(|name| {
        let value = read(&name, &bytes(&format!("{folder}/{name}")));
        (name, value)
    });
    files.collect()
}

/// Every folder of the providers' fixtures has a test that lists it, so that a new file cannot stay unread.
#[test]
fn every_folder_has_its_test() {
    let mut folders = BTreeSet::new();
    let mut open = ["shopify", "telephony", "twilio", "whatsapp", "woocommerce"]
        .map(str::to_owned)
        .to_vec();
    while let Some(folder) = open.pop() {
        for name in names(&folder) {
            let path = format!("{folder}/{name}");
            if root().join(&path).is_dir() {
                open.push(path);
            } else {
                folders.insert(folder.clone());
            }
        }
    }
    let tested = [
        "shopify",
        "telephony/aircall",
        "telephony/exotel",
        "telephony/generic",
        "telephony/plivo",
        "telephony/vonage",
        "twilio/content",
        "twilio/recordings",
        "twilio/send/request",
        "twilio/send/response",
        "twilio/sms",
        "twilio/voice",
        "twilio/whatsapp",
        "whatsapp/account",
        "whatsapp/batch",
        "whatsapp/inbound",
        "whatsapp/media",
        "whatsapp/send/request",
        "whatsapp/send/response",
        "whatsapp/status",
        "whatsapp/templates",
        "whatsapp/upload",
        "whatsapp/verify",
        "woocommerce",
    ];
    assert_eq!(folders, tested.map(str::to_owned).into());
    let vectors = [
        "aircall_body_token.json",
        "meta_verify_handshake.json",
        "meta_x_hub_signature_256.json",
        "plivo_signature_v3.json",
        "shopify.json",
        "standard_webhooks.json",
        "standard_webhooks_v1.json",
        "twilio_connection_overrides.json",
        "twilio_x_twilio_signature.json",
        "vonage_signed_webhook_jwt.json",
        "woocommerce.json",
    ];
    assert_eq!(names("vectors"), vectors.map(str::to_owned).into());
}

pub(crate) fn connection() -> ConnectionId {
    ConnectionId::new(Ulid::from_parts(1, 1))
}

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The definition that a fixture's request creates.
pub(crate) fn drafted_definition(name: &str, content: Value) -> TemplateDefinition {
    let content: TemplateContent = serde_json::from_value(content).unwrap();
    let key = TemplateKey::new(name, "en_GB").unwrap();
    TemplateDefinition::new_draft(connection(), &key, &content, at("2026-11-20T12:00:00Z"))
}

/// The content of the request `create_request_utility`.
pub(crate) fn utility() -> Value {
    json!({
        "category": "utility", "header": {"text": "Missed call"},
        "body": "Hello {{1}}, sorry we missed your call to {{2}} today. How can we help?",
        "footer": "Reply STOP to opt out", "samples": {"1": "Maya", "2": "Fixture Hair"},
        "buttons": [
            {"kind": "quick_reply", "text": "Call me back"},
            {"kind": "url", "text": "Book online", "url": "https://book.example.test/{{1}}",
                "sample": "https://book.example.test/b/tnt_a"},
        ],
    })
}

/// The result of a call without any further report.
pub(crate) fn outcome(facts: &CallFacts) -> Outcome {
    let first_seen = at("2026-10-31T09:20:00Z");
    match facts.verdict(
        first_seen,
        first_seen + MAX_CALL + MAX_CALL,
        SignedDuration::from_mins(1),
    ) {
        Verdict::Decided(outcome) => outcome,
        Verdict::Wait(until) => panic!("waits until {until}"),
    }
}

/// Asserts that these are all of the events, with the outcomes of their calls.
#[track_caller]
pub(crate) fn assert_outcomes<const N: usize>(events: &BTreeMap<String, CallEvent>, expected: [(&str, Outcome); N]) {
    let outcomes = events
        .iter()
        .map(|(name, event)| (name.as_str(), outcome(&event.facts)));
    assert_eq!(outcomes.collect::<BTreeMap<_, _>>(), expected.into());
}

/// An update with all values, unlike its debug output.
pub(crate) fn value_of_update(update: &Update) -> Value {
    match update {
        Update::Status(status) => json!({ "status": {
            "key": status.key,
            "report": status.report,
            "recipient": status.recipient,
            "error_code": status.error_code,
        }}),
        Update::Message(message) => json!({ "message": message }),
        Update::ByPhone(message) => json!({ "by_phone": message }),
        Update::WhatsAppCall { from, provider_ref, at } => {
            json!({ "whatsapp_call": { "from": from, "provider_ref": provider_ref, "at": at } })
        }
        Update::Handover { from, passed, at } => {
            json!({ "handover": { "from": from, "passed": passed, "at": at } })
        }
        Update::MarketingPreference { from, welcome, at } => {
            json!({ "marketing_preference": { "from": from, "welcome": welcome, "at": at } })
        }
        Update::IdentityChanged { previous, now } => {
            json!({ "identity_changed": { "previous": previous, "now": now } })
        }
        Update::Template(report) => json!({ "template": {
            "template": report.template.to_string(),
            "at": report.at,
            "provider_id": report.provider_id,
            "status": report.status,
            "reason": report.reason,
            "category": report.category,
            "quality": report.quality,
            "body": report.content.as_ref().map(|content| &content.body),
            "footer": report.content.as_ref().and_then(|content| content.footer.as_ref()),
            "buttons": report.content.as_ref().map(|content| &content.buttons),
        }}),
        Update::Account {
            field,
            event,
            restricts,
        } => {
            json!({ "account": { "field": field, "event": event, "restricts": restricts } })
        }
        Update::Limits { number, reported } => json!({ "limits": { "number": number, "reported": reported } }),
        Update::Unknown { kind } => json!({ "unknown": kind }),
    }
}
