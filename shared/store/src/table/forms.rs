//! The forms of rows. Every row states the form it was written in, and a row of any other form than the current one is refused: a function
//! must not guess the meaning of a row.

use std::cmp::Ordering;
use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::people::HistoryKind;
use domain::terms::NUMBER_FORMS_EDITION;

use crate::table::error::StoreError;
use crate::table::plain::plain_kinds;

/// Attribute of a row's form.
pub(crate) const FORM: &str = "f";

/// The current form of each kind of row. A change of a row's meaning raises the number, and replaces its samples in `tests/rows.json`. The
/// kinds of records that are not listed have the first form.
const FORMS: &[(&str, u64)] = &[
    ("account", 1),
    ("additions", 1),
    ("admins", 1),
    ("alias", 1),
    ("api_key", 1),
    ("api_key_owner", 1),
    ("archive", 1),
    ("asset", 1),
    ("attachment", 1),
    ("audit", 1),
    ("automation_match", 1),
    ("automation_watch", 1),
    ("call", 1),
    ("call_progress", 1),
    ("campaign", 6),
    ("cap_day", 1),
    ("claim", 1),
    ("connection", 1),
    ("consent", 1),
    ("contact", 2),
    ("conversation", 2),
    ("count", 1),
    ("counted_day", 1),
    ("counters", 1),
    ("desk", 1),
    ("draft", 1),
    ("drip_steps", 2),
    ("email", 1),
    ("enrolment", 1),
    // Those of telephone numbers are found by the keys of this edition.
    ("erased", NUMBER_FORMS_EDITION),
    ("erasure_salt", 1),
    ("event_message", 1),
    ("field", 1),
    ("followers", 1),
    ("following_endpoints", 1),
    ("grant", 1),
    ("idempotency", 1),
    ("identity", NUMBER_FORMS_EDITION),
    ("idle", 1),
    ("import", 1),
    ("invitation", 1),
    ("key_use", 1),
    ("leaving", 1),
    ("line", 1),
    ("listing", 1),
    ("live_events", 1),
    ("medium", 1),
    ("member", 1),
    ("mention", 1),
    ("merge_undo", 1),
    ("message", 7),
    ("message_ref", 2),
    ("notice", 1),
    ("notice_mailings", 1),
    ("number_limit", 1),
    ("operation", 1),
    ("operation_details", 1),
    ("platform_act", 1),
    ("platform_admin", 1),
    ("portfolio_limit", 1),
    ("preference_link", 1),
    ("prices", 1),
    ("product", 2),
    ("profile", 2),
    ("push_key", 1),
    ("push_owner", 1),
    ("push_subscription", 1),
    ("pushed", 1),
    ("rate", 1),
    ("reachable", 1),
    ("received", 2),
    ("refused_webhook", 1),
    ("retention", 1),
    ("rolled", 1),
    ("rule", 3),
    // Each holds a rule of the current form.
    ("rule_version", 2),
    ("security_event", 1),
    ("session", 1),
    ("signing_keys", 1),
    ("slot", 1),
    ("slots", 1),
    ("slug", 1),
    ("socket", 1),
    ("socket_owner", 1),
    ("suppression", NUMBER_FORMS_EDITION),
    ("template", 2),
    ("template_sync", 1),
    // Each holds a template of the current form.
    ("template_version", 1),
    ("tenant", 5),
    ("ticket", 1),
    ("tracked_links", 1),
    ("trigger", 2),
    ("unknown_numbers", 1),
    ("webhook_delivery", 1),
    ("webhook_endpoint", 1),
    ("webhook_health", 1),
    ("webhook_run", 1),
    ("whatsapp_number", 1),
];

macro_rules! forms_of_plain_kinds {
    ($({ $kind:literal, $form:literal, $($rest:tt)+ })+) => {
        const PLAIN: &[(&str, u64)] = &[$(($kind, $form)),+];
    };
}

plain_kinds!(forms_of_plain_kinds);

fn form_of_kind(kind: &str) -> Option<u64> {
    let found = FORMS.iter().chain(PLAIN).find(|(known, _)| *known == kind);
    found
        .map(|(_, form)| *form)
        .or_else(|| HistoryKind::of_records(kind).map(|_| 1))
}

/// All kinds of rows.
#[cfg(test)]
pub(crate) fn kinds() -> impl Iterator<Item = &'static str> {
    let records = HistoryKind::RECORDS.map(HistoryKind::word);
    FORMS.iter().chain(PLAIN).map(|(kind, _)| *kind).chain(records)
}

/// The current form of a kind.
pub(crate) fn form_of(kind: &str) -> u64 {
    debug_assert!(form_of_kind(kind).is_some(), "rows of the kind {kind} have no form");
    form_of_kind(kind).unwrap_or(1)
}

fn kind_of(item: &HashMap<String, AttributeValue>) -> &str {
    let kind = item.get("kind").and_then(|kind| kind.as_s().ok());
    kind.map(String::as_str).unwrap_or_default()
}

/// The form that a row states, if any.
fn written_in(item: &HashMap<String, AttributeValue>) -> Option<u64> {
    item.get(FORM)?.as_n().ok()?.parse().ok()
}

/// Refuses a row of another form than the current one.
pub(crate) fn readable(item: &HashMap<String, AttributeValue>, doing: &'static str) -> Result<(), StoreError> {
    let kind = kind_of(item);
    let (Some(found), Some(wanted)) = (written_in(item), form_of_kind(kind)) else {
        return Ok(());
    };
    let kind = || kind.to_owned();
    match found.cmp(&wanted) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::NewerForm {
            doing,
            kind: kind(),
            found,
            wanted,
        }),
        Ordering::Less => Err(StoreError::OlderForm {
            doing,
            kind: kind(),
            found,
            wanted,
        }),
    }
}

/// The value of the attribute [`FORM`].
pub(crate) fn form(kind: &str) -> AttributeValue {
    AttributeValue::N(form_of(kind).to_string())
}
