//! What the API takes and gives.

use api::{PermissionWord, RoleWord};
use domain::{
    actor::Actor,
    api_key::{ApiKey, LastUsed},
    ids::ApiKeyId,
    permission::{Permission, Role},
};
use garde::Validate;
use jiff::{Timestamp, civil::Date};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Which key.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes what `Path<ApiKeyId>` reads")]
pub(crate) struct KeyPath {
    /// The key's id
    #[param(example = "key_01hq5c1ynyc0000000000000ab")]
    api_key: String,
}

/// A key to be made.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyIn {
    /// For people: what uses it.
    #[garde(length(chars, min = 1, max = 80), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 80, example = "Till at the harbour")]
    pub(crate) name: String,
    /// What it may do at most.
    #[garde(skip)]
    #[schema(value_type = RoleWord, example = "agent")]
    pub(crate) role: Role,
    /// What it may do of that; empty: all.
    #[garde(length(max = 100))]
    #[serde(default)]
    #[schema(value_type = Vec<PermissionWord>, max_items = 100, example = json!(["connections:read"]))]
    pub(crate) scopes: Vec<Permission>,
    /// When it stops by itself; left out: never.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T10:00:00Z")]
    pub(crate) expires_at: Option<Timestamp>,
}

/// What can be changed of a key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyChange {
    /// For people: what uses it.
    #[garde(length(chars, min = 1, max = 80), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 80, example = "Till at the harbour")]
    pub(crate) name: String,
    /// What it may do of its role; empty: all.
    #[garde(length(max = 100))]
    #[serde(default)]
    #[schema(value_type = Vec<PermissionWord>, max_items = 100, example = json!(["connections:read"]))]
    pub(crate) scopes: Vec<Permission>,
    /// When it stops by itself; `null`: never.
    #[garde(skip)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T10:00:00Z")]
    pub(crate) expires_at: Option<Timestamp>,
}

impl From<&ApiKey> for ApiKeyChange {
    fn from(key: &ApiKey) -> Self {
        Self {
            name: key.name.clone(),
            scopes: key.scopes.clone(),
            expires_at: key.expires_at,
        }
    }
}

/// How a key is rotated.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateIn {
    /// So long the secret before still works besides, in hours: 0 to 168. 0 ends all before.
    #[garde(range(max = 168))]
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 168, default = 24, example = 24)]
    pub(crate) overlap_hours: u32,
}

const fn a_day() -> u32 {
    24
}

/// A key, without what proves it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKeyOut {
    /// The key's id.
    #[schema(value_type = String, example = "key_01hq5c1ynyc0000000000000ab")]
    id: ApiKeyId,
    /// For people: what uses it.
    #[schema(example = "Till at the harbour")]
    name: String,
    /// What it may do at most.
    #[schema(value_type = RoleWord, example = "agent")]
    role: Role,
    /// What it may do of that; empty: all.
    #[schema(value_type = Vec<PermissionWord>, example = json!(["connections:read"]))]
    scopes: Vec<Permission>,
    /// Whether it works now.
    status: ApiKeyStatus,
    /// What works, the newest first: one secret, or up to four while it is rotated.
    secrets: Vec<SecretOut>,
    /// Who made it: a person (`usr_…`), a key (`key_…`), or `operator`.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    created_by: Actor,
    /// When.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// When it stops by itself.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T10:00:00Z")]
    expires_at: Option<Timestamp>,
    /// The day on which it was last used, in UTC.
    #[schema(value_type = Option<String>, format = Date, example = "2026-11-20")]
    last_used_on: Option<Date>,
}

/// Whether a key works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ApiKeyStatus {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
}

/// A secret of a key, as people recognise it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeySecretOut)]
pub(crate) struct SecretOut {
    /// Its first characters.
    #[schema(example = "rbk_Xk2pQ9aL")]
    hint: String,
    /// Until when it works, where it is being replaced.
    #[schema(value_type = Option<String>, format = DateTime, example = "2026-11-21T10:00:00Z")]
    valid_until: Option<Timestamp>,
}

impl ApiKeyOut {
    pub(crate) fn new(key: ApiKey, used: Option<LastUsed>, now: Timestamp) -> Self {
        let over = |until: Option<Timestamp>| until.is_some_and(|until| until <= now);
        let working = key.secrets.into_iter().filter(|secret| !over(secret.valid_until));
        Self {
            id: key.id,
            name: key.name,
            role: key.role,
            scopes: key.scopes,
            status: if over(key.expires_at) {
                ApiKeyStatus::Expired
            } else {
                ApiKeyStatus::Active
            },
            secrets: working
                .map(|secret| SecretOut {
                    hint: secret.hint,
                    valid_until: secret.valid_until,
                })
                .collect(),
            created_by: key.created_by,
            created_at: key.created_at,
            expires_at: key.expires_at,
            last_used_on: used.map(|used| used.day),
        }
    }
}

/// A key with what proves it, which is shown here and never again.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKeyOut {
    /// What the software sends as `X-API-Key`.
    #[schema(example = "rbk_Xk2pQ9aLq0Zr3sT5uVw7yA1bC3dE5fG7hJ9kL1mN3pQ")]
    key: String,
    /// The key as it is shown from now on.
    api_key: ApiKeyOut,
}

impl NewApiKeyOut {
    pub(crate) fn new(key: String, made: ApiKey, now: Timestamp) -> Self {
        Self {
            key,
            api_key: ApiKeyOut::new(made, None, now),
        }
    }
}
