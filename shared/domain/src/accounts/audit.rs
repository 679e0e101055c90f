//! The audit log: changes and their authors, derived from a row before and after the change.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::people::HistoryKind;
use crate::terms::{ContactId, Stamp};

/// Entries are retained for a year, and some time longer to look at them.
pub const AUDIT_LIFETIME: SignedDuration = SignedDuration::from_hours(400 * 24);

/// Seconds of a day.
const DAY: i64 = 24 * 3_600;

/// The longest period of one list, in days.
pub const MAX_AUDIT_DAYS: i32 = 31;

/// A change that a person or a key made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Author, time and request.
    pub by: Stamp,
    pub action: Action,
    /// Kind of the changed object: `member`, `connection`, …
    pub kind: String,
    /// Id of the changed object.
    pub object: String,
    /// The fields that changed, or what was read of the object.
    pub changes: Vec<FieldChange>,
}

/// Kind of change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AuditAction"))]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The object was created.
    Created,
    /// The object was changed.
    Changed,
    /// The object was removed.
    Removed,
    /// The object was read. Recorded only of files with people's data, and of what shows all that is known of a contact.
    Read,
}

/// A view of a contact that shows so much of a person that the log records who saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Look {
    /// The link to an archive.
    Archive,
    /// The proof of its consent.
    ConsentProof,
    /// The link to a picture or another file that it sent.
    Media,
    /// The link to a recording of a call.
    Recording,
    Timeline,
}

impl Look {
    /// The name in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Archive => "archive",
            Self::ConsentProof => "consent_proof",
            Self::Media => "media",
            Self::Recording => "recording",
            Self::Timeline => "timeline",
        }
    }
}

impl AuditEntry {
    /// The entry for somebody who looks at this data of a contact. Its time is the beginning of the day, so that a second look on that day
    /// adds nothing.
    pub fn of_look(look: Look, contact: ContactId, by: Stamp) -> Self {
        let day = by.at.as_second().div_euclid(DAY) * DAY;
        Self {
            by: Stamp {
                at: Timestamp::from_second(day).unwrap_or(by.at),
                ..by
            },
            action: Action::Read,
            kind: "contact".to_owned(),
            object: contact.to_string(),
            changes: vec![FieldChange {
                field: look.as_str().to_owned(),
                before: None,
                after: None,
                hidden: false,
            }],
        }
    }
}

impl AuditEntry {
    /// The entry for somebody who asks for a link to the preference page of a contact. `link`: its name, which does not tell its code.
    pub fn of_link(link: &str, contact: ContactId, by: Stamp) -> Self {
        Self {
            by,
            action: Action::Created,
            kind: "preference_link".to_owned(),
            object: link.to_owned(),
            changes: vec![FieldChange {
                field: "contact".to_owned(),
                before: None,
                after: Some(contact.to_string().into()),
                hidden: false,
            }],
        }
    }
}

/// A field before and after.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldChange {
    /// Path of the field: names separated by dots.
    pub field: String,
    /// Value before the change; `None` if there was none, or it is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Value after the change; `None` if there is none, or it is hidden.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
    /// Whether the field holds a secret or a text that the log does not repeat: then the entry only says that it changed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub hidden: bool,
}

/// Internal fields by kind, which nobody changes on purpose.
const OWN: [(&str, &str); 35] = [
    ("asset", "handles"),
    ("asset", "uploads"),
    ("tenant", "config_version"),
    ("connection", "awaits_secret"),
    ("connection", "checkup"),
    ("connection", "credentials_version"),
    ("connection", "health"),
    ("connection", "last_report_at"),
    ("connection", "paused_until"),
    ("connection", "rotation"),
    ("connection", "reported"),
    ("connection", "throttled"),
    ("campaign", "limited_until"),
    ("contact", "allowance_whole_at"),
    ("contact", "language_detected"),
    ("contact", "last_reached_at"),
    ("contact", "last_written_at"),
    ("contact", "listed"),
    ("contact", "missed"),
    ("contact", "named"),
    ("contact", "version"),
    ("operation", "attempts"),
    ("operation", "cursor"),
    ("operation", "dispatches"),
    ("operation", "due"),
    ("operation", "lease"),
    ("order", "awaits_since"),
    ("order", "dispatches"),
    ("order", "due"),
    ("order", "late_at"),
    ("template", "doubted_at"),
    ("template", "doubts"),
    ("template", "edition"),
    ("template", "edits"),
    ("template", "submitting"),
];

