//! What the API takes and gives.

use domain::{
    actor::Actor,
    audit::{Action, FieldChange},
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::audit::Recorded;
use utoipa::{IntoParams, ToSchema};

/// Which entries.
#[derive(Debug, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
pub(crate) struct AuditQuery {
    /// The period's begin; left out: seven days before its end.
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-13T00:00:00Z")]
    pub(crate) from: Option<Timestamp>,
    /// The period's end, itself not in it; left out: now.
    #[serde(default)]
    #[param(value_type = Option<String>, format = DateTime, example = "2026-11-20T00:00:00Z")]
    pub(crate) to: Option<Timestamp>,
    /// Only what they did: a person (`usr_…`), a key (`key_…`), a platform administrator (`platform:usr_…`) or `operator`.
    #[serde(default)]
    #[param(value_type = Option<String>, pattern = "^((usr|key)_[0-9a-z]{26}|platform:usr_[0-9a-z]{26}|operator)$", example = "usr_01hq5c1ynyc0000000000000ab")]
    pub(crate) actor: Option<Actor>,
    /// Only what was done to this: its id.
    #[serde(default)]
    #[param(max_length = 200, example = "key_01hq5c1ynyc0000000000000ab")]
    pub(crate) object: Option<String>,
}

/// A change that somebody made.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditEntryOut {
    /// The change.
    #[schema(example = "6f1b3c9a0d2e4f5a8b7c6d5e4f3a2b1c")]
    id: String,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    at: Timestamp,
    /// Who: a person (`usr_…`), a key (`key_…`), a platform administrator (`platform:usr_…`) or `operator`.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    actor: Actor,
    /// What they did.
    action: AuditAction,
    /// To what kind of thing: `tenant`, `member`, `invitation`, `api_key`, `connection`, `rule`, …
    #[schema(example = "member")]
    kind: String,
    /// To which one.
    #[schema(example = "usr_01hq5c1ynyc0000000000000ab")]
    object: String,
    /// The fields that are not what they were.
    changes: Vec<FieldChangeOut>,
    /// Links it with the request's answer and logs.
    #[schema(example = "JKJaXmPLvHcESHA=")]
    correlation_id: String,
}

/// What somebody did.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AuditAction {
    /// It was not there before.
    Created,
    /// It was.
    Changed,
    /// It is no longer.
    Removed,
}

/// A field before and after.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FieldChangeOut {
    /// Its path: names with dots between.
    #[schema(example = "role")]
    field: String,
    /// What it was; `null`: it was not there, or is hidden.
    #[schema(value_type = Option<Value>, example = "agent")]
    before: Option<Value>,
    /// What it is; `null`: it is not there, or is hidden.
    #[schema(value_type = Option<Value>, example = "manager")]
    after: Option<Value>,
    /// It holds a secret: that it changed is all that is told.
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
            action: match entry.action {
                Action::Created => AuditAction::Created,
                Action::Changed => AuditAction::Changed,
                Action::Removed => AuditAction::Removed,
            },
            kind: entry.kind,
            object: entry.object,
            changes: entry.changes.into_iter().map(FieldChangeOut::from).collect(),
            correlation_id: entry.by.correlation_id,
        }
    }
}
