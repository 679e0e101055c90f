//! Models of requests and responses.

use domain::accounts::{Action, FieldChange};
use domain::terms::Actor;
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::accounts::Recorded;

/// Filters of the audit log.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// Start of the period. Default: seven days before its end.
    #[schemars(example = "2026-11-13T00:00:00Z")]
    pub(crate) from: Option<Timestamp>,
    /// End of the period, exclusive. Default: now.
    #[schemars(example = "2026-11-20T00:00:00Z")]
    pub(crate) to: Option<Timestamp>,
    /// Only changes by this actor: a user (`usr_…`), a key (`key_…`), a platform administrator (`platform:usr_…`) or `operator`.
    pub(crate) actor: Option<Actor>,
    /// Only changes to the object with this id.
    #[schemars(length(max = 200), example = &"key_01hq5c1ynyc0000000000000ab")]
    pub(crate) object: Option<String>,
}

/// An entry of the audit log.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AuditEntryOut {
    /// Id of the entry.
    #[schemars(example = "6f1b3c9a0d2e4f5a8b7c6d5e4f3a2b1c")]
    id: String,
    /// Time of the change.
    #[schemars(example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// Actor: a user (`usr_…`), a key (`key_…`), a platform administrator (`platform:usr_…`) or `operator`.
    actor: Actor,
    /// Kind of change, or `read`.
    action: Action,
    /// Kind of object: `tenant`, `member`, `invitation`, `api_key`, `connection`, `rule`, …
    #[schemars(example = &"member")]
    kind: String,
    /// Id of the object.
    #[schemars(example = &"usr_01hq5c1ynyc0000000000000ab")]
    object: String,
    /// Changed fields. For a new `preference_link`: its `contact`. For a contact that was read: `archive`, `consent_proof` or
    /// `timeline`, once a day, with the beginning of the day (UTC) as time.
    changes: Vec<FieldChangeOut>,
    /// Correlation id of the request, as in its response and in the logs. Of a callback: the id of the event that it answers.
    #[schemars(example = "JKJaXmPLvHcESHA=")]
    correlation_id: String,
}

/// A changed field.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct FieldChangeOut {
    /// Path of the field, with dots between its parts.
    #[schemars(example = &"role")]
    field: String,
    /// Value before the change. `null` if there was none or it is hidden.
    #[schemars(example = &"agent")]
    before: Option<Value>,
    /// Value after the change. `null` if there is none or it is hidden.
    #[schemars(example = &"manager")]
    after: Option<Value>,
    /// True if the field holds a secret, whose values are never shown.
    hidden: bool,
}

impl From<FieldChange> for FieldChangeOut {
    fn from(change: FieldChange) -> Self {
        let FieldChange {
            field,
            before,
            after,
            hidden,
        } = change;
        Self {
            field,
            before,
            after,
            hidden,
        }
    }
}

impl From<Recorded> for AuditEntryOut {
    fn from(recorded: Recorded) -> Self {
        let Recorded { id, entry } = recorded;
        Self {
            id,
            at: entry.by.at,
            actor: entry.by.actor,
            action: entry.action,
            kind: entry.kind,
            object: entry.object,
            changes: entry.changes.into_iter().map(FieldChangeOut::from).collect(),
            correlation_id: entry.by.correlation_id,
        }
    }
}