/// Whether the field says of a row of any kind what the entry says by itself, its object and its time, or is the time of creation of a
/// row that was stored without it, and has it from its next change on.
fn is_said(name: &str, was_without: bool) -> bool {
    match name {
        "id" | "updated_at" => true,
        "created_at" => was_without,
        _ => false,
    }
}

/// Fields with data and texts of people, by kind. The log does not repeat them: they can be deleted, and entries
/// cannot. Fields of a contact's history are named by their kinds.
const PRIVATE: [(&str, &str); 12] = [
    ("contact", "bsuids"),
    ("contact", "called_from"),
    ("contact", "emails"),
    ("contact", "fields"),
    ("contact", "name"),
    ("contact", "phones"),
    ("contact", "source"),
    ("contact", "unreachable"),
    ("contact", "value"),
    ("import", "name"),
    ("suppression", "address"),
    ("suppression", "refusals"),
];

fn is_private(kind: &str, name: &str) -> bool {
    PRIVATE.contains(&(kind, name)) || HistoryKind::of_records(kind).is_some_and(|kind| kind.private().contains(&name))
}

/// Names of fields that hold secrets or values derived from them.
const HIDDEN: [&str; 5] = ["verify", "send", "second_factor", "pending_factor", "recovery_codes"];

/// Parts of names that mark a field as secret, including fields that are added later.
const HIDDEN_PARTS: [&str; 10] = [
    "secret",
    "password",
    "passphrase",
    "token",
    "sha256",
    "credential",
    "private_key",
    "signing_key",
    "sealed",
    "cipher",
];

/// Stands for a secret inside a list.
const MASK: &str = "(hidden)";

/// Longer texts are shortened and other long values omitted: the log says what changed, not everything that was ever
/// written.
const MAX_LENGTH: usize = 2_000;

/// Maximum fields of an entry. The remaining ones are summarized in one.
const MAX_FIELDS: usize = 60;

fn is_hidden(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    HIDDEN.contains(&name.as_str()) || HIDDEN_PARTS.iter().any(|part| name.contains(part))
}

/// Paths of the fields that differ between two rows of this kind, with their values. `None` is a missing row: then all fields of the other
/// one differ.
pub fn field_changes(kind: &str, before: Option<&Value>, after: Option<&Value>) -> Vec<FieldChange> {
    let mut found = Vec::new();
    compare(kind, "", before, after, &mut found);
    if found.len() > MAX_FIELDS {
        let more = found.len() - MAX_FIELDS;
        found.truncate(MAX_FIELDS);
        found.push(FieldChange {
            field: format!("… and {more} more"),
            before: None,
            after: None,
            hidden: false,
        });
    }
    found
}

fn compare(kind: &str, path: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<FieldChange>) {
    if before == after {
        return;
    }
    let fields = |value: Option<&Value>| value.and_then(Value::as_object).cloned().unwrap_or_default();
    let is_object = |value: Option<&Value>| value.is_some_and(Value::is_object);
    let goes_deeper = match (before, after) {
        (Some(_), Some(_)) => is_object(before) && is_object(after),
        // A created or deleted row is listed by its fields; further below, whole values are easier to read.
        _ => path.is_empty() && (is_object(before) || is_object(after)),
    };
    if !goes_deeper {
        found.push(FieldChange {
            field: if path.is_empty() {
                "value".to_owned()
            } else {
                path.to_owned()
            },
            before: before.filter(|value| !value.is_null()).map(value_for_log),
            after: after.filter(|value| !value.is_null()).map(value_for_log),
            hidden: false,
        });
        return;
    }
    let (was, is) = (fields(before), fields(after));
    let mut names: Vec<&String> = was.keys().chain(is.keys()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        let was_without = before.is_some() && !was.contains_key(name);
        if path.is_empty() && (is_said(name, was_without) || OWN.contains(&(kind, name.as_str()))) {
            continue;
        }
        let field = if path.is_empty() {
            name.clone()
        } else {
            format!("{path}.{name}")
        };
        let (was, is) = (was.get(name), is.get(name));
        let private = path.is_empty() && is_private(kind, name);
        if !private && !is_hidden(name) {
            compare(kind, &field, was, is, found);
        } else if was != is {
            found.push(FieldChange {
                field,
                before: None,
                after: None,
                hidden: true,
            });
        }
    }
}

