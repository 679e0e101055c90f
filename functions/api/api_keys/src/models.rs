//! Models of requests and responses.

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

/// Path parameters of an API key.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
#[expect(dead_code, reason = "it describes what `Path<ApiKeyId>` reads")]
pub(crate) struct KeyPath {
    /// Id of the API key
    #[param(example = "key_01hq5c1ynyc0000000000000ab")]
    api_key_id: String,
}

/// A new API key.
#[derive(Debug, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyIn {
    /// Display name, such as the software that uses the key.
    #[garde(length(chars, min = 1, max = 80), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 80, example = "Till at the harbour")]
    pub(crate) name: String,
    /// Role that limits the key.
    #[garde(skip)]
    #[schema(value_type = RoleWord, example = "agent")]
    pub(crate) role: Role,
    /// Permissions of the role that the key has. Empty: all of the role's.
    #[garde(length(max = 100))]
    #[serde(default)]
    #[schema(value_type = Vec<PermissionWord>, max_items = 100, example = json!(["connections:read"]))]
    pub(crate) scopes: Vec<Permission>,
    /// Time of expiry. If omitted, the key does not expire.
    #[garde(skip)]
    #[serde(default)]
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T10:00:00Z")]
    pub(crate) expires_at: Option<Timestamp>,
}

/// Changes to an API key.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct ApiKeyChange {
    /// Display name, such as the software that uses the key.
    #[garde(length(chars, min = 1, max = 80), custom(api::one_line))]
    #[schema(min_length = 1, max_length = 80, example = "Till at the harbour")]
    pub(crate) name: String,
    /// Permissions of the role that the key has. Empty: all of the role's.
    #[garde(length(max = 100))]
    #[serde(default)]
    #[schema(value_type = Vec<PermissionWord>, max_items = 100, example = json!(["connections:read"]))]
    pub(crate) scopes: Vec<Permission>,
    /// Time of expiry. `null`: the key does not expire.
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

/// Options of a rotation.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(crate) struct RotateIn {
    /// Hours for which the previous secret stays valid, 0 to 168. 0 ends all previous secrets at once.
    #[garde(range(max = 168))]
    #[serde(default = "a_day")]
    #[schema(minimum = 0, maximum = 168, default = 24, example = 24)]
    pub(crate) overlap_hours: u32,
}

const fn a_day() -> u32 {
    24
}

/// An API key without its secret.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ApiKeyOut {
    /// Id of the API key.
    #[schema(value_type = String, example = "key_01hq5c1ynyc0000000000000ab")]
    id: ApiKeyId,
    /// Display name, such as the software that uses the key.
    #[schema(example = "Till at the harbour")]
    name: String,
    /// Role that limits the key.
    #[schema(value_type = RoleWord, example = "agent")]
    role: Role,
    /// Permissions of the role that the key has. Empty: all of the role's.
    #[schema(value_type = Vec<PermissionWord>, example = json!(["connections:read"]))]
    scopes: Vec<Permission>,
    /// State of the key.
    status: ApiKeyStatus,
    /// Valid secrets, newest first. More than one only during a rotation, at most four.
    secrets: Vec<SecretOut>,
    /// Creator: a user (`usr_…`), a key (`key_…`) or `operator`.
    #[schema(value_type = String, example = "usr_01hq5c1ynyc0000000000000ab")]
    created_by: Actor,
    /// Time of creation.
    #[schema(value_type = String, format = DateTime, example = "2026-11-20T10:00:00Z")]
    created_at: Timestamp,
    /// Time of expiry.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-11-20T10:00:00Z")]
    expires_at: Option<Timestamp>,
    /// Day of last use, in UTC.
    #[schema(value_type = Option<String>, format = Date, example = "2026-11-20")]
    last_used_on: Option<Date>,
}

/// State of an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ApiKeyStatus {
    /// The key is valid.
    Active,
    /// The key has expired.
    Expired,
}

/// A secret of an API key, as far as it is shown.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ApiKeySecretOut)]
pub(crate) struct SecretOut {
    /// First characters of the secret.
    #[schema(example = "rbk_Xk2pQ9aL")]
    hint: String,
    /// Time at which the secret ends, if it is being replaced.
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

/// An API key with its secret, which is shown only once.
#[derive(Serialize, ToSchema)]
pub(crate) struct NewApiKeyOut {
    /// Value of the header `X-API-Key`.
    #[schema(example = "rbk_Xk2pQ9aLq0Zr3sT5uVw7yA1bC3dE5fG7hJ9kL1mN3pQ")]
    key: String,
    /// The API key without its secret.
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