/// The value as the log shows it: without secrets, and shortened.
fn value_for_log(value: &Value) -> Value {
    let masked = mask_secrets(value);
    match &masked {
        Value::String(text) if text.len() > MAX_LENGTH => {
            let begin: String = text.chars().take(MAX_LENGTH / 4).collect();
            Value::String(format!("{begin}… ({} bytes)", text.len()))
        }
        Value::Array(_) | Value::Object(_) => {
            let bytes = masked.to_string().len();
            if bytes > MAX_LENGTH {
                Value::String(format!("({bytes} bytes)"))
            } else {
                masked
            }
        }
        _ => masked,
    }
}

fn mask_secrets(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let masked = fields.iter().map(|(name, value)| {
                let value = if is_hidden(name) {
                    MASK.into()
                } else {
                    mask_secrets(value)
                };
                (name.clone(), value)
            });
            Value::Object(masked.collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(mask_secrets).collect()),
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of<'a>(found: &'a [FieldChange], field: &str) -> &'a FieldChange {
        found.iter().find(|change| change.field == field).unwrap()
    }

    fn fields(found: &[FieldChange]) -> Vec<&str> {
        found.iter().map(|change| change.field.as_str()).collect()
    }

    #[test]
    fn only_changed_fields_are_listed_with_both_values() {
        let before = json!({"id": "usr_1", "role": "agent", "status": "active", "name": "Ann"});
        let after = json!({"id": "usr_1", "role": "manager", "status": "active", "name": "Ann"});
        let found = field_changes("member", Some(&before), Some(&after));
        assert_eq!(fields(&found), ["role"]);
        assert_eq!(found[0].before, Some("agent".into()));
        assert_eq!(found[0].after, Some("manager".into()));
    }

    #[test]
    fn looks_of_one_day_are_one_entry() {
        let contact = ContactId::new(ulid::Ulid::from_parts(1, 2));
        let look = |at: &str| {
            let by = Stamp {
                actor: crate::terms::Actor::Operator,
                at: at.parse().unwrap(),
                correlation_id: "cor".to_owned(),
            };
            AuditEntry::of_look(Look::Timeline, contact, by)
        };
        let first = look("2026-11-20T00:00:00Z");
        assert_eq!(first, look("2026-11-20T23:59:59.999Z"));
        assert_ne!(first, look("2026-11-21T00:00:00Z"));
        assert_eq!((first.action, first.object), (Action::Read, contact.to_string()));
        assert_eq!(fields(&first.changes), ["timeline"]);
    }

    #[test]
    fn nested_field_is_named_by_its_path() {
        let before = json!({"hours": {"mon": "9-17", "tue": "9-17"}, "languages": ["en"]});
        let after = json!({"hours": {"mon": "9-17", "tue": "9-12"}, "languages": ["en", "ar"], "slug": "joes"});
        let found = field_changes("tenant", Some(&before), Some(&after));
        assert_eq!(fields(&found), ["hours.tue", "languages", "slug"]);
        assert_eq!(of(&found, "languages").after, Some(json!(["en", "ar"])));
        assert_eq!(of(&found, "slug").before, None);
    }

    #[test]
    fn created_or_deleted_object_is_listed_with_all_fields() {
        let rule = json!({"id": "rule_1", "name": "Missed call", "when": {"outcome": "missed"}, "note": null});
        let created = field_changes("rule", None, Some(&rule));
        assert_eq!(fields(&created), ["name", "note", "when"]);
        assert_eq!(of(&created, "when").after, Some(json!({"outcome": "missed"})));
        let removed = field_changes("rule", Some(&rule), None);
        assert_eq!(of(&removed, "name").before, Some("Missed call".into()));
        assert_eq!(of(&removed, "name").after, None);
    }

    #[test]
    fn internal_field_is_not_a_change() {
        let before = json!({"id": "tnt_1", "name": "Joe's", "config_version": 1});
        let after = json!({"id": "tnt_1", "name": "Joe's", "config_version": 2});
        assert_eq!(field_changes("tenant", Some(&before), Some(&after)), []);
        let before = json!({"name": "Line", "health": "healthy", "credentials_version": 1, "awaits_secret": true});
        let after = json!({"name": "Line", "health": "unhealthy", "credentials_version": 2, "paused_until": "x",
            "checkup": {"result": "works"}});
        assert_eq!(field_changes("connection", Some(&before), Some(&after)), []);
    }

    #[test]
    fn times_of_a_row_are_no_change() {
        let old = json!({"id": "seg_1", "name": "Regulars", "filter": {"tag": "tag_1"}});
        let mut new = old.clone();
        new["created_at"] = json!("2026-11-20T12:00:00Z");
        new["updated_at"] = json!("2026-11-21T12:00:00Z");
        assert_eq!(field_changes("segment", Some(&old), Some(&new)), []);
        let mut newer = new.clone();
        newer["name"] = json!("Friends");
        newer["updated_at"] = json!("2026-11-22T12:00:00Z");
        assert_eq!(fields(&field_changes("segment", Some(&new), Some(&newer))), ["name"]);
        let all = ["created_at", "filter", "name"];
        assert_eq!(fields(&field_changes("segment", None, Some(&new))), all);
        assert_eq!(fields(&field_changes("segment", Some(&new), None)), all);
    }

    #[test]
    fn secrets_are_hidden_wherever_they_are() {
        const CANARY: &str = "canary-7f3a";
        let secret = |version: u32| {
            let canary = format!("{CANARY}-{version}");
            json!({
                "name": "Line",
                "verify": canary,
                "send": canary,
                "secrets": [{"sha256": canary, "hint": canary}],
                "token_sha256": canary,
                "password": canary,
                "second_factor": {"secret": canary, "last_step": version},
                "account": {"api_secret": canary, "nested": {"access_token": canary, "number": version}},
                "endpoints": [{"url": "https://a", "signing_secret": canary, "number": version}],
                "webhookToken": canary,
            })
        };
        let (one, two) = (secret(1), secret(2));
        for (before, after) in [(None, Some(&one)), (Some(&one), Some(&two)), (Some(&one), None)] {
            let found = field_changes("connection", before, after);
            let text = serde_json::to_string(&found).unwrap();
            assert!(!text.contains(CANARY), "{text}");
            assert!(of(&found, "verify").hidden && of(&found, "secrets").hidden, "{text}");
        }
        let changed = field_changes("connection", Some(&one), Some(&two));
        assert_eq!(of(&changed, "account.nested.number").after, Some(2.into()));
        assert!(of(&changed, "account.api_secret").hidden);
        assert_eq!(
            of(&changed, "endpoints").after,
            Some(json!([{"url": "https://a", "signing_secret": "(hidden)", "number": 2}]))
        );
    }

    #[test]
    fn what_a_contact_is_known_by_is_not_repeated() {
        let contact = |canary: &str| {
            json!({
                "phones": [canary], "emails": [canary], "bsuids": [canary], "name": canary, "fields": {"a": canary},
                "called_from": {"kind": "sip", "value": canary}, "unreachable": [{"phone": canary}],
            })
        };
        let (one, two) = (contact("canary-1"), contact("canary-2"));
        for (before, after) in [(None, Some(&one)), (Some(&one), Some(&two)), (Some(&two), None)] {
            let found = field_changes("contact", before, after);
            let text = serde_json::to_string(&found).unwrap();
            assert!(found.len() == 7 && !text.contains("canary"), "{text}");
        }
    }

    #[test]
    fn text_of_a_note_is_not_repeated() {
        let note = |text: &str| json!({"id": "note_1", "author": "usr_1", "text": text, "updated_at": text});
        let (one, two) = (note("canary-1"), note("canary-2"));
        for (before, after) in [(None, Some(&one)), (Some(&one), Some(&two)), (Some(&two), None)] {
            let found = field_changes("note", before, after);
            assert!(of(&found, "text").hidden, "{found:?}");
            let text = serde_json::to_string(&found).unwrap();
            assert!(!text.contains("canary"), "{text}");
        }
        assert_eq!(fields(&field_changes("note", Some(&one), Some(&two))), ["text"]);
        let contact = |text: &str| {
            json!({"name": text, "phones": [text], "emails": [text], "fields": {"fld_1": {"t": text}},
            "source": text, "tags": ["tag_1"]})
        };
        let found = field_changes("contact", None, Some(&contact("canary-1")));
        assert_eq!(fields(&found), ["emails", "fields", "name", "phones", "source", "tags"]);
        assert!(!serde_json::to_string(&found).unwrap().contains("canary"));
        // Texts of other kinds are shown.
        assert!(!of(&field_changes("rule", Some(&one), Some(&two)), "text").hidden);
    }

    #[test]
    fn entry_stays_small_whatever_changed() {
        let before = json!({"text": "a".repeat(100_000), "list": vec!["b"; 50_000]});
        let after = json!({"text": "é".repeat(100_000), "list": []});
        let found = field_changes("template", Some(&before), Some(&after));
        assert!(serde_json::to_string(&found).unwrap().len() < 5_000);
        let many: Value = (0..1_000).map(|field| (format!("f{field:04}"), json!(field))).collect();
        let found = field_changes("rule", None, Some(&many));
        assert_eq!(found.len(), 61);
        assert_eq!(found[60].field, "… and 940 more");
    }
}
